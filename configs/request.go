package configs

import (
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// Bounds of the working time that a request may take, and of what comes before and
// after its end.
const (
	minWithin    = time.Minute
	maxWithin    = 90 * 24 * time.Hour
	maxLateAfter = 30 * 24 * time.Hour
)

// requests reads the types of requests, after all names that they mention.
func (c *compiler) requests(n *node) {
	c.policy.Requests = map[string]*routing.RequestType{}
	if n == nil {
		return
	}
	all := c.object(n)
	for i, p := range all.pairs {
		if i == maxRequests {
			c.add(p.line, p.col, CodeLimit, "", "requests: at most %d", maxRequests)
			return
		}
		if c.checkName(p, "") {
			all.adopt(p.value)
			c.policy.Requests[p.key] = c.requestType(p.key, p.value.in("request "+p.key))
		}
	}
}

func (c *compiler) requestType(name string, n *node) *routing.RequestType {
	o := c.object(n)
	r := &routing.RequestType{Name: name, Title: c.title(o.get("title"), name)}
	r.Within = c.duration(o.must("within"), minWithin, maxWithin, maxWithin)
	if k := o.get("calendar"); k != nil {
		if r.Calendar = c.reference(k, "calendar", c.names.calendars); c.policy.Calendars[r.Calendar] != nil && c.policy.Calendars[r.Calendar].Caller {
			c.errorf(k, CodeConflict, "calendar: %s goes by the caller's clock, and a request has no caller", r.Calendar)
		}
	}
	o.together("owner", "team")
	if k := o.get("owner"); k != nil {
		r.Owner = agents.ID(c.reference(k, "agent", c.names.agents))
	}
	if k := o.get("team"); k != nil {
		r.Team = c.reference(k, "team", c.names.teams)
	}
	if !o.bad && !o.has("owner") && !o.has("team") {
		c.errorf(n, CodeMissing, "%s: say whose it is: owner or team", n.label())
	}
	warn := o.get("warn")
	if r.Warn = c.duration(warn, 0, maxWithin, 0); warn != nil && r.Warn >= r.Within {
		c.errorf(warn, CodeConflict, "warn: %s before the end of %s is before its beginning", durationText(r.Warn), durationText(r.Within))
		r.Warn = 0
	}
	r.Late = c.escalations(o.must("late"))
	o.close()
	return r
}

func (c *compiler) escalations(n *node) (out []routing.Escalation) {
	for _, item := range c.list(n, maxEscalations) {
		o := c.object(item)
		after := o.get("after")
		e := routing.Escalation{After: c.duration(after, 0, maxLateAfter, 0), Who: c.name(o.must("who"))}
		o.close()
		if len(out) > 0 && e.After <= out[len(out)-1].After {
			at := item
			if after != nil {
				at = after
			}
			c.errorf(at, CodeConflict, "after: %s is not later than the one before", durationText(e.After))
		}
		out = append(out, e)
	}
	if n != nil && n.kind == kindSequence && len(out) == 0 {
		c.errorf(n, CodeMissing, "late: there must be somebody whose task it becomes")
	}
	return out
}
