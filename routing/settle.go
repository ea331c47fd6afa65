package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/match"
	"github.com/cordboard/cordboard/routing/queue"
)

// maxOwnRow is how many of their own calls agents take in a row while another
// call waits for them.
const maxOwnRow = 2

// maxFreeLooked is how many free agents one call looks at: the longest idle of as
// many profiles, and where a policy measures each agent the longest idle of a
// profile first.
const maxFreeLooked = 10_000

// take gives a free agent the first call: one that came back, else an own one,
// else the first in the one order of all that the agent fits.
func (e *Engine) take(a *agent) {
	if a.state != agents.Available {
		return
	}
	reason := Reason{Trigger: "agent_free"}
	c := e.firstFront(a)
	if c == nil {
		own, other := e.firstOwn(a), e.firstWaiting(a)
		if own != nil && (a.ownRow < maxOwnRow || other == nil) {
			c = own
			reason.Prefer = own.preferring().kind
		} else {
			c = other
		}
	}
	if c == nil {
		return
	}
	if reason.Prefer != "" {
		a.ownRow++
	} else {
		a.ownRow = 0
	}
	e.offerTo(c, a, reason)
}

func (e *Engine) firstFront(a *agent) (found *call) {
	e.front.Ascend(func(c *call) bool {
		e.spend(1)
		if e.fitsNow(c, a) && e.mayTake(c, a) && e.admits(c.queue, a) {
			found = c
		}
		return found == nil
	})
	return found
}

func (e *Engine) firstOwn(a *agent) (found *call) {
	a.own.Ascend(func(c *call) bool {
		e.spend(1)
		if e.now < c.preferring().until && e.suits(c, c.preferring(), a) && e.mayTake(c, a) && !e.full(c.queue) {
			found = c
		}
		return found == nil
	})
	return found
}

// firstWaiting is the first call in the one order, over the heads of all
// classes that the agent's profile fits.
func (e *Engine) firstWaiting(a *agent) (best *call) {
	x := &e.index
	x.know(a.profile)
	e.spend(1 + len(x.demands)/2048)
	a.profile.fitting.both(x.queued, func(slot int) bool {
		e.spend(1)
		if best != nil && best.key.Compare(x.heads[slot]) < 0 {
			return true
		}
		d := x.demands[slot]
		if !a.desk && d.queue.Pop.Late == LateHold || !e.admits(d.queue, a) {
			return true
		}
		fit := d.fits(a.profile)
		e.spend(len(d.classes))
		for step := range d.classes {
			if fit > d.vacant(step) {
				continue
			}
			if c := e.firstOf(&d.classes[step], a, best); c != nil {
				best = c
			}
		}
		return true
	})
	return best
}

// firstOf is the first call of a class that the agent may take, if it comes
// before another.
func (e *Engine) firstOf(class *queue.Tree[queue.Key, *call], a *agent, other *call) (found *call) {
	class.Ascend(func(c *call) bool {
		if other != nil && other.key.Compare(c.key) < 0 {
			return false
		}
		e.spend(1)
		if e.mayTake(c, a) {
			found = c
		}
		return found == nil
	})
	return found
}

// fitsNow says whether an agent meets the need of the steps reached.
func (e *Engine) fitsNow(c *call, a *agent) bool {
	fit := c.demand.fits(a.profile)
	return fit >= 0 && fit <= c.demand.reach(c.step)
}

// mayTake says whether an agent who fits may also have the call: not barred,
// not its sender while others fit, with a desk where one is needed.
func (e *Engine) mayTake(c *call, a *agent) bool {
	if len(c.bars) > 0 && c.barred(a) {
		return false
	}
	if !a.desk && c.queue.Pop.Late == LateHold {
		return false
	}
	return !e.shuns(c, a)
}

// shuns says that the agent has passed the call on, and is not to have it while
// another fits; nobody asks oneself.
func (e *Engine) shuns(c *call, a *agent) bool {
	return c.passedBy == a && (c.isQuestion() || e.anotherFits(c, a))
}

// admits says whether a queue may be given an agent of the kind: it is not at
// its bound, nor does the agent's team stand by.
func (e *Engine) admits(q *Queue, a *agent) bool {
	return !e.full(q) && !e.standsBy(q, a.profile.team)
}

// anotherFits says whether anyone signed in but the sender fits the steps so
// far.
func (e *Engine) anotherFits(c *call, sender *agent) bool {
	d := c.demand
	n := 0
	for step := 0; step <= d.reach(c.step); step++ {
		n += d.staff[step]
	}
	if p := sender.profile; sender.state.SignedIn() && p.signed == 1 {
		if fit := d.fits(p); fit >= 0 && fit <= d.reach(c.step) {
			n--
		}
	}
	return n > 0
}

// seek finds an agent for a waiting call.
func (e *Engine) seek(c *call) {
	if c.phase != waiting || c.isPaused() {
		return
	}
	for o := e.backInFront(c); o != nil && e.wouldBeOffered(c); o = e.backInFront(c) {
		e.unseek(o)
		o.trigger = room
		e.seekAnyone(o)
	}
	if c.preferring() != nil && e.preferred(c) {
		return
	}
	if c.toAgent {
		e.unanswered(c) // the colleague went away, or the time is over
		return
	}
	e.seekAnyone(c)
}

// seekAnyone offers a call to the best agent who is free.
func (e *Engine) seekAnyone(c *call) {
	if e.free == 0 || e.full(c.queue) {
		return
	}
	if a, _ := e.bestAgent(c, nil); a != nil {
		a.ownRow = 0
		e.offerTo(c, a, Reason{Trigger: c.trigger})
	}
}

// bestAgent is the free agent who gets the call: of the earliest step, there
// regular before reserve, and then by the queue's policy. skip is left out.
func (e *Engine) bestAgent(c *call, skip *agent) (best *agent, step int) {
	d, levels := c.demand, asksLevels(c.queue.Choose)
	byIdle := c.queue.Choose == match.LongestIdle && len(c.queue.Reserve) == 0
	for step = 0; step <= d.reach(c.step); step++ {
		var top match.Candidate
		var topReserve bool
		looked := 0
		e.index.freeAt(d, step, func(slot int) bool {
			if byIdle && best != nil && e.index.idlest[slot] > top.IdleSince { // known without a look at the profile
				e.spend(2)
				looked++
				return looked < maxFreeLooked
			}
			e.spend(1)
			p := e.index.profiles[slot]
			reserve := c.queue.inReserve(p.team)
			if reserve && (best != nil && !topReserve || e.standsBy(c.queue, p.team)) {
				looked++
				return looked < maxFreeLooked
			}
			if levels && best != nil && topReserve == reserve && outdone(c.queue.Choose, d.levels(step, p), top.Levels) {
				looked++
				return looked < maxFreeLooked
			}
			p.free.Ascend(func(a *agent) bool {
				e.spend(1)
				if looked++; a == skip || !e.mayTake(c, a) || e.waitsToTake(a) || slices.Contains(e.picked, a) {
					return looked < maxFreeLooked
				}
				if k := e.candidate(c, a, step); best == nil || topReserve && !reserve || match.Compare(c.queue.Choose, k, top) < 0 {
					best, top, topReserve = a, k, reserve
				}
				// Within a profile the longest idle comes first, and only what
				// is measured of each agent can put another before her.
				return !match.Alike(c.queue.Choose) && looked < maxFreeLooked
			})
			return looked < maxFreeLooked
		})
		if best != nil {
			return best, step
		}
	}
	return nil, 0
}

func (e *Engine) candidate(c *call, a *agent, step int) match.Candidate {
	k := match.Candidate{ID: a.id, IdleSince: a.idleSince}
	switch c.queue.Choose {
	case match.MostSkilled, match.LeastSkilled:
		k.Levels, k.Held = c.demand.levels(step, a.profile), len(a.profile.skills)
	case match.LeastOccupied:
		k.Share = e.shareOf(a, c.queue)
	case match.RoundRobin:
		k.Offered = e.figure(c.queue.Name).lastOffer[a.id]
	case match.FewestCalls:
		k.Calls = e.callsOf(a, c.queue)
	}
	return k
}

// shareOf is the busy share over the queue's window, as measured when the
// agent last became Available.
func (e *Engine) shareOf(a *agent, q *Queue) int {
	for i, w := range e.windows {
		if w == q.ChooseWindow.Microseconds() && i < len(a.shares) {
			return a.shares[i]
		}
	}
	return 0
}
