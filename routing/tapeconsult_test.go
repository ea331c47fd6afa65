package routing

import "testing"

// consultEvent asks, asks no more, or hands the caller over.
func (p *tape) consultEvent(o Offer) Event {
	ask := ConsultRequested{Offer: o}
	switch p.byte() % 6 {
	case 0:
		return ConsultStopped{o}
	case 1, 2:
		return ConsultCompleted{o}
	case 3:
		ask.Topic = "hard"
	case 4:
		ask.Queue = []string{"a", "b", "c", "v"}[p.byte()%4]
	case 5:
		ask.ToAgent = p.agent()
	}
	p.next++
	ask.Consult = p.next
	return ask
}

// consultAction follows what an action says of questions.
func (p *tape) consultAction(a Action, fail func(string)) {
	switch a := a.(type) {
	case ConsultStarted:
		if !p.out(a.Offer) || p.arrived[a.Consult] {
			fail("asks about a call that is not the agent's, or twice by one number")
		}
		p.arrived[a.Consult], p.greeted[a.Consult] = true, true
	case ConsultEnded:
		if !p.out(a.Offer) || !p.ended[a.Consult] {
			fail("gives the caller back while the question goes on, or to nobody")
		}
	case HandedOver:
		if !p.out(a.From) || !p.out(a.Asked) || a.Agent != a.Asked.Agent || a.Call != a.From.Call || a.Attempt <= a.From.Attempt || len(p.talks[a.Asked.Call]) == 0 {
			fail("hands over what is not the sender's, or to who does not talk")
		}
		p.past = append(p.past, a.From, a.Asked)
		delete(p.holder, a.From.Agent)
		delete(p.offers, a.Asked.Call)
		p.offers[a.Call], p.holder[a.Agent] = a.Offer, a.Call
		p.talks[a.Call] = append(p.talks[a.Call], a.Offer)
	}
}

// checkConsults: a question and the call it is about know one another; the one who
// asked talks to the caller, who holds unless the agent went back, and nobody is
// asked by two.
func checkConsults(t *testing.T, e *Engine) map[string]int {
	t.Helper()
	asked := map[string]int{}
	for _, c := range e.calls {
		k := c.consult
		if k == nil {
			if c.attrs.Kind == consulted {
				t.Fatalf("question %d is about nothing", c.id)
			}
			continue
		}
		if e.calls[k.call.id] != k.call || e.calls[k.question.id] != k.question || k.call.consult != k || k.question.consult != k || k.call == k.question {
			t.Fatalf("call %d: the other half of its question is gone", c.id)
		}
		if k.call.phase != talking || k.call.agent == nil || k.question.agent == k.call.agent {
			t.Fatalf("call %d in phase %d is asked about", k.call.id, k.call.phase)
		}
		if !c.isQuestion() {
			continue
		}
		if c.callback != nil || len(c.also) > 0 || c.saying != nil || c.treatment != nil || len(c.visits.Visits) > 0 || !c.answered {
			t.Fatalf("question %d is treated as a caller", c.id)
		}
		if c.demand != nil && (c.phase == waiting || c.phase.offered()) {
			asked[c.queue.Name]++
		}
	}
	return asked
}
