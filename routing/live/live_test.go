package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

func policy() *routing.Policy {
	q := &routing.Queue{
		Name: "q", Choose: "longest_idle", AnswerWithin: 20 * time.Second, RingTimeout: 20 * time.Second, RONA: routing.RONA{NotReady: true, After: 1},
		Pop: routing.PopPolicy{Deadline: 1500 * time.Millisecond, Late: routing.LateRingAnyway}, WrapUp: routing.WrapUpPolicy{Time: 5 * time.Second, Disposition: "optional"},
	}
	p := &routing.Policy{
		Version: 1, Zone: time.UTC, MilliPoints: 1000, Queues: map[string]*routing.Queue{"q": q}, Route: &rule.Node{Queue: "q"}, Agents: map[agents.ID]agents.Agent{},
	}
	for _, id := range []agents.ID{"ann", "bob", "carl"} {
		p.Agents[id] = agents.Agent{ID: id, Desk: true}
	}
	return p
}

// book is a journal in memory that keeps what a real one would.
type book struct {
	at    []time.Time
	kinds []string
	lines [][]byte
	fail  error
}

func (b *book) Append(at time.Time, ev routing.Event) error {
	if b.fail != nil {
		return b.fail
	}
	line, err := routing.AppendEvent(nil, ev)
	b.at, b.kinds, b.lines = append(b.at, at), append(b.kinds, ev.Kind()), append(b.lines, line)
	return err
}

// robots are desks and phones that do their part at once.
type robots struct {
	d   *Driver
	log []string
}

func record(at time.Time, acts []routing.Action) []string {
	var out []string
	for _, a := range acts {
		b, err := json.Marshal(a)
		if err != nil {
			panic(err)
		}
		out = append(out, fmt.Sprintf("%d %s %s", at.UnixMicro(), a.Kind(), b))
	}
	return out
}

func (r *robots) Do(at time.Time, acts []routing.Action) {
	r.log = append(r.log, record(at, acts)...)
	for _, a := range acts {
		switch a := a.(type) {
		case routing.OfferCall:
			if a.Call%3 > 0 { // some desks are silent
				r.d.Submit(routing.PopAcked{Offer: a.Offer, Mode: routing.Painted})
			}
		case routing.Ring:
			if a.Call%5 > 0 { // some phones ring out
				r.d.Submit(routing.PhoneAnswered{Offer: a.Offer})
			}
		}
	}
}

// TestReplay runs a quarter of an hour of a small centre, then feeds the
// journal to a new engine: every action must come out the same, byte for byte.
func TestReplay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal, r := &book{}, &robots{}
		d := New(routing.New(policy()), Options{Ports: []Port{r}, Journal: journal})
		r.d = d
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		for _, id := range []agents.ID{"ann", "bob", "carl"} {
			d.Submit(routing.DeskChanged{Agent: id, Up: true})
			d.Submit(routing.AgentSignedIn{Agent: id, State: agents.Available})
		}
		for i := range routing.CallID(60) {
			d.Submit(routing.CallArrived{Call: i + 1, Attrs: rule.Call{Trunk: "main"}})
			time.Sleep(7 * time.Second)
			if i > 3 {
				d.Submit(routing.CallerGone{Call: i - 2})
			}
			if i%20 == 19 {
				for _, id := range []agents.ID{"ann", "bob", "carl"} {
					d.Submit(routing.AgentStateAsked{Agent: id, State: agents.Available})
				}
			}
		}
		time.Sleep(3 * time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(journal.kinds, "tick") || len(r.log) < 300 {
			t.Fatalf("a dull day: %d actions", len(r.log))
		}
		e := routing.New(policy())
		var again []string
		for i, kind := range journal.kinds {
			ev, err := routing.DecodeEvent(kind, journal.lines[i])
			if err != nil {
				t.Fatal(err)
			}
			acts, err := e.Step(journal.at[i], ev)
			if err != nil {
				t.Fatal(err)
			}
			again = append(again, record(journal.at[i], acts)...)
		}
		for i := range min(len(again), len(r.log)) {
			if again[i] != r.log[i] {
				t.Fatalf("action %d: live\n%s\nreplay\n%s", i, r.log[i], again[i])
			}
		}
		if len(again) != len(r.log) {
			t.Fatalf("%d actions live, %d in the replay", len(r.log), len(again))
		}
	})
}

type sink struct{}

func (sink) Do(time.Time, []routing.Action) {}

func TestMailbox(t *testing.T) {
	d := New(routing.New(policy()), Options{MaxArrivals: 2})
	for i := range routing.CallID(2) {
		if !d.TrySubmit(routing.CallArrived{Call: i + 1}) {
			t.Fatalf("arrival %d refused", i+1)
		}
	}
	if d.TrySubmit(routing.CallArrived{Call: 3}) {
		t.Fatal("a third arrival was taken")
	}
	if !d.TrySubmit(routing.CallerGone{Call: 1}) {
		t.Fatal("an event of a call in hand was refused")
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	// From many goroutines: nothing is lost.
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 50 {
				d.Submit(routing.CallArrived{Call: routing.CallID(100 + i*50 + k)})
			}
		})
	}
	wg.Wait()
	s, err := d.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Calls) != 401 {
		t.Fatalf("%d calls, 401 came and stayed", len(s.Calls))
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if _, err := d.Snapshot(context.Background()); !errors.Is(err, ErrStopped) {
		t.Fatalf("snapshot of a stopped driver: %v", err)
	}
	if d.TrySubmit(routing.CallArrived{Call: 900}) {
		t.Fatal("a stopped driver took an arrival")
	}
}

// TestPanic: what breaks in one event ends that call, and the driver goes on.
func TestPanic(t *testing.T) {
	core, logs := observer.New(zapcore.ErrorLevel)
	broken := policy()
	broken.Queues["q"].Late = &routing.AfterPolicy{After: time.Second}
	broken.Calendars = map[string]*routing.Calendar{"none": {}} // no zone: reading it panics
	broken.Queues["bad"] = &routing.Queue{Name: "bad", Hours: "none"}
	cond, err := rule.Compile(`call.trunk == "bad"`, rule.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	broken.Route.Children = []*rule.Node{{Name: "bad", When: cond, Queue: "bad"}}
	ends := make(chan routing.EndCall, 4)
	d := New(routing.New(broken), Options{Ports: []Port{sink{}, onEnd(ends)}, Log: zap.New(core), Journal: &book{fail: errors.New("full")}})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	d.Submit(routing.CallArrived{Call: 1, Attrs: rule.Call{Trunk: "bad"}})
	d.Submit(routing.CallArrived{Call: 2})
	d.Submit(routing.CallerGone{Call: 2})
	for _, want := range []routing.Outcome{routing.Failed, routing.Abandoned} {
		select {
		case end := <-ends:
			if end.Outcome != want {
				t.Fatalf("call %d ends %s, want %s", end.Call, end.Outcome, want)
			}
		case <-time.After(time.Minute):
			t.Fatalf("no end %s", want)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("run: %v", err)
	}
	if logs.FilterMessage("routing failed").FilterField(zap.String("event", "call_arrived")).Len() != 1 {
		t.Errorf("the panic is not in the log: %v", logs.All())
	}
	if logs.FilterMessage("journal does not take an event").Len() == 0 {
		t.Error("a journal that fails is not in the log")
	}
}

type onEnd chan routing.EndCall

func (c onEnd) Do(_ time.Time, acts []routing.Action) {
	for _, a := range acts {
		if end, ok := a.(routing.EndCall); ok {
			c <- end
		}
	}
}
