package configs

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// topics and the specialists who can answer them.
func (c *compiler) topics(n *node) {
	c.policy.Topics = map[string]*routing.Topic{}
	if n == nil {
		return
	}
	all := c.object(n)
	for _, p := range all.pairs {
		if len(c.policy.Topics) == maxTopics {
			return
		}
		o := c.object(p.value.in("topic " + p.key))
		t := &routing.Topic{Name: p.key, Title: c.title(o.get("title"), p.key)}
		t.Queue = c.reference(o.must("queue"), "queue", c.names.queues)
		if need := o.get("need"); need != nil {
			t.Need = c.need(need)
		}
		for _, item := range c.list(o.get("specialists"), maxSpecialists) {
			id := agents.ID(c.reference(item, "agent", c.names.agents))
			if slices.Contains(t.Specialists, id) {
				c.errorf(item, CodeDuplicate, "specialists: %s is named twice", id)
			} else if id != "" {
				t.Specialists = append(t.Specialists, id)
			}
		}
		wait := o.get("wait")
		t.Wait = c.duration(wait, 0, maxPreferWait, 30*time.Second)
		t.PriorityAdd = c.integer(o.get("priority_add"), 0, maxPriority, 0)
		t.RelaxAfter = c.relaxAfter(o)
		o.close()
		c.policy.Topics[p.key] = t
		c.checkTopicWait(t, o.node, wait)
	}
}

func (c *compiler) checkTopicWait(t *routing.Topic, at, wait *node) {
	q := c.policy.Queues[t.Queue]
	if q == nil || len(t.Specialists) == 0 || t.Wait+preferWait(q.Prefer) <= maxPreferWait {
		return
	}
	if wait != nil {
		at = wait
	}
	c.errorf(at, CodeConflict, "wait: %s for the specialists and %s preferred in queue %s are more than %s",
		durationText(t.Wait), durationText(preferWait(q.Prefer)), t.Queue, durationText(maxPreferWait))
}

// dispositionSets reads what agents tick after a call.
func (c *compiler) dispositionSets(n *node) {
	c.policy.Sets = map[string][]routing.Disposition{}
	if n == nil {
		return
	}
	all := c.object(n)
	for _, p := range all.pairs {
		p.value.in("dispositions " + p.key)
		if p.value.kind == kindNull {
			c.errorf(p.value, CodeMissing, "a set needs entries")
			continue
		}
		set := []routing.Disposition{}
		for _, item := range c.list(p.value, 0) {
			o := c.object(item)
			id := o.must("id")
			d := routing.Disposition{ID: c.name(id)}
			if d.ID != "" && slices.ContainsFunc(set, func(s routing.Disposition) bool { return s.ID == d.ID }) {
				c.errorf(id, CodeDuplicate, "%s is in the set twice", d.ID)
			}
			d.Title = c.title(o.get("title"), d.ID)
			d.Final = c.flag(o.get("final"), false)
			d.Asks = c.asks(o.get("asks"))
			o.close()
			set = append(set, d)
		}
		if p.value.kind == kindSequence && len(set) == 0 {
			c.errorf(p.value, CodeMissing, "a set needs entries")
		}
		c.policy.Sets[p.key] = set
	}
}

// asks reads the fields that a disposition asks for.
func (c *compiler) asks(n *node) (out []string) {
	for _, item := range c.list(n, 0) {
		s, ok := c.scalar(item, "a field, such as ticket_id")
		switch {
		case !ok:
		case !slices.Contains(routing.AskFields, s):
			c.wrong(item, "want %s, not %s%s", oneOf(routing.AskFields), quote(s), didYouMean(s, routing.AskFields))
		case slices.Contains(out, s):
			c.errorf(item, CodeDuplicate, "%s: %s is asked twice", n.label(), s)
		default:
			out = append(out, s)
		}
	}
	return out
}
