package screenpop

import (
	"cmp"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
)

// gatherer spaces the colleagues frames out: a change of one agent concerns
// every desk, so the cost grows with the square of the centre.
type gatherer struct {
	last  time.Time
	armed bool
	dirty bool // somebody changed since the last frames
}

// gatherAgents are told of each second; for n times as many agents the frames
// are n times as far apart.
const gatherAgents = 200

// crowded is how many frames may wait for a desk before colleagues are kept
// back: states can be told later, calls cannot.
const crowded = 32

// colleagues are all agents but one, as far as they are known: those of the
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

// armGather sends the states now, or when the last frames are old enough.
func (h *Hub) armGather() {
	if h.gather.armed {
		return
	}
	gap := h.opt.Gather * time.Duration(max(1, len(h.desks)/gatherAgents))
	wait := gap - h.now().Sub(h.gather.last)
	if wait <= 0 {
		h.sendColleagues()
		return
	}
	h.gather.armed = true
	time.AfterFunc(wait, func() {
		h.post(func() {
			h.gather.armed = false
			h.sendColleagues()
		})
	})
}

func (h *Hub) sendColleagues() {
	h.gather.last = h.now()
	again := false
	for _, d := range h.desks {
		s := d.session
		if s == nil {
			continue
		}
		s.missed = s.missed || h.gather.dirty
		switch {
		case s.conn == nil || !s.missed:
		case s.conn.waiting() > crowded:
			again = true
		default:
			s.missed = false
			h.push(s, "colleagues", h.colleagues(d.agent))
		}
	}
	h.gather.dirty = false
	if again {
		h.armGather()
	}
}
