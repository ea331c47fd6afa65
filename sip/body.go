package sip

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"

	"github.com/cordboard/cordboard/sip/stack"
)

// maxParts bounds the parts of a multipart body that are looked at.
const maxParts = 8

// unwrap takes the session description out of a multipart body (RFC 5621):
// trunks that come from ISUP send it beside their own part. A body without
// one, or that ends in the middle, stays as it is and is refused like any
// other that is no description.
func unwrap(m *stack.Message) {
	const multi = "multipart/"
	v := strings.TrimSpace(m.Get("Content-Type"))
	if len(v) < len(multi) || !strings.EqualFold(v[:len(multi)], multi) {
		return
	}
	_, params, err := mime.ParseMediaType(v)
	if err != nil || params["boundary"] == "" {
		return
	}
	r := multipart.NewReader(bytes.NewReader(m.Body), params["boundary"])
	var found []byte
	for range maxParts {
		p, err := r.NextRawPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return
		}
		body, err := io.ReadAll(p)
		if err != nil {
			return
		}
		if k, _, err := mime.ParseMediaType(p.Header.Get("Content-Type")); found == nil && err == nil && k == sdpType {
			found = body
		}
	}
	if found == nil {
		return
	}
	m.Body = found
	for i, h := range m.Headers {
		if strings.EqualFold(h.Name, "Content-Type") || strings.EqualFold(h.Name, "c") {
			m.Headers[i].Value = sdpType
		}
	}
}

const sdpType = "application/sdp"

func isSDP(m *stack.Message) bool {
	kind, _, _ := strings.Cut(m.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), sdpType)
}

// bodyOf is the message of an event that may carry a description.
func bodyOf(ev stack.Event) *stack.Message {
	switch ev := ev.(type) {
	case stack.Answered:
		return ev.Response
	case stack.Replied:
		return ev.Response
	case stack.Acked:
		return ev.Request
	case stack.Pracked:
		return ev.Request
	case stack.Requested:
		return ev.Request
	}
	return nil
}
