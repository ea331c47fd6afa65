package sim_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/routing/sim"
)

// ledgerEvent is an action as the ledger keeps it.
type ledgerEvent struct {
	at   time.Time
	kind string
	data []byte
}

// ledger is what a journal led to, by call; 0 has what is about none.
func ledger(t *testing.T, list []line) map[routing.CallID][]ledgerEvent {
	t.Helper()
	out := map[routing.CallID][]ledgerEvent{}
	for _, l := range list {
		for _, d := range l.did {
			kind, data, _ := strings.Cut(string(d), " ")
			var of struct {
				Call routing.CallID `json:"call"`
			}
			if err := json.Unmarshal([]byte(data), &of); err != nil {
				t.Fatal(err)
			}
			if kind == "agent_changed" {
				of.Call = 0
			}
			out[of.Call] = append(out[of.Call], ledgerEvent{l.at, kind, []byte(data)})
		}
	}
	return out
}

// known is a document in which much hangs on who the customer is: routes, steps,
// callbacks, whom the call prefers, its language.
func known(t *testing.T, version, list int) *routing.Policy {
	t.Helper()
	p := document(t, version, list)
	a, b := p.Queues["a"], p.Queues["b"]
	when := func(text string) *rule.Condition {
		c, err := rule.Compile(text, rule.CompileOptions{Segments: []string{"gold", "mass"}, Languages: []string{"en", "ru"}, Queues: []string{"a", "b"}, Topics: []string{"bill"}, OwnQueue: true})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	least := rule.Need{All: []agents.Range{{Skill: "x", Min: 2}}}
	a.Steps = append(a.Steps, routing.Step{After: 25 * time.Second, Need: &least, PriorityAdd: 5, When: when(`customer.churn_risk > 50`)}, routing.Step{After: 30 * time.Second, PriorityAdd: 7, When: when(`customer.churn_risk < 80 and queue.waiting > 1`)})
	b.Need.Speak, b.SpeakLevel = []string{"caller"}, 3
	offered := *a.Callback
	offered.When = when(`customer.value < 70`)
	a.Callback, b.Callback = &offered, &offered
	b.Prefer = append(b.Prefer, rule.Prefer{Who: "account_manager", Wait: 5 * time.Second, Waived: true})
	gold, speaks := 20, rule.Need{Speak: []string{"caller"}}
	p.Route.Children = []*rule.Node{
		{Name: "russian", When: when(`customer.segment == "mass" and customer.value > 60`), GoOn: true, SetLanguage: "ru", SetTag: "r"},
		{Name: "b", When: when(`call.trunk == "b"`), Queue: "b", PriorityAdd: 20},
		{Name: "gold", When: when(`customer.segment == "gold"`), Queue: "a", Priority: &gold, Prefer: []rule.Prefer{{Who: "account_manager", Wait: 6 * time.Second}, {Who: "last_agent", Within: 5 * 24 * time.Hour, Wait: 4 * time.Second, Hold: p.Version%2 == 0}}, Children: []*rule.Node{{Name: "owes", When: when(`customer.balance < 0 and call.abandoned_today > 1`), Need: &speaks, SetTopic: "bill"}}},
		{Name: "no", When: when(`customer.churn_risk > 90`), Then: &rule.Treatment{Play: "sorry", Queue: "b"}},
		{Name: "back", When: when(`customer.churn_risk > 80`), Then: &rule.Treatment{Callback: true, Else: &rule.Treatment{Reject: 480}}},
	}
	p.Languages, p.Segments = []string{"en", "ru"}, []string{"gold", "mass"}
	p.Topics = map[string]*routing.Topic{"bill": {Name: "bill", Queue: "a", PriorityAdd: 3, Specialists: []agents.ID{"a2"}, Wait: 3 * time.Second}}
	for id, who := range p.Agents {
		levels := map[agents.Skill]agents.Level{"x": agents.Level(1 + (int(id[1])*3+list)%10), "lang_en": 8, "lang_ru": agents.Level(id[1]-'0') + 1}
		who.Skills = agents.NewSkills(levels)
		p.Agents[id] = who
	}
	p.Prepare()
	return p
}

// customer is somebody whom a look-up may find.
func (s *server) customer() rule.Customer {
	agent := func() string { return fmt.Sprint("a", s.rng.IntN(7)) }
	return rule.Customer{
		Known: true, Segment: []string{"gold", "mass", ""}[s.rng.IntN(3)], Language: []string{"en", "ru", "", "xx"}[s.rng.IntN(4)], ChurnRisk: s.rng.IntN(100), Value: s.rng.IntN(100),
		Balance: int64(s.rng.IntN(3) - 1), AccountManager: agent(), LastAgent: agent(), LastContactDays: s.rng.IntN(9), DoNotCall: s.rng.IntN(4) == 0,
	}
}

// lively makes more happen than the tape does by itself: records come, phones are
// answered, agents ask each other.
func lively(s *server) routing.Event {
	if len(s.calls) == 0 {
		return nil
	}
	call := s.calls[s.rng.IntN(len(s.calls))]
	switch s.rng.IntN(28) {
	case 0, 1, 2:
		if len(s.calls) < 12 {
			s.next++
			s.calls = append(s.calls, s.next)
			return routing.CallArrived{Call: s.next, Attrs: rule.Call{Trunk: []string{"a", "b", "c"}[s.rng.IntN(3)], Language: []string{"en", ""}[s.rng.IntN(2)], ANIKnown: true}, Caller: fmt.Sprint("n", s.next%19)}
		}
	case 3, 4, 5:
		call = s.calls[len(s.calls)-1]
		fallthrough
	case 6:
		return routing.CustomerResolved{Call: call, Customer: s.customer(), Key: fmt.Sprint("k", call%17), Past: rule.Past{AbandonedToday: s.rng.IntN(4)}}
	case 7, 8, 9:
		return routing.PopAcked{Offer: s.last, Mode: routing.Painted}
	case 10, 11, 12, 13:
		return routing.PhoneAnswered{Offer: s.last}
	case 14, 15:
		s.next++
		return routing.ConsultRequested{Offer: s.talk, Consult: s.next, Queue: "a"}
	case 16, 17:
		return []routing.Event{routing.ConsultCompleted{Offer: s.asks}, routing.ConsultStopped{Offer: s.asks}}[s.rng.IntN(2)]
	case 18:
		return []routing.Event{routing.TransferRequested{Offer: s.talk, Topic: "bill"}, routing.TransferRequested{Offer: s.talk, Queue: "b"}}[s.rng.IntN(2)]
	case 19:
		return routing.TreatmentPlayed{Call: call}
	case 20:
		return routing.CallerGone{Call: call}
	case 21, 22:
		return routing.HangupRequested{Offer: s.talk}
	case 23:
		return routing.CustomerAnswered{Call: s.last.Call, Try: s.tries[s.last.Call]}
	case 24:
		return routing.CallbackAccepted{Call: call}
	case 25:
		return routing.AgentStateAsked{Agent: agents.ID(fmt.Sprint("a", s.rng.IntN(6))), State: agents.Available}
	}
	return nil
}

// TestErased: the journal of a server is replayed without what was known of a third
// of the customers. Over reloads, restarts and callbacks that outlive them each agent
// and each other call finds the day as it was, to the byte, and so is all that others
// notice of the erased calls.
func TestErased(t *testing.T) {
	calls, reached := 0, map[string]int{}
	for seed := range uint64(3) {
		s := tapeOf(t, seed, 4000, known, lively)
		before := ledger(t, s.journal)
		draw := rand.New(rand.NewPCG(seed, 9))
		erase := map[routing.CallID]bool{}
		for id := range s.next {
			erase[id+1] = draw.IntN(3) == 0
		}
		after, r := replayErased(t, s, before, erase)
		others := ledger(t, after)
		for call := range s.next + 1 {
			if a, b := seen(t, before[call], r.Erased(call)), seen(t, others[call], r.Erased(call)); !slices.Equal(a, b) {
				i := 0
				for i < min(len(a), len(b)) && a[i] == b[i] {
					i++
				}
				t.Fatalf("seed %d, call %d, erased %v, comes out as\n%s\nand was\n%s", seed, call, r.Erased(call), strings.Join(b[i:min(i+3, len(b))], "\n"), strings.Join(a[i:min(i+3, len(a))], "\n"))
			}
		}
		calls += r.Calls()
		for what, n := range s.reached {
			reached[what] += n
		}
	}
	if calls < 100 {
		t.Errorf("%d calls were erased", calls)
	}
	for _, what := range []string{"restored", "reload", "restart", "callback_taken", "callback_reached", "connect", "held", "turned_away", "transferred", "treat", "step_skipped", "consult_started", "offer_callback"} {
		if reached[what] < 3 {
			t.Errorf("hardly a %s: %v", what, reached)
		}
	}
}

// seen is what others notice of a call: of one that was erased not the reasons.
func seen(t *testing.T, list []ledgerEvent, erased bool) (out []string) {
	t.Helper()
	for _, e := range list {
		if erased {
			var fields map[string]any
			if err := json.Unmarshal(e.data, &fields); err != nil {
				t.Fatal(err)
			}
			if _, why := fields["reason"].(map[string]any); why {
				delete(fields, "reason")
			}
			delete(fields, "kept")
			e.data, _ = json.Marshal(fields)
		}
		out = append(out, fmt.Sprintf("%s %s %s", e.at, e.kind, e.data))
	}
	return out
}

// replayErased decides a journal again without the records of some calls.
func replayErased(t *testing.T, s *server, recorded map[routing.CallID][]ledgerEvent, erase map[routing.CallID]bool) (out []line, r *sim.Replay) {
	t.Helper()
	r = &sim.Replay{
		Policy: documents(t, known),
		Recall: sim.Recall{Recorded: func(call routing.CallID) (*routing.Recorded, error) {
			all := &routing.Recorded{}
			for _, e := range recorded[call] {
				if err := all.FollowStored(e.at, e.kind, e.data); err != nil {
					return nil, err
				}
			}
			return all, nil
		}},
		Done: func(at time.Time, _ routing.Event, acts []routing.Action) {
			out = append(out, line{at: at, did: encoded(t, acts)})
		},
	}
	for _, l := range s.journal {
		ev, err := routing.DecodeEvent(l.kind, l.body)
		if err != nil {
			t.Fatal(err)
		}
		switch e := ev.(type) {
		case routing.CustomerResolved:
			if erase[e.Call] {
				ev = routing.CustomerResolved{Call: e.Call, Key: e.Key, Erased: true}
			}
		case routing.RimRead:
			if erase[e.Call] {
				ev = routing.RimRead{Call: e.Call, Erased: true}
			}
		}
		if err := r.Event(l.at, ev); err != nil {
			t.Fatal(err)
		}
	}
	return out, r
}
