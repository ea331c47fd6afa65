package app

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/store"
)

// TestChain passes one call on five times, by topic, by name, by hand-over after a
// question, by queue and by name again, with holds between. The last agent sees
// the first record and the whole way; the ledger's legs are as long as the call, and
// nothing that was known had to be asked again.
func TestChain(t *testing.T) {
	for _, on := range Databases {
		t.Run(on.Case("five hops"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna, boris, petar}, store: on})
			baseline, was := w.goroutines()
			first, last := w.fiveHops()
			rows := w.settled(row{outcome: routing.Answered, by: routing.ByCaller, agent: boris, offers: 5, transfers: 5}, consulted(routing.ByAgent, "handed_over", anna))
			w.carried(first, last)
			w.addsUp(&rows[0])
			w.quiet(baseline, was)
		})
	}
}

// hop is who has the caller, and what of the call he or she sees.
type hop struct {
	who  agents.ID
	card desktest.Card
}

// has waits until the agent talks to the caller, with the card on the screen.
func (w *world) has(c *caller, call int64, who agents.ID) hop {
	w.Helper()
	h := hop{who: who}
	w.screen(who, "the call", func(s desktest.State) bool {
		h.card = s.Cards[call]
		return h.card.Phase == "talking" && !h.card.Question
	})
	c.hears(agentTone[who])
	return h
}

// passes has the agent hold the caller, take him back and pass him on.
func (w *world) passes(c *caller, h hop, draft, sentence string, to map[string]any) {
	w.Helper()
	w.do(h.who, "note", h.card, map[string]any{"text": draft})
	w.do(h.who, "hold", h.card, map[string]any{"on": true})
	c.hearsMusic()
	w.do(h.who, "hold", h.card, map[string]any{"on": false})
	c.hears(agentTone[h.who])
	to["note"] = sentence
	w.do(h.who, "transfer", h.card, to)
}

func (w *world) fiveHops() (first, last desktest.Card) {
	w.Helper()
	c, card, _ := w.talking()
	a := w.has(c, card.Call, anna)
	w.passes(c, a, "Router restarted.", "Drops every evening.", map[string]any{"topic": "line_fault"})
	p := w.has(c, card.Call, petar)
	w.passes(c, p, "Port 12 is full.", "Needs a new contract.", map[string]any{"agent": string(boris)})
	b := w.has(c, card.Call, boris)
	w.do(boris, "note", b.card, map[string]any{"text": "Contract ends in May."})
	w.phones[anna].Set(rings(anna))
	w.do(boris, "consult", b.card, map[string]any{"agent": string(anna), "note": "May she have a discount?"})
	w.calls++
	c.hearsMusic()
	asked := w.rung(anna, 2)
	w.must(asked.Answer())
	w.hears(asked.Audio(), agentTone[boris])
	w.phones[anna].Set(picksUp(anna))
	w.do(boris, "consult_complete", b.card, nil)
	a = w.has(c, card.Call, anna)
	w.passes(c, a, "Router restarted. Discount given.", "Please book the port.", map[string]any{"queue": "internet"})
	p = w.has(c, card.Call, petar)
	w.passes(c, p, "Port 12 is full. Booked 14.", "All is booked.", map[string]any{"agent": string(boris)})
	b = w.has(c, card.Call, boris)
	leg := w.rung(boris, 2)
	c.hangsUp()
	w.heard(leg, siptest.ByeReceived)
	return card, b.card
}

// carried holds the last card against the first.
func (w *world) carried(first, last desktest.Card) {
	w.Helper()
	one, _ := json.Marshal(first.Record)
	five, _ := json.Marshal(last.Record)
	if first.Record == nil || string(one) != string(five) {
		w.Errorf("the record was %s, and is %s", one, five)
	}
	if len(last.Path) < len(first.Path) {
		w.Fatalf("the way has become shorter: %+v, then %+v", first.Path, last.Path)
	}
	for i, step := range first.Path {
		if last.Path[i].Kind != step.Kind || last.Path[i].Name != step.Name {
			w.Errorf("step %d of the way was %+v, and is %+v", i, step, last.Path[i])
		}
	}
	var who []string
	for _, step := range last.Path {
		if step.Kind == "agent" {
			who = append(who, step.Name)
		}
	}
	if want := []string{"Anna Berg", "Petar Georgiev", "Boris Lind", "Anna Berg", "Petar Georgiev"}; !slices.Equal(who, want) {
		w.Errorf("the way went by %v", who)
	}
	if last.From == nil || last.From.Agent != string(petar) || last.From.Note != "All is booked." || last.Note != "Contract ends in May." {
		w.Errorf("boris has the call from %+v, with his own note %q", last.From, last.Note)
	}
	said := map[string]bool{}
	for _, n := range last.Notes {
		said[n.Text] = true
	}
	for _, text := range []string{
		"Drops every evening.", "Needs a new contract.", "May she have a discount?", "Please book the port.", // sentences
		"Router restarted. Discount given.", "Port 12 is full. Booked 14.", // notes as they were left
	} {
		if !said[text] {
			w.Errorf("%q is not among the notes %+v", text, last.Notes)
		}
	}
}

// addsUp holds the ledger's legs against its row, and each hand-over against what
// the receiver's desk showed.
func (w *world) addsUp(r *store.LedgerRow) {
	w.Helper()
	events, err := w.app.Store().Events(w.ctx, r.Call)
	w.must(err)
	legs, err := store.Legs(events)
	w.must(err)
	var all, talked time.Duration
	at, holds := r.ArrivedAt, 0
	var talks []agents.ID
	for _, l := range legs {
		if !l.From.Equal(at) || !l.To.After(l.From) {
			w.Errorf("leg %+v begins elsewhere than at %v", l, at)
		}
		at = l.To
		all += l.To.Sub(l.From)
		if l.Agent != "" {
			talked += l.To.Sub(l.From)
			if n := len(talks); n == 0 || talks[n-1] != l.Agent {
				talks = append(talks, l.Agent)
			}
		}
		if l.Kind == store.LegHold {
			holds++
		}
	}
	if lived := r.EndedAt.Sub(r.ArrivedAt); all != lived || !at.Equal(r.EndedAt) || talked != r.Talk || holds != 5 {
		w.Errorf("the call lived %v, its legs %v; talks %v, of agents %v; %d holds: %+v", lived, all, r.Talk, talked, holds, legs)
	}
	if want := []agents.ID{anna, petar, boris, anna, petar, boris}; !slices.Equal(talks, want) {
		w.Errorf("agents of the legs: %v", talks)
	}
	handed := map[routing.Attempt]bool{}
	for _, e := range events {
		if e.Kind != "transfer_facts" {
			continue
		}
		var f struct {
			Known   int `json:"known"`
			ReAsked int `json:"re_asked"`
		}
		w.must(json.Unmarshal(e.Data, &f))
		if f.ReAsked != 0 || f.Known < 3 {
			w.Errorf("attempt %d: %d of %d facts asked again", e.Attempt, f.ReAsked, f.Known)
		}
		handed[e.Attempt] = true
	}
	if len(handed) != 5 {
		w.Errorf("what the receiver saw is known of %d transfers", len(handed))
	}
}
