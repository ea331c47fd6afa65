package stack

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/digest"
)

// notifier is a peer that tells us of a telephone.
type notifier struct {
	*peer
	*Subscription
	told  chan *Message
	out   chan Subscribed
	first packet
	cseq  int
}

func subscribesAt(t *testing.T, l *lab, p *peer) *notifier {
	t.Helper()
	n := &notifier{peer: p, told: make(chan *Message, 100), out: make(chan Subscribed, 1)}
	login := NewLogin("office", "office", loginRealm, loginPassword)
	login.Sources = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	var err error
	n.Subscription, err = l.NewSubscription(Subscribing{
		URI: "sip:101@" + p.addr(), From: "sip:office@pbx.example", Event: "dialog", Accept: "application/dialog-info+xml",
		Login: login,
	}, func(m *Message) { n.told <- m })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func (n *notifier) subscribe(d time.Duration) packet {
	n.t.Helper()
	go func() { n.out <- n.Subscribe(context.Background(), d) }()
	return n.expect("SUBSCRIBE")
}

func (n *notifier) want(w Subscribed) {
	n.t.Helper()
	if got := take(n.t, n.out, "the end of Subscribe"); got.Err != nil || got != w {
		n.t.Fatalf("%+v, want %+v", got, w)
	}
}

// notify sends a NOTIFY in the dialog, changed by the extra headers.
func (n *notifier) notify(extra, body string) {
	n.t.Helper()
	n.cseq++
	n.callID = n.first.get("Call-ID")
	n.ask(ask{method: "NOTIFY", cseq: n.cseq, to: n.first.get("From"), from: "<sip:101@pbx.example>;tag=n1", uri: "sip:cordboard@127.0.0.1", extra: extra, body: body})
}

const (
	toldOf   = "Event: dialog\nSubscription-State: active;expires=90\n"
	infoType = "Content-Type: application/dialog-info+xml;charset=utf-8\n"
)

// The first NOTIFY may be faster than the 200 and makes the dialog, route set and
// all; what refreshes it goes there and shows the password unasked (RFC 6665 4.1.2.4,
// RFC 3261 12.1.1).
func TestSubscription(t *testing.T) {
	l := newLab(t)
	n := subscribesAt(t, l, newPeer(t, l.Stack))
	first := n.subscribe(5 * time.Minute)
	if !strings.HasPrefix(first.first, "SUBSCRIBE sip:101@"+n.addr()+" ") || first.get("Event") != "dialog" || first.get("Expires") != "300" ||
		first.get("Accept") != "application/dialog-info+xml" || !strings.Contains(first.get("Allow"), "NOTIFY") || first.tag("To") != "" || first.get("Contact") == "" {
		t.Fatalf("%s", first.raw)
	}
	n.challenge(first, 401, asks(loginRealm, "n", "MD5", ""))
	n.first = n.expect("SUBSCRIBE")
	n.shows(n.first, "Authorization", "n", digest.MD5, "00000001")

	n.notify(toldOf+infoType+"Record-Route: <sip:"+n.addr()+";lr>", "<a/>")
	m := take(t, n.told, "the NOTIFY")
	if string(m.Body) != "<a/>" || m.Get("Subscription-State") != "active;expires=90" {
		t.Fatalf("%+v", m)
	}
	if err := n.Reply(m, 200); err != nil {
		t.Fatal(err)
	}
	n.expect("200 NOTIFY")
	n.reply(n.first, 200, "n1", "Expires: 90", "")
	n.want(Subscribed{Code: 200, Expires: 90 * time.Second})

	again := n.subscribe(5 * time.Minute)
	n.shows(again, "Authorization", "n", digest.MD5, "00000002")
	if again.tag("To") != "n1" || again.get("CSeq") != "3 SUBSCRIBE" || again.get("Call-ID") != first.get("Call-ID") ||
		!strings.HasPrefix(again.first, "SUBSCRIBE "+n.uri()+" ") || again.get("Route") != "<sip:"+n.addr()+";lr>" {
		t.Fatalf("%s", again.raw)
	}
	n.reply(again, 202, "", "", "")
	n.want(Subscribed{Code: 202, Expires: 5 * time.Minute})

	n.reply(n.subscribe(time.Minute), 423, "", "Min-Expires: 3600", "")
	n.want(Subscribed{Code: 423, Expires: time.Minute, Least: time.Hour})
	n.reply(n.subscribe(0), 481, "", "Retry-After: 7", "")
	n.want(Subscribed{Code: 481, After: 7 * time.Second})
	l.hidesPassword()
}

// Only who was asked tells us, in its dialog, of what was asked for; everything else
// is refused by what is wrong with it, and its owner hears nothing.
func TestNotifyRefused(t *testing.T) {
	l := newLab(t, func(o *Options) { o.Allow = netip.MustParsePrefix("127.0.0.0/8").Contains })
	n := subscribesAt(t, l, newPeer(t, l.Stack))
	n.first = n.subscribe(time.Minute)
	n.reply(n.first, 200, "n1", "Expires: 60", "")
	n.want(Subscribed{Code: 200, Expires: time.Minute})
	for _, c := range []struct{ extra, body, want string }{
		{"Event: presence\nSubscription-State: active", "", "489"},
		{"Event: dialog", "", "400"},
		{toldOf + "Content-Type: text/plain", "x", "415"},
		{toldOf + infoType + "Content-Encoding: gzip", "x", "415"},
		{toldOf + "Require: eventlist", "", "420"},
	} {
		n.notify(c.extra, c.body)
		if got := take(t, n.in, "an answer"); !got.is(c.want + " NOTIFY") {
			t.Errorf("%q: %s, want %s", c.extra, got.first, c.want)
		}
	}
	branch := n.ask(ask{method: "INVITE", cseq: 99, to: n.first.get("From"), from: "<sip:101@pbx.example>;tag=n1", body: "v=0"})
	if got := n.expect("405 INVITE"); got.get("Allow") != "NOTIFY" {
		t.Errorf("an INVITE in it: %s", got.raw)
	}
	n.ask(ask{method: "ACK", branch: branch, cseq: 99, to: n.first.get("From"), from: "<sip:101@pbx.example>;tag=n1"})
	n.ask(ask{method: "NOTIFY", cseq: 100, to: n.first.get("From"), from: "<sip:101@pbx.example>;tag=other", extra: toldOf})
	n.expect("481 NOTIFY") // another branch's
	n.ask(ask{method: "NOTIFY", cseq: 100, extra: toldOf})
	n.expect("481 NOTIFY") // nobody's

	thief := &notifier{peer: peerFrom(t, l.Stack, "127.0.0.2"), first: n.first, cseq: 100}
	thief.notify(toldOf, "")
	thief.expect("403 NOTIFY")

	n.cseq = 100
	n.notify(toldOf, "")
	if err := n.Reply(take(t, n.told, "a sound NOTIFY"), 200); err != nil {
		t.Fatal(err)
	}
	n.expect("200 NOTIFY")
	n.cseq -= 2
	n.notify(toldOf, "")
	n.expect("500 NOTIFY") // overtaken
	n.Close()
	n.cseq = 200
	n.notify(toldOf, "")
	n.expect("481 NOTIFY")
	if len(n.told) > 0 {
		t.Errorf("its owner heard %+v", <-n.told)
	}
	if l.Sizes().Dialogs != 0 {
		t.Errorf("%d dialogs are left", l.Sizes().Dialogs)
	}
}

// A PBX that floods is held to a bound.
func TestNotifyFlood(t *testing.T) {
	l := newLab(t)
	n := subscribesAt(t, l, newPeer(t, l.Stack))
	n.first = n.subscribe(time.Minute)
	n.reply(n.first, 200, "n1", "Expires: 60", "")
	n.want(Subscribed{Code: 200, Expires: time.Minute})
	for range maxUntold + 1 {
		n.notify(toldOf, "")
	}
	if got := n.expect("503 NOTIFY"); got.get("Retry-After") == "" {
		t.Errorf("%s", got.raw)
	}
	n.Close()
	for range maxUntold {
		n.expect("481 NOTIFY")
	}
}
