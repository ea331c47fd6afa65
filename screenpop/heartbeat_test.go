package screenpop_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
)

// The desk is pinged, its pings are answered, and one that says nothing any more
// is gone, though it takes all it is sent.
func TestHeartbeat(t *testing.T) {
	r := newRig(t, func(o *screenpop.Options) { o.Heartbeat = 300 * time.Millisecond })
	ws := r.socket()
	if err := ws.WriteJSON(map[string]any{"t": "hello", "d": map[string]any{"v": 1, "ticket": r.ticket("priya")}}); err != nil {
		t.Fatal(err)
	}
	event(r, func(e routing.DeskChanged) bool { return e.Up })
	_ = ws.SetReadDeadline(time.Now().Add(time.Minute))
	pings, answered := 0, false
	ws.SetPongHandler(func(data string) error { answered = data == "there?"; return nil })
	ws.SetPingHandler(func(string) error {
		pings++
		switch {
		case pings == 2:
			return ws.WriteControl(websocket.PingMessage, []byte("there?"), time.Now().Add(time.Second))
		case pings <= 5: // for longer than two heartbeats
			return ws.WriteControl(websocket.PongMessage, nil, time.Now().Add(time.Second))
		}
		return nil
	})
	var err error
	for err == nil {
		_, _, err = ws.ReadMessage()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a desk that says nothing is kept")
	}
	if pings < 6 || !answered {
		t.Errorf("%d pings, own ping answered: %t", pings, answered)
	}
	event(r, func(e routing.DeskChanged) bool { return !e.Up })
}

// A desk that closes its socket is answered in its own words.
func TestCloseIsAnswered(t *testing.T) {
	r := newRig(t)
	for _, code := range []int{1000, 1001, 3000} {
		ws := r.socket()
		if err := ws.WriteJSON(map[string]any{"t": "hello", "d": map[string]any{"v": 1, "ticket": r.ticket("priya")}}); err != nil {
			t.Fatal(err)
		}
		event(r, func(e routing.DeskChanged) bool { return e.Up })
		if err := ws.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(code, "")); err != nil {
			t.Fatal(err)
		}
		for {
			if got := closeCode(t, ws); got == code {
				break
			} else if got != 0 {
				t.Fatalf("closed with %d, answered with %d", code, got)
			}
		}
		event(r, func(e routing.DeskChanged) bool { return !e.Up })
	}
}
