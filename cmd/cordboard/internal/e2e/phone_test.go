package e2e

import (
	"context"
	"net/netip"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/baresip"
)

// phone is a baresip of the test's, which fails when the phone does not do what
// it is told.
type phone struct {
	t *testing.T
	*baresip.Phone
}

// newPhone starts a phone for the user at port, a static contact, sending a tone
// of hz.
func newPhone(t *testing.T, user string, port int, hz float64) *phone {
	t.Helper()
	return startPhone(t, baresip.Options{User: user, Tone: hz}, port)
}

// newRegistered starts one that registers at the server.
func newRegistered(t *testing.T, user, secret, transport string, port int, hz float64) *phone {
	t.Helper()
	return startPhone(t, baresip.Options{User: user, Tone: hz, Registrar: sipAddress, Password: secret, Transport: transport}, port)
}

func startPhone(t *testing.T, o baresip.Options, port int) *phone {
	t.Helper()
	o.Dir, o.Interface, o.Output = t.TempDir(), testInterface, &testLog{t: t, name: "baresip " + o.User}
	o.Listen = netip.AddrPortFrom(netip.MustParseAddr(testHost), uint16(port))
	o.RTP, o.Control = [2]int{rtpFrom(port), rtpFrom(port) + 8}, port+1
	ctx, cancel := context.WithTimeout(t.Context(), phonePatience)
	defer cancel()
	p, err := baresip.Start(ctx, o)
	must(t, err)
	t.Cleanup(p.Close)
	return &phone{t, p}
}

const phonePatience = time.Minute

// rtpFrom is the first of the nine RTP ports of the phone at a port.
func rtpFrom(port int) int { return 20000 + port*10%20000 }

// wait waits for the n-th event of the kind and returns when it came.
func (p *phone) wait(kind string, n int) time.Time {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), phonePatience)
	defer cancel()
	at, err := p.Wait(ctx, kind, n)
	must(p.t, err)
	return at
}

func (p *phone) answer() { p.t.Helper(); must(p.t, p.Do("accept")) }
func (p *phone) quit()   { p.t.Helper(); must(p.t, p.Do("quit")) }
func (p *phone) hangup() { p.t.Helper(); must(p.t, p.Do("hangup")) }

// heard is everything the phone decoded in its last call.
func (p *phone) heard() []int16 {
	p.t.Helper()
	s, err := p.Heard()
	must(p.t, err)
	return s
}
