package media

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Side writes our session descriptions in one dialog. It keeps what RFC 3264
// section 8 asks to be kept for the dialog's life: one o= line whose version
// rises by one when, and only when, the description changes, and the number
// and order of m= lines, rejected ones with port 0. It is not safe for
// concurrent use.
type Side struct {
	id      uint64
	version uint64
	host    netip.Addr
	lines   []shape
	audio   int
	last    string // what follows the o= line
}

// shape is what must stay of an m= line.
type shape struct{ media, proto, payload string }

// NewSide begins a dialog's descriptions. id must not be guessable as another
// dialog's and fits 63 bits (some peers read it as a signed number); host
// stands in the o= line for the dialog's life, whatever the audio's address.
func NewSide(id uint64, host netip.Addr) *Side {
	return &Side{id: id >> 1, version: 1, host: host}
}

// Offer writes an offer of a.
func (s *Side) Offer(a Audio) []byte {
	if len(s.lines) == 0 {
		s.lines = []shape{{media: "audio", proto: "RTP/AVP"}}
	}
	return s.write(a)
}

// Answer writes the answer a to offer. It fails when the offer has fewer m=
// lines than were agreed before, or no usable audio.
func (s *Side) Answer(offer *SDP, a Audio) ([]byte, error) {
	if len(offer.Streams) < len(s.lines) {
		return nil, fmt.Errorf("%w: %d m= lines where there were %d", ErrSDP, len(offer.Streams), len(s.lines))
	}
	i := offer.audioIndex(s.audio)
	if i < 0 {
		return nil, fmt.Errorf("%w: no usable audio", ErrSDP)
	}
	s.lines, s.audio = shapes(offer), i
	return s.write(a), nil
}

// Answered takes the answer to our offer: from then on its lines are the
// dialog's. The false result says that the answer rejects the audio or does
// not fit the offer.
func (s *Side) Answered(answer *SDP) (Audio, bool) {
	if len(answer.Streams) != len(s.lines) || !answer.Streams[s.audio].usable() {
		return Audio{}, false
	}
	return answer.Streams[s.audio].audio(), true
}

// Offered reads the audio of a later offer of the peer, from the line that was
// agreed before if that can still be used.
func (s *Side) Offered(offer *SDP) (Audio, bool) {
	i := offer.audioIndex(s.audio)
	if i < 0 || len(offer.Streams) < len(s.lines) {
		return Audio{}, false
	}
	return offer.Streams[i].audio(), true
}

func shapes(d *SDP) []shape {
	out := make([]shape, len(d.Streams))
	for i, st := range d.Streams {
		out[i] = shape{st.Media, st.Proto, strings.Join(st.Payload, " ")}
	}
	return out
}

func (s *Side) write(a Audio) []byte {
	rest := s.body(a)
	if s.last != "" && rest != s.last {
		s.version++
	}
	s.last = rest
	var b strings.Builder
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s\r\n", s.id, s.version, family(s.host))
	b.WriteString(rest)
	return []byte(b.String())
}

func (s *Side) body(a Audio) string {
	var b strings.Builder
	fmt.Fprintf(&b, "s=-\r\nc=IN %s\r\nt=0 0\r\n", family(a.Addr.Addr()))
	for i, l := range s.lines {
		if i != s.audio {
			fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", l.media, l.proto, l.payload)
			continue
		}
		fmt.Fprintf(&b, "m=audio %d RTP/AVP", a.Addr.Port())
		for _, f := range a.Formats {
			fmt.Fprintf(&b, " %d", f.PT)
		}
		b.WriteString("\r\n")
		for _, f := range a.Formats {
			writeFormat(&b, f)
		}
		if a.Ptime > 0 {
			fmt.Fprintf(&b, "a=ptime:%d\r\n", a.Ptime)
		}
		fmt.Fprintf(&b, "a=%s\r\n", a.Dir)
	}
	return b.String()
}

func writeFormat(b *strings.Builder, f Format) {
	if f.Name != "" {
		name := f.Name
		if name == TelephoneEvent || name == "OPUS" {
			// Names compare without case (RFC 4855), but not every phone knows.
			name = strings.ToLower(name)
		}
		fmt.Fprintf(b, "a=rtpmap:%d %s/%d", f.PT, name, f.Rate)
		if f.More != "" {
			b.WriteString("/" + f.More)
		}
		b.WriteString("\r\n")
	}
	if f.Fmtp != "" {
		b.WriteString("a=fmtp:" + strconv.Itoa(int(f.PT)) + " " + f.Fmtp + "\r\n")
	}
}

func family(a netip.Addr) string {
	if a.Is6() && !a.Is4In6() {
		return "IP6 " + a.String()
	}
	return "IP4 " + a.Unmap().String()
}
