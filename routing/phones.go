package routing

import "github.com/cordboard/cordboard/agents"

// reachable reports whether the agent's phone may be rung, as far as is known
// beforehand. A static contact shows it only when it is called, unless it is
// watched; a mobile never does.
func (a *agent) reachable() bool { return !a.tells() || a.phoneUp }

// phone is the word of AgentState for the agent's phone.
func (a *agent) phone() string {
	switch {
	case a.def.Phone.Number != "":
		return PhoneMobile
	case !a.tells():
		return ""
	case a.phoneUp:
		return PhoneUp
	}
	return PhoneDown
}

func (e *Engine) phoneChanged(ev PhoneChanged) error {
	a := e.agents[ev.Agent]
	if a == nil {
		return ErrUnknownAgent
	}
	if watched(a.def) {
		return nil // left over of a phone that registered here
	}
	a.phoneUp = ev.Up
	if !a.def.Phone.Registered {
		return nil
	}
	if ev.Up {
		e.timers.disarm(&a.tProbe) // it has told by itself what would be asked
	}
	e.followPhone(a)
	return nil
}

// followPhone brings an agent's state in line with the phone.
func (e *Engine) followPhone(a *agent) {
	if a.reachable() {
		e.phoneBack(a)
	} else {
		e.phoneLost(a)
	}
}

// phoneBack: who was away for the phone alone is back, and who is signed in by
// the phone (login: phone) signs in.
func (e *Engine) phoneBack(a *agent) {
	if a.tells() && !a.def.Desk && !a.gone {
		_ = e.agentSignedIn(AgentSignedIn{Agent: a.id, State: agents.Available}) // the agent is known, the state is right
	}
	if a.state == agents.NotReady && a.reason == agents.ReasonUnreachable && !a.tProbe.armed() {
		e.available(a, true)
	}
}

// phoneLost: nothing is offered where nothing can ring. A phone that is being
// called, or talks, shows by itself what becomes of that call; the agent is
// away after it.
func (e *Engine) phoneLost(a *agent) {
	if a.call != nil {
		e.turnToAgent(a.call, a)
	}
	switch c := a.call; {
	case c != nil && c.phase.offered() && c.phase != ringing:
		e.withdraw(c, agents.ReasonUnreachable)
		if a.def.Desk {
			e.sideline(a, agents.ReasonUnreachable, 0)
		} else {
			e.leaveWork(a)
		}
		e.back(c, true)
	case a.state.Busy() || !a.state.SignedIn():
	case !a.def.Desk:
		e.signOut(a)
	case a.state == agents.Available:
		e.unreachable(a)
	}
}

// unreachable takes the place of Available while the phone can't be reached.
func (e *Engine) unreachable(a *agent) {
	switch {
	case !a.def.Desk:
		e.leaveWork(a)
	case a.state != agents.NotReady || a.reason != agents.ReasonUnreachable:
		e.setState(a, agents.NotReady, agents.ReasonUnreachable, 0)
	}
}

// asks reports whether a phone that failed a call is asked until it answers. A
// registered one that refused the call itself answers such questions all the
// time: it counts again when it registers again.
func (e *Engine) asks(a *agent, code int) bool {
	switch {
	case a.def.Phone.Number != "":
		return false // it is tried again after a while
	case a.def.Phone.Registered:
		return a.phoneUp && (code == 408 || code == 503)
	}
	return true
}
