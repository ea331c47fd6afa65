package routing

import "github.com/cordboard/cordboard/routing/queue"

const (
	// maxRises is how many calls one look moves to the ceiling, within the slice;
	// no decision begins before all that have reached it are there.
	maxRises = 256
	// ceilingTurn is the turn of every call at the ceiling: before all others,
	// and among themselves by when their waiting began.
	ceilingTurn = -1 << 60
)

// keyOf is a call's place in the one order, and when its points and age come
// to the ceiling of its version: 0 for never.
func (e *Engine) keyOf(c *call) (k queue.Key, peak int64) {
	p := c.plan
	k = queue.NewKey(c.since, c.priority(), p.MilliPoints, int64(c.id))
	switch {
	case p.MilliPoints == 0: // strict priority knows no age
	case p.ByDue:
		k.Turn += c.queue.AnswerWithin.Microseconds()
	case p.Ceiling > 0:
		peak = k.Turn + int64(p.Ceiling)*1e9/p.MilliPoints
		if peak <= e.now {
			k.Turn = ceilingTurn
		}
	}
	return k, peak
}

// turn is the call's own turn, also at the ceiling.
func (c *call) turn() int64 {
	if c.key.Turn == ceilingTurn {
		return c.peak - int64(c.plan.Ceiling)*1e9/c.plan.MilliPoints
	}
	return c.key.Turn
}

// risesBy orders calls by when they reach the ceiling.
func (c *call) risesBy() queue.Key { return queue.Key{Turn: c.peak, Since: c.since, ID: int64(c.id)} }

// climb notes a placed call that has yet to reach the ceiling.
func (e *Engine) climb(c *call) {
	if c.peak != 0 && c.key.Turn != ceilingTurn {
		e.spend(indexUnits)
		e.rising.Put(c.risesBy(), c)
	}
}

func (e *Engine) unclimb(c *call) {
	if c.peak != 0 && c.key.Turn != ceilingTurn {
		e.spend(indexUnits)
		e.rising.Delete(c.risesBy())
	}
}

// rises says that calls have reached the ceiling which still stand below it.
func (e *Engine) rises() bool {
	c, ok := e.rising.First()
	return ok && c.peak <= e.now
}

// rise moves the calls that have reached the ceiling, each once. It says false
// when it leaves some for the next Step.
func (e *Engine) rise() bool {
	for n := range maxRises {
		if !e.rises() {
			return true
		}
		if n > 0 && e.slice.over() {
			return false
		}
		c, _ := e.rising.First()
		e.unplace(c)
		e.rekey(c)
		e.place(c)
	}
	return !e.rises()
}
