package routing

import (
	"sort"

	"github.com/cordboard/cordboard/routing/queue"
)

// Bounds of the expected wait (10).
const (
	keptStarts   = 50
	startsFor    = 15 * 60 * 1e6 // microseconds
	keptScores   = 200
	unknownServe = 180 // seconds a call is taken to last before any was served
)

// Methods of an expected wait.
const (
	ByQueueLength = "ql"    // the place in line over the calls served a second
	ByHeadOfLine  = "hol"   // the age of the first in line
	ByGuess       = "guess" // no call was served yet
)

// Expected is how long a call will wait, as far as that is known.
type Expected struct {
	Seconds int    // 0 when not known
	Known   bool   // false while nobody who fits is signed in
	Method  string // ByQueueLength, ByHeadOfLine, ByGuess; "" when not known
}

// pace is how fast a queue's calls are served, and how well each estimate of
// the wait has done so far.
type pace struct {
	starts []int64 // the last calls served, oldest first from next on
	next   int
	errors [][2]int32 // of both estimates, in seconds
	at     int
	sum    [2]int64
	real   spread // of queues that tell their callers of the wait
}

// estimates are both of one call's, in seconds; ql is -1 when not known. best is
// what callers of its queue are told by, 0 where they are told nothing.
type estimates struct{ ql, hol, best int32 }

// unlike are those of a place that waits, or waited, without a line: how long it
// does says nothing of what callers wait.
func unlike() estimates { return estimates{ql: -1} }

// started notes that a call was served now: what it was expected to wait, and
// what it waited in this queue, in seconds.
func (p *pace) started(now int64, guess estimates, waited int64) {
	if len(p.starts) < keptStarts {
		p.starts = append(p.starts, now)
	} else {
		p.starts[p.next] = now
		p.next = (p.next + 1) % keptStarts
	}
	p.real.note(waited, guess.best)
	if guess.ql < 0 {
		return // the two can be compared only where both had their say
	}
	missed := [2]int32{distance(waited, guess.ql), distance(waited, guess.hol)}
	if len(p.errors) < keptScores {
		p.errors = append(p.errors, missed)
	} else {
		for i, old := range p.errors[p.at] {
			p.sum[i] -= int64(old)
		}
		p.errors[p.at] = missed
		p.at = (p.at + 1) % keptScores
	}
	for i, m := range missed {
		p.sum[i] += int64(m)
	}
}

func distance(waited int64, guess int32) int32 {
	d := waited - int64(guess)
	return int32(min(max(d, -d), 1<<30))
}

// rate is how many calls were served since the first of the last ones, and how
// long ago that was; of none when fewer than two were in the last quarter of an
// hour.
func (p *pace) rate(now int64) (calls, over int64) {
	for i := range p.starts {
		at := p.starts[(p.next+i)%len(p.starts)]
		if now-at <= startsFor {
			return int64(len(p.starts) - i - 1), now - at
		}
	}
	return 0, 0
}

// byLength is the place in line over the calls served a second.
func (p *pace) byLength(now int64, position int) (seconds int, ok bool) {
	calls, over := p.rate(now)
	if calls == 0 {
		return 0, false
	}
	return int(int64(position) * over / calls / 1e6), true
}

// lengthIsBetter says that the estimate by length has been nearer to the truth.
func (p *pace) lengthIsBetter() bool { return p.sum[0] < p.sum[1] }

// lined says where a call stands in its queue's line.
type lined uint8

const (
	notLined lined = iota
	inLine
	inLineFront // it came back: before all others
)

// line puts a waiting call into the order in which its queue is served. Its key
// changes only while it is out of it.
func (e *Engine) line(c *call) {
	if c.demand == nil || c.isPaused() && !c.callback.dialling {
		return
	}
	to := inLine
	if c.front {
		to = inLineFront
	}
	if to == c.lined {
		return
	}
	e.unline(c)
	e.spend(indexUnits)
	c.lined = to
	f := e.figure(c.queue.Name)
	f.line.Put(c.lineKey(), c)
	if c.isAway() {
		f.lineless.Put(c.lineKey(), c)
	}
	e.followLine(c, true)
}

func (e *Engine) unline(c *call) {
	if c.lined != notLined {
		e.spend(indexUnits)
		e.followLine(c, false)
		f := e.figure(c.queue.Name)
		f.line.Delete(c.lineKey())
		if c.callback != nil { // it may have lost its line while it stood here
			f.lineless.Delete(c.lineKey())
		}
		c.lined = notLined
	}
}

// lineKey orders the calls of one queue as they are served: those that came
// back before all others.
func (c *call) lineKey() queue.Key {
	k := c.key
	if c.lined == inLineFront {
		k.Turn -= 1 << 61
	}
	return k
}

// position is the place of a waiting call among those of its queue, from 1.
func (e *Engine) position(c *call) int {
	return e.figure(c.queue.Name).line.Rank(c.lineKey()) + 1
}

// expected is how long a waiting call will wait from an instant on.
func (e *Engine) expected(c *call, now int64) Expected {
	f, position := e.figure(c.queue.Name), e.position(c)
	count := 1 // that there is anybody
	if len(f.pace.starts) == 0 {
		count = position*unknownServe + 1 // with more it is no second either
	}
	return f.expected(now, position, e.staffFor(c, count))
}

// staffFor is how many who are signed in fit the steps that a call has reached,
// counted as far as that matters: each Step asks, and they may be a hundred
// thousand.
func (e *Engine) staffFor(c *call, most int) (staffed int) {
	for step := 0; step <= c.demand.reach(c.step) && staffed < most; step++ {
		staffed += e.index.people(c.demand, step, most-staffed)
	}
	return staffed
}

// expected is how long whoever has a place in line waits, with so many who fit
// signed in.
func (f *figure) expected(now int64, position, staffed int) Expected {
	switch {
	case staffed == 0:
		return Expected{}
	case len(f.pace.starts) == 0:
		return Expected{position * unknownServe / staffed, true, ByGuess}
	}
	if f.pace.lengthIsBetter() {
		if s, ok := f.pace.byLength(now, position); ok {
			return Expected{s, true, ByQueueLength}
		}
	}
	return Expected{f.headOfLine(now), true, ByHeadOfLine}
}

// headOfLine is the age of the first in line who waits on it: a place without a
// line may be days old, and there may be ten thousand of them.
func (f *figure) headOfLine(now int64) (seconds int) {
	places := sort.Search(f.lineless.Len(), func(n int) bool {
		c, _ := f.lineless.At(n)
		return f.line.Rank(c.lineKey()) > n
	})
	if c, some := f.line.At(places); some {
		seconds = int((now - c.since) / 1e6)
	}
	return seconds
}

// expectedIn is the expected wait of the last in a queue's line; nobody in line
// waits for nothing.
func (e *Engine) expectedIn(f *figure, staffed int, now int64) Expected {
	if last, ok := f.line.Last(); ok {
		return e.expected(last, now)
	}
	return Expected{Known: staffed > 0}
}

// guess notes what both estimates say as a call enters its queue.
func (e *Engine) guess(c *call) {
	f := e.figure(c.queue.Name)
	c.guessed = estimates{ql: -1, hol: int32(min(f.headOfLine(e.now), 1<<30))}
	if s, ok := f.pace.byLength(e.now, e.position(c)); ok {
		c.guessed.ql = int32(min(s, 1<<30))
	}
	if c.queue.Announce.tells(SayWait) {
		c.guessed.best = int32(min(e.expected(c, e.now).Seconds, 1<<30))
	}
}
