package screenpop

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// slate is a wire that keeps each write and each deadline.
type slate struct {
	writes    [][]byte
	deadlines []time.Time
	err       error
}

func (s *slate) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.writes = append(s.writes, bytes.Clone(b))
	return len(b), nil
}

func (s *slate) SetWriteDeadline(t time.Time) error {
	s.deadlines = append(s.deadlines, t)
	return nil
}

// once writes what waits.
func (c *conn) once() bool {
	all, control, _ := c.take()
	return c.flush(all, control)
}

// What waits goes out in one write, in order and whole, however long each frame
// is; more than a room holds in parts.
func TestWrite(t *testing.T) {
	var sent []string
	for _, n := range []int{1, 125, 126, 127, 1<<16 - 1, 1 << 16, 200_000, 3} {
		sent = append(sent, strings.Repeat("x", n-1)+string(rune('a'+len(sent))))
	}
	lists := []text{
		{plain: []byte("["), list: newRoll([]colleagueView{{ID: "ann"}, {ID: "bob"}, {ID: "carl"}}), self: cut{}},
		{plain: []byte("["), list: newRoll([]colleagueView{{ID: "ann"}}), self: cut{}},
	}
	for _, l := range lists {
		sent = append(sent, string(l.appendTo(nil)))
	}
	wire := &slate{}
	c := newConn(nil, wire, &sync.Pool{})
	for _, s := range sent[:4] {
		c.send(text{plain: []byte(s)})
	}
	c.answerPing("first")
	c.answerPing("are you there")
	if !c.once() || len(wire.writes) != 1 {
		t.Fatalf("%d writes of four frames and a pong", len(wire.writes))
	}
	for _, s := range sent[4 : len(sent)-len(lists)] {
		c.send(text{plain: []byte(s)})
	}
	for _, l := range lists {
		c.send(l)
	}
	if !c.once() || len(wire.writes) < 3 || len(wire.writes) > 5 {
		t.Fatalf("%d writes in all", len(wire.writes))
	}
	if c.once(); len(wire.writes) > 5 {
		t.Error("written though nothing waited")
	}

	pongs := []string{}
	got := readAt(t, bytes.Join(wire.writes, nil), len(sent), func(ws *websocket.Conn) {
		ws.SetPongHandler(func(data string) error { pongs = append(pongs, data); return nil })
	})
	if !slices.Equal(got, sent) {
		t.Errorf("read %.80q, want %.80q", got, sent)
	}
	if !slices.Equal(pongs, []string{"are you there"}) {
		t.Errorf("pongs %q", pongs)
	}
}

// readAt has a desk read n messages that are on its wire.
func readAt(t *testing.T, wire []byte, n int, ready func(*websocket.Conn)) (got []string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := (&websocket.Upgrader{}).Upgrade(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		_, err = ws.NetConn().Write(wire)
		if err := errors.Join(err, ws.Close()); err != nil {
			t.Error(err)
		}
	}))
	defer srv.Close()
	ws, resp, err := websocket.DefaultDialer.Dial(strings.Replace(srv.URL, "http", "ws", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = resp.Body.Close(), ws.Close() }()
	ready(ws)
	for range n {
		kind, b, err := ws.ReadMessage()
		if err != nil || kind != websocket.TextMessage {
			t.Fatalf("message %d: kind %d, %v", len(got), kind, err)
		}
		got = append(got, string(b))
	}
	return got
}

// A wire that is gone ends the writer, be it told in the middle or at the end.
func TestWriteBroken(t *testing.T) {
	for _, n := range []int{1, 3 * roomSize} {
		c := newConn(nil, &slate{err: errors.New("broken")}, &sync.Pool{})
		c.send(text{plain: make([]byte, n)})
		if c.once() {
			t.Errorf("%d bytes went down a broken wire", n)
		}
	}
}

// A desk that takes nothing any more is cut off within the time a write has,
// whenever its last write was; nor is a deadline set anew for every frame.
func TestStuckDesk(t *testing.T) {
	for _, idle := range []time.Duration{0, writeTimeout/2 - 1, writeTimeout / 2, writeTimeout - 1, 10 * writeTimeout} {
		synctest.Test(t, func(t *testing.T) {
			near, far := net.Pipe()
			defer func() { _, _ = near.Close(), far.Close() }()
			go func() { // reads the first frame and no more
				_, _ = far.Read(make([]byte, 3))
			}()
			c := newConn(nil, near, &sync.Pool{})
			c.send(text{plain: []byte("1")})
			if !c.once() {
				t.Fatal("nothing was written")
			}
			time.Sleep(idle)
			c.send(text{plain: []byte("2")})
			from := time.Now()
			if c.once() {
				t.Error("written to nobody")
			}
			if took := time.Since(from); took < writeTimeout/2 || took > writeTimeout {
				t.Errorf("after %v: cut off within %v", idle, took)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		wire := &slate{}
		c := newConn(nil, wire, &sync.Pool{})
		for range 100 {
			c.send(text{plain: []byte("x")})
			c.once()
			time.Sleep(writeTimeout / 50)
		}
		if n := len(wire.deadlines); n < 3 || n > 5 {
			t.Errorf("%d deadlines for two of them", n)
		}
	})
}

// What keeps a closing desk's writer is cut short, and what no frame is left of
// is not told.
func TestCloseCutsTheWriteUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer func() { _, _ = near.Close(), far.Close() }()
		c := newConn(nil, near, &sync.Pool{})
		c.send(text{plain: []byte("1")})
		from := time.Now()
		time.AfterFunc(time.Millisecond, func() { c.close(closeSlow) })
		if c.once() {
			t.Error("written to nobody")
		}
		if took := time.Since(from); took > closeTimeout+time.Millisecond {
			t.Errorf("closed after %v", took)
		}
		c.send(text{plain: []byte("2")})
		if all, _, code := c.take(); len(all) != 0 || code != closeSlow {
			t.Errorf("%d frames wait, code %d", len(all), code)
		}
	})
}

// A socket that is closed before its writer looks has no longer either: whoever
// stops the hub waits for the slowest desk.
func TestCloseBeforeTheWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer func() { _, _ = near.Close(), far.Close() }()
		c := newConn(nil, near, &sync.Pool{})
		c.send(text{plain: make([]byte, 3*roomSize)})
		c.close(closeGoingAway)
		from := time.Now()
		if c.once() {
			t.Error("written to nobody")
		}
		if took := time.Since(from); took > closeTimeout {
			t.Errorf("closed after %v", took)
		}
	})
}

// A desk on a thin wire gets a long welcome and replay whole: each piece has its
// time, not all of them together.
func TestThinWire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pieces = 10
		near, far := net.Pipe()
		read := make(chan struct{})
		defer func() { _, _ = near.Close(), far.Close(); <-read }()
		go func() {
			defer close(read)
			for b := make([]byte, roomSize+2048); ; time.Sleep(writeTimeout / 4) {
				if _, err := far.Read(b); err != nil {
					return
				}
			}
		}()
		c := newConn(nil, near, &sync.Pool{})
		for range pieces {
			c.send(text{plain: make([]byte, roomSize)})
		}
		if !c.once() {
			t.Error("a desk that reads was cut off")
		}
	})
}
