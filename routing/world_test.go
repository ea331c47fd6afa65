package routing

import (
	"slices"
	"testing"

	"github.com/cordboard/cordboard/agents"
)

// checkWorld holds the engine's indexes against a plain count, and the settle
// rule against every pair of call and agent.
func checkWorld(t *testing.T, e *Engine) {
	t.Helper()
	checkAgents(t, e)
	checkTurns(t, e)
	checkCalls(t, e)
	checkFigures(t, e)
	checkReloads(t, e)
	checkCounts(t, e)
	checkReserves(t, e)
	checkUsed(t, e)
	checkWarm(t, e)
}

// checkFigures: no queue answers more calls than it was offered, and what it
// answered in time it answered.
func checkFigures(t *testing.T, e *Engine) {
	t.Helper()
	inLine, asked := checkCallbacks(t, e), checkConsults(t, e)
	for name, f := range e.figures {
		c := f.total
		if c.Offered != c.Answered+c.Abandoned+c.MovedOn+c.Treated+c.Failed+c.Waiting+c.CalledBack || c.InTime > c.Answered || c.Waiting < 0 || f.talking < 0 {
			t.Fatalf("queue %s: %+v, %d wait, %d talk", name, c, f.waiting, f.talking)
		}
		if f.line.Len() != f.waiting+inLine[name] || f.age.Len() != f.waiting-asked[name] {
			t.Fatalf("queue %s: %d wait, %d in line, %d by age", name, f.waiting, f.line.Len(), f.age.Len())
		}
	}
}

// checkTurns holds each waiting call's place in the one order against the words
// of the routing document.
func checkTurns(t *testing.T, e *Engine) {
	t.Helper()
	rising := 0
	for _, c := range e.calls {
		if c.spot == nowhere {
			continue
		}
		p := c.plan
		turn := c.since - int64(c.priority())*1e9/p.MilliPoints
		if p.ByDue {
			turn += c.queue.AnswerWithin.Microseconds()
		}
		// Points and age in thousandths, at most the ceiling.
		at := p.Ceiling > 0 && (e.now-turn)*p.MilliPoints >= int64(p.Ceiling)*1e9
		if at && c.key.Turn != ceilingTurn && !e.pending() || !at && c.key.Turn != turn {
			t.Fatalf("call %d since %d with %d points stands at turn %d, at the ceiling: %v", c.id, c.since, c.priority(), c.key.Turn, at)
		}
		if p.Ceiling > 0 && c.key.Turn != ceilingTurn {
			rising++
		}
	}
	if rising != e.rising.Len() {
		t.Fatalf("%d calls have yet to reach the ceiling, %d are noted", rising, e.rising.Len())
	}
}

func checkAgents(t *testing.T, e *Engine) {
	t.Helper()
	free, signed := 0, map[*profile]int{}
	for _, a := range e.agents {
		if a.state == agents.Available {
			free++
		}
		if a.state == agents.Available && !a.reachable() || !a.def.Desk && !a.reachable() && a.state == agents.NotReady {
			t.Fatalf("agent %s is %s (%s) and the phone cannot be reached", a.id, a.state, a.reason)
		}
		if a.state.SignedIn() {
			signed[a.profile]++
		}
		if a.call != nil && (!a.call.offeredTo(a) || e.calls[a.call.id] != a.call) {
			t.Fatalf("agent %s has a call that is not theirs", a.id)
		}
		working := a.state == agents.Offered || a.state == agents.Ringing || a.state == agents.Talking || a.state == agents.OnHold
		if working != (a.call != nil) || (a.state == agents.WrapUp) != (a.wrap != nil) {
			t.Fatalf("agent %s is %s with call %v, wrap-up %v", a.id, a.state, a.call != nil, a.wrap != nil)
		}
	}
	if free != e.free {
		t.Fatalf("%d free, counted %d", free, e.free)
	}
	for _, p := range e.index.profiles {
		if p == nil {
			continue
		}
		if e.index.signed.has(p.slot) != (p.signed > 0) || e.index.free.has(p.slot) != (p.free.Len() > 0) {
			t.Fatalf("profile %d: %d signed in, %d free, the index says another thing", p.index, p.signed, p.free.Len())
		}
		if p.signed != signed[p] {
			t.Fatalf("profile: %d signed in, counted %d", p.signed, signed[p])
		}
	}
	checkIndex(t, e)
}

// checkIndex asks every profile of every demand: who has signed in after every
// Step, and whether the indexes say what is so after each sixteenth.
func checkIndex(t *testing.T, e *Engine) {
	t.Helper()
	for _, d := range e.index.demands {
		if d == nil {
			continue
		}
		if watched := e.index.watched.has(d.slot); watched != (d.calls > 0) || e.index.queued.has(d.slot) != (d.indexed > 0) {
			t.Fatalf("demand %s: %d waiting, %d in classes, watched %v", d.queue.Name, d.calls, d.indexed, watched)
		}
		staff := make([]int, len(d.reqs))
		for _, p := range e.index.profiles {
			if p == nil {
				continue
			}
			first := d.fits(p)
			if e.steps%16 == 0 {
				checkProfile(t, e, d, p)
			}
			if first >= 0 && p.signed > 0 {
				staff[first]++
			}
		}
		if d.calls > 0 && !slices.Equal(d.staff, staff) {
			t.Fatalf("demand %s: %v staff, counted %v", d.queue.Name, d.staff, staff)
		}
	}
}

func checkProfile(t *testing.T, e *Engine, d *demand, p *profile) {
	t.Helper()
	first := d.firstFit(p)
	if got := d.fits(p); got != first {
		t.Fatalf("demand %s, profile %d: fits at %d, counted %d", d.queue.Name, p.index, got, first)
	}
	if e.index.know(p); p.fitting.has(d.slot) != (first >= 0) {
		t.Fatalf("demand %s, profile %d: fits at %d, the profile does not know", d.queue.Name, p.index, first)
	}
}

// checkSteps holds the class of a waiting call against the words of the routing
// document: who fits a step that counts, by clock or by vacancy.
func checkSteps(t *testing.T, e *Engine, c *call) {
	t.Helper()
	fits := func(a *agent, n int) bool {
		r := StepRequirement(c.queue, n, c.firm(), c.demand.who)
		ok, _ := r.Fits(a.profile.skills, a.profile.team, a.profile.site)
		return ok
	}
	staffed := func(n int) bool {
		for _, a := range e.roster {
			if fits(a, n) {
				return true
			}
		}
		return false
	}
	var steps []int
	vacant := true
	for n := 0; n <= len(c.queue.Steps); n++ {
		if n > 0 && c.queue.Steps[n-1].Need == nil {
			continue
		}
		came := n <= c.step
		switch {
		case came && c.skipped>>n&1 == 1, !came && !vacant, !came && c.queue.Steps[n-1].When != nil:
			continue
		case came && n > 0 && c.queue.Steps[n-1].Only:
			steps, vacant = nil, true
		}
		steps = append(steps, n)
		vacant = vacant && !staffed(n)
	}
	for _, a := range e.agents {
		want := slices.ContainsFunc(steps, func(n int) bool { return fits(a, n) })
		if got := e.fitsNow(c, a); got != want {
			t.Fatalf("call %d in %s, step %d (skipped %b): %s fits: %v, by the document %v", c.id, c.queue.Name, c.step, c.skipped, a.id, got, want)
		}
	}
}

func checkCalls(t *testing.T, e *Engine) {
	t.Helper()
	waitingBy, occupied := map[string]int{}, map[string]int{}
	var front, passed, indexed, held int
	for _, c := range e.calls {
		if (c.agent != nil) != (c.phase.offered() || c.phase == talking) || c.agent != nil && c.agent.call != c {
			t.Fatalf("call %d in phase %d with agent %v", c.id, c.phase, c.agent != nil)
		}
		if c.agent != nil {
			occupied[c.queue.Name] += 1 + len(c.also)
		}
		if !c.isAway() && (c.phase == waiting || c.phase.offered()) {
			waitingBy[c.queue.Name]++
		}
		if (c.phase == waiting && !c.isPaused()) != (c.spot != nowhere) && !c.seeking.pending() {
			t.Fatalf("call %d in phase %d stands at %d", c.id, c.phase, c.spot)
		}
		if c.spot != nowhere && c.passedBy != nil {
			passed++
		}
		switch c.spot {
		case inHold:
			held += len(c.wanted())
		case inFront:
			front++
		case inClass:
			indexed++
		}
		if c.demand != nil && !e.pending() && !e.due() && NeedsSite(c.queue, c.firm()) && !e.needsLanguage(c.queue, c.firm()) && c.demand != e.demandFor(c, c.queue) {
			t.Fatalf("call %d in queue %s asks what it asked before (region %q, site %q now)", c.id, c.queue.Name, c.region(), e.siteOf(c))
		}
		if c.phase != waiting {
			continue
		}
		checkSteps(t, e, c)
		if c.spot == inHold || c.isPaused() || e.pending() || e.due() {
			continue
		}
		for _, a := range e.agents {
			if a.state == agents.Available && e.fitsNow(c, a) && e.mayTake(c, a) && !e.full(c.queue) && !e.standsBy(c.queue, a.def.Team) {
				t.Fatalf("call %d waits although %s is free", c.id, a.id)
			}
		}
	}
	for _, d := range e.index.demands {
		if d != nil {
			indexed -= d.indexed
		}
	}
	for _, a := range e.agents {
		held -= a.own.Len()
	}
	if front != e.front.Len() || passed != e.passed || indexed != 0 || held != 0 {
		t.Fatalf("indexes differ by front %d, passed %d, classes %d, holds %d", front-e.front.Len(), passed-e.passed, indexed, held)
	}
	for name, f := range e.figures {
		if f.waiting != waitingBy[name] {
			t.Fatalf("queue %s: %d waiting, counted %d", name, f.waiting, waitingBy[name])
		}
		if f.occupied != occupied[name] {
			t.Fatalf("queue %s occupies %d, counted %d", name, f.occupied, occupied[name])
		}
	}
}
