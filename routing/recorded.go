package routing

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
)

// Recorded is what was decided of a call whose customer was erased since: what
// its decisions rested on can't be read any more. A replay takes it as it was and
// judges the call by nothing, so that agents and other calls find the day as it
// was. The actions of the call, followed in order, make it.
type Recorded struct {
	decisions []decision
	from      int            // those before it are told already
	regions   map[int]string // the caller's, by version
}

// decision is one thing that hung on what the customer was, or may have.
type decision struct {
	at   int64
	kind string // of the action that tells it
	// leads: the routes, an agent or an action have led the call somewhere.
	leads                      bool
	queue                      string
	entered                    int64
	rule, topic, language, tag string
	step                       int // of one that was skipped, as people count
	prefer                     string
	agent                      agents.ID // whom the call waited for, or was offered to
	until                      int64     // when waiting for the agent ends
}

// IsDecision says that an action tells of a decision which a Recorded keeps.
func IsDecision(a Action) bool {
	_, ok := decisionOf(a)
	return ok
}

// Follow takes over what an action of the call says was decided.
func (r *Recorded) Follow(at time.Time, a Action) {
	d, ok := decisionOf(a)
	if !ok {
		return
	}
	d.at = at.UnixMicro()
	r.decisions = append(r.decisions, d)
	if e, ok := a.(Enqueued); ok {
		if r.regions == nil {
			r.regions = map[int]string{}
		}
		r.regions[e.Version] = e.Region
	}
}

// decisionOf is what an action tells of that kind, false for nothing.
func decisionOf(a Action) (decision, bool) {
	d := decision{kind: a.Kind()}
	switch a := a.(type) {
	case Enqueued:
		d.leads, d.queue, d.entered = true, a.Queue, a.Entered.UnixMicro()
		d.rule, d.topic, d.language, d.tag = a.Rule, a.Topic, a.Language, a.Tag
	case TurnedAway:
		d.leads, d.rule, d.topic, d.language, d.tag = true, a.Rule, a.Topic, a.Language, a.Tag
	case Treat:
		d.leads, d.rule, d.topic, d.language, d.tag = true, a.Rule, a.Topic, a.Language, a.Tag
	case OfferCallback:
		d.leads, d.rule, d.topic, d.language, d.tag = a.Why != "", a.Rule, a.Topic, a.Language, a.Tag
	case Announce:
		d.language = a.Language
	case CallCustomer:
		d.language = a.Language
	case CallbackTaken:
	case StepSkipped:
		d.step = a.Step
	case Held:
		d.prefer, d.agent, d.until = a.Prefer, a.Agent, a.Until.UnixMicro()
	case OfferCall:
		d.prefer, d.agent = a.Reason.Prefer, a.Agent
	default:
		return d, false
	}
	return d, true
}

// FollowStored is Follow for an action as the ledger keeps it: its kind and its
// JSON form. What is none of these is passed over.
func (r *Recorded) FollowStored(at time.Time, kind string, data []byte) error {
	a, err := storedDecision(kind, data)
	if err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	if a != nil {
		r.Follow(at, a)
	}
	return nil
}

func storedDecision(kind string, data []byte) (Action, error) {
	switch kind {
	case Enqueued{}.Kind():
		return decodeAction[Enqueued](data)
	case TurnedAway{}.Kind():
		return decodeAction[TurnedAway](data)
	case Treat{}.Kind():
		return decodeAction[Treat](data)
	case OfferCallback{}.Kind():
		return decodeAction[OfferCallback](data)
	case Announce{}.Kind():
		return decodeAction[Announce](data)
	case CallCustomer{}.Kind():
		return decodeAction[CallCustomer](data)
	case CallbackTaken{}.Kind():
		return CallbackTaken{}, nil
	case StepSkipped{}.Kind():
		return decodeAction[StepSkipped](data)
	case Held{}.Kind():
		return decodeAction[Held](data)
	case OfferCall{}.Kind():
		return decodeAction[OfferCall](data)
	}
	return nil, nil
}

func decodeAction[A Action](data []byte) (Action, error) {
	var a A
	err := json.Unmarshal(data, &a)
	return a, err
}

// Since is what was recorded from an instant on, but for what an engine has told
// of the call at this instant already; nil for nothing.
func (r *Recorded) Since(at time.Time, told *Recorded) *Recorded {
	out := *r
	now := at.UnixMicro()
	out.from = len(r.decisions)
	if i := slices.IndexFunc(r.decisions, func(d decision) bool { return d.at >= now }); i >= 0 {
		out.from = i
	}
	if told != nil {
		out.from = min(out.from+len(told.decisions), len(r.decisions))
	}
	return &out
}

// given is a call's Recorded, and how far an engine has come in it.
type given struct {
	*Recorded
	done int    // those before it are told again
	now  *int64 // the engine's
}

// give has a call decided by what was recorded of it from now on.
func (e *Engine) give(c *call, r *Recorded) {
	if r == nil || c.given != nil {
		return
	}
	c.given = &given{r, r.from, &e.now}
	e.gives = true
}

// tellGiven goes on past what an action tells once more.
func (e *Engine) tellGiven(a Action) {
	d, ok := decisionOf(a)
	if !ok {
		return
	}
	o, _ := About(a)
	c := e.calls[o.Call]
	if c == nil || c.given == nil {
		return
	}
	g := c.given
	for i := g.done; i < len(g.decisions) && g.decisions[i].at <= e.now; i++ {
		if x := &g.decisions[i]; x.at == e.now && x.kind == d.kind {
			g.done = i + 1
			return
		}
	}
}

// led is where the call was led now, as the place in its decisions; false when it
// was not led anywhere at this instant.
func (g *given) led() (i int, ok bool) {
	for i = g.done; i < len(g.decisions) && g.decisions[i].at <= *g.now; i++ {
		if d := &g.decisions[i]; d.leads && d.at == *g.now {
			return i, true
		}
	}
	return 0, false
}

// lastLed is where the call was led last; false when it never was.
func (g *given) lastLed() (i int, ok bool) {
	for i = min(g.done, len(g.decisions)) - 1; i >= 0; i-- {
		if g.decisions[i].leads {
			return i, true
		}
	}
	return 0, false
}

// target is what reading the routes gave. A ledger written before TurnedAway and
// its like named the route tells it by what follows at that instant, or not at all:
// then the call is taken as one of the root.
func (g *given) target(p *plan) target {
	i, ok := g.led()
	if !ok {
		if i, ok = g.lastLed(); !ok {
			return target{route: p.root}
		}
	}
	d := g.decisions[i]
	for next := i + 1; d.rule == "" && next < len(g.decisions) && g.decisions[next].at == d.at; next++ {
		d = g.decisions[next]
	}
	return target{route: p.routeAt(d.rule), language: d.language, topic: d.topic, tag: d.tag}
}

// language is the caller's, as it was resolved; "" where that is not recorded. It
// changes when the call is led somewhere, and when the record comes: what was told
// before that counts last.
func (g *given) language() string {
	if i, ok := g.led(); ok {
		return g.decisions[i].language
	}
	last, ok := g.lastLed()
	from := g.from
	if ok {
		from = max(from, last)
	}
	for i := from; i < len(g.decisions); i++ {
		if code := g.decisions[i].language; code != "" {
			return code
		}
	}
	if !ok {
		return ""
	}
	return g.decisions[last].language
}

// holds says whether the condition of a step held, which is asked now.
func (g *given) holds(step int) bool {
	for i := g.done; i < len(g.decisions) && g.decisions[i].at <= *g.now; i++ {
		d := &g.decisions[i]
		if d.at < *g.now {
			continue
		}
		if d.leads {
			break
		}
		if d.step == step {
			return false
		}
	}
	return true
}

// calledBack says whether a callback was offered, or accepted, now.
func (g *given) calledBack() bool {
	for i := g.done; i < len(g.decisions) && g.decisions[i].at <= *g.now; i++ {
		d := &g.decisions[i]
		if d.at == *g.now && (d.kind == OfferCallback{}.Kind() || d.kind == CallbackTaken{}.Kind()) {
			return true
		}
	}
	return false
}

// preferred is the agent whom the call asked for on its way into a queue now, by
// who prefers, and until when it would wait where that is recorded: nobody where that
// came to nothing. Where only its route is read anew, what it has waited for already
// counts.
func (g *given) preferred(prefer string) (agent agents.ID, until int64) {
	at, ok := g.led()
	if !ok {
		return "", 0
	}
	take := func(d *decision) {
		if d.prefer == prefer {
			agent, until = cmp.Or(agent, d.agent), cmp.Or(until, d.until)
		}
	}
	for i := at + 1; i < len(g.decisions) && !g.decisions[i].leads; i++ {
		take(&g.decisions[i])
	}
	visit := g.decisions[at]
	for i := at - 1; i >= 0; i-- {
		d := &g.decisions[i]
		if d.leads && (d.queue != visit.queue || d.entered != visit.entered) {
			break
		}
		take(d)
	}
	return agent, until
}
