package rule

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// studies compiles and studies the conditions that are accepted.
func studiesOf(t *testing.T, sources ...string) []*Study {
	t.Helper()
	k := NewCompiler(testOptions)
	var out []*Study
	for _, src := range sources {
		c, err := k.Compile(src)
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		out = append(out, c.Study())
	}
	return out
}

// randomEnv is a call as it may come, with the words of the tests in it.
func randomEnv(r *rand.Rand) *Env {
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	e := &Env{IsOpen: func(string) bool { return false }}
	e.Call = Call{
		Kind: pick("inbound", "transfer"), ANIKnown: r.IntN(2) == 0, DNIS: pick("+448081570142", "150", "+448081570199"),
		Trunk: pick("", "MAIN", "main", "x"), Country: pick("", "GB", "FR"), Language: pick("", "ru", "en"), Topic: pick("", "roaming"), Transfers: r.IntN(6),
	}
	if open := r.IntN(2) == 0; open {
		e.IsOpen = func(string) bool { return true }
	}
	if r.IntN(3) > 0 {
		e.Customer = Customer{
			Known: true, Segment: pick("", "gold", "mass", "new"), KeyAccount: r.IntN(2) == 0, ChurnRisk: r.IntN(101), Value: r.IntN(101),
			Balance: int64(r.IntN(4000) - 2000), BalanceCurrency: pick("", "EUR", "GBP"), LastContactDays: []int{r.IntN(20), Missing}[r.IntN(2)],
			AccountManager: pick("", "ann", "bob"), LastAgent: pick("", "ann", "bob"), OpenTickets: r.IntN(4),
		}
		for _, p := range []string{"fibre", "mobile", "tv"} {
			if r.IntN(2) == 0 {
				e.Customer.Products = append(e.Customer.Products, p)
			}
		}
	}
	e.Queues = map[string]QueueFigures{"billing": {Waiting: r.IntN(12), Open: r.IntN(2) == 0, Available: r.IntN(3)}, "sales": {Staffed: r.IntN(2)}}
	e.Clock = Clock{Hour: r.IntN(24), Minute: r.IntN(60), Weekday: pick(weekdays...), Date: "2026-04-15", Holiday: pick("", "eve")}
	return e
}

// Whatever a call is like, some case answers any two exact conditions as it
// does: what no case shows cannot happen.
func TestCasesShowEveryAnswer(t *testing.T) {
	var sources []string
	for _, a := range accepted {
		sources = append(sources, a.src)
	}
	sources = append(sources, `customer.churn_risk >= 70 or customer.open_tickets >= 2`, `customer.last_contact_days <= 7 and customer.known`,
		`customer.balance < -1000 and customer.balance_currency == "EUR"`, `call.country not in ["", "GB"] and customer.known`)
	exact := 0
	r := rand.New(rand.NewPCG(1, 2))
	envs := make([]*Env, 400)
	for i := range envs {
		envs[i] = randomEnv(r)
	}
	all := studiesOf(t, sources...)
	for i, a := range all {
		if !a.Exact {
			continue
		}
		exact++
		for _, b := range all[i:] {
			shown := map[[2]bool]bool{}
			if complete := Cases([]*Study{a, b}, 20_000, func(c *Case) bool {
				shown[[2]bool{c.Holds(a.Condition), c.Holds(b.Condition)}] = true
				return len(shown) < 4
			}); !complete {
				continue
			}
			for _, e := range envs {
				if got := [2]bool{a.Condition.Eval(e), b.Condition.Eval(e)}; !shown[got] {
					t.Fatalf("no case answers %v: %s | %s | %+v %+v %+v", got, a.Text, b.Text, e.Call, e.Customer, e.Clock)
				}
			}
		}
	}
	if exact < 20 {
		t.Errorf("%d conditions of %d can be told exactly", exact, len(all))
	}
}

func TestStudy(t *testing.T) {
	for src, want := range map[string]string{
		`call.dnis == "150" and customer.churn_risk < 30`:                    `[call.dnis customer.churn_risk] exact=true call.dnis=150 money=false false`,
		`customer.balance < -5000`:                                           `[customer.balance] exact=true = money=true false`,
		`has("customer.balance") and customer.balance < 0`:                   `[customer.balance_currency customer.balance] exact=true = money=true false`,
		`customer.balance < 0 and customer.balance_currency == "EUR"`:        `[customer.balance customer.balance_currency] exact=true = money=true true`,
		`abs(customer.balance) > 100`:                                        `[customer.balance] exact=false = money=true false`,
		`customer.segment == "gold" or call.dnis == "150"`:                   `[customer.segment call.dnis] exact=true = money=false false`,
		`open("office") and between("08:00", "09:00")`:                       `[open:office clock] exact=true = money=false false`,
		`let n = queues.billing.waiting; n > 5`:                              `[queues.billing.waiting] exact=false = money=false false`,
		`customer.segment in ["gold"] and "fibre" not in customer.products`:  `[customer.segment customer.products] exact=true = money=false false`,
		`customer.churn_risk + customer.value > 150 and call.trunk == "one"`: `[customer.churn_risk customer.value call.trunk] exact=false call.trunk=one money=false false`,
	} {
		s := studiesOf(t, src)[0]
		if got := fmt.Sprintf("%v exact=%v %s=%s money=%v %v", s.Reads, s.Exact, s.Field, s.Value, s.Money, s.Currency); got != want {
			t.Errorf("%s: got %s, want %s", src, got, want)
		}
	}
}

// X102: what makes the answer is that the record is missing.
func TestHoldsByMissing(t *testing.T) {
	for src, want := range map[string]bool{
		`customer.churn_risk < 30`: true, `customer.segment != "gold"`: true, `customer.last_contact_days > 30`: true, `not customer.key_account`: true,
		`none(customer.products, # == "tv")`: true, `customer.churn_risk < 30 or customer.segment != "gold"`: true,
		`not customer.known`: false, `not customer.known or customer.churn_risk < 30`: false, `customer.churn_risk > 30`: false,
		`not has("customer.segment")`: false, `customer.known and customer.churn_risk < 30`: false, `call.ani_known`: false,
		`call.ani_known or customer.churn_risk < 30`: true,
	} {
		s := studiesOf(t, src)[0]
		got := false
		Cases([]*Study{s}, 10_000, func(c *Case) bool {
			got = got || c.HoldsByMissing(s)
			return !got
		})
		if got != want {
			t.Errorf("%s: %v", src, got)
		}
	}
}

// A case is written as a test of the document has it.
func TestCaseText(t *testing.T) {
	all := studiesOf(t, `call.dnis == "150" and call.transfers == 1`, `customer.segment == "gold" and "fibre" in customer.products and customer.balance < -5`, `open("office") and time.weekday == "tue"`)
	got := ""
	Cases(all, 100_000, func(c *Case) bool {
		for _, s := range all {
			if !c.Holds(s.Condition) {
				return true
			}
		}
		got = c.String()
		return false
	})
	if want := `call: {dnis: "150", transfers: 1}, customer: {segment: gold, products: [fibre], balance: -6}, office open, time.weekday tue`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
