package rule

import (
	"errors"
	"strings"
	"testing"
)

// Odd conditions that are fine: each with its answer in the full and in the
// empty environment, and none fails.
func TestOddConditions(t *testing.T) {
	full, empty := fullEnv(), &Env{}
	for _, c := range []struct {
		src         string
		full, empty bool
	}{
		{`customer.value * 9223372036854775807 != 0`, true, false}, // runs over, and fails not
		{`customer.balance > -9223372036854775807 - 1`, true, true},
		{`abs(0 - 9223372036854775807 - 1) != 0`, true, true}, // has no positive
		{`call.trunk == "\u0416" or call.trunk == "\x6dain"`, true, false},
		{`let s = customer.segment; s == "gold"`, true, false},
		{`customer.segment in []`, false, false},
		{`customer.open_tickets in [1, 2]`, true, false},
		{`"gold" in [customer.segment]`, true, false},
		{`-call.transfers < 0`, true, false},
		{`0x10 == 16 and 1_000 == 1000 and 0b11 == 3 and 0o17 == 15 and call.ani_known`, true, false},
		{`!(call.ani_known) == false`, true, false},
		{strings.Repeat("(", 200) + "call.ani_known" + strings.Repeat(")", 200), true, false},
		{strings.Repeat("call.ani_known ? false : ", 20) + "true", false, true},
		{`call.dnis matches "^(\\+?[0-9]+)+$"`, true, false},
		{`len("мир") == 3 and len(call.trunk) == 4`, true, false},
		{`lower("МИР") == "мир" and upper("straße") == "STRASSE" or call.ani_known`, true, false},
		{`customer.products == ["fibre", "mobile"]`, true, false},
		{`any(customer.products, {# == "fibre"})`, true, false},
		{"call.ani_known\n// a remark\nand /* and another */ true", true, false},
		{`call.trunk == 'ma' + "in"`, true, false},
		{`call.trunk == "` + strings.Repeat("x", 980) + `"`, false, false},
		{`customer.segment in ["gold"` + strings.Repeat(`, "mass"`, 90) + `]`, true, false},
	} {
		cond, err := Compile(c.src, testOptions)
		if err != nil {
			t.Errorf("%.80s: %v", c.src, err)
			continue
		}
		if got := cond.Eval(full); got != c.full {
			t.Errorf("%.80s: full environment: got %v", c.src, got)
		}
		if got := cond.Eval(empty); got != c.empty {
			t.Errorf("%.80s: empty environment: got %v", c.src, got)
		}
	}
	if full.Errors+empty.Errors != 0 {
		t.Errorf("%d conditions failed while running", full.Errors+empty.Errors)
	}
}

// What the language keeps out, and cannot be let in by another door. Each says
// so at a place.
func TestOddConditionsRefused(t *testing.T) {
	for _, src := range []string{
		`customer.value > 99999999999999999999`, `customer.value > 1e3`, `customer.value > .5`, `call.transfers ^ 2 == 4`,
		`map(customer.products, #) == []`, `first(customer.products) == "x"`, `get(customer, "segment") == "gold"`, `int("5") == 5`,
		`string(5) == "5"`, `split(call.dnis, "4") == []`, `type(call.trunk) == "string"`, `sort(customer.products) == []`,
		`reduce(customer.products, #acc + #, "") == "x"`, `duration("1h") == duration("2h")`, `date("2026-01-01") == date("2026-01-02")`,
		`sum([1, 2]) == 3`, `find(customer.products, true) == "x"`, `repeat("x", 1000000) == call.trunk`, `toJSON(customer) == ""`,
		`fromJSON("{}") == call.trunk`, `len(customer) == 1`, `keys(customer) == []`, `flatten([[1]]) == [1]`, `now().Unix() > 1`,
		`call.dnis matches "["`, `call.dnis matches "a{1001}"`, `call.dnis matches lower("A")`, `call.dnis matches "a" + call.trunk`,
		`if call.ani_known {true} else {false}`, `# == 1`, `.segment == "gold"`, `call == customer`, `customer`, `queues`, `call.ani_known == 1`,
		`customer.do_not_call == "yes"`, `between("08:00", "25:00")`, `between("8:00", "09:00")`, `between(call.trunk, "09:00")`, `between("08:00")`,
		`open()`, `open("office", "sales")`, `open("")`, `has(customer.balance)`, `has("customer")`, `has("")`, `has()`,
		`customer.segment == "Gold"`, `"gold " == customer.segment`, `customer.segment != "gld"`, `customer.segment in ["gold", ""] and customer.segment == "x"`,
		`any(customer.products, one(customer.products, true))`, `all(customer.products, let x = #; any(customer.products, # == x))`,
		`call.topic == "roam"`, `customer.last_agent in ["ann", "bab"]`, `queues.nowhere.open`, `queues.billing.colour == 1`,
		`let call = 1; call > 0 and call.ani_known`, `let x = call; x.ani_known`, `call.ani_known and`, `and call.ani_known`, `call.ani_known call.ani_known`,
		`call.trunk == "open`, `call.trunk == 'it's'`, "\x00", `call.dnis == " +448081570142"`, `call.dnis == "+44 8081"`, `call.dnis == "+0448081570142"`,
	} {
		_, err := Compile(src, testOptions)
		var se *SyntaxError
		if !errors.As(err, &se) {
			t.Errorf("%s: accepted, or not a *SyntaxError: %v", src, err)
			continue
		}
		lines := strings.Split(src, "\n")
		if se.Line < 1 || se.Line > len(lines) || se.Col < 1 || se.Col > len([]rune(lines[se.Line-1]))+1 || se.Msg == "" {
			t.Errorf("%s: %+v is no place of it", src, se)
		}
	}
}

// TestHas: has() is there for every name, and tells a record that says nothing
// from one that says 0.
func TestHas(t *testing.T) {
	for _, root := range []string{"call", "customer"} {
		for _, name := range fields[root].now {
			cond, err := Compile(`has("`+root+"."+name+`")`, testOptions)
			if err != nil {
				t.Error(err)
				continue
			}
			everywhere := cond.Eval(&Env{})
			if there := root == "call" && (name == "kind" || name == "ani_known" || name == "waited" || name == "transfers" || name == "offers") || name == "known"; everywhere != there {
				t.Errorf("%s: of an unknown caller: %v", cond, everywhere)
			}
		}
	}
	for _, c := range []struct {
		field    string
		customer Customer
		want     bool
	}{
		{"churn_risk", Customer{Known: true}, false},
		{"churn_risk", Customer{Known: true, Zeros: []string{"churn_risk"}}, true},
		{"churn_risk", Customer{Known: true, ChurnRisk: 3}, true},
		{"usage_trend", Customer{Known: true, Zeros: []string{"churn_risk"}}, false},
		{"usage_trend", Customer{Known: true, UsageTrend: -3}, true},
		{"value", Customer{Known: true, Zeros: []string{"value"}}, true},
		{"open_tickets", Customer{Known: true}, true},
		{"overdue_days", Customer{Known: true}, false},
		{"overdue_days", Customer{Known: true, BalanceCurrency: "EUR"}, true},
		{"fraud_flag", Customer{Known: true}, true},
	} {
		cond, err := Compile(`has("customer.`+c.field+`")`, testOptions)
		if err != nil {
			t.Fatal(err)
		}
		if got := cond.Eval(&Env{Customer: c.customer}); got != c.want {
			t.Errorf("%s of %+v: %v", cond, c.customer, got)
		}
	}
}
