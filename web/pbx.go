package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// What a PBX tells of a call of its own, in the words of Zammad's generic CTI
// contract, which PBXs speak already.
const (
	PBXNewCall  = "newCall"
	PBXAnswered = "answer"
	PBXHangup   = "hangup"

	PBXIn  = "in"
	PBXOut = "out"
)

// PBXEvent is one of these.
type PBXEvent struct {
	Event     string // PBXNewCall, PBXAnswered, PBXHangup
	CallID    string
	Direction string   // PBXIn, PBXOut
	From, To  string   // as the PBX has them
	Users     []string // whom the call rings, or who has answered
	Answering string   // answeringNumber: who has answered
	Cause     string   // of a hangup, a word of PBXCauses or ""
}

// PBXCauses are why a call is over.
var PBXCauses = []string{"cancel", "normalClearing", "busy", "noAnswer", "congestion", "notFound", "forwarded"}

// PBXAnswer says what was done with an event: Agents have the call on their desks.
type PBXAnswer struct {
	Call    routing.CallID `json:"call,omitempty"`
	Agents  []agents.ID    `json:"agents,omitempty"`
	Ignored []PBXIgnored   `json:"ignored,omitempty"`
}

// PBXIgnored is what of an event led to nothing, and why, in a code.
type PBXIgnored struct {
	User string `json:"user,omitempty"`
	Why  string `json:"why"`
}

// PBXCalls are told of a PBX's calls.
type PBXCalls interface {
	Told(ctx context.Context, source string, e PBXEvent) PBXAnswer
}

// pbx takes what PBXs tell.
type pbx struct {
	calls PBXCalls
	gate  *gate
}

func newPBX(opt Options) *pbx {
	return &pbx{opt.PBX, newGate("a PBX", opt.PBXTokens, prometheus.CounterOpts{
		Name: "cordboard_pbx_events_total", Help: "What PBXs told of their calls, by source and result: done, ignored, bad, too_many; bad_token without a source.",
	}, sparing(opt.Log.Named("web")))}
}

// pbxPath is where PBXs tell of calls: with the token as a bearer's, or behind it as
// the contract has it.
const pbxPath = "/api/v1/cti"

func (s *Server) pbxRoutes() []route {
	if len(s.opt.PBXTokens) == 0 {
		return nil
	}
	return []route{
		{http.MethodPost, pbxPath, "", s.pbxEvent},
		{http.MethodPost, pbxPath + "/{token}", "", s.pbxEvent},
	}
}

var problemPBXEvent = &problem{Status: 422, Code: "bad_event", Title: "The event cannot be read"}

// pbxEvent: POST /api/v1/cti.
func (s *Server) pbxEvent(w http.ResponseWriter, r *http.Request, _ *seat) error {
	name, err := s.pbx.gate.let(r, s.opt.Clock())
	if err != nil {
		return err
	}
	counted := s.pbx.gate.counted
	e, err := readPBX(w, r)
	if err != nil {
		counted.WithLabelValues(name, "bad").Inc()
		return err
	}
	answer := s.pbx.calls.Told(r.Context(), name, e)
	result := "done"
	if answer.Call == 0 {
		result = "ignored"
	}
	counted.WithLabelValues(name, result).Inc()
	return reply(w, answer)
}

// Bounds of an event's values, in bytes.
const (
	maxPBXValue = 250 // as the contract has it of callId
	maxPBXUsers = 50
)

// readPBX reads a form or a JSON object. Fields that are not known are passed over:
// PBXs send what others make of it.
func readPBX(w http.ResponseWriter, r *http.Request) (PBXEvent, error) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		if large := (*http.MaxBytesError)(nil); errors.As(err, &large) {
			return PBXEvent{}, problemTooLarge
		}
		return PBXEvent{}, problemBadRequest
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	var fields map[string][]string
	switch kind {
	case "application/json":
		fields, err = jsonFields(text)
	case "application/x-www-form-urlencoded", "":
		fields, err = url.ParseQuery(string(text))
		if err != nil {
			err = badEvent("the form cannot be read")
		}
	default:
		err = badEvent("want application/json or application/x-www-form-urlencoded")
	}
	if err != nil {
		return PBXEvent{}, err
	}
	return eventOf(fields)
}

func badEvent(what string) error {
	p := *problemPBXEvent
	p.Detail = what
	return &p
}

// jsonFields are an object's texts, numbers and lists of them, by key.
func jsonFields(text []byte) (map[string][]string, error) {
	if at := notUTF8(text); at >= 0 {
		return nil, malformed("byte %d is not UTF-8 (RFC 8259 8.1)", at+1)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return nil, unread(err)
	}
	fields := map[string][]string{}
	for key, value := range raw {
		var list []json.RawMessage
		if json.Unmarshal(value, &list) != nil {
			list = []json.RawMessage{value}
		}
		for _, item := range list {
			var word string
			var number json.Number
			if json.Unmarshal(item, &word) == nil {
				fields[key] = append(fields[key], word)
			} else if json.Unmarshal(item, &number) == nil {
				fields[key] = append(fields[key], number.String())
			}
		}
	}
	return fields, nil
}

// eventOf reads the fields of an event. What is said of a fault names fields, never
// what stands in them.
func eventOf(fields map[string][]string) (e PBXEvent, err error) {
	one := func(key string) string {
		if v := fields[key]; len(v) > 0 {
			return strings.TrimSpace(v[0])
		}
		return ""
	}
	e = PBXEvent{
		Event: one("event"), CallID: one("callId"), Direction: one("direction"), From: one("from"), To: one("to"),
		Answering: one("answeringNumber"), Cause: one("cause"),
	}
	for _, user := range append(slices.Clone(fields["user[]"]), fields["user"]...) {
		if user = strings.TrimSpace(user); user != "" && !slices.Contains(e.Users, user) {
			e.Users = append(e.Users, user)
		}
	}
	for key, v := range map[string][]string{"callId": {e.CallID}, "from": {e.From}, "to": {e.To}, "answeringNumber": {e.Answering}, "user": e.Users} {
		if !slices.ContainsFunc(v, badPBXValue) {
			continue
		}
		return e, badEvent(key + ": up to 250 bytes of UTF-8, without control characters")
	}
	if e.Direction == "" { // not every PBX tells it of what it tells only of one
		e.Direction = PBXIn
	}
	if !slices.Contains(PBXCauses, e.Cause) {
		e.Cause = "" // others are not told on
	}
	switch {
	case !slices.Contains([]string{PBXNewCall, PBXAnswered, PBXHangup}, e.Event):
		return e, badEvent("event: want newCall, answer or hangup")
	case e.CallID == "":
		return e, badEvent("callId is missing")
	case e.Direction != PBXIn && e.Direction != PBXOut:
		return e, badEvent("direction: want in or out")
	case len(e.Users) > maxPBXUsers:
		return e, badEvent("user: at most 50")
	}
	return e, nil
}

func badPBXValue(v string) bool {
	return len(v) > maxPBXValue || !utf8.ValidString(v) || strings.ContainsFunc(v, unicode.IsControl)
}
