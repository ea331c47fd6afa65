package configs

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

const maxLevel = 10

var levelRange = regexp.MustCompile(`^([0-9]{1,2})\.\.([0-9]{1,2})$`)

// need reads a NEED. Keys not given stay nil and are inherited.
func (c *compiler) need(n *node) rule.Need {
	var out rule.Need
	o := c.object(n)
	if a := o.get("all"); a != nil {
		out.All = c.ranges(a)
	}
	if a := o.get("any"); a != nil {
		out.Any = [][]agents.Range{}
		for _, set := range c.list(a, maxNeedSets) {
			if set.kind == kindMapping && len(set.pairs) == 0 {
				c.wrong(set, "an empty set would fit everybody")
				continue
			}
			out.Any = append(out.Any, c.ranges(set))
		}
	}
	if a := o.get("none"); a != nil {
		out.None = []agents.Skill{}
		for _, item := range c.list(a, maxNeedTerms) {
			skill := agents.Skill(c.reference(item, "skill", c.names.skills))
			if skill == "" {
				continue
			}
			if slices.ContainsFunc(out.All, func(r agents.Range) bool { return r.Skill == skill }) {
				c.errorf(item, "N306", "skill %s is both asked for and shut out", skill)
			}
			out.None = append(out.None, skill)
		}
	}
	out.Speak = c.speak(o.get("speak"))
	if a := o.get("team"); a != nil {
		out.Team = []string{}
		for _, item := range c.list(a, 0) {
			if s := c.reference(item, "team", c.names.teams); s != "" {
				out.Team = append(out.Team, s)
			}
		}
	}
	out.Site = c.site(o.get("site"))
	c.strayLevels(o)
	o.close()
	return out
}

// strayLevels finds {billing: 3} where {all: {billing: 3}} is meant.
func (c *compiler) strayLevels(o *object) {
	for _, p := range o.pairs {
		if !o.used[p.key] && slices.Contains(c.names.skills, p.key) {
			o.adopt(p.value)
			o.used[p.key] = true
			c.add(p.line, p.col, CodeUnknown, o.where, "unknown key %s: a skill stands under all, any or none", p.value.label())
		}
	}
}

// ranges reads {billing: 3, roaming: "3..6"}.
func (c *compiler) ranges(n *node) []agents.Range {
	out := []agents.Range{}
	o := c.object(n)
	for _, p := range o.pairs {
		o.adopt(p.value)
		if len(out) == maxNeedTerms {
			c.add(p.line, p.col, CodeLimit, n.where, "%s: at most %d skills", n.label(), maxNeedTerms)
			break
		}
		if !slices.Contains(c.names.skills, p.key) {
			c.add(p.line, p.col, "N301", n.where, "skill %s is not declared%s", p.key, didYouMean(p.key, c.names.skills))
			continue
		}
		low, high := c.levels(p.value)
		out = append(out, agents.Range{Skill: agents.Skill(p.key), Min: low, Max: high})
	}
	return out
}

// levels reads 3 (three or more) or "3..6".
func (c *compiler) levels(n *node) (low, high agents.Level) {
	if n.kind == kindNull {
		c.errorf(n, CodeMissing, "%s has no value", n.label())
		return 0, 0
	}
	if parts := levelRange.FindStringSubmatch(n.text); n.kind == kindScalar && parts != nil {
		a, _ := strconv.Atoi(parts[1]) // at most two digits
		b, _ := strconv.Atoi(parts[2])
		switch {
		case a < 1 || b < 1 || a > maxLevel || b > maxLevel:
			c.wrong(n, "levels go from 1 to %d", maxLevel)
		case a > b:
			c.errorf(n, "N306", "%s: nobody is at %s", n.label(), n.text)
		}
		return agents.Level(a), agents.Level(b)
	}
	return agents.Level(c.integer(n, 1, maxLevel, 0)), 0
}

// speak reads caller, any, or a list of codes and caller; nil when not given.
func (c *compiler) speak(n *node) []string {
	if n == nil {
		return nil
	}
	if len(c.names.languages) == 0 {
		c.errorf(n, CodeConflict, "%s: no languages are declared", n.label())
		return nil
	}
	if n.kind == kindScalar {
		switch n.text {
		case "caller", "any":
			return []string{n.text}
		}
		c.wrong(n, "want caller, any, or a list such as [caller, %s]", c.names.languages[0])
		return nil
	}
	out := []string{}
	for _, item := range c.list(n, 0) {
		s := c.name(item)
		if s == "caller" || c.known(item, "language", s, c.names.languages) {
			out = append(out, s)
		}
	}
	if n.kind == kindSequence && len(n.items) == 0 {
		return []string{"any"}
	}
	return out
}

// Who a call may prefer besides agents by name.
const (
	whoAccountManager = "account_manager"
	whoLastAgent      = "last_agent"
)

// prefer reads a list of agents waited for; nil when not given.
func (c *compiler) prefer(n *node) []rule.Prefer {
	if n == nil {
		return nil
	}
	out := []rule.Prefer{}
	if n.isNone() {
		return out
	}
	var total time.Duration
	for _, item := range c.list(n, maxPrefer) {
		o := c.object(item)
		var p rule.Prefer
		who := o.must("who")
		if p.Who = c.name(who); p.Who != whoAccountManager && p.Who != whoLastAgent {
			c.known(who, "agent", p.Who, slices.Concat(c.names.agents, []string{whoAccountManager, whoLastAgent}))
		}
		p.Wait = c.duration(o.get("wait"), 0, maxPreferWait, 20*time.Second)
		within := o.get("within")
		if p.Who == whoLastAgent {
			p.Within = c.duration(within, time.Hour, 365*24*time.Hour, 30*24*time.Hour)
		} else if within != nil && p.Who != "" {
			c.errorf(within, CodeConflict, "%s is for who: %s only", within.label(), whoLastAgent)
		}
		p.Waived = c.choice(o.get("fit"), "required", []string{"required", "waived"}) == "waived"
		p.Hold = c.choice(o.get("if_away"), "skip", []string{"skip", "wait"}) == "wait"
		o.close()
		if total += p.Wait; total > maxPreferWait && total-p.Wait <= maxPreferWait {
			c.errorf(item, CodeConflict, "%s: the waits of one list add up to more than %s", n.label(), durationText(maxPreferWait))
		}
		out = append(out, p)
	}
	return out
}

// isNone is the word none, or an empty list: it switches off what defaults set.
func (n *node) isNone() bool {
	return n.kind == kindScalar && n.style == stylePlain && n.text == "none" || n.kind == kindSequence && len(n.items) == 0
}

// preferWait is how long a call may hold for the agents of one list.
func preferWait(list []rule.Prefer) time.Duration {
	var d time.Duration
	for _, p := range list {
		d += p.Wait
	}
	return d
}

// action reads where a call can go instead of an agent.
func (c *compiler) action(n *node) rule.Treatment {
	var t rule.Treatment
	o := c.object(n)
	if o.bad {
		return t
	}
	t.Play = c.name(o.get("play"))
	ways := 0
	if q := o.get("queue"); q != nil {
		ways++
		t.Queue = c.reference(q, "queue", c.names.queues)
	}
	if p := o.get("priority_add"); p != nil {
		t.PriorityAdd = c.integer(p, 0, maxPriority, 0)
		if !o.has("queue") {
			c.errorf(p, CodeConflict, "%s needs a queue", p.label())
		}
	}
	if h := o.get("hangup"); h != nil {
		ways++
		if t.Hangup = c.flag(h, true); !t.Hangup {
			c.wrong(h, "want true, or leave it out")
		}
	}
	if j := o.get("reject"); j != nil {
		ways++
		t.Reject = c.integer(j, 400, 699, 0)
	}
	if x := o.get("number"); x != nil {
		ways++
		t.Number = c.number(x)
		c.canDial(x)
	}
	if v := o.get("voicemail"); v != nil {
		ways++
		t.Voicemail = c.name(v)
		c.hasMailbox(v, t.Voicemail)
	}
	if c.instead(o, &t) {
		ways++
	}
	o.close()
	switch {
	case ways > 1:
		c.errorf(n, CodeConflict, "%s: a call goes to one place only", n.label())
	case ways == 0:
		c.errorf(n, CodeMissing, "%s: say where the call goes: queue, number, voicemail, callback, hangup or reject", n.label())
	}
	return t
}
