package sim_test

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/routing/sim"
)

// night is when the clocks go back, an hour and a half into the tape.
var night = time.Date(2026, 10, 24, 23, 30, 0, 0, time.UTC)

// server plays what a server does and keeps its journal: documents and directories
// change, it stops and starts again, callbacks outlive it.
type server struct {
	t       *testing.T
	rng     *rand.Rand
	e       *routing.Engine
	now     time.Time
	version int
	list    int // the directory
	next    routing.CallID
	// document is that of a version, with the agents of a directory; instead is
	// what happens in place of an event, if it says so.
	document func(t *testing.T, version, list int) *routing.Policy
	instead  func(*server) routing.Event
	calls    []routing.CallID
	offers   map[routing.CallID]routing.Offer
	last     routing.Offer // made to anybody
	talk     routing.Offer // begun
	asks     routing.Offer // whose agent asks another
	tries    map[routing.CallID]int
	places   map[routing.CallID]*routing.Kept

	journal []line
	reached map[string]int // what has happened, so that nothing is left out
}

// line is one of the journal, and what the event led to.
type line struct {
	at   time.Time
	kind string
	body []byte
	did  [][]byte
}

// document is a version with the agents of a directory: hours in a zone whose clock
// changes, callbacks, a reserve, a group, steps and preferred agents.
func document(t *testing.T, version, list int) *routing.Policy {
	zone, err := time.LoadLocation("Europe/Sofia")
	if err != nil {
		t.Fatal(err)
	}
	queue := func(name string) *routing.Queue {
		return &routing.Queue{
			Name: name, SpeakLevel: 5, Choose: []string{"longest_idle", "least_occupied", "fewest_calls", "round_robin"}[version%4], ChooseWindow: time.Duration(5+version%3) * time.Minute,
			AnswerWithin: 20 * time.Second, RingTimeout: 15 * time.Second, RONA: routing.RONA{NotReady: true, After: 1, BackAfter: 20 * time.Second},
			Pop: routing.PopPolicy{Deadline: 1500 * time.Millisecond, Late: routing.LateNextAgent}, WrapUp: routing.WrapUpPolicy{Time: 5 * time.Second, Disposition: "optional"}, Closed: rule.Treatment{Hangup: true},
		}
	}
	a, b := queue("a"), queue("b")
	wide := rule.Need{All: []agents.Range{{Skill: "x", Min: 1}}}
	a.Need, a.Steps = rule.Need{All: []agents.Range{{Skill: "x", Min: 5}}}, []routing.Step{{After: 9 * time.Second, Need: &wide}, {After: 20 * time.Second, PriorityAdd: 30}}
	a.Callback = &rule.Callback{FirstOffer: 2 * time.Second, Key: "1", Attempts: 2, Retry: time.Minute, Expires: 2 * time.Hour}
	a.Reserve = []routing.Reserve{{Team: "t1", Join: routing.ReserveJoin{Waiting: 2}, Leave: routing.ReserveLeave{For: 5 * time.Second}}}
	a.Full = &routing.FullPolicy{Waiting: 4, Then: rule.Treatment{Callback: true, Else: &rule.Treatment{Queue: "b"}}}
	b.Hours, b.RingSize = "night", 2
	b.Closed = rule.Treatment{Callback: true}
	b.Callback = a.Callback
	b.Prefer = []rule.Prefer{{Who: "last_agent", Wait: 8 * time.Second}}
	shop := &routing.Calendar{Name: "night", Zone: zone}
	for d := range shop.Week { // 03:10 comes twice, and the shop with it
		shop.Week[d] = []routing.Interval{{From: 2 * 60, To: 3*60 + 10}, {From: 3*60 + 20, To: 4*60 + 15}, {From: 4*60 + 20, To: 24 * 60}}
	}
	when, err := rule.Compile(`call.trunk == "b"`, rule.CompileOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := &routing.Policy{
		Version: version, SHA256: fmt.Sprint("v", version), Directory: fmt.Sprint("d", list), Zone: zone, MilliPoints: 1000, Languages: []string{"en"}, DefaultLanguage: "en",
		Record: routing.RecordPolicy{Deadline: 800 * time.Millisecond, Reconsider: true, LateFor: 20 * time.Second}, Calendars: map[string]*routing.Calendar{"night": shop},
		Queues: map[string]*routing.Queue{"a": a, "b": b}, Route: &rule.Node{Queue: "a", Children: []*rule.Node{{Name: "b", When: when, Queue: "b", PriorityAdd: 20}}},
		Agents: map[agents.ID]agents.Agent{}, Transfers: routing.TransferPolicy{CreditWaited: true, UnansweredAfter: 20 * time.Second, UnansweredReturn: true, Numbers: routing.NumberPolicy{To: []string{"GB"}}},
	}
	for i := range 6 {
		if i == list%6 {
			continue // has left, or is not there yet
		}
		id := agents.ID(fmt.Sprint("a", i))
		p.Agents[id] = agents.Agent{ID: id, Skills: agents.NewSkills(map[agents.Skill]agents.Level{"x": agents.Level(1 + (i*3+list)%10)}), Team: fmt.Sprint("t", i%2), Desk: true, Phone: agents.Phone{URI: "sip:x@192.0.2.1"}}
	}
	p.Prepare()
	return p
}

// start begins a run: a new engine, and the places that are kept.
func (s *server) start() {
	p := s.document(s.t, s.version, s.list)
	s.e = routing.New(p)
	s.e.Slices(0, 0)
	s.calls, s.offers, s.tries = nil, map[routing.CallID]routing.Offer{}, map[routing.CallID]int{}
	s.step(routing.Started{Version: p.Version, SHA256: p.SHA256, Directory: p.Directory})
	for _, id := range slices.Sorted(maps.Keys(s.places)) {
		if k := s.places[id]; !k.Over(s.now) {
			s.calls = append(s.calls, id)
			s.reached["restored"]++
			s.step(routing.CallbackRestored{Call: id, Caller: fmt.Sprint("n", id), Kept: *k})
		}
	}
	for i := range 6 {
		s.step(routing.DeskChanged{Agent: agents.ID(fmt.Sprint("a", i)), Up: true})
		s.step(routing.AgentSignedIn{Agent: agents.ID(fmt.Sprint("a", i)), State: agents.Available})
	}
}

func (s *server) step(ev routing.Event) {
	body, err := routing.AppendEvent(nil, ev)
	if err != nil {
		s.t.Fatal(err)
	}
	acts, _ := s.e.Step(s.now, ev) // what is refused is refused again
	s.journal = append(s.journal, line{s.now, ev.Kind(), body, encoded(s.t, acts)})
	for _, a := range acts {
		s.reached[a.Kind()]++
		if of, ok := routing.About(a); ok {
			if k := s.places[of.Call]; k != nil && !k.Follow(a) {
				delete(s.places, of.Call)
			}
		}
		switch a := a.(type) {
		case routing.CallbackTaken:
			s.places[a.Call] = &a.Kept
		case routing.OfferCall:
			s.offers[a.Call], s.last = a.Offer, a.Offer
		case routing.Connect:
			s.talk = a.Offer
		case routing.ConsultStarted:
			s.asks, s.calls = a.Offer, append(s.calls, a.Consult)
		case routing.CallCustomer:
			s.tries[a.Call] = a.Try
		case routing.EndCall:
			delete(s.places, a.Call)
			s.calls = slices.DeleteFunc(s.calls, func(c routing.CallID) bool { return c == a.Call })
		}
	}
}

func encoded(t *testing.T, acts []routing.Action) (out [][]byte) {
	for _, a := range acts {
		text, err := routing.AppendAction([]byte(a.Kind()+" "), a)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, text)
	}
	return out
}

// event is something that may happen now.
func (s *server) event() routing.Event {
	id := agents.ID(fmt.Sprint("a", s.rng.IntN(6)))
	if len(s.calls) == 0 || len(s.calls) < 12 && s.rng.IntN(4) == 0 {
		s.next++
		s.calls = append(s.calls, s.next)
		return routing.CallArrived{Call: s.next, Attrs: rule.Call{Trunk: []string{"a", "b"}[s.rng.IntN(2)], Language: "en", ANIKnown: true}, Caller: fmt.Sprint("n", s.next%9)}
	}
	call := s.calls[s.rng.IntN(len(s.calls))]
	o := s.offers[call]
	switch s.rng.IntN(17) {
	case 16:
		return []routing.Event{routing.NumberAnswered{Call: call}, routing.NumberFailed{Call: call, Code: 486}, routing.NumberGone{Call: call}}[s.rng.IntN(3)]
	case 0, 1:
		return routing.CustomerResolved{Call: call, Customer: rule.Customer{Known: true, LastAgent: string(id)}}
	case 2:
		return routing.CallerGone{Call: call}
	case 3, 4:
		return routing.PopAcked{Offer: o, Mode: routing.Painted}
	case 5, 6, 7:
		return routing.PhoneAnswered{Offer: o}
	case 8:
		return routing.PhoneFailed{Offer: o, Code: []int{486, 603}[s.rng.IntN(2)]}
	case 9:
		return routing.HangupRequested{Offer: o}
	case 10, 11:
		return routing.CallbackAccepted{Call: call}
	case 12:
		if s.rng.IntN(2) == 0 {
			return routing.CustomerMissed{Call: call, Try: s.tries[call], Code: 486}
		}
		return routing.CustomerAnswered{Call: call, Try: s.tries[call]}
	case 13:
		return routing.AgentSignedIn{Agent: id, State: agents.Available}
	case 14:
		return []routing.Event{routing.AgentSignedOut{Agent: id}, routing.AgentStateAsked{Agent: id, State: agents.NotReady, Reason: "lunch"}, routing.AgentStateAsked{Agent: id, State: agents.Available}}[s.rng.IntN(3)]
	}
	if s.rng.IntN(2) == 0 {
		return routing.TransferRequested{Offer: o, Outside: routing.Outside{Ref: 1, Country: "GB"}}
	}
	return routing.TransferRequested{Offer: o, Queue: "b"}
}

// change is what an operator does now and then.
func (s *server) change() {
	switch s.rng.IntN(60) {
	case 0:
		s.version++
		p := s.document(s.t, s.version, s.list)
		s.reached["reload"]++
		s.step(routing.PolicyChanged{Version: p.Version, SHA256: p.SHA256, Directory: p.Directory, Waiting: []string{routing.KeepWaiting, routing.ApplyWaiting}[s.rng.IntN(2)], Policy: p})
	case 1:
		s.list++
		p := s.document(s.t, s.version, s.list)
		s.reached["directory"]++
		s.step(routing.DirectoryChanged{SHA256: p.Directory, Policy: p})
	case 2:
		if s.rng.IntN(8) == 0 {
			s.reached["restart"]++
			s.start()
		}
	}
}

// TestReplay: what the journal of a server holds is decided again as it was, event by
// event: over reloads, other directories, restarts, callbacks that outlive them and
// the night in which the clocks go back. Every record names each agent who was
// signed in once, and choosing again among its candidates chooses the same.
func TestReplay(t *testing.T) {
	for seed := range uint64(3) {
		s := tapeOf(t, seed, 6000, document, func(*server) routing.Event { return nil })
		for _, what := range []string{"restored", "reload", "directory", "restart", "callback_taken", "callback_reached", "callback_missed", "reserve_changed", "connect", "held", "turned_away", "transferred", "pass_out"} {
			if s.reached[what] == 0 {
				t.Errorf("seed %d: no %s: %v", seed, what, s.reached)
			}
		}
		if ended := s.now.Sub(night); ended < 2*time.Hour {
			t.Errorf("seed %d: the tape ends after %s, before the clocks have gone back", seed, ended)
		}
		replayed(t, seed, s)
	}
}

// tapeOf plays a server for so many events.
func tapeOf(t *testing.T, seed uint64, events int, document func(*testing.T, int, int) *routing.Policy, instead func(*server) routing.Event) *server {
	t.Helper()
	s := &server{t: t, document: document, instead: instead, rng: rand.New(rand.NewPCG(seed, 4)), now: night, version: 1, places: map[routing.CallID]*routing.Kept{}, reached: map[string]int{}}
	s.start()
	for range events {
		for due, ok := s.e.Deadline(); ok && !due.After(s.now); due, ok = s.e.Deadline() {
			s.step(routing.Tick{})
		}
		s.now = s.now.Add(time.Duration(s.rng.IntN(8000)) * time.Millisecond)
		if due, ok := s.e.Deadline(); ok && due.Before(s.now) {
			s.now = due
			continue
		}
		s.change()
		if ev := s.instead(s); ev != nil {
			s.step(ev)
			continue
		}
		s.step(s.event())
	}
	return s
}

// documents finds the document of a version, with the agents of a directory.
func documents(t *testing.T, document func(*testing.T, int, int) *routing.Policy) func(version int, sha, directory string) (*routing.Policy, error) {
	found := map[string]*routing.Policy{}
	return func(version int, sha, directory string) (*routing.Policy, error) {
		key := fmt.Sprint(sha, " ", directory)
		if found[key] == nil {
			var list int
			if _, err := fmt.Sscanf(directory, "d%d", &list); err != nil {
				return nil, fmt.Errorf("directory %q: %w", directory, err)
			}
			found[key] = document(t, version, list)
		}
		if found[key].SHA256 != sha {
			return nil, errors.New("another document")
		}
		return found[key], nil
	}
}

func replayed(t *testing.T, seed uint64, s *server) {
	t.Helper()
	records, chosen := 0, 0
	var did [][]byte
	r := sim.Replay{
		Policy: documents(t, document),
		Tell: func(r routing.Record) {
			records++
			seen := slices.Concat(r.Free, r.Group)
			for _, l := range r.LeftOut {
				seen = append(seen, l.Agent)
			}
			if r.Chosen != "" {
				seen = append(seen, r.Chosen)
			}
			slices.Sort(seen)
			if len(slices.Compact(slices.Clone(seen))) != r.SignedIn || len(seen) != r.SignedIn {
				t.Fatalf("seed %d, call %d: %d signed in, named %v", seed, r.Call, r.SignedIn, seen)
			}
			if r.Kind != routing.Given {
				return
			}
			if chosen++; r.Decide() != r.Chosen {
				t.Fatalf("seed %d, call %d: %s was chosen, decided again %s of %+v", seed, r.Call, r.Chosen, r.Decide(), r.Terms)
			}
		},
		Done: func(_ time.Time, _ routing.Event, acts []routing.Action) { did = encoded(t, acts) },
	}
	for i, l := range s.journal {
		ev, err := routing.DecodeEvent(l.kind, l.body)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Event(l.at, ev); err != nil {
			t.Fatalf("seed %d, event %d, %s: %v", seed, i, l.kind, err)
		}
		if !slices.EqualFunc(did, l.did, bytes.Equal) {
			t.Fatalf("seed %d, event %d, %s %s at %s led to\n%s\nthen to\n%s", seed, i, l.kind, l.body, l.at, bytes.Join(l.did, []byte("\n")), bytes.Join(did, []byte("\n")))
		}
	}
	if records < 500 || chosen < 200 {
		t.Errorf("seed %d: %d records, %d of a choice", seed, records, chosen)
	}
}
