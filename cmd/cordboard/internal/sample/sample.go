// Package sample invents the customers and the standard answers of the demo:
// an operator's subscribers in four languages, each with a history that hangs
// together. Nobody in it lives, and every number is one kept for fiction or of
// a code that does not exist. The same seed, instant and count give the same
// people. The demo and the load test are its callers.
package sample

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Customers invents n customers as of now, the crafted ones (Crafted) first.
func Customers(seed uint64, now time.Time, n int) []customer.Record {
	return slices.AppendSeq(make([]customer.Record, 0, max(n, 0)), Stream(seed, now, n))
}

// Stream is Customers one after the other, for more than fit in memory. Up to
// 1,500,000 of them have ids and numbers of their own.
func Stream(seed uint64, now time.Time, n int) iter.Seq[customer.Record] {
	now = now.UTC().Truncate(time.Minute)
	return func(yield func(customer.Record) bool) {
		crafted := Crafted(now)
		for i := range min(n, len(crafted)) {
			if !yield(crafted[i]) {
				return
			}
		}
		g := &generator{r: rand.New(rand.NewPCG(seed, 0x636f7264)), now: now, used: map[string]int{}}
		for i := range n - len(crafted) {
			if !yield(g.person(i)) {
				return
			}
		}
	}
}

type generator struct {
	r    *rand.Rand
	now  time.Time
	used map[string]int // numbers given out, by language
}

// share of 100 customers by language.
var tongues = []struct {
	share int
	t     *tongue
}{{45, &english}, {27, &russian}, {15, &bulgarian}, {13, &chinese}}

func (g *generator) person(i int) customer.Record {
	t := g.tongue()
	r := customer.Record{
		ID: customerID(i), Version: 1 + int64(g.r.IntN(40)), Language: t.lang, Country: t.country, Zone: t.zone,
		Products: []customer.Product{}, Tickets: []customer.Ticket{}, Interactions: []customer.Interaction{},
	}
	business := g.chance(7)
	r.Name = t.person(g.r)
	if business {
		r.Name = pick(g.r, t.companies) + fmt.Sprintf(" %d", 2+i%97)
	}
	since := g.now.AddDate(0, 0, -30-g.r.IntN(12*365))
	r.CustomerSince = since.Format(time.DateOnly)
	r.Numbers = g.numbers(t, business)
	g.products(&r, t, business)
	g.history(&r, t, business, int(g.now.Sub(since)/(24*time.Hour)))
	g.standing(&r, t, business)
	g.billing(&r, t)
	g.consent(&r)
	if g.chance(6) {
		r.Heed = []string{pick(g.r, t.heed)}
	}
	if !business && g.chance(12) {
		r.Others = []customer.Other{{Name: t.person(g.r), Detail: pick(g.r, t.others)}}
	}
	r.Contacts = len(r.Interactions)
	if len(r.Interactions) > 0 {
		r.Contacts += g.r.IntN(25)
	}
	return r
}

// customerID is like the crafted ones': eight digits in groups.
func customerID(i int) string {
	v := 31_000_000 + i*37
	return fmt.Sprintf("LW-%03d %03d %02d", v/100_000%1000, v/100%1000, v%100)
}

func (g *generator) tongue() *tongue {
	at := g.r.IntN(100)
	for _, t := range tongues {
		if at -= t.share; at < 0 {
			return t.t
		}
	}
	return &english
}

func (g *generator) chance(percent int) bool { return g.r.IntN(100) < percent }

func pick[V any](r *rand.Rand, from []V) V { return from[r.IntN(len(from))] }

// numbers gives one to three numbers nobody else has.
func (g *generator) numbers(t *tongue, business bool) []customer.Number {
	labels := []string{"mobile"}
	if business {
		labels = []string{"work"}
	}
	if g.chance(35) {
		labels = append(labels, "home")
	}
	var out []customer.Number
	for _, label := range labels {
		out = append(out, customer.Number{E164: number(t.lang, label, g.used[t.lang+label]), Label: label})
		g.used[t.lang+label]++
	}
	return out
}

// crafted numbers end here; the generated ones of the same range begin after.
const craftedNumbers = 130

// number is the i-th of a language's range for fiction: Ofcom's for drama, 555
// numbers, and for the other countries area codes that do not exist.
func number(lang, label string, i int) string {
	i += craftedNumbers
	line := 0
	if label != "mobile" {
		line = 1
	}
	if label == "work" {
		line = 2
	}
	switch lang {
	case "ru":
		return fmt.Sprintf("+7000%d%06d", 1+line, i)
	case "bg":
		if i >= 100_000 {
			return fmt.Sprintf("+35910%d%06d", 4+line, i)
		}
		return fmt.Sprintf("+35910%d%05d", 1+line, i)
	case "zh":
		return fmt.Sprintf("+86120%d%07d", 1+line, i)
	}
	ranges := []string{"+447700900", "+441632960", "+442079460"}
	if i < 400 {
		return fmt.Sprintf("%s%03d", ranges[line], i)
	}
	i -= 400 // 789 area codes of a hundred numbers each, 263 of them for each line
	if i >= 26_300 {
		return fmt.Sprintf("+4410%d%07d", 1+line, i)
	}
	return fmt.Sprintf("+1%03d55501%02d", 201+(i/100+line*263)%789, i%100)
}

func (g *generator) products(r *customer.Record, t *tongue, business bool) {
	add := func(kind string) {
		p := pick(g.r, t.products[kind])
		r.Products = append(r.Products, customer.Product{
			ID: fmt.Sprintf("P%d", len(r.Products)+1), Kind: kind, Name: p.name, Status: "active",
			Price: &customer.Money{Minor: p.price, Currency: t.currency},
		})
	}
	if g.chance(75) || business {
		add("fibre")
		if len(r.Numbers) > 1 {
			r.Products[0].Detail = r.Numbers[1].E164
		}
	}
	lines := 1 + g.r.IntN(2)
	if business {
		lines = 2 + g.r.IntN(4)
	}
	for i := range lines {
		add("mobile")
		if i == 0 {
			r.Products[len(r.Products)-1].Detail = r.Numbers[0].E164
		}
	}
	if g.chance(30) {
		add("tv")
		if g.chance(15) {
			last := &r.Products[len(r.Products)-1]
			last.Status, last.Note = "paused", t.paused
		}
	}
}

// standing is what the customer is worth, and whether we may lose it.
func (g *generator) standing(r *customer.Record, t *tongue, business bool) {
	var month int64
	for _, p := range r.Products {
		if p.Status == "active" || p.Status == "fault" {
			month += p.Price.Minor
		}
	}
	r.YearlyValue = &customer.Money{Minor: 12 * month, Currency: t.currency}
	switch at := g.r.IntN(100); {
	case business && at < 50:
		r.Segment, r.KeyAccount = "key", true
	case business || at < 12:
		r.Segment = "gold"
	case at < 36:
		r.Segment = "silver"
	default:
		r.Segment = "mass"
	}
	if r.KeyAccount || r.Segment == "gold" && g.chance(30) {
		r.AccountManager = colleague(pick(g.r, []string{"owen", "maria"}))
	}
	risk := 5 + g.r.IntN(30)
	for _, i := range r.Interactions {
		if i.Kept != nil && !*i.Kept && g.now.Sub(i.At) < 60*24*time.Hour {
			risk += 20
		}
		if i.Topic == "contract_end" && g.now.Sub(i.At) < 60*24*time.Hour {
			risk += 18
		}
	}
	for _, k := range r.Tickets {
		if k.Status == "open" {
			risk += 8
		}
		if k.Status == "open" && k.Kind == "complaint" {
			risk += 15
		}
	}
	risk = min(risk, 96)
	r.ChurnRisk = &risk
	if risk >= 55 {
		first := g.r.IntN(len(t.churn))
		r.ChurnReasons = []string{t.churn[first], t.churn[(first+1)%len(t.churn)]}
	}
}

func (g *generator) billing(r *customer.Record, t *tongue) {
	month := r.YearlyValue.Minor / 12
	day := func(d int) string { return g.now.AddDate(0, 0, d).Format(time.DateOnly) }
	bill := 1 + g.r.IntN(28) // days since the last bill
	b := &customer.Billing{
		Balance: customer.Money{Currency: t.currency}, LastBill: &customer.Money{Minor: month + int64(g.r.IntN(900)), Currency: t.currency},
		LastBillOn: day(-bill), NextBillOn: day(30 - bill), Source: "billing", At: g.now.Add(-time.Duration(g.r.IntN(55)) * time.Minute),
	}
	switch at := g.r.IntN(100); {
	case at < 9: // overdue
		days := 3 + g.r.IntN(60)
		b.LastBillOn, b.OverdueAge = day(-days-14), days
		b.NextBillOn = day(30 - (days+14)%30)
		b.Balance.Minor, b.Overdue = -b.LastBill.Minor, b.LastBill
	case at < 40: // billed, not yet paid
		b.Balance.Minor = -b.LastBill.Minor
	case at < 52: // ahead
		b.Balance.Minor = int64(1 + g.r.IntN(int(max(month/4, 2))))
		b.PaidOn = day(-max(bill-2, 0))
	default:
		b.PaidOn = day(-max(bill-2, 0))
	}
	for _, k := range r.Tickets {
		if k.Kind == "refund" && k.Status == "open" {
			b.WeOwe = &customer.Money{Minor: max(month/5, 100), Currency: t.currency}
			b.WeOweSince = k.OpenedAt.Format(time.DateOnly)
		}
	}
	r.Billing = b
}

func (g *generator) consent(r *customer.Record) {
	answer := func(yes int) *bool {
		if g.chance(15) {
			return nil
		}
		ok := g.chance(yes)
		return &ok
	}
	r.Consent = customer.Consent{Phone: answer(45), Mail: answer(60), SMS: answer(40), Recording: answer(85)}
}

// names of the demo's agents, and who of them speaks what.
var (
	names = map[string]string{
		"priya": "Priya Nair", "petar": "Petar Georgiev", "sofia": "Sofia Adler", "owen": "Owen Tarrant",
		"elena": "Elena Orlova", "wu": "Wu Lan", "ivan": "Ivan Stoyanov", "maria": "Maria Costa",
		"james": "James Okafor", "anna": "Anna Berg", "li": "Li Na", "dmitri": "Dmitri Volkov",
	}
	speakers = map[string][]string{
		"en": {"priya", "petar", "sofia", "james", "maria", "anna", "owen"},
		"ru": {"elena", "dmitri", "ivan", "anna"},
		"bg": {"petar", "ivan"},
		"zh": {"wu", "li"},
	}
)

// Agents lists the ids of the demo's agents that the history names.
func Agents() []string {
	ids := make([]string, 0, len(names))
	for id := range names {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func colleague(id string) *customer.Colleague {
	return &customer.Colleague{Agent: id, Name: names[id]}
}
