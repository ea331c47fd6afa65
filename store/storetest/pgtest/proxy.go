package pgtest

import (
	"bytes"
	"errors"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Proxy stands between a client and a cluster on a TCP port and does to its
// connections what networks and failing servers do.
type Proxy struct {
	cluster *Cluster
	in      net.Listener
	over    sync.WaitGroup

	mu     sync.Mutex
	conns  map[net.Conn]struct{} // both ends
	delay  time.Duration
	commit Commit
	after  []byte                // what a connection that commits must have sent before; nil: anything
	sent   map[net.Conn]struct{} // clients that have
	cuts   int
	quit   chan struct{}
	change chan struct{} // closed when delay changes
	late   chan struct{} // closed by Late
}

// Commit is what happens to a connection that asks for a COMMIT.
type Commit int

const (
	CommitPasses  Commit = iota
	CommitUnheard        // done by the server, and the connection is reset before it says so
	CommitLost           // the connection is reset before the server hears of it
	CommitLate           // the connection is reset, and the server hears of it when Late is called
)

// NewProxy starts a proxy for the test.
func NewProxy(t testing.TB, c *Cluster) *Proxy {
	t.Helper()
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{cluster: c, in: in, conns: map[net.Conn]struct{}{}, sent: map[net.Conn]struct{}{}, quit: make(chan struct{}), change: make(chan struct{}), late: make(chan struct{})}
	p.over.Go(p.accept)
	t.Cleanup(func() {
		close(p.quit)
		_ = in.Close()
		p.Cut()
		p.over.Wait()
	})
	return p
}

// URL is the connection string of a database by way of the proxy.
func (p *Proxy) URL(database string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Host: p.in.Addr().String(), Path: "/" + database, RawQuery: "sslmode=disable"}).String()
}

func (p *Proxy) accept() {
	for {
		client, err := p.in.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", p.cluster.Socket())
		if err != nil {
			reset(client)
			continue
		}
		p.mu.Lock()
		p.conns[client], p.conns[server] = struct{}{}, struct{}{}
		p.mu.Unlock()
		p.over.Go(func() { p.pass(client, server, p.toServer) })
		p.over.Go(func() { p.pass(server, client, func(net.Conn, net.Conn, []byte) bool { return true }) })
	}
}

// pass copies one way; look may delay what is passed, or end it.
func (p *Proxy) pass(from, to net.Conn, look func(from, to net.Conn, b []byte) bool) {
	defer p.gone(from, to)
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if !look(from, to, buf[:n]) {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func (p *Proxy) gone(conns ...net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range conns {
		delete(p.conns, c)
		delete(p.sent, c)
		_ = c.Close()
	}
}

var commitQuery = []byte("commit\x00")

func (p *Proxy) toServer(client, server net.Conn, b []byte) bool {
	p.mu.Lock()
	delay, change, commit := p.delay, p.change, p.commit
	if len(p.after) > 0 && bytes.Contains(b, p.after) {
		p.sent[client] = struct{}{}
	}
	_, sent := p.sent[client]
	hit := commit != CommitPasses && (sent || p.after == nil) && bytes.Contains(b, commitQuery)
	if hit {
		p.cuts++
		p.commit = CommitPasses // once
	}
	p.mu.Unlock()
	if hit {
		reset(client)
		if commit == CommitLate {
			select {
			case <-p.late:
			case <-p.quit:
			}
		}
		if commit != CommitLost {
			_, _ = server.Write(b) // it reads this to the end, though nobody is left to answer
		}
		return false
	}
	if delay > 0 {
		t := time.NewTimer(delay)
		defer t.Stop()
		select {
		case <-t.C:
		case <-change:
		case <-p.quit:
			return false
		}
	}
	return true
}

// Delay holds back each message to the server, and so each query. It takes
// effect at once, also on what is held back now.
func (p *Proxy) Delay(d time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delay = d
	close(p.change)
	p.change = make(chan struct{})
}

// AtCommit says what happens to the next connection that commits.
func (p *Proxy) AtCommit(c Commit) { p.AtCommitOf("", c) }

// AtCommitOf says what happens to the next connection that commits after it has
// sent some bytes, such as an argument of a query; "" for any.
func (p *Proxy) AtCommitOf(sent string, c Commit) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.commit, p.after = c, []byte(sent)
	if sent == "" {
		p.after = nil
	}
	clear(p.sent)
}

// Late lets the server hear of the commit that AtCommit held back.
func (p *Proxy) Late() { close(p.late) }

// Cuts counts the commits that AtCommit has hit.
func (p *Proxy) Cuts() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cuts
}

// Cut resets all connections.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		reset(c)
	}
}

// Open counts the clients' connections.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns) / 2
}

// reset closes a connection by RST, without an orderly end.
func reset(c net.Conn) {
	if tcp, ok := c.(*net.TCPConn); ok {
		if err := tcp.SetLinger(0); err != nil && !errors.Is(err, net.ErrClosed) {
			return
		}
	}
	_ = c.Close()
}
