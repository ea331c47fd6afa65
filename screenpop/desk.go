package screenpop

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// desk is one agent as the hub knows her: the state the engine last told, the
// legs in hand, and the desk session, if there is one.
type desk struct {
	agent   agents.ID
	status  agents.Status
	asked   agents.State // a sign-in or sign-out the engine has not yet confirmed; "" for none
	legs    map[*leg]*card
	session *session
	leaving bool // signed out as soon as no call is in hand
}

// session is one desk session: it outlives its socket for the grace time.
type session struct {
	id    string
	agent agents.ID
	key   string // of the login session
	lang  string
	conn  *conn // nil while the desk is away
	timer *time.Timer

	seq   int64
	ring  []held // what a resume can replay, oldest first
	bytes int
	told  int64 // the last round of colleagues that the desk knows of
}

// held is a frame as it is kept for a resume.
type held struct {
	seq  int64
	at   time.Time
	text []byte // nil: of colleagues
}

// text is a frame: as it stands, or, of colleagues, what comes before the list,
// which all desks share, and whom it leaves out.
type text struct {
	plain []byte
	list  *roll
	self  cut
}

func (t text) size() int {
	if t.list == nil {
		return len(t.plain)
	}
	before, after := t.list.without(t.self)
	return len(t.plain) + len(before) + len(after) + len(rollEnd)
}

// appendTo appends the whole frame to b.
func (t text) appendTo(b []byte) []byte {
	b = append(b, t.plain...)
	if t.list == nil {
		return b
	}
	before, after := t.list.without(t.self)
	return append(append(append(b, before...), after...), rollEnd...)
}

// Bounds of what is kept for a resume, and of what waits for a slow desk.
const (
	boundFrames = 256
	boundBytes  = 1 << 20
)

func (s *session) stopTimer() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}

func (h *Hub) desk(id agents.ID) *desk {
	d := h.desks[id]
	if d == nil {
		d = &desk{agent: id, legs: map[*leg]*card{}, status: agents.Status{Agent: id, State: agents.SignedOut, Since: h.now()}}
		h.desks[id] = d
	}
	return d
}

// inHand says whether the agent has a call, or after-call work.
func (d *desk) inHand() bool {
	switch d.status.State {
	case agents.Offered, agents.Ringing, agents.Talking, agents.OnHold, agents.WrapUp:
		return true
	}
	return false
}

// signedIn is what the engine will say once it has done what it was asked.
func (d *desk) signedIn() bool {
	if d.asked != "" {
		return d.asked != agents.SignedOut
	}
	return d.status.State != agents.SignedOut
}

func (h *Hub) agentChanged(st agents.Status) {
	d := h.desk(st.Agent)
	out := st.State == agents.SignedOut
	// Confirmed, or signed out by routing's own word.
	if (d.asked == agents.SignedOut) == out || (out && d.status.State != agents.SignedOut) {
		d.asked = ""
	}
	d.status = st
	h.tell(st.Agent, "status", viewStatus(st))
	h.colleagueChanged()
}

// tell pushes a frame to the agent's desk session, if there is one.
func (h *Hub) tell(agent agents.ID, t string, d body) {
	if desk := h.desks[agent]; desk != nil && desk.session != nil {
		h.push(desk.session, t, d)
	}
}

// push gives a frame its number, keeps it for a resume and sends it.
func (h *Hub) push(s *session, t string, d body) {
	now := h.now()
	s.seq++
	h.draft = appendFrame(h.draft[:0], t, s.seq, micro(now), d)
	h.keep(s, now, text{plain: bytes.Clone(h.draft)})
}

// keep keeps a frame that has the session's last number for a resume, and
// sends it. What was sent before a lost socket can have been alive is of no use
// to a resume, and would stand in memory a megabyte a desk.
func (h *Hub) keep(s *session, now time.Time, t text) {
	kept := t.plain
	if t.list != nil {
		kept = nil
	}
	s.ring = append(s.ring, held{s.seq, now, kept})
	s.bytes += len(kept)
	for len(s.ring) > 1 && (len(s.ring) > boundFrames || s.bytes > boundBytes || now.Sub(s.ring[0].at) > h.opt.resumable()) {
		s.bytes -= len(s.ring[0].text)
		s.ring[0].text = nil
		s.ring = s.ring[1:]
	}
	if s.conn != nil {
		s.conn.send(t)
	}
}

// replay returns the frames after seq, false when some are no longer held.
func (s *session) replay(seq int64) ([]held, bool) {
	if seq == s.seq {
		return nil, true
	}
	if seq < 0 || seq > s.seq || s.ring[0].seq > seq+1 {
		return nil, false
	}
	return s.ring[seq+1-s.ring[0].seq:], true
}

// attach seats a desk that has said hello: it resumes its session or begins a
// new one, and in either case replaces whatever socket the agent had.
func (h *Hub) attach(c *conn, hello helloFrame, t ticket) {
	d := h.desk(t.agent)
	d.leaving = false
	var frames []held
	resumed := false
	if s := d.session; s != nil && hello.Resume != nil && s.id == hello.Resume.Session {
		frames, resumed = s.replay(hello.Resume.Seq)
	}
	if s := d.session; s != nil {
		s.stopTimer()
		if s.conn != nil {
			s.conn.close(closeReplaced)
			s.conn = nil
		}
	}
	if !resumed {
		d.session = &session{id: secret(), agent: t.agent}
	}
	s := d.session
	s.conn, s.key, s.lang = c, t.session, hello.Lang
	s.told = h.gather.round // the welcome tells no less
	h.spoken = nil
	c.desk, c.session, c.changes = d, s, hello.Changes
	if err := c.welcome(h.welcome(d, resumed)); err != nil {
		h.log.Error("welcome cannot be written", zap.Error(err))
	}
	for _, f := range h.replayed(c, frames) {
		c.send(f)
	}
	c.seated()
	now := h.now()
	if !resumed {
		for l, card := range d.legs {
			if l.phase == phaseOffered {
				l.popAt = now
				h.observePop(card, l, now, true)
			}
		}
	}
	// The desk first: an agent signed in without one would be rung unseen.
	h.opt.Engine.Submit(routing.DeskChanged{Agent: t.agent, Up: true})
	if !d.signedIn() {
		h.signIn(d, hello.AutoReady)
	}
}

// signIn tells the engine that the agent is at work. An agent whose sign-in
// follows the phone is left to the engine.
func (h *Hub) signIn(d *desk, ready bool) {
	if a, ok := h.opt.Directory.Agent(d.agent); !ok || !a.Desk {
		return
	}
	ev := routing.AgentSignedIn{Agent: d.agent, State: agents.NotReady, Reason: signedInReason}
	if ready {
		ev.State, ev.Reason = agents.Available, ""
	}
	d.asked = ev.State
	h.opt.Engine.Submit(ev)
}

// detach notes that a socket is gone; its session waits for a resume.
func (h *Hub) detach(c *conn) {
	s, d := c.session, c.desk
	if s == nil || s.conn != c {
		return
	}
	s.conn = nil
	h.opt.Engine.Submit(routing.DeskChanged{Agent: s.agent, Up: false})
	var t *time.Timer
	t = time.AfterFunc(h.opt.Grace, func() {
		h.post(func() {
			if s.timer == t && d.session == s && s.conn == nil {
				h.dropSession(d)
			}
		})
	})
	s.timer = t
}

// dropSession ends a desk session for good and signs the agent out, at once or
// at the end of the call in hand.
func (h *Hub) dropSession(d *desk) {
	s := d.session
	d.session, h.spoken = nil, nil
	s.stopTimer()
	if s.conn != nil {
		s.conn = nil
		h.opt.Engine.Submit(routing.DeskChanged{Agent: d.agent, Up: false})
	}
	d.leaving = true
	h.leaveIfFree(d)
}

// leaveIfFree signs a leaving agent out, unless a caller is with her. After-call
// work does not keep her: nobody is there to end it.
func (h *Hub) leaveIfFree(d *desk) {
	if !d.leaving || (d.inHand() && d.status.State != agents.WrapUp) {
		return
	}
	d.leaving = false
	if a, ok := h.opt.Directory.Agent(d.agent); ok && !a.Desk || !d.signedIn() {
		return
	}
	d.asked = agents.SignedOut
	h.opt.Engine.Submit(routing.AgentSignedOut{Agent: d.agent})
}

// EndSession ends every desk of a login session: its tickets die, its sockets
// are closed with 4401, its agent is signed out.
func (h *Hub) EndSession(sessionKey string) {
	h.tickets.drop(sessionKey)
	h.post(func() {
		for _, d := range h.desks {
			if s := d.session; s != nil && s.key == sessionKey {
				if s.conn != nil {
					s.conn.close(closeNoTicket)
				}
				h.dropSession(d)
			}
		}
	})
}

func (h *Hub) welcome(d *desk, resumed bool) welcomeView {
	s := d.session
	w := welcomeView{
		V: Version, Session: s.id, Resumed: resumed, HeartbeatS: max(1, seconds(h.opt.Heartbeat)), Now: micro(h.now()),
		Agent:  selfView{ID: d.agent, Name: h.name(d.agent), Role: "agent"},
		Status: viewStatus(d.status), Topics: []titled{}, Queues: []queueView{},
		Colleagues: h.colleagues(d.agent), Dispositions: map[string][]dispositionView{},
		Reasons: reasons, Numbers: []string{}, Cards: []*cardView{},
	}
	if a, ok := h.opt.Directory.Agent(d.agent); ok {
		w.Agent.AutoAnswer = a.Phone.AutoAnswer
		if p := h.opt.Policy(); p != nil {
			w.Numbers = p.Transfers.Numbers.Countries(a.Team)
		}
	}
	if p := h.opt.Policy(); p != nil {
		for _, name := range slices.Sorted(maps.Keys(p.Topics)) {
			w.Topics = append(w.Topics, titled{name, p.Topics[name].Title})
		}
		for _, name := range slices.Sorted(maps.Keys(p.Queues)) {
			w.Queues = append(w.Queues, queueView{name, name})
		}
		for set, list := range p.Sets {
			views := make([]dispositionView, 0, len(list))
			for _, x := range list {
				views = append(views, dispositionView{x.ID, x.Title, x.Asks, x.Final})
			}
			w.Dispositions[set] = views
		}
	}
	if resumed {
		return w
	}
	for l, c := range d.legs {
		h.fetchAnswers(c, l)
		w.Cards = append(w.Cards, h.viewFor(c, l, s.lang))
	}
	slices.SortFunc(w.Cards, func(a, b *cardView) int {
		return cmp.Or(cmp.Compare(a.Call, b.Call), cmp.Compare(a.Attempt, b.Attempt))
	})
	return w
}
