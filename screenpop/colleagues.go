package screenpop

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
)

// gatherer spaces the colleagues frames out: a change of one agent concerns
// every desk, so the cost grows with the square of the centre. They are told in
// rounds, each a few desks at a time: to tell hundreds of desks in one moment
// would keep the pops of that moment waiting.
type gatherer struct {
	last  time.Time // when the last round began
	armed bool
	dirty bool       // somebody changed since it began
	list  *roll      // of the round under way
	left  []*session // that it has not told yet
}

// gatherAgents are told of each second; for n times as many agents the rounds
// are n times as far apart, so that a desk gets some 8 kB/s of its colleagues
// however many they are.
const gatherAgents = 100

// A round is spread over half of the time between two, in steps.
const gatherStep = 10 * time.Millisecond

// crowded is how many frames may wait for a desk before colleagues are kept
// back: states can be told later, calls cannot.
const crowded = 32

// colleagues are all agents but one ("" for none), as far as they are known: those of the
// routing document and those the engine has spoken of.
func (h *Hub) colleagues(self agents.ID) []colleagueView {
	out := []colleagueView{}
	if p := h.opt.Policy(); p != nil {
		for id := range p.Agents {
			if h.desks[id] == nil && id != self {
				out = append(out, colleagueView{id, h.name(id), agents.SignedOut, 0})
			}
		}
	}
	for id := range h.desks {
		if id != self {
			out = append(out, h.colleague(id))
		}
	}
	slices.SortFunc(out, func(a, b colleagueView) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

func (h *Hub) colleague(id agents.ID) colleagueView {
	st := h.desks[id].status
	return colleagueView{id, h.name(id), st.State, micro(st.Since)}
}

func (h *Hub) colleagueChanged() {
	h.gather.dirty = true
	h.armGather()
}

// gap is the time between two rounds.
func (h *Hub) gap() time.Duration {
	return h.opt.Gather * time.Duration(max(1, len(h.desks)/gatherAgents))
}

// armGather begins a round now, or when the last one is old enough.
func (h *Hub) armGather() {
	if h.gather.armed {
		return
	}
	wait := h.gap() - h.now().Sub(h.gather.last)
	if wait <= 0 {
		h.sendColleagues()
		return
	}
	h.gatherIn(wait)
}

func (h *Hub) gatherIn(wait time.Duration) {
	h.gather.armed = true
	time.AfterFunc(wait, func() {
		h.post(func() {
			h.gather.armed = false
			h.sendColleagues()
		})
	})
}

// sendColleagues tells the next few desks of a round, and begins one when none
// is under way.
func (h *Hub) sendColleagues() {
	g := &h.gather
	if len(g.left) == 0 {
		h.beginRound()
	}
	for range h.atOnce() {
		if len(g.left) == 0 {
			break
		}
		s := g.left[0]
		g.left[0] = nil
		g.left = g.left[1:]
		// One that is slow just now is told in the next round, as is one that comes back.
		if s.conn != nil && s.conn.waiting() <= crowded {
			s.missed = false
			h.pushColleagues(s, g.list)
		}
	}
	switch {
	case len(g.left) > 0:
		h.gatherIn(min(gatherStep, h.gap()))
		return
	case h.missing():
		h.gatherIn(max(0, h.gap()-h.now().Sub(g.last)))
	}
	g.list, g.left = nil, nil
}

// beginRound notes who has to be told, in the order of their names, which gives
// each desk the same distance from one round to the next.
func (h *Hub) beginRound() {
	g := &h.gather
	for _, d := range h.desks {
		s := d.session
		if s == nil {
			continue
		}
		s.missed = s.missed || g.dirty
		if s.missed && s.conn != nil {
			g.left = append(g.left, s)
		}
	}
	slices.SortFunc(g.left, func(a, b *session) int { return cmp.Compare(a.agent, b.agent) })
	if g.last, g.dirty = h.now(), false; len(g.left) > 0 {
		g.list = newRoll(h.colleagues(""))
	}
}

// atOnce is how many desks are told in one step.
func (h *Hub) atOnce() int {
	steps := max(1, int(h.gap()/2/gatherStep))
	return max(4, len(h.desks)/steps+1)
}

// missing tells whether a desk that is there has yet to be told.
func (h *Hub) missing() bool {
	for _, d := range h.desks {
		if s := d.session; s != nil && s.conn != nil && (s.missed || h.gather.dirty) {
			return true
		}
	}
	return false
}

// roll is all agents as JSON, written once for every desk: each desk gets it
// without its own agent, and writing that out anew for each of them is what
// made the frames dear.
type roll struct {
	text []byte            // every agent's object, each with a comma after it
	at   map[agents.ID]cut // where in it
}

type cut struct{ from, to int }

func newRoll(all []colleagueView) *roll {
	r := &roll{at: make(map[agents.ID]cut, len(all))}
	for i := range all {
		from := len(r.text)
		r.text = append(appendColleague(r.text, &all[i], true), ',')
		r.at[all[i].ID] = cut{from, len(r.text)}
	}
	return r
}

// rollEnd closes the list, and the frame.
const rollEnd = "]}"

// without is the roll but for one agent, the inside of a JSON array in two
// parts. A cut of nothing leaves nobody out.
func (r *roll) without(c cut) (before, after []byte) {
	before, after = r.text[:c.from], r.text[c.to:]
	if n := len(after); n > 0 {
		return before, after[:n-1]
	}
	return before[:max(0, len(before)-1)], nil
}

// pushColleagues sends the roll. Of the frames kept for a resume only the last
// one needs its list: the ones before are told as empty, and made good by it.
func (h *Hub) pushColleagues(s *session, list *roll) {
	now := h.now()
	s.thin(s.toldAt)
	s.seq++
	s.toldAt = s.seq
	head := fmt.Appendf(nil, `{"t":"colleagues","seq":%d,"at":%d,"d":[`, s.seq, micro(now))
	h.keep(s, now, text{plain: head, list: list, self: list.at[s.agent]})
}

// thin empties the colleagues frame of that number, if it is still kept.
func (s *session) thin(seq int64) {
	if len(s.ring) == 0 || seq < s.ring[0].seq {
		return
	}
	old := &s.ring[seq-s.ring[0].seq]
	s.bytes -= old.text.size()
	old.text = text{plain: fmt.Appendf(nil, `{"t":"colleagues","seq":%d,"d":[]}`, seq)}
	s.bytes += old.text.size()
}
