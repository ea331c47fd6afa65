package sip

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// Outward is how calls leave by a trunk.
type Outward struct {
	Host      string       // where they are sent: host[:port] as in a URI
	Login     *stack.Login // shown where it asks for one; nil: none
	Transport string       // "": UDP, or by a name what its DNS says
	// Number is ours, E.164: what those called see, and who pays. "" where every
	// caller's own is shown.
	Number string
	// Callers: those called see the caller's number where there is one that may be
	// shown.
	Callers bool
	Format  identity.DialFormat
	Region  string // of DialNational
	Prefix  string // digits before every number
	Calls   int    // at once; 0 for any number
	// Back lists the countries (ISO 3166) whose numbers customers are called back at
	// by it.
	Back []string
}

// ways are the trunks that a number can be called by, the best first: the one
// that the caller came by, then as the server file has them.
func (g *Gateway) ways(came string) []Trunk {
	var out []Trunk
	for _, t := range g.trunks {
		switch {
		case t.Out == nil:
		case t.Name == came:
			out = slices.Insert(out, 0, t)
		default:
			out = append(out, t)
		}
	}
	return out
}

// takeWay takes a place on a trunk. Where there is none, why is the Code of that.
func (g *Gateway) takeWay(t Trunk) (ok bool, why int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.Out.Calls > 0 && g.outward[t.Name] >= t.Out.Calls || !g.caps.Enter(t.Name, time.Now()) {
		return false, noPort
	}
	if g.barred[t.Name].holds(time.Now()) {
		g.caps.Leave(t.Name)
		return false, passwordRefused
	}
	g.outward[t.Name]++
	return true, 0
}

func (g *Gateway) leaveWay(t Trunk) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.outward[t.Name]--
	g.caps.Leave(t.Name)
}

// Outgoing is how many calls are out by a trunk.
func (g *Gateway) Outgoing(trunk string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.outward[trunk]
}

// outward is what a leg that leaves by a trunk has more than one to a phone.
type outward struct {
	number string
	ways   []Trunk // still to be tried
	trunk  *Trunk  // whose place is taken
	// treats: the document sends the caller there, or an agent does; else it is an
	// agent's mobile.
	treats bool
	// customer: who is called back.
	customer bool
	// asked: the mobile was picked up, and the call is not accepted yet.
	asked bool
}

// relays reports whether our relay is needed whichever way the leg takes.
func (o *outward) relays(g *Gateway, caller *leg, came Trunk) bool {
	if !o.treats {
		return true // we speak to the agent first
	}
	for _, t := range o.ways {
		from, to := caller.remote.Addr.Addr(), hostOf("sip:x@"+t.Out.Host)
		if !g.mayJoinDirectly(came, from, to) || !g.mayJoinDirectly(t, from, to) {
			return true
		}
	}
	return false
}

// The Codes of a call that no trunk takes, besides that of the trunk asked last:
// noWay where it is made for none, noPort where a place will be free again, which
// is no fault of the number's, and passwordRefused where all that are left are
// barred.
const (
	noWay           = 503
	passwordRefused = 401
)

// next takes the next way that has a place. Where none has, why is the Code of
// that.
func (o *outward) next(g *Gateway) (ok bool, why int) {
	o.leave(g)
	why = noWay
	for len(o.ways) > 0 {
		t := o.ways[0]
		o.ways = o.ways[1:]
		ok, not := g.takeWay(t)
		if ok {
			o.trunk = &t
			return true, 0
		}
		if why != noPort {
			why = not
		}
	}
	return false, why
}

// leave gives the place back.
func (o *outward) leave(g *Gateway) {
	if o != nil && o.trunk != nil {
		g.leaveWay(*o.trunk)
		o.trunk = nil
	}
}

// outgoingBy is the INVITE of a call that leaves by a trunk. What those called
// see is the trunk's own number, or the caller's where the trunk says so; the
// caller's name, and our own headers, stay here.
func (c *call) outgoingBy(l *leg) (stack.Outgoing, error) {
	t := l.out.trunk
	dialled, err := identity.Dial(l.out.number, t.Out.Format, t.Out.Region)
	if err != nil {
		return stack.Outgoing{}, err
	}
	host := uriHost(c.gw.sdpHost)
	own := ""
	if t.Out.Number != "" {
		own = "<sip:" + t.Out.Number + "@" + host + ">"
	}
	from, who := own, c.arrival.Caller
	if l.out.customer { // not his own number
		who = identity.Caller{Number: c.shownToCustomer()}
	}
	var h []stack.Header
	if n := who.Number.E164(); t.Out.Callers && !l.out.customer || from == "" {
		switch {
		case who.Restricted || n == "":
			from = `"Anonymous" <sip:anonymous@anonymous.invalid>`
			h = append(h, stack.Header{Name: "Privacy", Value: "id"})
		default:
			from = "<sip:" + n + "@" + host + ">"
		}
	}
	if own != "" {
		h = append(h, stack.Header{Name: "P-Asserted-Identity", Value: own})
	}
	if left := time.Until(l.order.Until); !l.order.Until.IsZero() && left > 0 {
		h = append(h, stack.Header{Name: "Expires", Value: strconv.Itoa(int(left/time.Second) + 2)})
	}
	prefix := strings.ReplaceAll(t.Out.Prefix, "#", "%23") // RFC 3261 19.1.2
	uri := "sip:" + prefix + dialled + "@" + t.Out.Host
	if t.Out.Transport != "" && t.Out.Transport != "udp" {
		uri += ";transport=" + t.Out.Transport
	}
	return stack.Outgoing{URI: uri, From: from, To: "<" + uri + ">", Transport: t.Out.Transport, Headers: h, Body: l.localSDP, Spent: c.spent + 1, Login: t.Out.Login}, nil
}

// detour tries the next trunk for a call that the last one could not carry:
// what it says of the number itself counts.
func (c *call) detour(l *leg, code int) bool {
	if l.out == nil || l.rang || !trunkFault(code) {
		return false
	}
	by := l.out.trunk
	if ok, _ := l.out.next(c.gw); !ok {
		return false
	}
	c.log.Warn("trunk cannot carry a call: the next is tried", c.of(l), zap.String("trunk", by.Name), zap.Int("code", code))
	// A leg of its own, so that what is left of the first dialog finds nobody.
	again := *l
	l.ended = true
	l.unheard.Stop()
	l.dlg.Bye(nil)
	again.vigil = vigil{session: session{longest: l.vigil.longest}}
	switch i := slices.Index(c.others, l); {
	case i >= 0:
		c.others[i] = &again
	case c.asks(l):
		c.asking.leg = &again
	default:
		c.agent = &again
	}
	if ok, code := c.inviteByAny(&again, agents.Phone{}); !ok {
		c.drop(&again, nil)
		c.failed(&again, code)
	}
	return true
}

// inviteByAny sends the INVITE of a leg; one that leaves goes by the first of its
// trunks that it can be made for. Where there is none, code is what that is told as.
func (c *call) inviteByAny(l *leg, phone agents.Phone) (ok bool, code int) {
	for !c.invite(l, phone) {
		if l.out == nil {
			return false, noWay
		}
		if ok, why := l.out.next(c.gw); !ok {
			return false, why
		}
	}
	return true, 0
}

// trunkFault reports whether a code says something of the trunk, and nothing of
// the number.
func trunkFault(code int) bool {
	return code == 401 || code == 407 || code == 408 || code/100 == 5
}

// whyNoTrunk says in a log why a call leaves by none.
var whyNoTrunk = map[int]string{noWay: "none is made for it", noPort: "every place is taken", passwordRefused: "our password is refused"}

func (c *call) noTrunk(l *leg, why int) {
	c.log.Warn("no trunk for a call that leaves the house", c.of(l), zap.String("why", whyNoTrunk[why]), zap.Strings("barred", c.gw.Barred()))
}

// mediaFault reports whether a code says that what we offered to send is not taken.
func mediaFault(code int) bool { return code == 488 || code == 415 || code == 606 }

// passOut calls a number that an agent has passed the caller on to. It was looked
// at before; what is refused here leaves the caller where he is.
func (c *call) passOut(a routing.PassOut) {
	n, ok := c.gw.numbers.PassedTo(c.id, a.Ref)
	if !ok || identity.PaysItsOwner(n) {
		c.log.Warn("call not passed on to a number", zap.Bool("known", ok))
		c.submit(routing.NumberFailed{Call: c.id, Code: 404})
		return
	}
	c.send(n.E164(), a.Until, a.Music)
}

// send calls a number for the caller and connects the two when it answers.
func (c *call) send(number string, until time.Time, music string) {
	if c.caller.ended {
		return // CallerGone is on its way to the engine
	}
	late := !c.codecsKnown()
	if late && c.caller.answered {
		c.sendLater = func() { c.send(number, until, music) } // the ACK brings the caller's codecs
		return
	}
	c.dropAgents(reasonHeader(routing.ByServer, "superseded"))
	if music != "" {
		c.tune = music
	}
	c.treatment = ""
	c.callOut(&leg{
		name: "number", offer: routing.Offer{Call: c.id}, order: routing.Ring{Until: until}, side: c.newSide(),
		out: &outward{number: number, ways: c.gw.ways(c.trunk.Name), treats: true},
	}, agents.Phone{}, late)
}

// withKeys adds telephone events to the formats offered to a mobile, which has
// to accept by key even where the caller has none.
func withKeys(fs []media.Format) []media.Format {
	own := media.OwnFormats()
	for _, f := range fs {
		if f.Name == media.TelephoneEvent {
			return fs
		}
	}
	for _, f := range own {
		if f.Name == media.TelephoneEvent {
			taken := func(g media.Format) bool { return g.PT == f.PT }
			for f.PT < 127 && slices.ContainsFunc(fs, taken) {
				f.PT++
			}
			return append(slices.Clone(fs), f)
		}
	}
	return fs
}

// withKeysOf gives formats the telephone events, and their number, that a mobile
// was offered: it sends its key with that, whatever the caller can.
func withKeysOf(fs, offered []media.Format) []media.Format {
	events := func(f media.Format) bool { return f.Name == media.TelephoneEvent }
	i := slices.IndexFunc(offered, events)
	if i < 0 {
		return fs
	}
	return append(slices.DeleteFunc(fs, events), offered[i])
}
