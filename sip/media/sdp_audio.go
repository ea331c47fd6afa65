package media

import (
	"net/netip"
	"slices"
)

// Direction is the way a stream flows, as seen by whoever describes it
// (RFC 3264 section 5.1).
type Direction uint8

// Directions. The zero value is the default of RFC 3264.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

func parseDirection(s string) (Direction, bool) {
	switch s {
	case "sendrecv":
		return SendRecv, true
	case "sendonly":
		return SendOnly, true
	case "recvonly":
		return RecvOnly, true
	case "inactive":
		return Inactive, true
	}
	return 0, false
}

func (d Direction) String() string {
	switch d {
	case SendOnly:
		return "sendonly"
	case RecvOnly:
		return "recvonly"
	case Inactive:
		return "inactive"
	}
	return "sendrecv"
}

// Sends and Receives tell the two halves of a direction apart.
func (d Direction) Sends() bool    { return d == SendRecv || d == SendOnly }
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

func directionOf(sends, receives bool) Direction {
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	}
	return Inactive
}

// Answer is the direction to answer an offer of d with, when want is what the
// answerer would like (RFC 3264 section 6.1): we send only what the offerer
// receives, and the other way round.
func (d Direction) Answer(want Direction) Direction {
	return directionOf(want.Sends() && d.Receives(), want.Receives() && d.Sends())
}

// Audio is one side of an audio stream: where its RTP is wanted, which way it
// flows as that side sees it, and the formats in order of preference. It
// serves both for what a peer described and for what a peer is to be told.
type Audio struct {
	Addr    netip.AddrPort
	Dir     Direction
	Formats []Format
	Ptime   int
}

// Audio returns the first audio stream that can be used: RTP/AVP, a port that
// is not 0, an address, PCMU or PCMA or whatever has a name. A stream held the
// old way (0.0.0.0, RFC 3264 section 8.4) comes out as one that does not
// receive. False when there is none.
func (s *SDP) Audio() (Audio, bool) {
	i := s.audioIndex(0)
	if i < 0 {
		return Audio{}, false
	}
	return s.Streams[i].audio(), true
}

// audioIndex finds the usable audio stream, looking at prefer first.
func (s *SDP) audioIndex(prefer int) int {
	if prefer < len(s.Streams) && s.Streams[prefer].usable() {
		return prefer
	}
	return slices.IndexFunc(s.Streams, Stream.usable)
}

func (s Stream) usable() bool {
	return s.Media == "audio" && s.Proto == "RTP/AVP" && s.Port != 0 &&
		s.Conn.IsValid() && !s.Conn.IsMulticast() && speech(s.Formats)
}

// speech reports whether there is a format other than keys and comfort noise.
func speech(fs []Format) bool {
	return slices.ContainsFunc(fs, func(f Format) bool {
		return f.Name != TelephoneEvent && f.Name != "CN"
	})
}

func (s Stream) audio() Audio {
	a := Audio{
		Addr:    netip.AddrPortFrom(s.Conn, s.Port),
		Dir:     s.Dir,
		Formats: s.Formats,
		Ptime:   s.Ptime,
	}
	if s.Conn.IsUnspecified() {
		a.Dir = directionOf(a.Dir.Sends(), false)
	}
	return a
}

// Uses returns the format a side sends with: the first that is speech.
func (a Audio) Uses() (Format, bool) {
	for _, f := range a.Formats {
		if f.Name != TelephoneEvent && f.Name != "CN" {
			return f, true
		}
	}
	return Format{}, false
}

// G711 narrows a to what our own ports can do: the first of PCMU and PCMA at
// 8 kHz, and telephone-event when it is there, both with a's own numbers.
// False when a has neither.
func (a Audio) G711() ([]Format, bool) {
	i := slices.IndexFunc(a.Formats, isG711)
	if i < 0 {
		return nil, false
	}
	return a.withKeys(a.Formats[i]), true
}

// Keep narrows a to the encoding of f (with a's own number for it) and
// telephone-event. False when a does not have it.
func (a Audio) Keep(f Format) ([]Format, bool) {
	i := slices.IndexFunc(a.Formats, f.Is)
	if i < 0 {
		return nil, false
	}
	return a.withKeys(a.Formats[i]), true
}

func (a Audio) withKeys(f Format) []Format {
	out := []Format{f}
	i := slices.IndexFunc(a.Formats, func(f Format) bool {
		return f.Name == TelephoneEvent && f.Rate == 8000
	})
	if i >= 0 {
		out = append(out, a.Formats[i])
	}
	return out
}

func isG711(f Format) bool {
	return (f.Name == "PCMU" || f.Name == "PCMA") && f.Rate == 8000 && f.More == ""
}

// OwnFormats is what we offer when the peer has offered nothing.
func OwnFormats() []Format {
	return []Format{
		static(8), static(0),
		{PT: 101, Name: TelephoneEvent, Rate: 8000, Fmtp: "0-16"},
	}
}

// Same reports whether both describe the same thing.
func (a Audio) Same(b Audio) bool {
	return a.Addr == b.Addr && a.Dir == b.Dir && slices.Equal(a.Formats, b.Formats)
}

// Holds reports whether the side has put the other one on hold: it does not
// want to hear it.
func (a Audio) Holds() bool { return !a.Dir.Receives() }
