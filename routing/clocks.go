package routing

// A call has a deadline of each kind at most, and one of its offer. Most calls
// that wait have one or two in all, so they are kept as a list.

// deadline is the call's of a kind, nil for none.
func (c *call) deadline(kind timerKind) *timer {
	t := c.timers
	for t != nil && t.kind != kind {
		t = t.next
	}
	return t
}

// arm sets or moves a deadline of a call.
func (e *Engine) arm(c *call, kind timerKind, due int64) {
	t := c.deadline(kind)
	if t == nil {
		t = &timer{call: c, next: c.timers}
		c.timers = t
	}
	e.timers.arm(t, kind, due)
}

// disarm takes deadlines of a call out, those that are in.
func (e *Engine) disarm(c *call, kinds ...timerKind) {
	for _, kind := range kinds {
		if t := c.deadline(kind); t != nil {
			e.timers.disarm(t)
			c.drop(t)
		}
	}
}

func (e *Engine) disarmAll(c *call) {
	for ; c.timers != nil; c.timers = c.timers.next {
		e.timers.disarm(c.timers)
	}
}

// drop forgets a deadline that has passed, if it is one of the call's list.
func (c *call) drop(t *timer) {
	for at := &c.timers; *at != nil; at = &(*at).next {
		if *at == t {
			*at, t.next = t.next, nil
			return
		}
	}
}

// offerDeadline is that of the offer that the call looks at: of its pop, its
// lead or its ringing.
func (c *call) offerDeadline() *timer {
	t := c.timers
	for t != nil && !t.kind.isOffer() {
		t = t.next
	}
	return t
}

func (e *Engine) armOffer(c *call, kind timerKind, due int64) {
	if t := c.offerDeadline(); t != nil {
		e.timers.arm(t, kind, due)
		return
	}
	e.arm(c, kind, due)
}

// offerDue is when the offer's deadline is, 0 for none.
func (c *call) offerDue() int64 {
	if t := c.offerDeadline(); t != nil {
		return t.due
	}
	return 0
}

// disarmOffer takes the offer's deadline out and says what it was.
func (e *Engine) disarmOffer(c *call) (was deadline) {
	if t := c.offerDeadline(); t != nil {
		was = deadline{t.kind, t.due}
		e.disarm(c, t.kind)
	}
	return was
}

// deadline is what one was: the zero deadline for none.
type deadline struct {
	kind timerKind
	due  int64
}
