package routing

import (
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/routing/queue"
	"github.com/cordboard/cordboard/routing/rule"
)

// maxBlockedCalls is how many waiting calls of a Snapshot say what blocks them.
const maxBlockedCalls = 100

// figure counts for one queue name, whatever the version.
type figure struct {
	name             string                       // of a queue that was renamed: the present one
	age              queue.Tree[queue.Key, *call] // waiting calls by when their waiting began
	line             queue.Tree[queue.Key, *call] // waiting calls in the order in which they are served
	lineless         queue.Tree[queue.Key, *call] // those of them that have no line
	waiting, talking int
	total            figures.Counts // since the engine started
	recent           figures.Ring
	pace             pace
	occupied         int                          // agents offered a call of it, ringing or talking
	lastOffer        map[agents.ID]int64          // by a queue that asks in turn (round_robin)
	cap              *capped                      // nil where no version has a bound
	callbacks        int                          // places without a line
	promised         map[string]*call             // callbacks by keyed hash of number and customer
	ahead            queue.Tree[queue.Key, *call] // callbacks to be called ahead, by line
	told, kept       int                          // calls given word of their wait, and answered within it
}

func (e *Engine) figure(name string) *figure {
	f := e.figures[name]
	if f == nil {
		f = &figure{}
		e.figures[name] = f
	}
	return f
}

// queueFigures is what a condition sees of a queue.
func (e *Engine) queueFigures(p *plan, name string) rule.QueueFigures {
	return e.pretended(name, e.plainFigures(p, name))
}

func (e *Engine) plainFigures(p *plan, name string) rule.QueueFigures {
	q, f := p.Queues[name], e.figure(name)
	out := rule.QueueFigures{Waiting: f.waiting, Talking: f.talking, SL: e.serviceLevel(name, q, e.now)}
	if c, ok := f.age.First(); ok {
		out.Oldest = int((e.now - c.since) / 1e6)
	}
	if q != nil {
		out.Open = e.open(p, q, e.zone)
		out.Staffed, out.Available = e.fitting(p, q)
	}
	x := e.expectedIn(f, out.Staffed, e.now)
	out.EWT, out.EWTKnown = x.Seconds, x.Known
	return out
}

func (e *Engine) pretended(name string, own rule.QueueFigures) rule.QueueFigures {
	if e.pretend != nil {
		return e.pretend(name, own)
	}
	return own
}

// Pretend has conditions see other figures of queues than the engine's own:
// for the tests of a document.
func (e *Engine) Pretend(figures func(name string, own rule.QueueFigures) rule.QueueFigures) {
	e.pretend = figures
}

// fitting counts the agents signed in, and free, who fit step one in the
// default language.
func (e *Engine) fitting(p *plan, q *Queue) (staffed, available int) {
	req := requirement(q.Need, rule.Need{}, Caller{Language: p.DefaultLanguage}, q.SpeakLevel)
	e.spend(indexUnits + len(e.index.profiles)/512)
	e.index.meets(&req).both(e.index.signed, func(slot int) bool {
		e.spend(1)
		p := e.index.profiles[slot]
		staffed += p.signed
		if !e.standsBy(q, p.team) {
			available += p.free.Len()
		}
		return true
	})
	return staffed, available
}

// Snapshot is the engine's state, by value: what the board shows. It changes
// nothing; at is noted in it, and figures of time are as of it.
func (e *Engine) Snapshot(at time.Time) Snapshot {
	s := Snapshot{At: at.UTC(), Version: e.plan.Version, Pending: e.freed.len() + e.seekers.len(), Queues: []QueueState{}, Agents: []AgentState{}, Calls: []CallState{}}
	for name, q := range e.plan.Queues {
		s.Queues = append(s.Queues, e.queueState(name, q, max(at.UnixMicro(), e.now)))
	}
	slices.SortFunc(s.Queues, func(a, b QueueState) int { return strings.Compare(a.Name, b.Name) })
	for _, a := range e.agents {
		if a.gone && !a.state.SignedIn() {
			continue
		}
		st := AgentState{Status: a.status(), Name: a.def.Name, Desk: a.desk, Phone: a.phone()}
		switch {
		case a.call != nil:
			st.Queue = a.call.queue.Name
		case a.wrap != nil:
			st.Queue = a.wrap.queue
		}
		s.Agents = append(s.Agents, st)
	}
	slices.SortFunc(s.Agents, func(a, b AgentState) int { return strings.Compare(string(a.Agent), string(b.Agent)) })
	calls := make([]*call, 0, len(e.calls))
	for _, c := range e.calls {
		calls = append(calls, c)
	}
	slices.SortFunc(calls, func(a, b *call) int { return a.sortKey().Compare(b.sortKey()) })
	explained := 0
	for _, c := range calls {
		st := c.state()
		if c.phase == waiting && explained < maxBlockedCalls {
			explained++
			st.Blocked = e.leftOut(c, nil, 0, maxBlocked)
		}
		s.Calls = append(s.Calls, st)
	}
	return s
}

func (e *Engine) queueState(name string, q *Queue, now int64) QueueState {
	f := e.figure(name)
	out := QueueState{
		Name: name, Waiting: f.waiting, Talking: f.talking, AnswerWithin: int(q.AnswerWithin / time.Second), Open: e.open(e.plan, q, nil),
		Offered: f.total.Offered, Answered: f.total.Answered, Abandoned: f.total.Abandoned, InTime: f.total.InTime,
		ServiceLevel: e.serviceLevel(name, q, now), Callbacks: f.callbacks, Told: f.told, Kept: f.kept,
	}
	if c, ok := f.age.First(); ok {
		out.OldestSince = instant(c.since)
	}
	out.Staffed, out.Available = e.fitting(e.plan, q)
	out.Expected = e.expectedIn(f, out.Staffed, now)
	return out
}

// sortKey orders all calls of a Snapshot; one that was never queued stands
// where it would.
func (c *call) sortKey() queue.Key {
	if c.queue == nil {
		return queue.Key{Turn: c.since, Since: c.since, ID: int64(c.id)}
	}
	return c.key
}

func (c *call) state() CallState {
	out := CallState{
		Call: c.id, Phase: c.phaseName(c.phase), Topic: c.topic, Attempt: c.attempt,
		Since: instant(c.since), Entered: instant(c.entered), Priority: c.priority(), Step: c.stepNow(),
		Version: c.plan.Version,
	}
	if c.queue != nil {
		out.Queue = c.queue.Name
	}
	switch k := c.consult; {
	case c.isQuestion():
		out.Consult = k.call.id
	case k != nil:
		out.Consult = k.question.id
	}
	if c.agent != nil {
		first := c.shown()
		out.Attempt, out.Agent = first.attempt, first.agent.id
		out.Phase, out.Entered = c.phaseName(first.phase), instant(first.agent.since)
	} else if c.phase == waiting && len(c.wanted()) > 0 {
		out.Agent = c.wanted()[0].id
	}
	if c.entered == 0 {
		out.Entered = instant(c.arrived)
	}
	return out
}

func (c *call) phaseName(p phase) string {
	switch {
	case p == resolving:
		return "resolving"
	case p == dialling || c.isAway() && c.callback.dialling:
		return "dialling"
	case p == waiting && c.isAway():
		return "callback"
	case p == waiting && len(c.wanted()) > 0:
		return "holding"
	case p == waiting:
		return "waiting"
	case p == ringing:
		return "ringing"
	case p.offered():
		return "offered"
	case p == talking && c.onHold:
		return "hold"
	case p == talking:
		return "talking"
	}
	switch p {
	case dialled:
		return "number"
	case recording:
		return "voicemail"
	case choosing:
		return "menu"
	}
	return "treated"
}
