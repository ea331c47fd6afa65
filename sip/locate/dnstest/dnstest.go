// Package dnstest is a DNS server on loopback for tests, with records as a zone file
// has them.
package dnstest

import (
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/miekg/dns"
)

// Server answers by its records until the test ends.
type Server struct {
	t    testing.TB
	addr netip.AddrPort

	mu      sync.Mutex
	records []dns.RR
	ill     int // the rcode that it says to everything; Silent: it says nothing
	asked   map[string]int
}

// Silent makes a server that Fails say nothing at all.
const Silent = -1

// Start starts a server.
func Start(t testing.TB, records ...string) *Server {
	t.Helper()
	s := &Server{t: t, asked: map[string]int{}}
	s.Set(records...)
	var tcp net.Listener
	var udp net.PacketConn
	for range 20 { // both at one port
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		if udp, err = net.ListenPacket("udp", l.Addr().String()); err == nil {
			tcp = l
			break
		}
		_ = l.Close()
	}
	if tcp == nil {
		t.Fatal("dnstest: no port is free for both UDP and TCP")
	}
	s.addr = netip.MustParseAddrPort(tcp.Addr().String())
	var served sync.WaitGroup
	t.Cleanup(served.Wait) // after both have been shut down
	for _, d := range []*dns.Server{{PacketConn: udp}, {Listener: tcp}} {
		up := make(chan struct{})
		d.Handler, d.NotifyStartedFunc = dns.HandlerFunc(s.serve), func() { close(up) }
		served.Go(func() { _ = d.ActivateAndServe() })
		<-up
		t.Cleanup(func() { _ = d.Shutdown() })
	}
	return s
}

// Addr is where it listens.
func (s *Server) Addr() netip.AddrPort { return s.addr }

// Set has it answer by these records from now on.
func (s *Server) Set(records ...string) {
	s.t.Helper()
	var all []dns.RR
	for _, r := range records {
		rr, err := dns.NewRR(r)
		if err != nil {
			s.t.Fatalf("dnstest: %s: %v", r, err)
		}
		all = append(all, rr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records, s.ill = all, dns.RcodeSuccess
}

// Fail has it say the rcode to everything, until Set.
func (s *Server) Fail(rcode int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ill = rcode
}

// Asked is how often it was asked for a type of records of a name.
func (s *Server) Asked(name, kind string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[kind+" "+dns.Fqdn(name)]
}

func (s *Server) serve(w dns.ResponseWriter, q *dns.Msg) {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := q.Question[0]
	s.asked[dns.TypeToString[asked.Qtype]+" "+strings.ToLower(asked.Name)]++
	if s.ill == Silent {
		return
	}
	m := new(dns.Msg)
	m.SetRcode(q, s.ill)
	if s.ill == dns.RcodeSuccess {
		named := func(r dns.RR) bool { return strings.EqualFold(r.Header().Name, asked.Name) }
		if m.Rcode = dns.RcodeNameError; slices.ContainsFunc(s.records, named) {
			m.Rcode = dns.RcodeSuccess
		}
		for _, r := range s.records {
			if named(r) && r.Header().Rrtype == asked.Qtype {
				m.Answer = append(m.Answer, dns.Copy(r))
			}
		}
	}
	_, datagram := w.RemoteAddr().(*net.UDPAddr)
	if o := q.IsEdns0(); datagram && o != nil {
		m.Truncate(int(o.UDPSize()))
	}
	_ = w.WriteMsg(m)
}
