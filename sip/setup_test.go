package sip

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/stack"
)

// What a trunk is judged by (RFC 6076): each INVITE that left by it is told once,
// by its final response, and its delay is that of the first sign of life.
func TestSetups(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var told []Setup
	tells := func(g *Gateway) {
		g.setups = func(s Setup) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, s)
		}
	}
	expect := func(t *testing.T, name string, want ...Setup) {
		t.Helper()
		for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
			mu.Lock()
			got := append([]Setup(nil), told...)
			mu.Unlock()
			switch {
			case len(got) < len(want) && time.Now().Before(deadline):
				continue
			case len(got) != len(want):
				t.Fatalf("%s: told %+v, not %+v", name, got, want)
			}
			for i, s := range got {
				if s.Trunk != want[i].Trunk || s.Code != want[i].Code || (s.Delay > 0) != (want[i].Delay > 0) {
					t.Fatalf("%s: told %+v, not %+v", name, s, want[i])
				}
			}
			mu.Lock()
			told = nil
			mu.Unlock()
			return
		}
	}
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	far, next := newPeer(t), newPeer(t)
	w := newWorld(t, worldOptions{media: MediaRelay, tune: func(g *Gateway) {
		tells(g)
		out(g, "second", next, Outward{})
		out(g, "carrier", far, Outward{})
	}})
	ends := func(id routing.CallID) {
		w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer})
		w.gone()
	}
	trunk := newPeer(t)

	_, a := w.arrives(trunk)
	began := time.Now()
	w.do(sendTo(a.Call))
	called := get(t, "INVITE", far.calls)
	_ = called.d.Progress(180, "", nil, nil)
	for rang := false; !rang && time.Since(began) < patience; {
		w.inside(a.Call, func(c *call) { rang = c.agent.rang })
	}
	rang := time.Since(began)
	time.Sleep(20 * time.Millisecond) // and is picked up later
	w.answersNumber(called, a.Call)
	mu.Lock()
	if len(told) == 1 && told[0].Delay > rang {
		t.Errorf("it rang within %v, and the delay is %v", rang, told[0].Delay)
	}
	mu.Unlock()
	expect(t, "answered", Setup{Trunk: "carrier", Code: 200, Delay: 1})
	ends(a.Call)

	_, a = w.arrives(trunk)
	w.do(sendTo(a.Call))
	_ = get(t, "INVITE", far.calls).d.Reject(503, "", nil)
	_ = get(t, "INVITE by the next trunk", next.calls).d.Reject(486, "", nil)
	w.expect(routing.NumberFailed{Call: a.Call, Code: 486})
	expect(t, "the next trunk", Setup{Trunk: "carrier", Code: 503, Delay: 1}, Setup{Trunk: "second", Code: 486, Delay: 1})
	ends(a.Call)

	_, a = w.arrives(trunk)
	w.do(sendTo(a.Call))
	_ = get(t, "INVITE", far.calls).d.Progress(180, "", nil, nil)
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer, Reason: "number_no_answer"})
	expect(t, "given up", Setup{Trunk: "carrier", Code: 487, Delay: 1})
	w.gone()

	longer := []stack.Header{{Name: "Min-SE", Value: "3600"}}
	_, a = w.arrives(trunk)
	w.do(sendTo(a.Call))
	_ = get(t, "INVITE", far.calls).d.Reject(422, "", longer)
	w.answersNumber(get(t, "INVITE of a longer session", far.calls), a.Call)
	expect(t, "answered after a 422", Setup{Trunk: "carrier", Code: 200, Delay: 1})
	ends(a.Call)

	_, a = w.arrives(trunk)
	w.do(sendTo(a.Call))
	_ = get(t, "INVITE", far.calls).d.Reject(422, "", longer)
	_ = get(t, "INVITE of a longer session", far.calls).d.Reject(422, "", longer)
	w.expect(routing.NumberFailed{Call: a.Call, Code: 422})
	expect(t, "refused with 422", Setup{Trunk: "carrier", Code: 422, Delay: 1})
	ends(a.Call)

	for code, want := range map[int]int{422: 422, 486: 486} { // and the caller gives up in between
		_, a = w.arrives(trunk)
		w.do(sendTo(a.Call))
		first := get(t, "INVITE", far.calls)
		w.inside(a.Call, func(c *call) {
			_ = first.d.Reject(code, "", longer)
			c.drop(c.agent, nil)
		})
		expect(t, "the call does not wait for it", Setup{Trunk: "carrier", Code: want, Delay: 1})
		ends(a.Call)
	}

	asks := newWorld(t, worldOptions{media: MediaRelay, tune: func(g *Gateway) {
		tells(g)
		out(g, "carrier", far, withLogin())
	}})
	_, a = asks.arrives(newPeer(t))
	asks.do(sendTo(a.Call))
	asksPassword(get(t, "INVITE", far.calls), trunkRealm, "one")
	asks.answersNumber(get(t, "INVITE with the password", far.calls), a.Call)
	expect(t, "answered after a 401", Setup{Trunk: "carrier", Code: 200, Delay: 1})
	asks.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
	asks.gone()

	quiet := newWorld(t, worldOptions{media: MediaRelay, tune: func(g *Gateway) {
		tells(g)
		g.unheardAfter = 20 * time.Millisecond
		out(g, "carrier", far, Outward{})
		g.trunks[0].Out.Host = netip.MustParseAddrPort(silent.LocalAddr().String()).String()
	}})
	_, a = quiet.arrives(newPeer(t))
	quiet.do(sendTo(a.Call))
	quiet.expect(routing.NumberFailed{Call: a.Call, Code: 408})
	quiet.do(routing.EndCall{Call: a.Call, Outcome: routing.Treated, By: routing.ByServer})
	expect(t, "nothing came", Setup{Trunk: "carrier", Code: 408})
}
