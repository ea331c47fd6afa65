package screenpop_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
)

type quiet struct{}

func (quiet) Submit(routing.Event)          {}
func (quiet) SaveContact(screenpop.Contact) {}

// FuzzDeskFrame feeds frames to a live hub: nothing a desk can send may panic
// it, reach a call of another agent, or leave a request without its result.
func FuzzDeskFrame(f *testing.F) {
	for _, seed := range []string{
		`{"t":"pop_ack","id":1,"d":{"call":1,"attempt":1,"mode":"painted","version":7,"panels":{"who":"shown"}}}`,
		`{"t":"accept","id":2,"d":{"call":1,"attempt":1}}`, `{"t":"decline","id":3,"d":{"call":1,"attempt":1,"reason":"not_now"}}`,
		`{"t":"hold","id":4,"d":{"call":1,"attempt":1,"on":true}}`, `{"t":"hangup","id":5,"d":{"call":1,"attempt":1}}`,
		`{"t":"note","id":6,"d":{"call":1,"attempt":1,"text":"x"}}`, `{"t":"choose","id":7,"d":{"call":1,"attempt":1,"customer":"x"}}`,
		`{"t":"answer_used","id":8,"d":{"call":1,"attempt":1,"answer":"a1"}}`,
		`{"t":"transfer","id":9,"d":{"call":1,"attempt":1,"topic":"line_fault","note":"x"}}`,
		`{"t":"wrap_up","id":10,"d":{"call":1,"attempt":1,"disposition":"fixed","note":""}}`,
		`{"t":"state","id":11,"d":{"state":"available","reason":""}}`, `{"t":"sign_out","id":12,"d":{}}`,
		`{"t":"answers","id":13,"d":{"lang":"en","topic":"","query":"bill"}}`, `{"t":"note","id":14,"d":{"call":2,"attempt":1,"text":"x"}}`,
		`{"t":"hello","d":{"v":1}}`, `{}`, `null`, `{"t":"note","d":null}`,
	} {
		f.Add([]byte(seed))
	}
	policy := testPolicy()
	rec := dana()
	faults, seen := observer.New(zap.ErrorLevel)
	hub := screenpop.New(screenpop.Options{
		Engine: quiet{}, History: quiet{}, Directory: people(), Log: zap.New(faults), Answers: answers{},
		Finder: finder(func(context.Context, string) (customer.Match, error) { return customer.Match{Record: &rec}, nil }),
		Policy: func() *routing.Policy { return policy },
	})
	f.Cleanup(func() { _ = hub.Close(context.Background()) })
	f.Fuzz(func(t *testing.T, text []byte) {
		now := time.Now()
		for call, agent := range map[routing.CallID]agents.ID{1: "priya", 2: "petar"} {
			o := offerOf(call, 1, agent)
			hub.OpenCard(screenpop.NewCall{Call: call, At: now})
			hub.Do(now, []routing.Action{routing.OfferCall{Offer: o, Queue: "care"}, routing.Connect{Offer: o, Answered: now}})
		}
		before, _ := hub.Peek(2, 1)
		answered, id := hub.Feed("priya", text)
		if after, _ := hub.Peek(2, 1); after != before {
			t.Errorf("%q changed another agent's call: %q", text, after)
		}
		if seen.Len() > 0 {
			t.Fatalf("%q: %v", text, seen.TakeAll())
		}
		if !answered {
			t.Errorf("%q: request %d has neither a result nor a reason to wait", text, id)
		}
	})
}
