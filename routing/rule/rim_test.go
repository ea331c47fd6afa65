package rule

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

var rimOptions = CompileOptions{
	Queues: []string{"desk"}, Calendars: []string{"office"}, Topics: []string{"x"}, Languages: []string{"en"},
	Fields: map[string]string{"tariff": TextField, "seats": IntegerField, "outage": FlagField, "tags": ListField, "contact": PersonField},
}

// What reads the rim is the smallest closed part of type bool; equal parts are
// one predicate, and comparisons with literals are told from all others.
func TestPredicates(t *testing.T) {
	k := NewCompiler(rimOptions)
	for _, src := range []string{
		`call.ani == "+447700900100" and customer.seats > 3`,
		`not (customer.id in ["k7", "k8"]) or queues.desk.waiting > 3`,
		`call.ani == "+447700900100"`,
		`call.ani startsWith "+44" and open("office")`,
		`customer.contact == "Ann Berger" and customer.tariff == "XL"`,
		`any(customer.tags, # == call.ani)`,
		`let n = call.ani; n == "+447700900100" or n endsWith "00"`,
		`"+447700900101" != call.ani ? customer.outage : call.ani in ["+447700900102"]`,
		`len(customer.contact) > 3`,
	} {
		if _, err := k.Compile(src); err != nil {
			t.Fatalf("%s: %v", src, err)
		}
	}
	var got []string
	for _, p := range k.predicates.List() {
		line := p.Source
		if p.Field != "" {
			line += " | " + p.Field + " " + strings.Join(p.Literals, " ")
			if p.Differs {
				line += " differs"
			}
		}
		if p.ReadsCustomer() {
			line += " (record)"
		}
		got = append(got, line)
	}
	want := []string{
		`call.ani == "+447700900100" | call.ani +447700900100`,
		`customer.id in ["k7", "k8"] | customer.id k7 k8 (record)`,
		`call.ani startsWith "+44"`,
		`customer.contact == "Ann Berger" (record)`,
		`any(customer.tags, # == call.ani) (record)`,
		`let n = call.ani; n == "+447700900100" or n endsWith "00"`,
		`"+447700900101" != call.ani | call.ani +447700900101 differs`,
		`call.ani in ["+447700900102"] | call.ani +447700900102`,
		`len(customer.contact) > 3 (record)`,
	}
	for i := range want {
		if i < len(got) {
			got[i] = strings.ReplaceAll(got[i], "own_list.", "customer.")
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// The engine is asked by number and sees no name; the rim answers from what it
// knows; both come to the same.
func TestRimAnswers(t *testing.T) {
	k := NewCompiler(rimOptions)
	src := `(call.ani startsWith "+4477" or customer.id == "k7") and customer.contact != "Ann Berger" and customer.tariff == "XL" and "a" in customer.tags and has("customer.seats")`
	c, err := k.Compile(src)
	if err != nil {
		t.Fatal(err)
	}
	if !c.ReadsCustomer() {
		t.Error("a person's name is of the record")
	}
	for _, w := range []struct {
		ani, id, contact string
		want             bool
	}{{"+447700900100", "", "Bob Huber", true}, {"+15550100100", "k7", "", true}, {"+15550100100", "k8", "", false}, {"+447700900100", "k7", "Ann Berger", false}} {
		at := &Env{ANI: w.ani, CustomerID: w.id, Persons: map[string]string{"contact": w.contact}}
		o := ReadOwn(rimOptions.Fields, map[string]any{"tariff": "XL", "seats": "12", "tags": "a;b", "other": "x"})
		at.Customer.Known = true
		o.Customer(&at.Customer)
		if got := c.Eval(at); got != w.want {
			t.Errorf("at the rim %+v: %v", w, got)
		}
		var answers []bool
		for _, p := range k.predicates.List() {
			answers = append(answers, p.Eval(at))
		}
		behind := &Env{Customer: at.Customer, Rim: func(i int) bool { return answers[i] }}
		if got := c.Eval(behind); got != w.want {
			t.Errorf("behind the rim %+v: %v", w, got)
		}
		if at.Errors+behind.Errors > 0 {
			t.Errorf("%+v: conditions failed", w)
		}
	}
}

// Whether a field that names a person is known is known at the rim alone.
func TestHasPerson(t *testing.T) {
	k := NewCompiler(rimOptions)
	c, err := k.Compile(`has("customer.contact") and customer.seats == 0`)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []bool{true, false} {
		at := &Env{}
		if want {
			at.Persons = map[string]string{"contact": "Ann Berger"}
		}
		behind := &Env{Rim: func(i int) bool { return k.predicates.list[i].Eval(at) }}
		if got := c.Eval(behind); got != want || behind.Errors > 0 {
			t.Errorf("known %v: %v behind the rim, %d errors", want, got, behind.Errors)
		}
	}
}

// X108: a predicate cannot read what the rim does not have.
func TestMixedPredicates(t *testing.T) {
	for src, want := range map[string]string{
		`len(call.ani) > queues.desk.waiting`:                              "call.ani is read where the call comes in, and queues.desk.waiting is not there",
		`(open("office") ? call.ani : customer.id) startsWith "+44"`:       "call.ani is read where the call comes in, and open() is not there",
		`call.ani contains call.language`:                                  "call.ani is read where the call comes in, and call.language is not there",
		`(has("call.topic") ? customer.contact : "") == "Ann Berger"`:      "customer.contact is read where the call comes in, and call.topic is not there",
		`let w = time.hour; let a = call.ani; len(a) > w`:                  "call.ani is read where the call comes in, and time.hour is not there",
		`call.ani startsWith "+44" and (call.waited > 3 or time.hour > 8)`: "",
	} {
		_, err := Compile(src, rimOptions)
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v, want %s", src, err, want)
		case err != nil:
			if e := (*SyntaxError)(nil); !errors.As(err, &e) || e.Code != "X108" {
				t.Errorf("%s: %v", src, err)
			}
		}
	}
}

func TestOwnFields(t *testing.T) {
	for src, want := range map[string]string{
		`customer.tarif == "XL"`:                 "unknown field tarif, did you mean tariff?",
		`customer.seats == "XL"`:                 "mismatched types int and string",
		`customer.outage > 3`:                    "mismatched types bool and int",
		`customer.tags == "a"`:                   "mismatched types []string and string",
		`has("customer.tarif")`:                  "unknown field customer.tarif",
		`call.ani == "07700900100"`:              "is not an E.164 number",
		`own_text.tariff == "XL"`:                "unknown name own_text",
		`rim(0)`:                                 "unknown function rim",
		`customer.Texts == "XL"`:                 "unknown field Texts",
		`any(customer.tags, # startsWith "a")`:   "",
		`customer.outage and customer.seats < 3`: "",
	} {
		_, err := Compile(src, rimOptions)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %s", src, err, want)
		}
	}
	o := ReadOwn(rimOptions.Fields, map[string]any{"tariff": 3.0, "seats": 2.5, "outage": "si", "tags": []any{" a ", 3.0, ""}, "contact": "Ann Berger"})
	if o.Texts["tariff"] != "3" || len(o.Integers)+len(o.Flags) != 0 || !slices.Equal(o.Lists["tags"], []string{"a"}) || o.Persons["contact"] != "Ann Berger" {
		t.Errorf("%+v", o)
	}
	for _, missing := range []string{`customer.seats == 0`, `customer.tariff == ""`, `not customer.outage`, `len(customer.tags) == 0`, `customer.contact == ""`, `not has("customer.seats")`} {
		if c, err := Compile(missing, rimOptions); err != nil || !c.Eval(&Env{}) {
			t.Errorf("%s of nobody: %v", missing, err)
		}
	}
}
