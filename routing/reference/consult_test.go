package reference

import (
	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// asked is what a question is given of points.
const asked = 30

// consultEvent asks, asks no more, or hands the caller over.
func (p *tape) consultEvent(o routing.Offer) routing.Event {
	switch p.rng.IntN(4) {
	case 0:
		return routing.ConsultStopped{Offer: o}
	case 1:
		return routing.ConsultCompleted{Offer: o}
	case 2:
		p.next++
		return routing.ConsultRequested{Offer: o, Consult: p.next, Topic: "hard"}
	}
	p.next++
	return routing.ConsultRequested{Offer: o, Consult: p.next, Queue: []string{"a", "b"}[p.rng.IntN(2)]}
}

// consulted follows the tape's questions.
func (p *tape) consulted(a routing.Action) {
	switch a := a.(type) {
	case routing.ConsultStarted:
		p.calls = append(p.calls, a.Consult)
	case routing.HandedOver:
		p.offers[a.Call] = a.Offer
	}
}

// consult follows questions: one is a call that who asked never takes, and that is
// passed on from nobody.
func (m *matcher) consult(a routing.Action) {
	switch a := a.(type) {
	case routing.ConsultStarted:
		c := m.call(a.Call)
		m.calls = append(m.calls, &caller{
			id: a.Consult, language: c.language, region: c.region, last: c.last, bars: map[agents.ID]bar{}, skipped: map[int]bool{},
			sender: a.Agent, question: true, firm: rule.Need{None: c.firm.None},
		})
	case routing.HandedOver:
		c, q := m.call(a.Call), m.call(a.Asked.Call)
		c.policy, c.queue, c.firm, c.came = q.policy, q.queue, q.firm, 0
		c.step, c.skipped, c.entered, c.sender, c.front = 0, map[int]bool{}, m.now, "", false
		c.out, q.out = []routing.Offer{a.Offer}, nil
		m.person(a.From.Agent).call, m.person(a.Agent).call = 0, c.id
	}
}
