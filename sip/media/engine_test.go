package media_test

import (
	"context"
	"encoding/binary"
	"errors"
	"math"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/media/internal/wav"
	"github.com/cordboard/cordboard/sip/siptest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var loopback = netip.MustParseAddr("127.0.0.1")

// tone makes samples of a sine.
func tone(freq float64, rate int, d time.Duration) []int16 {
	pcm := make([]int16, int(d.Seconds()*float64(rate)))
	for i := range pcm {
		pcm[i] = int16(10000 * math.Sin(2*math.Pi*freq*float64(i)/float64(rate)))
	}
	return pcm
}

// engine starts an engine whose library holds two tones of a second, t440 and
// t1000, and one of 100 ms, short.
func engine(t testing.TB) *media.Engine {
	t.Helper()
	dir := t.TempDir()
	for name, pcm := range map[string][]int16{
		"t440":  tone(440, wav.Rate, time.Second),
		"t1000": tone(1000, wav.Rate, time.Second),
		"short": tone(1000, wav.Rate, 90*time.Millisecond),
	} {
		if err := os.WriteFile(filepath.Join(dir, name+".wav"), wav.Append(nil, pcm), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lib, err := media.LoadLibrary(dir)
	if err != nil {
		t.Fatal(err)
	}
	e, err := media.New(media.Options{Addr: loopback, PortMin: 12000, PortMax: 15999, Library: lib})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

func open(t testing.TB, e *media.Engine) *media.Port {
	t.Helper()
	p, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func ear(t testing.TB) *siptest.Audio {
	t.Helper()
	a, err := siptest.OpenAudio(loopback)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}

func within(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func received(t *testing.T, a *siptest.Audio, n int) []siptest.Packet {
	t.Helper()
	if err := a.WaitFor(within(t), func() bool { return a.Received() >= n }); err != nil {
		t.Fatal(err)
	}
	return a.Packets()
}

var pcmu = media.Codec{Name: "PCMU", PT: 0, DTMFPT: 101}

// checkStream checks that packets follow each other without gap: a stream as
// RFC 3550 wants it. Loopback loses and reorders nothing. What a machine that
// stood still left out of the clock shows as silence does: marked.
func checkStream(t *testing.T, packets []siptest.Packet, pt uint8) {
	t.Helper()
	for i, p := range packets {
		if p.PT != pt || p.Payload != 160 || p.SSRC != packets[0].SSRC {
			t.Fatalf("packet %d: %+v", i, p)
		}
		if i == 0 {
			continue
		}
		before := packets[i-1]
		gap := p.TS - before.TS
		if p.Seq != before.Seq+1 || gap == 0 || gap%160 != 0 || p.Marker != (gap > 160) {
			t.Fatalf("packet %d: sequence %d after %d, timestamp %d after %d, marked: %v", i, p.Seq, before.Seq, p.TS, before.TS, p.Marker)
		}
	}
}

func TestPlay(t *testing.T) {
	for name, c := range map[string]media.Codec{"PCMU": pcmu, "PCMA": {Name: "PCMA", PT: 8}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, a := engine(t), ear(t)
			p := open(t, e)
			start := time.Now()
			if err := p.Play("t440", true, a.Local(), c, nil); err != nil {
				t.Fatal(err)
			}
			// Longer than the sound: the loop's seam is in it.
			got := received(t, a, 70)
			if !a.Heard(440) || a.Heard(1000) {
				t.Errorf("heard 440 Hz: %v, 1000 Hz: %v", a.Heard(440), a.Heard(1000))
			}
			checkStream(t, got, c.PT)
			if !got[0].Marker {
				t.Error("the first packet of a talkspurt is not marked")
			}
			if got[0].From != p.Local() {
				t.Errorf("sent from %s, local is %s", got[0].From, p.Local())
			}
			// The 70th packet is due 69 frames after the first, not earlier: that
			// would be a clock that runs away.
			if d := time.Since(start); d < 69*20*time.Millisecond {
				t.Errorf("70 packets came within %s", d)
			}
		})
	}
}

// TestEveryAddress: bound to 0.0.0.0 as in a container, the peer is known all
// the same.
func TestEveryAddress(t *testing.T) {
	lib, err := media.LoadLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	e, err := media.New(media.Options{Addr: netip.IPv4Unspecified(), Advertise: loopback, PortMin: 12000, PortMax: 15999, Library: lib})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	pa, pb, a, b := joined(t, e)
	a.Speak(440)
	b.Speak(1000)
	for who, freq := range map[*siptest.Audio]float64{a: 1000, b: 440} {
		if err := who.WaitHeard(within(t), freq); err != nil {
			t.Error(err)
		}
	}
	if n := pa.Strays() + pb.Strays(); n != 0 {
		t.Errorf("%d packets of the peers were taken for strangers'", n)
	}
}

func TestBuiltInMusic(t *testing.T) {
	e, a := engine(t), ear(t)
	for _, name := range []string{media.DefaultMusic, "greeting", "closed", "sorry", "busy", "greeting-ru", "closed-ru", "sorry-ru", "busy-ru", "beep", "voicemail", "voicemail-ru", "voicemail-bg", "voicemail-zh"} {
		if !e.Has(name) {
			t.Errorf("there is no %s", name)
		}
	}
	if e.Has("nothing") {
		t.Error("has nothing")
	}
	if err := open(t, e).Play(media.DefaultMusic, true, a.Local(), pcmu, nil); err != nil {
		t.Fatal(err)
	}
	if err := a.WaitFor(within(t), a.Music); err != nil {
		t.Error(err)
	}
}

func TestChangeOfSoundKeepsTheStream(t *testing.T) {
	e, a := engine(t), ear(t)
	p := open(t, e)
	play := func(sound string, freq float64) {
		t.Helper()
		if err := p.Play(sound, true, a.Local(), pcmu, func() { t.Error("done of a loop was called") }); err != nil {
			t.Fatal(err)
		}
		if err := a.WaitHeard(within(t), freq); err != nil {
			t.Fatalf("%s: %v", sound, err)
		}
	}
	play("t440", 440)
	play("t1000", 1000)
	play("t440", 440)
	checkStream(t, a.Packets(), 0)
}

func TestSilenceMovesTheTimestamp(t *testing.T) {
	e, a := engine(t), ear(t)
	p := open(t, e)
	if err := p.Play("t440", true, a.Local(), pcmu, nil); err != nil {
		t.Fatal(err)
	}
	received(t, a, 5)
	p.Stop()
	stopped := len(a.Packets())
	// Another stream's 10 packets are the clock of the pause.
	b := ear(t)
	if err := open(t, e).Play("t440", true, b.Local(), pcmu, nil); err != nil {
		t.Fatal(err)
	}
	received(t, b, 10)
	if err := p.Play("t1000", true, a.Local(), pcmu, nil); err != nil {
		t.Fatal(err)
	}
	got := received(t, a, stopped+5)
	silences := 0
	for i := 1; i < len(got); i++ {
		if !got[i].Marker {
			continue
		}
		if got[i].Seq != got[i-1].Seq+1 {
			t.Error("sequence numbers jump over silence")
		}
		// 10 packets of the other stream are at least 9 frames of time.
		d := got[i].TS - got[i-1].TS
		if d%160 != 0 {
			t.Errorf("timestamps move by %d over the silence", d)
		}
		if d >= 9*160 {
			silences++
		}
	}
	if silences == 0 {
		t.Error("no packet after the silence is marked, with the time that has passed")
	}
}

func TestDone(t *testing.T) {
	e, a := engine(t), ear(t)
	p := open(t, e)
	done := make(chan struct{}, 10)
	if err := p.Play("short", false, a.Local(), pcmu, func() { done <- struct{}{} }); err != nil {
		t.Fatal(err)
	}
	<-done
	if got := received(t, a, 10); len(got) != 10 { // 90 ms, and what phones buffer
		t.Errorf("%d packets, want 10", len(got))
	}
	// Broken off by another sound, and by Stop: not done.
	broken := func() { t.Error("done of a sound that was broken off was called") }
	if err := p.Play("short", false, a.Local(), pcmu, broken); err != nil {
		t.Fatal(err)
	}
	if err := p.Play("short", false, a.Local(), pcmu, broken); err != nil {
		t.Fatal(err)
	}
	p.Stop()
	// From done the next sound may be started.
	if err := p.Play("short", false, a.Local(), pcmu, func() {
		if err := p.Play("t440", true, a.Local(), pcmu, nil); err != nil {
			t.Error(err)
		}
		done <- struct{}{}
	}); err != nil {
		t.Fatal(err)
	}
	<-done
	if err := a.WaitHeard(within(t), 440); err != nil {
		t.Error(err)
	}
	select {
	case <-done:
		t.Error("done was called twice")
	default:
	}
}

func TestPlayRefuses(t *testing.T) {
	e := engine(t)
	p := open(t, e)
	to := netip.MustParseAddrPort("127.0.0.1:9")
	if err := p.Play("nothing", true, to, pcmu, nil); err == nil {
		t.Error("plays a sound that is not there")
	}
	if err := p.Play("t440", true, to, media.Codec{Name: "G722", PT: 9}, nil); err == nil {
		t.Error("plays in a codec it has not")
	}
	p.Close()
	p.Close()
	if err := p.Play("t440", true, to, pcmu, nil); !errors.Is(err, media.ErrClosed) {
		t.Errorf("Play after Close: %v", err)
	}
}

func TestKeysAreRead(t *testing.T) {
	e, a, stranger := engine(t), ear(t), ear(t)
	p := open(t, e)
	keys := make(chan byte, 100)
	p.OnDTMF(func(k byte) { keys <- k })
	if err := p.Play("t440", true, a.Local(), pcmu, nil); err != nil {
		t.Fatal(err)
	}
	a.Connect(p.Local(), 0, 101)
	a.Speak(440) // audio between the keys
	if err := a.Press("12*0#AD9"); err != nil {
		t.Fatal(err)
	}
	got := ""
	for range 8 {
		select {
		case k := <-keys:
			got += string(k)
		case <-within(t).Done():
			t.Fatalf("only %q came", got)
		}
	}
	if got != "12*0#AD9" {
		t.Errorf("got %q", got)
	}
	stranger.Connect(p.Local(), 0, 101)
	if err := stranger.Press("7"); err != nil {
		t.Fatal(err)
	}
	// The peer's next key comes after the stranger's on the same socket.
	if err := a.Press("8"); err != nil {
		t.Fatal(err)
	}
	if k := <-keys; k != '8' {
		t.Errorf("a stranger's key %c was read", k)
	}
}

// TestKeyWhoseEndIsLost: no end packet arrives, nor anything else.
func TestKeyWhoseEndIsLost(t *testing.T) {
	e := engine(t)
	p := open(t, e)
	keys := make(chan byte, 10)
	p.OnDTMF(func(k byte) { keys <- k })
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := p.Play("t440", true, conn.LocalAddr().(*net.UDPAddr).AddrPort(), pcmu, nil); err != nil {
		t.Fatal(err)
	}
	pkt := []byte{0x80, 101 | 0x80, 0, 1, 0, 0, 0, 1, 0, 0, 0, 2, 6, 10, 0, 160}
	if _, err := conn.WriteToUDPAddrPort(pkt, p.Local()); err != nil {
		t.Fatal(err)
	}
	select {
	case k := <-keys:
		if k != '6' {
			t.Errorf("got %c", k)
		}
	case <-within(t).Done():
		t.Error("the key never came")
	}
}

// joined opens two ports with a robot at each and relays between them.
func joined(t *testing.T, e *media.Engine) (pa, pb *media.Port, a, b *siptest.Audio) {
	t.Helper()
	pa, pb, a, b = open(t, e), open(t, e), ear(t), ear(t)
	pa.SetRemote(a.Local())
	pb.SetRemote(b.Local())
	a.Connect(pa.Local(), 0, 101)
	b.Connect(pb.Local(), 0, 101)
	if err := e.Relay(pa, pb); err != nil {
		t.Fatal(err)
	}
	return pa, pb, a, b
}

func TestRelay(t *testing.T) {
	e := engine(t)
	pa, pb, a, b := joined(t, e)
	a.Speak(440)
	b.Speak(1000)
	for _, w := range []struct {
		who  *siptest.Audio
		freq float64
	}{{a, 1000}, {b, 440}} {
		if err := w.who.WaitHeard(within(t), w.freq); err != nil {
			t.Errorf("%v Hz: %v", w.freq, err)
		}
	}
	checkStream(t, b.Packets(), 0)

	// Hold: who is played to hears the sound and nothing of the other side.
	if err := pb.Play("t1000", true, netip.AddrPort{}, pcmu, nil); err != nil {
		t.Fatal(err)
	}
	if err := b.WaitHeard(within(t), 1000); err != nil {
		t.Error(err)
	}
	pb.Stop()
	if err := b.WaitHeard(within(t), 440); err != nil {
		t.Errorf("after the hold: %v", err)
	}

	e.Unrelay(pa, pb)
	before := pa.Heard()
	if err := a.WaitFor(within(t), func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool { return pa.Heard() > before+2 })
	n := b.Received()
	waitUntil(t, func() bool { return pa.Heard() > before+6 })
	if b.Received() > n {
		t.Error("audio passes after Unrelay")
	}
}

// waitUntil asks again and again, at most a minute.
func waitUntil(t *testing.T, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ctx := within(t); !holds(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("it never came true")
		}
	}
}

// TestRTPBleed: a third party who sends to a relay port neither is heard nor
// gets a copy (CVE-2017-14099), whether it comes before the peer or after.
func TestRTPBleed(t *testing.T) {
	e := engine(t)
	pa, _, a, b := joined(t, e)
	other, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 2)})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	spray := func() {
		strays := pa.Strays()
		for i := range 20 {
			pkt := make([]byte, 172)
			pkt[0], pkt[3] = 0x80, byte(i)
			if _, err := other.WriteToUDPAddrPort(pkt, pa.Local()); err != nil {
				t.Fatal(err)
			}
		}
		waitUntil(t, func() bool { return pa.Strays() >= strays+20 })
	}
	spray()
	if n := b.Received(); n != 0 {
		t.Errorf("%d packets of a stranger were relayed", n)
	}
	a.Speak(440)
	b.Speak(1000)
	if err := b.WaitHeard(within(t), 440); err != nil {
		t.Fatal(err)
	}
	spray()
	if err := a.WaitHeard(within(t), 1000); err != nil {
		t.Errorf("the peer lost its audio to a stranger: %v", err)
	}
	checkStream(t, b.Packets(), 0)
	if err := other.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.Read(make([]byte, 100)); err == nil {
		t.Error("the stranger got audio")
	}
}

// TestStreamOfTheCallBefore: a peer that does not stop when its call has ended
// is not heard by the call that has the port next.
func TestStreamOfTheCallBefore(t *testing.T) {
	lib, err := media.LoadLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	// Two pairs: with one taken, there is no other to give.
	first := freePairs(t, 2)
	e, err := media.New(media.Options{Addr: loopback, Advertise: loopback, PortMin: first, PortMax: first + 3, Library: lib})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	before, pb := open(t, e), open(t, e)
	ghost, b := ear(t), ear(t)
	before.SetRemote(ghost.Local())
	ghost.Connect(before.Local(), 0, 101)
	ghost.Speak(440)
	waitUntil(t, func() bool { return before.Heard() > 0 })
	before.Close()

	pa := open(t, e)
	if pa.Local() != before.Local() {
		t.Fatalf("the port is %s, that of the call before %s", pa.Local(), before.Local())
	}
	a, err := siptest.OpenAudio(netip.MustParseAddr("127.0.0.2"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	pa.SetRemote(a.Local())
	pb.SetRemote(b.Local())
	if err := e.Relay(pa, pb); err != nil {
		t.Fatal(err)
	}
	waitUntil(t, func() bool { return pa.Strays() >= 10 })
	if n := b.Received(); n != 0 {
		t.Errorf("%d packets of the call before were relayed", n)
	}
	a.Connect(pa.Local(), 0, 101)
	a.Speak(1000)
	if err := b.WaitHeard(within(t), 1000); err != nil {
		t.Error(err)
	}
	checkStream(t, b.Packets(), 0)
}

// TestNAT: the peer's SDP names a port that its NAT has changed.
func TestNAT(t *testing.T) {
	e := engine(t)
	pa, _, a, b := joined(t, e)
	pa.SetRemote(netip.AddrPortFrom(loopback, 9)) // what the SDP says
	a.Speak(440)
	b.Speak(1000)
	if err := b.WaitHeard(within(t), 440); err != nil {
		t.Fatal(err)
	}
	if err := a.WaitHeard(within(t), 1000); err != nil {
		t.Errorf("audio does not go where it comes from: %v", err)
	}
}

// TestNATOtherAddress: the SDP names an address behind the NAT; the source of
// the signalling is known.
func TestNATOtherAddress(t *testing.T) {
	e := engine(t)
	pa, _, a, b := joined(t, e)
	pa.SetRemote(netip.MustParseAddrPort("192.0.2.10:4000"))
	pa.AlsoFrom(loopback)
	a.Speak(440)
	b.Speak(1000)
	if err := b.WaitHeard(within(t), 440); err != nil {
		t.Fatal(err)
	}
	if err := a.WaitHeard(within(t), 1000); err != nil {
		t.Error(err)
	}
}

// freePairs is the even port that begins so many neighbouring pairs that nobody
// has.
func freePairs(t *testing.T, pairs int) uint16 {
	t.Helper()
	var last error
	for first := 10000; first+2*pairs < 12000; first += 2 * pairs {
		var held []*net.UDPConn
		for port := first; port < first+2*pairs; port++ {
			var c *net.UDPConn
			if c, last = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}); last != nil {
				break
			}
			held = append(held, c)
		}
		for _, c := range held {
			c.Close()
		}
		if len(held) == 2*pairs {
			return uint16(first)
		}
	}
	t.Fatalf("no %d neighbouring pairs of ports: %v", pairs, last)
	return 0
}

// udpPair opens an even/odd pair of a peer that does RTCP.
func udpPair(t *testing.T) (rtp, rtcp *net.UDPConn) {
	t.Helper()
	var last error
	for port := 10000; port < 12000; port += 2 {
		a, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			last = err
			continue
		}
		b, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port + 1})
		if err != nil {
			a.Close()
			last = err
			continue
		}
		t.Cleanup(func() { a.Close(); b.Close() })
		return a, b
	}
	t.Fatalf("no pair of ports: %v", last)
	return nil, nil
}

func local(c *net.UDPConn) netip.AddrPort { return c.LocalAddr().(*net.UDPAddr).AddrPort() }

func readWithin(t *testing.T, c *net.UDPConn) []byte {
	t.Helper()
	if err := c.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 1500)
	n, err := c.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

func TestRTCPIsRelayed(t *testing.T) {
	e := engine(t)
	pa, pb := open(t, e), open(t, e)
	rtpA, rtcpA := udpPair(t)
	rtpB, rtcpB := udpPair(t)
	pa.SetRemote(local(rtpA))
	pb.SetRemote(local(rtpB))
	if err := e.Relay(pa, pb); err != nil {
		t.Fatal(err)
	}
	control := netip.AddrPortFrom(loopback, pa.Local().Port()+1)
	report := []byte{0x80, 201, 0, 1, 1, 2, 3, 4}
	if _, err := rtcpA.WriteToUDPAddrPort(report, control); err != nil {
		t.Fatal(err)
	}
	if got := readWithin(t, rtcpB); string(got) != string(report) {
		t.Errorf("got %x", got)
	}
}

func TestByeAtClose(t *testing.T) {
	e := engine(t)
	p := open(t, e)
	rtp, rtcp := udpPair(t)
	if err := p.Play("t440", true, local(rtp), pcmu, nil); err != nil {
		t.Fatal(err)
	}
	pkt := readWithin(t, rtp)
	ssrc := binary.BigEndian.Uint32(pkt[8:])
	p.Close()
	b := readWithin(t, rtcp)
	var kinds []byte
	for len(b) >= 8 {
		n := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if n > len(b) {
			t.Fatalf("a part of %d octets in the last %d", n, len(b))
		}
		kinds = append(kinds, b[1])
		if got := binary.BigEndian.Uint32(b[4:]); got != ssrc {
			t.Errorf("part %d is of source %x, the stream's is %x", b[1], got, ssrc)
		}
		if b[1] == 200 {
			packets, octets := binary.BigEndian.Uint32(b[20:]), binary.BigEndian.Uint32(b[24:])
			if packets == 0 || octets != 160*packets {
				t.Errorf("reports %d packets, %d octets", packets, octets)
			}
		}
		b = b[n:]
	}
	if string(kinds) != string([]byte{200, 202, 203}) || len(b) != 0 {
		t.Errorf("parts %v and %d octets more, want SR, SDES, BYE", kinds, len(b))
	}
}

func TestPortsRunOut(t *testing.T) {
	lib, err := media.LoadLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	advertised := netip.MustParseAddr("203.0.113.5")
	// Such as 10001 to 10006, which holds the pairs 10002 and 10004.
	first := freePairs(t, 3) + 1
	e, err := media.New(media.Options{Addr: loopback, Advertise: advertised, PortMin: first, PortMax: first + 5, Library: lib})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	a, b := open(t, e), open(t, e)
	for _, p := range []*media.Port{a, b} {
		if l := p.Local(); l.Port()%2 != 0 || l.Addr() != advertised {
			t.Errorf("local is %s", l)
		}
	}
	if _, err := e.Open(); !errors.Is(err, media.ErrNoPorts) {
		t.Errorf("third pair of two: %v", err)
	}
	was := a.Local()
	a.Close()
	c, err := e.Open()
	if err != nil || c.Local() != was || e.InUse() != 2 {
		t.Errorf("the pair given back is not taken: %v, %d in use", err, e.InUse())
	}
	if err := e.Relay(a, b); !errors.Is(err, media.ErrClosed) {
		t.Errorf("relay with a closed port: %v", err)
	}
	e.Close()
	if _, err := e.Open(); !errors.Is(err, media.ErrClosed) {
		t.Errorf("Open after Close: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	lib, err := media.LoadLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]media.Options{
		"no address": {Library: lib},
		"no library": {Addr: loopback},
		"one port":   {Addr: loopback, Library: lib, PortMin: 4000, PortMax: 4000},
		"turned":     {Addr: loopback, Library: lib, PortMin: 5000, PortMax: 4000},
	} {
		if e, err := media.New(o); err == nil {
			e.Close()
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSoundsOfTheUser(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("mine.WAV", wav.Append(nil, tone(440, wav.Rate, time.Second)))
	write("notes.txt", []byte("not a sound"))
	lib, err := media.LoadLibrary(dir)
	if err != nil || !lib.Has("mine") || lib.Has("notes") || !lib.Has(media.DefaultMusic) {
		t.Fatalf("%v, %v", lib.Names(), err)
	}
	write("one.wav", []byte("RIFFxxxxWAVE"))
	write("two.wav", []byte("an mp3"))
	_, err = media.LoadLibrary(dir)
	for _, want := range []string{"one.wav", "two.wav"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not name %s: %v", want, err)
		}
	}
	if _, err := media.LoadLibrary(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("a folder that is not there is accepted")
	}
}
