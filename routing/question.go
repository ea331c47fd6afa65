package routing

import (
	"slices"
	"strings"

	"github.com/cordboard/cordboard/agents"
)

// Waits is why a live call waits, and what would serve it.
type Waits struct {
	Phase string    `json:"phase"` // as in CallState
	Agent agents.ID `json:"agent,omitempty"`
	// Record is about a call that waits; its routes and attributes are those of
	// the record of its entry.
	Record Record `json:"record"`
	// Changes are the smallest that would serve the call, the smallest first.
	Changes []Change `json:"changes"`
}

// Change is one agent for whom something would have to be otherwise, and what
// the others who wait would have of it.
type Change struct {
	Agent   agents.ID `json:"agent"`
	Missing []string  `json:"missing"` // as in Counterfactual
	// Serves: the call would be the agent's next. Else First would be, and as
	// many as Before says wait for the agent before this call.
	Serves bool   `json:"serves"`
	First  CallID `json:"first,omitempty"`
	Before int    `json:"before"`
	// Behind are the other calls that wait for this agent and stand behind: they
	// would wait for one more call of the agent's. Counted up to 1,000.
	Behind int `json:"behind"`
}

const (
	maxChanges = 5
	nearKept   = 16   // of the nearest agents the others are looked at
	maxOthers  = 1000 // waiting calls counted for an agent
	askUnits   = 4    // of an agent looked at, of another call or of a class of calls
	// outlineUnits is what the call itself is told with.
	outlineUnits = 500
	maxAnew      = 3 // times that an answer is begun anew, when the call has moved on
)

// Question is a question being answered: Engine.Answer works on it piece by
// piece, so that no decision waits for long.
type Question struct {
	call  CallID
	out   Waits
	known bool

	entered, step int64 // of the call when it was begun
	attempt       Attempt
	anew          int
	begun         bool
	last          agents.ID // looked at
	near          []nearAgent
	suggested     int // of those
}

type nearAgent struct {
	agent *agent
	far   int
}

// NewQuestion asks why a call waits.
func NewQuestion(call CallID) *Question { return &Question{call: call} }

// Result is the answer; false when there is no such call.
func (q *Question) Result() (Waits, bool) { return q.out, q.known }

// Answer works on a question with about so many units (as Slices counts them)
// and says whether it is done. It changes nothing.
func (e *Engine) Answer(q *Question, units int) (done bool) {
	work := e.slice
	defer func() { e.slice = work }()
	c := e.calls[q.call]
	q.known = c != nil
	if c == nil {
		return true
	}
	q.out.Phase, q.out.Agent = c.phaseName(c.phase), c.offer().Agent
	if c.phase != waiting {
		q.out.Record, q.out.Changes = Record{}, nil
		return true
	}
	if q.begun && (q.entered != c.entered || q.step != int64(c.step) || q.attempt != c.attempt) && q.anew < maxAnew {
		q.begun = false
		q.anew++
	}
	if !q.begun {
		units -= outlineUnits
		*q = Question{call: q.call, out: q.out, known: true, begun: true, anew: q.anew, entered: c.entered, step: int64(c.step), attempt: c.attempt}
		q.out.Record, _ = e.outline(c, nil, Waiting, Reason{Trigger: c.trigger})
		q.out.Record.SignedIn, q.out.Changes = 0, nil
	}
	if units, done = e.lookOn(c, q, units); !done {
		return false
	}
	for q.suggested < len(q.near) {
		if units < 0 {
			return false
		}
		units -= e.suggest(c, q)
	}
	e.conclude(c, q)
	return true
}

// lookOn looks at further agents, and gives back what is left of the units; true
// when all have been.
func (e *Engine) lookOn(c *call, q *Question, units int) (left int, done bool) {
	r := &q.out.Record
	step := c.demand.reach(c.step)
	i, _ := slices.BinarySearchFunc(e.roster, q.last, func(a *agent, id agents.ID) int { return strings.Compare(string(a.id), string(id)) })
	for ; i < len(e.roster); i++ {
		a := e.roster[i]
		if a.id == q.last {
			continue
		}
		if units < 0 {
			return units, false
		}
		units -= askUnits
		q.last = a.id
		r.SignedIn++
		code := e.whyNot(c, a, nil, step)
		switch {
		case code == "":
			r.Free = append(r.Free, a.id)
			continue
		case r.Counts != nil:
			r.Counts[code]++
		default:
			if r.LeftOut = append(r.LeftOut, LeftOut{a.id, code}); len(r.LeftOut) > MaxNamed {
				r.count()
			}
		}
		q.keep(nearAgent{a, e.missing(c, a, nil, step, nil)})
	}
	return units, true
}

// count turns the names into numbers.
func (r *Record) count() {
	r.Counts = map[string]int{}
	for _, l := range r.LeftOut {
		r.Counts[l.Code]++
	}
	r.LeftOut = nil
}

// keep keeps the nearest, in order.
func (q *Question) keep(n nearAgent) {
	if len(q.near) == nearKept && n.far >= q.near[nearKept-1].far {
		return
	}
	at := len(q.near)
	for at > 0 && n.far < q.near[at-1].far {
		at--
	}
	q.near = slices.Insert(q.near, at, n)
	q.near = q.near[:min(len(q.near), nearKept)]
}

// suggest says of the next of the nearest what would have to be otherwise, and how
// many units that took.
func (e *Engine) suggest(c *call, q *Question) (units int) {
	a := q.near[q.suggested].agent
	q.suggested++
	if !a.state.SignedIn() {
		return 1 // has gone meanwhile
	}
	ch, units := e.others(c, a)
	e.missing(c, a, nil, c.demand.reach(c.step), &ch.Missing)
	q.out.Changes = append(q.out.Changes, ch)
	return units
}

// conclude puts first who would take this call next.
func (e *Engine) conclude(c *call, q *Question) {
	step := c.demand.reach(c.step)
	slices.SortStableFunc(q.out.Changes, func(a, b Change) int {
		switch {
		case a.Serves == b.Serves:
			return 0
		case a.Serves:
			return -1
		}
		return 1
	})
	q.out.Changes = q.out.Changes[:min(len(q.out.Changes), maxChanges)]
	if len(q.near) > 0 {
		n := q.near[0]
		out := &Counterfactual{Agent: n.agent.id}
		e.missing(c, n.agent, nil, step, &out.Missing)
		q.out.Record.Counterfactual = out
	}
}

// others says what else waits for an agent: what would be taken before the
// call, and what stands behind it; and how many units it took to find out.
func (e *Engine) others(c *call, a *agent) (out Change, units int) {
	out.Agent, units = a.id, 16*askUnits
	var first *call
	note := func(o *call, before bool) bool {
		units += askUnits
		switch {
		case o == c:
		case before:
			if out.Before++; first == nil {
				first = o
			}
		default:
			out.Behind++
		}
		return out.Before+out.Behind < maxOthers
	}
	e.front.Ascend(func(o *call) bool {
		return !e.fitsNow(o, a) || !e.mayTake(o, a) || !e.admits(o.queue, a) || note(o, !c.front || o.key.Compare(c.key) < 0)
	})
	own := c.spot == inHold && slices.Contains(c.wanted(), a)
	a.own.Ascend(func(o *call) bool {
		before := a.ownRow < maxOwnRow && !c.front && (!own || o.key.Compare(c.key) < 0)
		return !e.suits(o, o.preferring(), a) || !e.mayTake(o, a) || e.full(o.queue) || note(o, before)
	})
	e.index.among(a.profile, e.index.queued, func(d *demand) {
		units += askUnits
		if !e.admits(d.queue, a) {
			return
		}
		fit := d.fits(a.profile)
		for step := range d.classes {
			if fit > d.vacant(step) {
				continue
			}
			d.classes[step].Ascend(func(o *call) bool {
				return !e.mayTake(o, a) || note(o, !c.front && !own && o.key.Compare(c.key) < 0)
			})
		}
	})
	if first != nil {
		out.First = first.id
	}
	out.Serves = out.Before == 0 && (len(c.wanted()) == 0 && e.admits(c.queue, a) || own && !e.full(c.queue))
	return out, units
}
