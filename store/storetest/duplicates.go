package storetest

import (
	"reflect"
	"testing"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// testDuplicates: who shares numbers and a name may be one; a household and namesakes
// are not.
func testDuplicates(t *testing.T, f Fixture) {
	s := open(t, f)
	person := func(id, name string, numbers ...string) customer.Record {
		r := customer.Record{ID: id, Version: 1, Name: name}
		for _, n := range numbers {
			r.Numbers = append(r.Numbers, customer.Number{E164: n})
		}
		return r
	}
	const home, mobile, shop = "+441632960301", "+447700900301", "+442079460301"
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{
		person("A1", "Dana Whitcombe", home, mobile), person("A2", "Whitcombe, Dana", mobile, home), person("A3", "DANA WHITCOMBE", home),
		person("B1", "Rhys Whitcombe", home), person("C1", "Dana Whitcombe", shop), person("D1", "Юлия Озерова", shop), person("D2", "озерова юлия", shop), person("E1", "Dana Whitcombe"),
	}))
	got, err := s.Duplicates(t.Context())
	ok(t, err)
	want := []store.Duplicate{{Customers: []string{"A1", "A2"}, Numbers: 1}, {Customers: []string{"A1", "A2", "A3"}, Numbers: 1}, {Customers: []string{"D1", "D2"}, Numbers: 1}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	by := customer.Colleague{Agent: "sue", Name: "Sue Marsh"}
	ok(t, s.KeepApart(t.Context(), "D2", "D1", by, at(1)))
	_, err = s.Merge(t.Context(), "A1", "A2", by, at(1))
	ok(t, err)
	got, err = s.Duplicates(t.Context())
	ok(t, err)
	equal(t, "merged, and said to be two", got, []store.Duplicate{{Customers: []string{"A1", "A3"}, Numbers: 1}})
	_, err = s.Merge(t.Context(), "D1", "D2", by, at(2)) // which takes it back
	ok(t, err)
	_, err = s.UndoMerge(t.Context(), 2, at(3))
	ok(t, err)
	got, err = s.Duplicates(t.Context())
	ok(t, err)
	equal(t, "to be looked at again", got[1:], []store.Duplicate{{Customers: []string{"D1", "D2"}, Numbers: 1}})
}
