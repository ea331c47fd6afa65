package app

import (
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/store"
)

// TestLinked: an agent asks a caller whom nobody knows who he is, and says it once. The
// call is that customer's, the next one is known, and an erasure takes it along.
func TestLinked(t *testing.T) {
	const strange = "+447700900555"
	for _, db := range Databases {
		t.Run(db.Case("linked"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna}, store: db})
			c := w.dial(dial{to: toAsks, pai: "sip:" + strange + "@trunk.example"})
			card := w.phase(anna, "talking")
			if card.Match != "none" {
				t.Fatalf("the caller is %s before anybody has asked", card.Match)
			}
			w.do(anna, "link", card, map[string]any{"customer": "LW-1", "undo": false})
			w.screen(anna, "the record", func(s desktest.State) bool {
				for _, c := range s.Cards {
					if c.Record != nil && c.Record.ID == "LW-1" && c.Match == "exact" {
						return true
					}
				}
				return false
			})
			c.hangsUp()
			w.settled(answeredByCaller)
			m, err := w.app.finder.Find(w.ctx, strange)
			w.must(err)
			if m.Record == nil || m.Record.ID != "LW-1" || len(m.Record.Interactions) == 0 {
				t.Fatalf("the next call finds %+v", m)
			}
			for _, n := range m.Record.Numbers {
				if n.E164 == strange && (n.By == nil || n.By.Agent != string(anna) || n.ConfirmedAt == nil) {
					t.Errorf("who has said it: %+v", n)
				}
			}
			_, err = AskToErase(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, "me")
			w.must(err)
			if m, err = w.app.finder.Find(w.ctx, strange); err != nil || m.Record != nil {
				t.Errorf("after the erasure the number finds %+v, %v", m, err)
			}
			if left := w.found([]string{strange}); len(left) > 0 {
				t.Errorf("left of the number: %v", left)
			}
		})
	}
}
