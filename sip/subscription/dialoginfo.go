package subscription

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// mediaType is the one body that is read.
const mediaType = "application/dialog-info+xml"

// Bounds of a document.
const (
	maxDocument = 32 << 10 // bytes
	maxDepth    = 16
	maxDialogs  = 200
	maxText     = 500 // bytes of one value
)

const namespace = "urn:ietf:params:xml:ns:dialog-info"

// document is what a NOTIFY says of a telephone's dialogs (RFC 4235 4).
type document struct {
	version uint32
	full    bool // all dialogs are in it
	dialogs []dialog
}

// dialog is one of them.
type dialog struct {
	id, callID string
	recipient  bool // somebody calls the telephone
	state      string
	event      string // why it has ended
	remote     string // the URI of who is at the other end
}

// states are those of a dialog (RFC 4235 3.7.1), in the order in which they follow.
var states = []string{"trying", "proceeding", "early", "confirmed", "terminated"}

// ends are why one is over (RFC 4235 3.7.1).
var ends = []string{"cancelled", "rejected", "replaced", "local-bye", "remote-bye", "error", "timeout"}

var errDocument = errors.New("no dialog-info document")

func faulty(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errDocument}, args...)...)
}

// read reads a document, strictly: a PBX that writes anything else is not understood.
// There are no entities, for there is no DTD; elements of other namespaces are passed
// over. No error repeats what the document says.
func read(text []byte) (document, error) {
	if len(text) > maxDocument {
		return document{}, faulty("more than %d bytes", maxDocument)
	}
	r := reader{in: xml.NewDecoder(bytes.NewReader(text))}
	for {
		t, err := r.in.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return document{}, faulty("line %d is no XML", line(r.in))
		}
		if err := r.token(t); err != nil {
			return document{}, fmt.Errorf("%w (line %d)", err, line(r.in))
		}
	}
	if !r.rooted {
		return document{}, faulty("it is empty")
	}
	return r.out, nil
}

func line(in *xml.Decoder) int { n, _ := in.InputPos(); return n }

// reader is a walk over a document.
type reader struct {
	in     *xml.Decoder
	out    document
	path   []string // the names of the open elements; "" for those of others
	rooted bool
	text   strings.Builder // of the element that is read
}

func (r *reader) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.Directive:
		return faulty("it has a DTD")
	case xml.StartElement:
		return r.begin(t)
	case xml.EndElement:
		return r.end()
	case xml.CharData:
		if len(r.path) == 0 && len(bytes.TrimSpace(t)) > 0 {
			return faulty("text outside the document")
		}
		if r.value() == nil {
			return nil
		}
		if r.text.Len()+len(t) > maxText {
			return faulty("a value is longer than %d bytes", maxText)
		}
		r.text.Write(t)
	}
	return nil
}

func (r *reader) begin(t xml.StartElement) error {
	name := t.Name.Local
	if t.Name.Space != namespace {
		name = ""
	}
	if len(r.path) >= maxDepth {
		return faulty("more than %d elements deep", maxDepth)
	}
	r.path = append(r.path, name)
	r.text.Reset()
	switch {
	case len(r.path) == 1:
		return r.root(name, t.Attr)
	case r.at("dialog"):
		return r.dialog(t.Attr)
	case r.at("dialog", "state"):
		if why := attribute(t.Attr, "event"); slices.Contains(ends, why) {
			r.last().event = why
		}
	case r.at("dialog", "remote", "target") && r.last().remote == "":
		r.last().remote = bounded(attribute(t.Attr, "uri"))
	}
	return nil
}

func (r *reader) root(name string, attrs []xml.Attr) error {
	if r.rooted || name != "dialog-info" {
		return faulty("it is not one dialog-info of %s", namespace)
	}
	r.rooted = true
	version, err := strconv.ParseUint(attribute(attrs, "version"), 10, 32)
	if err != nil {
		return faulty("its version is no number")
	}
	r.out.version = uint32(version)
	switch attribute(attrs, "state") {
	case "full":
		r.out.full = true
	case "partial":
	default:
		return faulty("its state is neither full nor partial")
	}
	return nil
}

func (r *reader) dialog(attrs []xml.Attr) error {
	if len(r.out.dialogs) == maxDialogs {
		return faulty("more than %d dialogs", maxDialogs)
	}
	d := dialog{id: attribute(attrs, "id"), callID: bounded(attribute(attrs, "call-id")), recipient: attribute(attrs, "direction") == "recipient"}
	if d.id == "" || bounded(d.id) == "" {
		return faulty("a dialog without an id of up to %d bytes", maxText)
	}
	r.out.dialogs = append(r.out.dialogs, d)
	return nil
}

// value is where the text of the element goes that is read; nil: nowhere.
func (r *reader) value() *string {
	switch {
	case r.at("dialog", "state"):
		return &r.last().state
	case r.at("dialog", "remote", "identity"):
		return &r.last().remote
	}
	return nil
}

func (r *reader) end() error {
	if to := r.value(); to != nil {
		*to = strings.TrimSpace(r.text.String())
	}
	if r.at("dialog") && !slices.Contains(states, r.last().state) {
		return faulty("a dialog's state is none of %s", strings.Join(states, ", "))
	}
	r.path = r.path[:len(r.path)-1]
	r.text.Reset()
	return nil
}

// at reports whether the element of this path below the root is the one that is read.
func (r *reader) at(path ...string) bool {
	return len(r.path) > 1 && slices.Equal(r.path[1:], path)
}

func (r *reader) last() *dialog { return &r.out.dialogs[len(r.out.dialogs)-1] }

func attribute(attrs []xml.Attr, name string) string {
	for _, a := range attrs {
		if a.Name.Space == "" && a.Name.Local == name {
			return strings.TrimSpace(a.Value)
		}
	}
	return ""
}

// bounded is a value that is kept; "" for one that is too long.
func bounded(v string) string {
	if len(v) > maxText {
		return ""
	}
	return v
}
