package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// An older call that waits while a younger one is offered is told; calls that
// have been offered, have gone, or came at the same instant are not.
func TestTurns(t *testing.T) {
	begun := time.Unix(1_790_000_000, 0)
	at := func(s float64) time.Time { return begun.Add(time.Duration(s * float64(time.Second))) }
	call := func(o *turns, id routing.CallID, since, queued, offered, ended float64) {
		told, err := json.Marshal(map[string]any{"since": at(since)})
		if err != nil {
			t.Fatal(err)
		}
		events := []store.Event{{At: at(queued), Kind: routing.Enqueued{}.Kind(), Data: told}}
		if offered > 0 {
			events = append(events, store.Event{At: at(offered), Kind: routing.OfferCall{}.Kind()})
		}
		o.add(store.LedgerRow{Call: id, ArrivedAt: at(since - 0.2), EndedAt: at(ended)}, events)
	}
	well := &turns{}
	call(well, 1, 1, 1, 5, 9)
	call(well, 2, 2, 2, 6, 9)
	call(well, 3, 3, 3, 0, 5.5) // gave up
	call(well, 4, 4, 4, 6.3, 9)
	call(well, 5, 6.5, 6.5, 6.6, 9) // the record of the older one below came late
	call(well, 6, 6.4, 6.8, 7.1, 9)
	if bad, waited := well.count(); len(bad) > 0 || waited != 5 {
		t.Errorf("%q, %d waited", bad, waited)
	}
	ill := &turns{}
	call(ill, 1, 1, 1, 7, 9)
	call(ill, 2, 2, 2, 6, 9)
	if bad, _ := ill.count(); len(bad) != 1 {
		t.Errorf("%q", bad)
	}
}
