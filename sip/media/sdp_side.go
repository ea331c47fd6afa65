package media

import (
	"bytes"
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
	last    []byte // of the last description, what follows the o= line
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
	var room [1024]byte // most descriptions are shorter
	rest := s.body(room[:0], a)
	if len(s.last) > 0 && !bytes.Equal(rest, s.last) {
		s.version++
	}
	out := make([]byte, 0, len(rest)+128)
	out = strconv.AppendUint(append(out, "v=0\r\no=- "...), s.id, 10)
	out = strconv.AppendUint(append(out, ' '), s.version, 10)
	out = append(family(append(out, " IN "...), s.host), "\r\n"...)
	head := len(out)
	out = append(out, rest...)
	s.last = out[head:]
	return out
}

func (s *Side) body(b []byte, a Audio) []byte {
	b = family(append(b, "s=-\r\nc=IN "...), a.Addr.Addr())
	b = append(b, "\r\nt=0 0\r\n"...)
	for i, l := range s.lines {
		if i != s.audio {
			b = append(append(append(b, "m="...), l.media...), " 0 "...)
			b = append(append(append(append(b, l.proto...), ' '), l.payload...), "\r\n"...)
			continue
		}
		b = strconv.AppendUint(append(b, "m=audio "...), uint64(a.Addr.Port()), 10)
		b = append(b, " RTP/AVP"...)
		for _, f := range a.Formats {
			b = strconv.AppendUint(append(b, ' '), uint64(f.PT), 10)
		}
		b = append(b, "\r\n"...)
		for _, f := range a.Formats {
			b = writeFormat(b, f)
		}
		if a.Ptime > 0 {
			b = append(strconv.AppendInt(append(b, "a=ptime:"...), int64(a.Ptime), 10), "\r\n"...)
		}
		b = append(append(append(b, "a="...), a.Dir.String()...), "\r\n"...)
	}
	return b
}

func writeFormat(b []byte, f Format) []byte {
	if f.Name != "" {
		name := f.Name
		if name == TelephoneEvent || name == "OPUS" {
			// Names compare without case (RFC 4855), but not every phone knows.
			name = strings.ToLower(name)
		}
		b = strconv.AppendUint(append(b, "a=rtpmap:"...), uint64(f.PT), 10)
		b = append(append(append(b, ' '), name...), '/')
		b = strconv.AppendInt(b, int64(f.Rate), 10)
		if f.More != "" {
			b = append(append(b, '/'), f.More...)
		}
		b = append(b, "\r\n"...)
	}
	if f.Fmtp != "" {
		b = strconv.AppendUint(append(b, "a=fmtp:"...), uint64(f.PT), 10)
		b = append(append(append(b, ' '), f.Fmtp...), "\r\n"...)
	}
	return b
}

func family(b []byte, a netip.Addr) []byte {
	if a.Is6() && !a.Is4In6() {
		return a.AppendTo(append(b, "IP6 "...))
	}
	return a.Unmap().AppendTo(append(b, "IP4 "...))
}
