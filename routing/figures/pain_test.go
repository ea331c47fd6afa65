package figures

import (
	"slices"
	"testing"
	"time"
)

const hour = 60 * minute

// painOf folds contacts as of a week and a day after the period, which is the
// ten days from hour 0.
func painOf(contacts ...Contact) (PainCounts, *Pain) {
	p := NewPain(time.UnixMicro(0), time.UnixMicro(240*hour), time.UnixMicro(432*hour))
	for _, c := range contacts {
		p.Contact(c)
	}
	return p.Lines()[0].PainCounts, p
}

func answered(customer string, from, to int64) Contact {
	return Contact{Customer: customer, Topic: "bill", Queue: "care", Agent: "ann", Arrived: from, Ended: to, Answered: true}
}

func final(c Contact, hops int) Contact { c.Final, c.Hops = true, hops; return c }
func lost(c Contact) Contact            { c.Answered = false; return c }
func about(c Contact, topic string) Contact {
	c.Topic = topic
	return c
}

func TestQuestions(t *testing.T) {
	for name, c := range map[string]struct {
		calls                   []Contact
		closed, first, lapsed   int
		hops, hops90, untouched int
	}{
		"closed in the first call, after two transfers": {[]Contact{final(answered("a", 1, hour), 2)}, 1, 1, 0, 2, 2, 0},
		"closed in the second":                          {[]Contact{answered("a", 1, hour), final(answered("a", 2*hour, 3*hour), 0)}, 1, 0, 0, 0, 0, 1},
		"hops of all its calls":                         {[]Contact{func() Contact { c := answered("a", 1, hour); c.Hops = 3; return c }(), final(answered("a", 2*hour, 3*hour), 1)}, 1, 0, 0, 4, 4, 0},
		"a lost call opens none, and is not its first":  {[]Contact{lost(answered("a", 1, 2)), final(answered("a", hour, 2*hour), 0)}, 1, 1, 0, 0, 0, 1},
		"a lost call in between belongs to it":          {[]Contact{answered("a", 1, 2), lost(answered("a", hour, 2*hour)), final(answered("a", 3*hour, 4*hour), 0)}, 1, 0, 0, 0, 0, 1},
		"another topic is another question":             {[]Contact{answered("a", 1, 2), final(about(answered("a", hour, 2*hour), "net"), 0)}, 1, 1, 1, 0, 0, 1},
		"another customer too":                          {[]Contact{answered("a", 1, 2), final(answered("b", hour, 2*hour), 0)}, 1, 1, 1, 0, 0, 1},
		"an instant before 168 hours it is the same":    {[]Contact{answered("a", 1, hour), final(answered("a", 169*hour-1, 169*hour), 0)}, 1, 0, 0, 0, 0, 1},
		"after 168 hours it has lapsed":                 {[]Contact{answered("a", 1, hour), final(answered("a", 169*hour, 170*hour), 0)}, 1, 1, 1, 0, 0, 1},
		"each call puts the lapse off":                  {[]Contact{answered("a", 1, hour), answered("a", 100*hour, 101*hour), final(answered("a", 200*hour, 201*hour), 0)}, 1, 0, 0, 0, 0, 1},
		"not yet lapsed":                                {[]Contact{answered("a", 230*hour, 265*hour)}, 0, 0, 0, 0, 0, 0},
		"lapsed after the period":                       {[]Contact{answered("a", 80*hour, 81*hour)}, 0, 0, 0, 0, 0, 0},
		"lapsed in it, opened before":                   {[]Contact{answered("a", -100*hour, -99*hour)}, 0, 0, 1, 0, 0, 0},
		"closed before it":                              {[]Contact{final(answered("a", -10*hour, -9*hour), 0)}, 0, 0, 0, 0, 0, 0},
		"closed, and asked again: a new one":            {[]Contact{final(answered("a", 1, hour), 0), final(answered("a", 2*hour, 3*hour), 0)}, 2, 2, 0, 0, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := painOf(c.calls...)
			if got.Closed != c.closed || got.FirstCall != c.first || got.Lapsed != c.lapsed {
				t.Errorf("closed %d, %d of them in the first call, lapsed %d", got.Closed, got.FirstCall, got.Lapsed)
			}
			if got.HopsSum() != c.hops || got.Hops90() != c.hops90 || got.Hops[0] != c.untouched {
				t.Errorf("hops %v, sum %d, nine in ten %d", got.Hops, got.HopsSum(), got.Hops90())
			}
		})
	}
	many := PainCounts{Closed: 20, Hops: map[int]int{0: 15, 1: 3, 4: 2}}
	if many.Hops90() != 1 || many.HopsSum() != 11 {
		t.Errorf("nine in ten of %v: %d, sum %d", many.Hops, many.Hops90(), many.HopsSum())
	}
	if (&PainCounts{Closed: 10, Hops: map[int]int{0: 8, 2: 2}}).Hops90() != 2 {
		t.Error("the ninth of ten")
	}
}

func TestRepeats(t *testing.T) {
	for name, c := range map[string]struct {
		calls                                     []Contact
		contacts, repeated, same, running, hidden int
	}{
		"not followed":                           {[]Contact{answered("a", 1, hour)}, 1, 0, 0, 0, 0},
		"followed about the same":                {[]Contact{answered("a", 1, hour), answered("a", 2*hour, 3*hour)}, 2, 1, 1, 0, 0},
		"about something else":                   {[]Contact{answered("a", 1, hour), about(answered("a", 2*hour, 3*hour), "net")}, 2, 1, 0, 0, 0},
		"by a call that nobody answered":         {[]Contact{answered("a", 1, hour), lost(answered("a", 2*hour, 3*hour))}, 1, 1, 1, 0, 0},
		"a call that nobody answered is none":    {[]Contact{lost(answered("a", 1, hour)), answered("a", 2*hour, 3*hour)}, 1, 0, 0, 0, 0},
		"168 hours after its end":                {[]Contact{answered("a", 1, hour), answered("a", 169*hour, 170*hour)}, 2, 1, 1, 0, 0},
		"an instant later":                       {[]Contact{answered("a", 1, hour), answered("a", 169*hour+1, 170*hour)}, 2, 0, 0, 0, 0},
		"a second line at the same time is none": {[]Contact{answered("a", 1, 3*hour), answered("a", 2*hour, 4*hour)}, 2, 0, 0, 0, 0},
		"by another customer":                    {[]Contact{answered("a", 1, hour), answered("b", 2*hour, 3*hour)}, 2, 0, 0, 0, 0},
		"twice is once":                          {[]Contact{answered("a", 1, hour), answered("a", 2*hour, 3*hour), answered("a", 4*hour, 5*hour)}, 3, 2, 2, 0, 0},
		"ended after the period":                 {[]Contact{answered("a", 239*hour, 240*hour)}, 0, 0, 0, 0, 0},
		"withheld":                               {[]Contact{answered("", 1, hour), answered("", 2*hour, 3*hour), lost(answered("", 4*hour, 5*hour))}, 0, 0, 0, 0, 2},
	} {
		t.Run(name, func(t *testing.T) {
			got, p := painOf(c.calls...)
			if got.Contacts != c.contacts || got.Repeated != c.repeated || got.RepeatedSame != c.same || got.Running != c.running || p.Withheld != c.hidden {
				t.Errorf("%d of %d repeated, %d about the same, %d running, %d withheld", got.Repeated, got.Contacts, got.RepeatedSame, got.Running, p.Withheld)
			}
		})
	}
	p := NewPain(time.UnixMicro(0), time.UnixMicro(240*hour), time.UnixMicro(240*hour))
	p.Contact(answered("a", 71*hour, 72*hour))
	p.Contact(answered("b", 72*hour, 72*hour+1))
	p.Contact(answered("b", 73*hour, 74*hour))
	if got := p.Lines()[0].PainCounts; got.Contacts != 1 || got.Running != 2 || got.Repeated != 0 {
		t.Errorf("168 hours to the end: %d are over, %d run, %d repeated", got.Contacts, got.Running, got.Repeated)
	}
}

func TestPainLines(t *testing.T) {
	_, p := painOf(final(answered("a", 1, hour), 0))
	p.Transfer(Transfer{Call: 7, Topic: "bill", Queue: "desk", Agent: "bob", At: hour, Known: 9, ReAsked: 2})
	p.Transfer(Transfer{Call: 7, Topic: "bill", Queue: "desk", Agent: "bob", At: hour, Known: 9, ReAsked: 1})
	p.Transfer(Transfer{Call: 8, Topic: "bill", Queue: "desk", Agent: "bob", At: hour, Known: 9})
	p.Transfer(Transfer{Call: 9, Queue: "desk", At: 240 * hour, ReAsked: 5})
	p.Pop(Pop{Queue: "desk", Agent: "bob", At: 5, Ack: AckPainted, Rang: true, AfterAck: true})
	p.Pop(Pop{Queue: "desk", Agent: "bob", At: 5, Ack: AckLate, Rang: true})
	p.Pop(Pop{Queue: "desk", Agent: "bob", At: -1})
	var names []string
	byName := map[string]PainCounts{}
	for _, l := range p.Lines() {
		names = append(names, l.By+" "+l.Name)
		byName[l.By+" "+l.Name] = l.PainCounts
	}
	if want := []string{"all ", "topic bill", "queue care", "queue desk", "agent ann", "agent bob"}; !slices.Equal(names, want) {
		t.Errorf("lines %q", names)
	}
	desk := byName["queue desk"]
	if desk.Transfers != 3 || desk.Known != 27 || desk.ReAsked != 3 || !slices.Equal(p.Calls, []int64{7}) ||
		desk.Pops[AckPainted] != (PopCounts{1, 1, 1}) || desk.Pops[AckLate] != (PopCounts{1, 1, 0}) || desk.Pops[NoAck] != (PopCounts{}) {
		t.Errorf("%+v, calls %v", desk, p.Calls)
	}
	if byName["agent ann"].Closed != 1 || byName["agent bob"].Closed != 0 || byName["all "].Closed != 1 {
		t.Errorf("%+v", byName)
	}
}
