package subscription

import (
	"errors"
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Call is one that somebody makes to a telephone, as its PBX tells of it.
type Call struct {
	Source, Extension string // whose telephone it is
	// Number is the call's among all that are told of: no two have the same.
	Number int64
	ID     string // the Call-ID that the telephone has it by, "" where the PBX does not tell
	From   string // who calls: the user of his URI, or his number; "" where that is not told
	State  State
	Ended  string // why it is over (RFC 4235 3.7.1): "cancelled", "rejected", ...; "" where that is not told
}

// State is how far a call has got. It never goes back.
type State int

const (
	Rings State = iota
	Talks
	Over
)

// phone is what is known of a telephone's calls: those that come in. It outlives a
// subscription, whose successor begins with a full state.
type phone struct {
	source, extension string
	number            func() int64 // of the next call

	known   bool // a full state has come since the subscription began
	version uint32
	calls   map[string]*Call // by the dialog's id
}

// errGap: a partial state has been missed, and only a full one helps (RFC 4235 4.2).
var errGap = errors.New("a state has been missed")

// begin forgets the version: a subscription begins.
func (p *phone) begin() { p.known = false }

// told takes a document, and gives what has changed, in the order in which it stands
// there. A full state is taken whatever its version: NOTIFYs come in the order of
// their CSeq, and a PBX that has started anew may count from 0 in a subscription that
// it has kept. Partial ones are counted.
func (p *phone) told(d document) (changed []Call, err error) {
	switch {
	case d.full:
	case p.known && d.version <= p.version:
		return nil, nil
	case !p.known || d.version != p.version+1:
		return nil, errGap
	}
	p.known, p.version = true, d.version
	listed := make(map[string]bool, len(d.dialogs))
	for _, one := range d.dialogs {
		listed[one.id] = true
		changed = p.step(changed, one)
	}
	if d.full {
		for _, id := range slices.Sorted(maps.Keys(p.calls)) {
			if !listed[id] {
				changed = p.over(changed, id, "")
			}
		}
	}
	return changed, nil
}

// step adds what one dialog's state changes. What a telephone dials itself is no call
// to it; one that a PBX does not say the direction of is known by its id, or passed
// over.
func (p *phone) step(changed []Call, d dialog) []Call {
	c, state := p.calls[d.id], stateOf(d.state)
	if c != nil && d.callID != "" && c.ID != "" && d.callID != c.ID { // the id is the telephone's, and this another call
		changed, c = p.over(changed, d.id, ""), nil
	}
	switch {
	case c == nil && (!d.recipient || state == Over || len(p.calls) >= maxDialogs):
		return changed
	case c == nil:
		c = &Call{Source: p.source, Extension: p.extension, Number: p.number(), ID: d.callID, From: userOf(d.remote), State: state}
		p.calls[d.id] = c
		return append(changed, *c)
	case state == Over:
		return p.over(changed, d.id, d.event)
	case state <= c.State:
		return changed
	}
	c.State = state
	return append(changed, *c)
}

func (p *phone) over(changed []Call, id, why string) []Call {
	c := p.calls[id]
	delete(p.calls, id)
	c.State, c.Ended = Over, why
	return append(changed, *c)
}

func stateOf(word string) State {
	switch word {
	case "confirmed":
		return Talks
	case "terminated":
		return Over
	}
	return Rings
}

const maxUser = 100 // bytes

// userOf is who a URI names: the user of sip:user@host, or a number of tel:.
func userOf(uri string) string {
	scheme, rest, ok := strings.Cut(uri, ":")
	if !ok {
		return ""
	}
	switch strings.ToLower(scheme) {
	case "tel":
		number, _, _ := strings.Cut(rest, ";")
		return printable(number)
	case "sip", "sips":
		user, _, ok := strings.Cut(rest, "@")
		if !ok {
			return ""
		}
		user, _, _ = strings.Cut(user, ";") // parameters of a number (RFC 3261 19.1.6)
		user, _, _ = strings.Cut(user, ":")
		if plain, err := url.PathUnescape(user); err == nil {
			user = plain
		}
		return printable(user)
	}
	return ""
}

// printable is a text of moderate length without control characters; "" where it is
// none.
func printable(s string) string {
	if len(s) > maxUser || !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return ""
	}
	return s
}
