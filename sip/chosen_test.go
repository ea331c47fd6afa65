package sip

import (
	"context"
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/stack"
)

// A trunk that names whom it has chosen has its call back by 302 when the record is
// there, routing hears nothing of it, and a header that names nobody is refused. Calls
// without the header are routed.
func TestCallComesBy(t *testing.T) {
	told, painted := make(chan Chosen), make(chan struct{})
	w := newWorld(t, worldOptions{tune: func(g *Gateway) {
		g.trunks[0].Chosen, g.trunks[0].Out = "X-Agent", &Outward{Host: "pbx.example:5080"}
		g.chosen = func(ctx context.Context, c Chosen) {
			told <- c
			select {
			case <-painted:
			case <-ctx.Done():
			}
		}
	}})
	trunk := newPeer(t)
	comes := func(agent string) *peerCall {
		return w.call(trunk, nil, newPeerCall(t), stack.Header{Name: "P-Asserted-Identity", Value: "<sip:+447700900123@carrier.example>"}, stack.Header{Name: "x-agent", Value: agent})
	}
	c := comes(" 101 ")
	if got := get(t, "the word of a call", told); got.Extension != "101" || got.Trunk != "carrier" || got.Caller.Number.E164() != "+447700900123" || got.Dialled == "" {
		t.Errorf("%+v", got)
	}
	painted <- struct{}{}
	if got := event[stack.Failed](c); got.Code != 302 || got.Response.Get("Contact") != "<sip:101@pbx.example:5080>" {
		t.Errorf("%d %v", got.Code, got.Response.Headers)
	}
	for _, bad := range []string{"101@elsewhere.example", "1 0 1", "<sip:101>", "101;transport=tcp", "\u0661"} {
		if got := event[stack.Failed](comes(bad)); got.Code != 400 {
			t.Errorf("%q: %d", bad, got.Code)
		}
	}
	c = comes("102")
	get(t, "the word of a call", told)
	c.d.Cancel() // while the desk paints
	if got := event[stack.Failed](c); got.Code != 487 {
		t.Errorf("given up: %d", got.Code)
	}
	if len(w.router.arrivals) > 0 {
		t.Errorf("routing has %+v", <-w.router.arrivals)
	}
	c, id := w.unanswered(trunk)
	event[stack.Progress](c)
	c.d.Bye(nil)
	w.expect(routing.CallerGone{Call: id, Unanswered: true})
	w.endsRedirected(id)
}
