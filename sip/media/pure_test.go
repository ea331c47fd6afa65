package media

import (
	"encoding/binary"
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"
)

// talks sends learnAfter packets of a stream and gives the last one's fate.
func talks(l *latch, src string, now time.Time) (accepted bool) {
	for i := range learnAfter {
		accepted = l.accept(netip.MustParseAddrPort(src), rtpHeader{ssrc: 7, seq: uint16(i)}, true, now)
	}
	return accepted
}

func TestLatch(t *testing.T) {
	ap := netip.MustParseAddrPort
	const (
		sdp    = "198.51.100.7:4000"
		nat    = "198.51.100.7:61000" // the same host, another port
		public = "203.0.113.9:61000"  // where its signalling comes from
		thief  = "192.0.2.66:4000"
	)
	tests := []struct {
		name    string
		sources []string
		accept  []bool
		dest    string
	}{
		{"nobody yet", nil, nil, sdp},
		{"as signalled", []string{sdp, nat, thief, sdp}, []bool{true, false, false, true}, sdp},
		{"other port of the host, once", []string{nat, "198.51.100.7:61001", nat}, []bool{true, false, true}, nat},
		{"signalling source, once", []string{public, "203.0.113.9:61001", thief, public}, []bool{true, false, false, true}, public},
		{"thief first", []string{thief, nat, thief}, []bool{false, true, false}, nat},
		{"the signalled address takes over for good", []string{nat, sdp, nat}, []bool{true, true, false}, sdp},
		{"mapped IPv4", []string{"[::ffff:198.51.100.7]:4000"}, []bool{true}, sdp},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := latch{known: []netip.Addr{netip.MustParseAddr("203.0.113.9")}}
			now := time.Now()
			if talks(&l, sdp, now) || l.dest().IsValid() {
				t.Error("believes a source before any SDP")
			}
			l.set(ap(sdp), now)
			for i, s := range tt.sources {
				if got := talks(&l, s, now); got != tt.accept[i] {
					t.Errorf("stream %d from %s: accepted %v", i, s, got)
				}
				l.set(ap(sdp), now) // a re-INVITE that changes nothing
			}
			if got := l.dest(); got != ap(tt.dest) {
				t.Errorf("sends to %s, want %s", got, tt.dest)
			}
		})
	}
}

func TestLatchNewAddressForgets(t *testing.T) {
	ap := netip.MustParseAddrPort
	var l latch
	now := time.Now()
	l.set(ap("198.51.100.7:4000"), now)
	talks(&l, "198.51.100.7:4444", now)
	l.set(ap("198.51.100.8:5000"), now)
	if talks(&l, "198.51.100.7:4444", now) || !talks(&l, "198.51.100.8:5000", now) {
		t.Error("the old address is still believed, or the new one is not")
	}
	for _, held := range []string{"0.0.0.0:4000", "198.51.100.7:0"} {
		if l.set(ap(held), now); l.dest().IsValid() {
			t.Errorf("sends to %s", held)
		}
	}
}

// A peer that only sends is listened to as before, and sent nothing.
func TestLatchMuted(t *testing.T) {
	ap := netip.MustParseAddrPort
	var l latch
	now := time.Now()
	l.set(ap("198.51.100.7:4000"), now)
	talks(&l, "198.51.100.7:61000", now)
	l.mute = true
	if l.dest().IsValid() || !talks(&l, "198.51.100.7:61000", now) {
		t.Error("sent to, or not listened to")
	}
	l.mute = false
	if l.dest() != ap("198.51.100.7:61000") {
		t.Errorf("what was learnt is forgotten: %v", l.dest())
	}
}

// event is one telephone-event packet.
func event(key byte, end bool) []byte {
	p := []byte{byte(slices.Index([]byte(dtmfKeys), key)), 10, 1, 0x40}
	if end {
		p[1] |= 0x80
	}
	return p
}

func TestDTMF(t *testing.T) {
	type pkt struct {
		ts      uint32
		payload []byte
	}
	tests := []struct {
		name string
		in   []pkt
		want string // "_" stands for dtmfVanish without a packet
	}{
		{"whole key", []pkt{{100, event('5', false)}, {100, event('5', false)}, {100, event('5', true)}, {100, event('5', true)}, {100, event('5', true)}}, "5"},
		{"only one end packet arrives", []pkt{{100, event('#', true)}}, "#"},
		{"all ends lost, next key tells", []pkt{{100, event('1', false)}, {900, event('2', false)}, {900, event('2', true)}}, "12"},
		{"all ends lost, silence tells", []pkt{{100, event('1', false)}}, "_1"},
		{"same key twice", []pkt{{100, event('1', true)}, {900, event('1', true)}}, "11"},
		{"late packet of the former key", []pkt{{100, event('1', true)}, {900, event('2', false)}, {100, event('1', true)}, {900, event('2', true)}}, "12"},
		{"start after its own end", []pkt{{100, event('1', true)}, {100, event('1', false)}}, "1"},
		{"held over the limit of the duration", []pkt{{100, event('7', false)}, {100 + 0xffff, event('7', false)}, {100 + 0xffff, event('7', true)}}, "7"},
		{"timestamp wraps", []pkt{{0xfffffff0, event('1', true)}, {200, event('2', true)}}, "12"},
		{"first timestamp is zero", []pkt{{0, event('1', true)}, {0, event('1', true)}}, "1"},
		{"hook flash and short packets", []pkt{{1, []byte{16, 0x8a, 0, 1}}, {2, []byte{1, 0x8a}}, {3, nil}}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var d dtmfDecoder
			var got []byte
			for _, p := range tt.in {
				got = append(got, d.packet(p.ts, p.payload)...)
			}
			if d.pending {
				got = d.flush(append(got, '_'))
			}
			if string(got) != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestG711 holds the tables against values of the standard (G.711 tables 1 and
// 2, scaled to 16 bits) and against each other.
func TestG711(t *testing.T) {
	known := []struct {
		codec string
		code  byte
		pcm   int16
	}{
		{"PCMU", 0xff, 0}, {"PCMU", 0x80, 32124}, {"PCMU", 0x00, -32124}, {"PCMU", 0xfe, 8}, {"PCMU", 0x7e, -8}, {"PCMU", 0xef, 132},
		{"PCMA", 0xd5, 8}, {"PCMA", 0x55, -8}, {"PCMA", 0xaa, 32256}, {"PCMA", 0x2a, -32256}, {"PCMA", 0xc5, 264},
	}
	for _, k := range known {
		if got := Decode(k.codec, []byte{k.code})[0]; got != k.pcm {
			t.Errorf("%s %#02x decodes to %d, want %d", k.codec, k.code, got, k.pcm)
		}
	}
	for _, codec := range []string{"PCMU", "PCMA"} {
		for code := range 256 {
			pcm := Decode(codec, []byte{byte(code)})
			back := Encode(codec, pcm)[0]
			if back != byte(code) && (codec != "PCMU" || code != 0x7f) { // minus zero
				t.Errorf("%s: %#02x -> %d -> %#02x", codec, code, pcm[0], back)
			}
		}
		for s := math.MinInt16; s <= math.MaxInt16; s += 7 {
			got := int(Decode(codec, Encode(codec, []int16{int16(s)}))[0])
			// Half a step of the segment: 1/32 of the value, and a little at zero.
			if off := max(got-s, s-got); off > max(s, -s)/28+16 && s > -32500 && s < 32500 {
				t.Fatalf("%s: %d comes back as %d", codec, s, got)
			}
		}
	}
	if Encode("G729", []int16{1}) != nil || Decode("", []byte{1}) != nil {
		t.Error("an unknown codec is coded")
	}
}

func TestParseRTP(t *testing.T) {
	plain := make([]byte, rtpHeaderLen, 200)
	putRTP(plain, rtpHeader{pt: 101, marker: true, seq: 0xfffe, ts: 0x01020304, ssrc: 0x0a0b0c0d})
	plain = append(plain, 1, 2, 3, 4)
	h, ok := parseRTP(plain)
	if !ok || h.pt != 101 || !h.marker || h.seq != 0xfffe || h.ts != 0x01020304 || h.ssrc != 0x0a0b0c0d || len(h.payload) != 4 {
		t.Fatalf("%+v, %v", h, ok)
	}
	with := func(first byte, rest ...byte) []byte {
		b := slices.Clone(plain[:rtpHeaderLen])
		b[0] = first
		return append(b, rest...)
	}
	tests := []struct {
		name    string
		b       []byte
		payload int // -1: refused
	}{
		{"one source", with(0x81, 0, 0, 0, 9, 7), 1},
		{"sources cut short", with(0x82, 0, 0, 0, 9), -1},
		{"extension", with(0x90, 0xbe, 0xde, 0, 1, 1, 1, 1, 1, 7, 7), 2},
		{"extension cut short", with(0x90, 0xbe, 0xde, 0, 9, 1), -1},
		{"padding", with(0xa0, 7, 0, 0, 3), 1},
		{"padding longer than the packet", with(0xa0, 7, 9), -1},
		{"padding of nothing", with(0xa0, 7, 0), -1},
		{"version 1", with(0x40, 7), -1},
		{"STUN", with(0x00, 7), -1},
		{"too short", []byte{0x80, 0}, -1},
	}
	for _, tt := range tests {
		h, ok := parseRTP(tt.b)
		if ok != (tt.payload >= 0) || ok && len(h.payload) != tt.payload {
			t.Errorf("%s: %v, payload of %d", tt.name, ok, len(h.payload))
		}
	}
}

func TestPhasesAreApart(t *testing.T) {
	now := time.Now()
	var at []time.Duration
	for i := range phaseCount {
		ph := newPhase(i)
		ph.base = now.Add(time.Duration(i) * frameTime / phaseCount)
		for _, d := range []time.Duration{-frameTime, 0, time.Millisecond, 19 * time.Millisecond, 7 * time.Second} {
			next := ph.next(now.Add(d))
			if gap := next.Sub(now.Add(d)); gap <= 0 || gap > frameTime {
				t.Errorf("phase %d, %s: next is %s away", i, d, gap)
			}
			if off := next.Sub(ph.base) % frameTime; off != 0 {
				t.Errorf("phase %d, %s: off its grid by %s", i, d, off)
			}
		}
		at = append(at, ph.next(now).Sub(now)%frameTime)
	}
	slices.Sort(at)
	for i, d := range at {
		if want := time.Duration(i) * frameTime / phaseCount; d != want {
			t.Errorf("phase at %s, want %s", d, want)
		}
	}
}

// A few streams share one phase; many are spread over all, and none is fuller
// than it must be.
func TestStreamsSharePhases(t *testing.T) {
	e := &Engine{}
	for i := range e.phases {
		e.phases[i] = newPhase(i)
	}
	sizes := func() (n [phaseCount]int) {
		for i, ph := range e.phases {
			n[i] = ph.size()
		}
		return n
	}
	for i := range phaseCount * roomy * 2 {
		switch i {
		case roomy:
			if got := sizes(); got != [phaseCount]int{roomy} {
				t.Errorf("%d streams are in phases of %v", i, got)
			}
		case phaseCount * roomy:
			if got := sizes(); slices.Max(got[:]) != roomy {
				t.Errorf("%d streams are in phases of %v", i, got)
			}
		}
		e.phaseFor().add(&Port{})
	}
	if got := sizes(); slices.Max(got[:]) != 2*roomy {
		t.Errorf("%d streams are in phases of %v", phaseCount*roomy*2, got)
	}
}

// TestLateClock: what was missed is sent at once up to a bound; beyond it the
// timestamps jump and the marker says so.
func TestLateClock(t *testing.T) {
	lib, err := LoadLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Options{Addr: netip.MustParseAddr("127.0.0.1"), Library: lib})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	to := netip.MustParseAddrPort("127.0.0.1:9") // nobody
	if err := p.Play(DefaultMusic, true, to, Codec{Name: "PCMU"}, nil); err != nil {
		t.Fatal(err)
	}
	p.play.phase.take(p) // from now on the test is the clock
	scratch := make([]byte, rtpHeaderLen+frameSamples)
	at := p.play.epoch.Add(time.Hour)
	p.sendDue(at, scratch)
	slot, seq := p.play.slot, p.play.seq
	if want := int64(time.Hour/frameTime) + 1; slot != want {
		t.Fatalf("slot %d after an hour, want %d", slot, want)
	}
	p.sendDue(at.Add(3*frameTime-1), scratch)
	if p.play.slot != slot+2 || p.play.seq != seq+2 || p.play.marker {
		t.Errorf("three frames late less a bit: %d slots, %d packets", p.play.slot-slot, p.play.seq-seq)
	}
	p.sendDue(at.Add(time.Minute), scratch)
	if p.play.slot != slot+int64(time.Minute/frameTime) || p.play.seq != seq+2+maxBurst {
		t.Errorf("a minute late: %d slots, %d packets", p.play.slot-slot, p.play.seq-seq)
	}
}

// TestReports: a sender report every five seconds, whose timestamp fits that of
// the packets.
func TestReports(t *testing.T) {
	lib, err := LoadLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	// Bound to every address, as in a container.
	e, err := New(Options{Addr: netip.IPv4Unspecified(), Advertise: netip.MustParseAddr("127.0.0.1"), PortMin: 36000, PortMax: 36999, Library: lib})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	p, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	peer, err := e.Open() // only its sockets are used
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Play(DefaultMusic, true, peer.Local(), Codec{Name: "PCMA", PT: 8}, nil); err != nil {
		t.Fatal(err)
	}
	p.play.phase.take(p)
	var reports [][]byte
	scratch := make([]byte, rtpHeaderLen+frameSamples)
	start := p.play.report.at.Add(-reportEvery)
	for _, after := range []time.Duration{0, reportEvery - 1, reportEvery, reportEvery + 1, 2*reportEvery - 1, 2 * reportEvery} {
		before := p.play.report.at
		p.sendDue(start.Add(after), scratch)
		if p.play.report.at != before {
			reports = append(reports, p.senderReport(start.Add(after)))
		}
	}
	if len(reports) != 2 {
		t.Fatalf("%d reports within ten seconds, want 2", len(reports))
	}
	word := func(b []byte, i int) uint32 { return binary.BigEndian.Uint32(b[4*i:]) }
	if d := word(reports[1], 4) - word(reports[0], 4); d != uint32(reportEvery/frameTime*frameSamples) {
		t.Errorf("timestamps of the reports are %d apart", d)
	}
	if d := word(reports[1], 2) - word(reports[0], 2); d != uint32(reportEvery/time.Second) {
		t.Errorf("times of the reports are %d s apart", d)
	}
	if now, last := word(reports[1], 4), p.play.timestamp(p.play.slot-1); now-last >= frameSamples {
		t.Errorf("the report's timestamp %d does not fit that of the last packet, %d", now, last)
	}
	if got := word(reports[1], 5); got != p.play.report.packets {
		t.Errorf("%d packets reported, %d sent", got, p.play.report.packets)
	}
}

// take removes a port whose lock the caller need not hold: tests only.
func (ph *phase) take(p *Port) {
	p.mu.Lock()
	defer p.mu.Unlock()
	ph.remove(p)
}
