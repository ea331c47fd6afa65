package sip

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// The tape: random orders of the engine and random doings of the telephones
// against one call, in any order the stack's contract allows, a 200 that
// crosses our CANCEL included. After every step and at the end the promises of
// the package doc are checked. It runs on the test's goroutine: no clock, no
// network but the RTP sockets.

// scripted stands for stack.Dialog. It keeps the contract's state and reports
// whoever breaks it.
type scripted struct {
	name      string
	uas       bool
	confirmed bool // a 2xx was sent or has come
	ended     bool
	unacked   bool // our 2xx waits for its ACK
	due       bool // the peer's 2xx waits for our Ack
	offering  bool // a 2xx of ours held the offer
	seen      bool // Answered was delivered
	ours      uint32
	oursBody  []byte
	cseq      uint32
	pending   *stack.Message
	sink      stack.Sink
	queue     []stack.Event // happened, not yet delivered
	peer      *media.Side
	lines     []byte // our last description, to be answered
	byes      int
	broken    []string
}

func (d *scripted) breaks(format string, args ...any) {
	d.broken = append(d.broken, d.name+": "+fmt.Sprintf(format, args...))
}

var errScripted = errors.New("not possible")

func (d *scripted) answerable() error {
	if !d.uas || d.confirmed || d.ended {
		return errScripted
	}
	return nil
}

func (d *scripted) Progress(int, string, []stack.Header, []byte) error { return d.answerable() }

func (d *scripted) Accept(_ []stack.Header, sdp []byte) error {
	if err := d.answerable(); err != nil {
		return err
	}
	d.confirmed, d.unacked, d.lines = true, true, sdp
	return nil
}

func (d *scripted) Reject(code int, _ string, _ []stack.Header) error {
	if err := d.answerable(); err != nil {
		return err
	}
	if code < 300 {
		d.breaks("rejected with %d", code)
	}
	d.ended = true
	return nil
}

func (d *scripted) Reply(req *stack.Message, code int, _ string, _ []stack.Header, body []byte) error {
	if d.pending != req {
		return errScripted
	}
	d.pending = nil
	if code < 300 && !d.confirmed && len(req.Body) > 0 {
		d.breaks("offer accepted before the first was answered")
	}
	if code < 300 && req.Method == "INVITE" {
		if len(body) == 0 {
			d.breaks("2xx to INVITE without SDP")
		}
		d.unacked, d.offering, d.lines = true, len(req.Body) == 0, body
	}
	return nil
}

func (d *scripted) Ack([]byte) error {
	if !d.due {
		if !d.ended {
			d.breaks("ACK of nothing")
		}
		return errScripted
	}
	d.due = false
	return nil
}

func (d *scripted) Reinvite(_ []stack.Header, sdp []byte) (uint32, error) {
	switch {
	case d.ended:
		return 0, errScripted
	case !d.confirmed || d.ours != 0 || d.unacked || d.due: // a request that crosses waits in the stack
		d.breaks("re-INVITE out of turn")
		return 0, errScripted
	}
	d.cseq++
	d.ours, d.oursBody = d.cseq, sdp
	return d.cseq, nil
}

func (d *scripted) Request(string, []stack.Header, string, []byte) (uint32, error) {
	if d.ended {
		return 0, errScripted
	}
	d.cseq++
	return d.cseq, nil
}

func (d *scripted) Bye([]stack.Header) {
	if d.ended {
		return
	}
	d.ended, d.due, d.pending = true, false, nil
	d.byes++
	if !d.confirmed {
		d.queue = append(d.queue, stack.Failed{Code: 487})
	}
}

func (d *scripted) Heard() bool              { return true }
func (d *scripted) State() stack.DialogState { return stack.DialogState{Confirmed: d.confirmed} }

// tape is one run.
type tape struct {
	rnd     *rand.Rand
	gw      *Gateway
	router  *fakeRouter
	rows    *fakeDialogs
	c       *call
	caller  *scripted
	agents  []*scripted
	attempt routing.Attempt
	asks    bool            // its agents ask others, too
	asked   routing.Attempt // of the question
	log     []string
	told    map[string]int  // events by kind, of all tapes
	heard   map[string]bool // events of this one
}

func (tp *tape) Invite(o stack.Outgoing, sink stack.Sink) (dialog, error) {
	if tp.rnd.IntN(20) == 0 {
		return nil, errScripted
	}
	d := &scripted{name: fmt.Sprint("agent ", tp.attempt, " ", tp.asked), sink: sink, lines: o.Body, peer: media.NewSide(5, loopback)}
	tp.agents = append(tp.agents, d)
	return d, nil
}

func (tp *tape) Ping(context.Context, string, string, netip.AddrPort) int { return 200 }

func newTape(t *testing.T, seed uint64, engine *media.Engine, way string) *tape {
	return startTape(t, seed, engine, way, false)
}

// startTape begins one; asks: its agents ask others.
func startTape(t *testing.T, seed uint64, engine *media.Engine, way string, asks bool) *tape {
	tp := &tape{asks: asks, rnd: rand.New(rand.NewPCG(seed, 7)), router: newFakeRouter(), heard: map[string]bool{}, rows: &fakeDialogs{rows: map[string]DialogRow{}}}
	gw, err := New(Options{
		Trunks: []Trunk{{Name: "carrier", Media: way, Trust: identity.Trust{Sources: []netip.Prefix{netip.PrefixFrom(loopback, 32)}}}},
		Router: tp.router, Dialogs: tp.rows, Media: engine, Host: loopback, Log: zap.NewNop(),
		Targets: colleagues{},
		Phones:  &fakePhones{m: map[agents.ID]agents.Phone{anna: {URI: "sip:anna@127.0.0.1:9"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(gw.stop)
	gw.attach(tp)
	tp.gw = gw
	tp.caller = &scripted{name: "caller", uas: true, peer: media.NewSide(4, loopback)}
	inv := &stack.Message{Method: "INVITE", URI: "sip:1@127.0.0.1", Source: netip.AddrPortFrom(loopback, 5060)}
	if tp.rnd.IntN(5) > 0 {
		inv.Headers = []stack.Header{{Name: "Content-Type", Value: "application/sdp"}}
		inv.Body = tp.caller.peer.Offer(tp.audio())
	}
	first, code, _ := gw.firstOffer(inv)
	if code != 0 {
		t.Fatalf("own offer refused: %d", code)
	}
	tp.c = gw.newCall(tp.caller, inv, gw.trunks[0], first)
	tp.caller.sink = tp.c.sink(tp.c.caller)
	tp.step(item{fn: tp.c.start})
	return tp
}

// audio is something a telephone might say, reasonable or not.
func (tp *tape) audio() media.Audio {
	a := media.Audio{
		Addr:    netip.AddrPortFrom(loopback, uint16(40000+tp.rnd.IntN(4))),
		Formats: media.OwnFormats()[:1+tp.rnd.IntN(3)],
	}
	if tp.rnd.IntN(4) == 0 {
		a.Dir = media.Direction(tp.rnd.IntN(4))
	}
	return a
}

func (tp *tape) step(it item) {
	tp.c.box.mu.Lock()
	closed := tp.c.box.closed
	tp.c.box.mu.Unlock()
	if closed {
		return
	}
	tp.c.step(it)
	for !tp.c.over { // what it posted to itself
		tp.c.box.mu.Lock()
		items := tp.c.box.items
		tp.c.box.items = nil
		tp.c.box.mu.Unlock()
		if len(items) == 0 {
			break
		}
		for _, it := range items {
			if !tp.c.over {
				tp.c.step(it)
			}
		}
	}
	if tp.c.over {
		tp.c.box.close()
	}
}

// order is a random order of the engine, stale ones among them.
func (tp *tape) order() routing.Action {
	o := offerOf(tp.c.id, tp.attempt)
	if tp.rnd.IntN(6) == 0 {
		o.Attempt--
	}
	id := tp.c.id
	if tp.asks && tp.rnd.IntN(3) > 0 {
		return tp.askingOrder(o)
	}
	switch tp.rnd.IntN(20) {
	case 0, 1:
		return routing.AnswerCaller{Call: id, Music: "default"}
	case 2, 3:
		tp.attempt++
		return routing.Ring{Offer: offerOf(id, tp.attempt)}
	case 4:
		return routing.Withdraw{Offer: o, Why: "rona"}
	case 5:
		return routing.Release{Offer: o, Why: "stale"}
	case 6:
		return routing.Wait{Call: id, Music: "default"}
	case 7:
		return routing.Hold{Offer: o, On: tp.rnd.IntN(2) == 0}
	case 8:
		if tp.rnd.IntN(4) == 0 {
			return routing.Treat{Call: id, Why: "closed", Play: "closed"}
		}
	case 9:
		return routing.Transferred{Offer: o} // the Release behind it may be late here
	case 10:
		return routing.Refused{Offer: o, Asked: "transfer_requested", Code: "closed"}
	}
	return routing.Connect{Offer: o}
}

// body answers, mostly well, what the peer was last sent.
func (tp *tape) body(d *scripted, offer []byte) []byte {
	if tp.rnd.IntN(30) == 0 {
		return []byte("rubbish")
	}
	sd, err := media.ParseSDP(offer)
	if err != nil {
		d.breaks("sent %v", err)
		return nil
	}
	asked, ok := sd.Audio()
	if !ok {
		d.breaks("sent no audio")
		return nil
	}
	a := tp.audio()
	if tp.rnd.IntN(5) > 0 {
		a.Formats = asked.Formats[:1]
	}
	a.Dir = asked.Dir.Answer(a.Dir)
	out, err := d.peer.Answer(sd, a)
	if err != nil {
		d.breaks("lines changed: %v", err)
	}
	return out
}

// happens makes something happen at a telephone; it is delivered later.
func (tp *tape) happens(d *scripted) {
	if d.ended {
		return
	}
	put := func(ev stack.Event) { d.queue = append(d.queue, ev) }
	end := func(ev stack.Event) {
		d.ended, d.pending, d.due = true, nil, false // the peer has no more use for an ACK
		put(ev)
	}
	switch n := tp.rnd.IntN(12); {
	case !d.confirmed && d.uas:
		switch {
		case n == 0:
			end(stack.Canceled{})
		case n == 1 && d.pending == nil: // too early for an offer
			d.pending = &stack.Message{Method: "UPDATE", Headers: []stack.Header{{Name: "Content-Type", Value: "application/sdp"}}, Body: d.peer.Offer(tp.audio())}
			put(stack.Requested{Request: d.pending})
		}
	case !d.confirmed:
		switch {
		case n < 3:
			put(stack.Progress{Response: &stack.Message{Status: 180}})
		case n < 5:
			end(stack.Failed{Code: 486})
		default:
			d.confirmed, d.due = true, true
			put(stack.Answered{Response: &stack.Message{Status: 200, Body: tp.body(d, d.lines)}})
		}
	case n == 0 && tp.rnd.IntN(6) == 0:
		end(stack.Ended{})
	case n == 1 && tp.rnd.IntN(20) == 0:
		put(stack.FlowLost{})
	case n == 9 && d.pending != nil && d.pending.Method == "INVITE":
		put(stack.Withdrawn{Request: d.pending}) // we may reply before we hear of it
		d.pending = nil
	case d.unacked:
		d.unacked = false
		if n == 2 && tp.rnd.IntN(8) == 0 {
			put(stack.AckMissing{})
			return
		}
		ack := &stack.Message{Method: "ACK"}
		if d.offering || d.uas && tp.c.first == nil && !d.seen {
			ack.Body = tp.body(d, d.lines)
		}
		d.offering, d.seen = false, true
		put(stack.Acked{Request: ack})
	case d.ours != 0:
		r := stack.Replied{Method: "INVITE", CSeq: d.ours, Code: []int{488, 408, 481, 491}[tp.rnd.IntN(4)]}
		if tp.rnd.IntN(6) > 0 {
			r.Code = 200
		}
		if r.Code != 408 {
			r.Response = &stack.Message{Status: r.Code}
		}
		if r.Code == 200 {
			r.Response.Body = tp.body(d, d.oursBody)
			d.due = true
		}
		d.ours = 0
		put(r)
	case d.pending == nil && !d.due && n < 8:
		d.pending = &stack.Message{Method: []string{"INVITE", "INVITE", "INVITE", "UPDATE", "INFO", "REFER"}[tp.rnd.IntN(6)]}
		if tp.rnd.IntN(5) > 0 {
			d.pending.Headers = []stack.Header{{Name: "Content-Type", Value: "application/sdp"}}
			d.pending.Body = d.peer.Offer(tp.audio())
		}
		if d.pending.Method == "REFER" {
			d.pending.Headers = []stack.Header{{Name: "Refer-To", Value: "<sip:boris@127.0.0.1>"}}
		}
		put(stack.Requested{Request: d.pending})
	}
}

func (tp *tape) deliver(d *scripted) {
	if len(d.queue) == 0 {
		return
	}
	ev := d.queue[0]
	d.queue = d.queue[1:]
	tp.log = append(tp.log, fmt.Sprintf("%s %T%+v", d.name, ev, ev))
	d.sink(ev)
	tp.c.box.mu.Lock()
	items := tp.c.box.items
	tp.c.box.items = nil
	tp.c.box.mu.Unlock()
	for _, it := range items {
		tp.step(it)
	}
}

// check holds what must be true after every step.
func (tp *tape) check() error {
	talking := 0
	for _, d := range append([]*scripted{tp.caller}, tp.agents...) {
		if len(d.broken) > 0 {
			return errors.New(d.broken[0])
		}
		if d.byes > 1 {
			return fmt.Errorf("%s ended %d times", d.name, d.byes)
		}
		if d != tp.caller && d.confirmed && !d.ended && len(d.queue) == 0 {
			talking++
		}
	}
	if talking > 1 && !tp.asks || talking > 2 {
		return errors.New("two agents at once")
	}
	for {
		select {
		case ev := <-tp.router.events:
			tp.log = append(tp.log, fmt.Sprintf("    -> %s%+v", ev.Kind(), ev))
			kind := ev.Kind()
			if j, ok := ev.(routing.Joined); ok {
				kind += " " + j.Media
			}
			tp.told[kind]++
			if err := tp.once(ev); err != nil {
				return err
			}
			if f, ok := ev.(routing.CallFailed); ok && f.Reason == "panic" {
				return errors.New("panic")
			}
		default:
			return nil
		}
	}
}

// once checks what the engine may hear of an offer and of a call: at most one
// end of each, at most one answer, and nothing of a phone whose end was told.
func (tp *tape) once(ev routing.Event) error {
	var what, key string
	switch ev := ev.(type) {
	case routing.PhoneRinging:
		what, key = "ringing", fmt.Sprint(ev.Call, ev.Attempt)
	case routing.PhoneAnswered:
		what, key = "answered", fmt.Sprint(ev.Call, ev.Attempt)
	case routing.Joined:
		what, key = "joined", fmt.Sprint(ev.Call, ev.Attempt)
	case routing.PhoneFailed:
		what, key = "end", fmt.Sprint(ev.Call, ev.Attempt)
	case routing.AgentGone:
		what, key = "end", fmt.Sprint(ev.Call, ev.Attempt)
	case routing.JoinFailed:
		what, key = "end", fmt.Sprint(ev.Call, ev.Attempt)
	case routing.CallerGone:
		what, key = "end", "call"
		if ev.Unanswered == tp.caller.confirmed {
			return fmt.Errorf("told %+v, the caller had a 200: %v", ev, tp.caller.confirmed)
		}
	case routing.CallFailed:
		what, key = "end", "call"
		if ev.Unanswered == tp.caller.confirmed {
			return fmt.Errorf("told %+v, the caller had a 200: %v", ev, tp.caller.confirmed)
		}
	default:
		return nil
	}
	if tp.heard[key+" end"] || tp.heard[key+" "+what] && what != "joined" {
		return fmt.Errorf("told %s%+v, having told %v", ev.Kind(), ev, tp.heard)
	}
	tp.heard[key+" "+what] = true
	return nil
}

func (tp *tape) run() error {
	dialogs := func() []*scripted { return append([]*scripted{tp.caller}, tp.agents...) }
	for range 120 {
		all := dialogs()
		d := all[tp.rnd.IntN(len(all))]
		if last := len(all) - 1; tp.rnd.IntN(2) == 0 {
			d = all[last]
		}
		switch tp.rnd.IntN(5) {
		case 0:
			a := tp.order()
			tp.log = append(tp.log, fmt.Sprintf("order %s%+v", a.Kind(), a))
			tp.step(item{act: a})
		case 1, 2:
			tp.happens(d)
		default:
			tp.deliver(d)
		}
		if err := tp.check(); err != nil {
			return err
		}
	}
	tp.log = append(tp.log, "order end_call")
	tp.step(item{act: routing.EndCall{Call: tp.c.id, Outcome: routing.Failed, By: routing.ByServer}})
	if !tp.c.over {
		return errors.New("call goes on after EndCall")
	}
	for _, d := range dialogs() {
		for len(d.queue) > 0 {
			tp.deliver(d)
		}
		if !d.ended || d.due {
			return fmt.Errorf("%s left alone (ended %v, ACK due %v)", d.name, d.ended, d.due)
		}
	}
	if n := tp.rows.len(); n != 0 {
		return fmt.Errorf("%d dialog rows left", n)
	}
	if n := tp.gw.media.InUse(); n != 0 {
		return fmt.Errorf("%d RTP ports left", n)
	}
	return tp.check()
}

func tapeEngine(t testing.TB) *media.Engine {
	t.Helper()
	lib, err := media.LoadLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	e, err := media.New(media.Options{Addr: loopback, PortMin: 30000, PortMax: 34999, Library: lib})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

func TestTape(t *testing.T) {
	t.Parallel()
	engine := tapeEngine(t)
	deadline := time.Now().Add(10 * time.Second)
	told := map[string]int{}
	for seed := range uint64(5000) {
		way := MediaRelay
		if seed%2 == 0 {
			way = MediaDirect
		}
		tp := newTape(t, seed, engine, way)
		tp.told = told
		if err := tp.run(); err != nil {
			for _, l := range tp.log {
				t.Log(l)
			}
			t.Fatalf("seed %d (%s): %v", seed, way, err)
		}
		if time.Now().After(deadline) {
			t.Logf("the machine is slow: %d tapes run", seed+1)
			break
		}
	}
	t.Log(told)
	for _, kind := range []string{
		"joined direct", "joined relay", "join_failed", "phone_ringing", "phone_answered", "phone_failed",
		"phone_held", "agent_gone", "caller_gone", "call_failed",
	} {
		if told[kind] == 0 {
			t.Errorf("no tape came to %s: they test less than they should", kind)
		}
	}
}
