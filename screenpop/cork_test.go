package screenpop

import (
	"bytes"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// slate is a connection that keeps each write.
type slate struct {
	net.Conn
	writes [][]byte
	err    error
}

func (s *slate) Write(b []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	s.writes = append(s.writes, bytes.Clone(b))
	return len(b), nil
}

// What is written while a cork holds goes out in one write, in order and whole,
// however long it is; without it at once.
func TestCork(t *testing.T) {
	wire := &slate{}
	c := &cork{Conn: wire, spare: &sync.Pool{}}
	write := func(b []byte) {
		t.Helper()
		if n, err := c.Write(b); n != len(b) || err != nil {
			t.Fatalf("wrote %d of %d: %v", n, len(b), err)
		}
	}
	write([]byte("at once"))
	c.hold()
	write([]byte("one, "))
	write([]byte("two"))
	if len(wire.writes) != 1 {
		t.Fatalf("%d writes before the flush", len(wire.writes))
	}
	if err := c.flush(); err != nil {
		t.Fatal(err)
	}
	long := bytes.Repeat([]byte("0123456789"), corkSize/4)
	c.hold()
	write(long)
	if err := errors.Join(c.flush(), c.flush()); err != nil {
		t.Fatal(err)
	}
	write([]byte("at once again"))
	n := len(wire.writes)
	if string(wire.writes[0]) != "at once" || string(wire.writes[1]) != "one, two" || string(wire.writes[n-1]) != "at once again" {
		t.Errorf("wrote %.60q", wire.writes)
	}
	if got := bytes.Join(wire.writes[2:n-1], nil); !bytes.Equal(got, long) || n != 6 {
		t.Errorf("%d bytes in %d writes, want %d in 3", len(got), n-3, len(long))
	}
}

// A connection that is gone is told by the flush, and by the writes after it.
func TestCorkBroken(t *testing.T) {
	broken := errors.New("broken")
	c := &cork{Conn: &slate{err: broken}, spare: &sync.Pool{}}
	c.hold()
	if _, err := c.Write([]byte("held")); err != nil {
		t.Errorf("held back, and yet: %v", err)
	}
	if err := c.flush(); !errors.Is(err, broken) {
		t.Errorf("flush: %v", err)
	}
	c.hold()
	if n, err := c.Write(make([]byte, 2*corkSize)); !errors.Is(err, broken) || n > corkSize {
		t.Errorf("%d of more than fits: %v", n, err)
	}
	if err := c.flush(); err != nil {
		t.Errorf("what was told already is told again: %v", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, broken) {
		t.Errorf("write: %v", err)
	}
}

// stuck is a connection whose peer does not read.
type stuck struct {
	net.Conn
	writing, let chan struct{}
	said         chan string
}

func (s *stuck) Write(b []byte) (int, error) {
	close(s.writing)
	<-s.let
	s.said <- "written"
	return len(b), nil
}

func (s *stuck) SetWriteDeadline(time.Time) error {
	s.said <- "deadline"
	return nil
}

// A pong's deadline does not cut the frames short that are being written.
func TestCorkDeadlineOfAPong(t *testing.T) {
	wire := &stuck{writing: make(chan struct{}), let: make(chan struct{}), said: make(chan string, 2)}
	c := &cork{Conn: wire, spare: &sync.Pool{}}
	c.hold()
	if _, err := c.Write([]byte("frames")); err != nil {
		t.Fatal(err)
	}
	var both sync.WaitGroup
	both.Go(func() { _ = c.flush() })
	<-wire.writing
	both.Go(func() { _ = c.SetWriteDeadline(time.Now()) })
	select {
	case <-wire.said:
		t.Error("the deadline came while frames were being written")
	case <-time.After(20 * time.Millisecond): // long enough for one that does not wait
	}
	close(wire.let)
	both.Wait()
}
