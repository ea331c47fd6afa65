package screenpop

import (
	"context"
	"encoding/json"
	"errors"
	"io"
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
	ws    *websocket.Conn
	net   wire
	rooms *sync.Pool // of *[]byte, see flush

	mu        sync.Mutex
	out       []text
	bytes     int
	bound     int // frames that may wait; 0 while seating: welcome and replay always fit
	boundSize int // bytes that may wait
	control   []byte
	pong      []byte
	beat      *time.Timer // the next ping; nil before the first, and when the writer has ended
	until     time.Time   // the write deadline
	code      int         // close code, once closing
	wake      chan struct{}
	readEnd   chan struct{} // closed when nobody reads any more

	spare []text // the writer's: room for the next frames

	// The reader's: the frame that the loop is at, and its word that it is done.
	frame   deskFrame
	handled chan struct{}

	// Owned by the loop.
	desk     *desk
	session  *session
	changes  bool // of colleagues it is told what has changed
	searches int  // under way
}

// wire is the way out of a connection. A Write is never mixed with another.
type wire interface {
	Write([]byte) (int, error)
	SetWriteDeadline(time.Time) error
}

// spareFrames bounds the room that is kept for frames: a replay needs more, once.
const spareFrames = 32

func newConn(ws *websocket.Conn, net wire, rooms *sync.Pool) *conn {
	return &conn{ws: ws, net: net, rooms: rooms, wake: make(chan struct{}, 1), readEnd: make(chan struct{}), handled: make(chan struct{}, 1)}
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
	c.nudge()
}

// nudge has the writer look.
func (c *conn) nudge() {
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
	_ = c.net.SetWriteDeadline(time.Now().Add(closeTimeout))
	c.nudge()
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
		CheckOrigin: h.opt.CheckOrigin, ReadBufferSize: 4096,
		WriteBufferPool: &sync.Pool{}, // so that it keeps no room for messages, which it never writes
		Error: func(w http.ResponseWriter, _ *http.Request, status int, _ error) {
			http.Error(w, http.StatusText(status), status)
		},
	}
	ws, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	c := newConn(ws, ws.NetConn(), &h.rooms)
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
	// Answers are the writer's; that to a close comes after what is queued.
	c.ws.SetPingHandler(func(data string) error { c.answerPing(data); return nil })
	c.ws.SetCloseHandler(func(code int, _ string) error { c.close(code); return nil })
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
	c.ws.SetPingHandler(func(data string) error { alive(); c.answerPing(data); return nil })
	pace := rate.NewLimiter(frameRate, frameBurst)
	handle := func() {
		defer func() { c.handled <- struct{}{} }()
		h.handle(c, c.frame)
	}
	var room []byte
	for {
		kind, r, err := c.ws.NextReader()
		if err == nil {
			room, err = readAll(r, room)
		}
		if err != nil {
			code := closeDone
			if errors.Is(err, websocket.ErrReadLimit) {
				code = closeBadFrame
			}
			c.close(code)
			return
		}
		alive()
		f, ok := parseFrame(kind == websocket.TextMessage, room)
		if !ok {
			h.log.Warn("desk sent a bad frame", zap.Int("bytes", len(room)))
			c.close(closeBadFrame)
			return
		}
		if pace.Wait(h.ctx) != nil {
			return
		}
		c.frame = f
		if !h.post(handle) {
			return
		}
		select {
		case <-c.handled:
		case <-h.ctx.Done():
			return
		}
	}
}

// keptRoom is how much room a desk's reader keeps for the next frame.
const keptRoom = 4096

// readAll reads a message into room, or into more when it is too long for that.
func readAll(r io.Reader, room []byte) ([]byte, error) {
	if cap(room) > keptRoom {
		room = nil
	}
	room = room[:0]
	for {
		if len(room) == cap(room) {
			room = slices.Grow(room, max(512, cap(room)))
		}
		n, err := r.Read(room[len(room):cap(room)])
		room = room[:len(room)+n]
		if err == io.EOF {
			return room, nil
		}
		if err != nil {
			return room, err
		}
	}
}
