package configs

import (
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// callback reads how a queue, or a route, offers to call its callers back.
func (c *compiler) callback(n *node) *rule.Callback {
	o := c.object(n)
	c.canDial(n)
	b := &rule.Callback{}
	if when := o.get("when"); when != nil {
		b.When = c.waitingCondition(when)
	}
	b.FirstOffer = c.duration(o.get("first_offer"), 0, time.Hour, 30*time.Second)
	b.Again = c.duration(o.get("again"), 30*time.Second, time.Hour, 0)
	b.Key = c.digit(o.get("key"), "1")
	b.Entered = c.choice(o.get("number"), "ani", []string{"ani", "entered"}) == "entered"
	dial := o.get("dial")
	ahead := o.get("ahead")
	before := c.duration(ahead, 5*time.Second, 5*time.Minute, 20*time.Second)
	switch at := c.choice(dial, "at_turn", []string{"at_turn", "ahead"}); {
	case at == "ahead":
		b.Ahead = before
	case ahead != nil && (dial == nil || dial.text == at):
		c.errorf(ahead, CodeConflict, "%s is for dial: ahead", ahead.label())
	}
	b.Attempts = c.integer(o.get("attempts"), 1, 10, 3)
	b.Retry = c.duration(o.get("retry"), time.Minute, 24*time.Hour, 5*time.Minute)
	b.Expires = c.duration(o.get("expires"), time.Hour, 14*24*time.Hour, 24*time.Hour)
	o.close()
	return b
}

// digit reads one key of a telephone.
func (c *compiler) digit(n *node, otherwise string) string {
	s, ok := c.scalar(n, "one digit")
	switch {
	case n == nil || !ok:
		return otherwise
	case len(s) != 1 || s[0] < '0' || s[0] > '9':
		c.wrong(n, `want one of "0" to "9", not %s`, quote(s))
		return otherwise
	}
	return s
}

// instead reads callback and else of an action; true where there is a callback.
func (c *compiler) instead(o *object, t *rule.Treatment) bool {
	n := o.get("callback")
	if n != nil {
		if t.Callback = c.flag(n, true); !t.Callback {
			c.wrong(n, "want true, or leave it out")
		}
	}
	switch next := o.get("else"); {
	case next == nil:
	case n == nil:
		c.errorf(next, CodeConflict, "%s needs a callback beside it, which is declined or impossible", next.label())
	default:
		then := c.action(next)
		t.Else = &then
	}
	return n != nil
}

// checkCallback refuses callbacks where nobody could accept them: a caller who
// is not answered presses no key, and a queue without callbacks has no terms.
func (c *compiler) checkCallback(q *routing.Queue, src *queueSource) {
	if q.Callback != nil && (q.AnswerWithAgent || q.EarlyMedia) {
		answer := withAgent
		if q.EarlyMedia {
			answer = earlyMedia
		}
		c.errorf(src.at("callback"), CodeConflict, "callback cannot stand beside answer: %s: only a caller who is answered can accept it", answer)
	}
	if q.Callback != nil {
		return
	}
	refuse := func(option string, t rule.Treatment) {
		for at := &t; at != nil; at = at.Else {
			if at.Callback {
				c.errorf(src.at(option), CodeConflict, "%s: queue %s has no callback that could be offered", option, q.Name)
				return
			}
		}
	}
	if q.Hours != "" { // else closed is never asked
		refuse("closed", q.Closed)
	}
	if q.Full != nil {
		refuse("full", q.Full.Then)
	}
	if q.Late != nil {
		refuse("late", q.Late.Then)
	}
	if q.Nobody != nil {
		refuse("nobody", q.Nobody.Then)
	}
}
