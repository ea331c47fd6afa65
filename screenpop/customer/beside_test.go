package customer

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"
)

// scripted is a system that answers what it is told to, when it is told to.
type scripted struct {
	asks    chan Subject
	answers chan func() (Part, error)
}

func newScripted() *scripted {
	return &scripted{make(chan Subject, 10), make(chan func() (Part, error), 10)}
}

func (s *scripted) Ask(ctx context.Context, who Subject) (Part, error) {
	s.asks <- who
	select {
	case f := <-s.answers:
		return f()
	case <-ctx.Done():
		return Part{}, ctx.Err()
	}
}

func sells(name string) func() (Part, error) {
	return func() (Part, error) { return Part{Products: []Product{{ID: "1", Name: name}}}, nil }
}

func isAway() (Part, error) { return Part{}, errors.New("away") }

// besideOf has one system, and what it tells.
func besideOf(t *testing.T, o BesideOptions) (b *Beside, ask func(id string) Told, told chan Told) {
	t.Helper()
	o.Name = "orders"
	b = NewBeside([]BesideOptions{o}, nil, nil)
	t.Cleanup(b.Close)
	told = make(chan Told, 10)
	return b, func(id string) Told { return b.Ask(Subject{ID: id}, func(x Told) { told <- x })[0] }, told
}

func isTold(t *testing.T, got Told, state, product string) {
	t.Helper()
	has := ""
	if got.Part != nil {
		has = got.Part.Products[0].Name
		if got.Part.Products[0].Source != "orders" || got.At.IsZero() {
			t.Errorf("of nobody, or of no time: %+v", got)
		}
	}
	if got.State != state || has != product {
		t.Fatalf("%s %q, want %s %q", got.State, has, state, product)
	}
}

func TestBesideTellsAndRemembers(t *testing.T) {
	s := newScripted()
	_, ask, told := besideOf(t, BesideOptions{Connector: s, Fresh: time.Hour, Timeout: time.Minute})
	isTold(t, ask("a"), PartLoading, "")
	isTold(t, ask("a"), PartLoading, "") // one question for both
	s.answers <- sells("line")
	isTold(t, <-told, PartOK, "line")
	isTold(t, <-told, PartOK, "line")
	isTold(t, ask("a"), PartOK, "line")
	if len(s.asks) != 1 {
		t.Errorf("asked %d times", len(s.asks))
	}
}

func TestBesideShowsWhatIsOldMeanwhile(t *testing.T) {
	s := newScripted()
	_, ask, told := besideOf(t, BesideOptions{Connector: s, Fresh: time.Nanosecond, Timeout: time.Minute})
	s.answers <- sells("line")
	isTold(t, ask("a"), PartLoading, "")
	isTold(t, <-told, PartOK, "line")
	s.answers <- isAway
	isTold(t, ask("a"), PartStale, "line")
	isTold(t, <-told, PartStale, "line")
	s.answers <- sells("fibre")
	isTold(t, ask("a"), PartStale, "line")
	isTold(t, <-told, PartOK, "fibre")
	isTold(t, ask("b"), PartLoading, "") // of others nothing is known
}

// TestBesideSparesWhoFails: after five failures it is not asked for a while, and what
// is old is not shown for ever.
func TestBesideSparesWhoFails(t *testing.T) {
	s := newScripted()
	_, ask, told := besideOf(t, BesideOptions{Connector: s, Fresh: time.Nanosecond, Keep: 2 * time.Nanosecond, Timeout: time.Minute})
	s.answers <- sells("line")
	ask("a")
	isTold(t, <-told, PartOK, "line")
	for range 5 {
		s.answers <- isAway
		isTold(t, ask("a"), PartLoading, "")
		isTold(t, <-told, PartFailed, "")
	}
	isTold(t, ask("a"), PartFailed, "")
	if len(s.asks) != 6 || len(told) != 0 {
		t.Errorf("asked %d times", len(s.asks))
	}
}

// TestBesideIsNotHeldUp: who hangs, and does not even heed its time, takes its own
// places and nothing else, and nobody waits for it at the end.
func TestBesideIsNotHeldUp(t *testing.T) {
	end := make(chan struct{})
	defer close(end)
	for name, hang := range map[string]Connector{"hung": newScripted(), "deaf": deaf(end), "panics": panics{}} {
		t.Run(name, func(t *testing.T) {
			_, ask, told := besideOf(t, BesideOptions{Connector: hang, Timeout: time.Millisecond, AtOnce: 1})
			for _, id := range []string{"a", "b", "c"} {
				isTold(t, ask(id), PartLoading, "")
				isTold(t, <-told, PartFailed, "")
			}
		})
	}
}

// deaf does not heed its context.
type deaf chan struct{}

func (d deaf) Ask(context.Context, Subject) (Part, error) {
	<-d
	return Part{}, nil
}

type panics struct{}

func (panics) Ask(context.Context, Subject) (Part, error) { panic("somebody's name") }

func TestBesideErases(t *testing.T) {
	s := newScripted()
	b, ask, told := besideOf(t, BesideOptions{Connector: s, Fresh: time.Hour, Timeout: time.Minute})
	s.answers <- sells("line")
	ask("a")
	<-told
	ask("b")
	<-s.asks
	<-s.asks // b is being asked about
	b.Erase("a", nil)
	b.Erase("c", nil) // nobody's loss but c's
	b.Erase("b", nil)
	s.answers <- sells("line")
	isTold(t, <-told, PartFailed, "")
	for _, id := range []string{"a", "b"} {
		isTold(t, ask(id), PartLoading, "")
	}
	b.Erase("a", nil)
	s.answers <- sells("line")
	s.answers <- sells("line")
	for _, got := range []Told{<-told, <-told} {
		if got.State == PartOK {
			isTold(t, got, PartOK, "line")
		} else {
			isTold(t, got, PartFailed, "")
		}
	}
	isTold(t, ask("b"), PartOK, "line")
}

func TestBesideForgetsTheOldest(t *testing.T) {
	s := &system{kept: map[Subject]reply{}}
	at := time.Now()
	for i := range besideKept + 1 {
		s.keep(Subject{ID: string(rune(i))}, reply{part: &Part{}, at: at.Add(time.Duration(i)), bytes: 10})
	}
	if _, first := s.kept[Subject{ID: string(rune(0))}]; first || len(s.kept) > besideKept || s.bytes != 10*len(s.kept) {
		t.Errorf("%d kept of %d bytes", len(s.kept), s.bytes)
	}
}

// TestWith: nothing of the record's own is lost, and where two say otherwise both
// stand there.
func TestWith(t *testing.T) {
	day := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	own := &Record{
		ID: "a", Billing: &Billing{Balance: Money{100, "GBP"}, Source: "import", At: day},
		Products:     []Product{{ID: "1", Name: "Line", Status: "active"}},
		Tickets:      []Ticket{{ID: "t", Title: "Drops", Status: "open", OpenedAt: day}},
		Interactions: []Interaction{{ID: "i", At: day, Channel: "mail", Title: "x"}}, Contacts: 7,
	}
	before := *own
	part := &Part{
		Billing:      &Billing{Balance: Money{-500, "GBP"}},
		Products:     []Product{{ID: "1", Name: "Line", Status: "active"}, {ID: "1", Name: "Line", Status: "fault"}},
		Tickets:      []Ticket{{ID: "t", Title: "Drops", Status: "closed", OpenedAt: day}, {ID: "u", Title: "New", Status: "open", OpenedAt: day.Add(time.Hour)}},
		Interactions: []Interaction{{ID: "j", At: day.Add(time.Hour), Channel: "chat", Title: "y"}},
		Facts:        []Fact{{Name: "Dunning", Value: "2"}},
	}
	part.from("erp", day.Add(24*time.Hour))
	got := own.With([]Told{{Source: "crm", State: PartFailed}, {Source: "erp", State: PartOK, Part: part}})
	if !reflect.DeepEqual(*own, before) {
		t.Error("the record itself was changed: others share it")
	}
	if got.Billing.Balance.Minor != -500 || got.Billing.Source != "erp" || len(got.BillingElse) != 1 || got.BillingElse[0].Source != "import" {
		t.Errorf("%+v, else %+v", got.Billing, got.BillingElse)
	}
	if len(got.Products) != 2 || got.Products[0].Source != "" || got.Products[1].Source != "erp" {
		t.Errorf("%+v", got.Products)
	}
	order := ""
	for _, x := range got.Tickets {
		order += x.ID + x.Source + " "
	}
	if order != "uerp t terp " {
		t.Error(order)
	}
	if got.Interactions[0].ID != "j" || got.Contacts != 8 || len(got.Facts) != 1 || got.Facts[0].Source != "erp" {
		t.Errorf("%+v", got)
	}
	if same := own.With([]Told{{Source: "crm", State: PartLoading}}); same != own {
		t.Error("copied for nothing")
	}
	part.Billing.Balance = own.Billing.Balance
	if got = own.With([]Told{{Source: "erp", Part: part}}); len(got.BillingElse) != 0 {
		t.Errorf("both say the same: %+v", got.BillingElse)
	}
}
