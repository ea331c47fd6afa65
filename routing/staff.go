package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
)

// redefine changes an agent's skills, for calls already waiting too.
func (e *Engine) redefine(a *agent, def agents.Agent) {
	before := a.def
	a.def = def
	if before.Phone.Registered != def.Phone.Registered || before.Desk != def.Desk || before.Phone.URI != def.Phone.URI || before.Phone.Number != def.Phone.Number {
		defer e.phoneReplaced(a, before)
	}
	if a.profile.of(def) {
		return
	}
	e.spend(4 * indexUnits)
	p := e.profileFor(def)
	old := a.profile
	defer e.dropProfile(old, before)
	if !a.state.SignedIn() {
		a.profile = p
		return
	}
	if a.state == agents.Available {
		e.idleOut(a)
	}
	e.staff(a, -1)
	a.profile = p
	e.staff(a, +1)
	if a.state == agents.Available {
		e.idleIn(a)
		e.markFree(a)
	}
	e.recheckOwn(a)
}

func (e *Engine) agentSignedIn(ev AgentSignedIn) error {
	a := e.agents[ev.Agent]
	switch {
	case a == nil || a.gone:
		return ErrUnknownAgent
	case ev.State != agents.Available && ev.State != agents.NotReady:
		return ErrBadAgentState
	case a.state.SignedIn():
		if a.asked.state == agents.SignedOut {
			a.asked = asked{} // back before the call ended
		}
		return nil
	case !a.def.Desk && !a.reachable():
		return nil // the phone signs such an agent in
	}
	i, _ := e.inRoster(a.id)
	e.roster = slices.Insert(e.roster, i, a)
	a.rona, a.refusals, a.ownRow = 0, nil, 0
	// The state first, so that whoever is woken sees it.
	a.state = agents.NotReady
	e.staff(a, +1)
	e.start(a)
	if ev.State == agents.NotReady {
		e.setState(a, agents.NotReady, ev.Reason, 0)
	} else {
		e.available(a, true)
	}
	return nil
}

func (e *Engine) agentSignedOut(ev AgentSignedOut) error {
	a := e.agents[ev.Agent]
	if a == nil {
		return ErrUnknownAgent
	}
	a.dismissed = false // it is her own wish now
	e.signOut(a)
	return nil
}

// signOut ends an agent's work: at once, or after the talk in hand. An offer
// that is not answered yet goes to somebody else.
func (e *Engine) signOut(a *agent) {
	if !a.state.SignedIn() {
		return
	}
	switch c := a.call; {
	case c != nil && c.phase == talking:
		a.asked = asked{state: agents.SignedOut}
		e.recheckOwn(a)
		return
	case c != nil:
		e.turnToAgent(c, a)
		e.withdraw(c, "refused")
		e.leaveWork(a)
		e.back(c, true)
		return
	case a.wrap != nil:
		a.asked = asked{state: agents.SignedOut}
		e.finishWrapUp(a, "")
		return
	}
	e.leaveWork(a)
}

func (e *Engine) leaveWork(a *agent) {
	a.asked = asked{}
	e.timers.disarm(&a.tMain)
	e.timers.disarm(&a.tProbe)
	e.setState(a, agents.SignedOut, "", 0)
	if i, found := e.inRoster(a.id); found {
		e.roster = slices.Delete(e.roster, i, i+1)
	}
	e.uncountCalls(a)
	e.staff(a, -1)
}

// agentStateAsked: with a call in hand the wish is remembered for its end.
func (e *Engine) agentStateAsked(ev AgentStateAsked) error {
	a := e.agents[ev.Agent]
	switch {
	case a == nil:
		return ErrUnknownAgent
	case ev.State != agents.Available && ev.State != agents.NotReady:
		return ErrBadAgentState
	case !a.state.SignedIn():
		return nil
	case a.state.Busy():
		if a.asked.state == agents.SignedOut && a.gone {
			return nil
		}
		a.asked = asked{ev.State, ev.Reason}
		if a.asked.leaves() {
			e.recheckOwn(a)
		}
		return nil
	case ev.State == agents.NotReady:
		e.timers.disarm(&a.tMain)
		e.timers.disarm(&a.tProbe)
		if a.state != agents.NotReady || a.reason != ev.Reason {
			e.setState(a, agents.NotReady, ev.Reason, 0)
		}
	case a.state == agents.NotReady:
		e.available(a, true)
	}
	return nil
}

func (e *Engine) deskChanged(ev DeskChanged) error {
	a := e.agents[ev.Agent]
	if a == nil {
		return ErrUnknownAgent
	}
	a.desk = ev.Up
	if !ev.Up {
		return nil
	}
	for len(a.deskBars) > 0 {
		e.unbar(a.deskBars[0].call, a, "desk_back")
	}
	if a.state == agents.Available {
		e.markFree(a)
	}
	return nil
}

// agentTimer ends what ends by itself: wrap-up, a busy phone, a break after an
// unanswered ring.
func (e *Engine) agentTimer(a *agent) {
	switch {
	case a.wrap != nil:
		e.finishWrapUp(a, "")
	case a.state == agents.NotReady:
		e.available(a, true)
	}
}

// probe asks the agent's phone whether it is back.
func (e *Engine) probe(a *agent) {
	e.act(Probe{a.id})
	e.timers.arm(&a.tProbe, probeDue, e.now+probeEvery)
}

// phoneProbed: a phone that answers at all is back, even if it does not know
// OPTIONS.
func (e *Engine) phoneProbed(ev PhoneProbed) error {
	a := e.agents[ev.Agent]
	if a == nil {
		return ErrUnknownAgent
	}
	alive := ev.Code >= 200 && ev.Code < 300 || ev.Code == 405 || ev.Code == 501
	if watched(a.def) && !a.gone {
		e.phoneSeen(a, alive)
		return nil
	}
	if alive && a.state == agents.NotReady && a.reason == agents.ReasonUnreachable {
		e.available(a, true)
	}
	return nil
}

// release gives an agent back after an offer, a talk or wrap-up: to what was
// asked meanwhile, else to the free ones. fresh begins the idle time anew.
func (e *Engine) release(a *agent, fresh bool) {
	want := a.asked
	a.asked = asked{}
	switch want.state {
	case agents.SignedOut:
		e.leaveWork(a)
	case agents.NotReady:
		e.away(a, want.reason, 0)
	default:
		e.available(a, fresh)
	}
}

// sideline makes an agent not ready for a reason of ours, until an instant or
// (0) until back by hand.
func (e *Engine) sideline(a *agent, reason string, until int64) {
	want := a.asked
	a.asked = asked{}
	if want.state == agents.SignedOut {
		e.leaveWork(a)
		return
	}
	if want.state == agents.NotReady {
		reason, until = want.reason, 0
	}
	e.away(a, reason, until)
	if until > 0 && a.state.SignedIn() {
		e.timers.arm(&a.tMain, agentDue, until)
	}
}

// away makes an agent not ready; who is signed in by a phone that can't be
// reached is signed out.
func (e *Engine) away(a *agent, reason string, until int64) {
	if !a.def.Desk && !a.reachable() {
		e.leaveWork(a)
		return
	}
	e.setState(a, agents.NotReady, reason, until)
}

func (e *Engine) available(a *agent, fresh bool) {
	e.timers.disarm(&a.tMain)
	e.timers.disarm(&a.tProbe)
	if !a.reachable() {
		e.unreachable(a)
		return
	}
	if fresh {
		a.idleSince = e.now
	}
	e.setState(a, agents.Available, "", 0)
	if fresh {
		e.measure(a)
	}
}

// setState changes an agent's state and tells of it.
func (e *Engine) setState(a *agent, s agents.State, reason string, until int64) {
	if a.state == agents.Available {
		e.idleOut(a)
		e.free--
		e.unfree(a)
	}
	a.state, a.reason, a.since, a.until = s, reason, e.now, until
	if e.window() > 0 {
		a.log.note(e.now, kindOf(s), e.now-e.window())
	}
	if s == agents.Available {
		e.idleIn(a)
		e.free++
		e.markFree(a)
	}
	e.spend(2 * indexUnits)
	e.act(AgentChanged{a.status()})
	if s == agents.NotReady || s == agents.SignedOut {
		e.recheckOwn(a)
	}
}

// measure looks at what the policies ask of an agent who becomes Available.
func (e *Engine) measure(a *agent) {
	e.remeasure(a)
	e.measureShares(a)
	e.countCalls(a)
}

func (e *Engine) measureShares(a *agent) {
	a.shares = a.shares[:0]
	for _, w := range e.windows {
		a.shares = append(a.shares, a.log.share(e.now-w, e.now))
	}
}

func (a *agent) idle() idleKey { return idleKey{a.idleSince, a.id} }

func (a *agent) status() agents.Status {
	s := agents.Status{Agent: a.id, State: a.state, Reason: a.reason, Since: instant(a.since), Until: instant(a.until)}
	switch {
	case a.call != nil:
		s.Call = int64(a.call.id)
	case a.wrap != nil:
		s.Call = int64(a.wrap.offer.Call)
	}
	return s
}
