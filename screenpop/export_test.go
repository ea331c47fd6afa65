package screenpop

import (
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// Peek returns what the hub keeps of one leg that a desk can change.
func (h *Hub) Peek(call routing.CallID, attempt routing.Attempt) (note string, held bool) {
	h.call(func() {
		if c := h.cards[call]; c != nil && c.legs[attempt] != nil {
			l := c.legs[attempt]
			note, held = l.note+"|"+l.phase+"|"+c.topic, true
		}
	})
	return note, held
}

// Feed handles one frame as if it came from the agent's desk. It returns
// false when a request was neither answered, nor refused, nor taken to routing.
func (h *Hub) Feed(agent agents.ID, text []byte) (answered bool, id int64) {
	f, ok := parseFrame(true, text)
	if !ok || f.ID == 0 || f.T == "answers" {
		if ok {
			h.call(func() { h.handle(h.seat(agent), f) })
		}
		return true, f.ID
	}
	h.call(func() {
		c := h.seat(agent)
		h.handle(c, f)
		answered = len(c.out) > 0
		for l := range c.desk.legs {
			for _, a := range l.asks {
				answered = answered || a.id == f.ID
				a.timer.Stop()
			}
			clear(l.asks)
		}
	})
	return answered, f.ID
}

// seat gives the agent a desk with no wire behind it.
func (h *Hub) seat(agent agents.ID) *conn {
	d := h.desk(agent)
	c := newConn(nil, nowire{}, nil)
	d.session = &session{id: "s", agent: agent, lang: "en", conn: c}
	c.desk, c.session = d, d.session
	return c
}

// nowire takes nothing.
type nowire struct{}

func (nowire) Write(b []byte) (int, error)      { return len(b), nil }
func (nowire) SetWriteDeadline(time.Time) error { return nil }
