package sip

import (
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/alarm"
	"github.com/cordboard/cordboard/sip/identity"
)

const (
	// keyTime is how long a caller may take for the next key, from the end of what
	// he is told.
	keyTime = 6 * time.Second
	// maxKeyed is how often a caller may key in a number.
	maxKeyed = 3
	// maxDigits of a number are taken: an international prefix, and E.164's 15.
	maxDigits = 20
)

// Keys while a number is keyed in, and once it was read back.
const (
	endKey   = '#'
	clearKey = '*'
	rightKey = '1'
	wrongKey = '2'
)

// Customers knows who calls, and who is to be called back. Calls ask it, and it must
// not block.
type Customers interface {
	// Accepted: the caller wants to be called back, at the number he has keyed in;
	// a zero one is that which he calls from. It tells the engine.
	Accepted(call routing.CallID, entered identity.Number)
	// Customer is who is to be called, false where nobody knows any more.
	Customer(call routing.CallID) (Customer, bool)
	// Entered: the caller was asked for a customer's number, and has keyed in this one.
	// The engine is told whether it is one.
	Entered(call routing.CallID, ask int, number string)
}

// Customer is who is to be called back.
type Customer struct {
	Number  string          // E.164; called
	Caller  identity.Caller // as he was when he called
	Dialled identity.Dialled
	Trunk   string // that he called by
}

// offering is an offer to be called back, from its first word on.
type offering struct {
	key      byte
	entered  bool // another number may be keyed in
	language string
	why      string // the action that offers it; "" while the caller waits
	stage    offerStage
	digits   []byte
	keyed    int // numbers so far
	number   identity.Number
	wait     *alarm.Alarm // for the next key
}

type offerStage int

const (
	offerMade  offerStage = iota
	offerKeyed            // accepted; the number is being keyed in
	offerRead             // and was read back
)

// offerCallback tells the caller that he may be called back, and listens for the
// key until the engine has something else for him.
func (c *call) offerCallback(a routing.OfferCallback) {
	l := c.caller
	if l.ended || c.connected || len(a.Key) != 1 {
		return
	}
	if o := c.offering; o != nil && o.stage != offerMade && a.Entered {
		if a.Why != "" { // an action offers what he has accepted
			o.why, c.treatment = a.Why, ""
		}
		return // he is keying in the number
	}
	if !a.Entered && !c.mayCall(c.arrival.Caller.Number) {
		if a.Why != "" {
			c.submit(routing.CallbackDeclined{Call: c.id})
		}
		return
	}
	c.noOffer()
	o := &offering{key: a.Key[0], entered: a.Entered, language: a.Language, why: a.Why}
	c.offering = o
	c.listen(l)
	if a.Why != "" {
		c.quiet()
		c.treatment = ""
	}
	c.speak([]string{c.prompt("callback-offer", o.language), c.prompt("digit-"+a.Key, o.language)}, func() { c.awaitKey(o) })
}

// listen has the caller's keys told to the offer.
func (c *call) listen(l *leg) {
	if l.port != nil {
		l.port.OnDTMF(func(key byte) { c.post(func() { c.callerPressed(key) }) })
	}
}

// noOffer forgets the offer: the engine has something else for the caller.
func (c *call) noOffer() {
	o := c.offering
	if o == nil {
		return
	}
	o.wait.Stop()
	c.offering = nil
	if p := c.caller.port; p != nil {
		p.OnDTMF(nil)
	}
}

// awaitKey waits for the next key. While the caller waits for an agent he may
// press the one that accepts as long as he does.
func (c *call) awaitKey(o *offering) {
	if c.offering != o {
		return
	}
	o.wait.Stop()
	if o.stage == offerMade && o.why == "" {
		return
	}
	o.wait = c.after(c.gw.keyTime, func() { c.noKey(o) })
}

// noKey is the end of the time for a key: the caller declines, or the number is
// what he has keyed in so far.
func (c *call) noKey(o *offering) {
	if c.offering != o {
		return
	}
	switch o.stage {
	case offerKeyed:
		c.numberKeyed(o)
	case offerRead:
		c.accept(o) // it was read to him, and he has not said no
	default:
		c.declines(o)
	}
}

// declines ends an offer that nobody wants.
func (c *call) declines(o *offering) {
	why := o.why
	c.hush()
	if why != "" {
		c.submit(routing.CallbackDeclined{Call: c.id})
	}
}

// callerPressed is a key of the caller.
func (c *call) callerPressed(key byte) {
	o := c.offering
	if o == nil || c.caller.ended || c.connected {
		return
	}
	switch o.stage {
	case offerMade:
		if key != o.key {
			return
		}
		if !o.entered {
			c.accept(o)
			return
		}
		c.askNumber(o)
	case offerKeyed:
		switch {
		case key == endKey || len(o.digits) == maxDigits:
			c.numberKeyed(o)
		case key == clearKey:
			o.digits = o.digits[:0]
			c.awaitKey(o)
		case key >= '0' && key <= '9':
			c.quiet()
			o.digits = append(o.digits, key)
			c.awaitKey(o)
		}
	case offerRead:
		switch key {
		case rightKey:
			c.accept(o)
		case wrongKey:
			c.askNumber(o)
		}
	}
}

// askNumber has the caller key in the number to be called.
func (c *call) askNumber(o *offering, before ...string) {
	o.stage, o.digits = offerKeyed, o.digits[:0]
	o.wait.Stop()
	c.quiet()
	c.speak(append(before, c.prompt("callback-number", o.language)), func() { c.awaitKey(o) })
}

// numberKeyed reads the number back. None at all is the one he calls from.
func (c *call) numberKeyed(o *offering) {
	o.wait.Stop()
	c.quiet()
	if len(o.digits) == 0 && c.mayCall(c.arrival.Caller.Number) {
		o.number = identity.Number{}
		c.accept(o)
		return
	}
	o.keyed++
	number, err := identity.ParseCallable(string(o.digits), c.trunk.Trust.Region)
	switch {
	case err == nil && c.mayCall(number):
		o.stage, o.number = offerRead, number
		said := []string{c.prompt("callback-to", o.language)}
		for _, d := range o.digits {
			said = append(said, c.prompt("digit-"+string(d), o.language))
		}
		c.speak(append(said, c.prompt("callback-confirm", o.language)), func() { c.awaitKey(o) })
	case o.keyed < maxKeyed:
		c.askNumber(o, c.prompt("callback-wrong", o.language))
	default:
		c.speak([]string{c.prompt("callback-wrong", o.language)}, func() { c.declines(o) })
	}
}

// accept tells the engine. Until it answers, the key may be pressed again.
func (c *call) accept(o *offering) {
	o.wait.Stop()
	c.quiet()
	o.stage = offerMade
	if o.why != "" {
		c.awaitKey(o)
	}
	c.gw.customers.Accepted(c.id, o.number)
}

// prompt is a sound in a language, as far as there is one.
func (c *call) prompt(name, language string) string {
	if in := name + "-" + language; c.gw.media.Has(in) {
		return in
	}
	return name
}
