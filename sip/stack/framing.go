package stack

import (
	"bytes"
	"strconv"
)

// What a message may be made of. RFC 3261 sets no limits; a peer that needs
// more than these is broken or hostile.
const (
	maxMessage   = 65535 // bytes in all
	maxHeaders   = 100   // header fields, lists of Via, Contact and routes taken apart
	maxHeaderLen = 8192  // bytes of one header's value
	maxVias      = 40    // RFC 4475 3.1.1.7, a valid message, has 34
	maxList      = 64    // values of one header's list
)

// headScan reads the head of a message, byte by byte as it comes: the start
// line, the headers and the empty line. It refuses what can smuggle a header
// past those who read lines differently: a bare LF or CR, control characters.
type headScan struct {
	at, line int // bytes read, and of the current line
	lines    int
	end      int  // length of the head, 0 while its empty line has not come
	folds    bool // there is a folded header
	odd      bool // the start line is folded, or begins with a space
}

// scan reads on in data, which begins as it did at the last call. bad names
// the fault, "" for none.
func (h *headScan) scan(data []byte) (bad string) {
	for ; h.end == 0 && h.at < len(data); h.at++ {
		c := data[h.at]
		if h.at > 0 && data[h.at-1] == '\r' {
			if c != '\n' {
				return "Bare CR"
			}
			if h.line == 0 {
				h.end = h.at + 1
				continue
			}
			h.line, h.lines = 0, h.lines+1
			if h.lines > 2*maxHeaders { // folded ones counted
				return "Too Many Headers"
			}
			continue
		}
		switch {
		case c == '\r':
			continue
		case c == '\n':
			return "Bare LF"
		case c < ' ' && c != '\t', c == 0x7f:
			return "Control Character"
		}
		if h.line == 0 && c <= ' ' {
			h.folds, h.odd = true, h.odd || h.lines < 2
		}
		for h.line++; h.at+1 < len(data) && isPlain(data[h.at+1]); h.line++ {
			h.at++
		}
		if h.line > maxHeaderLen+256 {
			return "Header Too Long"
		}
	}
	return ""
}

// isPlain reports a character that can neither end a line nor smuggle.
func isPlain(c byte) bool { return c >= ' ' && c != 0x7f || c == '\t' }

// sound reports whether data begins with the head of a message: nothing in it
// that smuggles, and at least one header.
func (h *headScan) sound(data []byte) bool {
	return h.scan(data) == "" && h.end > 0 && h.lines > 1
}

// framer cuts a stream into messages. The library would do so too, but it
// takes the last of two Content-Length for good, a fold at the edge of a
// segment for an error, and NUL or CR without end for nothing at all.
type framer struct {
	buf  []byte
	head headScan
	size int // of the message, 0 while its head is not whole
}

// grow gives room to read into, which must be followed by read.
func (f *framer) grow() []byte {
	if cap(f.buf)-len(f.buf) < 512 {
		f.buf = append(make([]byte, 0, max(4096, min(2*cap(f.buf), maxMessage+512))), f.buf...)
	}
	return f.buf[len(f.buf):cap(f.buf)]
}

func (f *framer) read(n int) { f.buf = f.buf[:len(f.buf)+n] }

// next copies the next whole message, or a keep-alive, out of what has been
// read. 0 and "" mean that there is none yet; bad, that there never will be.
func (f *framer) next(out []byte) (n int, bad string) {
	for len(f.buf) > 0 && f.buf[0] == '\r' {
		// CRLF before a start line is nothing, two are a ping (RFC 5626 3.5.1).
		switch ends := []byte("\r\n\r\n"); {
		case bytes.HasPrefix(f.buf, ends):
			n = copy(out, ends)
			f.drop(n)
			return n, ""
		case bytes.HasPrefix(ends, f.buf):
			return 0, ""
		case len(f.buf) > 2 && f.buf[1] == '\n':
			f.drop(2)
		default:
			return 0, "Bare CR"
		}
	}
	if f.size == 0 {
		if bad := f.head.scan(f.buf); bad != "" {
			return 0, bad
		}
		if f.head.end == 0 {
			if len(f.buf) > maxMessage {
				return 0, "Message Too Large"
			}
			return 0, ""
		}
		body, bad := contentLength(f.buf[:f.head.end])
		if bad != "" {
			return 0, bad
		}
		if f.size = f.head.end + body; f.size > maxMessage {
			return 0, "Message Too Large"
		}
	}
	if len(f.buf) < f.size {
		return 0, ""
	}
	n = copy(out, f.buf[:f.size])
	f.drop(n)
	return n, ""
}

func (f *framer) drop(n int) {
	f.buf = append(f.buf[:0], f.buf[n:]...)
	if len(f.buf) == 0 && cap(f.buf) > 16384 {
		f.buf = nil // a big message is rare, its room need not stay
	}
	f.head, f.size = headScan{}, 0
}

// contentLength reads where a message of a stream ends: there must be one
// Content-Length, in plain digits (RFC 3261 18.3, 20.14).
func contentLength(head []byte) (n int, bad string) {
	found := false
	for line := range headLines(head) {
		name, value, ok := bytes.Cut(line, []byte(":"))
		if !ok || !isContentLength(bytes.TrimRight(name, " \t")) {
			continue
		}
		if found {
			return 0, "Duplicate Content-Length"
		}
		found = true
		value = bytes.Trim(value, " \t\r\n")
		if len(value) == 0 || len(value) > 10 || len(bytes.Trim(value, "0123456789")) > 0 {
			return 0, "Bad Content-Length"
		}
		v, err := strconv.ParseUint(string(value), 10, 32)
		if err != nil || v > maxMessage {
			return 0, "Message Too Large"
		}
		n = int(v)
	}
	if !found {
		return 0, "Missing Content-Length"
	}
	return n, ""
}

func isContentLength(name []byte) bool {
	return len(name) == 1 && name[0]|0x20 == 'l' || bytes.EqualFold(name, []byte("content-length"))
}

// headLines gives the header fields of a head, folded lines in one, without
// the start line.
func headLines(head []byte) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		_, rest, _ := bytes.Cut(head, []byte("\r\n"))
		for len(rest) > 2 {
			end := bytes.Index(rest, []byte("\r\n"))
			if end < 0 {
				end = len(rest)
			}
			for end+2 < len(rest) && (rest[end+2] == ' ' || rest[end+2] == '\t') {
				more := bytes.Index(rest[end+2:], []byte("\r\n"))
				if more < 0 {
					end = len(rest)
					break
				}
				end += 2 + more
			}
			if !yield(rest[:end]) {
				return
			}
			rest = rest[min(end+2, len(rest)):]
		}
	}
}
