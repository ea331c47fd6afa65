package stack

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// authority makes certificates for tests.
type authority struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{t: t, pool: x509.NewCertPool()}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.key, a.cert = a.sign(template, template, nil)
	a.pool.AddCert(a.cert)
	return a
}

func (a *authority) sign(template, parent *x509.Certificate, by *ecdsa.PrivateKey) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	if by == nil {
		by = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, by)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, cert
}

// issue gives a certificate for names and addresses.
func (a *authority) issue(names ...string) tls.Certificate {
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: names[0]},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	for _, n := range names {
		if ip := net.ParseIP(n); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	key, cert := a.sign(template, a.cert, a.key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key}
}

// withTLS adds a tls listener to a lab.
func withTLS(a *authority) func(*Options) {
	own := a.issue("localhost", "127.0.0.1")
	return func(o *Options) {
		o.Listen = append(o.Listen, Listen{"tls", netip.MustParseAddrPort("127.0.0.1:0")})
		o.TLS = &TLS{
			Server: &tls.Config{Certificates: []tls.Certificate{own}},
			Client: func() *tls.Config { return &tls.Config{RootCAs: a.pool} },
		}
	}
}

func (a *authority) peer(s *Stack) *peer {
	a.t.Helper()
	c, err := tls.Dial("tcp", s.Addr("tls").String(), &tls.Config{RootCAs: a.pool, ServerName: "localhost"})
	if err != nil {
		a.t.Fatal(err)
	}
	p := overTCP(a.t, s, c)
	p.secure = true
	return p
}

// A whole call from a peer over TLS: in-dialog requests take its connection.
func TestCallInByTLS(t *testing.T) {
	a := newAuthority(t)
	l := newLab(t, withTLS(a))
	p := a.peer(l.Stack)
	c, ok := p.establish(l)
	if c.req.Transport != "tls" || c.State().Transport != "tls" {
		t.Errorf("transport %q, %q", c.req.Transport, c.State().Transport)
	}
	want := fmt.Sprintf("<sip:cordboard@%s;transport=tls>", l.Addr("tls"))
	if ok.get("Contact") != want {
		t.Errorf("Contact %s, want %s", ok.get("Contact"), want)
	}
	if _, err := c.Reinvite(nil, []byte("v=0")); err != nil {
		t.Fatal(err)
	}
	inv := p.expect("INVITE")
	if !strings.HasPrefix(inv.get("Via"), "SIP/2.0/TLS "+l.Addr("tls").String()+";") || inv.get("Contact") != want {
		t.Errorf("re-INVITE: %s", inv.raw)
	}
	p.reply(inv, 200, "", "", "v=0")
	event[Replied](t, c)
	_ = c.Ack(nil)
	p.expect("ACK")
	c.Bye(nil)
	p.reply(p.expect("BYE"), 200, "", "", "")
	event[Replied](t, c)

	// sips: the Contact must be sips too, and no other transport may carry it.
	p = a.peer(l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, uri: "sips:x@localhost", body: "v=0"})
	c = l.call()
	p.expect("100 INVITE")
	_ = c.Accept(nil, []byte("v=0"))
	if ok := p.expect("200 INVITE"); !strings.HasPrefix(ok.get("Contact"), "<sips:cordboard@") {
		t.Errorf("Contact %s", ok.get("Contact"))
	}
	q := newPeer(t, l.Stack)
	q.ask(ask{method: "INVITE", cseq: 1, uri: "sips:x@localhost", body: "v=0"})
	q.expect("416 INVITE")
}

// secureServer accepts TLS connections for a host name and counts them.
type secureServer struct {
	ln    net.Listener
	conns chan net.Conn
}

func (a *authority) serve(cert tls.Certificate) *secureServer {
	a.t.Helper()
	ln, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		a.t.Fatal(err)
	}
	s := &secureServer{ln: ln, conns: make(chan net.Conn, 100)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.(*tls.Conn).Handshake() // nobody reads those that should fail
			s.conns <- c
		}
	}()
	a.t.Cleanup(func() { ln.Close(); <-done })
	return s
}

func (s *secureServer) port() int { return s.ln.Addr().(*net.TCPAddr).Port }

// call makes a call by TLS to a URI.
func (l *lab) to(uri string) *call {
	l.t.Helper()
	c := &call{events: make(chan Event, 1000)}
	d, err := l.Invite(Outgoing{URI: uri, From: "<sip:a@b.example>", To: "<" + uri + ">", Body: []byte("v=0")}, func(e Event) { c.events <- e })
	if err != nil {
		l.t.Fatal(err)
	}
	c.Dialog = d
	return c
}

// A call to a peer by TLS, its certificate verified by the name that is called;
// both directions use the one connection.
func TestCallOutByTLS(t *testing.T) {
	a := newAuthority(t)
	l := newLab(t, withTLS(a))
	srv := a.serve(a.issue("localhost"))
	for i, uri := range []string{"sip:x@localhost:%d;transport=tls", "sips:x@localhost:%d"} {
		c := l.to(fmt.Sprintf(uri, srv.port()))
		var p *peer
		if i == 0 {
			p = overTCP(t, l.Stack, take(t, srv.conns, "a connection"))
			srv.conns <- p.tcp
		} else {
			continue // below: the same connection
		}
		p.secure = true
		inv := p.expect("INVITE")
		if !strings.HasPrefix(inv.get("Via"), "SIP/2.0/TLS ") || !strings.Contains(inv.get("Contact"), ";transport=tls") {
			t.Errorf("INVITE: %s", inv.raw)
		}
		p.contact = fmt.Sprintf("<sip:x@127.0.0.1:%d;transport=tls>", srv.port())
		p.reply(inv, 200, "peer", "", "v=0")
		event[Answered](t, c)
		_ = c.Ack(nil)
		p.expect("ACK")
		p.callID = inv.get("Call-ID")
		p.ask(ask{method: "BYE", cseq: 1, from: inv.get("To") + ";tag=peer", to: inv.get("From")})
		p.expect("200 BYE")
		event[Ended](t, c)

		c = l.to(fmt.Sprintf("sips:x@localhost:%d", srv.port()))
		inv = p.expect("INVITE")
		if !strings.HasPrefix(inv.get("Contact"), "<sips:cordboard@") || strings.Contains(inv.get("Contact"), "transport") {
			t.Errorf("Contact %s", inv.get("Contact"))
		}
		p.reply(inv, 486, "busy", "", "")
		p.expect("ACK")
		event[Failed](t, c)
		if len(srv.conns) != 1 {
			t.Error("a second connection was made")
		}
	}
}

// A peer that accepts and then says nothing holds up the calls to it and no
// others.
func TestSilentTLSPeerHoldsUpNobodyElse(t *testing.T) {
	a := newAuthority(t)
	l := newLab(t, withTLS(a), func(o *Options) { o.timers.dial = patience })
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	l.to(fmt.Sprintf("sip:x@localhost:%d;transport=tls", dead.Addr().(*net.TCPAddr).Port))
	silent, err := dead.Accept() // its handshake is under way
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	srv := a.serve(a.issue("localhost"))
	c := l.to(fmt.Sprintf("sip:x@localhost:%d;transport=tls", srv.port()))
	select {
	case conn := <-srv.conns:
		p := overTCP(t, l.Stack, conn)
		p.reply(p.expect("INVITE"), 486, "x", "", "")
		event[Failed](t, c)
	case <-time.After(patience / 2):
		t.Error("another peer's call waits for the silent one")
	}
}

// Who can't show the certificate of the host that is called gets nothing.
func TestTLSVerifiesTheName(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	l := newLab(t, withTLS(a))
	for name, srv := range map[string]*secureServer{
		"another name": a.serve(a.issue("elsewhere.example")), "another authority": a.serve(other.issue("localhost")),
	} {
		c := l.to(fmt.Sprintf("sip:x@localhost:%d;transport=tls", srv.port()))
		if f := event[Failed](t, c); f.Code != 503 || f.Err == nil {
			t.Errorf("%s: %+v", name, f)
		}
	}
	old, err := tls.Dial("tcp", l.Addr("tls").String(), &tls.Config{RootCAs: a.pool, ServerName: "localhost", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10})
	if err == nil {
		old.Close()
		t.Error("TLS 1.1 was accepted")
	}
}

// A connection verified for one name is not used for another at the same
// address and port (CVE-2020-15260).
func TestTLSConnectionIsOneHosts(t *testing.T) {
	a := newAuthority(t)
	l := newLab(t, withTLS(a))
	srv := a.serve(a.issue("localhost"))
	c := l.to(fmt.Sprintf("sip:x@localhost:%d;transport=tls", srv.port()))
	p := overTCP(t, l.Stack, take(t, srv.conns, "a connection"))
	p.reply(p.expect("INVITE"), 486, "x", "", "")
	event[Failed](t, c)
	p.expect("ACK")
	// The address is another name, and the certificate is not for it.
	c = l.to(fmt.Sprintf("sip:x@127.0.0.1:%d;transport=tls", srv.port()))
	if f := event[Failed](t, c); f.Code != 503 || f.Err == nil {
		t.Errorf("%+v", f)
	}
	take(t, srv.conns, "a connection for the other name").Close()
	if len(p.in) > 0 {
		t.Errorf("sent on the other host's connection: %s", (<-p.in).first)
	}
	c.Bye(nil)
}

// A TLS peer that opens a connection and says nothing, or half a handshake,
// neither holds up others nor stays.
func TestSilentTLSConnectionsEnd(t *testing.T) {
	a := newAuthority(t)
	silent := func(l *lab, hello string) net.Conn {
		c, err := net.Dial("tcp", l.Addr("tls").String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_, _ = c.Write([]byte(hello))
		return c
	}
	// Two servers: the others' handshakes take what time they take.
	patient := newLab(t, withTLS(a), func(o *Options) { o.timers.firstByte = time.Hour })
	hasty := newLab(t, withTLS(a), func(o *Options) { o.timers.firstByte = 4 * testT1 })
	for _, hello := range []string{"", "\x16\x03\x01\x02\x00\x01", "INVITE sip:x@y SIP/2.0\r\n\r\n"} {
		silent(patient, hello)
		p := a.peer(patient.Stack)
		p.ask(ask{method: "OPTIONS", cseq: 1})
		p.expect("200 OPTIONS")
		c, err := silent(hasty, hello), error(nil)
		_ = c.SetReadDeadline(time.Now().Add(patience))
		for err == nil {
			_, err = c.Read(make([]byte, 100))
		}
		if late := net.Error(nil); errors.As(err, &late) && late.Timeout() {
			t.Errorf("%q: still open", hello)
		}
	}
}

// A TLS caller that goes while it rings, or in the call, is noticed.
func TestTLSFlowLost(t *testing.T) {
	a := newAuthority(t)
	l := newLab(t, withTLS(a))
	p := a.peer(l.Stack)
	c, _ := p.establish(l)
	p.tcp.Close()
	event[FlowLost](t, c)
	c.Bye(nil)
	if r := event[Replied](t, c); r.Code != 503 {
		t.Errorf("%+v", r)
	}
	p = a.peer(l.Stack)
	p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	c = l.call()
	p.expect("100 INVITE")
	p.tcp.(*tls.Conn).NetConn().Close()
	event[FlowLost](t, c)
	eventually(t, "no connection is left", func() bool {
		l.flows.mu.Lock()
		defer l.flows.mu.Unlock()
		return len(l.flows.all)+len(l.flows.peers)+len(l.flows.source)+len(l.flows.hosts) == 0
	})
}

// The openssl client is not ours.
func TestOpenSSLTalksToUs(t *testing.T) {
	path, err := exec.LookPath("openssl")
	if err != nil {
		t.Fatal("openssl is missing. Install it with:  sudo apt-get install --no-install-recommends openssl")
	}
	a := newAuthority(t)
	l := newLab(t, withTLS(a))
	cmd := exec.CommandContext(t.Context(), path, "s_client", "-quiet", "-no_ign_eof", "-connect", l.Addr("tls").String())
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(in, "OPTIONS sips:x@localhost SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKssl\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: ssl\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n")
	buf := make([]byte, 2000)
	n, err := out.Read(buf)
	if err != nil || !strings.HasPrefix(string(buf[:n]), "SIP/2.0 200 OK\r\n") {
		t.Errorf("%q %v", buf[:n], err)
	}
	in.Close()
	_ = cmd.Wait()
}
