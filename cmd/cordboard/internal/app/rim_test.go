package app

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store/journal"
)

const toNamed = "+442079460105" // its route asks for what stays at the rim

// A route may ask for the caller's number, the customer's id and a person's
// name: it gets the answers, and none of them stands in the journal.
func TestNamesStopAtTheRim(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna, petar}})
	r := record()
	r.Fields = map[string]any{"contact": "Leo Whitcombe", "seats": 12.0}
	w.must(w.app.Store().SaveCustomers(w.ctx, []customer.Record{r}))
	c := w.dial(dial{to: toNamed})
	if card := w.phase(petar, "talking"); card.Queue != "internet" {
		t.Errorf("it came to queue %s", card.Queue)
	}
	snap, err := w.app.rim.driver.Snapshot(w.ctx)
	w.must(err)
	if len(snap.Calls) != 1 {
		t.Fatalf("%d calls", len(snap.Calls))
	}
	// A version that asks for something else finds its answers there already.
	next := *w.app.Policy()
	next.Version++
	w.app.rim.reload(routing.PolicyChanged{Version: next.Version, SHA256: next.SHA256, Policy: &next})
	c.hangsUp()
	want := answeredByCaller
	want.agent = petar
	row := w.settled(want)[0]
	w.must(os.WriteFile(w.app.Server().Routes, w.document, 0o600))
	w.eventually("the server decides it again as it did", func() bool {
		v, _, err := w.app.newExplainer().Explain(w.ctx, row.Call)
		w.must(err)
		out, _ := v.(explanation)
		return out.Recorded != nil && out.Recorded.Again == why.Same
	})
	w.stop()
	files, err := filepath.Glob(filepath.Join(w.app.Server().Store.Journal, "*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%v %v", files, err)
	}
	kinds := map[string]bool{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		w.must(err)
		for _, secret := range []string{dana[2:], "Leo Whitcombe", `"LW-1"`, `"seats"`} {
			if bytes.Contains(b, []byte(secret)) {
				t.Errorf("%s holds %s", filepath.Base(f), secret)
			}
		}
		for _, kind := range []string{routing.RimRead{}.Kind(), `"region":"mobiles"`} {
			kinds[kind] = kinds[kind] || bytes.Contains(b, []byte(kind))
		}
	}
	for kind, there := range kinds {
		if !there {
			t.Errorf("the journal holds no %s", kind)
		}
	}
	seats := 0
	w.must(journal.Read(w.app.Server().Store.Journal, func(_ time.Time, ev routing.Event) error {
		if r, ok := ev.(routing.CustomerResolved); ok {
			seats += r.Customer.Integers["seats"]
		}
		return nil
	}))
	if seats != 12 {
		t.Errorf("what is sealed is read as %d seats", seats)
	}
}
