package stack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// drive offers calls to a gate at the groups' rates for some seconds of its
// time, each call held for so long, and counts what is let in.
func drive(g *gate, seconds int, hold time.Duration, rates map[string]int) map[string]int {
	type end struct {
		at    time.Time
		group string
	}
	var ends []end
	got := map[string]int{}
	begin := time.Unix(1_700_000_000, 0)
	for ms := range seconds * 1000 {
		now := begin.Add(time.Duration(ms) * time.Millisecond)
		for len(ends) > 0 && !ends[0].at.After(now) {
			g.leave(ends[0].group)
			ends = ends[1:]
		}
		for _, group := range []string{"a", "b", "c"} {
			for range (ms+1)*rates[group]/1000 - ms*rates[group]/1000 {
				if g.enter(group, now) {
					got[group]++
					ends = append(ends, end{now.Add(hold), group})
				}
			}
		}
	}
	return got
}

// Each neighbour has its share of the rate, whoever floods, and what one
// leaves is the others'.
func TestGateShares(t *testing.T) {
	for name, tc := range map[string]struct {
		rates, least, most map[string]int
	}{
		"alone":             {map[string]int{"a": 300}, map[string]int{"a": 1000}, map[string]int{"a": 1200}},
		"flood and trickle": {map[string]int{"a": 10_000, "b": 10}, map[string]int{"a": 880, "b": 100}, map[string]int{"a": 1100, "b": 100}},
		"flood and half":    {map[string]int{"a": 10_000, "b": 45}, map[string]int{"a": 500, "b": 445}, map[string]int{"a": 800, "b": 450}},
		"three floods":      {map[string]int{"a": 500, "b": 5000, "c": 2000}, map[string]int{"a": 320, "b": 320, "c": 320}, map[string]int{"a": 470, "b": 470, "c": 470}},
	} {
		got := drive(newGate(0, 100, 3), 10, 0, tc.rates)
		all := 0
		for group := range tc.rates {
			if got[group] < tc.least[group] || got[group] > tc.most[group] {
				t.Errorf("%s: %s had %d calls, want %d to %d", name, group, got[group], tc.least[group], tc.most[group])
			}
			all += got[group]
		}
		if all > 1000+(standstill+1)*100 { // and what is owed
			t.Errorf("%s: %d calls in 10 s at 100 a second", name, all)
		}
	}
	// A second neighbour's first call is let in at the height of the first's flood.
	g := newGate(0, 100, 2)
	drive(g, 3, 0, map[string]int{"a": 5000})
	if !g.enter("b", time.Unix(1_700_000_003, 0)) {
		t.Error("b's first call was refused")
	}
}

// A process that has stood still reads what was sent meanwhile in one instant: at
// half its rate, which comes unevenly, none of it is refused.
func TestGateAfterAStandstill(t *testing.T) {
	for _, groups := range []map[string]int{{"a": 25}, {"a": 20, "b": 5}} {
		g := newGate(0, 50, 2)
		drive(g, 5, 0, groups)
		thaw := time.Unix(1_700_000_007, 0)
		for group, rate := range groups {
			for n := range rate * 5 / 2 { // in two seconds, and a quarter more
				if !g.enter(group, thaw) {
					t.Errorf("%v: call %d of %s was refused", groups, n+1, group)
					break
				}
			}
		}
		for range 50 {
			g.enter("a", thaw)
		}
		if g.enter("a", thaw) {
			t.Error("more was taken than two seconds' calls")
		}
	}
}

// A tenth of the places is kept for who holds less than an equal part.
func TestGateKeepsPlaces(t *testing.T) {
	g := newGate(100, 0, 2)
	now := time.Unix(1_700_000_000, 0)
	for range 200 {
		g.enter("a", now)
	}
	if n := g.live(); n != 90 {
		t.Errorf("a holds %d of 100 places", n)
	}
	for range 200 {
		g.enter("b", now)
	}
	if n := g.live(); n != 100 {
		t.Errorf("%d calls at once", n)
	}
	for range 10 {
		g.leave("b")
	}
	if g.enter("a", now) || !g.enter("b", now) {
		t.Error("the kept places are not b's")
	}
	g, in := newGate(3, 0, 1), 0
	for range 5 {
		if g.enter("", now) {
			in++
		}
	}
	if in != 3 {
		t.Errorf("the only neighbour has %d of 3 places", in)
	}
}

// However many addresses speak, what is remembered of them is bounded, and
// the one that speaks as it should is served.
func TestSourcesAreBounded(t *testing.T) {
	s := newSources(50)
	now := time.Unix(1_700_000_000, 0)
	good := netip.MustParseAddr("192.0.2.1")
	s.take(good, false, now)
	for i := range uint32(300_000) {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 10<<24+i)
		at := now.Add(time.Duration(i) * 20 * time.Microsecond)
		s.take(netip.AddrFrom4(a), false, at)
		if i%1000 == 0 && !s.take(good, false, at) {
			t.Fatalf("a quiet source was refused after %d others", i)
		}
	}
	if len(s.all) > maxSources {
		t.Errorf("%d buckets", len(s.all))
	}
	// One that floods is held to its rate, and what may belong to a call passes.
	s = newSources(0)
	in := 0
	for range 10_000 {
		if s.take(good, false, now) {
			in++
		}
	}
	if in != 2*sourceRate || !s.take(good, true, now) {
		t.Errorf("%d of a burst let in", in)
	}
	in = 0
	for range 10_000 {
		if s.take(good, false, now.Add(10*time.Second)) {
			in++
		}
	}
	if in != 2*sourceRate {
		t.Errorf("%d let in ten seconds later", in)
	}
	// One subscriber's IPv6 addresses are one source.
	for i := range 5000 {
		in = 0
		if s.take(netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1)), false, now) {
			in++
		}
	}
	if in != 0 {
		t.Error("another address of the same /64 has another bucket")
	}
}

// However many sources are invented, a trunk's next call is heard.
func TestForgedSourcesCrowdOutNoTrunk(t *testing.T) {
	l := newLab(t, withPhones(phoneSide{make(chan netip.AddrPort, 10)}))
	message := func(method string) *head { return &head{method: method} }
	now := time.Now()
	dropped := 0
	for i := range uint32(50_000) {
		var a [4]byte
		binary.BigEndian.PutUint32(a[:], 10<<24+i)
		if !l.police(netip.AddrFrom4(a), message("REGISTER"), now) {
			dropped++
		}
	}
	if dropped == 0 {
		t.Error("the flood was no flood")
	}
	if !l.police(netip.MustParseAddr("127.0.0.1"), message("INVITE"), now) {
		t.Error("a trunk's call was dropped")
	}
}

// Scanners get no answer, from a trunk's address or a stranger's.
func TestScannersGetNothing(t *testing.T) {
	l := newLab(t)
	for _, from := range []string{"127.0.0.1", "127.0.0.2"} {
		p := peerFrom(t, l.Stack, from)
		for _, agent := range []string{"friendly-scanner", "sipcli/v1.8", "SIPVicious 0.3"} {
			p.ask(ask{method: "OPTIONS", cseq: 1, extra: "User-Agent: " + agent})
			p.ask(ask{method: "INVITE", cseq: 1, extra: "user-agent : " + agent, body: "v=0"})
		}
		p.ask(ask{method: "INVITE", cseq: 7, extra: "User-Agent: SIPClient/1.0 (Siwarphone)", uri: "sip:x@127.0.0.1", body: "v=0"})
		if m := take(t, p.in, "an answer"); m.get("CSeq") != "7 INVITE" {
			t.Errorf("%s: %s", from, m.raw)
		}
	}
}

// Our own request, come round through others, is known by its branch.
func TestOwnRequestComesRound(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		c := l.dial(newPeer(t, l.Stack), "v=0")
		defer c.Cancel()
		for i, ours := range []bool{true, false} {
			branch := "z9hG4bK" + "someone"
			if ours {
				branch = l.newBranch()
			}
			p.callID = newName("round")
			sent := p.ask(ask{method: "INVITE", cseq: 1 + i, extra: "Via: SIP/2.0/UDP 192.0.2.9;branch=" + branch, body: "v=0"})
			if !ours {
				p.expect("100 INVITE")
				continue
			}
			m := p.expect("482 INVITE")
			p.ask(ask{method: "ACK", cseq: 1 + i, branch: sent, to: m.get("To")})
		}
		l.call()
	})
}

// OPTIONS without end from one address are dropped above its rate, and its
// calls go on.
func TestSourceFlood(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Allow = func(a netip.Addr) bool { return a.IsLoopback() } })
	p := newPeer(t, l.Stack)
	c, ok := p.establish(l)
	q := newPeer(t, l.Stack)
	var answered atomic.Int64
	done, counted := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(counted)
		for {
			select {
			case <-q.in:
				answered.Add(1)
			case <-done:
				return
			}
		}
	}()
	const n = 6000
	began := time.Now()
	for i := range n {
		q.ask(ask{method: "OPTIONS", cseq: i + 1})
	}
	info := insist(p, ask{method: "INFO", cseq: 2, to: ok.get("To")}, c.events, "INFO").(Requested)
	_ = c.Reply(info.Request, 200, "", nil, nil)
	p.expect("200 INFO")
	other := peerFrom(t, l.Stack, "127.0.0.9")
	other.ask(ask{method: "OPTIONS", cseq: 1})
	other.expect("200 OPTIONS")
	p.ask(ask{method: "BYE", cseq: 3, to: ok.get("To")})
	p.expect("200 BYE")
	event[Ended](t, c)
	if most := 2*sourceRate + sourceRate*int64(1+time.Since(began)/time.Second); answered.Load() > most {
		t.Errorf("%d of %d answered", answered.Load(), n)
	}
	close(done)
	<-counted
}

// At a rate of nothing at all, what belongs to a call still passes: requests
// inside it, and the answers to ours.
func TestCallsAreNotHeldToARate(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		c, ok := p.establish(l)
		l.calm.mu.Lock()
		l.calm.rate = 0
		for _, b := range l.calm.all {
			b.tokens = 0
		}
		l.calm.mu.Unlock()
		p.ask(ask{method: "OPTIONS", cseq: 2})
		p.ask(ask{method: "BYE", cseq: 2, to: "<sip:x@y>;tag=nobody's"})
		p.ask(ask{method: "INFO", cseq: 3, to: ok.get("To")})
		_ = c.Reply(event[Requested](t, c).Request, 200, "", nil, nil)
		if m := p.expect("200 INFO"); m.get("CSeq") != "3 INFO" {
			t.Errorf("answered: %s", m.raw)
		}
		c.Bye(nil)
		p.reply(p.expect("BYE"), 200, "", "", "")
		if r := event[Replied](t, c); r.Code != 200 {
			t.Errorf("%+v", r)
		}
	})
}

// Sources without end, in a network that is a trunk's, are forgotten again.
func TestSpoofedSourcesAreForgotten(t *testing.T) {
	t.Parallel()
	l := newLab(t, func(o *Options) {
		o.Allow = func(a netip.Addr) bool { return a.IsLoopback() }
		o.timers.t1 = 5 * time.Millisecond
	})
	to := net.UDPAddrFromAddrPort(l.Addr("udp"))
	sent, most := 0, 0
	for began := time.Now(); time.Since(began) < 2*time.Second || sent < 2000; sent++ {
		c, err := net.DialUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 1, byte(sent>>8), byte(sent))}, to)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = c.Write(bytes.Replace(optionsOver("UDP", "l: 0\r\n"), []byte(";branch"), []byte(";rport;branch"), 1))
		_ = c.SetReadDeadline(time.Now().Add(patience))
		if _, err := c.Read(make([]byte, 2000)); err != nil {
			t.Fatalf("source %d got nothing: %v", sent, err)
		}
		c.Close()
		most = max(most, l.tpl.Pool("udp").Size())
	}
	if most > 2 { // the listener by its address and by the name that stands for all
		t.Errorf("%d of %d sources were remembered", most, sent)
	}
}

// mutate spoils a message, the same way each time for a seed.
func mutate(data []byte, seed uint64) []byte {
	out := bytes.Clone(data)
	next := func(n int) int {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
		return int(seed % uint64(max(n, 1)))
	}
	special := []string{"\r\n", "\r", "\n", "\x00", ":", ";", "<", ">", "\"", ",", " ", "\t", "%00", "\xff\xfe", "[::1", ";tag=", ";branch=z9hG4bK", "sip:", "sips:", "tel:",
		"Via: SIP/2.0/UDP a\r\n", "Content-Length: 99999999999\r\n", "CSeq: 4294967296 INVITE\r\n", "To: <sip:x@y>;tag=z\r\n", strings.Repeat("a", 9000), strings.Repeat("v: SIP/2.0/UDP a\r\n", 50)}
	for range 1 + next(4) {
		at := next(len(out))
		switch next(5) {
		case 0:
			out[at] ^= byte(1 << next(8))
		case 1:
			out = append(out[:at], out[min(at+1+next(40), len(out)):]...)
		case 2:
			out = append(out[:at], append([]byte(special[next(len(special))]), out[at:]...)...)
		case 3:
			end := min(at+1+next(80), len(out))
			out = append(out[:end], append(bytes.Clone(out[at:end]), out[end:]...)...)
		case 4:
			if lines := bytes.SplitAfter(out, []byte("\r\n")); len(lines) > 2 {
				i := next(len(lines) - 1)
				lines[i], lines[i+1] = lines[i+1], lines[i]
				out = bytes.Join(lines, nil)
			}
		}
		if len(out) == 0 {
			return []byte("x")
		}
	}
	return out
}

// Every message of the RFCs' torture tests, spoiled in many ways, through live
// listeners: no panic, and a call beside it is not disturbed.
func TestSpoiledMessages(t *testing.T) {
	files, _ := filepath.Glob("testdata/rfc*/*.dat")
	for range 10 { // the one that is best at being a call
		files = append(files, "testdata/rfc4475/longreq.dat", "testdata/rfc4475/esc01.dat")
	}
	a := newAuthority(t)
	l := newLab(t, withTLS(a))
	var came atomic.Int64
	l.h.onNew.Store(new(func(d *Dialog, _ *Message) {
		d.Bind(func(Event) {})
		switch came.Add(1) % 3 {
		case 0:
			_ = d.Reject(486, "", nil)
		case 1:
			_ = d.Accept(nil, []byte("v=0"))
			d.Bye(nil)
		default:
			_ = d.Progress(180, "", nil, nil)
			d.Bye(nil)
		}
	}))
	h := l.h.onNew.Swap(nil)
	p := newPeer(t, l.Stack)
	c, ok := p.establish(l)
	l.h.onNew.Store(h)
	before := runtime.NumGoroutine()
	sender, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(l.Addr("udp")))
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	const rounds = 40
	cseq, began := 1, time.Now()
	for n, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		// Answers to us, not to whom the Via names.
		data = []byte(strings.Replace(string(data), ";branch=", ";rport;branch=", 1))
		for i := range rounds {
			msg := mutate(data, uint64(n*rounds+i+1)*0x9E3779B97F4A7C15)
			if _, err := sender.Write(msg[:min(len(msg), 60_000)]); err != nil {
				t.Fatal(err)
			}
			if i%10 > 0 {
				continue
			}
			dial := func() *peer { return tcpPeer(t, l.Stack) }
			if i == 10 {
				dial = func() *peer { return a.peer(l.Stack) }
			}
			s := dial()
			_, _ = s.tcp.Write(msg) // it may be closed in the middle
			_ = s.tcp.(interface{ CloseWrite() error }).CloseWrite()
			s.closes()
		}
		cseq++
		info := insist(p, ask{method: "INFO", cseq: cseq, to: ok.get("To")}, c.events, "INFO").(Requested)
		_ = c.Reply(info.Request, 200, "", nil, nil)
		p.expect("200 INFO")
	}
	p.ask(ask{method: "BYE", cseq: cseq + 1, to: ok.get("To")})
	p.expect("200 BYE")
	event[Ended](t, c)
	if came.Load() == 0 {
		t.Error("no message was good enough to be a call: this test proves little")
	}
	t.Logf("%d messages, %d came in as calls, %v", len(files)*rounds, came.Load(), time.Since(began))
	eventually(t, "calls, connections and goroutines are as before", func() bool {
		l.flows.mu.Lock()
		n := len(l.flows.all)
		l.flows.mu.Unlock()
		return l.Calls() == 0 && n == 0 && runtime.NumGoroutine() <= before+5
	})
}

// One value or ten thousand in each header that holds a list
// (CVE-2018-7284: a stack overflow at 33).
func TestListsAreBounded(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		for _, header := range []string{
			"Accept", "Accept-Encoding", "Accept-Language", "Alert-Info", "Allow", "Allow-Events", "Call-Info", "Contact", "Content-Language", "Error-Info",
			"History-Info", "Diversion", "In-Reply-To", "P-Asserted-Identity", "Proxy-Require", "Record-Route", "Require", "Route", "Supported", "Unsupported", "Via", "Warning",
		} {
			value := map[string]string{"Accept": "application/sdp", "Via": "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKx", "Allow": "INVITE", "Supported": "x", "Warning": `300 a "b"`}[header]
			if value == "" {
				value = "<sip:a@b>"
			}
			for _, n := range []int{1, 32, 50, 90, 10_000} {
				for _, sep := range []string{", ", "\n" + header + ": "} {
					n = min(n, 50_000/(len(value)+len(sep)))
					p.callID = newName("list")
					branch := p.ask(ask{method: "INVITE", cseq: 1, extra: header + ": " + value + strings.Repeat(sep+value, n-1)})
					if n > 200 && (sep != ", " || p.tcp == nil || n*len(value) > maxHeaderLen) {
						// Over what a head may hold: not answered over UDP; a stream ends.
						if p.tcp != nil {
							p.closes()
							p = tcpPeer(t, l.Stack)
						}
						continue
					}
					m := take(t, p.in, "an answer to "+header+" "+strconv.Itoa(n))
					if m.is("100 INVITE") {
						apart := header == "Contact" || strings.HasSuffix(header, "Route") // maxHeaders is theirs
						if n > maxList && sep == ", " && !apart || n >= maxVias && header == "Via" {
							t.Errorf("%d values of %s came in", n, header)
						}
						_ = l.call().Reject(486, "", nil)
						m = p.await("486 INVITE")
					}
					p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: m.get("To")})
				}
			}
		}
	})
}

// So is one whose Via was taken off on the way: it carries our own tag and Call-ID.
func TestOwnCallComesRound(t *testing.T) {
	both(t, func(t *testing.T, l *lab, p *peer) {
		far := newPeer(t, l.Stack)
		c := l.dial(far, "v=0")
		defer c.Cancel()
		sent := far.await("INVITE")
		p.callID = sent.get("Call-ID")
		branch := p.ask(ask{method: "INVITE", cseq: 1, from: sent.get("From"), body: "v=0"})
		m := p.expect("482 INVITE")
		p.ask(ask{method: "ACK", cseq: 1, branch: branch, from: sent.get("From"), to: m.get("To")})
		// The same Call-ID from somebody else is his own call.
		p.ask(ask{method: "INVITE", cseq: 2, body: "v=0"})
		l.call()
		if l.Calls() != 1 {
			t.Errorf("%d calls of others live, want his", l.Calls())
		}
	})
}
