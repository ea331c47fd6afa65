package stack

import (
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/trace"
)

// Who may not call us can't push the calls of those who may out of the trace,
// neither by what he sends nor by what he is answered: over a stream his messages
// are read.
func TestStrangersAreNotTraced(t *testing.T) {
	const room = 128 << 10
	ring := trace.New(room, time.Hour)
	l := newLab(t, func(o *Options) { o.Trace = ring })
	p := newPeer(t, l.Stack)
	c, ok := p.establish(l)
	_, before := ring.Dialog(p.callID)
	if len(before) < 3 {
		t.Fatalf("the call has %d messages: an INVITE, a 200 and an ACK at least", len(before))
	}
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
	conn, err := d.DialContext(t.Context(), "tcp", l.Addr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	stranger := overTCP(t, l.Stack, conn)
	for i := range 3 * room / 30_000 {
		stranger.ask(ask{method: "INVITE", cseq: i + 1, body: strings.Repeat("x", 30_000)})
		stranger.expect("403 INVITE")
	}
	if _, of := ring.Dialog(stranger.callID); len(of) > 0 {
		t.Errorf("%d messages with a stranger are kept", len(of))
	}
	p.ask(ask{method: "BYE", cseq: 2, to: ok.get("To")})
	p.expect("200 BYE")
	event[Ended](t, c)
	if _, after := ring.Dialog(p.callID); len(after) != len(before)+2 {
		t.Errorf("of the call's messages %d are kept, want %d and the two of its end", len(after), len(before))
	}
}

// A peer that was called, and may not call us, is traced inside its dialog alone:
// the calls of its own that are refused are a stranger's.
func TestCalledStrangerIsTracedInItsDialog(t *testing.T) {
	l := newLab(t, func(o *Options) {
		o.Allow = func(netip.Addr) bool { return false }
		o.Trace = trace.New(1<<20, time.Hour)
	})
	p := newPeer(t, l.Stack)
	c, inv := p.answered(l)
	p.callID = "stranger"
	branch := p.ask(ask{method: "INVITE", cseq: 1, body: "v=0"})
	m := p.expect("403 INVITE")
	p.ask(ask{method: "ACK", cseq: 1, branch: branch, to: m.get("To")})
	p.callID = inv.get("Call-ID")
	p.ask(ask{method: "BYE", cseq: 2, from: inv.get("To") + ";tag=peer", to: inv.get("From")})
	p.expect("200 BYE")
	event[Ended](t, c)
	if _, m := l.o.Trace.Dialog("stranger"); len(m) > 0 {
		t.Errorf("%d messages of calls that were refused are kept, the first %.40q", len(m), m[0].Data)
	}
	if _, m := l.o.Trace.Dialog(p.callID); len(m) < 5 {
		t.Errorf("%d messages of the dialog are kept: an INVITE, a 200, an ACK, a BYE and its 200 at least", len(m))
	}
}
