package routing

import (
	"maps"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
)

// Reserve is a team that stands by until its queue is in trouble (routing
// document, section 8). It joins when any value of Join is reached, and leaves
// when all of Leave have held for a while.
type Reserve struct {
	Team  string
	Join  ReserveJoin
	Leave ReserveLeave
	Stay  time.Duration // at least this long
}

// ReserveJoin: 0 is not asked.
type ReserveJoin struct {
	Oldest, EWT time.Duration // at this or more
	Waiting     int           // calls, at this or more
	SLBelow     int           // service level in percent, under this
}

// ReserveLeave: nil is not asked.
type ReserveLeave struct {
	Waiting     int            // calls, at this or fewer
	Oldest, EWT *time.Duration // at this or less
	For         time.Duration  // how long all must have held
}

// Why a reserve joins, and that it leaves because things are quiet.
const (
	joinsOldest  = "oldest"
	joinsWaiting = "waiting"
	joinsEWT     = "ewt"
	joinsSL      = "sl_below"
	leavesQuiet  = "quiet"
)

// standby is one reserve of one queue, whatever the version.
type standby struct {
	Reserve
	queue  string
	joined bool
	since  int64 // joined
	quiet  int64 // since when all values of Leave hold, 0 while they do not
	// Its deadlines name it in the place of an agent, so that those of one
	// instant have an order.
	tJoin, tLeave timer
}

func newStandby(queue string, r Reserve) *standby {
	s := &standby{Reserve: r, queue: queue}
	name := &agent{id: agents.ID(queue + "/" + r.Team)}
	s.tJoin.agent, s.tLeave.agent = name, name
	return s
}

// reserves takes over the reserves of the live document. One that is in it no
// longer goes with the last call that waits by a document which had it.
func (e *Engine) reserves() {
	named := map[*standby]bool{}
	for name, q := range e.plan.Queues {
		for _, r := range q.Reserve {
			s := e.standbyOf(name, r.Team)
			if s == nil {
				s = newStandby(name, r)
				e.reserved[name] = append(e.reserved[name], s)
			}
			s.Reserve = r
			named[s] = true
		}
	}
	for _, p := range e.plans {
		if !p.standsBy() {
			continue
		}
		for _, d := range p.demands {
			for _, r := range d.queue.Reserve {
				if s := e.standbyOf(d.queue.Name, r.Team); s != nil {
					named[s] = true
				}
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(e.reserved)) {
		kept := e.reserved[name][:0]
		for _, s := range e.reserved[name] {
			if named[s] {
				kept = append(kept, s)
				continue
			}
			e.timers.disarm(&s.tJoin)
			e.timers.disarm(&s.tLeave)
		}
		e.reserved[name] = kept
		if len(kept) == 0 {
			delete(e.reserved, name)
		}
		if e.slice.over() {
			e.stir(name)
		} else {
			e.look(name)
		}
	}
}

// standsBy says that a queue of the version has a reserve.
func (p *plan) standsBy() bool {
	for _, q := range p.Queues {
		if len(q.Reserve) > 0 {
			return true
		}
	}
	return false
}

func (e *Engine) standbyOf(queue, team string) *standby {
	for _, s := range e.reserved[queue] {
		if s.Team == team {
			return s
		}
	}
	return nil
}

// inReserve says that the team is a reserve of the queue, joined or not.
func (q *Queue) inReserve(team string) bool {
	for i := range q.Reserve {
		if q.Reserve[i].Team == team {
			return true
		}
	}
	return false
}

// alongside says that the policy chooses between agents of both profiles who are
// free: both are regular, or both in a reserve that has joined.
func (q *Queue) alongside(a, b *profile) bool {
	return len(q.Reserve) == 0 || q.inReserve(a.team) == q.inReserve(b.team)
}

// standsBy says that the team is a reserve of the queue that has not joined it.
func (e *Engine) standsBy(q *Queue, team string) bool {
	if len(q.Reserve) == 0 || !q.inReserve(team) {
		return false
	}
	s := e.standbyOf(q.Name, team)
	return s != nil && !s.joined
}

// stir has the reserves of a queue asked once what has happened is told: a call
// has come or gone.
func (e *Engine) stir(queue string) {
	if len(e.reserved[queue]) > 0 && !slices.Contains(e.stirred, queue) {
		e.stirred = append(e.stirred, queue)
	}
}

// lookAtStirred asks them, as far as the slice goes: no decision begins before all
// have been asked.
func (e *Engine) lookAtStirred() {
	if len(e.stirred) == 0 {
		return
	}
	slices.Sort(e.stirred)
	done := 0
	for _, name := range e.stirred {
		if done > 0 && e.slice.over() {
			break
		}
		done++
		e.spend(indexUnits)
		e.look(name)
	}
	e.stirred = slices.Delete(e.stirred, 0, done)
}

// look asks the reserves of a queue once more: a call has come or gone, or a
// minute is full.
func (e *Engine) look(queue string) {
	for _, s := range e.reserved[queue] {
		if !s.joined {
			e.mayJoin(s)
		}
		if s.joined {
			e.mayLeave(s)
		}
	}
	e.armMinute(queue)
}

// unquiet is asked before a call comes or goes: what has held by mere time may
// hold no longer.
func (e *Engine) unquiet(queue string) {
	for _, s := range e.reserved[queue] {
		if s.joined && s.quiet != 0 && !e.calm(s) {
			s.quiet = 0
			e.timers.disarm(&s.tLeave)
		}
	}
}

func (e *Engine) mayJoin(s *standby) {
	if why := e.trouble(s); why != "" {
		e.joinQueue(s, why)
		return
	}
	e.timers.disarm(&s.tJoin)
	if c, ok := e.figure(s.queue).age.First(); ok && s.Join.Oldest > 0 {
		e.timers.arm(&s.tJoin, reserveDue, c.since+s.Join.Oldest.Microseconds())
	}
}

// trouble is the first value of Join that is reached, "" for none.
func (e *Engine) trouble(s *standby) string {
	f := e.figure(s.queue)
	if c, ok := f.age.First(); ok && s.Join.Oldest > 0 && e.now-c.since >= s.Join.Oldest.Microseconds() {
		return joinsOldest
	}
	if s.Join.Waiting > 0 && f.waiting >= s.Join.Waiting {
		return joinsWaiting
	}
	if s.Join.EWT > 0 {
		if seconds, known := e.expects(s.queue); known && time.Duration(seconds)*time.Second >= s.Join.EWT {
			return joinsEWT
		}
	}
	if s.Join.SLBelow > 0 && e.levelOf(s.queue) < s.Join.SLBelow {
		return joinsSL
	}
	return ""
}

// calm says that all values of Leave hold.
func (e *Engine) calm(s *standby) bool {
	f := e.figure(s.queue)
	if f.waiting > s.Leave.Waiting {
		return false
	}
	if c, ok := f.age.First(); ok && s.Leave.Oldest != nil && e.now-c.since > s.Leave.Oldest.Microseconds() {
		return false
	}
	if s.Leave.EWT != nil {
		seconds, known := e.expects(s.queue)
		if !known && f.waiting > 0 || known && time.Duration(seconds)*time.Second > *s.Leave.EWT {
			return false
		}
	}
	return true
}

func (e *Engine) joinQueue(s *standby, why string) {
	e.timers.disarm(&s.tJoin)
	s.joined, s.since, s.quiet = true, e.now, 0
	e.act(ReserveChanged{Queue: s.queue, Team: s.Team, Joined: true, Why: why, Since: instant(e.now)})
	e.wakeTeam(s.Team)
}

// wakeTeam lets the free agents of a team look for a call.
func (e *Engine) wakeTeam(team string) {
	e.wakeAll(*e.index.group(e.index.teams, team))
}

// mayLeave begins or ends the time for which things must be quiet.
func (e *Engine) mayLeave(s *standby) {
	if !e.calm(s) {
		s.quiet = 0
		e.timers.disarm(&s.tLeave)
		return
	}
	if s.quiet == 0 {
		s.quiet = e.now
	}
	e.timers.arm(&s.tLeave, reserveDue, max(s.quiet+s.Leave.For.Microseconds(), s.since+s.Stay.Microseconds(), e.now))
}

// reserveDue is the deadline of a reserve, or the full minute.
func (e *Engine) reserveDue(t *timer) {
	if t == &e.tMinute {
		for _, name := range slices.Sorted(maps.Keys(e.reserved)) {
			for _, s := range e.reserved[name] {
				if !s.joined && s.Join.SLBelow > 0 && e.levelOf(name) < s.Join.SLBelow {
					e.joinQueue(s, joinsSL)
					e.mayLeave(s)
				}
			}
			e.armMinute(name)
		}
		return
	}
	for _, list := range e.reserved {
		for _, s := range list {
			switch t {
			case &s.tJoin:
				e.look(s.queue)
				return
			case &s.tLeave:
				e.leaveQueue(s)
				return
			}
		}
	}
}

// leaveQueue ends a reserve's part: no new offers, a call in hand is finished.
// Trouble that lasts is looked at again when a call comes or goes.
func (e *Engine) leaveQueue(s *standby) {
	if !e.calm(s) {
		s.quiet = 0
		return
	}
	e.act(ReserveChanged{Queue: s.queue, Team: s.Team, Why: leavesQuiet, Since: instant(s.since), Quiet: instant(s.quiet)})
	s.joined, s.quiet = false, 0
	if e.trouble(s) == "" {
		e.mayJoin(s)
	}
	e.armMinute(s.queue)
}

// armMinute has the service level looked at when the next minute is full, as
// long as it can fall by mere time.
func (e *Engine) armMinute(queue string) {
	const minute = 60 * second
	if e.tMinute.armed() {
		return
	}
	for _, s := range e.reserved[queue] {
		if !s.joined && s.Join.SLBelow > 0 && (e.figure(queue).waiting > 0 || e.levelOf(queue) < 100) {
			e.timers.arm(&e.tMinute, reserveDue, (e.now/minute+1)*minute)
			return
		}
	}
}

// levelOf is the service level of a queue in percent, as queue.sl has it.
func (e *Engine) levelOf(queue string) int { return e.serviceLevel(queue, nil, e.now) }

// expects is the wait that a queue expects for the last in its line, as
// queue.ewt has it.
func (e *Engine) expects(name string) (seconds int, known bool) {
	staffed := 0
	if q := e.plan.Queues[name]; q != nil {
		staffed, _ = e.fitting(e.plan, q)
	}
	x := e.expectedIn(e.figure(name), staffed, e.now)
	return x.Seconds, x.Known
}
