package routing

import (
	"reflect"
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/rule"
)

// censusUnits is what it costs to look at one agent of a new directory, of whom
// the most is to find whether she has changed.
const censusUnits = 2 * indexUnits

// census takes over the agents of a new document: those that it lists, by id,
// then those that it does not. A large directory takes many slices.
type census struct {
	list  map[agents.ID]agents.Agent
	ids   []agents.ID // of list, sorted, still to be looked at
	known int         // of the engine's agents, looked at whether they are listed
}

// made is what a plan has worked out of its document alone, so that many plans
// may share it.
type made struct {
	route            *rule.Node // of which document
	root             *route
	windows, callWin []int64
	reads, dated     []string
}

// Prepare does what need not be done while calls wait for it: it works out what
// routes inherit, and puts the agents in order. Whoever makes a policy live calls
// it first, and changes nothing of the policy afterwards; without it the engine
// does the same.
func (p *Policy) Prepare() {
	whole := makePlan(p)
	p.made = &made{p.Route, whole.root, whole.windows, whole.callWin, whole.reads, whole.dated}
	p.arrange()
}

// arrange puts the agents in order.
func (p *Policy) arrange() {
	p.order = slices.Sorted(func(yield func(agents.ID) bool) {
		for id := range p.Agents {
			if !yield(id) {
				return
			}
		}
	})
	p.ordered = reflect.ValueOf(p.Agents).Pointer()
}

// directory begins to take over the agents of a policy. Present states, idle
// times and counters stay; who is no longer listed signs out after the call in
// hand.
func (e *Engine) directory(p *Policy) {
	if p.ordered != reflect.ValueOf(p.Agents).Pointer() || len(p.order) != len(p.Agents) {
		p = &Policy{Agents: p.Agents}
		p.arrange()
	}
	e.census = &census{list: p.Agents, ids: p.order}
}

// directoryChanged takes over the agents of a directory that was read again.
func (e *Engine) directoryChanged(ev DirectoryChanged) error {
	if ev.Policy == nil {
		return ErrNoPolicy
	}
	e.directory(ev.Policy)
	return nil
}

// enrol looks at some agents of the census, until the slice is over.
func (e *Engine) enrol() {
	for e.census != nil && !e.slice.over() {
		e.enrolNext()
	}
}

func (e *Engine) enrolNext() {
	c := e.census
	e.spend(censusUnits)
	switch {
	case len(c.ids) > 0:
		id := c.ids[0]
		c.ids = c.ids[1:]
		e.enlist(id, c.list[id])
	case c.known < len(e.known):
		a := e.known[c.known]
		c.known++
		if _, listed := c.list[a.id]; !listed {
			e.dismiss(a)
		}
	default:
		e.census = nil
	}
}

// enlist makes an agent what the directory says.
func (e *Engine) enlist(id agents.ID, def agents.Agent) {
	a := e.agents[id]
	if a == nil {
		a = &agent{id: id, def: def, state: agents.SignedOut, profile: e.profileFor(def), by: e.by}
		a.tMain.agent, a.tProbe.agent, a.tWatch.agent = a, a, a
		e.agents[id] = a
		e.known = append(e.known, a)
		if e.steps > 0 { // else at the start
			e.signInByPhone(a)
		}
		return
	}
	back := a.gone
	a.gone = false
	if a.dismissed { // she talks still, and is listed again
		a.dismissed, a.asked = false, asked{}
	}
	e.redefine(a, def)
	if back {
		e.signInByPhone(a)
	}
}

// enrolAgentOf looks at the agent that an event is about, whose turn in the
// census may not have come.
func (e *Engine) enrolAgentOf(ev Event) {
	if e.census == nil {
		return
	}
	id := agentOf(ev)
	if def, listed := e.census.list[id]; listed {
		e.enlist(id, def)
	} else if a := e.agents[id]; a != nil && !a.gone {
		e.dismiss(a)
	}
}

// dismiss signs out an agent who is not listed any more, after the talk in hand.
func (e *Engine) dismiss(a *agent) {
	before := a.asked.state
	a.gone = true
	e.signOut(a)
	if before != agents.SignedOut { // else by her own wish, or by a directory before
		a.dismissed = a.asked.state == agents.SignedOut
	}
}
