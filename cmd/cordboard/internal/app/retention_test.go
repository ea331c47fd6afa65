package app

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/customer/permission"
	"github.com/cordboard/cordboard/store"
)

// TestRetention: what the server file gives a span is removed after it, in the night or
// at the start, and the rest stays.
func TestRetention(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna}, consents: "{}\nretention: {calls: 400d, decisions: 30d}"})
	c := w.dial(dial{to: toAsks})
	w.phase(anna, "talking")
	c.hangsUp()
	row := w.settled(answeredByCaller)[0]
	_, err := w.app.Store().Decide(w.ctx, store.ContactDecision{Customer: "LW-1", Contact: permission.Contact{Purpose: permission.Offer, Channel: permission.Call, At: time.Now()}},
		0, func([]time.Time) permission.Decision { return permission.Decision{Reason: permission.NotAsked} })
	w.must(err)
	for _, step := range []struct {
		days              int
		number, decisions bool
	}{{29, true, true}, {31, true, false}, {401, false, false}} {
		w.app.retainOnce(w.ctx, time.Now().Add(time.Duration(step.days)*24*time.Hour))
		r, err := w.app.Store().LedgerRow(w.ctx, row.Call)
		w.must(err)
		kept, err := w.app.Store().Export(w.ctx, store.Person{Customer: "LW-1"})
		w.must(err)
		if (r.Number != "") != step.number || (len(kept.Decisions) > 0) != step.decisions {
			t.Errorf("after %d days: number %v, %d decisions", step.days, r.Number != "", len(kept.Decisions))
		}
	}
}

func TestNextNight(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	for now, want := range map[string]string{
		"2026-11-24T02:59:59Z": "2026-11-24T03:00:00Z", "2026-11-24T03:00:00Z": "2026-11-25T03:00:00Z",
		"2026-07-01T02:30:00Z": "2026-07-02T02:00:00Z",
	} {
		at, err := time.Parse(time.RFC3339, now)
		if err != nil {
			t.Fatal(err)
		}
		if got := nextNight(at, london).UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s: %s, want %s", now, got, want)
		}
	}
}
