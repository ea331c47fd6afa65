package routingtest

import (
	"cmp"
	"fmt"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// consult plays what the agent who has a call does about a question: "consult CALL
// queue=Q as=NAME" asks it, "consult CALL stop" and "consult CALL complete" end it.
func (r *runner) consult(l line, o routing.Offer, rest string) error {
	switch rest {
	case "stop":
		return r.step(routing.ConsultStopped{Offer: o})
	case "complete":
		return r.step(routing.ConsultCompleted{Offer: o})
	case "":
	default:
		return fmt.Errorf("%q is not understood", rest)
	}
	name := cmp.Or(l.opts["as"], r.name(o.Call)+"?")
	return r.step(routing.ConsultRequested{
		Offer: o, Consult: r.number(name), Topic: l.opts["topic"], Queue: l.opts["queue"], ToAgent: agents.ID(l.opts["agent"]),
	})
}

// consultWords says what an action about a question means.
func (r *runner) consultWords(a routing.Action) string {
	switch a := a.(type) {
	case routing.ConsultStarted:
		r.greeted[a.Consult] = true // its caller is an agent
		return fmt.Sprintf("%s asks %s about %s: %s", a.Agent, first(a.Topic, string(a.ToAgent), a.Queue), r.name(a.Call), r.name(a.Consult))
	case routing.ConsultEnded:
		return fmt.Sprintf("%s has %s again (%s)", a.Agent, r.name(a.Call), a.Why)
	case routing.HandedOver:
		r.offers[a.Call], r.talks[a.Agent] = a.Offer, a.Offer
		r.made[routing.Offer{Call: a.Call, Attempt: a.Attempt}] = a.Agent
		return fmt.Sprintf("%s handed over by %s to %s #%d", r.name(a.Call), a.From.Agent, a.Agent, a.Attempt)
	}
	return ""
}
