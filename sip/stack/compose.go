package stack

import (
	"bytes"
	"strconv"
	"sync"
)

// composer writes a message out, line by line, in a buffer that is used again:
// the library makes an object of each header first, and a text of each of those.
type composer struct{ b []byte }

var composers = sync.Pool{New: func() any { return &composer{b: make([]byte, 0, 2048)} }}

// compose begins a request.
func compose(method, uri string) *composer {
	w := composers.Get().(*composer)
	w.b = append(append(append(w.b[:0], method...), ' '), uri...)
	w.b = append(w.b, " SIP/2.0\r\n"...)
	return w
}

// header writes a header. What would end it is left out of its value.
func (w *composer) header(name, value string) {
	w.b = append(append(append(append(w.b, name...), ": "...), clean(value)...), "\r\n"...)
}

// tagged writes From or To.
func (w *composer) tagged(name, value, tag string) {
	w.b = append(append(append(w.b, name...), ": "...), clean(value)...)
	if tag != "" {
		w.b = append(append(w.b, ";tag="...), clean(tag)...)
	}
	w.b = append(w.b, "\r\n"...)
}

// number writes a header whose value begins with a number.
func (w *composer) number(name string, n int64, rest string) {
	w.b = strconv.AppendInt(append(append(w.b, name...), ": "...), n, 10)
	w.b = append(append(w.b, rest...), "\r\n"...)
}

// owners writes an owner's headers. Names that are no tokens and those that
// belong to the stack are left out.
func (w *composer) owners(hs []Header) {
	for _, h := range hs {
		if token(h.Name) && !ownHeaders[fold(h.Name)] {
			w.header(h.Name, h.Value)
		}
	}
}

// end writes the body and gives the message. Content-Type may be among the
// owner's headers hs, which have been written.
func (w *composer) end(hs []Header, contentType string, body []byte) []byte {
	if len(body) > 0 && !has(hs, "Content-Type") {
		if contentType == "" {
			contentType = "application/sdp"
		}
		w.header("Content-Type", contentType)
	}
	w.number("Content-Length", int64(len(body)), "\r\n")
	w.b = append(w.b, body...)
	out := bytes.Clone(w.b)
	composers.Put(w)
	return out
}
