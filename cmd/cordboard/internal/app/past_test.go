package app

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/store"
)

const toAgain = "+442079460107" // its route asks whether the caller was answered lately

// Who calls again is known by what the ledger says of the call before.
func TestCallerCallsAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna, petar}})
	first := w.dial(dial{to: toAgain})
	if card := w.phase(anna, "talking"); card.Queue != "care" {
		t.Errorf("the first call came to queue %s", card.Queue)
	}
	first.hangsUp()
	w.settled(answeredByCaller)
	second := w.dial(dial{to: toAgain})
	if card := w.phase(petar, "talking"); card.Queue != "internet" {
		t.Errorf("the second call came to queue %s", card.Queue)
	}
	second.hangsUp()
}

// Whichever of the two look-ups ends last hands on what both have found, once.
func TestPastMeetsTheRecord(t *testing.T) {
	past := rule.Past{CallsToday: 2}
	for _, ledgerFirst := range []bool{true, false} {
		var c pastCalls
		var told []rule.Past
		tell := func(p rule.Past) { told = append(told, p) }
		if !c.begin(7) {
			t.Fatal("not begun")
		}
		if ledgerFirst {
			c.end(7, past)
			c.then(7, tell)
		} else {
			c.then(7, tell)
			c.end(7, past)
		}
		c.then(8, tell) // of a call that nobody looked back for
		if len(told) != 2 || told[0] != past || told[1] != (rule.Past{}) || len(c.by) != 0 || c.busy != 0 {
			t.Errorf("ledger first %v: told %v, %d kept, %d busy", ledgerFirst, told, len(c.by), c.busy)
		}
		_ = c.begin(9)
		c.forget(9) // the caller has gone
		c.end(9, past)
		if len(told) != 2 || c.busy != 0 {
			t.Errorf("told of a caller who has gone: %v", told)
		}
		for i := range mostPast {
			if !c.begin(routing.CallID(100 + i)) {
				t.Fatalf("only %d at once", i)
			}
		}
		if c.begin(99) {
			t.Error("no bound")
		}
	}
}

func TestPastInSeconds(t *testing.T) {
	at := time.Date(2026, 4, 15, 11, 0, 0, 0, time.UTC)
	got := asRules(store.Past{Calls: 3, Abandoned: 1, LastAbandoned: at.Add(-90 * time.Second), LastAnswered: at}, at)
	if want := (rule.Past{CallsToday: 3, AbandonedToday: 1, AbandonedAgo: 90, AnsweredAgo: 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if asRules(store.Past{}, at) != (rule.Past{}) {
		t.Error("who never called has called")
	}
}

// A ledger that is slow takes no record from routing: there is time left for it
// on every route that waits.
func TestSlowLedgerLeavesTimeForTheRecord(t *testing.T) {
	record := func(d time.Duration) *rule.RecordPolicy { return &rule.RecordPolicy{Deadline: d} }
	short := &rule.Node{Children: []*rule.Node{{Record: record(2 * time.Second)}, {Children: []*rule.Node{{Record: record(300 * time.Millisecond)}}}, {Record: record(0)}}}
	for _, c := range []struct {
		deadline time.Duration
		route    *rule.Node
		want     time.Duration
	}{
		{800 * time.Millisecond, nil, 400 * time.Millisecond},
		{800 * time.Millisecond, short, 150 * time.Millisecond},
		{0, short, 150 * time.Millisecond},
		{0, nil, time.Second},
	} {
		p := &routing.Policy{Record: *record(c.deadline), Route: c.route}
		if got := ledgerTime(p); got != c.want {
			t.Errorf("%v, routes %v: the ledger has %v, want %v", c.deadline, c.route != nil, got, c.want)
		}
	}
}
