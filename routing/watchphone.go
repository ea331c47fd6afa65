package routing

import "github.com/cordboard/cordboard/agents"

const (
	// watchEvery is how often a phone that has answered is asked again, where its
	// agent is signed in by it; one that has not is asked every probeEvery.
	watchEvery = 30 * second
	// mobileTime is how long a mobile that could not be reached is left alone.
	mobileTime = 60 * second
)

// watched says that the agent is signed in while OPTIONS to a static contact
// are answered.
func watched(a agents.Agent) bool { return !a.Desk && a.Phone.URI != "" && !a.Phone.Registered }

// tells says that it is known beforehand whether the phone can be reached.
func (a *agent) tells() bool { return a.def.Phone.Registered || watched(a.def) }

// mobile says that the agent's phone is called through a trunk.
func (a *agent) mobile() bool { return a.def.Phone.Number != "" }

// signInByPhone signs an agent in who is newly listed, or whose phone is new, if
// that is a mobile, and begins to ask a phone that is watched. At the start it is
// done for everyone. Who was signed out by hand stays so over a reload.
func (e *Engine) signInByPhone(a *agent) {
	switch {
	case a.gone || a.def.Desk:
	case watched(a.def):
		if !a.tWatch.armed() {
			e.watchPhone(a)
		}
	case a.mobile() && !a.state.SignedIn():
		_ = e.agentSignedIn(AgentSignedIn{Agent: a.id, State: agents.Available}) // the agent is known, the state is right
	}
}

// watchPhone asks whether a phone can be reached, and will ask again.
func (e *Engine) watchPhone(a *agent) {
	if a.gone || !watched(a.def) {
		return
	}
	e.act(Probe{a.id})
	next := probeEvery
	if a.phoneUp {
		next = watchEvery
	}
	e.timers.arm(&a.tWatch, watchDue, e.now+next)
}

// phoneSeen: a phone that is watched has answered, or has not.
func (e *Engine) phoneSeen(a *agent, up bool) {
	due := e.now + probeEvery
	if up {
		due = e.now + watchEvery
	}
	e.timers.arm(&a.tWatch, watchDue, due)
	was := a.phoneUp
	a.phoneUp = up
	switch {
	case up != was:
		e.timers.disarm(&a.tProbe)
		e.followPhone(a)
	case up && a.state == agents.NotReady && a.reason == agents.ReasonUnreachable:
		e.available(a, true)
	}
}

// phoneReplaced: the agent has another kind of phone, or is signed in otherwise.
func (e *Engine) phoneReplaced(a *agent, before agents.Agent) {
	if !watched(a.def) {
		e.timers.disarm(&a.tWatch)
	}
	if watched(before) || watched(a.def) {
		a.phoneUp = false // what was known was of another
	}
	e.followPhone(a)
	e.signInByPhone(a)
}

// unreachableUntil is when an agent whose phone can't be reached counts again
// by itself; 0: when the phone shows that it is back.
func (e *Engine) unreachableUntil(a *agent) int64 {
	if a.mobile() {
		return e.now + mobileTime
	}
	return 0
}
