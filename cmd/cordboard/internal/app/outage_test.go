package app

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

// TestCallsOutliveTheDatabase: while the database is gone or says nothing, calls
// are routed and talked, the desk shows what is remembered or that there is no
// record, health is degraded and not dead, and afterwards the ledger has all.
func TestCallsOutliveTheDatabase(t *testing.T) {
	for name, away := range map[string]func(*pgtest.Proxy){
		"hangs": func(p *pgtest.Proxy) { p.Delay(time.Hour) },
		// A look-up may be one journey, and has 2 s: each comes too late for it.
		"slow": func(p *pgtest.Proxy) { p.Delay(3 * time.Second) },
		"cut":  func(p *pgtest.Proxy) { p.Delay(time.Hour); p.Cut() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := Postgres.Cluster(t)
			p := pgtest.NewProxy(t, c)
			w := newWorld(t, setup{
				at: []agents.ID{anna}, logs: "database cannot be written",
				kept: `{postgres: "` + p.URL(c.Database(t, Postgres.Template(t))) + `", journal: journal}`,
			})
			rows := []row{w.takesNext(anna)}
			if got := w.health(); got != "ready\n" {
				t.Fatalf("health: %q", got)
			}
			away(p)
			known := w.duringOutage(dial{}, 2)
			if known.Match != "exact" || !known.Stale || known.Record == nil || known.Record.Name != record().Name {
				t.Errorf("a customer who called before: %s, stale %v, %+v", known.Match, known.Stale, known.Record)
			}
			stranger := w.duringOutage(dial{pai: "sip:+447700900499@trunk.example"}, 3)
			if stranger.Match != "failed" || stranger.Record != nil {
				t.Errorf("a customer nobody remembers: %s, %+v", stranger.Match, stranger.Record)
			}
			w.eventually("health is degraded", func() bool { return strings.HasPrefix(w.health(), "ready, degraded: database") })
			if text := w.get("/metrics"); !strings.Contains(text, "cordboard_store_queued ") || !strings.Contains(text, "cordboard_store_exposed 0") {
				t.Errorf("metrics lack the store: %s", text)
			}
			w.eventually("what waits is in the spill file", func() bool {
				st := w.app.Store().Stats()
				return st.Spilled > 0 && st.Spilled == st.Queued
			})
			p.Delay(0)
			rows = append(rows, answeredByCaller, answeredByCaller)
			w.settled(rows...)
			w.eventually("health is back", func() bool { return w.health() == "ready\n" })
		})
	}
}

// duringOutage places a call that anna answers and the caller ends, and gives
// her card as it was in the talk, once its look-up is over.
func (w *world) duringOutage(d dial, n int) (card desktest.Card) {
	w.Helper()
	c := w.dial(d)
	w.screen(anna, "a card with the look-up's outcome", func(s desktest.State) bool {
		for _, card = range s.Cards {
			if card.Phase == "talking" && card.Match != "pending" {
				return true
			}
		}
		return false
	})
	c.hears(agentTone[anna])
	leg := w.rung(anna, n)
	c.hangsUp()
	w.heard(leg, siptest.ByeReceived)
	w.state(anna, "available")
	return card
}

func (w *world) health() string { return w.get("/-/ready") }

// get reads from the admin address. Only 200 is right there, come what may. No
// connection is kept: its goroutines would outlive the case.
func (w *world) get(path string) string {
	w.Helper()
	q, err := http.NewRequestWithContext(w.ctx, http.MethodGet, "http://"+w.app.AdminAddr().String()+path, http.NoBody)
	w.must(err)
	q.Close = true
	r, err := http.DefaultClient.Do(q)
	w.must(err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	w.must(err)
	if r.StatusCode != http.StatusOK {
		w.Errorf("%s: %d %s", path, r.StatusCode, b)
	}
	return string(b)
}
