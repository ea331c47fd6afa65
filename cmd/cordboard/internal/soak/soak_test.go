package main

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

// TestGrown: what rises steadily in the longest life of a process is told, and
// what is flat, or was higher before a restart, is not.
func TestGrown(t *testing.T) {
	w := &watch{}
	add := func(run int, dialogs, goroutines float64) {
		w.samples = append(w.samples, gauges{at: time.UnixMicro(0).Add(time.Duration(len(w.samples)) * lookEvery), run: run, value: map[string]float64{"cordboard_sip_dialogs": dialogs, "go_goroutines": goroutines}})
	}
	for range 20 {
		add(1, 10, 100)
	}
	for i := range 100 {
		add(2, 1500+float64(i%7), 300+5*float64(i))
	}
	bad := w.grown()
	if len(bad) != 1 || !strings.HasPrefix(bad[0], "goroutines grew") {
		t.Errorf("%q", bad)
	}
}

// TestTalks: the ledger's conversations must not overlap, neither of one agent
// nor of one call, and each must end.
func TestTalks(t *testing.T) {
	begin := time.UnixMicro(1_795_302_000_000_000)
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	event := func(kind string, agent agents.ID, s int) store.Event {
		return store.Event{Kind: kind, Agent: agent, At: at(s)}
	}
	connect, release := routing.Connect{}.Kind(), routing.Release{}.Kind()
	for _, c := range []struct {
		name string
		want string
		rows map[routing.CallID][]store.Event
		end  int
	}{
		{"one after the other", "", map[routing.CallID][]store.Event{1: {event(connect, "ann", 1), event(release, "ann", 3), event(connect, "bob", 4)}}, 9},
		{"two agents", "call 1 has two agents at once", map[routing.CallID][]store.Event{1: {event(connect, "ann", 1), event(connect, "bob", 2)}}, 9},
		{"two calls", "ann talks in calls", map[routing.CallID][]store.Event{1: {event(connect, "ann", 1)}, 2: {event(connect, "ann", 2)}}, 9},
		{"no end", "has no end", map[routing.CallID][]store.Event{1: {event(connect, "ann", 1)}}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := newTalks()
			for id, events := range c.rows {
				row := store.LedgerRow{Call: id}
				if c.end > 0 {
					row.EndedAt = at(c.end)
				}
				all.add(row, events)
			}
			got := strings.Join(all.clashes(), "; ")
			if c.want == "" && got != "" || !strings.Contains(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

// TestWire: what is frozen does not come before the thaw, and what is cut ends
// with a reset.
func TestWire(t *testing.T) {
	far, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	w, err := newWire("tcp", far.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	near, err := net.Dial("tcp", w.at())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	server, err := far.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	lines := bufio.NewReader(server)
	say := func(text string) {
		if _, err := fmt.Fprintln(near, text); err != nil {
			t.Fatal(err)
		}
	}
	hear := func() string {
		s, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(s)
	}
	say("one")
	if got := hear(); got != "one" {
		t.Fatalf("heard %q", got)
	}
	thaw := w.freeze(-1)
	say("two")
	heard := make(chan string)
	go func() { s, _ := lines.ReadString('\n'); heard <- strings.TrimSpace(s) }()
	select {
	case got := <-heard:
		t.Fatalf("heard %q through a frozen wire", got)
	case <-time.After(50 * time.Millisecond): // a leak would need no time at all
	}
	thaw()
	if got := <-heard; got != "two" {
		t.Fatalf("heard %q after the thaw", got)
	}
	w.cut(-1)
	if _, err := io.ReadAll(near); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the cut wire ended with %v", err)
	}
}

// TestRisen: what lives at the last rest, or is no heap, and is more than at the
// rest before is told, unless another process holds it; room that the collector
// left on the heap is no leak, unless it goes beyond what the collector leaves.
func TestRisen(t *testing.T) {
	begin := time.UnixMicro(1_795_302_000_000_000)
	at := func(minutes, run int, live, heap, rss float64) memory {
		return memory{born: begin, at: begin.Add(time.Duration(minutes) * time.Minute), run: run, live: live, goal: 1.5 * live, heap: heap, rss: rss, rest: rss - heap}
	}
	idle := func(m memory, mb float64) memory { m.idle = mb; return m }
	full := at(60, 2, 172, 235, 300)
	full.kept = 20
	for _, c := range []struct {
		name  string
		rests []memory
		want  string
	}{
		{"filling up, then level", []memory{at(20, 2, 40, 70, 120), at(40, 2, 150, 230, 290), at(60, 2, 152, 235, 300)}, ""},
		{"the live heap rises", []memory{at(20, 2, 150, 230, 290), at(40, 2, 150, 230, 290), at(60, 2, 162, 230, 290)}, "live heap but for customers at rest rose from 150.0 to 162.0 MB"},
		{"customers kept", []memory{at(40, 2, 150, 230, 290), full}, ""},
		{"more room", []memory{at(40, 2, 105, 170, 230), at(60, 2, 107, 205, 265)}, ""},
		{"scattered", []memory{at(40, 2, 105, 170, 230), idle(at(60, 2, 105, 290, 350), 90)}, ""},
		{"more than the collector leaves idle", []memory{at(40, 2, 105, 170, 230), idle(at(60, 2, 105, 230, 290), 100)}, "at rest 2 the heap has 230.0 MB, 100.0 MB of it idle"},
		{"more in use than lives", []memory{at(40, 2, 105, 170, 230), at(60, 2, 105, 260, 320)}, "at rest 2 the heap has 260.0 MB, 0.0 MB of it idle"},
		{"what is no heap rises", []memory{at(40, 2, 150, 230, 290), at(60, 2, 150, 230, 320)}, "what is no heap but for the database's pages at rest rose from 60.0 to 90.0 MB"},
		{"another process", []memory{at(40, 1, 50, 75, 100), at(60, 2, 150, 230, 300)}, ""},
		{"filling up", []memory{at(5, 1, 50, 75, 100), at(40, 1, 90, 140, 200)}, ""},
		{"one rest alone", []memory{at(40, 1, 50, 75, 100)}, ""},
	} {
		if got := strings.Join(risen(c.rests), "; "); c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestUnexplained: what is resident must have a name; the collector's room has
// one however large, and the database's pages and the customers kept have bounds.
func TestUnexplained(t *testing.T) {
	sqlite, postgres := &server{program: 50 * mb}, &server{program: 50 * mb, cluster: &pgtest.Cluster{}}
	sample := func(heap, rss, kept float64) gauges {
		return gauges{value: map[string]float64{
			"go_memstats_heap_inuse_bytes": heap * mb, "go_memstats_heap_idle_bytes": 20 * mb, "go_memstats_heap_released_bytes": 20 * mb,
			"go_memstats_stack_sys_bytes": 8 * mb, residentMetric: rss * mb, keptMetric: kept * mb, liveMetric: 100 * mb,
			`cordboard_store_connections{pool="read"}`: 8, `cordboard_store_connections{pool="write"}`: 1,
		}}
	}
	for _, c := range []struct {
		name string
		v    *server
		all  []gauges
		want string
	}{
		{"room for a reload", postgres, []gauges{sample(40, 130, 10), sample(700, 780, 64), sample(100, 180, 64)}, ""},
		{"no heap", postgres, []gauges{sample(40, 130, 10), sample(100, 200, 64), sample(100, 180, 64)}, "92 MB are resident that are neither"},
		{"pages of a file", sqlite, []gauges{sample(40, 130, 10), sample(100, 340, 64)}, ""},
		{"more than there can be", sqlite, []gauges{sample(40, 130, 10), sample(100, 355, 64)}, "247 MB are resident that are neither"},
		{"customers", sqlite, []gauges{sample(100, 200, 66)}, "66.0 MB of customers are kept"},
	} {
		for _, g := range c.all {
			c.v.account(g.value)
		}
		if got := strings.Join(c.v.unexplained(c.all), "; "); c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestUntold: a figure that the server does not tell any more is no figure that
// does not grow.
func TestUntold(t *testing.T) {
	v := &server{program: 50 * mb, cluster: &pgtest.Cluster{}}
	whole := map[string]float64{
		residentMetric: 90 * mb, liveMetric: 20 * mb, keptMetric: 0, "go_memstats_heap_inuse_bytes": 30 * mb, "go_memstats_stack_sys_bytes": mb,
	}
	for name := range whole {
		less := maps.Clone(whole)
		delete(less, name)
		v.account(less)
		if got := strings.Join(v.unexplained([]gauges{{value: less}}), "; "); got != "nothing is known of memory: the server has not told "+name {
			t.Errorf("without %s: %q", name, got)
		}
	}
	v.account(whole)
	if bad := v.unexplained([]gauges{{value: whole}}); len(bad) > 0 {
		t.Errorf("%q", bad)
	}
}

// TestLeakIsSeen: a kilobyte that stays of each call is told after an hour at 25
// calls a second, while customers that are kept fill up and the collector does as
// it likes; and without it nothing is.
func TestLeakIsSeen(t *testing.T) {
	begin := time.UnixMicro(1_795_302_000_000_000)
	for _, leak := range []float64{0, 1024} {
		v, w := &server{program: 50 * mb, cluster: &pgtest.Cluster{}}, &watch{}
		for i := range int(time.Hour / lookEvery) {
			took := time.Duration(i) * lookEvery
			kept := min(60, 10+took.Minutes()) * mb
			live := 40*mb + kept + leak*25*took.Seconds()
			heap := live * (1.5 + float64(i%40)/10) // up to five times what lives
			g := gauges{at: begin.Add(took), run: 1, value: map[string]float64{
				liveMetric: live, keptMetric: kept, "go_memstats_heap_inuse_bytes": heap, "go_memstats_stack_sys_bytes": mb, residentMetric: heap + 60*mb,
			}}
			v.account(g.value)
			w.samples = append(w.samples, g)
		}
		bad := strings.Join(append(w.grown(), v.unexplained(w.samples)...), "; ")
		if got := strings.Contains(bad, "live_less_mb grew"); got != (leak > 0) || leak == 0 && bad != "" {
			t.Errorf("%.0f bytes a call: %q", leak, bad)
		}
	}
}

// TestCertificates: a new connection is shown the certificate that was issued
// last, and by no other is the check content.
func TestCertificates(t *testing.T) {
	a, err := newAuthority(t.TempDir(), netip.MustParseAddr("127.0.0.1"))
	if err != nil {
		t.Fatal(err)
	}
	pair := func() tls.Certificate {
		c, err := tls.LoadX509KeyPair(filepath.Join(a.dir, certificateFile), filepath.Join(a.dir, keyFile))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	var mu sync.Mutex
	now := pair()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
		mu.Lock()
		defer mu.Unlock()
		return &now, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake()
			c.Close()
		}
	}()
	if err := a.shown(l.Addr().String()); err != nil {
		t.Error(err)
	}
	if err := a.issue(); err != nil {
		t.Fatal(err)
	}
	if err := a.shown(l.Addr().String()); err == nil {
		t.Error("the old certificate passes for the new one")
	}
	mu.Lock()
	now = pair()
	mu.Unlock()
	if err := a.shown(l.Addr().String()); err != nil {
		t.Error(err)
	}
}
