package storetest

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// testQuestions: what an agent asks a colleague has a row of its own, without a
// caller; a call that is handed over has one talk, and the second agent.
func testQuestions(t *testing.T, f Fixture) {
	s := f.Open(t)
	asks := func(y story) (q story) {
		q = story{s, s.NextCall()}
		y.arrives(0)
		y.queued(1, "care")
		y.connects(5, 1, "priya")
		y.at(20, routing.ConsultStarted{Offer: y.offer(1, "priya"), Consult: q.call, Queue: "internet"}, routing.Hold{Offer: y.offer(1, "priya"), On: true})
		at := T0.Add(20 * time.Second)
		q.at(20, routing.Enqueued{Call: q.call, Queue: "internet", Rule: "net", Since: at, Entered: at, Consult: y.call})
		q.connects(30, 1, "petar")
		y.at(50, routing.HandedOver{Offer: y.offer(2, "petar"), From: y.offer(1, "priya"), Asked: q.offer(1, "petar"), Queue: "internet", Topic: "line_fault"})
		return q
	}
	call := story{s, s.NextCall()}
	q := asks(call)
	q.at(50, routing.EndCall{Call: q.call, Outcome: routing.Consulted, By: routing.ByAgent, Reason: "handed_over", Consult: call.call})
	call.ends(80, routing.Answered, routing.ByCaller, "")
	flush(t, s)

	got := row(t, s, q.call)
	equal(t, "outcome of a question", got.Outcome, routing.Consulted)
	equal(t, "its reason", got.Reason, "handed_over")
	equal(t, "who was asked", got.Agent, "petar")
	equal(t, "its queue", got.Queue, "internet")
	equal(t, "its caller", got.Number+got.Customer+got.Trunk, "")
	equal(t, "its wait", got.Wait, 10*time.Second)
	equal(t, "its talk", got.Talk, 20*time.Second)
	equal(t, "its events", kinds(t, s, q.call), []string{"arrived", "enqueued", "connect", "end_call"})
	got = row(t, s, call.call)
	equal(t, "who has the call", got.Agent, "petar")
	equal(t, "its queue", got.Queue, "internet")
	equal(t, "its topic", got.Topic, "line_fault")
	equal(t, "passed on", got.Transfers, 1)
	equal(t, "the talk of both agents", got.Talk, 75*time.Second)
	n, err := s.CountOutcomes(t.Context())
	ok(t, err)
	equal(t, "outcomes", n.By, map[routing.Outcome]int64{routing.Answered: 1, routing.Consulted: 1})

	// A server that is killed leaves both open; neither has talked longer than it lived.
	call = story{s, s.NextCall()}
	q = asks(call)
	call.at(55, routing.Release{Offer: call.offer(2, "petar"), Why: "transferred"}) // of the talk that was handed over
	call.s.Event(store.Event{Call: call.call, At: T0.Add(60 * time.Second), Kind: "held"})
	flush(t, s)
	f.Abandon(t, s)
	s = open(t, f)
	for y, outcome := range map[story]routing.Outcome{call: routing.Failed, q: routing.Consulted} { // no caller's call has failed with it
		equal(t, "outcome after a restart", row(t, s, y.call).Outcome, outcome)
		equal(t, "reason", row(t, s, y.call).Reason, store.ReasonRestart)
		events, err := s.Events(t.Context(), y.call)
		ok(t, err)
		equal(t, "its end", string(events[len(events)-1].Data), `{"outcome":"`+string(outcome)+`","by":"server","reason":"restart"}`)
	}
	equal(t, "talk that was cut off", row(t, s, call.call).Talk, 50*time.Second)
}
