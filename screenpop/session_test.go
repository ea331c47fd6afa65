package screenpop_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

// A desk that loses its socket during an offer comes back to the same session
// and is given what it missed, numbers without a gap (the robot checks).
func TestResume(t *testing.T) {
	r := newRig(t)
	// The robot comes back only when the loss has been seen.
	let := make(chan struct{}, 1)
	let <- struct{}{}
	d := r.dial("priya", func(o *desktest.Options) {
		o.Ticket = func(ctx context.Context) (string, error) {
			select {
			case <-let:
				return r.ticket("priya"), nil
			case <-ctx.Done():
				return "", ctx.Err()
			}
		}
	})
	event(r, func(e routing.DeskChanged) bool { return e.Up })
	r.signIn("priya")
	r.arrive(1)
	<-r.resolved
	d.Drop()
	event(r, func(e routing.DeskChanged) bool { return !e.Up })
	let <- struct{}{}
	o := offerOf(1, 1, "priya")
	r.do(routing.OfferCall{Offer: o, Queue: "care", Mode: routing.RingAuto, NoDesk: true}, r.state("priya", agents.Offered, 1))
	event(r, func(e routing.PopAcked) bool { return e.Offer == o && e.Panels["who"] == "shown" })
	event(r, func(e routing.DeskChanged) bool { return e.Up })
	r.talk(o)
	r.phaseIs(d, 1, "talking")
	// The draft survives, and so does the call.
	r.must(d, "note", ref(1, 1, "text", "kept"))
	d.Drop()
	event(r, func(e routing.DeskChanged) bool { return !e.Up })
	let <- struct{}{}
	r.wait(d, "a resumed session", func(s desktest.State) bool { return s.Welcomes >= 3 && s.Resumed })
	d.Close()
	again := r.dial("priya")
	if c := again.State().Cards[1]; c.Note != "kept" || c.Phase != "talking" || c.Record == nil {
		t.Errorf("after a reload: %+v", c)
	}
	if !none[routing.AgentSignedOut](r) {
		t.Error("agent was signed out")
	}
}

func TestResumeOfAnother(t *testing.T) {
	r := newRig(t)
	d := r.dial("priya")
	session := d.State().Welcome.Session
	r.signIn("priya")
	for name, hello := range map[string]map[string]any{
		"another agent's session": {"v": 1, "ticket": r.ticket("petar"), "lang": "en", "resume": map[string]any{"session": session, "seq": 0}},
		"frames not yet sent":     {"v": 1, "ticket": r.ticket("priya"), "lang": "en", "resume": map[string]any{"session": session, "seq": 99}},
		"a number below none":     {"v": 1, "ticket": r.ticket("priya"), "lang": "en", "resume": map[string]any{"session": session, "seq": -1}},
	} {
		ws := r.socket()
		if err := ws.WriteJSON(map[string]any{"t": "hello", "d": hello}); err != nil {
			t.Fatal(err)
		}
		var w struct{ D desktest.Welcome }
		if err := ws.ReadJSON(&w); err != nil || w.D.Resumed || w.D.Session == session || w.D.Session == "" {
			t.Errorf("%s: resumed %v, session %q, %v", name, w.D.Resumed, w.D.Session, err)
		}
	}
}

// The newest login wins, and draws the call the first one had.
func TestReplaced(t *testing.T) {
	r := newRig(t)
	first := r.dial("priya")
	r.signIn("priya")
	r.arrive(1)
	r.offer(offerOf(1, 1, "priya"), "care", routing.RingAuto)
	event(r, anyOf[routing.PopAcked])
	second := r.dial("priya")
	if code, err := first.Ended(r.ctx); err != nil || code != 4409 {
		t.Errorf("first desk closed with %d, %v", code, err)
	}
	event(r, func(a routing.PopAcked) bool { return a.Panels["who"] == "shown" })
	r.talk(offerOf(1, 1, "priya"))
	r.phaseIs(second, 1, "talking")
	if r.hub.Desks() > 2 || !none[routing.AgentSignedOut](r) {
		t.Error("the change of desks signed the agent out")
	}
}

// A desk that does not come back is signed out, but not from under a caller.
func TestDeskLost(t *testing.T) {
	r := newRig(t, func(o *screenpop.Options) { o.Grace = 10 * time.Millisecond })
	d := r.dial("priya")
	event(r, anyOf[routing.AgentSignedIn])
	r.signIn("priya")
	d.Close()
	event(r, func(e routing.DeskChanged) bool { return !e.Up })
	event(r, anyOf[routing.AgentSignedOut])
	r.do(r.state("priya", agents.SignedOut, 0))

	d = r.dial("priya", func(o *desktest.Options) { o.AutoReady = true })
	event(r, func(e routing.AgentSignedIn) bool { return e.State == agents.Available })
	r.signIn("priya")
	r.arrive(1)
	o := offerOf(1, 1, "priya")
	r.offer(o, "care", routing.RingAuto)
	r.talk(o)
	r.phaseIs(d, 1, "talking")
	d.Close()
	event(r, func(e routing.DeskChanged) bool { return !e.Up })
	// The grace time passes while the caller is there. A second desk, lost
	// later, is signed out first: by then priya's time is over too.
	other := r.dial("petar")
	event(r, func(e routing.AgentSignedIn) bool { return e.Agent == "petar" })
	r.signIn("petar")
	other.Close()
	event(r, func(e routing.AgentSignedOut) bool { return e.Agent == "petar" })
	if !none[routing.AgentSignedOut](r) {
		t.Error("agent was signed out from under a caller")
	}
	r.do(routing.EndCall{Call: 1, Outcome: routing.Answered}, r.state("priya", agents.Available, 0))
	event(r, func(e routing.AgentSignedOut) bool { return e.Agent == "priya" })
	if c := <-r.contacts; c.Call != 1 || c.Agent != "priya" {
		t.Errorf("contact %+v", c)
	}
	if n := r.hub.Cards(); n != 0 {
		t.Errorf("%d cards are left", n)
	}
}

func TestSignOut(t *testing.T) {
	r := newRig(t)
	d := r.dial("priya")
	event(r, anyOf[routing.AgentSignedIn])
	r.signIn("priya")
	r.must(d, "state", map[string]any{"state": "not_ready", "reason": "lunch"})
	event(r, func(e routing.AgentStateAsked) bool { return e.State == agents.NotReady && e.Reason == "lunch" })
	r.must(d, "sign_out", map[string]any{})
	if code, err := d.Ended(r.ctx); err != nil || code != 1000 {
		t.Errorf("closed with %d, %v", code, err)
	}
	event(r, func(e routing.DeskChanged) bool { return !e.Up })
	event(r, anyOf[routing.AgentSignedOut])
	// A new desk before routing has confirmed signs in again.
	r.dial("priya")
	event(r, anyOf[routing.AgentSignedIn])
}

// Logging out ends the desk, its tickets and the agent's day.
func TestEndSession(t *testing.T) {
	r := newRig(t)
	d := r.dial("priya")
	r.signIn("priya")
	left := r.ticket("priya")
	r.hub.EndSession("login-petar")
	r.hub.EndSession("login-priya")
	if code, err := d.Ended(r.ctx); err != nil || code != 4401 {
		t.Errorf("closed with %d, %v", code, err)
	}
	event(r, anyOf[routing.AgentSignedOut])
	if code := r.hello(map[string]any{"v": 1, "ticket": left}); code != 4401 {
		t.Errorf("a ticket of the ended session: %d", code)
	}
}

// An agent whose sign-in follows the phone is left to routing.
func TestPhoneAgent(t *testing.T) {
	r := newRig(t, func(o *screenpop.Options) {
		o.Grace = 10 * time.Millisecond
		o.Directory = directory{"lee": {ID: "lee", Name: "Lee"}, "priya": {ID: "priya", Desk: true}}
	})
	d := r.dial("lee")
	d.Close()
	other := r.dial("priya") // lost later, signed out: by then lee's time is over
	event(r, anyOf[routing.AgentSignedIn])
	r.signIn("priya")
	other.Close()
	event(r, func(e routing.AgentSignedOut) bool { return e.Agent == "priya" })
	if !none[routing.AgentSignedIn](r) || !none[routing.AgentSignedOut](r) {
		t.Error("the desk of a phone agent signed the agent in or out")
	}
}

func (r *rig) ticket(agent agents.ID) string {
	text, life := r.hub.Ticket(agent, "login-"+string(agent))
	if life != 30*time.Second {
		r.t.Errorf("a ticket lives %v", life)
	}
	return text
}

// socket opens a desk socket and says nothing.
func (r *rig) socket() *websocket.Conn {
	r.t.Helper()
	d := websocket.Dialer{Subprotocols: []string{screenpop.Protocol}}
	ws, _, err := d.DialContext(r.ctx, strings.Replace(r.srv.URL, "http", "ws", 1)+"/desk", http.Header{"Origin": {r.srv.URL}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = ws.Close() })
	return ws
}

// hello sends one and returns the close code, 0 for a welcome.
func (r *rig) hello(d map[string]any) int {
	r.t.Helper()
	ws := r.socket()
	if err := ws.WriteJSON(map[string]any{"t": "hello", "d": d}); err != nil {
		r.t.Fatal(err)
	}
	return closeCode(r.t, ws)
}

// closeCode reads the next frame; 0 when it is not the socket's end.
func closeCode(t *testing.T, ws *websocket.Conn) int {
	t.Helper()
	_, _, err := ws.ReadMessage()
	var closed *websocket.CloseError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &closed):
		return closed.Code
	}
	t.Fatalf("socket ended without a code: %v", err)
	return 0
}

func TestHello(t *testing.T) {
	var late atomic.Int64
	r := newRig(t, func(o *screenpop.Options) {
		o.Clock = func() time.Time { return time.Now().Add(time.Duration(late.Load())) }
	})
	used := r.ticket("priya")
	if code := r.hello(map[string]any{"v": 1, "ticket": used}); code != 0 {
		t.Fatalf("good hello: %d", code)
	}
	for name, c := range map[string]struct {
		d    map[string]any
		code int
	}{
		"used ticket":     {map[string]any{"v": 1, "ticket": used}, 4401},
		"no ticket":       {map[string]any{"v": 1}, 4401},
		"made-up ticket":  {map[string]any{"v": 1, "ticket": "x"}, 4401},
		"next version":    {map[string]any{"v": 2, "ticket": r.ticket("priya"), "more": true}, 4426},
		"unknown key":     {map[string]any{"v": 1, "ticket": r.ticket("priya"), "more": true}, 4400},
		"language":        {map[string]any{"v": 1, "ticket": r.ticket("priya"), "lang": "../x"}, 4400},
		"not in the list": {map[string]any{"v": 1, "ticket": r.ticket("ghost")}, 4403},
	} {
		if code := r.hello(c.d); code != c.code {
			t.Errorf("%s: closed with %d, want %d", name, code, c.code)
		}
	}
	for name, text := range map[string]string{"nonsense": "{", "two values": "{}{}", "no type": `{"d":{}}`, "list": "[]"} {
		ws := r.socket()
		if err := ws.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if code := closeCode(t, ws); code != 4400 {
			t.Errorf("%s: closed with %d", name, code)
		}
	}
	ws := r.socket()
	if err := ws.WriteJSON(map[string]any{"t": "note", "d": map[string]any{}}); err != nil {
		t.Fatal(err)
	}
	if code := closeCode(t, ws); code != 4401 {
		t.Errorf("another frame first: closed with %d", code)
	}
	var held []string
	for range 9 {
		held = append(held, r.ticket("petar"))
	}
	if code := r.hello(map[string]any{"v": 1, "ticket": held[8]}); code != 0 {
		t.Errorf("the newest of nine tickets: %d", code)
	}
	if n := countGood(r, held[:8]); n > 7 {
		t.Errorf("%d of nine tickets work", n+1)
	}
	old := r.ticket("priya")
	r.hub.Cards()
	late.Store(int64(31 * time.Second))
	if code := r.hello(map[string]any{"v": 1, "ticket": old}); code != 4401 {
		t.Errorf("a ticket of 31 s: %d", code)
	}
}

func countGood(r *rig, held []string) (n int) {
	for _, text := range held {
		if r.hello(map[string]any{"v": 1, "ticket": text}) == 0 {
			n++
		}
	}
	return n
}

func TestBadFrames(t *testing.T) {
	r := newRig(t)
	for name, text := range map[string]string{
		"nonsense": "{", "unknown key": `{"t":"note","x":1}`, "no type": `{"id":1,"d":{}}`, "id": `{"t":"note","id":-1}`,
		"utf-8": "{\"t\":\"\xff\"}",
	} {
		d := r.dial("priya")
		if err := d.Raw([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if code, err := d.Ended(r.ctx); err != nil || code != 4400 {
			t.Errorf("%s: closed with %d, %v", name, code, err)
		}
	}
}

func TestForeignOrigin(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct{ origin, protocol string }{{"https://evil.example", screenpop.Protocol}, {r.srv.URL, "other"}} {
		d := websocket.Dialer{Subprotocols: []string{c.protocol}}
		ws, resp, err := d.DialContext(r.ctx, strings.Replace(r.srv.URL, "http", "ws", 1), http.Header{"Origin": {c.origin}})
		if err == nil {
			_ = ws.Close()
			t.Errorf("socket opened for %v", c)
			continue
		}
		if resp == nil || resp.StatusCode < 400 || resp.StatusCode > 499 {
			t.Errorf("%v: %v, %v", c, resp, err)
		}
	}
}

// A desk that does not read is cut off; nothing waits for it, and a new desk
// draws the call it had.
func TestSlowDesk(t *testing.T) {
	r := newRig(t)
	r.find(func(context.Context, string) (customer.Match, error) {
		rec := dana()
		rec.Interactions[0].Detail = strings.Repeat("long story ", 30_000)
		return customer.Match{Record: &rec}, nil
	})
	ws := r.socket()
	if err := ws.WriteJSON(map[string]any{"t": "hello", "d": map[string]any{"v": 1, "ticket": r.ticket("priya")}}); err != nil {
		t.Fatal(err)
	}
	event(r, func(e routing.DeskChanged) bool { return e.Up })
	r.signIn("priya")
	r.arrive(1)
	<-r.resolved
	for n := routing.Attempt(1); n <= 100; n++ {
		r.do(routing.OfferCall{Offer: offerOf(1, n, "priya"), Queue: "care"}, routing.Withdraw{Offer: offerOf(1, n, "priya"), Why: "rona"})
	}
	event(r, func(e routing.DeskChanged) bool { return !e.Up })
	for {
		_, _, err := ws.ReadMessage()
		if err == nil {
			continue
		}
		var closed *websocket.CloseError
		if errors.As(err, &closed) && closed.Code != 4408 && closed.Code != websocket.CloseAbnormalClosure {
			t.Errorf("closed with %d", closed.Code)
		}
		break
	}
	r.offer(offerOf(1, 101, "priya"), "care", routing.RingAuto)
	d := r.dial("priya")
	event(r, func(a routing.PopAcked) bool { return a.Attempt == 101 })
	if n := len(d.Seen()); n != 1 {
		t.Errorf("new desk saw %d pops", n)
	}
}

func TestColleagues(t *testing.T) {
	r := newRig(t)
	d := r.dial("priya")
	r.do(r.state("petar", agents.Available, 0))
	r.wait(d, "petar available", func(s desktest.State) bool {
		for _, c := range s.Colleagues {
			if c.ID == "priya" {
				t.Error("an agent is her own colleague")
			}
			if c.ID == "petar" && c.State == "available" && c.Name == "Petar Georgiev" {
				return true
			}
		}
		return false
	})
	r.do(r.state("priya", agents.NotReady, 0))
	r.wait(d, "own state", func(s desktest.State) bool { return s.Status.State == "not_ready" && s.Status.Agent == "priya" })
}

// The server goes away: every desk is told, and may come back.
func TestGoingAway(t *testing.T) {
	r := newRig(t)
	ws := r.socket()
	if err := ws.WriteJSON(map[string]any{"t": "hello", "d": map[string]any{"v": 1, "ticket": r.ticket("priya")}}); err != nil {
		t.Fatal(err)
	}
	event(r, func(e routing.DeskChanged) bool { return e.Up })
	guest := r.socket()
	ended := make(chan error, 1)
	go func() { ended <- r.hub.Close(r.ctx) }()
	for _, s := range []*websocket.Conn{ws, guest} {
		for {
			if code := closeCode(t, s); code == 4410 {
				break
			} else if code != 0 {
				t.Fatalf("closed with %d", code)
			}
		}
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	resp, err := http.Get(r.srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode < 400 {
		t.Errorf("closed hub answers %d", resp.StatusCode)
	}
	http.DefaultClient.CloseIdleConnections()
}
