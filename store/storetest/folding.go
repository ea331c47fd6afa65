package storetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// change is one change of one of two twins: calls that are told apart by their
// number and customer only.
type change func(s *store.Store, call routing.CallID, customer string)

// someChanges are random changes of one call, in an order that makes sense:
// arrival first. Dialogs and contacts come, change and go.
func someChanges(r *rand.Rand, n int) []change {
	legs := []string{"caller", "agent/1", "agent/2"}
	sec := func(i int) time.Time { return T0.Add(time.Duration(i) * time.Second) }
	out := []change{func(s *store.Store, call routing.CallID, _ string) {
		s.Arrived(store.Arrival{Call: call, PublicID: fmt.Sprintf("00000000-0000-7000-8000-%012d", call), Trunk: "main", Number: "+447700900417", At: T0})
	}}
	ended := false
	for i := 1; i < n; i++ {
		agent := agents.ID([]string{"priya", "petar"}[r.IntN(2)])
		attempt := routing.Attempt(1 + r.IntN(2))
		leg := legs[r.IntN(len(legs))]
		offer := func(call routing.CallID) routing.Offer {
			return routing.Offer{Call: call, Attempt: attempt, Agent: agent}
		}
		do := func(make func(call routing.CallID) []routing.Action) change {
			return func(s *store.Store, call routing.CallID, _ string) { s.Do(sec(i), make(call)) }
		}
		var next change
		switch what := r.IntN(12); {
		case what == 0 && !ended && i > n/2:
			ended = true
			next = do(func(c routing.CallID) []routing.Action {
				return []routing.Action{routing.Release{Offer: offer(c)}, routing.EndCall{Call: c, Outcome: routing.Answered, By: routing.ByCaller}}
			})
		case what == 1:
			next = do(func(c routing.CallID) []routing.Action {
				return []routing.Action{routing.AnswerCaller{Call: c}, routing.Enqueued{Call: c, Queue: fmt.Sprint("q", i%3), Since: T0, Entered: sec(i), Version: 1}}
			})
		case what == 2:
			next = do(func(c routing.CallID) []routing.Action { return []routing.Action{routing.OfferCall{Offer: offer(c)}} })
		case what == 3 && !ended:
			next = do(func(c routing.CallID) []routing.Action {
				return []routing.Action{routing.Connect{Offer: offer(c), Answered: sec(i)}}
			})
		case what == 4:
			next = func(s *store.Store, call routing.CallID, _ string) {
				s.Event(store.Event{Call: call, At: sec(i), Kind: "pop \"acked\" 5\u00b0", Agent: agent, Attempt: attempt, Data: json.RawMessage(`{"version": 4}`)})
			}
		case what == 5:
			next = func(s *store.Store, call routing.CallID, _ string) {
				s.Event(store.Event{Call: call, At: sec(i), Kind: "seen"})
			}
		case what == 6:
			next = func(s *store.Store, call routing.CallID, who string) { s.Identified(call, who) }
		case what == 7:
			next = func(s *store.Store, call routing.CallID, who string) {
				s.SaveContact(store.Contact{Call: call, Attempt: attempt, Customer: who, Agent: legOwner(attempt), Queue: "care", At: sec(int(attempt)), Talk: time.Second, Note: fmt.Sprint("note ", i)})
			}
		case what < 10:
			next = func(s *store.Store, call routing.CallID, _ string) {
				s.SaveDialog(store.Dialog{Call: call, Leg: leg, Agent: agent, State: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)), LocalSDP: []byte("v=0"), RemoteSDP: []byte{}, UpdatedAt: sec(i)})
			}
		default:
			next = func(s *store.Store, call routing.CallID, _ string) { s.RemoveDialog(call, leg) }
		}
		out = append(out, next)
	}
	return out
}

// legOwner is the agent of an attempt: what is saved again is the same talk.
func legOwner(attempt routing.Attempt) agents.ID { return []agents.ID{"priya", "petar"}[attempt-1] }

// testFolding: changes written in groups of any size leave what they leave when
// each is written by itself.
func testFolding(t *testing.T, f Fixture) {
	s := open(t, f)
	const calls, each = 6, 30
	r := rand.New(rand.NewPCG(7, 11))
	var twins [2][calls]routing.CallID
	who := func(twin, n int) string { return fmt.Sprintf("LW-%d-%d", twin, n) }
	var all []func(twin int)
	for n := range calls {
		for twin := range twins {
			twins[twin][n] = s.NextCall()
			ok(t, s.SaveCustomers(t.Context(), []customer.Record{{ID: who(twin, n), Name: "Dana Whitcombe"}}))
		}
	}
	for _, t := range mixed(r, calls, each) {
		all = append(all, func(twin int) { t.do(s, twins[twin][t.call], who(twin, t.call)) })
	}
	for _, one := range all {
		one(0)
		flush(t, s)
	}
	for _, one := range all {
		one(1)
		if r.IntN(12) == 0 {
			flush(t, s)
		}
	}
	flush(t, s)
	for n := range calls {
		equal(t, fmt.Sprint("twin ", n), remains(t, s, twins[1][n], who(1, n)), remains(t, s, twins[0][n], who(0, n)))
	}
}

// turn is a change of the call of that index.
type turn struct {
	call int
	do   change
}

// mixed are the changes of several calls, each call's in order.
func mixed(r *rand.Rand, calls, each int) (out []turn) {
	lists := make([][]change, calls)
	for n := range lists {
		lists[n] = someChanges(r, each)
	}
	for left := calls * each; left > 0; left-- {
		n := r.IntN(calls)
		for len(lists[n]) == 0 {
			n = (n + 1) % calls
		}
		out = append(out, turn{n, lists[n][0]})
		lists[n] = lists[n][1:]
	}
	return out
}

// remains is all that the store has of a call, without what tells twins apart.
func remains(t *testing.T, s *store.Store, call routing.CallID, who string) string {
	t.Helper()
	var left struct {
		Row     store.LedgerRow
		Ours    bool
		Events  []store.Event
		Dialogs []store.Dialog
		Talks   []customer.Interaction
		Last    *customer.Colleague
	}
	var err error
	left.Row = row(t, s, call)
	left.Ours = left.Row.Customer == who
	left.Row.Call, left.Row.PublicID, left.Row.Customer = 0, "", ""
	left.Events, err = s.Events(t.Context(), call)
	ok(t, err)
	for i := range left.Events {
		left.Events[i].Call = 0
		var data map[string]any // holds the call
		if left.Events[i].Data != nil {
			ok(t, json.Unmarshal(left.Events[i].Data, &data))
			delete(data, "call")
			delete(data, "Call")
			left.Events[i].Data, err = json.Marshal(data)
			ok(t, err)
		}
	}
	dialogs, err := s.Dialogs(t.Context())
	ok(t, err)
	for _, d := range dialogs {
		if d.Call == call {
			d.Call = 0
			left.Dialogs = append(left.Dialogs, d)
		}
	}
	record, err := s.Customer(t.Context(), who)
	ok(t, err)
	left.Talks, left.Last = record.Interactions, record.LastAgent
	for i := range left.Talks {
		left.Talks[i].ID, left.Talks[i].Call = "", 0
	}
	return show(left)
}
