package screenpop

import (
	"encoding/binary"
	"time"

	"github.com/gorilla/websocket"
)

// The writer puts frames on the wire itself: those of one moment, with their
// headers, are one piece of memory and one system call. The WebSocket library
// writes nothing but close frames.

// First bytes of a frame that is whole: RFC 6455 section 5.2.
const (
	opText = 0x81
	opPing = 0x89
	opPong = 0x8a
)

// roomSize is how much is written in one call, about; what is longer goes out
// in parts.
const roomSize = 64 << 10

// write is the writer goroutine: frames, pings, and at the end the close frame.
func (c *conn) write(heartbeat time.Duration) {
	defer func() { _ = c.ws.Close() }()
	c.beatEach(heartbeat)
	defer c.stopBeat()
	for range c.wake {
		all, control, code := c.take()
		if !c.flush(all, control) {
			return
		}
		if code != 0 {
			c.leave(code)
			return
		}
	}
}

// beatEach has a ping written each time so much has passed.
func (c *conn) beatEach(heartbeat time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beat = time.AfterFunc(heartbeat, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.beat == nil {
			return
		}
		c.control = append(c.control[:0], opPing, 0) // a second one says no more than the first
		c.beat.Reset(heartbeat)
		c.nudge()
	})
}

func (c *conn) stopBeat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.beat.Stop()
	c.beat = nil
}

// answerPing has the writer answer a ping, the last one if there are several
// (RFC 6455 section 5.5.3). data is at most 125 bytes: the reader has seen to it.
func (c *conn) answerPing(data string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pong = append(append(c.pong[:0], opPong, byte(len(data))), data...)
	c.nudge()
}

// take gives the writer what waits, and the close code, if this is the end.
func (c *conn) take() (all []text, control []byte, code int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.out) > 0 {
		all = c.out
		c.out, c.spare, c.bytes = c.spare, nil, 0
		if c.bound > 0 {
			c.bound, c.boundSize = boundFrames, boundBytes
		}
	}
	if len(c.control)+len(c.pong) > 0 {
		control = append(c.control, c.pong...)
		c.control, c.pong = nil, nil
	}
	return all, control, c.code
}

// put writes one piece, which has half of writeTimeout at least, however many
// went before it. Those of a closing socket have what close has left them.
func (c *conn) put(b []byte) error {
	c.mu.Lock()
	if now := time.Now(); c.code == 0 && c.until.Sub(now) < writeTimeout/2 {
		c.until = now.Add(writeTimeout)
		_ = c.net.SetWriteDeadline(c.until)
	}
	c.mu.Unlock()
	_, err := c.net.Write(b)
	return err
}

func (c *conn) closing() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code
}

// flush writes all that waits, together. False when the wire is dead.
func (c *conn) flush(all []text, control []byte) bool {
	room, ok := c.rooms.Get().(*[]byte)
	if !ok {
		room = new(make([]byte, 0, roomSize+roomSize/4))
	}
	b := append((*room)[:0], control...)
	var err error
	for _, t := range all {
		if b = t.appendMessage(b); len(b) >= roomSize {
			if c.closing() == closeSlow {
				b = b[:0] // it is replayed when the desk resumes
				break
			}
			if err = c.put(b); err != nil {
				break
			}
			b = b[:0]
		}
	}
	if len(b) > 0 && err == nil {
		err = c.put(b)
	}
	if cap(b) <= 4*roomSize { // one that a huge list has grown is not kept
		*room = b
		c.rooms.Put(room)
	}
	if cap(all) <= spareFrames {
		clear(all)
		c.spare = all[:0]
	}
	return err == nil
}

// leave sends the close frame. A socket closed with unread data is reset, and
// the code lost: the desk may answer first.
func (c *conn) leave(code int) {
	_ = c.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(closeTimeout))
	select {
	case <-c.readEnd:
	case <-time.After(closeTimeout):
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

// appendMessage appends the frame as it stands on the wire: whole and, as a
// server's are, not masked (RFC 6455 section 5.2).
func (t text) appendMessage(b []byte) []byte {
	switch n := t.size(); {
	case n <= 125:
		b = append(b, opText, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, opText, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, opText, 127), uint64(n))
	}
	return t.appendTo(b)
}
