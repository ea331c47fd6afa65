package media

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

var (
	signalled = netip.MustParseAddrPort("198.51.100.7:4000")
	behindNAT = netip.MustParseAddrPort("198.51.100.7:61000")
)

// said is one packet of a source.
type said struct {
	from   netip.AddrPort
	ssrc   uint32
	seq    uint16
	pt     bool // agreed on
	accept bool
}

// What is no stream is not learnt from, wherever it comes from.
func TestLatchWantsAStream(t *testing.T) {
	other := netip.MustParseAddrPort("198.51.100.7:62000")
	for _, c := range []struct {
		name    string
		packets []said
	}{
		{"a stream", []said{{behindNAT, 1, 65534, true, false}, {behindNAT, 1, 65535, true, false}, {behindNAT, 1, 0, true, false}, {behindNAT, 1, 1, true, true}}},
		{"with losses", []said{{behindNAT, 1, 1, true, false}, {behindNAT, 1, 3, true, false}, {behindNAT, 1, 11, true, false}, {behindNAT, 1, 12, true, true}}},
		{"one packet again and again", []said{{behindNAT, 1, 9, true, false}, {behindNAT, 1, 9, true, false}, {behindNAT, 1, 9, true, false}, {behindNAT, 1, 9, true, false}, {behindNAT, 1, 9, true, false}}},
		{"sequence at random", []said{{behindNAT, 1, 9, true, false}, {behindNAT, 1, 900, true, false}, {behindNAT, 1, 30, true, false}, {behindNAT, 1, 31000, true, false}, {behindNAT, 1, 5, true, false}}},
		{"sources at random", []said{{behindNAT, 1, 9, true, false}, {behindNAT, 2, 10, true, false}, {behindNAT, 3, 11, true, false}, {behindNAT, 4, 12, true, false}, {behindNAT, 5, 13, true, false}}},
		{"another payload type", []said{{behindNAT, 1, 1, false, false}, {behindNAT, 1, 2, false, false}, {behindNAT, 1, 3, false, false}, {behindNAT, 1, 4, false, false}, {behindNAT, 1, 5, false, false}}},
		{"a stray in between", []said{{behindNAT, 1, 1, true, false}, {other, 9, 77, true, false}, {behindNAT, 1, 2, true, false}, {behindNAT, 1, 3, true, false}, {behindNAT, 1, 4, true, true}, {other, 9, 78, true, false}}},
		{"the signalled one after all", []said{{behindNAT, 1, 1, true, false}, {behindNAT, 1, 2, true, false}, {behindNAT, 1, 3, true, false}, {signalled, 5, 1, true, true}, {behindNAT, 1, 4, true, false}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var l latch
			now := time.Now()
			l.set(signalled, now)
			for i, p := range c.packets {
				if got := l.accept(p.from, rtpHeader{ssrc: p.ssrc, seq: p.seq}, p.pt, now); got != p.accept {
					t.Fatalf("packet %d: accepted %v", i, got)
				}
			}
		})
	}
}

// The attacker shares the peer's address (one NAT, one host) and sprays from
// many ports: the peer's stream comes through.
func TestLatchUnderSpray(t *testing.T) {
	var l latch
	now := time.Now()
	l.set(signalled, now)
	port := uint16(10000)
	for i := range learnAfter {
		if got := l.accept(behindNAT, rtpHeader{ssrc: 1, seq: uint16(i)}, true, now); got != (i == learnAfter-1) {
			t.Fatalf("the peer's packet %d: accepted %v", i, got)
		}
		for range maxCandidates - 1 { // to every packet of the peer, many
			port++
			src := netip.AddrPortFrom(signalled.Addr(), port)
			if l.accept(src, rtpHeader{ssrc: uint32(port), seq: port}, true, now) {
				t.Fatalf("a spray is believed from %s", src)
			}
		}
	}
	if l.dest() != behindNAT {
		t.Errorf("sends to %v", l.dest())
	}
}

// A peer that was silent from the start is waited for. Once heard it keeps its
// source, but for a silence and a description behind it.
func TestLatchFollowsThePeer(t *testing.T) {
	start := time.Now()
	late := start.Add(time.Minute)
	var l latch
	l.set(signalled, start)
	if !talks(&l, behindNAT.String(), late) {
		t.Error("who was muted for a minute is never heard")
	}
	l = latch{}
	l.set(signalled, start)
	if !talks(&l, signalled.String(), start) {
		t.Error("the signalled address is refused")
	}
	other := netip.MustParseAddrPort("198.51.100.7:62000")
	for _, was := range []netip.AddrPort{signalled, behindNAT} {
		l = latch{}
		l.set(signalled, start)
		talks(&l, was.String(), start)
		if talks(&l, other.String(), late) {
			t.Errorf("heard at %v: another is believed without a description", was)
		}
		l.set(signalled, late)
		talks(&l, was.String(), late)
		if talks(&l, other.String(), late.Add(quietFor/2)) {
			t.Errorf("heard at %v: another is believed while the peer speaks", was)
		}
		if talks(&l, "192.0.2.66:62000", late.Add(quietFor)) {
			t.Errorf("heard at %v: a stranger is believed", was)
		}
		if talks(&l, other.String(), late.Add(learnFor)) {
			t.Errorf("heard at %v: another is believed long after the description", was)
		}
		l.set(signalled, late.Add(learnFor)) // the end of a hold
		if !talks(&l, other.String(), late.Add(learnFor)) || l.dest() != other {
			t.Errorf("heard at %v: a peer whose NAT forgot it during a hold is not heard again", was)
		}
		if talks(&l, was.String(), late.Add(learnFor)) && was != signalled {
			t.Error("two are believed at once")
		}
	}
	l = latch{}
	l.set(signalled, start)
	talks(&l, behindNAT.String(), late)
	// What was learnt stays; one packet with the signalled address proves nothing.
	if l.accept(signalled, rtpHeader{ssrc: 9, seq: 9}, true, late) || l.dest() != behindNAT {
		t.Error("one packet has moved the stream")
	}
}

// RTCP goes with the media, to one port of its address.
func TestControlFollowsTheMedia(t *testing.T) {
	now := time.Now()
	var m, c latch
	control := netip.AddrPortFrom(signalled.Addr(), signalled.Port()+1)
	m.set(signalled, now)
	c.set(control, now)
	if c.acceptControl(behindNAT, &m) {
		t.Error("RTCP learnt before the media has been heard")
	}
	talks(&m, behindNAT.String(), now)
	thief := netip.MustParseAddrPort("192.0.2.66:61001")
	for i, p := range []struct {
		from string
		ok   bool
	}{{"192.0.2.66:61001", false}, {"198.51.100.7:61001", true}, {"198.51.100.7:61009", false}, {control.String(), true}, {"198.51.100.7:61001", false}} {
		if got := c.acceptControl(netip.MustParseAddrPort(p.from), &m); got != p.ok {
			t.Errorf("report %d from %s: accepted %v", i, p.from, got)
		}
	}
	if c.dest() == thief {
		t.Error("reports go to a thief")
	}
}

// When the peer's media comes from elsewhere, as it does when its NAT forgot it
// during a hold, RTCP is learnt anew: from there, and not from where it was.
func TestControlFollowsTheMediaThatMoves(t *testing.T) {
	ap := netip.MustParseAddrPort
	control := netip.AddrPortFrom(signalled.Addr(), signalled.Port()+1)
	for name, before := range map[string]string{"from behind a NAT": "198.51.100.7:61001", "from the signalled address": control.String()} {
		t.Run(name, func(t *testing.T) {
			lib, err := LoadLibrary("")
			if err != nil {
				t.Fatal(err)
			}
			e, err := New(Options{Addr: netip.MustParseAddr("127.0.0.1"), PortMin: 37000, PortMax: 37999, Library: lib})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			p, err := e.Open()
			if err != nil {
				t.Fatal(err)
			}
			p.AlsoFrom(netip.MustParseAddr("203.0.113.9")) // where its signalling comes from
			p.SetRemote(signalled)
			seq := uint16(0)
			speaks := func(src string) {
				t.Helper()
				heard := p.Heard()
				for range learnAfter {
					pkt := make([]byte, rtpHeaderLen+frameSamples)
					seq++
					putRTP(pkt, rtpHeader{seq: seq, ssrc: 7})
					p.receivedRTP(ap(src), pkt)
				}
				if p.Heard() == heard {
					t.Fatalf("audio from %s is not heard", src)
				}
			}
			// reports is one RTCP packet; believed or not.
			reports := func(src string) bool {
				strays := p.Strays()
				p.receivedRTCP(ap(src), []byte{0x80, 201, 0, 1, 0, 0, 0, 7})
				return p.Strays() == strays
			}
			if name == "from the signalled address" && !reports(before) {
				t.Error("RTCP from the signalled address is refused")
			}
			speaks("198.51.100.7:61000")
			if !reports(before) || p.control.dest() != ap(before) {
				t.Fatalf("RTCP goes to %v", p.control.dest())
			}
			// The hold, and the re-INVITE that ends it.
			p.media.last = time.Now().Add(-quietFor)
			p.SetRemote(signalled)
			speaks("203.0.113.9:40000")
			if before != control.String() && reports(before) {
				t.Error("RTCP from where the peer was is believed")
			}
			if reports("192.0.2.66:40001") {
				t.Error("a stranger's RTCP is believed")
			}
			if p.control.dest() != control {
				t.Errorf("RTCP goes to %v before the peer has sent any", p.control.dest())
			}
			if !reports("203.0.113.9:40001") || p.control.dest() != ap("203.0.113.9:40001") {
				t.Errorf("RTCP goes to %v, not to where the media is", p.control.dest())
			}
		})
	}
}

func TestPayloadTypesOfTheOtherSide(t *testing.T) {
	pcma, events := Format{PT: 8, Name: "PCMA", Rate: 8000}, func(pt uint8) Format {
		return Format{PT: pt, Name: TelephoneEvent, Rate: 8000}
	}
	from := numbers{in: []Format{pcma, events(101)}}
	to := numbers{out: []Format{pcma, events(96)}}
	for _, c := range []struct {
		pt, want uint8
		ok       bool
	}{{8, 8, true}, {101, 96, true}, {13, 13, true}, {96, 0, false}, {120, 0, false}} {
		f, known := from.format(c.pt)
		got, ok := to.number(c.pt, f, known)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%d becomes %d, %v, want %d, %v", c.pt, got, ok, c.want, c.ok)
		}
	}
	to.out = to.out[:1] // no keys on the other side
	f, known := from.format(101)
	if _, ok := to.number(101, f, known); ok {
		t.Error("keys go to a peer that has not agreed to them")
	}
	if fmt.Sprint(from.takes(101), from.takes(96), (&numbers{}).takes(96)) != "true false true" {
		t.Error("takes the wrong types")
	}
}
