// Package storetest is the one conformance suite that every database behind
// package store must pass. A database's own tests call Run with a way to open
// a store on the same data again and again.
package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// Fixture opens stores on one empty database of its own.
type Fixture struct {
	// Open opens the database as a server does. The suite closes what it opens.
	Open func(testing.TB) *store.Store
	// Abandon ends the store as a killed process would: what was not written is
	// lost, nothing is tidied up.
	Abandon func(testing.TB, *store.Store)
}

// T0 is the instant the suite's stories begin.
var T0 = time.Date(2026, 11, 19, 14, 0, 0, 0, time.UTC)

// Run runs the suite, its cases at the same time. fresh makes a new fixture for
// each case.
func Run(t *testing.T, fresh func(testing.TB) Fixture) {
	cases := []struct {
		name string
		run  func(*testing.T, Fixture)
	}{
		{"ledger/answered", testAnswered},
		{"ledger/abandoned", testAbandoned},
		{"ledger/transferred", testTransferred},
		{"ledger/legs", testLegs},
		{"ledger/join failed", testJoinFailed},
		{"ledger/answered with the agent", testAnsweredWithAgent},
		{"ledger/ends once", testEndsOnce},
		{"ledger/after the end", testAfterTheEnd},
		{"ledger/restart", testRestart},
		{"ledger/restart while talking", testRestartTalking},
		{"ledger/callbacks outlive a restart", testCallbacks},
		{"ledger/questions", testQuestions},
		{"ledger/calls of a number", testPast},
		{"ledger/concurrent writers", testConcurrent},
		{"ledger/fold", testFoldCalls},
		{"ledger/contacts of a span", testContactCounts},
		{"interest", testInterestStates},
		{"folding", testFolding},
		{"dialogs", testDialogs},
		{"numbers", testNumbers},
		{"customers/round trip", testCustomerRoundTrip},
		{"customers/links", testLinks},
		{"customers/duplicates", testDuplicates},
		{"customers/merge", testMerge},
		{"customers/merge writes", testMergeWrites},
		{"customers/merge chains", testMergeChains},
		{"customers/merge erased", testMergeErased},
		{"customers/merges at once", testMergesAtOnce},
		{"customers/validity", testValidity},
		{"customers/upsert", testCustomerUpsert},
		{"customers/shared number", testSharedNumber},
		{"customers/contacts", testContacts},
		{"customers/contact whole", testContactWhole},
		{"customers/contact moves", testContactMoves},
		{"customers/sent", testSent},
		{"customers/sent moves", testSentMoves},
		{"customers/sent at once", testSentAtOnce},
		{"search", testSearch},
		{"search/many", testSearchMany},
		{"permission/consents", testConsents},
		{"permission/decisions", testDecisions},
		{"permission/do-not-call lists", testDoNotCall},
		{"permission/erase", testErasePermission},
		{"permission/merged", testPermissionMerged},
		{"retention", testRetention},
		{"messages", testMessages},
		{"requests", testRequests},
		{"requests/lists", testRequestLists},
		{"requests/notices", testNotices},
		{"requests/at once", testRequestAtOnce},
		{"handover", testHandOver},
		{"erase/customer", testEraseCustomer},
		{"erase/number", testEraseNumber},
		{"erase/during a call", testEraseDuringACall},
		{"erase/requests", testEraseRequests},
		{"users", testUsers},
		{"phones/secrets", testPhoneSecrets},
		{"phones/bindings", testBindings},
		{"answers", testAnswers},
		{"versions", testVersions},
		{"directories", testDirectories},
		{"versions/activations", testActivations},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, fresh(t))
		})
	}
}

func open(t *testing.T, f Fixture) *store.Store {
	t.Helper()
	s := f.Open(t)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func flush(t *testing.T, s *store.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	ok(t, s.Flush(ctx))
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[V any](t *testing.T, what string, got, want V) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("%s\n got %s\nwant %s", what, show(got), show(want))
	}
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func missing(t *testing.T, what string, err error) {
	t.Helper()
	if !errors.Is(err, store.ErrNotFound) {
		t.Fatalf("%s: got %v, want %v", what, err, store.ErrNotFound)
	}
}

func row(t *testing.T, s *store.Store, call routing.CallID) store.LedgerRow {
	t.Helper()
	r, err := s.LedgerRow(t.Context(), call)
	ok(t, err)
	return r
}

// kinds checks that the events' numbers have no gap and returns their kinds.
func kinds(t *testing.T, s *store.Store, call routing.CallID) []string {
	t.Helper()
	events, err := s.Events(t.Context(), call)
	ok(t, err)
	var out []string
	for i, e := range events {
		if e.Seq != int64(i)+1 {
			t.Fatalf("call %d: event %d has number %d", call, i+1, e.Seq)
		}
		out = append(out, e.Kind)
	}
	return out
}

// story plays one call into the ledger, second by second.
type story struct {
	s    *store.Store
	call routing.CallID
}

func (y story) at(second int, actions ...routing.Action) {
	y.s.Do(T0.Add(time.Duration(second)*time.Second), actions)
}

func (y story) arrives(second int) {
	y.s.Arrived(store.Arrival{
		Call: y.call, Trunk: "main", Number: "+447700900417", Dialled: "+448081570142",
		At: T0.Add(time.Duration(second) * time.Second),
	})
}

func (y story) offer(attempt int, agent string) routing.Offer {
	return routing.Offer{Call: y.call, Attempt: routing.Attempt(attempt), Agent: agents.ID(agent)}
}

func (y story) queued(second int, queue string) {
	at := T0.Add(time.Duration(second) * time.Second)
	y.at(second, routing.AnswerCaller{Call: y.call, Music: "default"}, routing.Enqueued{
		Call: y.call, Queue: queue, Rule: "net", Topic: "line_fault", Since: T0, Entered: at, Version: 3,
		Reason: routing.Reason{Rule: "net", LeftOut: []routing.LeftOut{{Agent: "owen", Code: "busy"}}},
	})
}

func (y story) connects(second, attempt int, agent string) {
	at := T0.Add(time.Duration(second) * time.Second)
	y.at(second, routing.Connect{Offer: y.offer(attempt, agent), Answered: at})
}

func (y story) ends(second int, outcome routing.Outcome, by routing.Party, reason string) {
	y.at(second, routing.EndCall{Call: y.call, Outcome: outcome, By: by, Reason: reason})
}

func number(e164 string) []customer.Number { return []customer.Number{{E164: e164, Label: "mobile"}} }
