package routing

import "github.com/cordboard/cordboard/routing/rule"

// heardOut is the answer to a menu, the end of an announcement or, sometimes in the wrong place, of a
// message.
func (p *tape) heardOut() Event {
	id := p.call()
	c := p.e.calls[id]
	if c != nil && c.phase == choosing && c.menu.menu.Enter != nil && p.byte()%4 > 0 {
		ask := max(0, c.menu.asks-p.byte()%8/7)
		if p.byte()%2 == 0 {
			return CustomerResolved{Call: id, Ask: ask, Key: "k3", Customer: rule.Customer{Known: true, Segment: "gold", Language: "ru"}}
		}
		return NumberKeyed{id, ask, []string{GotWrong, GotUnknown, GotNoAnswer, GotNothing}[p.byte()%4]}
	}
	if c != nil && c.phase == choosing {
		return MenuKeyed{id, max(0, c.menu.asks-p.byte()%8/7), []string{"", "1", "2", "3", "4", "9"}[p.byte()%6]}
	}
	if c != nil && c.phase == dialled && c.outside {
		return []Event{NumberAnswered{id}, NumberGone{id}, NumberFailed{id, 486}, NumberFailed{id, 503}}[p.byte()%4]
	}
	if in := c != nil && c.phase == recording; in == (p.byte()%8 == 7) {
		return TreatmentPlayed{id}
	}
	why := []string{MessageHungUp, MessageByKey, MessageSilence, MessageLongest, MessageFailed}[p.byte()%5]
	return MessageLeft{id, p.byte() % 4, why}
}

// mailbox checks that who is sent to a mailbox is answered, and once.
func (p *tape) mailbox(a Treat, fail func(string)) {
	if p.boxes == nil {
		p.boxes = map[CallID]string{}
	}
	if p.boxes[a.Call] != "" {
		fail("treats who is in a mailbox")
	}
	if a.Voicemail == "" {
		return
	}
	if !p.greeted[a.Call] || p.ended[a.Call] || p.offers[a.Call] != (Offer{}) {
		fail("a mailbox for who is not answered, not there, or with an agent")
	}
	p.boxes[a.Call] = a.Voicemail
}

// takes checks that a message is from who was sent to that mailbox, and the last
// thing but the end.
func (p *tape) takes(a MessageTaken, fail func(string)) {
	if p.boxes[a.Call] != a.Mailbox || a.Seconds <= 0 || p.ended[a.Call] || p.e.calls[a.Call] != nil {
		fail("a message of who is not in the mailbox, or is there after it")
	}
}
