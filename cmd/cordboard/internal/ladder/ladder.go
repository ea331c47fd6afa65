// Package ladder shows a call as the SIP messages that went over the wire, with
// what was decided between them. Messages are what others sent: whatever stands
// in them, no more than printable text leaves this package, and no number or name
// of anybody but in the whole messages, when they are asked for. It reads nothing
// by itself; the composition root and the command trace are its callers.
package ladder

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/stack"
	"github.com/cordboard/cordboard/sip/trace"
)

// Trace is TRACE of docs/http-api.md.
type Trace struct {
	Call  routing.CallID `json:"call"`           // 0 for none
	Since time.Time      `json:"since,omitzero"` // the oldest message that is kept of any call
	Note  string         `json:"note,omitempty"` // what is missing, and why
	Legs  []Leg          `json:"legs"`
	Steps []Step         `json:"steps"`
}

// Leg is one dialog.
type Leg struct {
	Name      string    `json:"name"`            // caller, or agent/ATTEMPT; "" of a call that was refused
	Agent     agents.ID `json:"agent,omitempty"` // of an agent's leg
	Transport string    `json:"transport"`
	Peer      string    `json:"peer"` // where the other side's messages come from
	CallID    string    `json:"call_id"`
}

// Step is a message, or a decision.
type Step struct {
	At       time.Time `json:"at"`
	Leg      int       `json:"leg,omitempty"`      // from 1; 0: a decision
	Sent     bool      `json:"sent,omitempty"`     // by us
	What     string    `json:"what"`               // INVITE, 200 OK, or the decision
	CSeq     string    `json:"cseq,omitempty"`     // 1 INVITE
	Repeated bool      `json:"repeated,omitempty"` // it was sent before, as it is
	Body     string    `json:"body,omitempty"`     // what it carries, in brief
	Cause    string    `json:"cause,omitempty"`    // codes of Reason and Warning, and Retry-After
	Text     string    `json:"text,omitempty"`     // the whole message, where it was asked for
}

// Decision is something that became of the call.
type Decision struct {
	At   time.Time
	What string
}

// New puts a call's messages and decisions in order. whole: with the messages as
// they are, but for credentials and keys.
func New(legs []trace.Leg, messages []trace.Message, decisions []Decision, whole bool) *Trace {
	t := &Trace{Legs: []Leg{}, Steps: []Step{}}
	index := map[string]int{}
	for _, l := range legs {
		if index[l.CallID] > 0 { // asked again within one dialog's Call-ID
			continue
		}
		t.Legs = append(t.Legs, Leg{Name: plain(l.Name, 40), Agent: agents.ID(plain(l.Agent, 64)), CallID: plain(l.CallID, 200)})
		index[l.CallID] = len(t.Legs)
	}
	seen := map[string]bool{}
	for _, m := range messages {
		leg := index[m.CallID]
		if leg == 0 {
			continue
		}
		if l := &t.Legs[leg-1]; l.Peer == "" || !m.Sent {
			l.Peer, l.Transport = m.Peer.String(), m.Transport
		}
		s, key := read(m.Data)
		s.At, s.Leg, s.Sent = m.At, leg, m.Sent
		key = strconv.Itoa(leg) + strconv.FormatBool(m.Sent) + key
		s.Repeated, seen[key] = seen[key], true
		if whole {
			s.Text = text(m.Data)
		}
		t.Steps = append(t.Steps, s)
	}
	for _, d := range decisions {
		t.Steps = append(t.Steps, Step{At: d.At, What: plain(d.What, 400)})
	}
	slices.SortStableFunc(t.Steps, func(a, b Step) int { return cmp.Compare(a.At.UnixMicro(), b.At.UnixMicro()) })
	return t
}

// read gives a message in brief, and what two copies of one have in common.
func read(data []byte) (s Step, key string) {
	head, body, _ := bytes.Cut(data, []byte("\r\n\r\n"))
	first, rest, _ := strings.Cut(string(head), "\r\n")
	var via, kind string
	var causes []string
	for line := range strings.SplitSeq(rest, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "via", "v":
			via = cmp.Or(via, value)
		case "cseq":
			s.CSeq = plain(value, 40)
		case "content-type", "c":
			kind = strings.ToLower(value)
		case "reason":
			causes = append(causes, reason(value))
		case "warning":
			code, _, _ := strings.Cut(value, " ")
			causes = append(causes, "warning "+digits(code))
		case "retry-after":
			seconds, _, _ := strings.Cut(value, " ")
			causes = append(causes, "retry after "+digits(seconds)+" s")
		}
	}
	s.What, s.Cause = title(first), strings.Join(causes, ", ")
	if body = bytes.TrimSpace(body); len(body) > 0 {
		s.Body = inBrief(kind, string(body))
	}
	return s, first + "\x00" + s.CSeq + "\x00" + branch(via)
}

// title is the method of a request, which names nobody as its URI does, or the
// status of a response, in our words: the peer's may name somebody.
func title(first string) string {
	if status, ok := strings.CutPrefix(first, "SIP/2.0 "); ok {
		code, _ := strconv.Atoi(digits(status)) // of at most six
		if code < 100 || code > 699 {
			return "SIP/2.0"
		}
		return strings.TrimSpace(strconv.Itoa(code) + " " + stack.Phrase(code))
	}
	method, _, _ := strings.Cut(first, " ")
	return plain(method, 20)
}

// reason is protocol and cause of a Reason header (RFC 3326), without its text.
func reason(value string) string {
	protocol, params, _ := strings.Cut(value, ";")
	out := plain(strings.TrimSpace(protocol), 20)
	for p := range strings.SplitSeq(params, ";") {
		if name, cause, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.TrimSpace(name), "cause") {
			out += " " + digits(cause)
		}
	}
	return out
}

func branch(via string) string {
	_, b, _ := strings.Cut(strings.ToLower(via), "branch=")
	if i := strings.IndexAny(b, ";, \t"); i >= 0 {
		b = b[:i]
	}
	return b
}

// inBrief is what a body is: a session's address, codecs and direction, and of
// anything else the type. Keys that were pressed are not told: they may be a PIN.
func inBrief(kind, body string) string {
	kind, _, _ = strings.Cut(kind, ";")
	switch {
	case strings.Contains(kind, "application/sdp"):
		return session(body)
	case strings.HasPrefix(kind, "multipart/"):
		if at := strings.Index(body, "v=0"); at >= 0 {
			return "with " + session(body[at:])
		}
	}
	return plain(strings.TrimSpace(kind), 60) + " " + strconv.Itoa(len(body)) + " bytes"
}

// static are the payload types that need no rtpmap (RFC 3551).
var static = map[string]string{"0": "PCMU", "3": "GSM", "4": "G723", "8": "PCMA", "9": "G722", "18": "G729"}

// session is a session description in brief: of its streams those that are not
// refused.
func session(body string) string {
	type stream struct {
		kind, addr, direction string
		port                  string
		formats               []string
	}
	var all []stream
	addr, direction := "", ""
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.TrimSpace(line)
		kind, value, ok := strings.Cut(line, "=")
		if !ok {
			continue
		}
		last := len(all) - 1
		switch kind {
		case "c":
			if f := strings.Fields(value); len(f) > 2 && last < 0 {
				addr = f[2]
			} else if len(f) > 2 {
				all[last].addr = f[2]
			}
		case "m":
			if f := strings.Fields(value); len(f) > 3 && len(all) < 8 {
				all = append(all, stream{kind: f[0], addr: addr, port: f[1], formats: f[3:min(len(f), 19)], direction: direction})
			}
		case "a":
			switch attr, of, _ := strings.Cut(value, ":"); attr {
			case "sendrecv", "sendonly", "recvonly", "inactive":
				if last < 0 {
					direction = attr
				} else {
					all[last].direction = attr
				}
			case "rtpmap":
				if pt, name, ok := strings.Cut(of, " "); ok && last >= 0 {
					name, _, _ = strings.Cut(name, "/")
					for i, f := range all[last].formats {
						if f == pt {
							all[last].formats[i] = name
						}
					}
				}
			}
		}
	}
	var out []string
	for _, s := range all {
		for i, f := range s.formats {
			s.formats[i] = cmp.Or(static[f], f)
		}
		if s.port == "0" {
			out = append(out, s.kind+" refused")
			continue
		}
		out = append(out, s.kind+" "+s.addr+":"+s.port+" "+strings.Join(s.formats, ",")+" "+cmp.Or(s.direction, "sendrecv"))
	}
	return plain(strings.Join(out, "; "), 200)
}
