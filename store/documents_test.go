package store_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// tape is a random sequence of all that writes a part of a record.
type tape struct {
	t      *testing.T
	s      *store.Store
	draw   *rand.Rand
	now    time.Time
	people []customer.Record
	talks  []store.Contact
	call   int

	product int
}

const tapePeople = 12

func newTape(t *testing.T, s *store.Store, seed uint64) *tape {
	y := &tape{t: t, s: s, draw: rand.New(rand.NewPCG(seed, 7)), now: time.Date(2026, 11, 19, 14, 0, 0, 0, time.UTC)}
	y.people = someCustomers(tapePeople)
	for i := range y.people {
		y.vary(&y.people[i])
	}
	return y
}

func (y *tape) ok(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

// vary changes some of what a source says of a customer.
func (y *tape) vary(r *customer.Record) {
	at := y.now.Add(-time.Duration(y.draw.IntN(1000)) * time.Hour)
	switch y.draw.IntN(8) {
	case 0:
		r.Billing = nil
	case 1:
		b := customer.Billing{Balance: customer.Money{Minor: -100, Currency: "GBP"}, Source: "billing", At: at}
		if y.draw.IntN(2) == 0 {
			b.Overdue, b.OverdueAge = &customer.Money{Minor: 100, Currency: "GBP"}, 9
		}
		r.Billing = &b
	case 2:
		r.Numbers = append(r.Numbers[:1:1], customer.Number{E164: fmt.Sprintf("+44163296%04d", y.draw.IntN(6)), Label: "home"})
	case 3: // more than a record shows, and not in order
		r.Interactions = nil
		for i := range y.draw.IntN(70) {
			r.Interactions = append(r.Interactions, customer.Interaction{
				ID: fmt.Sprint(i), At: at.Add(time.Duration(y.draw.IntN(20)) * time.Hour), Channel: "web", Title: "a<b & \u2028\x00",
				Agent: &customer.Colleague{Agent: fmt.Sprint("a", y.draw.IntN(3)), Name: "as the source knows"},
			})
		}
		r.Contacts = len(r.Interactions) + y.draw.IntN(5)
	case 4:
		r.Tickets = nil
		for i := range y.draw.IntN(6) {
			k := customer.Ticket{ID: fmt.Sprint(9 - i), Title: "Drops", Kind: "fault", Status: []string{"open", "closed"}[i%2], OpenedAt: at.Add(time.Duration(i%3) * time.Hour)}
			if i == 2 {
				k.DueAt, k.ClosedAt = &at, &at
			}
			r.Tickets = append(r.Tickets, k)
		}
	case 5:
		y.product++
		r.Products = append([]customer.Product{{ID: fmt.Sprint("p", y.product), Kind: "tv", Name: "TV\xff", Status: "paused"}}, r.Products[:min(2, len(r.Products))]...)
	case 6:
		r.LastAgent, r.LastAgentAt = &customer.Colleague{Agent: "a1", Name: "Once"}, &at
		r.AccountManager = &customer.Colleague{Agent: "a2", Name: "Ms Two"}
	case 7:
		risk, yes := y.draw.IntN(100), true
		r.ChurnRisk, r.Consent.Phone, r.Heed, r.Version = &risk, &yes, []string{"\u20ac"}, int64(y.draw.IntN(5))
		r.Others = []customer.Other{{Name: "Leo"}}
	}
}

func (y *tape) somebody() string { return y.people[y.draw.IntN(len(y.people))].ID }

func (y *tape) talk() {
	y.call++
	c := store.Contact{
		Call: routing.CallID(y.call), Attempt: 1, Customer: y.somebody(), Agent: agents.ID(fmt.Sprint("a", y.draw.IntN(4))), Queue: "care",
		At: y.now.Add(time.Duration(y.draw.IntN(100)-70) * time.Hour), Talk: time.Minute,
	}
	y.talks = append(y.talks, c)
	y.s.SaveContact(c)
}

// again writes a talk once more: with a note, another time or somebody else's.
func (y *tape) again() {
	if len(y.talks) == 0 {
		return
	}
	c := &y.talks[y.draw.IntN(len(y.talks))]
	switch y.draw.IntN(6) {
	case 0:
		c.Customer = y.somebody()
	case 1:
		c.Customer = ""
	case 2:
		c.At = c.At.Add(-time.Duration(y.draw.IntN(2000)) * time.Hour)
	default:
		c.Note += "more\x00 <i>\u20ac</i>"
	}
	y.s.SaveContact(*c)
}

func (y *tape) step() {
	ctx := y.t.Context()
	switch y.draw.IntN(12) {
	case 0, 1:
		r := &y.people[y.draw.IntN(len(y.people))]
		y.vary(r)
		y.ok(y.s.SaveCustomers(ctx, []customer.Record{*r}))
	case 2:
		y.ok(y.s.SaveCustomers(ctx, y.people[y.draw.IntN(len(y.people)):]))
	case 3: // the billing read anew, and nothing else
		if b := y.people[0].Billing; b != nil {
			fresh := *b
			fresh.At = y.now.Add(time.Duration(y.draw.IntN(1000)) * time.Minute)
			y.people[0].Billing = &fresh
		}
		y.ok(y.s.SaveCustomers(ctx, y.people[:1]))
	case 4:
		y.ok(y.s.SaveUser(ctx, store.User{ID: fmt.Sprint("a", y.draw.IntN(4)), Role: "agent", Name: fmt.Sprint("Agent ", y.draw.IntN(99))}))
	case 5:
		_ = y.s.DeleteUser(ctx, fmt.Sprint("a", y.draw.IntN(4))) // who may not be there
	case 6, 7, 8:
		y.talk()
	case 9, 10:
		y.again()
	case 11:
		for i := range y.people {
			_, err := y.s.Lookup(ctx, y.people[i].Numbers[0].E164)
			y.ok(err)
		}
	}
}

// compare compares each document that counts with the tables, and counts them.
func (y *tape) compare() (counting, all int) {
	y.t.Helper()
	y.ok(y.s.Flush(y.t.Context()))
	for i := range y.people {
		tables, doc, err := store.Rebuilt(y.t.Context(), y.s, y.people[i].ID)
		if err != nil {
			continue // not there yet
		}
		all++
		seen, err := y.s.Customer(y.t.Context(), y.people[i].ID)
		y.ok(err)
		if !reflect.DeepEqual(seen, tables) {
			y.t.Fatalf("a look-up and the tables\n got %+v\nwant %+v", seen, tables)
		}
		if doc == nil {
			continue
		}
		counting++
		if !reflect.DeepEqual(*doc, tables) {
			y.t.Fatalf("the document and the tables of %s\n got %+v\nwant %+v", tables.ID, *doc, tables)
		}
	}
	return counting, all
}

// TestDocumentIsTheTables: whatever is written in whatever order, and wherever
// the process dies meanwhile, a document that counts says what the tables say.
func TestDocumentIsTheTables(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]func(*testing.T) store.Options{
		"sqlite": func(t *testing.T) store.Options {
			return store.Options{Path: filepath.Join(t.TempDir(), "cordboard.db")}
		},
		"postgres": func(t *testing.T) store.Options { return store.Options{Postgres: pg.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			s := openWith(t, o)
			defer func() { _ = s.Close() }()
			y := newTape(t, s, 3)
			var counting, all int
			for n := range 400 {
				y.step()
				if n%10 == 9 {
					c, a := y.compare()
					counting, all = counting+c, all+a
				}
				if n%100 == 99 {
					store.Abandon(s)
					s = openWith(t, o)
					y.s = s
				}
			}
			if all < 400 || counting*2 < all {
				t.Errorf("%d documents counted of %d", counting, all)
			}
		})
	}
}

// TestDocumentsUnderConcurrentWrites: imports, contacts, renamed agents and
// look-ups at the same time.
func TestDocumentsUnderConcurrentWrites(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		s.SetGroupSize(3)
		var all sync.WaitGroup
		tapes := make([]*tape, 4)
		for i := range tapes {
			tapes[i] = newTape(t, s, uint64(i))
			tapes[i].call = 1000 * i
		}
		for i, y := range tapes {
			all.Go(func() {
				for range 60 {
					switch i {
					case 0:
						if err := s.SaveCustomers(t.Context(), y.people[y.draw.IntN(len(y.people)):]); err != nil {
							t.Error(err)
						}
						y.vary(&y.people[y.draw.IntN(len(y.people))])
					case 1:
						y.talk()
						y.again()
						if err := s.Flush(t.Context()); err != nil {
							t.Error(err)
						}
					case 2:
						if err := s.SaveUser(t.Context(), store.User{ID: "a1", Role: "agent", Name: fmt.Sprint(y.draw.Int())}); err != nil {
							t.Error(err)
						}
					case 3:
						if _, err := s.Lookup(t.Context(), y.people[y.draw.IntN(len(y.people))].Numbers[0].E164); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		all.Wait()
		if _, n := tapes[0].compare(); n != tapePeople {
			t.Errorf("%d customers", n)
		}
	})
}

// TestDocumentAfterImport: a look-up after an import reads the document, and a
// document that is lost is made again.
func TestDocumentAfterImport(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		people := someCustomers(5)
		if _, err := s.Import(t.Context(), jsonl(t, people), store.JSONL, store.ImportOptions{}); err != nil {
			t.Fatal(err)
		}
		id := people[3].ID
		documented := func(when string) bool {
			_, doc, err := store.Rebuilt(t.Context(), s, id)
			if err != nil {
				t.Fatalf("%s: %v", when, err)
			}
			return doc != nil
		}
		if !documented("import") {
			t.Error("an import leaves no document")
		}
		s.SaveContact(store.Contact{Call: 1, Attempt: 1, Customer: id, Agent: "priya", At: people[3].Billing.At})
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !documented("contact") {
			t.Error("a contact leaves no document")
		}
		people[3].Name = "Dana Hale"
		if _, err := s.Import(t.Context(), jsonl(t, people), store.JSONL, store.ImportOptions{}); err != nil {
			t.Fatal(err)
		}
		if !documented("second import") {
			t.Error("an import of a customer with a contact leaves no document")
		}
		if r := lookup(t, s, people[3].Numbers[0].E164); r.Name != "Dana Hale" || len(r.Interactions) != 11 || r.Contacts != 11 {
			t.Errorf("the record: %+v", r)
		}
		if err := store.ByHand(t.Context(), s, "UPDATE customers SET name = 'Dana Marsh', version = version + 1 WHERE id = $1", id); err != nil {
			t.Fatal(err)
		}
		if documented("somebody's hand") {
			t.Error("a document that has not seen a change counts")
		}
		if _, err := s.Customer(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		within(t, "no document was made", func() bool { return documented("look-up") })
		if r := lookup(t, s, people[3].Numbers[0].E164); r.Name != "Dana Marsh" || len(r.Interactions) != 11 {
			t.Errorf("the record: %+v", r)
		}
	})
}

// within waits for a condition.
func within(t *testing.T, otherwise string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(time.Minute); !is(); {
		select {
		case <-tick.C:
		case <-end:
			t.Fatal(otherwise)
		}
	}
}

// TestContactsSinceTheDocument: what our agents added since a customer's document
// was made is in the record, whenever it was and however much; when it is much,
// the document is made anew.
func TestContactsSinceTheDocument(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		people := someCustomers(2)
		id, newest := people[0].ID, people[0].Billing.At.Add(24*time.Hour)
		talk := func(n int, at time.Time) {
			s.SaveContact(store.Contact{Call: routing.CallID(n), Attempt: 1, Customer: id, Agent: "priya", Queue: "care", At: at, Talk: time.Minute})
		}
		imported := func() { // whose documents have seen no contact
			t.Helper()
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			people[0].Name += "!"
			if err := s.SaveCustomers(t.Context(), people); err != nil {
				t.Fatal(err)
			}
		}
		right := func(when string, documented bool) {
			t.Helper()
			tables, doc, err := store.Rebuilt(t.Context(), s, id)
			if err != nil || (doc != nil) != documented {
				t.Fatalf("%s: a document %v, %v", when, doc != nil, err)
			}
			if doc != nil && !reflect.DeepEqual(*doc, tables) {
				t.Fatalf("%s: the document and the tables\n got %+v\nwant %+v", when, *doc, tables)
			}
		}
		talk(1, newest)
		talk(2, newest.AddDate(0, 0, -30)) // behind all that the source knows
		imported()
		right("contacts before the customer", true)
		if n, err := store.Seen(t.Context(), s, id); err != nil || n != 0 {
			t.Fatalf("the import's document has seen %d contacts, %v", n, err)
		}
		for n := 3; n < 12; n++ {
			talk(n, newest.Add(time.Duration(n)*time.Hour))
		}
		imported()
		right("many", true)
		within(t, "the document is not made anew", func() bool {
			lookup(t, s, people[0].Numbers[0].E164)
			n, err := store.Seen(t.Context(), s, id)
			return err == nil && n == 11
		})
		right("anew", true)
		for n := 12; n < 70; n++ {
			talk(n, newest.Add(time.Duration(n)*time.Hour))
		}
		imported()
		right("more than a record shows", true)
	})
}

// TestHandInFrontOfContacts: a customer who came behind a contact of ours, and
// whom somebody changed by hand, is shown as changed.
func TestHandInFrontOfContacts(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		people := someCustomers(1)
		s.SaveContact(store.Contact{Call: 1, Attempt: 1, Customer: people[0].ID, Agent: "priya", At: people[0].Billing.At})
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := s.SaveCustomers(t.Context(), people); err != nil {
			t.Fatal(err)
		}
		if err := store.ByHand(t.Context(), s, "UPDATE customers SET name = 'Dana Marsh', version = version + 1 WHERE id = $1", people[0].ID); err != nil {
			t.Fatal(err)
		}
		if r := lookup(t, s, people[0].Numbers[0].E164); r.Name != "Dana Marsh" || len(r.Interactions) != 11 {
			t.Errorf("the record: %+v", r)
		}
	})
}

// TestRenamedAgents: a record shows our agents under the names they have now,
// whoever changed them, without its document being written anew.
func TestRenamedAgents(t *testing.T) {
	t.Parallel()
	for name, options := range map[string]func(*testing.T) store.Options{
		"sqlite": func(t *testing.T) store.Options {
			return store.Options{Path: filepath.Join(t.TempDir(), "cordboard.db")}
		},
		"postgres": func(t *testing.T) store.Options { return store.Options{Postgres: pg.Database(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t)
			s := openWith(t, o)
			defer func() { _ = s.Close() }()
			o.Tool = true
			tool := openWith(t, o) // cordboard user, beside the server
			defer func() { _ = tool.Close() }()
			people := someCustomers(1)
			if err := s.SaveCustomers(t.Context(), people); err != nil {
				t.Fatal(err)
			}
			shows := func(want string) {
				t.Helper()
				r := lookup(t, s, people[0].Numbers[0].E164)
				if got := r.Interactions[0].Agent.Name; got != want || r.LastAgent.Name != want {
					t.Fatalf("the record shows %q and %q, want %q", got, r.LastAgent.Name, want)
				}
			}
			s.SaveContact(store.Contact{Call: 1, Attempt: 1, Customer: people[0].ID, Agent: "priya", At: people[0].Billing.At.AddDate(0, 0, 1)})
			shows("priya")
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			shows("priya")
			for by, who := range []*store.Store{tool, s, tool} {
				now := fmt.Sprint("Priya ", by)
				if err := who.SaveUser(t.Context(), store.User{ID: "priya", Role: "agent", Name: now}); err != nil {
					t.Fatal(err)
				}
				shows(now)
			}
			if err := tool.DeleteUser(t.Context(), "priya"); err != nil {
				t.Fatal(err)
			}
			shows("priya")
		})
	}
}
