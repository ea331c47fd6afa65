package media

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Bounds of a session description. What goes beyond them is no telephone call.
const (
	maxSDP     = 16 << 10 // octets
	maxLines   = 512      // of any kind
	maxStreams = 16       // m= lines
	maxFormats = 32       // in one m= line
	maxFmtp    = 256      // octets of one fmtp value kept
)

// ErrSDP is wrapped by every error of ParseSDP: the text is no session
// description (RFC 8866), or one beyond our bounds.
var ErrSDP = errors.New("sdp")

// SDP is a received session description, as far as a telephone call needs it.
// The parser is our own: general ones refuse whole descriptions for one m=
// line of a kind they do not know, and fax lines (m=image) are everyday.
type SDP struct {
	Origin  string // the o= value as it stands
	Streams []Stream
}

// Stream is one m= line with its attributes; session-level values are filled
// in where the line has none of its own.
type Stream struct {
	Media   string     // audio, video, image, ...
	Port    uint16     // 0: rejected or switched off
	Proto   string     // RTP/AVP, ...
	Payload []string   // the format list as it stands
	Conn    netip.Addr // not valid: none, or a host name
	Dir     Direction
	Ptime   int // milliseconds, 0 when not given
	Formats []Format
}

// Format is one RTP payload format of an audio stream.
type Format struct {
	PT   uint8
	Name string // encoding name in upper case, "" for a static type we do not know by name
	Rate int    // clock rate
	More string // encoding parameters (channels)
	Fmtp string
}

// TelephoneEvent is the encoding name of RFC 4733.
const TelephoneEvent = "TELEPHONE-EVENT"

// static is the part of RFC 3551 table 4 that is met on telephones.
func static(pt uint8) Format {
	f := Format{PT: pt, Rate: 8000}
	switch pt {
	case 0:
		f.Name = "PCMU"
	case 3:
		f.Name = "GSM"
	case 4:
		f.Name = "G723"
	case 8:
		f.Name = "PCMA"
	case 9:
		f.Name = "G722"
	case 18:
		f.Name = "G729"
	}
	return f
}

// Is reports whether both name the same encoding, whatever the number.
func (f Format) Is(g Format) bool {
	if f.Name == "" || g.Name == "" {
		return f.Name == g.Name && f.PT == g.PT
	}
	return f.Name == g.Name && f.Rate == g.Rate
}

// ParseSDP reads a session description. It asks for v= and o= and for well
// formed c=, m= and rtpmap values, and passes over what it does not know.
func ParseSDP(body []byte) (*SDP, error) {
	if len(body) > maxSDP {
		return nil, fmt.Errorf("%w: %d octets", ErrSDP, len(body))
	}
	p := sdpParser{sdp: &SDP{}}
	n := 0
	for line := range strings.SplitSeq(string(body), "\n") {
		n++
		line = strings.TrimRight(line, "\r")
		if line == "" {
			continue // a blank line at the end is common
		}
		if n > maxLines {
			return nil, fmt.Errorf("%w: more than %d lines", ErrSDP, maxLines)
		}
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrSDP, n, err)
		}
	}
	if !p.version || p.sdp.Origin == "" {
		return nil, fmt.Errorf("%w: no v= or no o= line", ErrSDP)
	}
	p.finish()
	return p.sdp, nil
}

// sdpParser holds what is read line by line.
type sdpParser struct {
	sdp     *SDP
	version bool
	conn    netip.Addr // session level
	dir     Direction
	own     []streamOwn // by stream
	maps    []ofStream  // rtpmap
	fmtps   []ofStream  // fmtp
}

// streamOwn says which values an m= line has of its own.
type streamOwn struct{ conn, dir bool }

// ofStream is what an attribute says of a format of the stream with that number.
type ofStream struct {
	stream int
	format Format
}

// formatOf finds what the last attribute says of a stream's format.
func formatOf(of []ofStream, stream int, pt uint8) (Format, bool) {
	for i := len(of) - 1; i >= 0; i-- {
		if of[i].stream == stream && of[i].format.PT == pt {
			return of[i].format, true
		}
	}
	return Format{}, false
}

// words fills out with the words of a value and gives how many there are.
func words(value string, out []string) (n int) {
	for w := range strings.FieldsSeq(value) {
		if n < len(out) {
			out[n] = w
		}
		n++
	}
	return n
}

func (p *sdpParser) line(line string) error {
	if len(line) < 2 || line[1] != '=' {
		return errors.New("not of the form x=value")
	}
	for i := range len(line) {
		if line[i] < ' ' && line[i] != '\t' {
			return errors.New("control character")
		}
	}
	value := line[2:]
	if !p.version {
		if line != "v=0" {
			return errors.New("does not begin with v=0")
		}
		p.version = true
		return nil
	}
	switch line[0] {
	case 'o':
		if p.sdp.Origin != "" || words(value, nil) < 6 {
			return errors.New("bad o= line")
		}
		p.sdp.Origin = value
	case 'c':
		return p.connection(value)
	case 'm':
		return p.media(value)
	case 'a':
		return p.attribute(value)
	}
	return nil
}

// connection reads "IN IP4 192.0.2.1" (a TTL behind a slash is cut off). A
// host name is allowed by the RFC and leaves the address unknown.
func (p *sdpParser) connection(value string) error {
	var f [3]string
	if words(value, f[:]) < 3 || f[0] != "IN" {
		return errors.New("bad c= line")
	}
	host, _, _ := strings.Cut(f[2], "/")
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		addr = netip.Addr{}
	}
	addr = addr.Unmap()
	if i := len(p.sdp.Streams) - 1; i >= 0 {
		p.sdp.Streams[i].Conn, p.own[i].conn = addr, true
		return nil
	}
	p.conn = addr
	return nil
}

func (p *sdpParser) media(value string) error {
	f := strings.Fields(value)
	if len(f) < 4 {
		return errors.New("bad m= line")
	}
	if len(p.sdp.Streams) == maxStreams {
		return fmt.Errorf("more than %d m= lines", maxStreams)
	}
	if len(f)-3 > maxFormats {
		return fmt.Errorf("more than %d formats", maxFormats)
	}
	portText, _, _ := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return errors.New("bad port in m= line")
	}
	p.sdp.Streams = append(p.sdp.Streams, Stream{
		Media: f[0], Port: uint16(port), Proto: f[2], Payload: f[3:],
	})
	p.own = append(p.own, streamOwn{})
	return nil
}

func (p *sdpParser) attribute(value string) error {
	i := len(p.sdp.Streams) - 1
	name, rest, _ := strings.Cut(value, ":")
	if d, ok := parseDirection(name); ok {
		if i < 0 {
			p.dir = d
		} else {
			p.sdp.Streams[i].Dir, p.own[i].dir = d, true
		}
		return nil
	}
	if i < 0 {
		return nil
	}
	switch name {
	case "rtpmap":
		if p.sdp.Streams[i].Media != "audio" {
			return nil
		}
		f, err := parseRTPMap(rest)
		if err != nil {
			return err
		}
		p.maps = append(p.maps, ofStream{i, f})
	case "fmtp":
		ptText, params, ok := strings.Cut(strings.TrimSpace(rest), " ")
		pt, err := strconv.ParseUint(ptText, 10, 7)
		if ok && err == nil && len(params) <= maxFmtp {
			p.fmtps = append(p.fmtps, ofStream{i, Format{PT: uint8(pt), Fmtp: strings.TrimSpace(params)}})
		}
	case "ptime":
		if ms, err := strconv.ParseFloat(strings.TrimSpace(rest), 64); err == nil && ms >= 1 && ms <= 200 {
			p.sdp.Streams[i].Ptime = int(ms)
		}
	}
	return nil
}

// parseRTPMap reads "8 PCMA/8000" or "96 opus/48000/2".
func parseRTPMap(value string) (Format, error) {
	var f [2]string
	if words(value, f[:]) != 2 {
		return Format{}, errors.New("bad rtpmap")
	}
	pt, err := strconv.ParseUint(f[0], 10, 7)
	if err != nil {
		return Format{}, errors.New("bad payload type in rtpmap")
	}
	name, after, ok := strings.Cut(f[1], "/")
	if !ok || name == "" {
		return Format{}, errors.New("bad encoding in rtpmap")
	}
	clock, more, _ := strings.Cut(after, "/")
	rate, err := strconv.ParseUint(clock, 10, 31)
	if err != nil || rate == 0 {
		return Format{}, errors.New("bad clock rate in rtpmap")
	}
	out := Format{PT: uint8(pt), Name: strings.ToUpper(name), Rate: int(rate)}
	if more != "1" { // one channel is the default and often left out
		out.More = more
	}
	return out, nil
}

// finish fills session-level values into the streams and makes the formats.
func (p *sdpParser) finish() {
	for i := range p.sdp.Streams {
		s := &p.sdp.Streams[i]
		if !p.own[i].conn {
			s.Conn = p.conn
		}
		if !p.own[i].dir {
			s.Dir = p.dir
		}
		if s.Media != "audio" || !strings.HasPrefix(s.Proto, "RTP/") {
			continue
		}
		var seen [128]bool
		s.Formats = make([]Format, 0, len(s.Payload))
		for _, text := range s.Payload {
			pt64, err := strconv.ParseUint(text, 10, 7)
			pt := uint8(pt64)
			if err != nil || seen[pt] {
				continue
			}
			seen[pt] = true
			f, named := formatOf(p.maps, i, pt)
			if !named {
				if pt >= 96 {
					continue // a dynamic type nobody named cannot be used
				}
				f = static(pt)
			}
			params, _ := formatOf(p.fmtps, i, pt)
			f.Fmtp = params.Fmtp
			s.Formats = append(s.Formats, f)
		}
	}
}
