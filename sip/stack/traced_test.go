package stack

import (
	"net"
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
