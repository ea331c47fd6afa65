package desktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/gorilla/websocket"
)

// State is what the robot's screen shows now.
type State struct {
	Connected  bool
	Welcomes   int
	Resumed    bool // by the last welcome
	Welcome    Welcome
	Status     Status
	Colleagues []Colleague
	Cards      map[int64]Card // by call
	AskedWhy   string         // how the last question that the agent asked has ended
}

// Seen is one offer as the robot lived it, on its own clock. Zero times did
// not happen.
type Seen struct {
	Call    int64
	Attempt int
	Agent   string
	PopAt   time.Time // the pop was read off the socket
	AckAt   time.Time // the first ack was written to it
	Version int64     // of the record in that ack
	Panels  map[string]string
	// Complete says that at the first ack the look-up had ended well and all of
	// the record stood on the desk.
	Complete    bool
	Match       string
	Pops        int // how often it was shown: more than once after a reconnect
	RingingAt   time.Time
	TalkingAt   time.Time
	WrapUpAt    time.Time
	DoneAt      time.Time
	WithdrawnAt time.Time
	Withdrawn   string // why
	Received    bool   // passed on by somebody
	Card        Card   // as first popped
}

func (d *Desk) tell() {
	d.mu.Lock()
	close(d.changed)
	d.changed = make(chan struct{})
	d.mu.Unlock()
}

// State returns a copy of what the screen shows.
func (d *Desk) State() State {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.copyState()
}

func (d *Desk) copyState() State {
	s := d.state
	s.Cards = make(map[int64]Card, len(d.state.Cards))
	for k, v := range d.state.Cards {
		s.Cards[k] = v
	}
	return s
}

// Seen returns every offer so far, in order of arrival.
func (d *Desk) Seen() []Seen {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]Seen, 0, len(d.seen))
	for _, s := range d.seen {
		out = append(out, *s)
	}
	return out
}

// Wait returns when the screen fulfils ok, or with the error of ctx, or of a
// desk that has ended.
func (d *Desk) Wait(ctx context.Context, ok func(State) bool) error {
	for {
		d.mu.Lock()
		changed, err, state := d.changed, d.err, d.copyState()
		d.mu.Unlock()
		if ok(state) {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Ended waits until the server has closed the desk for good and returns the
// close code.
func (d *Desk) Ended(ctx context.Context) (int, error) {
	for {
		d.mu.Lock()
		changed, err, code := d.changed, d.err, d.code
		d.mu.Unlock()
		if err != nil {
			return code, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// Do sends a request and waits for its result; a refusal is a *Refused.
func (d *Desk) Do(ctx context.Context, t string, body any) (Result, error) {
	ch := make(chan Result, 1)
	d.mu.Lock()
	d.nextID++
	id, ws := d.nextID, d.ws
	if ws != nil {
		d.results[id] = ch
	}
	d.mu.Unlock()
	if ws == nil {
		return Result{}, ErrClosed
	}
	if err := d.write(ws, map[string]any{"t": t, "id": id, "d": body}); err != nil {
		return Result{}, err
	}
	select {
	case r, ok := <-ch:
		if !ok {
			return r, ErrClosed
		}
		if !r.OK {
			return r, &Refused{r.Code}
		}
		return r, nil
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// Raw writes a text frame as it stands.
func (d *Desk) Raw(text []byte) error {
	d.mu.Lock()
	ws := d.ws
	d.mu.Unlock()
	if ws == nil {
		return ErrClosed
	}
	d.writeMu.Lock()
	defer d.writeMu.Unlock()
	return ws.WriteMessage(websocket.TextMessage, text)
}

func (d *Desk) write(ws *websocket.Conn, v any) error {
	d.writeMu.Lock()
	defer d.writeMu.Unlock()
	if err := ws.SetWriteDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	return ws.WriteJSON(v)
}

// later does something after a pause, on a goroutine of its own.
func (d *Desk) later(after time.Duration, do func(context.Context)) {
	d.wg.Go(func() {
		select {
		case <-time.After(after):
			do(d.ctx)
		case <-d.ctx.Done():
		}
	})
}

// welcomed draws what a welcome says.
func (d *Desk) welcomed(ws *websocket.Conn, w Welcome) error {
	beat := time.Duration(w.HeartbeatS) * time.Second
	if beat <= 0 {
		return fmt.Errorf("desktest: heartbeat of %d s", w.HeartbeatS)
	}
	alive := func() { _ = ws.SetReadDeadline(time.Now().Add(2 * beat)) }
	alive()
	answer := ws.PingHandler()
	ws.SetPingHandler(func(s string) error { alive(); return answer(s) })
	d.mu.Lock()
	d.ws, d.session = ws, w.Session
	if !w.Resumed {
		d.seq = 0
		d.state.Cards = map[int64]Card{}
	}
	d.state.Connected, d.state.Resumed, d.state.Welcome = true, w.Resumed, w
	d.state.Welcomes++
	d.state.Status, d.state.Colleagues = w.Status, w.Colleagues
	again := []Card{}
	if w.Resumed {
		for _, c := range d.state.Cards {
			again = append(again, c)
		}
	}
	d.mu.Unlock()
	d.tell()
	for _, c := range w.Cards {
		d.draw(c)
	}
	for _, c := range again { // the ack may have been lost with the socket
		if offering(c.Phase) {
			d.ackSoon(c)
		}
	}
	return nil
}

func offering(phase string) bool {
	switch phase {
	case "offered", "lead", "may_accept", "ringing":
		return true
	}
	return false
}

// read follows one socket to its end.
func (d *Desk) read(ws *websocket.Conn) error {
	for {
		_, text, err := ws.ReadMessage()
		if err != nil {
			return err
		}
		at := time.Now()
		f, ok := frame{}, false
		if d.opt.Alone {
			f, ok = passedOver(text)
		}
		if !ok {
			if err := json.Unmarshal(text, &f); err != nil {
				return fmt.Errorf("%w: %w", errProtocol, err)
			}
		}
		if err := d.frame(f, at); err != nil {
			return fmt.Errorf("%w: %w", errProtocol, err)
		}
		d.tell()
	}
}

// passedOver reads of a colleagues frame what a robot that works alone has to
// know, its number; false for any other frame. The list is as long as the centre
// is large, and hundreds of robots share one processor.
func passedOver(text []byte) (f frame, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte(`{"t":"colleagues`))
	if !ok {
		return f, false
	}
	if _, rest, ok = bytes.Cut(rest, []byte(`","seq":`)); !ok {
		return f, false
	}
	digits, _, _ := bytes.Cut(rest, []byte(","))
	seq, err := strconv.ParseInt(string(digits), 10, 64)
	return frame{T: "colleagues", Seq: seq}, err == nil
}

func (d *Desk) frame(f frame, at time.Time) error {
	if f.Seq > 0 {
		d.mu.Lock()
		want := d.seq + 1
		d.seq = f.Seq
		d.mu.Unlock()
		if f.Seq != want {
			return fmt.Errorf("frame %d where %d was due", f.Seq, want)
		}
	}
	switch f.T {
	case "result":
		return with(f, d.result)
	case "status":
		return with(f, func(v Status) { d.show(func(s *State) { s.Status = v }) })
	case "colleagues":
		if d.opt.Alone {
			return nil
		}
		return with(f, func(v []Colleague) { d.show(func(s *State) { s.Colleagues = v }) })
	case "colleagues_changed":
		if d.opt.Alone {
			return nil
		}
		return with(f, func(v []Colleague) { d.show(func(s *State) { s.Colleagues = changed(s.Colleagues, v) }) })
	case "pop":
		return with(f, func(c Card) { d.popped(c, at) })
	case "card":
		return with(f, d.patched)
	case "phase":
		return with(f, func(p phaseChange) { d.phase(p, at) })
	case "consult":
		return with(f, d.asks)
	case "withdraw":
		return with(f, func(p phaseChange) { d.withdrawn(p.Call, p.Attempt, p.Why, at) })
	}
	return fmt.Errorf("unknown frame %q", f.T)
}

// changed is the list with what has changed of it.
func changed(list, by []Colleague) []Colleague {
	list = slices.Clone(list)
	for _, c := range by {
		i := slices.IndexFunc(list, func(o Colleague) bool { return o.ID == c.ID })
		if i < 0 {
			list = append(list, c)
			continue
		}
		if c.Name == "" {
			c.Name = list[i].Name
		}
		list[i] = c
	}
	return list
}

// with reads a frame's d and hands it on.
func with[T any](f frame, do func(T)) error {
	var v T
	if err := json.Unmarshal(f.D, &v); err != nil {
		return fmt.Errorf("%s: %w", f.T, err)
	}
	do(v)
	return nil
}

func (d *Desk) show(change func(*State)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	change(&d.state)
}

func (d *Desk) result(r Result) {
	d.mu.Lock()
	ch := d.results[r.ID]
	delete(d.results, r.ID)
	d.mu.Unlock()
	if ch != nil {
		ch <- r
	}
}
