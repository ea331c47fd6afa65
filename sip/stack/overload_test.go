package stack

import (
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// serveCalls makes the lab answer its calls, and counts those that were taken
// and those that were answered and ended as they should.
func (l *lab) serveCalls(taken, good *atomic.Int64) {
	l.h.onNew.Store(new(func(d *Dialog, _ *Message) {
		taken.Add(1)
		acked := false
		d.Bind(func(e Event) {
			switch e.(type) {
			case Acked:
				acked = true
			case Ended:
				if acked {
					good.Add(1)
				}
			}
		})
		_ = d.Progress(180, "", nil, nil)
		_ = d.Accept(nil, []byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"))
	}))
}

// Three times the rated calls: the rated ones are served to their end, the rest
// is refused at once and leaves nothing (RFC 6357). The gate's clock goes by the
// calls that are offered, so that they are three times as many as rated however
// slow the machine is.
func TestOverload(t *testing.T) {
	t.Parallel()
	const rated, seconds = 100, 5
	const calls = 3 * rated * seconds
	var offered atomic.Int64
	began := time.Now()
	l := newLab(t, rfcTimers, func(o *Options) {
		o.Rate, o.MaxCalls = rated, calls
		o.Allow = func(a netip.Addr) bool { return a.IsLoopback() }
		o.timers.stands = time.Hour // see TestCallsBeyondTheProcessor
		o.timers.late = time.Hour   // see TestLateCallsAreRefused: where the machine stands still, such a call is remembered and not taken
		o.timers.offered = func(time.Time) time.Time {
			return began.Add(time.Duration(offered.Add(1)) * time.Second / (3 * rated))
		}
	})
	var taken, good atomic.Int64
	l.serveCalls(&taken, &good)
	scenario, err := filepath.Abs("testdata/sipp/offer.xml")
	if err != nil {
		t.Fatal(err)
	}
	sipp(t, l.Addr("udp").String(), "-sf", scenario, "-r", strconv.Itoa(3*rated), "-m", strconv.Itoa(calls), "-l", "2000", "-p", strconv.Itoa(freePort(t)))
	for end := time.Now().Add(patience); l.Calls() > 0 && time.Now().Before(end); {
		time.Sleep(time.Millisecond)
	}
	t.Logf("%d calls offered, %d taken, %d served", offered.Load(), taken.Load(), good.Load())
	if n := taken.Load(); n < rated*seconds*9/10 {
		t.Errorf("%d calls taken of %d rated", n, rated*seconds)
	} else if most := int64(rated*(seconds+standstill)) + 1; n > most {
		t.Errorf("%d calls taken, the limit is %d", n, most)
	}
	// What belongs to a call that was taken goes before what is refused.
	if good.Load() != taken.Load() {
		t.Errorf("%d calls served of %d taken", good.Load(), taken.Load())
	}
	if l.Calls() != 0 {
		t.Errorf("%d calls left", l.Calls())
	}
	// What was refused is not remembered; what was taken is, for 64*T1, its ACK
	// lost on the way or not.
	if n := l.Sizes().Dialogs; n > int(taken.Load()) {
		t.Errorf("%d dialogs are remembered of %d calls taken", n, taken.Load())
	}
}

// A call that has waited too long for its turn is refused before work is spent
// on it; calls in hand go on.
func TestLateCallsAreRefused(t *testing.T) {
	l := newLab(t, func(o *Options) { o.timers.late = -1 })
	p := newPeer(t, l.Stack)
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	m := p.expect("503 INVITE")
	if m.get("Retry-After") == "" || len(l.h.calls) > 0 || l.Calls() != 0 {
		t.Errorf("%d calls, %s", l.Calls(), m.raw)
	}
	p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: m.get("To")})
	c, inv := p.answered(l) // a call of ours
	p.callID = inv.get("Call-ID")
	p.ask(ask{method: "BYE", cseq: 1, from: inv.get("To") + ";tag=peer", to: inv.get("From")})
	p.expect("200 BYE")
	event[Ended](t, c)
}

// BenchmarkRefusal is what a call over the limit costs: INVITE, 503, ACK, the
// sender's side of it included; heap-B is what is left of one afterwards.
func BenchmarkRefusal(b *testing.B) {
	s, err := New(Options{
		Listen: []Listen{{"udp", netip.MustParseAddrPort("127.0.0.1:0")}}, MaxCalls: 1, Rate: 10_000,
		Allow: func(netip.Addr) bool { return true }, Handler: &handler{calls: make(chan *call, 1)},
	})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.Start()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Addr("udp")))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 65535)
	refused := func(i int) {
		head := fmt.Sprintf("sip:x@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKb%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>", c.LocalAddr(), i)
		_, _ = fmt.Fprintf(c, "INVITE %s\r\nCall-ID: b%d\r\nCSeq: 1 INVITE\r\nContact: <sip:a@%s>\r\nContent-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n", head, i, c.LocalAddr())
		for {
			_ = c.SetReadDeadline(time.Now().Add(patience))
			n, err := c.Read(buf)
			if err != nil {
				b.Fatal(err)
			}
			p := parsePacket(buf[:n])
			if p.is("100 INVITE") || p.get("Call-ID") != fmt.Sprintf("b%d", i) {
				if i == 0 {
					return // the one that has the place
				}
				continue
			}
			if !p.is("503 INVITE") {
				b.Fatal(p.first)
			}
			_, _ = fmt.Fprintf(c, "ACK %s;tag=%s\r\nCall-ID: b%d\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n", head, p.tag("To"), i)
			return
		}
	}
	refused(0)
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	b.ResetTimer()
	for i := range b.N {
		refused(i + 1)
	}
	b.StopTimer()
	b.ReportMetric((float64(heap())-float64(before))/float64(b.N), "heap-B/op")
}
