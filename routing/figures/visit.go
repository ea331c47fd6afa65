package figures

import "time"

// State is what became of a visit.
type State uint8

// The states of a visit. Exactly one of them holds, which is why a day's
// offered calls are always the sum of the others.
const (
	Waiting    State = iota
	Answered         // an agent talked to the caller
	Abandoned        // the caller gave up
	MovedOn          // another queue took the call over
	Treated          // closed, full, late or nobody was its end
	Failed           // we could not go on with it
	CalledBack       // the caller took a callback, whatever came of it
)

// Visit is one call in one queue. A call that comes back to a queue continues
// the visit it began there: it is offered once per queue. Instants are
// microseconds since 1970.
type Visit struct {
	Queue   string
	Since   int64 // when its waiting began: T and the wait count from here
	Entered int64 // when it came to the queue first
	Ended   int64 // when its state was reached; 0 while it waits
	State   State
	back    back  // what became of the callback
	attempt int64 // the offer that was answered
	promise int64 // T as the call was promised it; 0 for DefaultWithin
}

// back is what became of a callback.
type back uint8

const (
	backOwed back = iota
	backDone      // an agent talked to the customer, or the customer rang in again
	backLost      // neither, and the call is over
)

// Call folds what happens to one call into its visits. The zero Call is one
// that has entered no queue.
type Call struct {
	Visits []Visit
	on     int   // the visit that goes on, counted from 1; 0 for none
	left   int64 // since when it is being sent elsewhere
	names  map[string]string
}

// Rename counts the call's visits, those to come too, under the names that
// queues have now: by the name they had.
func (c *Call) Rename(names map[string]string) {
	c.names = names
	for i := range c.Visits {
		c.Visits[i].Queue = c.named(c.Visits[i].Queue)
	}
}

func (c *Call) named(queue string) string {
	if now, renamed := c.names[queue]; renamed {
		return now
	}
	return queue
}

// Enter says that the call has come to a queue, or would have if it were not
// closed or full. A visit elsewhere that goes on has moved on.
func (c *Call) Enter(queue string, at, since int64) {
	queue = c.named(queue)
	if v := c.current(); v != nil && v.State == Waiting {
		if v.Queue == queue {
			c.left = 0
			return
		}
		v.State, v.Ended = MovedOn, at
		if c.left != 0 {
			v.Ended = c.left
		}
	}
	c.left = 0
	for i := range c.Visits {
		if v := &c.Visits[i]; v.Queue == queue {
			c.on = i + 1
			if v.State != Answered && v.State != CalledBack { // once answered there, always answered there
				v.State, v.Ended, v.Since = Waiting, 0, since
			}
			return
		}
	}
	c.Visits = append(c.Visits, Visit{Queue: queue, Since: since, Entered: at})
	c.on = len(c.Visits)
}

// Promise says what T the queue has that the call waits in: it counts once the
// document has no such queue. 0 is DefaultWithin.
func (c *Call) Promise(within time.Duration) {
	if v := c.current(); v != nil && v.State == Waiting {
		v.promise = within.Microseconds()
	}
}

func (v *Visit) promised() time.Duration {
	if v.promise == 0 {
		return DefaultWithin
	}
	return time.Duration(v.promise) * time.Microsecond
}

// Leave says that the queue sends the call elsewhere from now on, though an
// announcement may play first.
func (c *Call) Leave(at int64) {
	if c.left == 0 {
		c.left = at
	}
}

// Answer says that an agent's phone was picked up for the offer.
func (c *Call) Answer(at, attempt int64) {
	c.settleBack(backDone, attempt)
	if v := c.current(); v != nil && v.State == Waiting {
		v.State, v.Ended, v.attempt = Answered, at, attempt
	}
}

// settleBack says what became of a callback that is owed.
func (c *Call) settleBack(to back, attempt int64) {
	for i := range c.Visits {
		if v := &c.Visits[i]; v.State == CalledBack && v.back == backOwed {
			v.back, v.attempt = to, attempt
		}
	}
}

// TakeOver says that the customer of a callback has rung in again.
func (c *Call) TakeOver() { c.settleBack(backDone, 0) }

// Owed says that the caller is to be called back still.
func (v *Visit) Owed() bool { return v.State == CalledBack && v.back == backOwed }

// Unanswer takes it back: the legs could not be joined, or the caller was gone
// before.
func (c *Call) Unanswer(attempt int64) {
	for i := range c.Visits {
		if v := &c.Visits[i]; v.back == backDone && v.attempt == attempt {
			v.back, v.attempt = backOwed, 0
		}
	}
	if v := c.current(); v != nil && v.State == Answered && v.attempt == attempt {
		v.State, v.Ended, v.attempt = Waiting, 0, 0
	}
}

// CallBack says that the caller will be called back, and has left the line.
func (c *Call) CallBack(at int64) {
	v := c.current()
	if v == nil || v.State != Waiting {
		return
	}
	v.State, v.Ended = CalledBack, at
	if c.left != 0 {
		v.Ended = c.left
	}
	c.left = 0
}

// End says how a visit that goes on has ended with the call.
func (c *Call) End(at int64, how State) {
	c.settleBack(backLost, 0)
	v := c.current()
	if v == nil || v.State != Waiting {
		return
	}
	v.State, v.Ended = how, at
	if how == Treated && c.left != 0 {
		v.Ended = c.left
	}
}

func (c *Call) current() *Visit {
	if c.on == 0 {
		return nil
	}
	return &c.Visits[c.on-1]
}

// Whole is the call as the centre sees it: offered once, whatever the number of
// its queues, answered when any of them answered it, else what became of it
// last. False when it entered no queue.
func (c *Call) Whole() (Visit, bool) {
	v := c.current()
	if v == nil {
		return Visit{}, false
	}
	for i := range c.Visits {
		if o := &c.Visits[i]; o.State == Answered && (v.State != Answered || o.Ended < v.Ended) {
			v = o
		}
	}
	whole := *v
	for i := range c.Visits {
		whole.Entered = min(whole.Entered, c.Visits[i].Entered)
	}
	return whole, true
}

// Counts are visits, counted. Decided is N of the formulas: a visit counts
// there with its answer, its abandon or the end of T, but not with a short
// abandon.
type Counts struct {
	Offered, Answered, Abandoned, MovedOn, Treated, Failed, Waiting, CalledBack int

	// Of CalledBack: done, an agent talked to the customer or the customer rang in
	// again; lost, the callback is over and nobody did. The others are owed.
	BackDone, BackLost int

	InTime      int // of Answered: within T
	GaveUp      int // of Abandoned: within T, short ones left out
	Short       int // of Abandoned: sooner than short_abandon
	ShortInTime int // of Short: within T
	Decided     int

	Wait int64 // of Answered: microseconds waited, summed
}

// One is the Counts of one visit, packed: each but Wait is 0 or 1.
type One struct {
	wait  int64
	flags uint16
}

// One packs the counts of one visit.
func (c Counts) One() One {
	out := One{wait: c.Wait}
	for i, n := range c.each() {
		if *n != 0 {
			out.flags |= 1 << i
		}
	}
	return out
}

// Counts unpacks.
func (o One) Counts() Counts {
	c := Counts{Wait: o.wait}
	for i, n := range c.each() {
		*n = int(o.flags >> i & 1)
	}
	return c
}

func (c *Counts) each() []*int {
	return []*int{
		&c.Offered, &c.Answered, &c.Abandoned, &c.MovedOn, &c.Treated, &c.Failed, &c.Waiting, &c.InTime, &c.GaveUp, &c.Short, &c.ShortInTime, &c.Decided, &c.CalledBack,
		&c.BackDone, &c.BackLost,
	}
}

// Add adds other counts, times so many.
func (c *Counts) Add(o Counts, times int) {
	c.Offered += times * o.Offered
	c.Answered += times * o.Answered
	c.Abandoned += times * o.Abandoned
	c.MovedOn += times * o.MovedOn
	c.Treated += times * o.Treated
	c.Failed += times * o.Failed
	c.Waiting += times * o.Waiting
	c.CalledBack += times * o.CalledBack
	c.BackDone += times * o.BackDone
	c.BackLost += times * o.BackLost
	c.InTime += times * o.InTime
	c.GaveUp += times * o.GaveUp
	c.Short += times * o.Short
	c.ShortInTime += times * o.ShortInTime
	c.Decided += times * o.Decided
	c.Wait += int64(times) * o.Wait
}

// Count says what a visit counts as at an instant, and into which instant it
// counts. within is T, the queue's answer_within; 0 when the document has no
// such queue any more, and T is what the call was promised there.
func (r *Rules) Count(v *Visit, within time.Duration, now int64) (at int64, c Counts) {
	if within == 0 {
		within = v.promised()
	}
	due := max(v.Entered, v.Since+within.Microseconds()) // T is over
	c.Offered = 1
	at = min(v.Ended, due)
	late := v.Ended > due
	waited := v.Ended - v.Since
	switch v.State {
	case Waiting:
		c.Waiting = 1
		at, late = min(now, due), now > due
	case Answered:
		c.Answered, c.Wait, c.Decided = 1, waited, 1
		if waited <= within.Microseconds() {
			c.InTime, at = 1, v.Ended
		}
	case Abandoned:
		c.Abandoned = 1
		inTime := waited <= within.Microseconds()
		switch {
		case waited < r.Short.Microseconds():
			c.Short, late = 1, false
			if inTime {
				c.ShortInTime = 1
			}
		case inTime:
			c.GaveUp, c.Decided, at = 1, 1, v.Ended
		default:
			late = true
		}
	case MovedOn:
		c.MovedOn = 1
	case Treated:
		c.Treated = 1
	case Failed:
		c.Failed = 1
	case CalledBack:
		c.CalledBack = 1
		switch v.back {
		case backDone:
			c.BackDone = 1
		case backLost:
			c.BackLost = 1
		}
	}
	if late {
		c.Decided = 1
	}
	if r.ByArrival {
		at = v.Entered
	}
	return at, c
}
