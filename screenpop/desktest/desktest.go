// Package desktest is a robot desktop: it signs in, opens the desk socket,
// draws every pop in memory, acks it with what it drew, and works the call as
// its Options say. Tests and the demo use it; it knows the server by
// docs/desk-protocol.md and docs/http-api.md alone, and its timestamps are its
// own.
package desktest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Options say where the robot works and how.
type Options struct {
	BaseURL string // http://host:port of the server
	// User and Password sign in, or Link does (demo links). Ticket, when set,
	// replaces both: it returns a desk ticket.
	User     string
	Password string
	Link     string
	Ticket   func(ctx context.Context) (string, error)

	Lang      string // en
	AutoReady bool   // signs in ready for calls

	NoAck        bool          // never acks: a desk that hangs
	Hidden       bool          // acks as a tab that is not visible
	AckDelay     time.Duration // paint time
	AcceptAfter  time.Duration // on_accept: Answer is pressed so long after may_accept
	NoAccept     bool
	DeclineEvery int // every n-th pop is declined; 0 never

	// Transfer says, when a talk begins, whether and where the call is passed
	// on; nil, or a nil result, keeps it.
	Transfer func(Card) *Transfer
	// HangUpAfter ends each talk from this side; 0 leaves it to the caller.
	HangUpAfter time.Duration
	// WrapUp ends after-call work; nil leaves it to the server's clock.
	WrapUp *WrapUp
	// Alone does not read the states of the colleagues: hundreds of robots in
	// one program would do little else.
	Alone bool
	// OnPop is told of each pop as it is drawn, before the ack. It runs on the
	// robot's reading goroutine.
	OnPop func(Card)
}

// Transfer passes a call on After the talk began.
type Transfer struct {
	After               time.Duration
	Topic, Queue, Agent string
	Draft               string // the robot's own notes, saved first
	Note                string // the sentence for the receiver
}

// WrapUp is how the robot ends after-call work.
type WrapUp struct {
	Disposition string
	BySet       map[string]string // the disposition for a queue's set, instead of Disposition
	Note        string
	After       time.Duration
}

// ErrClosed is the error of a robot whose socket has been closed for good.
var ErrClosed = errors.New("desktest: desk is closed")

// errProtocol ends a robot: the server did not keep to the protocol.
var errProtocol = errors.New("desktest: the server broke the protocol")

// Refused is a result that says no.
type Refused struct{ Code string }

func (r *Refused) Error() string { return "desktest: refused: " + r.Code }

// Desk is one robot desktop.
type Desk struct {
	opt    Options
	client *http.Client
	base   *url.URL
	user   string
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup

	writeMu sync.Mutex // one writer on the socket at a time

	mu      sync.Mutex
	changed chan struct{} // closed and replaced on every change
	ws      *websocket.Conn
	state   State
	seen    []*Seen
	pops    int
	session string
	seq     int64
	nextID  int64
	results map[int64]chan Result
	err     error
	code    int
}

// Dial signs in, opens the desk and waits for its welcome. ctx bounds the
// dialling alone; Close ends the robot.
func Dial(ctx context.Context, opt Options) (*Desk, error) {
	if opt.Lang == "" {
		opt.Lang = "en"
	}
	base, err := url.Parse(opt.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("desktest: base URL: %w", err)
	}
	d := &Desk{
		opt: opt, base: base, changed: make(chan struct{}), results: map[int64]chan Result{},
		client: &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{}},
		state:  State{Cards: map[int64]Card{}},
	}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	if opt.Ticket == nil {
		if err := d.signIn(ctx); err != nil {
			d.cancel()
			d.client.CloseIdleConnections()
			return nil, err
		}
	}
	ws, err := d.open(ctx)
	if err != nil {
		d.cancel()
		d.client.CloseIdleConnections()
		return nil, err
	}
	d.wg.Go(func() { d.run(ws) })
	return d, nil
}

// Close closes the socket and waits for the robot to end. It does not sign the
// agent out.
func (d *Desk) Close() {
	d.cancel()
	d.mu.Lock()
	ws := d.ws
	d.mu.Unlock()
	if ws != nil {
		msg := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
		_ = ws.WriteControl(websocket.CloseMessage, msg, time.Now().Add(time.Second))
		_ = ws.Close()
	}
	d.wg.Wait()
	d.client.CloseIdleConnections()
}

// Drop cuts the connection as a lost network does; the robot then resumes.
func (d *Desk) Drop() {
	d.mu.Lock()
	ws := d.ws
	d.mu.Unlock()
	if ws != nil {
		_ = ws.NetConn().Close()
	}
}

// run reads sockets until the robot is closed or the server says for good.
func (d *Desk) run(ws *websocket.Conn) {
	for {
		err := d.read(ws)
		_ = ws.Close()
		code := 0
		var closed *websocket.CloseError
		if errors.As(err, &closed) {
			code = closed.Code
		}
		d.mu.Lock()
		d.ws, d.code = nil, code
		d.state.Connected = false
		for id, ch := range d.results {
			close(ch)
			delete(d.results, id)
		}
		d.mu.Unlock()
		d.tell()
		if d.ctx.Err() != nil || final(code) || errors.Is(err, errProtocol) {
			d.end(err)
			return
		}
		if ws, err = d.reopen(); err != nil {
			d.end(err)
			return
		}
	}
}

// final says whether a close code means that coming back is of no use.
func final(code int) bool {
	switch code {
	case websocket.CloseNormalClosure, 4400, 4401, 4403, 4409, 4426:
		return true
	}
	return false
}

func (d *Desk) end(err error) {
	if err == nil {
		err = ErrClosed
	}
	d.mu.Lock()
	d.err = err
	d.mu.Unlock()
	d.tell()
}

// reopen comes back with growing pauses, for a minute.
func (d *Desk) reopen() (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(d.ctx, time.Minute)
	defer cancel()
	pause := 20 * time.Millisecond
	for {
		ws, err := d.open(ctx)
		if err == nil {
			return ws, nil
		}
		var closed *websocket.CloseError
		if errors.As(err, &closed) && final(closed.Code) {
			return nil, err
		}
		select {
		case <-time.After(pause + rand.N(pause)):
		case <-ctx.Done():
			return nil, err
		}
		pause = min(2*pause, 5*time.Second)
	}
}

func (d *Desk) open(ctx context.Context) (*websocket.Conn, error) {
	ticket, err := d.ticket(ctx)
	if err != nil {
		return nil, err
	}
	u := *d.base
	u.Scheme, u.Path = strings.Replace(u.Scheme, "http", "ws", 1), "/desk"
	dialer := websocket.Dialer{HandshakeTimeout: 5 * time.Second, Subprotocols: []string{"cordboard.desk.v1"}}
	ws, resp, err := dialer.DialContext(ctx, u.String(), http.Header{"Origin": {d.origin()}})
	if err != nil {
		status := 0
		if resp != nil {
			status = resp.StatusCode
		}
		return nil, fmt.Errorf("desktest: open desk (HTTP %d): %w", status, err)
	}
	hello := map[string]any{"v": 1, "ticket": ticket, "lang": d.opt.Lang, "auto_ready": d.opt.AutoReady, "changes": true}
	d.mu.Lock()
	if d.session != "" {
		hello["resume"] = map[string]any{"session": d.session, "seq": d.seq}
	}
	d.mu.Unlock()
	_ = ws.SetReadDeadline(time.Now().Add(10 * time.Second))
	if err := ws.WriteJSON(map[string]any{"t": "hello", "d": hello}); err != nil {
		_ = ws.Close()
		return nil, fmt.Errorf("desktest: hello: %w", err)
	}
	var f frame
	if err := ws.ReadJSON(&f); err != nil {
		_ = ws.Close()
		return nil, fmt.Errorf("desktest: welcome: %w", err)
	}
	var w Welcome
	if f.T != "welcome" || json.Unmarshal(f.D, &w) != nil {
		_ = ws.Close()
		return nil, fmt.Errorf("desktest: %q instead of a welcome", f.T)
	}
	if err := d.welcomed(ws, w); err != nil {
		_ = ws.Close()
		return nil, err
	}
	return ws, nil
}
