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
// would keep the pops of that moment waiting. A desk that was told in the round
// before is told what has changed since; any other one gets the whole list.
type gatherer struct {
	last  time.Time // when the last round began
	armed bool
	dirty bool       // somebody changed since it began
	left  []*session // that it has not told yet

	round   int64           // the number of the last round with changes
	known   []colleagueView // all agents as it tells of them
	changed *roll           // those who are not as in the round before
	whole   *roll           // all; nil until somebody needs it
	gone    bool            // one of the round before is no more
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
		// One that is slow just now is told in the next round.
		if s.isBehind(g.round) && s.conn.waiting() <= crowded {
			h.pushColleagues(s)
		}
	}
	switch {
	case len(g.left) > 0:
		h.gatherIn(min(gatherStep, h.gap()))
		return
	case g.dirty || h.behind():
		h.gatherIn(max(0, h.gap()-h.now().Sub(g.last)))
	}
	g.left = nil
}

// beginRound notes what there is to tell and who has to be told, in the order of
// their names, which gives each desk the same distance from one round to the
// next.
func (h *Hub) beginRound() {
	g := &h.gather
	g.last = h.now()
	if g.dirty {
		g.dirty = false
		g.round++
		before := g.known
		g.known, g.whole = h.colleagues(""), nil
		g.changed, g.gone = changesOf(before, g.known)
	}
	for _, d := range h.desks {
		if s := d.session; s.isBehind(g.round) {
			g.left = append(g.left, s)
		}
	}
	slices.SortFunc(g.left, func(a, b *session) int { return cmp.Compare(a.agent, b.agent) })
}

// atOnce is how many desks are told in one step.
func (h *Hub) atOnce() int {
	steps := max(1, int(h.gap()/2/gatherStep))
	return max(4, len(h.desks)/steps+1)
}

// behind tells whether a desk that is there has yet to be told.
func (h *Hub) behind() bool {
	for _, d := range h.desks {
		if d.session.isBehind(h.gather.round) {
			return true
		}
	}
	return false
}

func (s *session) isBehind(round int64) bool { return s != nil && s.conn != nil && s.told < round }

// changesOf are those of now, in the order of their ids as all lists here, who
// were not so before; named when their name is news. gone says that somebody is
// no more.
func changesOf(before, now []colleagueView) (r *roll, gone bool) {
	r = &roll{at: map[agents.ID]cut{}}
	for i := range now {
		for len(before) > 0 && before[0].ID < now[i].ID {
			before, gone = before[1:], true
		}
		if len(before) == 0 || before[0].ID != now[i].ID {
			r.add(&now[i], true)
			continue
		}
		if before[0] != now[i] {
			r.add(&now[i], before[0].Name != now[i].Name)
		}
		before = before[1:]
	}
	return r, gone || len(before) > 0
}

// roll is agents as JSON, written once for every desk: each desk gets it without
// its own agent, and writing that out anew for each of them is what made the
// frames dear.
type roll struct {
	text []byte            // every agent's object, each with a comma after it
	at   map[agents.ID]cut // where in it
}

type cut struct{ from, to int }

func newRoll(all []colleagueView) *roll {
	r := &roll{at: make(map[agents.ID]cut, len(all))}
	for i := range all {
		r.add(&all[i], true)
	}
	return r
}

func (r *roll) add(v *colleagueView, named bool) {
	from := len(r.text)
	r.text = append(appendColleague(r.text, v, named), ',')
	r.at[v.ID] = cut{from, len(r.text)}
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

// Types of the frames about colleagues: the whole list, and what has changed
// since the desk was last told.
const (
	frameColleagues = "colleagues"
	frameChanges    = "colleagues_changed"
)

// pushColleagues tells a desk of its colleagues. What it tells is not kept for a
// resume: the welcome has it newer.
func (h *Hub) pushColleagues(s *session) {
	g, t, list := &h.gather, frameColleagues, (*roll)(nil)
	if s.conn.changes && s.told == g.round-1 && !g.gone {
		t, list = frameChanges, g.changed
	} else {
		if g.whole == nil {
			g.whole = newRoll(g.known)
		}
		list = g.whole
	}
	s.told = g.round
	self := list.at[s.agent]
	if t == frameChanges && self.to-self.from == len(list.text) {
		return // nobody else has changed
	}
	now := h.now()
	s.seq++
	h.keep(s, now, text{plain: colleaguesHead(t, s.seq, now), list: list, self: self})
}

// colleaguesHead is a colleagues frame up to its list.
func colleaguesHead(t string, seq int64, at time.Time) []byte {
	return fmt.Appendf(nil, `{"t":%q,"seq":%d,"at":%d,"d":[`, t, seq, micro(at))
}

// replayed are frames kept for a resume as the desk is sent them after its
// welcome, which has told it of all colleagues: their frames change nothing. To a
// desk that knows whole lists only, the last of them is the list as it is now.
func (h *Hub) replayed(c *conn, frames []held) []text {
	out := make([]text, len(frames))
	told := c.changes
	for i, f := range slices.Backward(frames) {
		switch {
		case f.text != nil:
			out[i].plain = f.text
		case c.changes:
			out[i].plain = append(colleaguesHead(frameChanges, f.seq, f.at), rollEnd...)
		default:
			out[i].plain = colleaguesHead(frameColleagues, f.seq, f.at)
			if told {
				out[i].plain = append(out[i].plain, rollEnd...)
				continue
			}
			told = true
			out[i].list = newRoll(h.colleagues(c.session.agent))
		}
	}
	return out
}
