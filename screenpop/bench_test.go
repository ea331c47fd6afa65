package screenpop

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// bare is a centre of a benchmark: one customer, no answers, nobody listening.
type bare struct{ nowhere }

func (bare) Find(context.Context, string) (customer.Match, error) {
	return customer.Match{Record: &customer.Record{
		ID: "LW-310 000 11", Version: 7, Name: "Dana Petrova", Language: "bg", Segment: "gold",
		Numbers: []customer.Number{{E164: "+447700900123", Label: "mobile"}},
		Billing: &customer.Billing{Balance: customer.Money{Minor: -4210, Currency: "GBP"}},
		Tickets: []customer.Ticket{{}}, Interactions: make([]customer.Interaction, 12),
	}}, nil
}
func (bare) FindAnswers(context.Context, string, string, string, int) ([]Answer, error) {
	return nil, nil
}
func (bare) SaveContact(Contact) {}

// BenchmarkCall is what a call costs the hub, without its desks' sockets.
func BenchmarkCall(b *testing.B) {
	c := bare{}
	done := make(chan struct{}, 1)
	h := New(Options{
		Engine: c, Finder: c, History: c, Answers: c, Directory: c, Policy: func() *routing.Policy { return nil }, Log: zap.NewNop(),
		Resolved: func(routing.CallID, customer.Match) { done <- struct{}{} },
	})
	defer func() { _ = h.Close(context.Background()) }()
	const desks = 500
	conns := make([]*conn, desks)
	h.call(func() {
		for i := range conns {
			conns[i] = h.seat(agents.ID(fmt.Sprintf("agent%03d", i)))
		}
	})
	n := routing.CallID(0)
	b.ReportAllocs()
	for b.Loop() {
		n++
		desk := conns[int(n)%desks]
		o := routing.Offer{Call: n, Attempt: 1, Agent: desk.desk.agent}
		at := time.Now()
		state := func(s agents.State) routing.AgentChanged {
			return routing.AgentChanged{Status: agents.Status{Agent: o.Agent, State: s, Since: at, Call: int64(n)}}
		}
		h.OpenCard(NewCall{Call: n, Lookup: "+447700900123", Dialled: "+442079460100", Trunk: "main", At: at})
		h.Do(at, []routing.Action{routing.ResolveCustomer{Call: n}, routing.Enqueued{Call: n, Queue: "care", Entered: at}})
		<-done
		h.Do(at, []routing.Action{routing.OfferCall{Offer: o, Queue: "care", AckBy: at.Add(time.Second)}, state(agents.Offered)})
		h.call(func() {
			h.handle(desk, deskFrame{T: "pop_ack", D: fmt.Appendf(nil, `{"call":%d,"attempt":1,"mode":"painted","version":7,"panels":{"bar":"shown","who":"shown"}}`, n)})
		})
		h.Do(at, []routing.Action{routing.Ring{Offer: o}, state(agents.Ringing)})
		h.Do(at, []routing.Action{routing.Connect{Offer: o, Answered: at}, state(agents.Talking)})
		h.Do(at, []routing.Action{routing.EndCall{Call: n}, routing.WrapUpStarted{Offer: o}, state(agents.WrapUp)})
		h.Do(at, []routing.Action{routing.WrapUpFinished{Offer: o}, state(agents.Available)})
		h.call(func() { desk.take() })
	}
}
