package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/queue"
)

// measured is the windows that agents' measures are of. Each agent names those
// of his or her own: after a reload with others it takes a while until all are
// measured anew.
type measured struct {
	shares, calls []int64
	present       int // which trees of those present hold the counts
}

// measuring is what is left of that.
type measuring struct {
	after     agents.ID // those up to here are done
	newcomers []*agent  // who have signed in meanwhile
}

// rewindow follows a document with other windows. Until everyone signed in is
// measured by them no decision begins; events come in between.
func (e *Engine) rewindow() {
	before := e.by
	next := &measured{shares: e.windows, calls: e.callWin}
	if before != nil {
		next.present = before.present
		if slices.Equal(before.shares, next.shares) && slices.Equal(before.calls, next.calls) {
			return
		}
	}
	if before == nil || !slices.Equal(before.calls, next.calls) {
		next.present++
		e.present = make([]queue.Tree[countKey, *agent], len(next.calls))
	}
	e.by = next
	if len(e.roster) == 0 {
		return
	}
	begun := &measuring{}
	if before := e.measuring; before != nil { // a reload came before the last was done
		begun.newcomers = before.newcomers
	}
	e.measuring = begun
	e.measureMore()
}

// measureMore goes on with it until the slice is over.
func (e *Engine) measureMore() {
	m := e.measuring
	i, found := e.inRoster(m.after)
	if found {
		i++
	}
	for ; i < len(e.roster); i++ {
		if e.slice.over() {
			return
		}
		m.after = e.roster[i].id
		e.remeasure(e.roster[i])
	}
	e.measuring = nil
	for _, a := range m.newcomers {
		if a.state.SignedIn() && a.by == e.by {
			e.uncountCalls(a)
			e.headStart(a)
		}
	}
}

// remeasure measures an agent by the windows that count now. What a newcomer
// began with stays where the window does.
func (e *Engine) remeasure(a *agent) {
	before := a.by
	if before == e.by {
		return
	}
	e.spend(indexUnits * (1 + len(e.callWin)))
	s := &a.answers
	if before.present != e.by.present {
		heads := make([]int, len(e.callWin))
		for i, w := range e.callWin {
			if was := slices.Index(before.calls, w); was >= 0 && was < len(s.head) {
				heads[i] = s.head[was]
			}
		}
		s.head, s.count = heads, s.count[:0]
	}
	a.by = e.by
	if before.present != e.by.present {
		e.countCalls(a)
	}
	if !slices.Equal(before.shares, e.by.shares) {
		if e.window() > 0 {
			a.log.note(e.now, kindOf(a.state), e.now-e.window())
		}
		e.spend(len(a.log.spans) * (1 + len(e.windows)))
		e.measureShares(a)
	}
}
