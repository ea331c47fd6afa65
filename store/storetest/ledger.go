package storetest

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

func testAnswered(t *testing.T, f Fixture) {
	s := open(t, f)
	y := story{s, s.NextCall()}
	y.arrives(0)
	y.queued(1, "internet")
	y.at(5, routing.OfferCall{Offer: y.offer(1, "priya"), Queue: "internet"})
	s.Event(store.Event{Call: y.call, At: T0.Add(6 * time.Second), Kind: "pop_acked", Agent: "priya", Attempt: 1, Data: json.RawMessage(`{"version":4}`)})
	y.at(7, routing.Ring{Offer: y.offer(1, "priya")})
	y.connects(10, 1, "priya")
	y.ends(70, routing.Answered, routing.ByCaller, "")
	y.at(70, routing.WrapUpStarted{Offer: y.offer(1, "priya")})
	y.at(90, routing.WrapUpFinished{Offer: y.offer(1, "priya"), Disposition: "fixed"})
	s.Identified(y.call, "LW-1")
	flush(t, s)

	got := row(t, s, y.call)
	if len(got.PublicID) != 36 || got.PublicID[14] != '7' {
		t.Errorf("public id %q is no UUID version 7", got.PublicID)
	}
	got.PublicID = ""
	equal(t, "row", got, store.LedgerRow{
		Call: y.call, Trunk: "main", Number: "+447700900417", Dialled: "+448081570142", Customer: "LW-1",
		Queue: "internet", Rule: "net", Topic: "line_fault", Agent: "priya",
		ArrivedAt: T0, AnsweredAt: T0.Add(time.Second), QueuedAt: T0.Add(time.Second), TalkAt: T0.Add(10 * time.Second), EndedAt: T0.Add(70 * time.Second),
		Wait: 10 * time.Second, Talk: time.Minute, Outcome: routing.Answered, EndedBy: routing.ByCaller,
		Offers: 1, Disposition: "fixed", PolicyVersion: 3,
	})
	equal(t, "events", kinds(t, s, y.call), []string{"arrived", "answer_caller", "enqueued", "offer_call", "pop_acked", "ring", "connect", "end_call", "wrap_up_started", "wrap_up_finished"})
	events, err := s.Events(t.Context(), y.call)
	ok(t, err)
	equal(t, "ack", events[4], store.Event{Call: y.call, Seq: 5, At: T0.Add(6 * time.Second), Kind: "pop_acked", Agent: "priya", Attempt: 1, Data: json.RawMessage(`{"version":4}`)})
	var why struct{ Reason routing.Reason }
	ok(t, json.Unmarshal(events[2].Data, &why))
	equal(t, "reason kept", why.Reason.LeftOut, routing.LeftOuts{{Agent: "owen", Code: "busy"}})
}

func testAbandoned(t *testing.T, f Fixture) {
	s := open(t, f)
	y := story{s, s.NextCall()}
	y.arrives(0)
	y.queued(1, "internet")
	flush(t, s)
	open, err := s.OpenCalls(t.Context())
	if err != nil || len(open) != 1 || open[0].Call != y.call {
		t.Fatalf("open calls: %v, %v", open, err)
	}
	y.ends(31, routing.Abandoned, routing.ByCaller, "")
	flush(t, s)
	got := row(t, s, y.call)
	equal(t, "wait", got.Wait, 31*time.Second)
	equal(t, "talk", got.TalkAt, time.Time{})
	n, err := s.CountOutcomes(t.Context())
	ok(t, err)
	equal(t, "outcomes", n, store.Outcomes{Total: 1, By: map[routing.Outcome]int64{routing.Abandoned: 1}})
	_, err = s.LedgerRow(t.Context(), y.call+1)
	missing(t, "no such call", err)
}

func testTransferred(t *testing.T, f Fixture) {
	s := open(t, f)
	y := story{s, s.NextCall()}
	y.arrives(0)
	y.queued(1, "internet")
	y.connects(10, 1, "priya")
	y.at(40, routing.Transferred{Offer: y.offer(1, "priya"), Topic: "line_fault", Queue: "specialists"},
		routing.Release{Offer: y.offer(1, "priya"), Why: "transferred"}, routing.Wait{Call: y.call})
	y.queued(40, "specialists")
	y.connects(60, 2, "petar")
	y.ends(160, routing.Answered, routing.ByAgent, "")
	flush(t, s)
	got := row(t, s, y.call)
	equal(t, "talk is the sum of both", got.Talk, 130*time.Second)
	equal(t, "wait is until the first", got.Wait, 10*time.Second)
	equal(t, "agent", string(got.Agent), "petar")
	equal(t, "queue", got.Queue, "specialists")
	equal(t, "transfers", got.Transfers, 1)
	equal(t, "first queued", got.QueuedAt, T0.Add(time.Second))
}

func testJoinFailed(t *testing.T, f Fixture) {
	s := open(t, f)
	y := story{s, s.NextCall()}
	y.arrives(0)
	y.queued(1, "internet")
	y.connects(10, 1, "priya")
	y.at(11, routing.Withdraw{Offer: y.offer(1, "priya"), Why: "join_failed"})
	y.ends(20, routing.Abandoned, routing.ByCaller, "")
	flush(t, s)
	got := row(t, s, y.call)
	equal(t, "nobody talked", got.Talk, 0)
	equal(t, "nobody talked at", got.TalkAt, time.Time{})
	equal(t, "agent", string(got.Agent), "")
	equal(t, "waited to the end", got.Wait, 20*time.Second)
}

// testAnsweredWithAgent: Connect answers the caller too, unless he was gone in
// that instant.
func testAnsweredWithAgent(t *testing.T, f Fixture) {
	s := open(t, f)
	ringing := func(gone bool) store.LedgerRow {
		y := story{s, s.NextCall()}
		y.arrives(0)
		y.at(1, routing.Enqueued{Call: y.call, Queue: "internet", Since: T0, Entered: T0.Add(time.Second)})
		y.connects(10, 1, "priya")
		if gone {
			y.at(10, routing.Withdraw{Offer: y.offer(1, "priya"), Why: "abandoned"})
			y.ends(10, routing.Abandoned, routing.ByCaller, "")
		} else {
			y.ends(30, routing.Answered, routing.ByCaller, "")
		}
		flush(t, s)
		return row(t, s, y.call)
	}
	got := ringing(false)
	equal(t, "answered", got.AnsweredAt, T0.Add(10*time.Second))
	equal(t, "talk", got.Talk, 20*time.Second)
	got = ringing(true)
	equal(t, "never answered", got.AnsweredAt, time.Time{})
	equal(t, "never talked", got.TalkAt, time.Time{})
	equal(t, "talk", got.Talk, 0)
	equal(t, "agent", string(got.Agent), "")
	equal(t, "waited to the end", got.Wait, 10*time.Second)
}

func testEndsOnce(t *testing.T, f Fixture) {
	s := open(t, f)
	y := story{s, s.NextCall()}
	y.arrives(0)
	y.ends(3, routing.Rejected, routing.ByServer, "full")
	flush(t, s)
	y.ends(9, routing.Answered, routing.ByCaller, "")
	flush(t, s)
	got := row(t, s, y.call)
	equal(t, "outcome", got.Outcome, routing.Rejected)
	equal(t, "ended", got.EndedAt, T0.Add(3*time.Second))
}

// testAfterTheEnd lets more calls pass than are kept in memory, and then adds
// to the first one.
func testAfterTheEnd(t *testing.T, f Fixture) {
	s := open(t, f)
	first := story{s, s.NextCall()}
	first.arrives(0)
	first.ends(5, routing.Answered, routing.ByAgent, "")
	for range 1100 {
		y := story{s, s.NextCall()}
		y.arrives(6)
		y.ends(7, routing.Abandoned, routing.ByCaller, "")
	}
	flush(t, s)
	first.at(90, routing.WrapUpFinished{Offer: first.offer(1, "priya"), Disposition: "stays"})
	flush(t, s)
	got := row(t, s, first.call)
	equal(t, "disposition", got.Disposition, "stays")
	equal(t, "outcome", got.Outcome, routing.Answered)
	equal(t, "events", kinds(t, s, first.call), []string{"arrived", "end_call", "wrap_up_finished"})
	n, err := s.CountOutcomes(t.Context())
	ok(t, err)
	equal(t, "every call once", n, store.Outcomes{Total: 1101, By: map[routing.Outcome]int64{routing.Answered: 1, routing.Abandoned: 1100}})
}

func testRestart(t *testing.T, f Fixture) {
	s := f.Open(t)
	over, live := story{s, s.NextCall()}, story{s, s.NextCall()}
	over.arrives(0)
	over.ends(5, routing.Answered, routing.ByAgent, "")
	live.arrives(1)
	live.queued(2, "internet")
	live.connects(8, 1, "priya")
	s.SaveDialog(store.Dialog{Call: live.call, Leg: "caller", State: json.RawMessage(`{}`), UpdatedAt: T0})
	flush(t, s)
	f.Abandon(t, s)

	s = open(t, f)
	got := row(t, s, live.call)
	equal(t, "outcome", got.Outcome, routing.Failed)
	equal(t, "reason", got.Reason, store.ReasonRestart)
	equal(t, "ended by", got.EndedBy, routing.ByServer)
	equal(t, "ended at the last sign of life", got.EndedAt, T0.Add(8*time.Second))
	equal(t, "events", kinds(t, s, live.call), []string{"arrived", "answer_caller", "enqueued", "connect", "end_call"})
	equal(t, "who was over stays so", row(t, s, over.call).Outcome, routing.Answered)
	dialogs, err := s.Dialogs(t.Context())
	ok(t, err)
	equal(t, "dialogs", len(dialogs), 0)
	if next := s.NextCall(); next <= live.call {
		t.Fatalf("call number %d given out again after %d", next, live.call)
	}
	n, err := s.CountOutcomes(t.Context())
	ok(t, err)
	equal(t, "none open", n.Open, 0)
}

// testRestartTalking: a talk that the server's end cut off counts until the last
// sign of life.
func testRestartTalking(t *testing.T, f Fixture) {
	s := f.Open(t)
	live := story{s, s.NextCall()}
	live.arrives(0)
	live.queued(1, "internet")
	live.connects(8, 1, "priya")
	live.at(18, routing.Transferred{Offer: live.offer(1, "priya"), Queue: "specialists"}, routing.Release{Offer: live.offer(1, "priya"), Why: "transferred"})
	live.connects(25, 2, "petar")
	live.at(26, routing.Withdraw{Offer: live.offer(2, "petar"), Why: "join_failed"})
	live.connects(30, 3, "owen")
	s.Event(store.Event{Call: live.call, At: T0.Add(34 * time.Second), Kind: "held"})
	waits := story{s, s.NextCall()}
	waits.arrives(0)
	waits.queued(1, "internet")
	flush(t, s)
	f.Abandon(t, s)

	s = open(t, f)
	got := row(t, s, live.call)
	equal(t, "talk", got.Talk, 14*time.Second)
	equal(t, "ended at the last sign of life", got.EndedAt, T0.Add(34*time.Second))
	quiet := row(t, s, waits.call) // waited on while the other talked
	equal(t, "who never talked", quiet.Talk, 0)
	equal(t, "who waited, ended", quiet.EndedAt, T0.Add(34*time.Second))
	equal(t, "who waited, so long", quiet.Wait, 34*time.Second)
}

func testConcurrent(t *testing.T, f Fixture) {
	s := open(t, f)
	const writers, each = 8, 25
	var all sync.WaitGroup
	for w := range writers {
		all.Go(func() {
			for range each {
				y := story{s, s.NextCall()}
				y.arrives(0)
				y.queued(1, "internet")
				y.connects(2, 1, "priya")
				y.ends(3, routing.Answered, routing.ByCaller, "")
				if err := s.SaveUser(t.Context(), store.User{ID: fmt.Sprint("u", w), Role: "agent", Name: "U"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	flush(t, s)
	n, err := s.CountOutcomes(t.Context())
	ok(t, err)
	equal(t, "outcomes", n, store.Outcomes{Total: writers * each, By: map[routing.Outcome]int64{routing.Answered: writers * each}})
	calls, err := s.Calls(t.Context(), T0, T0.Add(time.Hour), 1000)
	ok(t, err)
	equal(t, "rows", len(calls), writers*each)
	for _, c := range calls {
		equal(t, "events", len(kinds(t, s, c.Call)), 5)
	}
	equal(t, "dropped", s.Stats().Dropped, 0)
}

func testDialogs(t *testing.T, f Fixture) {
	s := open(t, f)
	d := store.Dialog{Call: 7, Leg: "agent/2", Agent: "petar", State: json.RawMessage(`{"CallID":"x","LocalCSeq":4}`), LocalSDP: []byte("v=0\r\n"), RemoteSDP: []byte("v=0\r\no=-\r\n"), UpdatedAt: T0}
	caller := store.Dialog{Call: 7, Leg: "caller", State: json.RawMessage(`{}`), LocalSDP: []byte{}, RemoteSDP: []byte{}, UpdatedAt: T0}
	s.SaveDialog(caller)
	s.SaveDialog(store.Dialog{Call: 7, Leg: "agent/2", Agent: "petar", State: json.RawMessage(`{}`), UpdatedAt: T0})
	flush(t, s)
	s.SaveDialog(d)
	flush(t, s)
	got, err := s.Dialogs(t.Context())
	ok(t, err)
	equal(t, "dialogs", got, []store.Dialog{d, caller})
	s.RemoveDialog(7, "caller")
	s.SaveDialog(store.Dialog{Call: 8, Leg: "caller", State: json.RawMessage(`{}`), UpdatedAt: T0})
	s.RemoveDialog(8, "caller")
	flush(t, s)
	got, err = s.Dialogs(t.Context())
	ok(t, err)
	equal(t, "dialogs left", got, []store.Dialog{d})
}

func testNumbers(t *testing.T, f Fixture) {
	seen := map[routing.CallID]bool{}
	take := func(s *store.Store, n int) (last routing.CallID) {
		for range n {
			call := s.NextCall()
			if seen[call] || call <= last {
				t.Fatalf("number %d after %d, seen %v", call, last, seen[call])
			}
			seen[call], last = true, call
		}
		return last
	}
	s := f.Open(t)
	last := take(s, 2500)
	ok(t, s.Close())
	s = f.Open(t)
	equal(t, "an orderly restart leaves no gap", take(s, 1), last+1)
	take(s, 1200)
	flush(t, s)
	f.Abandon(t, s)
	s = open(t, f)
	take(s, 10)
}
