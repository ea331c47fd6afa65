package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cordboard/cordboard/screenpop/customer"
)

const notText = "not UTF-8"

// jsonFeed reads one record a line; empty lines are passed over.
type jsonFeed struct {
	lines
	n int
}

func newJSONFeed(r io.Reader) *jsonFeed {
	return &jsonFeed{lines: lines{in: bufio.NewReaderSize(r, 1<<16)}}
}

func (f *jsonFeed) offset() int64 { return f.size }

func (f *jsonFeed) next() (raw, error) {
	for {
		text, long, err := f.read()
		if err != nil {
			return raw{line: f.n + 1}, err
		}
		f.n++
		if f.n == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if long {
			return raw{line: f.n}, bad("line is longer than 4 MiB")
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return raw{line: f.n, text: text}, nil
		}
	}
}

func (f *jsonFeed) record(line raw) (r customer.Record, err error) {
	if readRecord(string(line.text), &r) {
		return r, nil
	}
	r = customer.Record{}
	if !utf8.Valid(line.text) {
		return r, bad("it is %s", notText)
	}
	dec := json.NewDecoder(bytes.NewReader(line.text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&r); err != nil {
		return r, unread(err)
	}
	if dec.More() {
		return r, bad("more than one value on the line")
	}
	return r, nil
}

// unread says why a line is no record, without what stands in it.
func unread(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	var when *time.ParseError
	switch {
	case errors.As(err, &syntax):
		return bad("not JSON at byte %d", syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return bad("not JSON: it ends too soon")
	case errors.As(err, &kind):
		return bad("%s is not of type %s", kind.Field, kind.Type)
	case errors.As(err, &when):
		return bad("a time is not RFC 3339")
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return bad("unknown field %s", strings.TrimPrefix(err.Error(), "json: unknown field "))
	}
	return bad("not a customer record")
}
