package storetest

import (
	"errors"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// testValidity: a number finds whose it is on the day, an agent's word of a later day
// counts, and what the source says of a number and of a company's accounts is in the
// record.
func testValidity(t *testing.T, f Fixture) {
	s := open(t, f)
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	const old, now, later, line = "+447700900421", "+447700900422", "+447700900423", "+441632960421"
	company := customer.Record{
		ID: "V1", Version: 1, Name: "Harbour Freight", Kind: "company", Others: []customer.Other{{Name: "Ines Moreau", Detail: "dispatch"}},
		SubAccounts: []customer.SubAccount{{ID: "V1-2", Name: "Cold Store", Detail: "Dock 4"}}, PartOf: &customer.SubAccount{ID: "V0", Name: "Harbour Group"},
		Numbers: []customer.Number{
			{E164: old, Person: "Ines Moreau", ValidFrom: day(-900), ValidTo: day(-2), Source: "crm"},
			{E164: now, Person: "Ines Moreau", ValidFrom: day(-2), ValidTo: day(2), Source: "crm"},
			{E164: later, ValidFrom: day(2)}, {E164: line, Label: "work", ValidTo: day(-2)},
		},
	}
	person := customer.Record{ID: "V2", Version: 1, Name: "Dana Whitcombe", Numbers: []customer.Number{{E164: old}, {E164: line}}}
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{company, person}))
	who := func(number string) (id string) {
		t.Helper()
		for range 2 { // from the document, and from the tables
			m := find(t, s, number)
			id = ""
			if m.Record != nil {
				id = m.Record.ID
			}
			if len(m.Candidates) > 0 {
				id = "several"
			}
		}
		return id
	}
	for number, want := range map[string]string{old: "V2", now: "V1", later: "", line: "V2"} {
		equal(t, number+" finds", who(number), want)
	}
	r := *find(t, s, now).Record
	equal(t, "numbers", r.Numbers, company.Numbers)
	equal(t, "kind", r.Kind, "company")
	equal(t, "sub-accounts", r.SubAccounts, company.SubAccounts)
	equal(t, "part of", r.PartOf, company.PartOf)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{company}))
	equal(t, "the same once more", find(t, s, now).Record.Version, r.Version)
	company.Numbers[1].Person, company.Numbers[1].Source = "", "Ines Moreau"
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{company}))
	if v := find(t, s, now).Record.Version; v == r.Version {
		t.Error("a change of whose a number is was not seen")
	}

	sent := customer.Interaction{ID: "post:9", Source: "post", Channel: "mail", Title: "letter", At: T0}
	got, err := s.SaveSent(t.Context(), store.Person{Number: old}, sent)
	if err != nil || got.Customer != "V2" {
		t.Errorf("sent to an old number of one: %+v, %v", got, err)
	}
	if _, err := s.SaveSent(t.Context(), store.Person{Number: later}, sent); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("sent to a number that is nobody's yet: %v", err)
	}
	ann := customer.Colleague{Agent: "ann", Name: "Ann Ferris"}
	ok(t, s.LinkNumber(t.Context(), old, "V1", ann, time.Now().AddDate(0, 0, -300)))
	equal(t, "confirmed before it was over", who(old), "V2")
	ok(t, s.LinkNumber(t.Context(), old, "V1", ann, time.Now()))
	equal(t, "confirmed since", who(old), "V1")
	ok(t, s.LinkNumber(t.Context(), later, "V1", ann, time.Now()))
	equal(t, "confirmed already", who(later), "V1")
}
