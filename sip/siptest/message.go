package siptest

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Header is one header field.
type Header struct{ Name, Value string }

// Message is a SIP request (Status 0) or response, as it was on the wire.
type Message struct {
	Method  string // of a response: of its CSeq
	URI     string
	Status  int
	Reason  string
	Headers []Header
	Body    []byte
}

var compact = map[string]string{
	"c": "Content-Type", "f": "From", "i": "Call-ID", "k": "Supported",
	"l": "Content-Length", "m": "Contact", "t": "To", "v": "Via",
}

// Get returns the first value of the header, "" for none.
func (m *Message) Get(name string) string {
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// All returns the header's values, one a field, in order.
func (m *Message) All(name string) []string {
	var all []string
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			all = append(all, h.Value)
		}
	}
	return all
}

func (m *Message) add(name, value string) { m.Headers = append(m.Headers, Header{name, value}) }

// cseq reads the CSeq number.
func (m *Message) cseq() int {
	n, _, _ := strings.Cut(m.Get("CSeq"), " ")
	v, err := strconv.Atoi(n)
	if err != nil {
		return -1
	}
	return v
}

func (m *Message) bytes() []byte {
	var b bytes.Buffer
	if m.Status != 0 {
		fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", m.Status, m.Reason)
	} else {
		fmt.Fprintf(&b, "%s %s SIP/2.0\r\n", m.Method, m.URI)
	}
	for _, h := range m.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	if len(m.Body) > 0 {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n", len(m.Body))
	b.Write(m.Body)
	return b.Bytes()
}

var errMessage = errors.New("siptest: not a SIP message")

// parseHead reads the start line and the headers.
func parseHead(head string) (*Message, error) {
	lines := strings.Split(strings.ReplaceAll(head, "\r\n", "\n"), "\n")
	m := &Message{}
	first := strings.SplitN(lines[0], " ", 3)
	if len(first) != 3 {
		return nil, errMessage
	}
	if first[0] == "SIP/2.0" {
		code, err := strconv.Atoi(first[1])
		if err != nil || code < 100 || code > 699 {
			return nil, errMessage
		}
		m.Status, m.Reason = code, first[2]
	} else {
		if first[2] != "SIP/2.0" {
			return nil, errMessage
		}
		m.Method, m.URI = first[0], first[1]
	}
	for _, line := range lines[1:] {
		if line == "" {
			continue
		}
		if line[0] == ' ' || line[0] == '\t' { // folded
			if n := len(m.Headers); n > 0 {
				m.Headers[n-1].Value += " " + strings.TrimSpace(line)
			}
			continue
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, errMessage
		}
		name = strings.TrimSpace(name)
		if long, ok := compact[strings.ToLower(name)]; ok {
			name = long
		}
		m.add(name, strings.TrimSpace(value))
	}
	if m.Status != 0 {
		_, method, _ := strings.Cut(m.Get("CSeq"), " ")
		m.Method = strings.TrimSpace(method)
	}
	return m, nil
}

// parseDatagram reads a whole message.
func parseDatagram(b []byte) (*Message, error) {
	head, body, ok := bytes.Cut(b, []byte("\r\n\r\n"))
	if !ok {
		return nil, errMessage
	}
	m, err := parseHead(string(head))
	if err != nil {
		return nil, err
	}
	if n, err := strconv.Atoi(m.Get("Content-Length")); err == nil && n >= 0 && n < len(body) {
		body = body[:n]
	}
	m.Body = bytes.Clone(body)
	return m, nil
}

// headerParam finds a parameter of a header value, such as tag or branch.
func headerParam(value, name string) string {
	if i := strings.LastIndexByte(value, '>'); i >= 0 {
		value = value[i+1:]
	}
	for part := range strings.SplitSeq(value, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// uriOf takes the URI out of a name-addr or addr-spec.
func uriOf(value string) string {
	if i := strings.IndexByte(value, '<'); i >= 0 {
		u, _, _ := strings.Cut(value[i+1:], ">")
		return u
	}
	u, _, _ := strings.Cut(value, ";")
	return strings.TrimSpace(u)
}

// hostPort is where a request to the URI goes: its host and port, 5060 when
// it has none.
func hostPort(uri string) string {
	_, rest, ok := strings.Cut(uri, ":")
	if !ok {
		return ""
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		rest = rest[i+1:]
	}
	rest, _, _ = strings.Cut(rest, ";")
	rest, _, _ = strings.Cut(rest, "?")
	rest = strings.TrimSuffix(rest, ">")
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, ']') {
		return rest
	}
	return rest + ":5060"
}
