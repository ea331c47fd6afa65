package screenpop

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"go.uber.org/zap"
	"golang.org/x/time/rate"
)

const (
	readLimit    = 64 << 10
	writeTimeout = 5 * time.Second
	helloTimeout = 5 * time.Second
	closeTimeout = time.Second
	maxGuests    = 1024 // sockets that have not said hello
	frameRate    = 50   // frames a second from one desk; more are read later
	frameBurst   = 100
)

// conn is one socket. Its reader is the goroutine that serves the request, its
// writer a goroutine of its own; the hub's loop only ever appends to out.
type conn struct {
	ws  *websocket.Conn
	net *cork
	cut func(time.Time) error // bounds the write under way

	mu        sync.Mutex
	out       []text
	bytes     int
	bound     int // frames that may wait; 0 while seating: welcome and replay always fit
	boundSize int // bytes that may wait
	code      int // close code, once closing
	wake      chan struct{}
	stop      chan struct{} // closed with code
	readEnd   chan struct{} // closed when nobody reads any more

	spare []text // the writer's: room for the next frames

	// Owned by the loop.
	desk     *desk
	session  *session
	searches int // under way
}

// spareFrames bounds the room that is kept for frames: a replay needs more, once.
const spareFrames = 32

func newConn(ws *websocket.Conn, wire *cork, cut func(time.Time) error) *conn {
	return &conn{ws: ws, net: wire, cut: cut, wake: make(chan struct{}, 1), stop: make(chan struct{}), readEnd: make(chan struct{})}
}

// send queues a frame; a desk that lets too many wait is closed with 4408.
func (c *conn) send(t text) {
	c.mu.Lock()
	if c.code != 0 {
		c.mu.Unlock()
		return
	}
	if c.bound > 0 && (len(c.out) >= c.bound || c.bytes > c.boundSize) {
		c.mu.Unlock()
		c.close(closeSlow)
		return
	}
	c.out = append(c.out, t)
	c.bytes += t.size()
	c.mu.Unlock()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// welcome queues the first frame; it has no number.
func (c *conn) welcome(w welcomeView) error {
	b, err := json.Marshal(serverFrame{T: "welcome", D: w})
	if err == nil {
		c.send(text{plain: b})
	}
	return err
}

// seated ends the welcome and the replay: from here on the bounds hold.
func (c *conn) seated() {
	c.mu.Lock()
	c.bound, c.boundSize = len(c.out)+boundFrames, c.bytes+boundBytes
	c.mu.Unlock()
}

// waiting counts the frames not yet written.
func (c *conn) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out)
}

// close ends the socket with a code, after what is queued; the first call wins.
func (c *conn) close(code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.code != 0 {
		return
	}
	c.code = code
	if code == closeSlow {
		c.out = nil
	}
	// Nothing may keep a closing socket's writer for longer than this.
	_ = c.cut(time.Now().Add(closeTimeout))
	close(c.stop)
}

// take gives the writer the frames that wait.
func (c *conn) take() []text {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) == 0 {
		return nil
	}
	out := c.out
	c.out, c.spare, c.bytes = c.spare, nil, 0
	if c.bound > 0 {
		c.bound, c.boundSize = boundFrames, boundBytes
	}
	return out
}

func (c *conn) closing() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code
}

// write is the writer goroutine: frames, pings, and at the end the close frame.
func (c *conn) write(heartbeat time.Duration) {
	defer func() { _ = c.ws.Close() }()
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-c.wake:
			if !c.flush() {
				return
			}
		case <-beat.C:
			if c.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeTimeout)) != nil {
				return
			}
		case <-c.stop:
			c.flush()
			msg := websocket.FormatCloseMessage(c.code, "")
			_ = c.ws.WriteControl(websocket.CloseMessage, msg, time.Now().Add(closeTimeout))
			// A socket closed with unread data is reset, and the code lost: let
			// the desk answer first.
			select {
			case <-c.readEnd:
			case <-time.After(closeTimeout):
			}
			return
		}
	}
}

// drain reads the desk's answer to a close.
func (c *conn) drain() {
	_ = c.ws.SetReadDeadline(time.Now().Add(closeTimeout))
	for {
		if _, _, err := c.ws.NextReader(); err != nil {
			return
		}
	}
}

// flush writes all frames that wait, together.
func (c *conn) flush() bool {
	all := c.take()
	if len(all) == 0 {
		return true
	}
	c.net.hold()
	err := c.writeAll(all)
	if cap(all) <= spareFrames {
		clear(all)
		c.spare = all[:0]
	}
	return errors.Join(err, c.net.flush()) == nil
}

// writeAll puts a list of colleagues together here, where it takes no more than
// a moment's memory.
func (c *conn) writeAll(all []text) error {
	var whole *[]byte
	defer func() { c.net.giveBack(whole) }()
	for _, t := range all {
		if c.closing() == closeSlow {
			return nil // the rest is replayed when the desk resumes
		}
		if err := c.ws.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
			return err
		}
		one := t.plain
		if t.list != nil {
			if whole == nil {
				whole = c.net.room()
			}
			*whole = t.appendTo((*whole)[:0])
			one = *whole
		}
		if err := c.ws.WriteMessage(websocket.TextMessage, one); err != nil {
			return err
		}
	}
	return nil
}

// ServeHTTP is the desk socket.
func (h *Hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(websocket.Subprotocols(r), Protocol) {
		http.Error(w, "sub-protocol "+Protocol+" expected", http.StatusBadRequest)
		return
	}
	if h.guests.Add(1) > maxGuests {
		h.guests.Add(-1)
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many sockets", http.StatusServiceUnavailable)
		return
	}
	guest := sync.OnceFunc(func() { h.guests.Add(-1) })
	defer guest()
	if !h.enter() {
		http.Error(w, "going away", http.StatusServiceUnavailable)
		return
	}
	defer h.wg.Done()
	up := websocket.Upgrader{
		HandshakeTimeout: helloTimeout, Subprotocols: []string{Protocol},
		CheckOrigin: h.opt.CheckOrigin, ReadBufferSize: 4096, WriteBufferSize: 16384, WriteBufferPool: &h.drafts,
		Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			http.Error(w, http.StatusText(status), status)
		},
	}
	taken := &corking{ResponseWriter: w, spare: &h.corks}
	ws, err := up.Upgrade(taken, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	c := newConn(ws, taken.cork, taken.cork.Conn.SetWriteDeadline)
	h.wg.Go(func() { c.write(h.opt.Heartbeat) })
	h.serve(c, guest)
}

// enter counts a goroutine that Close waits for; false when the hub is closed.
func (h *Hub) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.wg.Add(1)
	return true
}

// serve reads one socket to its end.
func (h *Hub) serve(c *conn, seated func()) {
	defer close(c.readEnd)
	// A hub that closes between here and the seating must still end the socket.
	defer context.AfterFunc(h.ctx, func() { c.close(closeGoingAway) })()
	c.ws.SetReadLimit(readLimit)
	hello, t, code := h.greet(c)
	if code == 0 && !h.call(func() { h.attach(c, hello, t) }) {
		code = closeGoingAway
	}
	if code != 0 {
		c.close(code)
		c.drain()
		return
	}
	seated()
	h.conns.Add(1)
	defer h.conns.Add(-1)
	h.read(c)
	h.call(func() { h.detach(c) })
}

// greet reads hello and uses its ticket up.
func (h *Hub) greet(c *conn) (helloFrame, ticket, int) {
	_ = c.ws.SetReadDeadline(time.Now().Add(helloTimeout))
	kind, text, err := c.ws.ReadMessage()
	if err != nil {
		return helloFrame{}, ticket{}, closeNoTicket
	}
	f, hello, ok := parseHello(kind == websocket.TextMessage, text)
	switch {
	case !ok:
		return hello, ticket{}, closeBadFrame
	case f.T != "hello":
		return hello, ticket{}, closeNoTicket
	case hello.V != Version:
		return hello, ticket{}, closeVersion
	}
	t, ok := h.tickets.take(hello.Ticket)
	if !ok {
		return hello, t, closeNoTicket
	}
	if _, known := h.opt.Directory.Agent(t.agent); !known {
		return hello, t, closeNotAllowed
	}
	return hello, t, 0
}

// read hands the desk's frames to the loop, one at a time, until the socket
// ends. Either side that hears nothing for two heartbeats is gone.
func (h *Hub) read(c *conn) {
	alive := func() { _ = c.ws.SetReadDeadline(time.Now().Add(2 * h.opt.Heartbeat)) }
	alive()
	c.ws.SetPongHandler(func(string) error { alive(); return nil })
	answer := c.ws.PingHandler()
	c.ws.SetPingHandler(func(data string) error { alive(); return answer(data) })
	pace := rate.NewLimiter(frameRate, frameBurst)
	for {
		kind, text, err := c.ws.ReadMessage()
		if err != nil {
			code := closeDone
			if errors.Is(err, websocket.ErrReadLimit) {
				code = closeBadFrame
			}
			c.close(code)
			return
		}
		alive()
		f, ok := parseFrame(kind == websocket.TextMessage, text)
		if !ok {
			h.log.Warn("desk sent a bad frame", zap.Int("bytes", len(text)))
			c.close(closeBadFrame)
			return
		}
		if pace.Wait(h.ctx) != nil {
			return
		}
		if !h.call(func() { h.handle(c, f) }) {
			return
		}
	}
}
