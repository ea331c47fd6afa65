package rule

import "testing"

// What is looked at before the machine gives the machine's own answer.
func TestEqualities(t *testing.T) {
	for _, k := range []struct {
		src    string
		equal  int
		simple bool
	}{
		{`call.dnis == "150"`, 1, true},
		{`"150" == call.dnis and call.trunk == "main" && call.kind == "inbound"`, 3, true},
		{`call.country == "GB" and call.language == "ru" and call.topic == "roaming"`, 3, true},
		{`call.trunk == "main" and customer.known`, 1, false},
		{`call.trunk == "main" and not (call.dnis == "150")`, 1, false},
		{`call.trunk == "main" or call.dnis == "150"`, 0, false},
		{`call.transfers == 1`, 0, false},
		{`call.trunk == call.country`, 0, false},
		{`customer.segment == "gold"`, 0, false},
	} {
		c, err := Compile(k.src, testOptions)
		if err != nil {
			t.Fatalf("%s: %v", k.src, err)
		}
		if len(c.equal) != k.equal || c.simple != k.simple {
			t.Errorf("%s: %d equalities, simple %v", k.src, len(c.equal), c.simple)
		}
		plain := *c
		plain.equal, plain.simple = nil, false
		for name, change := range map[string]func(*Env){
			"full":          func(*Env) {},
			"empty":         func(e *Env) { *e = Env{} },
			"short code":    func(e *Env) { e.Call.DNIS = "150" },
			"other trunk":   func(e *Env) { e.Call.Trunk = "x" },
			"nobody":        func(e *Env) { e.Customer = Customer{} },
			"other country": func(e *Env) { e.Call.Country, e.Call.Topic = "BG", "" },
		} {
			a, b := fullEnv(), fullEnv()
			change(a)
			change(b)
			if got, want := c.Eval(a), plain.Eval(b); got != want || a.Errors+b.Errors > 0 {
				t.Errorf("%s, %s: %v, the machine says %v", k.src, name, got, want)
			}
		}
	}
}
