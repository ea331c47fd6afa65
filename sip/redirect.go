package sip

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/alarm"
	"github.com/cordboard/cordboard/sip/stack"
)

// A trunk may be the PBX that the agents' telephones belong to, and have its calls
// back: it rings the telephone of the agent who was chosen, and we are out of the
// call. A caller who is not answered yet is redirected by 302 (RFC 3261 21.3.3),
// one who hears our music by REFER (RFC 3515). ADR 0053.

// redirectedFor is how long an agent may talk to a redirected caller. Nothing tells
// us of that talk's end but the agent; the bound is there so that none who forgets
// it is missed for ever.
const redirectedFor = 4 * time.Hour

// MediaRedirected is what routing.Joined has of a call that the trunk has back.
const MediaRedirected = "redirected"

// redirect is an offer by which the trunk has the call back.
type redirect struct {
	order routing.Ring
	cseq  uint32 // of our REFER, 0 for a 302
	rang  bool   // PhoneRinging was reported
	done  bool   // the call is the trunk's
	gone  bool   // and its end was reported
	limit *alarm.Alarm
}

// redirects says that the trunk rings the agent's telephone, and not we: one that
// is the trunk's own, for a single agent. Where a group rings, the first who answers
// must be known, and a telephone that is registered with us the trunk does not know.
func (c *call) redirects(a routing.Ring, phone agents.Phone) bool {
	return c.trunk.Redirect && !c.keeps && !a.Group && c.caller.out == nil && phone.Number == "" && !phone.Next.IsValid()
}

// redirect sends the caller to the agent's telephone.
func (c *call) redirect(a routing.Ring, phone agents.Phone) {
	r, l := &redirect{order: a}, c.caller
	if l.answered && !l.up {
		c.ringLater = append(c.ringLater, a) // there is no dialog before the ACK that all PBXs know
		return
	}
	h := []stack.Header{callHeader(a.Offer)}
	if !l.answered {
		if err := l.dlg.Reject(302, "", append(h, stack.Header{Name: "Contact", Value: "<" + phone.URI + ">"})); err != nil {
			c.try(l, "redirect", err)
			c.callerGone() // his CANCEL was first
			return
		}
		c.away = r
		c.redirected()
		return
	}
	h = append(h, stack.Header{Name: "Refer-To", Value: "<" + phone.URI + ">"},
		stack.Header{Name: "Referred-By", Value: "<sip:cordboard@" + uriHost(c.gw.sdpHost) + ">"})
	cseq, err := l.dlg.Request("REFER", h, "", nil)
	if err != nil {
		c.try(l, "REFER", err) // the caller's end is on the way
		c.submit(routing.PhoneFailed{Offer: a.Offer, Code: 503})
		return
	}
	r.cseq, c.away = cseq, r
}

// redirected: the trunk has the call. To the engine the agent has answered; the
// talk ends when the agent says so, or the same caller calls again.
func (c *call) redirected() {
	r := c.away
	r.done = true
	c.noOffer()
	c.hush()
	if c.caller.port != nil {
		c.caller.port.Stop()
	}
	c.closeLeg(c.caller)
	c.log.Info("redirected", zap.Int("attempt", int(r.order.Attempt)), zap.Bool("answered", r.cseq != 0))
	r.limit = c.after(c.gw.redirectedFor, c.talkOver)
	c.gw.takenBack(c)
	c.rangThere()
	c.submit(routing.PhoneAnswered{Offer: r.order.Offer})
}

func (c *call) rangThere() {
	if !c.away.rang {
		c.away.rang = true
		c.submit(routing.PhoneRinging{Offer: c.away.order.Offer})
	}
}

// talkOver ends a redirected call: what the agent and the caller do now is between
// them and the trunk.
func (c *call) talkOver() {
	if r := c.away; !c.over && r != nil && r.done && !r.gone {
		r.gone = true
		c.submit(routing.AgentGone{Offer: r.order.Offer})
	}
}

// isRedirected says that the caller is the trunk's again.
func (c *call) isRedirected() bool { return c.away != nil && c.away.done }

// orderRedirected does what the engine orders for a call that is the trunk's. It
// cannot be sent anywhere from here: an order to that end finds the caller gone.
func (c *call) orderRedirected(a routing.Action) {
	r := c.away
	switch a := a.(type) {
	case routing.Connect:
		if a.Offer == r.order.Offer {
			c.submit(routing.Joined{Offer: a.Offer, Media: MediaRedirected})
		}
	case routing.EndCall:
		c.finish()
	case routing.ConsultStarted:
		c.asking = &asking{id: a.Consult}
		c.submit(routing.ConsultStopped{Offer: r.order.Offer}) // we are between nobody
	case routing.Hold, routing.Withdraw, routing.Release:
	default:
		if !r.gone {
			r.gone = true
			c.submit(routing.CallerGone{Call: c.id})
		}
	}
}

// referred takes the outcome of our REFER; false for any other request's. A trunk
// that does not redirect calls once they are answered is called as any other is.
func (c *call) referred(ev stack.Replied) bool {
	r := c.away
	if ev.Method != "REFER" {
		return false
	}
	switch {
	case r == nil || r.done || r.cseq != ev.CSeq: // of an offer before
	case ev.Code < 300:
	case ev.Code == 481 || ev.Response == nil:
		c.away = nil
		c.peerGone(c.caller, ev.Code)
	default:
		c.log.Warn("the trunk refuses REFER: its calls stay here", zap.String("trunk", c.trunk.Name), zap.Int("code", ev.Code))
		c.away, c.keeps = nil, true
		c.ring(r.order)
	}
	return true
}

// notified is a NOTIFY: how our REFER goes on at the trunk (RFC 3515 2.4.5).
func (c *call) notified(l *leg, m *stack.Message) {
	r := c.away
	kind, id := eventOf(m.Get("Event"))
	if l != c.caller || kind != "refer" || r == nil || r.cseq == 0 || id != 0 && id != r.cseq {
		c.reply(l, m, 481, nil, nil)
		return
	}
	c.reply(l, m, 200, nil, nil)
	code := fragment(m.Body)
	state, _, _ := strings.Cut(m.Get("Subscription-State"), ";")
	switch {
	case code >= 300:
		c.away = nil
		c.submit(routing.PhoneFailed{Offer: r.order.Offer, Code: code})
	case code >= 200:
		l.dlg.Bye(reasonHeader(routing.ByServer, "redirected"))
		c.redirected()
	case code == 180 || code == 183:
		c.rangThere()
	case strings.EqualFold(strings.TrimSpace(state), "terminated"): // and nobody will say what came of it
		c.away = nil
		c.submit(routing.PhoneFailed{Offer: r.order.Offer, Code: 480})
	}
}

// eventOf reads an Event header: the package, and the id, 0 where there is none.
func eventOf(v string) (kind string, id uint32) {
	kind, params, _ := strings.Cut(v, ";")
	for p := range strings.SplitSeq(params, ";") {
		if name, value, _ := strings.Cut(strings.TrimSpace(p), "="); strings.EqualFold(name, "id") {
			n, err := strconv.ParseUint(value, 10, 32)
			if err != nil {
				return "", 0
			}
			id = uint32(n)
		}
	}
	return strings.ToLower(strings.TrimSpace(kind)), id
}

// fragment is the status of a message/sipfrag (RFC 3420) that is a response, 0 for
// any other.
func fragment(body []byte) int {
	line, _, _ := bytes.Cut(body, []byte("\n"))
	rest, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("SIP/2.0 "))
	if !ok || len(rest) < 3 {
		return 0
	}
	code, err := strconv.Atoi(string(rest[:3]))
	if err != nil || code < 100 || code > 699 {
		return 0
	}
	return code
}

// unredirect forgets an offer that is over before the trunk has the call.
func (c *call) unredirect(o routing.Offer) {
	if c.away != nil && !c.away.done && c.away.order.Offer == o {
		c.away = nil
	}
}

// samePlace is what a redirected call is found by when its caller calls again. A caller
// whose number is not known is nobody else.
func samePlace(a Arrival) string {
	if number := a.Caller.Number.E164(); number != "" {
		return a.Trunk + " " + number
	}
	return strconv.FormatInt(int64(a.Call), 10)
}

// takenBack notes a call that is the trunk's, so that it ends when the same caller
// calls again.
func (g *Gateway) takenBack(c *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.redirected[samePlace(c.arrival)] = c
	if g.draining {
		c.post(c.talkOver)
	}
}

// forgetRedirected is the end of a redirected call.
func (g *Gateway) forgetRedirected(c *call) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if at := samePlace(c.arrival); g.redirected[at] == c {
		delete(g.redirected, at)
	}
}

// sameCaller ends the talk of a redirected call whose caller calls again: the agent's
// telephone was not answered, or they are done. g.mu is held.
func (g *Gateway) sameCaller(a Arrival) {
	if c := g.redirected[samePlace(a)]; c != nil {
		c.post(c.talkOver)
	}
}
