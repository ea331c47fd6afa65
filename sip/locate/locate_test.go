package locate

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/sip/locate/dnstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func finder(s *dnstest.Server) *Finder { return New(Options{DNS: []netip.AddrPort{s.Addr()}}) }

func text(all []Server) string {
	var out []string
	for _, s := range all {
		out = append(out, s.Transport+":"+s.Addr.String())
	}
	return strings.Join(out, " ")
}

const speaksAll = "udp,tcp,tls"

// Which servers a name has, as RFC 3263 section 4 finds them.
func TestFind(t *testing.T) {
	zone := []string{
		// The order of the transports is NAPTR's, the hosts' SRV's.
		"all.example. 300 NAPTR 10 20 \"s\" \"SIP+D2U\" \"\" _sip._udp.all.example.",
		"all.example. 300 NAPTR 10 10 \"S\" \"sip+d2t\" \"\" _sip._tcp.all.example.",
		"all.example. 300 NAPTR 20 10 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.all.example.",
		"all.example. 300 NAPTR 5 10 \"u\" \"E2U+sip\" \"!^.*$!sip:x@other.example!\" .",
		"all.example. 300 A 192.0.2.99",
		"_sip._udp.all.example. 300 SRV 10 1 5060 one.all.example.",
		"_sip._tcp.all.example. 300 SRV 20 1 5070 two.all.example.",
		"_sip._tcp.all.example. 300 SRV 10 1 5060 one.all.example.",
		"_sips._tcp.all.example. 300 SRV 10 1 5061 one.all.example.",
		"one.all.example. 300 A 192.0.2.1",
		"two.all.example. 300 A 192.0.2.2",
		"two.all.example. 300 AAAA 2001:db8::2",
		// TLS alone.
		"safe.example. 300 NAPTR 10 10 \"s\" \"SIPS+D2T\" \"\" _sips._tcp.safe.example.",
		"_sips._tcp.safe.example. 300 SRV 0 0 5061 one.all.example.",
		// SRV without NAPTR, of TCP alone.
		"tcp.example. 300 A 192.0.2.99",
		"_sip._tcp.tcp.example. 300 SRV 0 0 5060 one.all.example.",
		"plain.example. 300 A 192.0.2.7",
		"plain.example. 300 AAAA 2001:db8::7",
		// A host of no address is left out; a service that there is not is none.
		"half.example. 300 A 192.0.2.99",
		"_sip._udp.half.example. 300 SRV 0 0 5060 gone.example.",
		"_sip._udp.half.example. 300 SRV 1 0 5060 one.all.example.",
		"none.example. 300 A 192.0.2.99",
		"_sip._udp.none.example. 300 SRV 0 0 5060 .",
		"alias.example. 300 CNAME plain.example.",
	}
	s := dnstest.Start(t, zone...)
	f := finder(s)
	for _, c := range []struct{ host, transport, speaks, want string }{
		{"all.example", "", speaksAll, "tcp:192.0.2.1:5060 tcp:192.0.2.2:5070 tcp:[2001:db8::2]:5070 udp:192.0.2.1:5060"},
		{"all.example", "", "udp", "udp:192.0.2.1:5060"},
		{"all.example", "tls", speaksAll, "tls:192.0.2.1:5061"},
		{"all.example:5090", "", speaksAll, "udp:192.0.2.99:5090"},
		{"safe.example", "", speaksAll, "tls:192.0.2.1:5061"},
		{"tcp.example", "", speaksAll, "tcp:192.0.2.1:5060"},
		{"tcp.example", "udp", speaksAll, "udp:192.0.2.99:5060"},
		{"plain.example", "", speaksAll, "udp:192.0.2.7:5060 udp:[2001:db8::7]:5060"},
		{"plain.example", "tls", speaksAll, "tls:192.0.2.7:5061 tls:[2001:db8::7]:5061"},
		{"half.example", "", speaksAll, "udp:192.0.2.1:5060"},
		{"none.example", "", speaksAll, ErrMissing.Error()},
		{"nowhere.example", "", speaksAll, ErrMissing.Error()},
	} {
		q := Query{Host: c.host, Transport: c.transport, Speaks: c.speaks}
		if host, port, ok := strings.Cut(c.host, ":"); ok {
			_, _ = fmt.Sscan(port, &q.Port)
			q.Host = host
		}
		all, err := f.Find(t.Context(), q)
		got := text(all)
		if err != nil && errors.Is(err, ErrMissing) {
			got = ErrMissing.Error()
		} else if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %s, want %s", q, got, c.want)
		}
	}
}

// What stands in the hosts file is not asked for.
func TestHostsFile(t *testing.T) {
	s := dnstest.Start(t)
	all, err := finder(s).Find(t.Context(), Query{Host: "localhost", Speaks: speaksAll})
	if err != nil || len(all) == 0 || all[0].Addr.String() != "127.0.0.1:5060" {
		t.Errorf("%v, %v", all, err)
	}
	if n := s.Asked("localhost", "A") + s.Asked("localhost", "NAPTR"); n != 0 {
		t.Errorf("asked %d times", n)
	}
}

// Of hosts of one priority each is first as often as its weight says (RFC 2782), and
// one of no weight hardly ever; the next priority comes after all of them.
func TestWeights(t *testing.T) {
	s := dnstest.Start(t,
		"_sip._udp.x.example. 300 SRV 10 60 5060 a.x.example.", "_sip._udp.x.example. 300 SRV 10 30 5060 b.x.example.",
		"_sip._udp.x.example. 300 SRV 10 10 5060 c.x.example.", "_sip._udp.x.example. 300 SRV 10 0 5060 d.x.example.",
		"_sip._udp.x.example. 300 SRV 20 100 5060 e.x.example.",
		"a.x.example. 300 A 192.0.2.1", "b.x.example. 300 A 192.0.2.2", "c.x.example. 300 A 192.0.2.3", "d.x.example. 300 A 192.0.2.4", "e.x.example. 300 A 192.0.2.5",
	)
	f := finder(s)
	const picks = 1000
	first := map[string]int{}
	for range picks {
		all, err := f.Find(t.Context(), Query{Host: "x.example", Speaks: "udp"})
		if err != nil || len(all) != 5 || all[4].Addr.Addr().String() != "192.0.2.5" {
			t.Fatal(all, err)
		}
		first[all[0].Addr.Addr().String()]++
	}
	// Six standard deviations of each.
	for addr, want := range map[string][2]int{"192.0.2.1": {500, 690}, "192.0.2.2": {210, 390}, "192.0.2.3": {40, 160}, "192.0.2.4": {0, 40}} {
		if n := first[addr]; n < want[0] || n > want[1] {
			t.Errorf("%s was first %d of %d times, want %v", addr, n, picks, want)
		}
	}
	if n := s.Asked("_sip._udp.x.example", "SRV"); n != 1 {
		t.Errorf("the DNS was asked %d times", n)
	}
}

// A server that has not answered is passed over, and used all the same where every
// other has not either; an answer makes it one like the others.
func TestPassedOver(t *testing.T) {
	s := dnstest.Start(t, "_sip._udp.x.example. 300 SRV 1 0 5060 a.x.example.", "_sip._udp.x.example. 300 SRV 2 0 5060 b.x.example.",
		"a.x.example. 300 A 192.0.2.1", "b.x.example. 300 A 192.0.2.2")
	f := finder(s)
	find := func() string {
		all, err := f.Find(t.Context(), Query{Host: "x.example", Speaks: "udp"})
		if err != nil {
			t.Fatal(err)
		}
		return text(all)
	}
	a := Server{"udp", netip.MustParseAddrPort("192.0.2.1:5060")}
	b := Server{"udp", netip.MustParseAddrPort("192.0.2.2:5060")}
	usual, turned := "udp:192.0.2.1:5060 udp:192.0.2.2:5060", "udp:192.0.2.2:5060 udp:192.0.2.1:5060"
	if got := find(); got != usual {
		t.Error(got)
	}
	if !f.Failed(a, 0) || f.Failed(a, 0) {
		t.Error("it is news the first time")
	}
	if got := find(); got != turned {
		t.Error(got)
	}
	f.Failed(b, 0)
	if got := find(); got != usual {
		t.Error(got)
	}
	f.Answered(a)
	if got := find(); got != usual {
		t.Error(got)
	}
	f.Answered(b)
	f.Failed(a, 24*time.Hour) // Retry-After is what a stranger says
	if left := time.Until(f.passed[a]); left > passedLongest {
		t.Error(left)
	}
	f.passed[a] = time.Now().Add(-time.Millisecond)
	if got := find(); got != usual {
		t.Error(got)
	}
}

// until waits for something to become so.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never:", what)
		}
	}
}

// A changed answer is taken when the old one has run out, and not before.
func TestTTL(t *testing.T) {
	s := dnstest.Start(t, "x.example. 1 A 192.0.2.1")
	f := finder(s)
	q := Query{Host: "x.example", Port: 5060, Speaks: "udp"}
	find := func() string { all, _ := f.Find(t.Context(), q); return text(all) }
	began := time.Now()
	if got := find(); got != "udp:192.0.2.1:5060" {
		t.Fatal(got)
	}
	s.Set("x.example. 300 A 192.0.2.2")
	until(t, "the changed answer", func() bool { return find() == "udp:192.0.2.2:5060" })
	if took := time.Since(began); took < time.Second {
		t.Errorf("taken after %v of a TTL of 1 s", took)
	}
	if n := s.Asked("x.example", "A"); n != 2 {
		t.Errorf("asked %d times", n)
	}
	s.Set("x.example. 1 A 192.0.2.3")
	f.mu.Lock()
	f.names[q].next = time.Now() // 300 s later
	f.mu.Unlock()
	if got := find(); got != "udp:192.0.2.3:5060" {
		t.Error(got)
	}
}

// The DNS is dead (F-45): what it last said is used, and it is asked again only now
// and then, so that not every call waits. Gone for days it is believed no longer.
func TestDead(t *testing.T) {
	for name, ill := range map[string]int{"SERVFAIL": dns.RcodeServerFailure, "REFUSED": dns.RcodeRefused, "silent": dnstest.Silent} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := dnstest.Start(t, "_sip._udp.x.example. 1 SRV 0 0 5062 a.x.example.", "a.x.example. 1 A 192.0.2.1")
			core, logs := observer.New(zap.InfoLevel)
			f := New(Options{DNS: []netip.AddrPort{s.Addr()}, Log: zap.New(core)})
			q := Query{Host: "x.example", Speaks: speaksAll}
			find := func() (string, error) { all, err := f.Find(t.Context(), q); return text(all), err }
			const known = "udp:192.0.2.1:5062"
			if got, err := find(); got != known {
				t.Fatal(got, err)
			}
			s.Fail(ill)
			f.mu.Lock()
			n := f.names[q]
			n.next = time.Now()
			f.mu.Unlock()
			for range 3 {
				if got, err := find(); got != known {
					t.Fatal(got, err)
				}
			}
			if got := logs.FilterMessage("the DNS gives no answer: the servers last known are used").Len(); got != 1 {
				t.Errorf("%d lines logged", got)
			}
			f.mu.Lock()
			n.next, n.known = time.Now(), time.Now().Add(-longest)
			f.mu.Unlock()
			if got, err := find(); err == nil {
				t.Error("known too long ago:", got)
			}
			// Back again.
			s.Set("_sip._udp.x.example. 1 SRV 0 0 5062 a.x.example.", "a.x.example. 1 A 192.0.2.2")
			f.mu.Lock()
			n.next = time.Now()
			f.mu.Unlock()
			if got, err := find(); got != "udp:192.0.2.2:5062" {
				t.Error(got, err)
			}
		})
	}
}

// A DNS that is dead from the start holds up nobody longer than its time, all who
// wait do so at once, and those who come then are told without waiting.
func TestNeverKnown(t *testing.T) {
	s := dnstest.Start(t)
	s.Fail(dnstest.Silent)
	f := finder(s)
	q := Query{Host: "x.example", Port: 5060, Speaks: "udp"}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if _, err := f.Find(t.Context(), q); err == nil || !strings.Contains(err.Error(), s.Addr().String()) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := s.Asked("x.example", "A"); n > 2*2 {
		t.Errorf("asked %d times for 50 calls", n)
	}
	before := s.Asked("x.example", "A")
	if _, err := f.Find(t.Context(), q); err == nil || s.Asked("x.example", "A") != before {
		t.Error("asked again at once:", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	f.mu.Lock()
	f.names[q].next, f.names[q].busy = time.Now(), make(chan struct{})
	f.mu.Unlock()
	if _, err := f.Find(gone, q); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Records that fill more than a datagram come by TCP.
func TestLarge(t *testing.T) {
	zone := []string{"a.example. 300 A 192.0.2.1"}
	for i := range 60 {
		zone = append(zone, fmt.Sprintf("_sip._udp.big.example. 300 SRV %d 0 5060 host-of-a-rather-long-name-%03d.big.example.", i, i), fmt.Sprintf("host-of-a-rather-long-name-%03d.big.example. 300 A 192.0.2.%d", i, i+1))
	}
	all, err := finder(dnstest.Start(t, zone...)).Find(t.Context(), Query{Host: "big.example", Speaks: "udp"})
	if err != nil || len(all) != maxServers || all[0].Addr.Addr().String() != "192.0.2.1" {
		t.Error(text(all), err)
	}
}

// Names are callers' to choose: so many are remembered, and the one used last stays.
func TestNamesBounded(t *testing.T) {
	f := New(Options{})
	f.mu.Lock()
	defer f.mu.Unlock()
	keep := Query{Host: "trunk.example"}
	for i := range 2 * maxNames {
		f.of(keep)
		f.of(Query{Host: fmt.Sprint(i)})
	}
	if _, kept := f.names[keep]; len(f.names) > maxNames || !kept {
		t.Error(len(f.names), kept)
	}
}

// All orders have the same hosts in them, whatever the lots.
func TestDrawnKeepsAll(t *testing.T) {
	hosts := []Host{{Name: "a", Weight: 0}, {Name: "b", Weight: 5}, {Name: "c", Weight: 0}, {Name: "d", Weight: 65535}, {Name: "e", Priority: 1}, {Name: "f", Rank: 1}}
	for _, lot := range []int{0, 1, 4, 5, 6, 65534, 65539, 65540, 1 << 20} {
		out := drawn(hosts, func(n int) int { return min(lot, n-1) })
		if out[4].Name != "e" || out[5].Name != "f" {
			t.Fatal(out)
		}
		slices.SortFunc(out, func(a, b Host) int { return strings.Compare(a.Name, b.Name) })
		if !slices.EqualFunc(out, hosts, func(a, b Host) bool { return a.Name == b.Name }) {
			t.Fatal(lot, out)
		}
	}
}
