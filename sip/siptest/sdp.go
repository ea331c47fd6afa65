package siptest

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// description is a peer's SDP as a telephone needs it. It is read and written
// here and not by the product's code: two sides that share a mistake agree.
type description struct {
	lines []mline
}

type mline struct {
	media, proto string
	port         uint16
	formats      []string
	addr         netip.Addr
	dir          string
	events       uint8 // payload type of telephone-event
}

// parseSDP reads a body; false when there is no m= line to speak of.
func parseSDP(body []byte) (description, bool) {
	var d description
	var session netip.Addr
	dir := "sendrecv"
	for line := range strings.SplitSeq(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n") {
		kind, v, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		var cur *mline
		if n := len(d.lines); n > 0 {
			cur = &d.lines[n-1]
		}
		switch kind {
		case "m":
			f := strings.Fields(v)
			if len(f) < 4 {
				return d, false
			}
			port, _, _ := strings.Cut(f[1], "/")
			p, err := strconv.ParseUint(port, 10, 16)
			if err != nil {
				return d, false
			}
			d.lines = append(d.lines, mline{media: f[0], port: uint16(p), proto: f[2], formats: f[3:], addr: session, dir: dir})
		case "c":
			f := strings.Fields(v)
			if len(f) != 3 {
				return d, false
			}
			a, _ := netip.ParseAddr(f[2])
			if cur != nil {
				cur.addr = a
			} else {
				session = a
			}
		case "a":
			switch v {
			case "sendrecv", "sendonly", "recvonly", "inactive":
				if cur != nil {
					cur.dir = v
				} else {
					dir = v
				}
			}
			if rest, ok := strings.CutPrefix(v, "rtpmap:"); ok && cur != nil {
				pt, name, _ := strings.Cut(rest, " ")
				if n, err := strconv.ParseUint(pt, 10, 7); err == nil && strings.HasPrefix(strings.ToLower(name), "telephone-event/") {
					cur.events = uint8(n)
				}
			}
		}
	}
	return d, len(d.lines) > 0
}

// audio is the first usable audio line.
func (d description) audio() (index int, m mline, pt uint8, ok bool) {
	for i, m := range d.lines {
		if m.media != "audio" || m.port == 0 || m.proto != "RTP/AVP" {
			continue
		}
		for _, f := range m.formats {
			if f == "0" || f == "8" {
				pt, _ := strconv.ParseUint(f, 10, 7)
				return i, m, uint8(pt), true
			}
		}
	}
	return 0, mline{}, 0, false
}

// mirror is the answer to a direction (RFC 3264 section 6.1) of one who wants
// to send and receive, or, holding, only to send.
func mirror(dir string, holding bool) string {
	sends := dir == "sendrecv" || dir == "recvonly"
	receives := (dir == "sendrecv" || dir == "sendonly") && !holding
	switch {
	case sends && receives:
		return "sendrecv"
	case sends:
		return "sendonly"
	case receives:
		return "recvonly"
	}
	return "inactive"
}

// local is our own half of the description; the o= line stays for the dialog's
// life and its version goes up when the text changes.
type local struct {
	id, version int64
	addr        netip.AddrPort
	last        string
}

func (l *local) write(lines string) []byte {
	if lines != l.last {
		l.version++
		l.last = lines
	}
	return fmt.Appendf(nil, "v=0\r\no=- %d %d IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\n%s",
		l.id, l.version, l.addr.Addr(), l.addr.Addr(), lines)
}

// offer writes an offer of the payload types; lines is the number of m= lines
// that the dialog already has.
func (l *local) offer(pts []uint8, dir string, lines int) []byte {
	var b strings.Builder
	b.WriteString(l.line(pts, 101, dir))
	for range lines - 1 {
		b.WriteString("m=video 0 RTP/AVP 96\r\n")
	}
	return l.write(b.String())
}

// answer writes the answer to an offer: as many lines, all but one refused.
func (l *local) answer(d description, holding bool) (body []byte, ok bool) {
	at, m, pt, ok := d.audio()
	if !ok {
		return nil, false
	}
	var b strings.Builder
	for i, line := range d.lines {
		if i == at {
			b.WriteString(l.line([]uint8{pt}, m.events, mirror(m.dir, holding)))
			continue
		}
		fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", line.media, line.proto, strings.Join(line.formats, " "))
	}
	return l.write(b.String()), true
}

func (l *local) line(pts []uint8, events uint8, dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "m=audio %d RTP/AVP", l.addr.Port())
	for _, pt := range pts {
		fmt.Fprintf(&b, " %d", pt)
	}
	if events != 0 {
		fmt.Fprintf(&b, " %d", events)
	}
	b.WriteString("\r\n")
	for _, pt := range pts {
		name := "PCMU"
		if pt == 8 {
			name = "PCMA"
		}
		fmt.Fprintf(&b, "a=rtpmap:%d %s/8000\r\n", pt, name)
	}
	if events != 0 {
		fmt.Fprintf(&b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-16\r\n", events, events)
	}
	fmt.Fprintf(&b, "a=ptime:20\r\na=%s\r\n", dir)
	return b.String()
}
