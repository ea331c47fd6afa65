package routing

import (
	"slices"
	"strings"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/queue"
)

// maxWoken is how many agents a flip wakes one by one. More are found by going
// through those signed in, by id, while settling.
const maxWoken = 256

// vacancy is the time in which no one who is signed in fits any step of a
// demand.
type vacancy struct {
	timer       // of all calls that stood there when it began
	since int64 // when it began
	round int   // counts the vacancies; odd while one lasts
	done  int64 // the last call, by number, that was treated for it
}

// wake is the free agents whom a vacancy, or a reserve that joins, has opened
// calls to, when they are many.
type wake struct {
	at       int64
	step     int64
	profiles bitset
	after    agents.ID // those up to here have been woken
}

// inRoster finds the place of an agent among those signed in.
func (e *Engine) inRoster(id agents.ID) (int, bool) {
	return slices.BinarySearchFunc(e.roster, id, func(a *agent, id agents.ID) int { return strings.Compare(string(a.id), string(id)) })
}

func (e *Engine) idleIn(a *agent) {
	p := a.profile
	p.free.Put(a.idle(), a)
	e.index.free.put(p.slot)
	e.index.rankIdle(p)
}

func (e *Engine) idleOut(a *agent) {
	p := a.profile
	p.free.Delete(a.idle())
	e.index.rankIdle(p)
	if p.free.Len() == 0 {
		e.index.free.drop(p.slot)
	}
}

// rankIdle notes since when the longest idle agent of a profile has been. Too
// early an instant costs a look; too late a one would pass her over.
func (x *index) rankIdle(p *profile) {
	if first, ok := p.free.FirstKey(); ok {
		x.idlest[p.slot] = first.since
	}
}

// muster works out who is there for a demand for which no call waits: from then
// on its figures are kept.
func (e *Engine) muster(d *demand) {
	if e.index.watched.has(d.slot) {
		return
	}
	d.ready()
	for i, s := range d.steps {
		d.staff[i] = s.countBoth(e.index.signed)
	}
	d.lower()
	if d.staffed() == (d.vacancy.round%2 == 1) {
		d.vacancy.round++
		d.vacancy.since = e.now
	}
}

// await and unawait count a call in and out of those that its demand waits for.
func (e *Engine) await(c *call) {
	e.index.watched.put(c.demand.slot)
	c.demand.calls++
	if c.queue.Nobody != nil {
		c.demand.waiting.Put(queue.Key{ID: int64(c.id)}, c)
	}
}

func (e *Engine) unawait(c *call, d *demand) {
	d.calls--
	d.waiting.Delete(queue.Key{ID: int64(c.id)})
	if d.calls == 0 {
		e.index.watched.drop(d.slot)
		e.timers.disarm(&d.vacancy.timer)
	}
}

// staff counts an agent in or out. When a profile has its first agent, or no
// longer one, this changes who is there for the demands that it fits: a vacancy
// that begins wakes the free agents of the steps that open; calls stay where
// they are.
func (e *Engine) staff(a *agent, n int) {
	p := a.profile
	before := p.signed
	p.signed += n
	switch {
	case before == 0:
		e.index.signed.put(p.slot)
	case p.signed == 0:
		e.index.signed.drop(p.slot)
	}
	if (before == 0) != (p.signed == 0) {
		e.index.among(p, e.index.watched, func(d *demand) {
			floor := d.floor
			d.staff[d.fits(p)] += n
			d.lower()
			e.spend(2)
			if d.floor != floor {
				e.flip(d, floor)
			}
		})
	}
	if e.passed > 0 && (n < 0 || before == 0) {
		e.wakePassed(p, n)
	}
}

// wakePassed has calls that were passed on seek again when their sender may now
// be the only one who fits, or is no longer and they hold for nobody else.
func (e *Engine) wakePassed(p *profile, n int) {
	e.index.among(p, e.index.watched, func(d *demand) {
		sum := 0
		for _, n := range d.staff[:d.fits(p)+1] {
			sum += n
		}
		if d.passed.Len() == 0 || n < 0 && sum > 1 {
			return
		}
		d.passed.Ascend(func(c *call) bool {
			e.spend(1)
			if n < 0 || c.spot == inHold {
				e.markSeeking(c, "agent_left")
			}
			return true
		})
	})
}

// flip follows a demand whose first step with staff was another before.
func (e *Engine) flip(d *demand, before int) {
	e.wake(d, before)
	if d.floor < before {
		e.rehold(d)
	}
	switch {
	case d.staffed() && d.vacancy.round%2 == 1:
		d.vacancy.round++
		e.timers.disarm(&d.vacancy.timer)
	case !d.staffed():
		d.vacancy.round++
		d.vacancy.since, d.vacancy.done = e.now, 0
		if n := d.queue.Nobody; n != nil {
			e.armVacancy(d)
		}
	}
}

// rehold has calls that hold seek again when a stricter step applies, which
// those they hold for may not fit.
func (e *Engine) rehold(d *demand) {
	d.holding.Ascend(func(c *call) bool {
		e.spend(1)
		e.markSeeking(c, "hold_ended")
		return true
	})
}

// wake marks the free agents of the steps that open.
func (e *Engine) wake(d *demand, before int) {
	var profiles bitset
	for step := before + 1; step < len(d.reqs) && step <= d.floor; step++ {
		e.index.freeAt(d, step, func(slot int) bool { profiles.put(slot); return true })
	}
	e.wakeAll(profiles)
}

// wakeAll marks the free agents of some profiles: at once while they are few.
func (e *Engine) wakeAll(profiles bitset) {
	people, free := 0, bitset(nil)
	profiles.both(e.index.free, func(slot int) bool {
		people += e.index.profiles[slot].free.Len()
		free.put(slot)
		e.spend(1)
		return true
	})
	if people > maxWoken {
		e.wakes = append(e.wakes, &wake{at: e.now, step: e.steps, profiles: free})
		return
	}
	free.both(e.index.free, func(slot int) bool {
		e.index.profiles[slot].free.Ascend(func(a *agent) bool { e.markFree(a); return true })
		return true
	})
}

// woken marks the agents whom a wake reaches next, as far as they come before
// those who are marked already.
func (e *Engine) woken() {
	for len(e.wakes) > 0 && !e.slice.over() {
		w := e.wakes[0]
		if e.freed.len() > 0 {
			if top := e.freed.items[0]; top.freed.at < w.at || top.freed.at == w.at && top.id <= w.after {
				return
			}
		}
		i, found := e.inRoster(w.after)
		if found {
			i++
		}
		for ; i < len(e.roster) && !w.has(e.roster[i]); i++ {
			e.spend(1)
		}
		if i == len(e.roster) {
			e.wakes[0] = nil
			e.wakes = e.wakes[1:]
			continue
		}
		w.after = e.roster[i].id
		e.markFreeSince(e.roster[i], w.at, w.step)
	}
}

func (w *wake) has(a *agent) bool {
	return a.state == agents.Available && w.profiles.has(a.profile.slot)
}

// armNobody sets the deadline of "nobody here" for a call that comes while no
// one who is signed in fits any step. Those that stand there when it begins to
// be so share the demand's.
func (e *Engine) armNobody(c *call) {
	if n := c.queue.Nobody; n != nil && !c.demand.staffed() && !c.marked(nobodyMark+c.queue.Name) {
		c.alone = c.demand.vacancy.round
		e.arm(c, nobodyDue, e.now+n.After.Microseconds())
	}
}

// aloneSince is since when no one has been there for the call, 0 for never.
func (c *call) aloneSince() int64 {
	switch d := c.demand; {
	case c.queue.Nobody == nil || d == nil || d.staffed():
		return 0
	case c.alone != d.vacancy.round:
		return d.vacancy.since
	case c.deadline(nobodyDue).armed():
		return c.deadline(nobodyDue).due - c.queue.Nobody.After.Microseconds()
	}
	return 0
}

// armVacancy sets the deadline of the calls that stood in the demand when the
// vacancy began: it stands in the order of deadlines for the first of them.
func (e *Engine) armVacancy(d *demand) {
	v := &d.vacancy
	var next *call
	d.waiting.From(queue.Key{ID: v.done + 1}, func(c *call) bool {
		e.spend(1)
		v.done = int64(c.id)
		if c.alone != v.round && !c.marked(nobodyMark+c.queue.Name) {
			next = c
		}
		return next == nil
	})
	v.demand, v.call = d, next
	if next != nil {
		e.timers.arm(&v.timer, nobodyDue, v.since+d.queue.Nobody.After.Microseconds())
	}
}

// nobodyHere: no one has been there for so long without a break.
func (e *Engine) nobodyHere(t *timer) {
	c := t.call
	if d := t.demand; d != nil {
		if c.demand == d && c.alone != d.vacancy.round && !c.marked(nobodyMark+c.queue.Name) { // marked since: called back
			e.treatWhenFree(c, "nobody", c.queue.Nobody.Then)
		}
		if d.calls > 0 && !d.staffed() {
			e.armVacancy(d)
		}
		return
	}
	if d := c.demand; d != nil && !d.staffed() && c.alone == d.vacancy.round {
		e.treatWhenFree(c, "nobody", c.queue.Nobody.Then)
	}
}
