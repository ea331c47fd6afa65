package routing

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cordboard/cordboard/routing/queue"
	"github.com/cordboard/cordboard/routing/rule"
)

// What a PolicyChanged does with the calls that wait.
const (
	KeepWaiting  = "keep"  // they finish this visit by their version
	ApplyWaiting = "apply" // they are routed again by the new one
)

// Errors of a PolicyChanged: the version before it stays live.
var (
	ErrBadWaiting = errors.New("waiting is keep or apply")
	ErrBadMove    = errors.New("a move leads from a queue that is gone to one that is there")
)

// maxVersions is how many versions waiting calls may use at once, the live one
// among them (21).
const maxVersions = 8

// policyChanged makes a new document live. Agents' states, counters and clocks
// stay as they are.
func (e *Engine) policyChanged(ev PolicyChanged) error {
	if err := checkReload(ev); err != nil {
		return err
	}
	e.retire(ev)
	before := e.plan
	e.rename(ev.Policy)
	e.plan = newPlan(ev.Policy)
	e.rewindow(before.callWin)
	if ev.Policy.Agents != nil {
		e.directory(ev.Policy.Agents)
	}
	e.prune()
	e.reserves()
	if !slices.Equal(before.windows, e.plan.windows) {
		e.remeasure()
	}
	e.act(e.live(ev))
	e.gather()
	return nil
}

// PolicyLive: a version decides from now on.
type PolicyLive struct {
	Version int    `json:"version"`
	SHA256  string `json:"sha256"`
	Waiting string `json:"waiting"` // KeepWaiting or ApplyWaiting
	// Stay is the waiting calls that finish by the version they came with, the
	// oldest first. With ApplyWaiting there are none.
	Stay []Staying `json:"stay,omitempty"`
}

// Kind implements Action.
func (PolicyLive) Kind() string { return "policy_live" }

// Staying is how many waiting calls stay with a version.
type Staying struct {
	Version int `json:"version"`
	Calls   int `json:"calls"`
}

func checkReload(ev PolicyChanged) error {
	switch {
	case ev.Policy == nil:
		return ErrNoPolicy
	case ev.Waiting != "" && ev.Waiting != KeepWaiting && ev.Waiting != ApplyWaiting:
		return fmt.Errorf("%w, not %q", ErrBadWaiting, ev.Waiting)
	}
	return CheckMoves(ev.Policy, ev.Moves)
}

// CheckMoves says whether waiting calls can be moved so when the policy goes
// live: from queues that it does not have to queues that it has.
func CheckMoves(p *Policy, moves map[string]string) error {
	var errs []error
	names := make([]string, 0, len(moves))
	for from := range moves {
		names = append(names, from)
	}
	slices.Sort(names)
	for _, from := range names {
		switch to := moves[from]; {
		case p.Queues[from] != nil:
			errs = append(errs, fmt.Errorf("%w: queue %s is still there", ErrBadMove, from))
		case p.Queues[to] == nil:
			errs = append(errs, fmt.Errorf("%w: there is no queue %s", ErrBadMove, to))
		}
	}
	return errors.Join(errs...)
}

// retire says of the versions still in use what becomes of their waiting calls.
func (e *Engine) retire(ev PolicyChanged) {
	e.plans = append(e.plans, e.plan)
	e.plans = slices.DeleteFunc(e.plans, func(p *plan) bool { return p.calls == 0 })
	used := 0
	for _, p := range e.plans {
		if p.waiting > 0 && !p.again {
			used++
		}
	}
	for _, p := range e.plans {
		over := used >= maxVersions && p.waiting > 0 && !p.again
		if over {
			used--
		}
		p.again = p.again || over || ev.Waiting == ApplyWaiting
		for from, to := range ev.Moves {
			if p.moves == nil {
				p.moves = map[string]string{}
			}
			p.moves[from] = to
		}
	}
}

// live tells which version decides from now on, and how many calls stay with
// which.
func (e *Engine) live(ev PolicyChanged) PolicyLive {
	out := PolicyLive{Version: ev.Version, SHA256: ev.SHA256, Waiting: ev.Waiting}
	if out.Waiting == "" {
		out.Waiting = KeepWaiting
	}
	moving := map[*plan]int{}
	for _, d := range e.index.demands {
		if d == nil {
			continue
		}
		if len(d.plan.moves) > 0 && e.moved(d.plan, d.queue.Name) != "" {
			moving[d.plan] += d.waiting.Len()
		}
	}
	for _, p := range e.plans {
		if n := p.waiting - moving[p]; n > 0 && !p.again {
			out.Stay = append(out.Stay, Staying{p.Version, n})
		}
	}
	return out
}

// superseded says that the call is to be routed again, or moved.
func (e *Engine) superseded(c *call) bool {
	switch {
	case c.plan == e.plan || c.drains == e.plan:
		return false
	case c.plan.again:
		return true
	}
	return e.moved(c.plan, c.queue.Name) != ""
}

// moved is where the moves of reloads lead the calls of an older version from a
// queue, "" for nowhere. A queue may have been moved and gone again.
func (e *Engine) moved(p *plan, from string) string {
	name := from
	for range len(p.moves) {
		if e.plan.Queues[name] != nil {
			break
		}
		to, ok := p.moves[name]
		if !ok {
			return ""
		}
		name = to
	}
	if name == from || e.plan.Queues[name] == nil {
		return ""
	}
	return name
}

// outdated is one index with calls that are to be routed again: the classes of
// a demand.
type outdated struct {
	demand *demand
	head   queue.Key
}

// Compare orders the heap by the earliest turn.
func (o outdated) Compare(other outdated) int { return o.head.Compare(other.head) }

// gather lists what is to be routed again: the few calls that came back, hold
// or have yet to ask their preferred agents, one by one, and the demands of all others. Calls being offered are
// looked at when their offer ends.
func (e *Engine) gather() {
	e.renewals, e.renewing = e.renewals[:0], e.renewing[:0]
	note := func(c *call) bool {
		if e.superseded(c) {
			e.renewals = append(e.renewals, c)
		}
		return true
	}
	e.front.Ascend(note)
	front := len(e.renewals)
	e.held.Ascend(note)
	for _, c := range e.seekers.items {
		if c.phase == waiting && c.spot == nowhere { // it came in this very Step
			note(c)
		}
	}
	slices.SortStableFunc(e.renewals[front:], func(a, b *call) int { return a.key.Compare(b.key) })
	for _, d := range e.index.demands {
		if d == nil {
			continue
		}
		if d.plan != e.plan && (d.plan.again || len(d.plan.moves) > 0) {
			e.outdate(d)
		}
	}
}

// outdate puts a demand in its place of the heap, by the first of its calls.
func (e *Engine) outdate(d *demand) {
	c := d.first(e)
	if c == nil {
		return
	}
	e.spend(indexUnits)
	e.renewing = append(e.renewing, outdated{d, c.key})
	for i := len(e.renewing) - 1; i > 0; {
		parent := (i - 1) / 2
		if e.renewing[parent].Compare(e.renewing[i]) <= 0 {
			return
		}
		e.renewing[parent], e.renewing[i] = e.renewing[i], e.renewing[parent]
		i = parent
	}
}

// dropOutdated takes the first demand off the heap.
func (e *Engine) dropOutdated() {
	h := e.renewing
	last := len(h) - 1
	h[0] = h[last]
	h[last] = outdated{}
	h = h[:last]
	for i := 0; ; {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h); child++ {
			if h[child].Compare(h[least]) < 0 {
				least = child
			}
		}
		if least == i {
			break
		}
		h[i], h[least] = h[least], h[i]
		i = least
	}
	e.renewing = h
}

// first is the demand's first call in the one order that is to be routed again.
func (d *demand) first(e *Engine) (best *call) {
	e.spend(len(d.classes))
	for step := range d.classes {
		d.classes[step].Ascend(func(c *call) bool {
			if !e.superseded(c) {
				return true
			}
			if best == nil || c.key.Compare(best.key) < 0 {
				best = c
			}
			return false
		})
	}
	return best
}

// renewNext is the next call to be routed again: those in front, then by turn.
func (e *Engine) renewNext() *call {
	for len(e.renewals)+len(e.renewing) > 0 {
		if len(e.renewals) > 0 {
			c := e.renewals[0]
			if c.phase != waiting || !e.superseded(c) {
				e.renewals = e.renewals[1:]
				continue
			}
			if c.spot == inFront || len(e.renewing) == 0 || c.key.Compare(e.renewing[0].head) < 0 {
				e.renewals = e.renewals[1:]
				return c
			}
		}
		// Calls come and go between slices: the head is looked at once more.
		top := e.renewing[0]
		e.dropOutdated()
		switch c := top.demand.first(e); {
		case c == nil:
		case c.key.Compare(top.head) > 0:
			e.outdate(top.demand)
		default:
			return c
		}
	}
	return nil
}

// renews says that a reload is not done with all waiting calls.
func (e *Engine) renews() bool { return len(e.renewals)+len(e.renewing) > 0 }

// renewFirst routes the first call again that is to be, if one is left.
func (e *Engine) renewFirst() {
	c := e.renewNext()
	if c == nil {
		return
	}
	d := c.demand
	e.spend(indexUnits)
	e.renew(c)
	e.outdate(d)
}

// adoptPlan makes the live version the call's own.
func (e *Engine) adoptPlan(c *call) {
	c.plan.calls--
	c.plan = e.plan
	c.plan.calls++
}

// refresh does so on the way to a queue when the call's version is not to be
// used any more, and says where the way leads now: a queue that is gone and not
// moved serves the call by its old version.
func (e *Engine) refresh(c *call, queue string) string {
	if c.plan == e.plan {
		return queue
	}
	if to := e.moved(c.plan, queue); to != "" {
		e.adoptPlan(c)
		return to
	}
	switch {
	case !c.plan.again:
	case e.plan.Queues[queue] != nil:
		e.adoptPlan(c)
	default:
		c.drains = e.plan
	}
	return queue
}

// renew routes one waiting call again by the live version, or moves it. When
// it began to wait stays; what agents and overflow made of it does too, as far
// as the new version has the queue.
func (e *Engine) renew(c *call) {
	name, to := c.queue.Name, e.moved(c.plan, c.queue.Name)
	if !c.plan.again || c.passedOn() {
		e.renewPassed(c, to)
		return
	}
	e.adoptPlan(c)
	t, _ := e.readAnyway(c)
	lead := t.leads(c.plan)
	then := t.route.node.Then
	switch {
	case then != nil && !c.canGo(*then) && c.plan.Queues[name] != nil:
		e.adopt(c, t) // where it is sent it has been: it stays
		e.stay(c, t.route.prefer)
	case lead == name || lead != "" && lead == c.home && c.plan.Queues[name] != nil:
		e.adopt(c, t) // there, or sent on from there by overflow
		e.stay(c, t.route.prefer)
	case lead != "" && lead == c.home && to != "":
		e.leave(c)
		e.adopt(c, t)
		e.enter(c, to, reloaded, t.route.prefer)
	default:
		e.leave(c)
		e.follow(c, t, reloaded)
	}
}

// leads is the queue that the routes lead to, "" when they end the call.
func (t target) leads(p *plan) string {
	if then := t.route.node.Then; then != nil {
		return then.Queue
	}
	return t.queue(p)
}

const reloaded = "reload"

// passedOn says that an agent sent the call where it is: the routes have no
// say in that.
func (c *call) passedOn() bool { return c.attrs.Transfers > 0 }

// renewPassed keeps a call that is not routed again in its queue, or moves it.
func (e *Engine) renewPassed(c *call, to string) {
	switch {
	case c.toAgent || e.plan.Queues[c.queue.Name] == nil && to == "":
		c.drains = e.plan // it waits for one colleague, or its queue is gone
	case to != "":
		e.leave(c)
		e.adoptPlan(c)
		e.enter(c, to, reloaded, nil)
	default:
		e.adoptPlan(c)
		e.stay(c, nil)
	}
}

// stay goes on in the same queue by the live version. The step clock stays, and
// so do those of nobody and of closing time, and what a hold has used up; steps
// already due apply at once.
func (e *Engine) stay(c *call, prefer []rule.Prefer) {
	before := c.demand
	e.spend(2 * indexUnits)
	e.unplace(c)
	clocks := c.visitClocks()
	for _, t := range []*timer{&c.tHold, &c.tStep, &c.tLate, &c.tNobody, &c.tClose, &c.tRelax} {
		e.timers.disarm(t)
	}
	c.wanted = nil
	c.queue = c.plan.Queues[c.queue.Name]
	reached := c.step
	c.step, c.skipped = 0, 0
	c.demand = e.demandFor(c, c.queue)
	e.unawait(c, before)
	before.plan.waiting--
	e.await(c)
	c.plan.waiting++
	if c.toAgent {
		c.preferAt = 0
	} else {
		c.prefer, c.preferAt = resume(e.preferences(c, prefer), c.prefer), 0
	}
	e.rekey(c)
	e.announce(c, reloaded)
	e.armVisit(c)
	e.resumeClocks(c, clocks)
	e.catchUp(c, reached)
	e.place(c)
	e.markSeeking(c, reloaded)
}

// catchUp takes the steps that are due by the live version, and tells of those
// that were not reached before.
func (e *Engine) catchUp(c *call, reached int) {
	told := len(e.acts)
	e.reachSteps(c)
	out := e.acts[:told]
	for _, a := range e.acts[told:] {
		if s, ok := a.(StepReached); ok {
			if s.Step-1 <= reached {
				continue
			}
			s.Due = instant(c.entered + c.queue.Steps[s.Step-2].After.Microseconds())
			a = s
		}
		out = append(out, a)
	}
	clear(e.acts[len(out):])
	e.acts = out
}

// visitClocks are the clocks of a visit that began before the call was routed
// again; 0 for one that does not run.
type visitClocks struct{ nobody, closes int64 }

func (c *call) visitClocks() (v visitClocks) {
	v.nobody = c.aloneSince()
	if c.tClose.armed() {
		v.closes = c.tClose.due
	}
	return v
}

func (e *Engine) resumeClocks(c *call, v visitClocks) {
	if v.nobody > 0 && c.tNobody.armed() {
		e.timers.arm(&c.tNobody, nobodyDue, max(v.nobody+c.queue.Nobody.After.Microseconds(), e.now))
	}
	// The queue is closed already and its grace runs: it ends when it was to.
	if v.closes > 0 && !c.tClose.armed() && c.plan.Calendars[c.queue.Hours] != nil {
		e.timers.arm(&c.tClose, closeDue, max(v.closes, e.now))
	}
	// What fell due during an offer falls due by the new version.
	switch p := c.pending; {
	case p == nil:
	case p.why == "closed" && !e.open(c.plan, c.queue, c.zone()):
		p.then = c.queue.Closed
	default:
		c.pending = nil
	}
}

// resume gives a new list of preferences what has been waited for the same
// agents already.
func resume(list, before []preference) []preference {
	for i := range list {
		p := &list[i]
		for _, old := range before {
			if old.kind != p.kind || old.until == 0 || !slices.Equal(old.agents, p.agents) {
				continue
			}
			p.until = old.until - old.wait + p.wait
			p.told = old.told && p.until == old.until
		}
	}
	return list
}
