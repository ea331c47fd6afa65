package app

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// sources is where the calls of this world are explained from.
func (w *world) sources() *why.Sources {
	return &why.Sources{
		Ledger: w.app.Store(), Journal: w.app.opt.Server.Store.Journal,
		Policy: func(_ context.Context, version int, sha, _ string) (*routing.Policy, error) {
			p, _ := configs.ParseRouting("routing.yaml", w.document)
			if p.SHA256 != sha || version != p.Version {
				return nil, errors.New("another document")
			}
			return p, nil
		},
	}
}

// explain explains a call, once the journal is on disk.
func (w *world) explain(call routing.CallID) (x *why.Explained) {
	w.Helper()
	w.eventually("the call's decisions taken again", func() bool {
		var err error
		x, err = w.sources().Call(w.ctx, call)
		w.must(err)
		return x.Again == why.Same
	})
	return x
}

// explained: each decision about each call comes out again as it was, from the
// journal, and its record names every agent who was signed in once.
func (w *world) explained(rows []store.LedgerRow) {
	w.Helper()
	for _, row := range rows {
		x := w.explain(row.Call)
		var last []agents.ID // who was offered the call last, alone or as a group
		for _, r := range x.Records {
			seen := slices.Concat(r.Free, r.Group)
			if r.Chosen != "" {
				seen = append(seen, r.Chosen)
			}
			for _, l := range r.LeftOut {
				seen = append(seen, l.Agent)
			}
			slices.Sort(seen)
			if len(slices.Compact(slices.Clone(seen))) != r.SignedIn || len(seen) != r.SignedIn {
				w.Errorf("call %d: %d signed in, named %v", row.Call, r.SignedIn, seen)
			}
			if r.Kind == routing.Given {
				last = append([]agents.ID{r.Chosen}, r.Group...)
				if r.Pop == nil || r.Ring != nil && r.Ring.At.IsZero() || r.Decide() != r.Chosen {
					w.Errorf("call %d #%d: pop %+v, ring %+v, decided again %s", row.Call, r.Attempt, r.Pop, r.Ring, r.Decide())
				}
			}
		}
		handed := slices.ContainsFunc(x.Moments, func(m why.Moment) bool { return strings.HasPrefix(m.What, "is handed over") })
		if row.Agent != "" && !handed && !slices.Contains(last, row.Agent) || x.Agent != row.Agent || x.Outcome != row.Outcome {
			w.Errorf("call %d: the ledger has %s, explained %v", row.Call, row.Agent, last)
		}
		end := x.Moments[len(x.Moments)-1]
		if !slices.ContainsFunc(x.Moments, func(m why.Moment) bool { return strings.HasPrefix(m.What, "ends: "+string(row.Outcome)) }) {
			w.Errorf("call %d: the last moment is %+v", row.Call, end)
		}
		for _, m := range x.Moments {
			if strings.Contains(m.What, record().Name) || row.Number != "" && strings.Contains(m.What, row.Number) {
				w.Errorf("call %d: %q names somebody", row.Call, m.What)
			}
		}
	}
}

// What cannot be decided again is told as the ledger has it, with the reason.
func TestExplainFromTheLedgerAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna, boris}})
	c, _, _ := w.talking()
	c.hangsUp()
	row := w.settled(answeredByCaller)[0]
	w.explain(row.Call)
	for says, s := range map[string]func(*why.Sources){
		"no journal":                func(s *why.Sources) { s.Journal = "" },
		"the beginning of that run": func(s *why.Sources) { s.Journal = t.TempDir() },
		"another document": func(s *why.Sources) {
			s.Policy = why.Documents{Versions: w.app.Store(), File: "testdata/routing.yaml"}.Policy
		},
		"too many events": func(s *why.Sources) { s.MostEvents = 1 },
	} {
		sources := w.sources()
		s(sources)
		x, err := sources.Call(w.ctx, row.Call)
		w.must(err)
		if x.Again != why.NotPossible || says != "another document" && !strings.Contains(x.Reason, says) || x.Reason == "" {
			t.Errorf("%s: %s, %s", says, x.Again, x.Reason)
		}
		last := x.Records[len(x.Records)-1]
		if last.Chosen != anna || !slices.Contains(last.LeftOut, routing.LeftOut{Agent: boris, Code: "policy"}) || last.Version != row.PolicyVersion || last.Pop == nil || last.Pop.Ack != routing.Painted {
			t.Errorf("%s: the record of the ledger %+v", says, last)
		}
	}
	if x := w.explain(row.Call); !x.Only(1) || len(x.Records) != 1 || x.Records[0].Attempt != 1 || x.Moments[0].Record != 1 || x.Only(2) {
		t.Errorf("one offer: %+v", x)
	}
	if _, err := w.sources().Call(w.ctx, 999_999); !errors.Is(err, why.ErrNoCall) {
		t.Errorf("a call that never was: %v", err)
	}
}

// A waiting caller is explained while she waits, by who would serve her; making
// that true serves her, and afterwards the call is explained from the journal.
func TestExplainWhileItWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna}, desk: away})
	x := w.app.newExplainer()
	x.sources = *w.sources()
	ask := func(call routing.CallID) explanation {
		v, ok, err := x.Explain(w.ctx, call)
		w.must(err)
		out, _ := v.(explanation)
		if ok != (out.Live != nil || out.Recorded != nil) {
			w.Errorf("call %d is there: %v, %+v", call, ok, out)
		}
		return out
	}
	c := w.dial(dial{})
	c.sees(1, "up")
	rows, err := w.app.Store().OpenCalls(w.ctx)
	w.must(err)
	for len(rows) == 0 {
		w.must(w.app.Store().Flush(w.ctx))
		rows, err = w.app.Store().OpenCalls(w.ctx)
		w.must(err)
	}
	call := rows[0].Call
	var live *routing.Waits
	w.eventually("the call waits", func() bool {
		live = ask(call).Live
		return live != nil && live.Phase == "waiting"
	})
	r := live.Record
	codes := map[agents.ID]string{} // gustav is signed in by his mobile
	for _, out := range r.LeftOut {
		codes[out.Agent] = out.Code
	}
	if r.SignedIn != 2 || len(codes) != 2 || codes[anna] != "away:signed_in" || codes[gustav] != "lacks:care>=3" || r.Position != 1 || len(r.Steps) == 0 {
		t.Errorf("it waits: %+v", r)
	}
	if len(live.Changes) != 2 || live.Changes[0].Agent != anna || !live.Changes[0].Serves {
		t.Fatalf("what would serve it: %+v", live.Changes)
	}
	_, err = w.desks[anna].Do(w.ctx, "state", map[string]any{"state": "available", "reason": ""})
	w.must(err) // and is offered the call at once: nobody sees her available
	w.phase(anna, "talking")
	if got := ask(call); got.Live == nil || got.Live.Agent != anna || got.Recorded == nil {
		t.Errorf("while they talk: %+v", got)
	}
	c.hangsUp()
	w.settled(answeredByCaller)
	w.explain(call)
	if got := ask(call); got.Live != nil || got.Recorded == nil || got.Recorded.Again != why.Same {
		t.Errorf("afterwards: %+v", got)
	}
	if got := ask(999_999); got.Live != nil || got.Recorded != nil {
		t.Errorf("a call that never was: %+v", got)
	}
}
