package stack

import (
	"fmt"
	"strings"
	"testing"
)

func reliably(rseq int, extra string) string {
	return fmt.Sprintf("Require: 100rel\nRSeq: %d\n%s", rseq, extra)
}

// Each provisional response that wants it gets one PRACK, in its early dialog and by
// that one's route set; repeated ones get none, and one that comes before its turn
// is dropped.
func TestWeAcknowledge(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0 offer")
	inv := p.expect("INVITE")
	route := "<" + p.uri() + ";lr>"
	p.contact = "<sip:phone@" + p.addr() + ">"
	p.reply(inv, 180, "a", reliably(7, "Record-Route: "+route), "")
	ack := p.expect("PRACK")
	if ack.get("RAck") != "7 1 INVITE" || ack.get("CSeq") != "2 PRACK" || ack.tag("To") != "a" || ack.get("Route") != route ||
		!strings.HasPrefix(ack.first, "PRACK sip:phone@"+p.addr()+" ") || ack.body != "" {
		t.Errorf("PRACK: %s", ack.raw)
	}
	p.reply(ack, 200, "", "", "")
	event[Progress](t, c)
	p.reply(inv, 180, "a", reliably(7, ""), "") // again
	p.reply(inv, 183, "a", reliably(9, ""), "") // 8 is on its way
	p.reply(inv, 183, "a", reliably(6, ""), "")
	p.reply(inv, 183, "a", reliably(8, ""), "v=0 answer")
	if m := event[Progress](t, c); m.Response.Status != 183 || m.Response.Get("RSeq") != "8" {
		t.Errorf("%+v", m.Response)
	}
	ack = p.expect("PRACK")
	if ack.get("RAck") != "8 1 INVITE" || ack.get("CSeq") != "3 PRACK" {
		t.Errorf("PRACK: %s", ack.raw)
	}
	p.reply(ack, 481, "", "", "") // that is no end of the call
	p.reply(inv, 200, "a", "", "")
	if ok := event[Answered](t, c).Response; string(ok.Body) != "v=0 answer" || ok.Get("Content-Type") != "application/sdp" {
		t.Errorf("without what the 183 said: %+v", ok)
	}
	_ = c.Ack(nil)
	if m := p.expect("ACK"); m.get("CSeq") != "1 ACK" {
		t.Errorf("%s", m.raw)
	}
	c.Bye(nil)
	bye := p.expect("BYE")
	if bye.get("CSeq") != "4 BYE" {
		t.Errorf("%s", bye.raw)
	}
	p.reply(bye, 200, "", "", "")
	event[Replied](t, c)
	c.none(t)
}

// Early dialogs by forking are acknowledged each by its own numbers, and the one that
// loses is ended in its own.
func TestWeAcknowledgeForks(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p, other := newPeer(t, l.Stack), newPeer(t, l.Stack)
	c := l.dial(p, "v=0 offer")
	inv := p.expect("INVITE")
	p.reply(inv, 183, "a", reliably(1, ""), "v=0 answer of a")
	p.reply(p.expect("PRACK"), 200, "", "", "")
	other.reply(inv, 183, "b", reliably(1, ""), "v=0 answer of b")
	ack := other.expect("PRACK")
	if ack.tag("To") != "b" || ack.get("RAck") != "1 1 INVITE" || ack.get("CSeq") != "3 PRACK" {
		t.Errorf("PRACK: %s", ack.raw)
	}
	other.reply(ack, 200, "", "", "")
	p.reply(inv, 200, "a", "", "")
	event[Progress](t, c)
	event[Progress](t, c)
	if ok := event[Answered](t, c).Response; string(ok.Body) != "v=0 answer of a" {
		t.Errorf("%s", ok.Body)
	}
	_ = c.Ack(nil)
	p.expect("ACK")
	other.reply(inv, 200, "b", "", "")
	other.expect("ACK")
	if bye := other.expect("BYE"); bye.tag("To") != "b" || bye.get("CSeq") != "4 BYE" { // above its PRACK's
		t.Errorf("%s", bye.raw)
	} else {
		other.reply(bye, 200, "", "", "")
	}
}

// A PRACK that is challenged is sent again with the password, and so is what follows.
func TestPrackThroughALogin(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := &call{events: make(chan Event, 1000)}
	d, err := l.Invite(Outgoing{
		URI: p.uri(), From: "<sip:a@b.example>", To: "<sip:agent@cordboard.example>", Body: []byte("v=0 offer"),
		Login: NewLogin("carrier", "us", "carrier.example", "secret"),
	}, func(e Event) { c.events <- e })
	if err != nil {
		t.Fatal(err)
	}
	c.Dialog = d
	inv := p.expect("INVITE")
	p.reply(inv, 183, "a", reliably(1, ""), "v=0 answer")
	ack := p.expect("PRACK")
	p.reply(ack, 407, "", `Proxy-Authenticate: Digest realm="carrier.example", nonce="n1", qop="auth"`, "")
	again := p.expect("PRACK")
	if again.get("RAck") != "1 1 INVITE" || again.get("CSeq") != "3 PRACK" || !strings.Contains(again.get("Proxy-Authorization"), `nonce="n1"`) {
		t.Errorf("PRACK: %s", again.raw)
	}
	p.reply(again, 200, "", "", "")
	event[Progress](t, c)
	p.reply(inv, 200, "a", "", "")
	event[Answered](t, c)
	_ = c.Ack(nil)
	p.expect("ACK")
}

// Our CANCEL meets a response that wants a PRACK: the INVITE's end is the 487.
func TestCancelMeetsReliableProvisional(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0 offer")
	inv := p.expect("INVITE")
	c.Cancel()
	p.reply(inv, 180, "a", reliably(1, ""), "")
	can := p.expect("CANCEL")
	p.reply(inv, 183, "a", reliably(2, ""), "v=0 answer")
	p.reply(can, 200, "a", "", "")
	p.reply(inv, 487, "a", "", "")
	p.expect("ACK") // and no PRACK
	if f := event[Failed](t, c); f.Code != 487 {
		t.Errorf("%+v", f)
	}
	c.none(t)
}

// What can't be acknowledged is a sign of life and no more.
func TestNotAcknowledged(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p := newPeer(t, l.Stack)
	c := l.dial(p, "v=0 offer")
	inv := p.expect("INVITE")
	p.reply(inv, 180, "a", "Require: 100rel\nRSeq: x", "")
	event[Progress](t, c)
	p.reply(inv, 180, "a", "RSeq: 1", "")
	event[Progress](t, c)
	p.reply(inv, 486, "a", "", "")
	p.expect("ACK")
	event[Failed](t, c)
}
