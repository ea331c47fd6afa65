package statistics

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/store"
)

const document = `cordboard: routing/1
name: Counted
zone: Europe/Vienna
skills: {x: {}, y: {}}
calendars: {day: {week: {mon-sun: "07:00-21:00"}}}
statistics: {%s}
queues:
  a: {need: {all: {x: 1}}, late: {after: 40s, then: {play: sorry, queue: b}}, ring: {timeout: 10s}, wrap_up: {time: 5s}}
  b: {need: {all: {y: 1}}, full: {waiting: 2, then: {play: sorry, hangup: true}}, late: {after: 2m, then: {hangup: true}}, hours: day, closed: {then: {queue: c}}}
  c: {answer_within: 10s, nobody: {for: 30s, then: {reject: 480}}, late: {after: 1m, then: {play: sorry, hangup: true}}, need: {all: {y: 5}}}
route:
  queue: a
  routes:
    - {name: b, when: 'call.trunk == "b"', queue: b}
    - {name: c, when: 'call.trunk == "c"', queue: c}
    - {name: no, when: 'call.trunk == "no"', then: {reject: 603}}
agents:
  ann: {name: Ann Berger, phone: "sip:ann@192.0.2.1", skills: {x: 5}}
  bea: {name: Bea Lang, phone: "sip:bea@192.0.2.2", skills: {x: 1, y: 4}}
  cem: {name: Cem Oral, phone: "sip:cem@192.0.2.3", skills: {y: 9}}
`

func policy(t *testing.T, statistics string) *routing.Policy {
	t.Helper()
	p, findings := configs.ParseRouting("x.yaml", fmt.Appendf(nil, document, statistics))
	if p == nil {
		t.Fatal(findings)
	}
	return p
}

func openStore(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: path, Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// centre is an engine under random calls, with the ledger and the book that
// follow it.
type centre struct {
	*testing.T
	rng    *rand.Rand
	policy *routing.Policy
	engine *routing.Engine
	store  *store.Store
	path   string
	book   *Book
	now    time.Time
	calls  []routing.CallID
	offers map[routing.CallID]routing.Offer
	rings  []routing.Offer // some may be over
}

func (c *centre) open() {
	c.store = openStore(c.T, c.path)
	c.engine = routing.New(c.policy)
	c.book = NewBook(c.policy, BookOptions{Ledger: c.store, Flush: c.store.Flush, Log: zap.NewNop()})
	c.book.Begin(c.policy, c.now)
	c.book.reading.Wait()
	c.calls, c.offers = nil, map[routing.CallID]routing.Offer{}
	for id := range c.policy.Agents {
		c.step(routing.DeskChanged{Agent: id, Up: true})
	}
}

func (c *centre) step(ev routing.Event) {
	acts, _ := c.engine.Step(c.now, ev)
	c.store.Do(c.now, acts)
	c.book.Do(c.now, acts)
	for _, a := range acts {
		switch a := a.(type) {
		case routing.OfferCall:
			c.offers[a.Call] = a.Offer
		case routing.Ring:
			c.rings = append(c.rings, a.Offer)
		}
	}
}

func (c *centre) random() {
	agent := []agents.ID{"ann", "bea", "cem"}[c.rng.IntN(3)]
	var call routing.CallID
	if len(c.calls) > 0 {
		call = c.calls[max(0, len(c.calls)-1-c.rng.IntN(8))]
	}
	o := c.offers[call]
	switch n := c.rng.IntN(100); {
	case n < 20:
		id := c.store.NextCall()
		c.calls = append(c.calls, id)
		c.store.Arrived(store.Arrival{Call: id, Trunk: "main", At: c.now})
		c.step(routing.CallArrived{Call: id, Attrs: rule.Call{Trunk: []string{"a", "a", "b", "b", "c", "no"}[c.rng.IntN(6)]}})
	case n < 36:
		c.step(routing.PopAcked{Offer: o, Mode: routing.Painted})
	case n < 56:
		for _, o := range c.rings {
			c.step(routing.PhoneAnswered{Offer: o})
		}
		c.rings = nil
	case n < 64:
		c.step(routing.CallerGone{Call: call})
	case n < 67:
		c.step(routing.CallFailed{Call: call, Reason: "test"})
	case n < 71:
		c.step(routing.TransferRequested{Offer: o, Queue: []string{"a", "b", "c"}[c.rng.IntN(3)]})
	case n < 74:
		c.step(routing.JoinFailed{Offer: o, Reason: "test"})
	case n < 80:
		c.step(routing.HangupRequested{Offer: o})
	case n < 84:
		c.step(routing.TreatmentPlayed{Call: call})
	case n < 94:
		c.step(routing.AgentSignedIn{Agent: agent, State: agents.Available})
		c.step(routing.AgentStateAsked{Agent: agent, State: agents.Available})
	case n < 97:
		c.step(routing.OfferRefused{Offer: o})
	default:
		c.step(routing.AgentSignedOut{Agent: agent})
	}
}

// pass lets time go on, deadline by deadline.
func (c *centre) pass(d time.Duration) {
	until := c.now.Add(d)
	for due, ok := c.engine.Deadline(); ok && due.Before(until); due, ok = c.engine.Deadline() {
		c.now = due
		c.step(routing.Tick{})
	}
	c.now = until
}

// compare holds the book's day against a report of the ledger, and both against
// the rule that offered calls are the sum of what became of them.
func (c *centre) compare(at string) map[string]figures.Counts {
	c.Helper()
	if err := c.store.Flush(c.Context()); err != nil {
		c.Fatal(err)
	}
	day, lines, known := c.book.Day(c.now)
	if !known {
		c.Fatalf("%s: the day is not known", at)
	}
	r, err := Build(c.Context(), c.store, c.policy, Query{From: day, To: c.policy.Service.NextDay(day), Intervals: true}, c.now)
	if err != nil {
		c.Fatal(err)
	}
	recount, intervals := map[string]figures.Counts{}, map[string]figures.Counts{}
	for _, l := range r.Lines {
		if l.Counts != (figures.Counts{}) {
			recount[l.Queue] = l.Counts
		}
	}
	for _, l := range r.Intervals {
		sum := intervals[l.Queue]
		sum.Add(l.Counts, 1)
		intervals[l.Queue] = sum
	}
	if !reflect.DeepEqual(lines, recount) || !reflect.DeepEqual(intervals, recount) {
		c.Fatalf("%s at %s:\nlive      %+v\nrecounted %+v\nintervals %+v", at, c.now, lines, recount, intervals)
	}
	for queue, n := range recount {
		if n.Offered != n.Answered+n.Abandoned+n.MovedOn+n.Treated+n.Failed+n.Waiting || n.Decided > n.Offered || n.InTime > n.Answered {
			c.Fatalf("%s: queue %q does not add up: %+v", at, queue, n)
		}
	}
	return recount
}

// Live counters equal a recount of the ledger: at any moment, over midnight and
// the beginning of the day, after a restart that cut calls off, and after a
// reload that counts otherwise.
func TestLiveEqualsRecount(t *testing.T) {
	for name, statistics := range map[string]string{
		"by event":   `day_starts: "06:00"`,
		"by arrival": `service_level: {formula: answered_only, count_in: arrival}, interval: 60m`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := &centre{
				T: t, rng: rand.New(rand.NewPCG(11, 4)), policy: policy(t, statistics), path: filepath.Join(t.TempDir(), "ledger.db"),
				now: time.Date(2026, 4, 15, 2, 0, 0, 0, time.UTC),
			}
			c.open()
			defer func() { c.book.Close(); _ = c.store.Close() }()
			states := figures.Counts{}
			days := map[time.Time]bool{}
			for i := range 1500 {
				c.random()
				c.pass(time.Duration(c.rng.IntN(9_000)) * time.Millisecond)
				if i%40 == 39 {
					c.pass(time.Duration(c.rng.IntN(4)) * time.Hour)
				}
				switch {
				case i%125 == 124:
					lines := c.compare("under way")
					for _, l := range lines {
						states.Add(l, 1)
					}
					if n := lines[figures.Centre].MovedOn; n != 0 {
						t.Fatalf("%d calls moved on from the centre", n)
					}
					days[c.policy.Service.Day(c.now)] = true
				case i == 500:
					c.book.Close()
					if err := c.store.Close(); err != nil {
						t.Fatal(err)
					}
					c.now = c.now.Add(time.Minute)
					c.open()
					c.compare("after a restart")
				case i == 1000:
					next := *c.policy
					next.Service.Short = 20 * time.Second
					c.policy = &next
					c.step(routing.PolicyChanged{Version: 2, Policy: &next})
					c.book.Begin(&next, c.now)
					c.book.reading.Wait()
					c.compare("after a reload")
				}
			}
			for what, n := range map[string]int{
				"answered": states.Answered, "abandoned": states.Abandoned, "moved on": states.MovedOn, "treated": states.Treated,
				"failed": states.Failed, "waiting": states.Waiting, "short": states.Short, "in time": states.InTime, "given up in time": states.GaveUp,
			} {
				if n == 0 {
					t.Errorf("no call was ever %s: nothing is tested of it", what)
				}
			}
			if len(days) < 3 {
				t.Errorf("only %d days were looked at", len(days))
			}
		})
	}
}

// A call that ends while the day so far is read is counted once.
func TestBookReadsBesideCalls(t *testing.T) {
	p := policy(t, "")
	s := openStore(t, filepath.Join(t.TempDir(), "ledger.db"))
	defer func() { _ = s.Close() }()
	at := time.Date(2026, 4, 15, 10, 0, 0, 0, time.UTC)
	reading, goOn := make(chan struct{}), make(chan struct{})
	book := NewBook(p, BookOptions{Ledger: s, Log: zap.NewNop(), Flush: func(ctx context.Context) error {
		close(reading)
		<-goOn
		return s.Flush(ctx)
	}})
	defer book.Close()
	do := func(at time.Time, acts ...routing.Action) { s.Do(at, acts); book.Do(at, acts) }
	arrive := func(at time.Time) routing.CallID {
		id := s.NextCall()
		s.Arrived(store.Arrival{Call: id, At: at})
		do(at, routing.ResolveCustomer{Call: id}, routing.Enqueued{Call: id, Queue: "a", Since: at, Entered: at})
		return id
	}
	end := func(at time.Time, id routing.CallID) {
		do(at, routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller, Queue: "a"})
	}
	before, over := arrive(at), arrive(at)
	end(at.Add(time.Minute), over)
	book.Begin(p, at.Add(2*time.Minute))
	<-reading
	if _, _, known := book.Day(at.Add(2 * time.Minute)); known {
		t.Error("the day is known before it is read")
	}
	during := arrive(at.Add(2 * time.Minute)) // at the very instant, and over at once
	end(at.Add(2*time.Minute), during)
	end(at.Add(2*time.Minute), before)
	close(goOn)
	book.reading.Wait()
	_, lines, known := book.Day(at.Add(3 * time.Minute))
	if want := (figures.Counts{Offered: 3, Abandoned: 3, Short: 1, ShortInTime: 1, Decided: 2}); !known || lines["a"] != want {
		t.Errorf("known %v, %+v, want %+v", known, lines["a"], want)
	}
}
