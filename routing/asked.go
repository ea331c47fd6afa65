package routing

import (
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// Asked is what the routes and steps have made of a call so far: what the tests
// of a document look at. It is read by value and changes nothing.
type Asked struct {
	Rule     string // route path without root; "root" for the root itself
	Queue    string // where it is now; "" before any
	Topic    string
	Language string // of the caller, as resolved
	Region   string // of the caller
	Priority int
	Step     int // by the clock; 1 is the queue's own need
	// Need is that of step one of the queue, language and site resolved.
	Need agents.Requirement
}

// Asked says what a live call asks.
func (e *Engine) Asked(id CallID) (Asked, bool) {
	c := e.calls[id]
	if c == nil {
		return Asked{}, false
	}
	out := Asked{Rule: c.rule(), Topic: c.topic, Language: c.language(c.plan), Priority: c.priority(), Step: c.stepNow(), Region: c.region()}
	if c.queue != nil {
		out.Queue = c.queue.Name
		out.Need = StepRequirement(c.queue, 0, c.firm(), Caller{out.Language, e.siteOf(c)})
	}
	return out, true
}

// StepRequirement is what a call asks of an agent at one step of a queue, 0
// being the queue's own need: with the firm additions of its route and topic,
// in the caller's language and at the caller's site.
func StepRequirement(q *Queue, step int, firm rule.Need, who Caller) agents.Requirement {
	var over *rule.Need
	if step > 0 {
		over = q.Steps[step-1].Need
	}
	return requirement(stepNeed(q.Need, over), firm, who, q.SpeakLevel)
}

// AddNeed merges a firm addition into another, as a child route's into its
// parent's and a topic's into its route's.
func AddNeed(base, add rule.Need) rule.Need { return mergeNeeds(base, add) }

// Routed is one route with all that it inherits.
type Routed struct {
	Node     *rule.Node
	Path     string // without root; "root" for the root
	Queue    string
	Priority int
	Need     rule.Need
	Prefer   []rule.Prefer // nil: the queue's
	Record   RecordPolicy
	Parent   *Routed
	Children []*Routed
}

// Routes is the tree of routes, as the engine reads it.
func (p *Policy) Routes() *Routed { return routed(newPlan(p).root, nil) }

func routed(r *route, parent *Routed) *Routed {
	out := &Routed{Node: r.node, Path: r.path, Queue: r.queue, Priority: r.priority, Need: r.need, Prefer: r.prefer, Record: r.record, Parent: parent}
	for _, child := range r.children {
		out.Children = append(out.Children, routed(child, out))
	}
	return out
}

// OpenAt says whether a queue takes calls of a region, "" for none, at an
// instant.
func (p *Policy) OpenAt(q *Queue, at time.Time, region string) bool {
	cal := p.Calendars[q.Hours]
	return cal == nil || cal.For(p.Regions.zone(region)).Open(at)
}

// HolidayAt names the exception of a queue's hours that rules the day of an
// instant for callers of a region, "" for none.
func (p *Policy) HolidayAt(q *Queue, at time.Time, region string) string {
	cal := p.Calendars[q.Hours]
	if cal == nil {
		return ""
	}
	return cal.For(p.Regions.zone(region)).Holiday(at)
}
