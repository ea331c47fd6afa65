package media

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	pion "github.com/pion/sdp/v3"
)

func lines(l ...string) []byte { return []byte(strings.Join(l, "\r\n") + "\r\n") }

const head = "v=0\r\no=- 7 1 IN IP4 192.0.2.9\r\ns=-\r\n"

func mustParse(t *testing.T, body []byte) *SDP {
	t.Helper()
	d, err := ParseSDP(body)
	if err != nil {
		t.Fatalf("ParseSDP: %v\n%s", err, body)
	}
	return d
}

func TestParseReadsWhatTelephonesSend(t *testing.T) {
	d := mustParse(t, []byte(head+
		"c=IN IP4 192.0.2.1\r\nt=0 0\r\na=sendonly\r\n"+
		"m=image 5000 udptl t38\r\na=T38FaxVersion:0\r\n"+
		"m=audio 4000/2 RTP/AVP 96 8 0 101 13 97\r\nc=IN IP4 192.0.2.2/127\r\n"+
		"a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\na=rtpmap:8 pcma/8000/1\r\n"+
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\n"+
		"m=video 4002 RTP/AVP 31\r\na=rtpmap:31 H261/90000\r\n"))
	a, ok := d.Audio()
	if !ok {
		t.Fatal("no audio found")
	}
	if want := netip.MustParseAddrPort("192.0.2.2:4000"); a.Addr != want || a.Dir != SendOnly || a.Ptime != 20 {
		t.Errorf("audio = %+v, want %v sendonly 20 ms", a, want)
	}
	// 97 has no rtpmap and cannot be used; 0 and 13 need none.
	var pts []uint8
	for _, f := range a.Formats {
		pts = append(pts, f.PT)
	}
	if got := len(pts); got != 5 {
		t.Errorf("formats %v, want 96 8 0 101 13", pts)
	}
	if f := a.Formats[0]; f.Name != "OPUS" || f.Rate != 48000 || f.More != "2" || f.Fmtp != "useinbandfec=1" {
		t.Errorf("opus read as %+v", f)
	}
	g, ok := a.G711()
	if !ok || len(g) != 2 || g[0].Name != "PCMA" || g[1].PT != 101 {
		t.Errorf("G711 = %+v", g)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, body := range map[string]string{
		"empty":          "",
		"no version":     "o=- 1 1 IN IP4 192.0.2.1\r\n",
		"version 1":      "v=1\r\no=- 1 1 IN IP4 192.0.2.1\r\n",
		"no origin":      "v=0\r\ns=-\r\n",
		"not a line":     head + "hello\r\n",
		"port too large": head + "m=audio 70000 RTP/AVP 0\r\n",
		"no format":      head + "m=audio 4000 RTP/AVP\r\n",
		"payload 200":    head + "m=audio 4000 RTP/AVP 0\r\na=rtpmap:200 PCMU/8000\r\n",
		"rate 0":         head + "m=audio 4000 RTP/AVP 96\r\na=rtpmap:96 X/0\r\n",
		"inner CR":       head + "a=x\rm=audio 1 RTP/AVP 0\r\n",
		"NUL":            head + "a=x\x00\r\n",
		"17 streams":     head + strings.Repeat("m=audio 4000 RTP/AVP 0\r\n", 17),
		"too long":       head + strings.Repeat("a=filler:0123456789\r\n", 1000),
	} {
		if _, err := ParseSDP([]byte(body)); !errors.Is(err, ErrSDP) {
			t.Errorf("%s: error %v, want ErrSDP", name, err)
		}
	}
}

func TestAudioThatCannotBeUsed(t *testing.T) {
	for name, rest := range map[string]string{
		"SRTP":         "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/SAVP 0\r\n",
		"port 0":       "c=IN IP4 192.0.2.1\r\nm=audio 0 RTP/AVP 0\r\n",
		"host name":    "c=IN IP4 phone.example\r\nm=audio 4000 RTP/AVP 0\r\n",
		"no address":   "m=audio 4000 RTP/AVP 0\r\n",
		"multicast":    "c=IN IP4 224.2.1.1/127\r\nm=audio 4000 RTP/AVP 0\r\n",
		"only keys":    "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 101\r\na=rtpmap:101 telephone-event/8000\r\n",
		"only video":   "c=IN IP4 192.0.2.1\r\nm=video 4000 RTP/AVP 31\r\n",
		"unnamed type": "c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 99\r\n",
	} {
		if a, ok := mustParse(t, []byte(head+rest)).Audio(); ok {
			t.Errorf("%s: taken as %+v", name, a)
		}
	}
}

func TestOldStyleHoldDoesNotReceive(t *testing.T) {
	a, ok := mustParse(t, []byte(head+"c=IN IP4 0.0.0.0\r\nm=audio 4000 RTP/AVP 0\r\n")).Audio()
	if !ok || a.Dir != SendOnly || !a.Holds() {
		t.Errorf("audio = %+v, %v; want sendonly", a, ok)
	}
}

// RFC 3264 section 6.1, every pair.
func TestDirectionOfAnswer(t *testing.T) {
	all := []Direction{SendRecv, SendOnly, RecvOnly, Inactive}
	want := map[Direction][4]Direction{ // offer -> answer, by what we would like
		SendRecv: {SendRecv, SendOnly, RecvOnly, Inactive},
		SendOnly: {RecvOnly, Inactive, RecvOnly, Inactive},
		RecvOnly: {SendOnly, SendOnly, Inactive, Inactive},
		Inactive: {Inactive, Inactive, Inactive, Inactive},
	}
	for offer, answers := range want {
		for i, like := range all {
			if got := offer.Answer(like); got != answers[i] {
				t.Errorf("offer %v, we would like %v: answer %v, want %v", offer, like, got, answers[i])
			}
		}
	}
}

func testAudio(addr string) Audio {
	return Audio{Addr: netip.MustParseAddrPort(addr), Formats: OwnFormats(), Ptime: 20}
}

func TestSideKeepsOriginAndLines(t *testing.T) {
	side := NewSide(1<<63|42, netip.MustParseAddr("192.0.2.7"))
	offer := mustParse(t, []byte(head+"c=IN IP4 192.0.2.1\r\n"+
		"m=video 4002 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 0\r\nm=application 9 UDP/BFCP *\r\n"))
	a := testAudio("192.0.2.7:5000")
	first, err := side.Answer(offer, a)
	if err != nil {
		t.Fatal(err)
	}
	got := mustParse(t, first)
	if len(got.Streams) != 3 || got.Streams[0].Port != 0 || got.Streams[2].Port != 0 ||
		got.Streams[2].Proto != "UDP/BFCP" || got.Streams[1].Port != 5000 {
		t.Fatalf("answer's lines: %+v", got.Streams)
	}
	// The same again: not one octet differs.
	if again := side.Offer(a); string(again) != string(first) {
		t.Errorf("unchanged description differs:\n%s\n%s", first, again)
	}
	// Another address: same id, version one up, same lines, same o= host.
	b := testAudio("198.51.100.3:6000")
	second := mustParse(t, side.Offer(b))
	o1, o2 := strings.Fields(got.Origin), strings.Fields(second.Origin)
	if o1[1] != o2[1] || o1[2] != "1" || o2[2] != "2" || o2[5] != "192.0.2.7" {
		t.Errorf("origins %q then %q", got.Origin, second.Origin)
	}
	if len(second.Streams) != 3 || second.Streams[1].Port != 6000 || second.Streams[1].Conn.String() != "198.51.100.3" {
		t.Errorf("offer's lines: %+v", second.Streams)
	}
	if _, err := side.Answer(mustParse(t, []byte(head+"c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 0\r\n")), a); err == nil {
		t.Error("an offer with fewer m= lines was answered")
	}
}

func TestAnsweredReadsOurLine(t *testing.T) {
	side := NewSide(1, netip.MustParseAddr("192.0.2.7"))
	side.Offer(testAudio("192.0.2.7:5000"))
	ok := mustParse(t, []byte(head+"c=IN IP4 192.0.2.1\r\nm=audio 4000 RTP/AVP 8\r\n"))
	if a, fine := side.Answered(ok); !fine || a.Addr.Port() != 4000 {
		t.Errorf("answer read as %+v, %v", a, fine)
	}
	for _, rest := range []string{"m=audio 0 RTP/AVP 8\r\n", "m=audio 4000 RTP/AVP 8\r\nm=video 4002 RTP/AVP 31\r\n"} {
		if _, fine := side.Answered(mustParse(t, []byte(head+"c=IN IP4 192.0.2.1\r\n"+rest))); fine {
			t.Errorf("answer %q was taken", rest)
		}
	}
}

// What we write must be read by an independent parser too.
func TestWrittenDescriptionsAreWellFormed(t *testing.T) {
	for _, addr := range []string{"192.0.2.7:5000", "[2001:db8::7]:5000"} {
		side := NewSide(99, netip.MustParseAddrPort(addr).Addr())
		body := side.Offer(testAudio(addr))
		var d pion.SessionDescription
		if err := d.Unmarshal(body); err != nil {
			t.Fatalf("%v\n%s", err, body)
		}
		m := d.MediaDescriptions[0]
		if v, _ := m.Attribute("rtpmap"); m.MediaName.Port.Value != 5000 || v != "8 PCMA/8000" {
			t.Errorf("read back: %+v", m)
		}
	}
}

func FuzzSDP(f *testing.F) {
	f.Add([]byte(head + "c=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=sendonly\r\n"))
	f.Add([]byte(head + "m=audio 4000 RTP/AVP 96\r\nc=IN IP6 2001:db8::1\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 x=1\r\nm=video 0 RTP/SAVPF 31\r\n"))
	f.Add(lines("v=0", "o=x 1 1 IN IP4 h", "m=image 1 udptl t38"))
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := ParseSDP(body)
		if err != nil {
			if !errors.Is(err, ErrSDP) {
				t.Fatalf("error %v does not wrap ErrSDP", err)
			}
			return
		}
		a, ok := d.Audio()
		if !ok {
			return
		}
		// What was read can be passed on, and comes back as it was.
		side := NewSide(1, netip.MustParseAddr("192.0.2.7"))
		out, err := side.Answer(d, a)
		if err != nil {
			t.Fatalf("usable offer not answered: %v", err)
		}
		back, err := ParseSDP(out)
		if err != nil {
			t.Fatalf("we wrote what we cannot read: %v\n%s", err, out)
		}
		if len(back.Streams) != len(d.Streams) {
			t.Fatalf("%d m= lines answered with %d", len(d.Streams), len(back.Streams))
		}
		got, ok := side.Answered(back)
		if !ok {
			t.Fatalf("own answer unusable:\n%s", out)
		}
		if !got.Same(a) {
			t.Fatalf("passed on as %+v, was %+v", got, a)
		}
	})
}
