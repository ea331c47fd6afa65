package sample

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// The rim converts between these; each package keeps its own.
var (
	_ = store.Contact(screenpop.Contact{})
	_ = store.Answer(screenpop.Answer{})
	_ = rule.Customer(customer.Attributes{})
)

var now = time.Date(2026, 11, 19, 14, 32, 0, 0, time.UTC)

func TestSameSeedSamePeople(t *testing.T) {
	a, b := Customers(7, now, 200), Customers(7, now, 200)
	if !reflect.DeepEqual(a, b) {
		t.Fatal("the same seed gave other people")
	}
	if reflect.DeepEqual(a, Customers(8, now, 200)) {
		t.Fatal("another seed gave the same people")
	}
	for _, n := range []int{0, 3, len(Crafted(now)), 50} {
		if got := len(Customers(7, now, n)); got != n {
			t.Errorf("asked for %d, got %d", n, got)
		}
	}
}

// TestNumbers: each is read as it stands, belongs to fiction, and only the
// crafted ones are shared.
func TestNumbers(t *testing.T) {
	fiction := []string{"+447700900", "+441632960", "+442079460", "+4410", "+7000", "+35910", "+86120"}
	owners := map[string]int{}
	for _, r := range Customers(1, now, 1200) {
		if len(r.Numbers) == 0 {
			t.Errorf("%s has no number", r.ID)
		}
		for _, n := range r.Numbers {
			owners[n.E164]++
			if got := customer.ReadNumbers(n.E164, "", ""); len(got) != 1 || got[0] != n.E164 {
				t.Fatalf("%s is read as %q", n.E164, got)
			}
			us := strings.HasPrefix(n.E164, "+1") && strings.HasPrefix(n.E164[5:], "55501")
			if !us && !slices.ContainsFunc(fiction, func(p string) bool { return strings.HasPrefix(n.E164, p) }) {
				t.Fatalf("%s may be somebody's", n.E164)
			}
		}
	}
	shared := map[string]int{}
	for e164, n := range owners {
		if n > 1 {
			shared[e164] = n
		}
	}
	if want := map[string]int{"+441632960007": 2, "+441632960118": 2, "+442079460004": 3}; !reflect.DeepEqual(shared, want) {
		t.Fatalf("shared numbers %v, want %v", shared, want)
	}
}

// TestNumbersOfAMillion: no range of numbers runs into another when a million
// customers are drawn from them.
func TestNumbersOfAMillion(t *testing.T) {
	seen := make(map[string]bool, 350_000)
	for _, lang := range []string{"en", "ru", "bg", "zh"} {
		for _, label := range []string{"mobile", "home", "work"} {
			most := map[string]int{"en": 675_000, "ru": 405_000, "bg": 225_000, "zh": 195_000}[lang]
			for i := 0; i < most; i++ {
				switch i { // the ranges change before 27,000 and at 100,000
				case 27_000:
					i = 99_500
				case 100_500:
					i = most - 500
				}
				n := number(lang, label, i)
				if seen[n] {
					t.Fatalf("%s %s: number %d was given out before", lang, label, i)
				}
				seen[n] = true
				if i%9973 == 0 || i == most-1 {
					if got := customer.ReadNumbers(n, "", ""); len(got) != 1 || got[0] != n {
						t.Fatalf("%s %s: number %d is read as %q", lang, label, i, got)
					}
				}
			}
		}
	}
	ids := map[string]bool{}
	for _, r := range Crafted(now) {
		ids[r.ID] = true
	}
	for i := range 1_500_000 {
		if id := customerID(i); ids[id] {
			t.Fatalf("customer %d has a crafted one's id", i)
		}
	}
	if customerID(0) == customerID(1_500_000) || len(customerID(1_500_000)) != len(customerID(0)) {
		t.Fatal("ids come round")
	}
}

func TestRecordsHangTogether(t *testing.T) {
	people := Customers(1, now, 1000)
	seen := map[string]bool{}
	var have struct{ open, closed, late, kept, broken, due, churning, key, heed, overdue, owed int }
	langs, currencies, channels := map[string]int{}, map[string]bool{}, map[string]bool{}
	for i := range people {
		r := &people[i]
		if seen[r.ID] {
			t.Errorf("id %s twice", r.ID)
		}
		seen[r.ID] = true
		langs[r.Language]++
		checkRecord(t, r)
		for _, k := range r.Tickets {
			if k.Status == "closed" {
				have.closed++
				continue
			}
			have.open++
			if k.DueAt.Before(now) {
				have.late++
			}
		}
		for _, c := range r.Interactions {
			channels[c.Channel] = true
			switch {
			case c.PromisedBy == nil:
			case c.Kept == nil:
				have.due++
			case *c.Kept:
				have.kept++
			default:
				have.broken++
			}
		}
		if b := r.Billing; b != nil {
			currencies[b.Balance.Currency] = true
			if b.Overdue != nil {
				have.overdue++
			}
			if b.WeOwe != nil {
				have.owed++
			}
		}
		if r.ChurnRisk != nil && *r.ChurnRisk >= 70 {
			have.churning++
		}
		if r.KeyAccount {
			have.key++
		}
		have.heed += len(r.Heed)
	}
	for _, lang := range []string{"en", "ru", "bg", "zh"} {
		if langs[lang] < 80 {
			t.Errorf("only %d speak %s", langs[lang], lang)
		}
	}
	v := reflect.ValueOf(have)
	for i := range v.NumField() {
		if n := v.Field(i).Int(); n < 5 {
			t.Errorf("%s: only %d", v.Type().Field(i).Name, n)
		}
	}
	if len(currencies) < 4 || len(channels) < 8 {
		t.Errorf("currencies %v, channels %v", currencies, channels)
	}
}

func checkRecord(t *testing.T, r *customer.Record) {
	t.Helper()
	if r.Name == "" || r.Language == "" || r.Segment == "" || r.Contacts < len(r.Interactions) {
		t.Errorf("%s is not whole: %+v", r.ID, r)
	}
	for i, c := range r.Interactions {
		if c.Title == "" || c.At.After(now) || i > 0 && c.At.After(r.Interactions[i-1].At) {
			t.Errorf("%s: interaction %s is out of order or empty", r.ID, c.ID)
		}
		if c.Agent != nil && (c.Agent.Name == "" || !slices.Contains(Agents(), c.Agent.Agent)) {
			t.Errorf("%s: nobody is called %q", r.ID, c.Agent.Agent)
		}
		if c.PromisedBy != nil && (c.Kept == nil) != c.PromisedBy.After(now) {
			t.Errorf("%s: promise of %s by %v, kept %v", r.ID, c.ID, c.PromisedBy, c.Kept)
		}
	}
	ids := map[string]bool{}
	for _, k := range r.Tickets {
		if ids[k.ID] || k.Title == "" || k.OpenedAt.After(now) || k.DueAt == nil || (k.Status == "closed") != (k.ClosedAt != nil) {
			t.Errorf("%s: ticket %+v", r.ID, k)
		}
		ids[k.ID] = true
	}
	for _, p := range r.Products {
		if p.Name == "" || p.Price == nil || p.Price.Minor < 0 || p.Price.Currency != r.Products[0].Price.Currency {
			t.Errorf("%s: product %+v", r.ID, p)
		}
	}
}

func TestTellsDanasStory(t *testing.T) {
	r := Customers(1, now, 1)[0]
	contacts := 0
	broken := false
	for _, c := range r.Interactions {
		if c.Topic == "fibre_drops" && now.Sub(c.At) < 30*24*time.Hour {
			contacts++
		}
		broken = broken || c.Kept != nil && !*c.Kept
	}
	if r.Name != "Dana Whitcombe" || contacts != 3 || !broken || *r.ChurnRisk != 72 {
		t.Fatalf("not the fourth contact after a broken promise: %d, %v", contacts, broken)
	}
}

func TestAnswers(t *testing.T) {
	byLang := map[string][]string{}
	topic := map[string]string{}
	for _, a := range Answers() {
		if a.Title == "" || len(a.Say) < 60 || len(a.Steps) < 2 {
			t.Errorf("%s.%s is no usable answer", a.ID, a.Lang)
		}
		if before, seen := topic[a.ID]; seen && before != a.Topic {
			t.Errorf("%s has topics %s and %s", a.ID, before, a.Topic)
		}
		topic[a.ID] = a.Topic
		byLang[a.Lang] = append(byLang[a.Lang], a.ID)
	}
	if len(byLang["en"]) != 20 || len(topic) != 20 || len(byLang) != 4 {
		t.Fatalf("answers by language: %v", byLang)
	}
	for lang, ids := range byLang {
		if !reflect.DeepEqual(ids, byLang["en"]) {
			t.Errorf("in %s: %v", lang, ids)
		}
	}
}

// TestStoreKeepsEverything: what is invented is what a look-up finds.
func TestStoreKeepsEverything(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "sample.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	people := Customers(1, now, 120)
	if err := s.SaveCustomers(t.Context(), people); err != nil {
		t.Fatal(err)
	}
	for i := range people {
		want := &people[i]
		m, err := s.Lookup(t.Context(), want.Numbers[0].E164)
		if err != nil {
			t.Fatal(err)
		}
		got := m.Record
		for j := range m.Candidates {
			if m.Candidates[j].ID == want.ID {
				got = &m.Candidates[j]
			}
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("%s\n got %+v\nwant %+v", want.ID, got, want)
		}
	}

	for _, a := range Answers() {
		if err := s.SaveAnswers(t.Context(), store.Answer(a)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ lang, topic, query, first string }{
		{"en", "fibre_drops", "", "drops_evening"}, {"ru", "roaming_refund", "", "roaming_at_sea"},
		{"ru", "", "счет больше", "bill_higher"}, {"ru", "", "украли телефон", "sim_lost"}, {"en", "", "leave early cost", "contract_leave_early"},
		{"bg", "", "разсрочено плащане", "bill_instalments"}, {"zh", "", "分期", "bill_instalments"}, {"zh", "line_fault", "", "fault_no_signal"}, {"es", "", "instalments", "bill_instalments"}, {"en", "", "ferry ship", "roaming_at_sea"},
	} {
		found, err := s.FindAnswers(t.Context(), c.lang, c.topic, c.query, 3)
		if err != nil || len(found) == 0 || found[0].ID != c.first {
			t.Errorf("%s %q in %q: %+v, %v; want %s", c.lang, c.query, c.topic, found, err, c.first)
		}
	}
}

// TestKinds: of each kind of customer that a desk shows in its own way there is one.
func TestKinds(t *testing.T) {
	kinds := map[string]func(r *customer.Record) bool{
		"a key account": func(r *customer.Record) bool { return r.KeyAccount && r.AccountManager != nil },
		"about to leave": func(r *customer.Record) bool {
			return r.ChurnRisk != nil && *r.ChurnRisk >= 60 && len(r.ChurnReasons) > 0
		},
		"a company with contacts": func(r *customer.Record) bool {
			return r.Kind == "company" && len(r.Others) > 1 && len(r.SubAccounts) > 1
		},
		"whose number of a company": func(r *customer.Record) bool {
			return slices.ContainsFunc(r.Numbers, func(n customer.Number) bool { return n.Person != "" && n.ValidTo == "" })
		},
		"a number that is over": func(r *customer.Record) bool {
			return slices.ContainsFunc(r.Numbers, func(n customer.Number) bool { return n.ValidTo != "" })
		},
		"a household": func(r *customer.Record) bool { return r.Kind == "household" && len(r.Others) > 0 },
		"do not call": func(r *customer.Record) bool { return r.DoNotCall && r.Consent.Phone != nil && !*r.Consent.Phone },
		"en":          func(r *customer.Record) bool { return r.Language == "en" }, "ru": func(r *customer.Record) bool { return r.Language == "ru" },
		"bg": func(r *customer.Record) bool { return r.Language == "bg" }, "zh": func(r *customer.Record) bool { return r.Language == "zh" },
	}
	all := Crafted(now)
	for name, is := range kinds {
		if !slices.ContainsFunc(all, func(r customer.Record) bool { return is(&r) && len(r.Interactions) > 0 }) {
			t.Errorf("no crafted customer is %s and has a history", name)
		}
	}
}
