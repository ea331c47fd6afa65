package routing

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/match"
	"github.com/cordboard/cordboard/routing/rule"
)

// checkUsed: queues' names are counted as calls use them.
func checkUsed(t *testing.T, e *Engine) {
	used := map[string]int{}
	for _, c := range e.calls {
		c.names(func(name string) { used[name]++ })
	}
	if !maps.Equal(used, e.used) {
		t.Fatalf("queues in use: %v, counted %v", used, e.used)
	}
}

// checkWarm: the profiles whose demands are worked out are listed, with what they
// take.
func checkWarm(t *testing.T, e *Engine) {
	words := 0
	for i, p := range e.index.warm {
		if words += len(p.fitting); p.warmAt != i || p.fitting == nil || e.index.profiles[p.slot] != p {
			t.Fatalf("place %d of the profiles in use is of %+v", i, p)
		}
	}
	for _, p := range e.index.profiles {
		if p != nil && p.fitting != nil && e.index.warm[p.warmAt] != p {
			t.Fatalf("a profile in use is not listed: %+v", p)
		}
	}
	if words != e.index.profWords {
		t.Fatalf("profiles take %d words, counted %d", words, e.index.profWords)
	}
}

// settled does at one instant what an engine has pending, and says in how many
// Steps, none of which may be long.
func settled(t *testing.T, e *Engine, now time.Time) (steps int) {
	t.Helper()
	for due, ok := e.Deadline(); ok && !due.After(now); due, ok = e.Deadline() {
		if _, err := e.Step(now, Tick{}); err != nil {
			t.Fatal(err)
		}
		if steps++; e.slice.units > e.slice.mostUnits+5_000 {
			t.Fatalf("a Step of %d units", e.slice.units)
		}
		if steps > 1_000_000 {
			t.Fatal("no end")
		}
	}
	return steps
}

// staffed is a centre of so many agents, all but the last signed in, each with
// calls answered of late and a past of the last hour.
func staffed(t *testing.T, people int, change func(*Queue)) (*Engine, time.Time) {
	t.Helper()
	e, now := New(massPolicy(people, change)), tapeStart
	step := func(ev Event) {
		if _, err := e.Step(now, ev); err != nil {
			t.Fatal(err)
		}
	}
	for i := range people - 1 {
		step(DeskChanged{massAgent(i), true})
		step(AgentSignedIn{massAgent(i), agents.NotReady, "lunch"})
	}
	for i := range people - 1 {
		now = now.Add(time.Duration(i%7) * time.Second)
		step(AgentStateAsked{massAgent(i), agents.Available, ""})
	}
	for i := range people {
		a := e.agents[massAgent(i)]
		for n := range 1 + i%5 {
			a.answers.at = append(a.answers.at, now.UnixMicro()-int64(5-n)*200*second)
		}
		if a.state.SignedIn() {
			a.log.spans = []span{{now.UnixMicro() - 3000*second, busy}, {now.UnixMicro() - int64(i%50)*30*second, free}}
			e.measure(a)
		}
	}
	return e, now
}

// TestMeasuredAnewInSlices: a document with other windows has every agent measured
// anew, in slices, to what one Step would have measured; who signs in meanwhile
// starts at the lowest of all.
func TestMeasuredAnewInSlices(t *testing.T) {
	const people = 3000
	for _, policy := range []string{match.FewestCalls, match.LeastOccupied} {
		t.Run(policy, func(t *testing.T) {
			run := func(units int) *Engine {
				window := func(w time.Duration) func(*Queue) {
					return func(q *Queue) { q.Choose, q.ChooseWindow = policy, w }
				}
				e, now := staffed(t, people, window(5*time.Minute))
				e.Slices(units, 0)
				next := massPolicy(people, window(11*time.Minute))
				next.Version = 2
				if _, err := e.Step(now, PolicyChanged{Version: 2, Policy: next}); err != nil {
					t.Fatal(err)
				}
				if sliced := e.measuring != nil; sliced != (units == 0) {
					t.Fatalf("measured at once: %v", !sliced)
				}
				for _, ev := range []Event{
					DeskChanged{massAgent(people - 1), true}, AgentSignedIn{massAgent(people - 1), agents.Available, ""},
					AgentStateAsked{massAgent(people - 2), agents.NotReady, "lunch"}, AgentSignedOut{massAgent(people - 3)}, AgentSignedOut{massAgent(1)},
				} {
					if _, err := e.Step(now, ev); err != nil {
						t.Fatal(err)
					}
				}
				if steps := settled(t, e, now); units == 0 && steps < 2 {
					t.Fatalf("%d Steps", steps)
				}
				checkWorld(t, e)
				return e
			}
			whole, sliced := run(1<<40), run(0)
			told := map[string]bool{}
			for i := range people {
				a, b := whole.agents[massAgent(i)], sliced.agents[massAgent(i)]
				x, y := fmt.Sprint(a.answers.count, a.answers.head, a.shares), fmt.Sprint(b.answers.count, b.answers.head, b.shares)
				if x != y {
					t.Fatalf("agent %d: %s in slices, want %s", i, y, x)
				}
				told[x] = true
			}
			if len(told) < 4 {
				t.Fatalf("all are measured alike: %v", told)
			}
			if policy == match.FewestCalls && sliced.present[0].Len() != people-2 {
				t.Fatalf("%d are present", sliced.present[0].Len())
			}
		})
	}
}

// TestHeldInSlices: a reload that is applied routes the calls that hold for an
// agent again in slices, in order of turn.
func TestHeldInSlices(t *testing.T) {
	const calls = 6000
	holds := func(q *Queue) {
		q.Prefer = []rule.Prefer{{Who: string(massAgent(0)), Wait: 2 * time.Minute, Hold: true}}
	}
	e, now := New(massPolicy(2, holds)), tapeStart
	step := func(ev Event) []Action {
		t.Helper()
		acts, err := e.Step(now, ev)
		if err != nil {
			t.Fatal(err)
		}
		return slices.Clone(acts)
	}
	step(DeskChanged{massAgent(0), true})
	step(AgentSignedIn{massAgent(0), agents.NotReady, "lunch"})
	for id := range CallID(calls) {
		step(CallArrived{Call: calls - id})
	}
	if e.held.Len() != calls {
		t.Fatalf("%d calls hold", e.held.Len())
	}
	next := massPolicy(2, holds)
	next.Version = 2
	acts := step(PolicyChanged{Version: 2, Policy: next, Waiting: ApplyWaiting})
	if !e.gathers() {
		t.Fatal("all were listed in one Step")
	}
	checkWorld(t, e)
	var order []CallID
	for steps := 0; ; steps++ {
		for _, a := range acts {
			if q, ok := a.(Enqueued); ok && q.Version == 2 {
				order = append(order, q.Call)
			}
		}
		if e.slice.units > sliceUnits+5_000 {
			t.Fatalf("a Step of %d units", e.slice.units)
		}
		if due, ok := e.Deadline(); !ok || due.After(now) {
			break
		}
		acts = step(Tick{})
	}
	want := make([]CallID, calls)
	for i := range want {
		want[i] = CallID(i + 1)
	}
	if !reflect.DeepEqual(order, want) {
		t.Fatalf("%d calls routed again, the first are %v", len(order), order[:min(len(order), 5)])
	}
	checkWorld(t, e)
}

// TestLongDecisionBeginsAStep: a decision that may look at very much is not put on
// top of others.
func TestLongDecisionBeginsAStep(t *testing.T) {
	s := slice{mostUnits: 1000}
	s.begin()
	if !s.roomFor(70_000) {
		t.Error("a long one never begins")
	}
	s.units = 900
	if s.roomFor(200) || !s.roomFor(100) {
		t.Error("a slice of 1000 units has room for 100 after 900, and no more")
	}
	s.mostUnits, s.units = 1, 1
	if !s.roomFor(5) {
		t.Error("the smallest slice has no room at all")
	}
}

// TestQuestionInPieces: an answer in the smallest pieces is that of one piece, and
// the piece that suggests changes looks at one agent.
func TestQuestionInPieces(t *testing.T) {
	const people, calls = 40, 300
	e, now := New(massPolicy(people, nil)), tapeStart
	for i := range people {
		for _, ev := range []Event{DeskChanged{massAgent(i), true}, AgentSignedIn{massAgent(i), agents.NotReady, fmt.Sprint("lunch", i)}} {
			if _, err := e.Step(now, ev); err != nil {
				t.Fatal(err)
			}
		}
	}
	for id := range CallID(calls) {
		if _, err := e.Step(now, CallArrived{Call: id + 1}); err != nil {
			t.Fatal(err)
		}
	}
	whole, small := NewQuestion(calls/2), NewQuestion(calls/2)
	if !e.Answer(whole, 1<<40) {
		t.Fatal("not done")
	}
	pieces := 1
	for !e.Answer(small, 1) {
		if pieces++; pieces > 10_000 {
			t.Fatal("no end")
		}
	}
	x, _ := whole.Result()
	y, _ := small.Result()
	if !reflect.DeepEqual(x, y) || len(x.Changes) != maxChanges || x.Record.SignedIn != people {
		t.Fatalf("%+v\nnot\n%+v", y, x)
	}
	if pieces < people+nearKept {
		t.Fatalf("%d pieces", pieces)
	}
}
