package main

import (
	"net"
	"net/url"
	"sync"
)

// wire is a TCP network to one listener: what goes over it can be cut with RST
// or held up without a word, as by a dead router.
type wire struct {
	in            net.Listener
	network, addr string
	wg            sync.WaitGroup

	mu    sync.Mutex
	pairs map[*pair]struct{}
}

type pair struct {
	client, server net.Conn
	once           sync.Once
	mu             sync.Mutex
	frozen         chan struct{} // closed when it flows again
}

func newWire(network, addr string) (*wire, error) {
	in, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{in: in, network: network, addr: addr, pairs: map[*pair]struct{}{}}
	w.wg.Go(w.accept)
	return w, nil
}

func (w *wire) at() string { return w.in.Addr().String() }

// postgres is the connection string of a database behind the wire.
func (w *wire) postgres(name string) string {
	return (&url.URL{Scheme: "postgres", User: url.User("postgres"), Host: w.at(), Path: "/" + name, RawQuery: "sslmode=disable"}).String()
}

func (w *wire) accept() {
	for {
		client, err := w.in.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial(w.network, w.addr)
		if err != nil {
			reset(client) // nobody listens there
			continue
		}
		p := &pair{client: client, server: server}
		w.mu.Lock()
		w.pairs[p] = struct{}{}
		w.mu.Unlock()
		w.wg.Go(func() { w.pump(p, client, server) })
		w.wg.Go(func() { w.pump(p, server, client) })
	}
}

func (w *wire) pump(p *pair, from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		p.mu.Lock()
		frozen := p.frozen
		p.mu.Unlock()
		if frozen != nil {
			<-frozen
		}
		if n > 0 {
			if _, werr := to.Write(buf[:n]); err == nil {
				err = werr
			}
		}
		if err != nil {
			w.end(p, false)
			return
		}
	}
}

// end closes both ends of a connection, with RST if so wished.
func (w *wire) end(p *pair, rst bool) {
	p.once.Do(func() {
		w.mu.Lock()
		delete(w.pairs, p)
		w.mu.Unlock()
		if rst {
			reset(p.client)
			reset(p.server)
			return
		}
		_ = p.client.Close()
		_ = p.server.Close()
	})
}

func reset(c net.Conn) {
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = c.Close()
}

// some picks n connections, or all for a negative n.
func (w *wire) some(n int) (out []*pair) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for p := range w.pairs { // any will do
		if len(out) == n {
			break
		}
		out = append(out, p)
	}
	return out
}

// cut resets n connections.
func (w *wire) cut(n int) {
	for _, p := range w.some(n) {
		w.end(p, true)
	}
}

// freeze holds n connections up: nothing passes, nothing is closed, until thaw.
func (w *wire) freeze(n int) (thaw func()) {
	quit := make(chan struct{})
	for _, p := range w.some(n) {
		p.mu.Lock()
		if p.frozen == nil {
			p.frozen = quit
		}
		p.mu.Unlock()
	}
	return func() {
		w.mu.Lock()
		for p := range w.pairs {
			p.mu.Lock()
			if p.frozen == quit {
				p.frozen = nil
			}
			p.mu.Unlock()
		}
		w.mu.Unlock()
		close(quit)
	}
}

func (w *wire) close() {
	_ = w.in.Close()
	w.cut(-1)
	w.wg.Wait()
}
