package screenpop

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// errLookup is a look-up that ended in a panic; what it said may hold personal
// data and is not kept.
var errLookup = errors.New("screenpop: look-up panicked")

// maxJobs look-ups wait for a slot; what comes on top counts as failed at once.
const maxJobs = 10_000

// resolve begins the look-up of a call's customer, once a call.
func (h *Hub) resolve(c *card) {
	if c.asked {
		return
	}
	c.asked = true
	if c.new.Lookup == "" {
		h.resolved(c, customer.Match{}, nil)
		return
	}
	if len(h.jobs) >= maxJobs {
		h.resolved(c, customer.Match{}, context.DeadlineExceeded)
		return
	}
	c.expiry = time.AfterFunc(h.opt.LookupTimeout, func() {
		h.post(func() { h.resolved(c, customer.Match{}, context.DeadlineExceeded) })
	})
	h.jobs = append(h.jobs, job{card: c})
	h.startJobs()
}

// job is a look-up that waits for its slot.
type job struct {
	card *card
	ask  int    // of the number that was keyed in; 0: by the telephone number
	id   string // that number
	// again: the card's customer, by id, is read once more.
	again bool
}

// over says that nobody waits for the outcome any more: it took too long, the caller
// has gone, or is known by what he has keyed in.
func (j job) over() bool {
	c := j.card
	if j.again {
		return false // who wraps a call up has it in hand still
	}
	return !c.endedAt.IsZero() || j.ask == 0 && c.told || j.ask != 0 && c.asking != j.ask
}

// startJobs gives free slots to waiting look-ups, oldest first.
func (h *Hub) startJobs() {
	for h.busy < h.opt.Lookups && len(h.jobs) > 0 {
		j := h.jobs[0]
		h.jobs[0] = job{}
		h.jobs = h.jobs[1:]
		if j.over() {
			continue
		}
		h.busy++
		if j.again {
			j.card.renewing = false
		}
		number := j.card.new.Lookup
		// A source that does not heed its context keeps the slot, not the call:
		// expiry answers for it.
		h.wg.Go(func() {
			m, err := h.find(j, number)
			h.post(func() {
				h.busy--
				switch {
				case j.again:
					h.renewed(j.card, m, err)
				case j.ask != 0:
					h.entered(j, m, err)
				default:
					h.resolved(j.card, m, err)
				}
				h.startJobs()
			})
		})
	}
}

// find asks the finder, by telephone number or by what was keyed in.
func (h *Hub) find(j job, e164 string) (m customer.Match, err error) {
	defer func() {
		if r := recover(); r != nil {
			h.log.Error("look-up panicked", zap.ByteString("stack", debug.Stack()))
			m, err = customer.Match{}, errLookup
		}
	}()
	ctx, cancel := context.WithTimeout(h.ctx, h.opt.LookupTimeout)
	defer cancel()
	if j.ask != 0 || j.again {
		return h.opt.ByID(ctx, j.id)
	}
	return h.opt.Finder.Find(ctx, e164)
}

// resolved puts the outcome on the card, tells routing, and brings the desks
// that have the call in hand up to date. Only the first outcome counts.
func (h *Hub) resolved(c *card, m customer.Match, err error) {
	if c.told {
		return
	}
	c.told = true
	if c.expiry != nil {
		c.expiry.Stop()
	}
	now := h.now()
	c.found(m, err, now)
	if err != nil {
		h.lookupFailed(c, err)
	}
	h.opt.Observe(c.new.Call, "resolved", "", 0, now, map[string]any{
		"match": c.match, "stale": c.stale, "ms": float64(now.Sub(c.new.At).Microseconds()) / 1000,
	})
	h.opt.Resolved(c.new.Call, m)
	h.askBeside(c)
	h.fetchAhead(c)
	for _, l := range c.legs {
		h.fetchAnswers(c, l)
		if !h.popHeld(c, l) {
			h.patchLeg(c, l)
		}
	}
	h.knownToQuestions(c)
	h.renewIfChanged(c)
}

// failing counts look-ups that fail one after the other, as all do while the
// database is away: a line for each call would bury all else in the log.
type failing struct {
	calls int         // since the last line
	timer *time.Timer // until the next one; nil: the next failure is told at once
}

// failingEvery is the time between two lines about look-ups that fail.
const failingEvery = time.Minute

// lookupFailed tells of the first failure at once, with its call, and of those
// that follow by their number.
func (h *Hub) lookupFailed(c *card, err error) {
	f := &h.failing
	if f.timer != nil {
		f.calls++
		return
	}
	h.log.Warn("look-up failed", zap.Int64("call", int64(c.new.Call)), zap.Error(plain(err)))
	f.timer = time.AfterFunc(failingEvery, func() { h.post(h.moreFailed) })
}

// moreFailed tells how many look-ups have failed since the last line. Without
// any the next failure is the first again.
func (h *Hub) moreFailed() {
	f := &h.failing
	if f.calls == 0 {
		f.timer = nil
		return
	}
	h.log.Warn("look-ups go on failing", zap.Int("calls", f.calls), zap.Duration("within", failingEvery))
	f.calls = 0
	f.timer.Reset(failingEvery)
}

// plain keeps a source's own words, which may hold a number, out of the log.
func plain(err error) error {
	for _, known := range []error{context.DeadlineExceeded, context.Canceled, errLookup} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("source error")
}
