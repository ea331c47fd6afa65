package routing

import (
	"maps"
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// Tapes whose second byte is 5 of 8 have agents who are signed in by their phones,
// and callers who are sent to a number.
const (
	tapeWatched = agents.ID("a1") // while OPTIONS to the phone is answered
	tapeMobile  = agents.ID("a3") // called through a trunk
)

// phoned gives a document of the tape such phones and such callers.
func (p *tape) phoned(ev Event) Event {
	if !p.phones {
		return ev
	}
	switch ev := ev.(type) {
	case PolicyChanged:
		ev.Policy = tapePhones(ev.Policy)
		return ev
	case DirectoryChanged:
		ev.Policy = tapePhones(ev.Policy)
		return ev
	}
	return ev
}

func tapePhones(before *Policy) *Policy {
	p := *before
	p.Agents = maps.Clone(p.Agents)
	for id, phone := range map[agents.ID]agents.Phone{tapeWatched: {URI: "sip:w@192.0.2.9"}, tapeMobile: {Number: "+447700900123"}} {
		if a, listed := p.Agents[id]; listed {
			a.Desk, a.Phone = false, phone
			p.Agents[id] = a
		}
	}
	root := *p.Route
	root.Children = slices.Clone(root.Children)
	for i, n := range root.Children {
		if n.Name == "no" {
			far := *n
			far.Then = &rule.Treatment{Number: "+441632960123"}
			root.Children[i] = &far
		}
	}
	p.Route = &root
	return &p
}

// phoneEvent is now and then something that only such phones and numbers do.
func (p *tape) phoneEvent(ev Event) Event {
	if !p.phones {
		return ev
	}
	switch of := ev.(type) {
	case PhoneProbed:
		return PhoneProbed{[]agents.ID{tapeWatched, tapeWatched, of.Agent}[p.byte()%3], []int{200, 200, 405, 404, 0}[p.byte()%5]}
	case PhoneChanged: // a phone that registers tells so by itself
		if p.byte()%2 == 0 {
			return PhoneProbed{tapeWatched, []int{200, 503}[p.byte()%2]}
		}
	case PhoneFailed:
		of.Unconfirmed = of.Agent == tapeMobile && p.byte()%2 == 0
		return of
	case CallFailed, TreatmentPlayed, MessageLeft:
		call, _ := CallOf(ev)
		if c := p.e.calls[call]; c != nil && c.phase == dialled || p.byte()%8 == 0 {
			return []Event{NumberAnswered{Call: call}, NumberAnswered{Call: call}, NumberFailed{Call: call, Code: []int{486, 603, 487, 503}[p.byte()%4]}, NumberGone{Call: call}}[p.byte()%4]
		}
	}
	return ev
}

// checkPhones: who is signed in by a phone is so while the phone is there, and a
// watched phone is asked again and again, whatever became of its agent.
func (p *tape) checkPhones() {
	p.t.Helper()
	if !p.phones {
		return
	}
	for _, a := range p.e.agents {
		if watched(a.def) && !a.gone && !a.tWatch.armed() || !watched(a.def) && a.tWatch.armed() {
			p.t.Fatalf("agent %s, gone %v: the phone is asked %v", a.id, a.gone, a.tWatch.armed())
		}
		if watched(a.def) && a.state.SignedIn() && !a.state.Busy() && !a.phoneUp {
			p.t.Fatalf("agent %s is %s by a phone that is away", a.id, a.state)
		}
	}
	for _, c := range p.e.calls {
		if c.phase == dialled && (c.demand != nil || c.agent != nil || c.spot != nowhere || c.seeking.pending()) {
			p.t.Fatalf("call %d is with a number, and in a queue or with an agent", c.id)
		}
	}
}
