package storetest

import (
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

func at(days int) time.Time { return T0.AddDate(0, 0, days) }

func ref[V any](v V) *V { return &v }

// dana has every field of a record set.
func dana() customer.Record {
	return customer.Record{
		ID: "LW-204 118 63", Version: 4, Name: "Dana Whitcombe", Language: "en", Country: "GB", Zone: "Europe/London",
		Numbers: []customer.Number{{E164: "+447700900417", Label: "mobile"}, {E164: "+441632960118", Label: "home"}},
		Segment: "gold", KeyAccount: true, CustomerSince: "2019-08-12",
		YearlyValue: &customer.Money{Minor: 104800, Currency: "GBP"}, ChurnRisk: ref(72),
		ChurnReasons: []string{"Opened “Leave and keep number”"}, Heed: []string{"Hard of hearing: speak clearly"},
		Consent:        customer.Consent{Phone: ref(false), Mail: ref(true), Recording: ref(true)},
		AccountManager: &customer.Colleague{Agent: "owen", Name: "Owen Tarrant"},
		LastAgent:      &customer.Colleague{Agent: "priya", Name: "Priya Nair"}, LastAgentAt: ref(at(-7)),
		Billing: &customer.Billing{
			Balance: customer.Money{Minor: -6420, Currency: "GBP"}, Overdue: &customer.Money{Minor: 6420, Currency: "GBP"}, OverdueAge: 12,
			LastBill: &customer.Money{Minor: 6420, Currency: "GBP"}, LastBillOn: "2026-10-28", PaidOn: "2026-10-30", NextBillOn: "2026-11-28",
			WeOwe: &customer.Money{Minor: 1250, Currency: "GBP"}, WeOweSince: "2026-11-03", Source: "billing", At: at(0),
		},
		Products: []customer.Product{
			{ID: "z", Kind: "fibre", Name: "Fibre 500", Detail: "01632 960118", Status: "fault", Note: "4 drops in 7 days", Price: &customer.Money{Minor: 4400, Currency: "GBP"}},
			{ID: "a", Kind: "tv", Name: "TV Plus", Status: "paused"},
		},
		Tickets: []customer.Ticket{
			{ID: "T-2", Title: "Fibre drops every evening", Topic: "fibre_drops", Kind: "complaint", Status: "open", OpenedAt: at(-13), DueAt: ref(at(0))},
			{ID: "T-1", Title: "Refund", Detail: "Billing", Kind: "refund", Status: "open", OpenedAt: at(-16), DueAt: ref(at(-1))},
			{ID: "T-9", Title: "SIM", Kind: "request", Status: "closed", OpenedAt: at(-2), ClosedAt: ref(at(-1))},
		},
		Interactions: []customer.Interaction{
			{ID: "i4", At: at(0), Channel: "web", Title: "read a page"},
			{ID: "i3", At: at(-7), Channel: "call", Title: "fibre_drops", Topic: "fibre_drops", Agent: &customer.Colleague{Agent: "priya", Name: "Priya Nair"}, Note: "Works evenings.", Disposition: "ticket", DurationS: 492, PromisedBy: ref(at(-3)), Kept: ref(false)},
			{ID: "i2", At: at(-20), Channel: "visit", Title: "Engineer visit", Detail: "no fault found", Call: 99},
		},
		Contacts: 31,
		Others:   []customer.Other{{Name: "Leo Whitcombe", Detail: "may ask about …630"}},
	}
}

func find(t *testing.T, s *store.Store, e164 string) customer.Match {
	t.Helper()
	m, err := s.Lookup(t.Context(), e164)
	ok(t, err)
	return m
}

func testCustomerRoundTrip(t *testing.T, f Fixture) {
	s := open(t, f)
	bare := customer.Record{ID: "B-1", Version: 1, Name: "Bare", Numbers: number("+447700900001"), Products: []customer.Product{}, Tickets: []customer.Ticket{}, Interactions: []customer.Interaction{}}
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{dana(), bare}))
	for _, n := range dana().Numbers {
		equal(t, "dana", find(t, s, n.E164), customer.Match{Record: ref(dana())})
	}
	equal(t, "bare", find(t, s, "+447700900001"), customer.Match{Record: &bare})
	equal(t, "nobody", find(t, s, "+447700900002"), customer.Match{})
	equal(t, "withheld", find(t, s, ""), customer.Match{})
	byID, err := s.Customer(t.Context(), dana().ID)
	ok(t, err)
	equal(t, "by id", byID, dana())
	_, err = s.Customer(t.Context(), "nobody")
	missing(t, "no such customer", err)
}

func testCustomerUpsert(t *testing.T, f Fixture) {
	s := open(t, f)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{dana()}))
	talk := store.Contact{Call: 5, Attempt: 1, Customer: dana().ID, Agent: "petar", Queue: "internet", At: at(1), Talk: time.Minute, Note: "spare port"}
	s.SaveContact(talk)
	flush(t, s)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{dana()}))
	r := find(t, s, "+447700900417").Record
	equal(t, "the same again changes nothing", r.Version, 5)
	equal(t, "contacts", r.Contacts, 32)

	moved := dana()
	moved.Numbers, moved.Products, moved.Name = number("+447700900500"), nil, "Dana Hale"
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{moved}))
	equal(t, "the old number is nobody's", find(t, s, "+441632960118"), customer.Match{})
	r = find(t, s, "+447700900500").Record
	equal(t, "name", r.Name, "Dana Hale")
	equal(t, "version", r.Version, 6)
	equal(t, "products", len(r.Products), 0)
	equal(t, "our agent's note stays", r.Interactions[0].Note, "spare port")
	equal(t, "contacts", r.Contacts, 32)
	equal(t, "our later last agent stays", r.LastAgent.Agent, "petar")
	n, err := s.CountCustomers(t.Context())
	ok(t, err)
	equal(t, "customers", n, 1)
}

func testSharedNumber(t *testing.T, f Fixture) {
	s := open(t, f)
	one := customer.Record{ID: "A", Name: "Ann", Numbers: number("+441632960700")}
	two := customer.Record{ID: "B", Name: "Bob", Numbers: number("+441632960700")}
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{two, one}))
	m := find(t, s, "+441632960700")
	if m.Record != nil || len(m.Candidates) != 2 || m.Candidates[0].ID != "A" || m.Candidates[1].ID != "B" {
		t.Fatalf("got %s", show(m))
	}
}

func testContacts(t *testing.T, f Fixture) {
	s := open(t, f)
	ok(t, s.SaveUser(t.Context(), store.User{ID: "petar", Role: "agent", Name: "Petar Georgiev"}))
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{dana()}))
	y := story{s, s.NextCall()}
	y.arrives(0)
	c := store.Contact{Call: y.call, Attempt: 2, Customer: dana().ID, Agent: "petar", Queue: "internet", Topic: "line_fault", At: at(1), Talk: 90 * time.Second, Note: "spare port", Disposition: "fixed", Detail: "ticket_id: T-17; when: Monday"}
	check := func(when string, version int64, note string) {
		t.Helper()
		r := find(t, s, "+447700900417").Record
		equal(t, when+": version", r.Version, version)
		equal(t, when+": contacts", r.Contacts, 32)
		i := r.Interactions[0]
		equal(t, when+": interaction", i, customer.Interaction{
			ID: i.ID, At: at(1), Channel: "call", Title: "line_fault", Topic: "line_fault", Agent: &customer.Colleague{Agent: "petar", Name: "Petar Georgiev"},
			Note: note, Disposition: "fixed", Detail: "ticket_id: T-17; when: Monday", DurationS: 90, Call: int64(y.call),
		})
		equal(t, when+": last agent", *r.LastAgent, customer.Colleague{Agent: "petar", Name: "Petar Georgiev"})
		equal(t, when+": last agent at", *r.LastAgentAt, at(1))
	}
	s.SaveContact(c)
	check("at once", 5, "spare port")
	flush(t, s)
	check("written", 5, "spare port")
	c.Note = "spare port, Friday"
	s.SaveContact(c)
	check("again, at once", 6, "spare port, Friday")
	flush(t, s)
	check("again, written", 6, "spare port, Friday")
	y.ends(9, routing.Answered, routing.ByCaller, "")
	flush(t, s)
	got := row(t, s, y.call)
	if !got.Note || got.Customer != dana().ID || got.Disposition != "fixed" {
		t.Fatalf("ledger row lacks the contact: %s", show(got))
	}
}

// testContactWhole: a record is read as of one instant. Its version, its count
// and its history belong together, however the writer is at work meanwhile.
func testContactWhole(t *testing.T, f Fixture) {
	s := open(t, f)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{dana()}))
	before := find(t, s, "+447700900417").Record
	const talks = 30
	for n := 1; n <= talks; n++ {
		s.SaveContact(store.Contact{Call: routing.CallID(n), Attempt: 1, Customer: dana().ID, Agent: "priya", Queue: "care", At: at(n), Talk: time.Minute})
		for range 5 {
			r := find(t, s, "+447700900417").Record
			if r.Version != before.Version+int64(n) || r.Contacts != before.Contacts+n || r.Interactions[0].Call != int64(n) {
				t.Fatalf("after %d talks: version %d, %d contacts, last call %d", n, r.Version, r.Contacts, r.Interactions[0].Call)
			}
		}
	}
}

// testContactMoves: the agent first stays with an unknown caller, and then
// finds out who it is.
func testContactMoves(t *testing.T, f Fixture) {
	s := open(t, f)
	ok(t, s.SaveCustomers(t.Context(), []customer.Record{dana()}))
	c := store.Contact{Call: 5, Attempt: 1, Agent: "priya", Queue: "care", At: at(1), Talk: time.Minute, Note: "calls from work"}
	s.SaveContact(c)
	flush(t, s)
	equal(t, "not yet", find(t, s, "+447700900417").Record.Contacts, 31)
	c.Customer = dana().ID
	s.SaveContact(c)
	equal(t, "at once", find(t, s, "+447700900417").Record.Contacts, 32)
	flush(t, s)
	r := find(t, s, "+447700900417").Record
	equal(t, "written", r.Contacts, 32)
	equal(t, "note", r.Interactions[0].Note, "calls from work")
	c.Customer = ""
	s.SaveContact(c)
	flush(t, s)
	equal(t, "taken back", find(t, s, "+447700900417").Record.Contacts, 31)
}

func testUsers(t *testing.T, f Fixture) {
	s := open(t, f)
	ctx := t.Context()
	priya := store.User{ID: "priya", Role: "agent", Name: "Priya Nair", PasswordHash: "$argon2id$…"}
	ok(t, s.SaveUser(ctx, priya))
	priya.Role = "supervisor"
	ok(t, s.SaveUser(ctx, priya))
	ok(t, s.SaveUser(ctx, store.User{ID: "anna", Role: "agent", Name: "Anna"}))
	got, err := s.User(ctx, "priya")
	ok(t, err)
	equal(t, "user", got, priya)
	all, err := s.Users(ctx)
	ok(t, err)
	equal(t, "users", []string{all[0].ID, all[1].ID}, []string{"anna", "priya"})

	until := time.Now().Add(time.Hour).UTC().Truncate(time.Microsecond)
	ok(t, s.SaveSession(ctx, "h1", "priya", until))
	ok(t, s.SaveSession(ctx, "h2", "anna", time.Now().Add(-time.Second)))
	ok(t, s.SaveSession(ctx, "h3", "anna", until))
	session, err := s.Session(ctx, "h1")
	ok(t, err)
	equal(t, "session", session, store.Session{Hash: "h1", User: "priya", Expires: until})
	_, err = s.Session(ctx, "h2")
	missing(t, "expired", err)
	ok(t, s.DeleteSession(ctx, "h1"))
	_, err = s.Session(ctx, "h1")
	missing(t, "signed out", err)

	// A new password ends every login made with the old one, another name none.
	ok(t, s.SaveSession(ctx, "h5", "priya", until))
	priya.Name = "Priya N."
	ok(t, s.SaveUser(ctx, priya))
	_, err = s.Session(ctx, "h5")
	ok(t, err)
	priya.PasswordHash = "$argon2id$other"
	ok(t, s.SaveUser(ctx, priya))
	_, err = s.Session(ctx, "h5")
	missing(t, "login with the old password", err)
	_, err = s.Session(ctx, "h3")
	ok(t, err)
	ok(t, s.DeleteUser(ctx, "anna"))
	_, err = s.Session(ctx, "h3")
	missing(t, "session of who left", err)
	_, err = s.User(ctx, "anna")
	missing(t, "who left", err)
	missing(t, "who left, again", s.DeleteUser(ctx, "anna"))
	if s.SaveSession(ctx, "h4", "nobody", until) == nil {
		t.Fatal("a session of nobody was stored")
	}
}

func testAnswers(t *testing.T, f Fixture) {
	s := open(t, f)
	ok(t, s.SaveAnswers(t.Context(),
		store.Answer{ID: "drops", Topic: "line_fault", Lang: "en", Title: "Evening drops", Say: "That is our side.", Steps: []string{"Run the line test"}},
		store.Answer{ID: "router", Topic: "line_fault", Lang: "en", Title: "Restart the router", Say: "Switch it off. Then see the drops page."},
		store.Answer{ID: "bill", Topic: "billing_question", Lang: "en", Title: "Why is my bill higher", Say: "Let us look at it, café by café."},
		store.Answer{ID: "bill", Topic: "billing_question", Lang: "ru", Title: "Почему счёт больше", Say: "Сейчас разберёмся с вашим счётом."},
		store.Answer{ID: "zh", Topic: "billing_question", Lang: "zh", Title: "账单为什么变高", Say: "我们来看一下您的账单。"},
	))
	ids := func(lang, topic, query string) string {
		t.Helper()
		got, err := s.FindAnswers(t.Context(), lang, topic, query, 10)
		ok(t, err)
		var out []string
		for _, a := range got {
			out = append(out, a.ID+"."+a.Lang)
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct{ lang, topic, query, want string }{
		{"en", "line_fault", "", "drops.en router.en"},
		{"ru", "", "", "drops.en router.en bill.ru"},
		{"en", "", "DROPS", "drops.en router.en"},
		{"en", "", "drop", "drops.en router.en"},
		{"en", "", "cafe", "bill.en"},
		{"ru", "", "счета", "bill.ru"},
		{"ru", "", "СЧЕТ", "bill.ru"},
		{"ru", "", "счёт", "bill.ru"},
		{"en", "billing_question", "drops", ""},
		{"en", "", "router test", "router.en drops.en"},
		{"zh", "", "账单", "zh.zh"},
		{"en", "", "?!", "drops.en router.en bill.en"},
		{"en", "", "nothing", ""},
	} {
		equal(t, c.lang+"/"+c.topic+"/"+c.query, ids(c.lang, c.topic, c.query), c.want)
	}
	one, err := s.FindAnswers(t.Context(), "en", "", "", 1)
	ok(t, err)
	equal(t, "limit", one, []store.Answer{{ID: "drops", Topic: "line_fault", Lang: "en", Title: "Evening drops", Say: "That is our side.", Steps: []string{"Run the line test"}}})
	ok(t, s.SaveAnswers(t.Context(), store.Answer{ID: "drops", Topic: "line_fault", Lang: "en", Title: "Drops at night", Say: "Sorry."}))
	equal(t, "changed", ids("en", "", "night"), "drops.en")
	replaceAnswers(t, s)
}

func replaceAnswers(t *testing.T, s *store.Store) {
	given := []store.Answer{
		{ID: "bill", Topic: "billing_question", Lang: "ru", Title: "Почему счёт больше", Say: "Посмотрим."},
		{ID: "port", Topic: "line_fault", Lang: "en", Title: "Spare port", Say: "I can move your line.", Steps: []string{"Check it", "Move it"}, Owner: "ann", Review: "2027-03-31"},
		{ID: "drops", Topic: "line_fault", Lang: "en", Title: "Drops at night", Say: "Sorry."},
	}
	gone, err := s.ReplaceAnswers(t.Context(), given...)
	ok(t, err)
	equal(t, "withdrawn", gone, 3)
	all, err := s.Answers(t.Context())
	ok(t, err)
	equal(t, "all there are, in their order", all, given)
	found, err := s.FindAnswers(t.Context(), "en", "", "router", 10)
	ok(t, err)
	equal(t, "a withdrawn one", len(found), 0)
	twice := append(given[:1:1], given[0])
	gone, err = s.ReplaceAnswers(t.Context(), twice...)
	ok(t, err)
	equal(t, "withdrawn again", gone, 2)
	all, err = s.Answers(t.Context())
	ok(t, err)
	equal(t, "given twice", all, given[:1])
}
