package rule

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

var testOptions = CompileOptions{
	Segments: []string{"mass", "gold"}, Queues: []string{"billing", "sales"}, Calendars: []string{"office"},
	Agents: []string{"ann", "bob"}, Topics: []string{"roaming"}, Languages: []string{"en", "ru"}, ShortCodes: []string{"150"},
}

func fullEnv() *Env {
	return &Env{
		Call: Call{Kind: "inbound", ANIKnown: true, DNIS: "+448081570142", Trunk: "main", Country: "GB", Language: "ru", Topic: "roaming", WaitedS: 12, Transfers: 1},
		Customer: Customer{
			Known: true, Segment: "gold", KeyAccount: true, Language: "ru", Country: "GB", ChurnRisk: 80, Value: 90, Balance: -1250,
			BalanceCurrency: "EUR", OverdueDays: 3, OpenTickets: 2, OpenComplaints: 1, Products: []string{"fibre", "mobile"},
			AccountManager: "ann", LastAgent: "bob", LastTopic: "roaming", LastContactDays: 4,
		},
		Queues: map[string]QueueFigures{"billing": {Waiting: 7, Oldest: 30, Available: 1, Staffed: 4, Talking: 3, Open: true}},
		Clock:  Clock{Hour: 23, Minute: 30, Weekday: "fri", Day: 24, Month: 12, Date: "2026-12-24", Holiday: "eve"},
		IsOpen: func(c string) bool { return c == "office" },
	}
}

// Every accepted form, with its answer in the full and in the empty environment.
var accepted = []struct {
	src         string
	full, empty bool
}{
	{`customer.segment == "gold"`, true, false},
	{`'gold' != customer.segment`, false, true},
	{`customer.segment in ["gold", "mass"]`, true, false},
	{`customer.segment not in ["mass"]`, true, true},
	{`not customer.known`, false, true},
	{`call.dnis == "+448081570142" and call.transfers == 1`, true, false},
	{`call.dnis in ["150", "+448081570142"]`, true, false},
	{`call.ani_known || customer.balance < 0`, true, false},
	{`customer.balance < -1000 && customer.balance_currency == "EUR"`, true, false},
	{`customer.churn_risk + customer.value > 150`, true, false},
	{`abs(customer.balance) >= 1250`, true, false},
	{`max(customer.churn_risk, 10, customer.value) == 90`, true, false},
	{`min(customer.churn_risk, customer.open_tickets) == 2`, true, false},
	{`any(customer.products, # startsWith "fib")`, true, false},
	{`all(customer.products, len(#) > 2)`, true, true},
	{`none(customer.products, # == "tv")`, true, true},
	{`one(customer.products, # == "fibre")`, true, false},
	{`count(customer.products, # contains "b") == 2`, true, false},
	{`"fibre" in customer.products`, true, false},
	{`len(customer.products) == 0`, false, true},
	{`lower(customer.segment) == "gold" or upper(trim(call.trunk)) == "MAIN"`, true, false},
	{`hasPrefix(call.dnis, "+44") and hasSuffix(call.dnis, "42")`, true, false},
	{`call.dnis matches "^\\+44[0-9]+$"`, true, false},
	{`call.dnis endsWith "142"`, true, false},
	{`customer.segment == "gold" ? queues.billing.waiting > 5 : false`, true, false},
	{`let n = queues.billing.waiting; n > 5 and n < 10`, true, false},
	{`queues.billing.open and queues.billing.available == 1`, true, false},
	{`queues.sales.staffed == 0`, true, true},
	{`open("office")`, true, false},
	{`between("22:00", "06:00")`, true, true},
	{`between("08:00", "24:00")`, true, false},
	{`time.weekday in ["fri", "sat"] and time.hour * 60 + time.minute - 30 == 23 * 60`, true, false},
	{`time.holiday != ""`, true, false},
	{`has("customer.balance")`, true, false},
	{`customer.last_contact_days < 7`, true, false},
	{`customer.last_contact_days == 999999`, false, true},
	{`customer.account_manager == "ann" and customer.last_agent != "ann"`, true, false},
	{`call.language == "ru" and call.topic == "roaming" and call.kind == "inbound"`, true, false},
}

func TestConditionAnswers(t *testing.T) {
	full, empty := fullEnv(), &Env{}
	for _, c := range accepted {
		cond, err := Compile(c.src, testOptions)
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		if got := cond.Eval(full); got != c.full {
			t.Errorf("%s: full environment: got %v", c.src, got)
		}
		if got := cond.Eval(empty); got != c.empty {
			t.Errorf("%s: empty environment: got %v", c.src, got)
		}
	}
	if full.Errors+empty.Errors != 0 {
		t.Errorf("%d conditions failed while running", full.Errors+empty.Errors)
	}
}

func TestConditionRefused(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{`customer.segmnt == "gold"`, `1:10: unknown field segmnt, did you mean segment?`},
		{`customer.segment == "gld"`, `1:21: segment gld is not declared, did you mean gold?`},
		{"call.ani_known and\n  customer.segment in [\"mass\", \"gld\"]", `2:32: segment gld is not declared, did you mean gold?`},
		{`queue.waiting > 60`, `1:1: queue. is of a call that waits, and not known in routes`},
		{`queue > 6`, `1:1: queue. is of a call that waits, and not known in routes`},
		{`queues.biling.waiting > 6`, `queue biling is not declared, did you mean billing?`},
		{`queues.billing > 6`, `queues.billing needs a field`},
		{`open("ofice")`, `1:6: calendar ofice is not declared, did you mean office?`},
		{`open(call.trunk)`, `open takes a literal text`},
		{`between("8", "9")`, `between takes times of day`},
		{`has("customer.nme")`, `unknown field customer.nme`},
		{`now() > 1`, `now`},
		{`call.transfers / 2 == 1`, `operator / is not allowed`},
		{`call.transfers % 2 == 1`, `operator % is not allowed`},
		{`call.transfers ** 2 == 1`, `operator ** is not allowed`},
		{`call.transfers in 1..3`, `operator .. is not allowed`},
		{`(call.trunk ?? "x") == "x"`, `operator ?? is not allowed`},
		{`call?.trunk == "x"`, `?. is not allowed`},
		{`$env.call.trunk == "x"`, `$env is not allowed`},
		{`customer.products[0] == "x"`, `indexing is not allowed`},
		{`customer.products[0:1] == ["x"]`, `slices are not allowed`},
		{`call.dnis matches call.trunk`, `matches needs a literal pattern`},
		{`call.dnis matches "("`, `error parsing regexp`},
		{`any(customer.products, any(customer.products, # == "x"))`, `a predicate inside a predicate`},
		{`customer.value > 1.5`, `a number with a fraction`},
		{`min(customer.products) == 1`, `min needs two or more numbers`},
		{`max(customer.products, 1) == 1`, `max takes numbers only`},
		{`let p = customer.products; max(p, 1) == 1`, `max takes numbers only`},
		{`call.dnis == "08081570142"`, `neither an E.164 number`},
		{`call.dnis == nil`, `nil is not allowed`},
		{`call.trunk`, `expected bool, but got string`},
		{`customer.churn_risk > "a"`, `invalid operation`},
		{`(call.ani_known ? 1 : "a") == 1`, `both sides of ?: must be of one type`},
		{`any([1, "a"], # == 1)`, `a list must hold values of one type`},
		{`"x" in customer`, `customer needs a field`},
		{`"x" in call.trunk`, ``},
		{`customer.account_manager == "anna"`, `agent anna is not declared, did you mean ann?`},
		{`time.weekday == "Mon"`, `weekday Mon is not declared, did you mean mon?`},
		{`foo`, `unknown name foo`},
		{`filter(customer.products, # == "x") == []`, `filter`},
		{``, ``}, {`(`, ``}, {`call.trunk == "x" }`, ``},
		{strings.Repeat(" ", 1001), `at most 1000`},
		{strings.Repeat("not ", 220) + "call.ani_known", `maximum allowed nodes`},
	} {
		_, err := Compile(c.src, testOptions)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%s: accepted, or not a *SyntaxError: %v", c.src, err)
			continue
		}
		if !strings.Contains(se.Error(), c.want) {
			t.Errorf("%s: got %q, want %q in it", c.src, se, c.want)
		}
		if se.Line < 1 || se.Col < 1 {
			t.Errorf("%s: no position: %+v", c.src, se)
		}
	}
}

func TestConditionReads(t *testing.T) {
	for _, c := range []struct {
		src      string
		customer bool
		queues   string
		terms    string
	}{
		{`call.dnis == "150"`, false, "[]", "[]"},
		{`call.dnis == "150" and customer.known and (call.ani_known or call.transfers > 1)`, true, "[]",
			`[call.dnis == "150" call.ani_known or call.transfers > 1]`},
		{`has("customer.balance")`, true, "[]", "[]"},
		{`queues.sales.waiting > queues.billing.waiting or queues.sales.open`, false, "[billing sales]", "[]"},
	} {
		cond, err := Compile(c.src, testOptions)
		if err != nil {
			t.Fatal(err)
		}
		if cond.ReadsCustomer() != c.customer || fmt.Sprint(cond.Queues()) != c.queues || fmt.Sprint(cond.Terms()) != c.terms {
			t.Errorf("%s: reads customer %v, queues %v, terms %v", c.src, cond.ReadsCustomer(), cond.Queues(), cond.Terms())
		}
	}
}

// FuzzCompile looks for a condition that compiles and then fails, in the full
// or the empty environment.
func FuzzCompile(f *testing.F) {
	for _, c := range accepted {
		f.Add(c.src)
	}
	f.Fuzz(func(t *testing.T, src string) {
		cond, err := Compile(src, testOptions)
		if err != nil {
			var se *SyntaxError
			if !errors.As(err, &se) {
				t.Fatalf("not a *SyntaxError: %v", err)
			}
			return
		}
		for _, env := range []*Env{fullEnv(), {}} {
			whole := cond.Eval(env)
			for _, term := range cond.Terms() {
				if whole && !term.Eval(env) {
					t.Fatalf("%q holds, its term %q does not", src, term)
				}
			}
			if env.Errors > 0 {
				t.Fatalf("%q failed while running", src)
			}
		}
	})
}

func BenchmarkEval(b *testing.B) {
	cond, err := Compile(`call.dnis == "150" or customer.segment in ["gold", "mass"] and customer.churn_risk > 60`, testOptions)
	if err != nil {
		b.Fatal(err)
	}
	env := fullEnv()
	b.ReportAllocs()
	for b.Loop() {
		cond.Eval(env)
	}
}
