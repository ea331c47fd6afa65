package pops

import (
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/sip/subscription"
)

// Dialog is told of a call to a telephone by its PBX's dialog events. Where the PBX
// tells of its calls by name as well, whoever is first makes the call, and the other
// finds it: by its name, or by the agent whom it rings and who calls.
func (c *Calls) Dialog(d subscription.Call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s, known := c.sources[d.Source]
	if c.closed || !known {
		return
	}
	l := c.rung[d.Number]
	if d.State == subscription.Over {
		if l != nil {
			delete(c.rung, d.Number)
			l.dialog = 0
			c.dialogOver(l, d.Ended)
		}
		return
	}
	if l == nil {
		if l = c.dialogRings(s, d); l == nil {
			return
		}
	}
	if d.State == subscription.Talks {
		c.dialogTalks(l, d)
	}
}

// dialogRings: a telephone rings. nil: it is no agent's, or her call is over already.
func (c *Calls) dialogRings(s configs.Pops, d subscription.Call) *leg {
	key := callKey{s.Name, d.ID}
	c.forgetOver(time.Now())
	if _, over := c.over[key]; over && d.ID != "" {
		return nil
	}
	who, _ := c.whom([]string{d.Extension}, "")
	if len(who) == 0 {
		c.log.Debug("a telephone rings that is no agent's", zap.String("source", d.Source), zap.String("extension", d.Extension))
		return nil
	}
	from := caller(d.From, s.Region)
	k := c.byKey[key]
	if k == nil {
		k = c.ringingAt(s.Name, who[0], from)
	}
	if k == nil {
		if c.full(s.Name) {
			return nil
		}
		k = c.open(s.Name, from, numberOf(d.Extension))
	}
	l := k.leg(who[0])
	if l == nil {
		l = c.offer(k, who[0])
		l.late = true
		if isClosed(l.acked) {
			c.rings(l)
		} else { // with the pop-ack, or without
			time.AfterFunc(c.opt.AckWithin, func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.rings(l)
			})
		}
	}
	l.dialog, c.rung[d.Number] = d.Number, l
	if k.talker == nil {
		c.endIn(k, c.opt.RingsFor)
	}
	return l
}

// dialogTalks: the telephone has been picked up.
func (c *Calls) dialogTalks(l *leg, d subscription.Call) {
	k := c.byID[l.Call]
	if k == nil || k.over || l.phase != ringing {
		return // it was told otherwise before, or so already
	}
	if t := k.talker; t != nil && t.dialog != 0 && len(k.names) == 0 { // who talks does so still: what looked like one call is two
		c.withdraw(l, answeredElsewhere)
		k = c.open(k.source, k.from, numberOf(d.Extension))
		next := c.offer(k, l.Agent)
		l.dialog, next.dialog, next.late = 0, d.Number, true
		c.rung[d.Number] = next
	}
	c.connect(k, l.Agent)
}

// dialogOver: the telephone has no more to do with the call.
func (c *Calls) dialogOver(l *leg, why string) {
	k := c.byID[l.Call]
	switch {
	case k == nil || k.over:
	case l == k.talker:
		c.end(k, routing.ByServer, "")
	case l.phase != ringing:
	case k.talker != nil:
		c.withdraw(l, answeredElsewhere)
	case len(k.names) > 0 || slices.ContainsFunc(k.legs, func(o *leg) bool { return o != l && o.phase == ringing }):
		c.withdraw(l, "abandoned") // it may ring others yet, and who named it says when it ends
	default:
		by := routing.ByServer
		if why == "" || why == "cancelled" {
			by, why = routing.ByCaller, ""
		}
		c.end(k, by, why)
	}
}

// ringingAt is the call that rings a telephone, or that the agent has answered there,
// among those that are told of already: hers, or one of the same number that no PBX
// has named, and which rings a group.
func (c *Calls) ringingAt(source string, id agents.ID, from screenpop.CallerInfo) (group *call) {
	for _, number := range slices.Sorted(maps.Keys(c.byID)) {
		k := c.byID[number]
		if k.over || k.source != source {
			continue
		}
		if l := k.leg(id); l != nil {
			if l.dialog == 0 && alike(k.from, from) {
				return k
			}
		} else if group == nil && k.talker == nil && len(k.names) == 0 && from.Number != "" && k.from.Number == from.Number {
			group = k
		}
	}
	return group
}

// nameless is the call that the dialog events of one of these agents' telephones told
// of, and which its PBX has not named; nil: none.
func (c *Calls) nameless(source string, from screenpop.CallerInfo, who []agents.ID) *call {
	for _, number := range slices.Sorted(maps.Keys(c.byID)) {
		k := c.byID[number]
		if !k.over && k.source == source && len(k.names) == 0 && alike(k.from, from) &&
			slices.ContainsFunc(who, func(id agents.ID) bool { return k.leg(id) != nil }) {
			return k
		}
	}
	return nil
}

// alike says that two may be one caller, who is told of in two ways: a telephone is
// rung by one caller at a time, but for those who show different numbers.
func alike(a, b screenpop.CallerInfo) bool {
	switch {
	case a.Number != "" && b.Number != "":
		return a.Number == b.Number
	case a.Display != "" && b.Display != "":
		return a.Display == b.Display
	}
	return true
}
