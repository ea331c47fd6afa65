package figures

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// AfterCall folds contacts into what became of them after the call. They come
// in order of arrival, from RepeatWithin before the period until RepeatWithin
// after it; callers that are one have one Customer.
type AfterCall struct {
	from, to, now int64
	open          map[subject][]*handled // whose days run
	lines         map[[2]string]*AfterCounts
}

// RepeatWithin is how long after a contact another one is its repeat.
const RepeatWithin = 168 * time.Hour

// AfterCounts are the figures of one topic, team, agent, or of all: of the
// calls of callers that ended in the period.
type AfterCounts struct {
	Calls int
	// Answered an agent talked; Alone they ended with the answer of a menu.
	Answered, Alone int
	// Of the answered: those passed on to another who took them, how often in
	// all, and those that came back to an agent who had had them.
	Transferred, Hops, Back int

	// Answered and Alone are Unknown (nobody can say who called), Running (less
	// than seven days ago) or Followed.
	Unknown, Running, Followed int
	// Of the followed: those after which the same customer arrived again about
	// the same, and those solved without an agent.
	Repeated, AloneSolved int
	// First are those of the followed that repeat no contact themselves, Solved
	// those of them that were neither repeated nor came back.
	First, Solved int
}

// AfterLine is the figures of one value of a dimension.
type AfterLine struct {
	By, Name string
	AfterCounts
}

// OfTeam is a dimension of an AfterLine, as OfAll, OfTopic and OfAgent are.
const OfTeam = "team"

// handled is a contact that waits to be followed by another.
type handled struct {
	Contact
	first, again bool
}

// NewAfterCall makes the fold of a period.
func NewAfterCall(from, to, now time.Time) *AfterCall {
	return &AfterCall{
		from: from.UnixMicro(), to: to.UnixMicro(), now: now.UnixMicro(),
		open: map[subject][]*handled{}, lines: map[[2]string]*AfterCounts{{OfAll, ""}: {}},
	}
}

// Contact folds a call.
func (f *AfterCall) Contact(c Contact) {
	within := c.Ended >= f.from && c.Ended < f.to // one that lives has no end
	if within {
		f.each(&c, func(n *AfterCounts) { n.count(&c) })
	}
	if c.Customer == "" {
		if within && c.handled() {
			f.each(&c, func(n *AfterCounts) { n.Unknown++ })
		}
		return
	}
	key := subject{c.Customer, c.Topic}
	first := true
	f.open[key] = slices.DeleteFunc(f.open[key], func(h *handled) bool {
		if c.Arrived > h.Ended+repeatWithin {
			f.settle(h)
			return true
		}
		if c.Arrived >= h.Ended {
			h.again, first = true, false
		}
		return false
	})
	if c.Ended != 0 && c.handled() {
		f.open[key] = append(f.open[key], &handled{Contact: c, first: first})
	}
	if len(f.open[key]) == 0 {
		delete(f.open, key)
	}
}

func (c *Contact) handled() bool { return c.Answered || c.Alone }

func (n *AfterCounts) count(c *Contact) {
	n.Calls++
	switch {
	case c.Alone:
		n.Alone++
	case c.Answered:
		n.Answered++
		n.Hops += c.Hops
		if c.Hops > 0 {
			n.Transferred++
		}
		if c.Back {
			n.Back++
		}
	}
}

// settle counts a contact that nothing can follow any more.
func (f *AfterCall) settle(h *handled) {
	if h.Ended < f.from || h.Ended >= f.to {
		return
	}
	f.each(&h.Contact, func(n *AfterCounts) {
		if h.Ended+repeatWithin > f.now {
			n.Running++
			return
		}
		n.Followed++
		switch {
		case h.again:
			n.Repeated++
		case h.Alone:
			n.AloneSolved++
		}
		if h.first {
			n.First++
			if !h.again && !h.Back {
				n.Solved++
			}
		}
	})
}

// each gives the lines that a contact counts in.
func (f *AfterCall) each(c *Contact, count func(*AfterCounts)) {
	for _, key := range [][2]string{{OfAll, ""}, {OfTopic, c.Topic}, {OfTeam, c.Team}, {OfAgent, c.Agent}} {
		if key[0] != OfAll && key[1] == "" {
			continue
		}
		line := f.lines[key]
		if line == nil {
			line = &AfterCounts{}
			f.lines[key] = line
		}
		count(line)
	}
}

// Lines ends the fold: all first, then topics, teams and agents by name.
func (f *AfterCall) Lines() []AfterLine {
	for _, list := range f.open {
		for _, h := range list {
			f.settle(h)
		}
	}
	clear(f.open)
	out := make([]AfterLine, 0, len(f.lines))
	for key, n := range f.lines {
		out = append(out, AfterLine{key[0], key[1], *n})
	}
	order := []string{OfAll, OfTopic, OfTeam, OfAgent}
	slices.SortFunc(out, func(a, b AfterLine) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.By), slices.Index(order, b.By)), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// Share is a part of a count, and between what the true share lies with 95 %
// confidence (Wilson's score interval).
type Share struct{ Value, Low, High float64 }

// ShareOf is part ÷ of; false when there is nothing to share.
func ShareOf(part, of int) (Share, bool) {
	if of <= 0 {
		return Share{}, false
	}
	const z = 1.959964 // the normal distribution's 97.5th percentile
	n, p := float64(of), float64(part)/float64(of)
	middle := p + z*z/(2*n)
	half := z * math.Sqrt(p*(1-p)/n+z*z/(4*n*n))
	return Share{p, max(0, (middle-half)/(1+z*z/n)), min(1, (middle+half)/(1+z*z/n))}, true
}
