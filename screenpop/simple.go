package screenpop

import (
	"strconv"

	"github.com/cordboard/cordboard/routing"
)

// simple reads the JSON that desks send in every call: objects of texts without
// escapes, whole numbers, true and false. It takes nothing that strict would not
// take in the same way, and what it does not take says nothing: strict decides
// then. The text is UTF-8.
type simple struct {
	rest  []byte
	fails bool
	depth int
}

// object reads an object and hands over each key; the reader of a key reads its
// value.
func (p *simple) object(field func(key []byte)) {
	if p.depth++; p.depth > 4 || !p.next('{') {
		p.fails = true
		return
	}
	defer func() { p.depth-- }()
	if p.next('}') {
		return
	}
	for !p.fails {
		key := p.text()
		if !p.next(':') {
			p.fails = true
			return
		}
		field(key)
		if p.next('}') {
			return
		}
		if !p.next(',') {
			p.fails = true
		}
	}
}

// next passes over a byte, if it is the next one.
func (p *simple) next(c byte) bool {
	for len(p.rest) > 0 {
		switch p.rest[0] {
		case c:
			p.rest = p.rest[1:]
			return true
		case ' ', '\t', '\r', '\n':
			p.rest = p.rest[1:]
		default:
			return false
		}
	}
	return false
}

// text reads a string; what it returns is a part of the frame.
func (p *simple) text() []byte {
	if !p.next('"') {
		p.fails = true
		return nil
	}
	for i, c := range p.rest {
		switch {
		case c == '"':
			s := p.rest[:i]
			p.rest = p.rest[i+1:]
			return s
		case c == '\\' || c < ' ':
			p.fails = true
			return nil
		}
	}
	p.fails = true
	return nil
}

// word reads a string, most likely one of those.
func (p *simple) word(of []string) string { return oneOf(of, p.text()) }

// oneOf is s without a copy, if it is one of those.
func oneOf(of []string, s []byte) string {
	for _, word := range of {
		if word == string(s) {
			return word
		}
	}
	return string(s)
}

// number reads a whole number of at most 18 digits.
func (p *simple) number() int64 {
	p.blank()
	n := 0
	for n < len(p.rest) && (p.rest[n] >= '0' && p.rest[n] <= '9' || n == 0 && p.rest[n] == '-') {
		n++
	}
	digits := p.rest[:n]
	p.rest = p.rest[n:]
	if n > 18 || len(p.rest) == 0 || p.rest[0] == '.' || p.rest[0] == 'e' || p.rest[0] == 'E' ||
		(n > 1 && digits[0] == '0') || (n > 1 && digits[0] == '-' && digits[1] == '0') {
		p.fails = true
		return 0
	}
	v, err := strconv.ParseInt(string(digits), 10, 64)
	p.fails = p.fails || err != nil
	return v
}

func (p *simple) blank() {
	for len(p.rest) > 0 && (p.rest[0] == ' ' || p.rest[0] == '\t' || p.rest[0] == '\r' || p.rest[0] == '\n') {
		p.rest = p.rest[1:]
	}
}

// skip reads a value and returns its text.
func (p *simple) skip() []byte {
	p.blank()
	from := p.rest
	if len(from) == 0 {
		p.fails = true
		return nil
	}
	switch c := from[0]; {
	case c == '{':
		p.object(func([]byte) { p.skip() })
	case c == '"':
		p.text()
	case c == '-' || c >= '0' && c <= '9':
		p.number()
	case !p.literal("true") && !p.literal("false"):
		p.fails = true
	}
	return from[:len(from)-len(p.rest)]
}

func (p *simple) literal(word string) bool {
	if len(p.rest) < len(word) || string(p.rest[:len(word)]) != word {
		return false
	}
	p.rest = p.rest[len(word):]
	return true
}

// done says whether all of it was read, and was simple.
func (p *simple) done() bool {
	p.blank()
	return !p.fails && len(p.rest) == 0
}

// simpleFields reads a value of its own by its key.
type simpleFields interface {
	field(p *simple, key []byte)
}

// readD reads a frame's d, which was read as JSON before.
func readD[F any](text []byte) (d F, ok bool) {
	if f, has := any(&d).(simpleFields); has {
		p := simple{rest: text}
		p.object(func(key []byte) { f.field(&p, key) })
		if p.done() {
			return d, true
		}
	}
	var whole F
	ok = strict(text, &whole)
	return whole, ok
}

// simpleFrame reads the envelope.
func simpleFrame(text []byte) (f deskFrame, ok bool) {
	p := simple{rest: text}
	p.object(func(key []byte) {
		switch string(key) {
		case "t":
			f.T = p.word(frameTypes)
		case "id":
			f.ID = p.number()
		case "d":
			f.D = p.skip()
		default:
			p.fails = true
		}
	})
	return f, p.done()
}

// frameTypes are those of every call.
var frameTypes = []string{"pop_ack", "wrap_up", "ping", "accept", "note"}

func (r *offerRef) field(p *simple, key []byte) {
	switch string(key) {
	case "call":
		r.Call = routing.CallID(p.number())
	case "attempt":
		r.Attempt = routing.Attempt(p.number())
	default:
		p.fails = true
	}
}

func (f *ackFrame) field(p *simple, key []byte) {
	switch string(key) {
	case "mode":
		f.Mode = p.word(ackModes)
	case "version":
		f.Version = p.number()
	case "panels":
		if f.Panels == nil {
			f.Panels = make(map[string]string, len(panelNames))
		}
		p.object(func(name []byte) {
			panel := oneOf(panelNames, name)
			f.Panels[panel] = p.word(panelStates)
		})
	default:
		f.offerRef.field(p, key)
	}
}

var ackModes = []string{routing.Painted, routing.Hidden}

func (f *wrapUpFrame) field(p *simple, key []byte) {
	switch string(key) {
	case "disposition":
		f.Disposition = string(p.text())
	case "answers":
		if f.Answers == nil {
			f.Answers = map[string]string{}
		}
		p.object(func(name []byte) { f.Answers[oneOf(routing.AskFields, name)] = string(p.text()) })
	case "note":
		f.Note = string(p.text())
	default:
		f.offerRef.field(p, key)
	}
}
