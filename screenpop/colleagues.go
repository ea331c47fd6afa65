package screenpop

import (
	"cmp"
	"encoding/json"
	"fmt"
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
	var list *roll
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
			if list == nil {
				list = newRoll(h.colleagues(""))
			}
			h.pushColleagues(s, list)
		}
	}
	h.gather.dirty = false
	if again {
		h.armGather()
	}
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
	for _, v := range all {
		one, err := json.Marshal(v)
		if err != nil {
			continue // strings and a number: it does not happen
		}
		from := len(r.text)
		r.text = append(append(r.text, one...), ',')
		r.at[v.ID] = cut{from, len(r.text)}
	}
	return r
}

// without is the roll but for one agent, as a JSON array.
func (r *roll) without(self agents.ID) json.RawMessage {
	c := r.at[self] // none: nothing is cut
	out := make([]byte, 0, len(r.text)+2)
	out = append(out, '[')
	out = append(append(out, r.text[:c.from]...), r.text[c.to:]...)
	if n := len(out) - 1; n > 0 {
		out[n] = ']'
		return out
	}
	return append(out, ']')
}

// pushColleagues sends the roll. Of the frames kept for a resume only the last
// one needs its list: the ones before are told as empty, and made good by it.
func (h *Hub) pushColleagues(s *session, list *roll) {
	now := micro(h.now())
	s.thin(s.toldAt)
	s.seq++
	s.toldAt = s.seq
	text := fmt.Appendf(nil, `{"t":"colleagues","seq":%d,"at":%d,"d":`, s.seq, now)
	h.keep(s, append(append(text, list.without(s.agent)...), '}'))
}

// thin empties the colleagues frame of that number, if it is still kept.
func (s *session) thin(seq int64) {
	if len(s.ring) == 0 || seq < s.ring[0].seq {
		return
	}
	old := &s.ring[seq-s.ring[0].seq]
	s.bytes -= len(old.text)
	old.text = fmt.Appendf(nil, `{"t":"colleagues","seq":%d,"d":[]}`, seq)
	s.bytes += len(old.text)
}
