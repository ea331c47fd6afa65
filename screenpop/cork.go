package screenpop

import (
	"bufio"
	"net"
	"net/http"
	"sync"
	"time"
)

// corkSize is how much is held back at most: what is longer goes out in parts.
const corkSize = 64 << 10

// cork is a desk's connection. Between hold and flush it gathers what is
// written, so that the frames of one moment cost one system call, not one each.
type cork struct {
	net.Conn
	spare *sync.Pool // of buffers: a desk that has nothing to say holds none
	mu    sync.Mutex // the socket's pongs are written by its reader
	held  *[]byte    // nil: not corked
}

// Write implements net.Conn. What is held back counts as written: its error is
// that of flush, or of a later Write.
func (c *cork) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		return c.Conn.Write(b)
	}
	for rest := b; len(rest) > 0; {
		n := min(len(rest), corkSize-len(*c.held))
		*c.held = append(*c.held, rest[:n]...)
		rest = rest[n:]
		if len(*c.held) == corkSize {
			if err := c.out(); err != nil {
				return len(b) - len(rest), err
			}
		}
	}
	return len(b), nil
}

// out writes what is held. c.mu is held.
func (c *cork) out() error {
	held := *c.held
	*c.held = held[:0]
	if len(held) == 0 {
		return nil
	}
	_, err := c.Conn.Write(held)
	return err
}

// SetWriteDeadline implements net.Conn. A pong's deadline is the pong's: it
// waits for a write that is under way, as the pong itself does.
func (c *cork) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.Conn.SetWriteDeadline(t)
}

// hold begins to gather.
func (c *cork) hold() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		c.held = c.room()
	}
}

// room is an empty buffer of corkSize or more, to be given back.
func (c *cork) room() *[]byte {
	if b, ok := c.spare.Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, corkSize)
	return &b
}

func (c *cork) giveBack(b *[]byte) {
	if b != nil && cap(*b) <= 4*corkSize { // one that a huge list has grown is not kept
		*b = (*b)[:0]
		c.spare.Put(b)
	}
}

// flush writes what has been gathered, and ends the gathering.
func (c *cork) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.held == nil {
		return nil
	}
	err := c.out()
	c.giveBack(c.held)
	c.held = nil
	return err
}

// corking is the response to an upgrade: the connection taken over through it
// is a cork.
type corking struct {
	http.ResponseWriter
	spare *sync.Pool
	cork  *cork
}

// Hijack implements http.Hijacker.
func (w *corking) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.cork = &cork{Conn: conn, spare: w.spare}
	return w.cork, rw, nil
}
