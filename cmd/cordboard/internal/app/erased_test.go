package app

import (
	"os"
	"slices"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// A call that went where it did for who its customer is stays there in every replay
// once the customer is erased: it is told as the ledger has it, and another call,
// which found his agent busy, is decided again as it was.
func TestErasedCallIsTakenAsRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna, petar}})
	r := record()
	r.Fields = map[string]any{"contact": "Leo Whitcombe", "seats": 12.0}
	w.must(w.app.Store().SaveCustomers(w.ctx, []customer.Record{r}))
	c := w.dial(dial{to: toNamed})
	w.phase(petar, "talking")
	other := w.dial(dial{pai: "sip:+442079460777@127.0.0.1"})
	w.phase(anna, "talking")
	other.hangsUp()
	c.hangsUp()
	first := answeredByCaller
	first.agent = petar
	rows := w.settled(first, answeredByCaller)
	his, hers := rows[0].Call, rows[1].Call
	if rows[0].Agent != petar {
		his, hers = hers, his
	}
	w.must(os.WriteFile(w.app.Server().Routes, w.document, 0o600))
	explained := func(call routing.CallID, again string) (x *why.Explained) {
		w.eventually("call "+again, func() bool {
			v, _, err := w.app.newExplainer().Explain(w.ctx, call)
			w.must(err)
			out, _ := v.(explanation)
			x = out.Recorded
			return x != nil && x.Again == again
		})
		return x
	}
	explained(his, why.Same)
	if x := explained(hers, why.Same); x.ErasedCalls != 0 {
		t.Errorf("%d calls erased before anybody was", x.ErasedCalls)
	}
	w.must(w.app.journal.Erase(w.app.rim.key("customer.id", r.ID)))
	x := explained(his, why.Erased)
	if x.Reason == "" || x.Queue != "internet" || !slices.ContainsFunc(x.Records, func(r routing.Record) bool {
		return r.Kind == routing.Given && r.Chosen == petar && len(r.Attributes) == 0
	}) {
		t.Errorf("his call is told so (%s): %+v", x.Reason, x.Records)
	}
	if x = explained(hers, why.Same); x.ErasedCalls != 1 || x.Agent != anna {
		t.Errorf("the other call is %s's, %d calls erased on the way", x.Agent, x.ErasedCalls)
	}
}
