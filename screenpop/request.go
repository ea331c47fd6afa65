package screenpop

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// deskFrame is any frame from a desk, its d not yet read.
type deskFrame struct {
	T  string          `json:"t"`
	ID int64           `json:"id"`
	D  json.RawMessage `json:"d"`
}

type helloFrame struct {
	V         int          `json:"v"`
	Ticket    string       `json:"ticket"`
	Lang      string       `json:"lang"`
	AutoReady bool         `json:"auto_ready"`
	Changes   bool         `json:"changes"` // the desk knows colleagues_changed
	Resume    *resumePoint `json:"resume"`
}

type resumePoint struct {
	Session string `json:"session"`
	Seq     int64  `json:"seq"`
}

type offerRef struct {
	Call    routing.CallID  `json:"call"`
	Attempt routing.Attempt `json:"attempt"`
}

type ackFrame struct {
	offerRef
	Mode    string            `json:"mode"`
	Version int64             `json:"version"`
	Panels  map[string]string `json:"panels"`
}

type declineFrame struct {
	offerRef
	Reason string `json:"reason"`
}

type holdFrame struct {
	offerRef
	On bool `json:"on"`
}

type noteFrame struct {
	offerRef
	Text string `json:"text"`
}

type chooseFrame struct {
	offerRef
	Customer string `json:"customer"`
}

type linkFrame struct {
	offerRef
	Customer string `json:"customer"`
	Undo     bool   `json:"undo"`
}

type usedFrame struct {
	offerRef
	Answer string `json:"answer"`
}

type transferFrame struct {
	offerRef
	Topic  string    `json:"topic"`
	Queue  string    `json:"queue"`
	Agent  agents.ID `json:"agent"`
	Number string    `json:"number"` // a telephone's, as it was typed
	Note   string    `json:"note"`
}

type wrapUpFrame struct {
	offerRef
	Disposition string            `json:"disposition"`
	Answers     map[string]string `json:"answers"` // to what the disposition asks, by field
	Note        string            `json:"note"`
}

type stateFrame struct {
	State  agents.State `json:"state"`
	Reason string       `json:"reason"`
}

type searchFrame struct {
	Lang  string `json:"lang"`
	Topic string `json:"topic"`
	Query string `json:"query"`
}

// Bounds of what a desk may send, in characters.
const (
	maxNote     = 4000
	maxSentence = 1000
	maxAsked    = 200
	maxWord     = 64
	maxQuery    = 200
	maxPanels   = 16
	maxID       = 1 << 53
)

var (
	langForm     = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$`)
	panelNames   = []string{"bar", "who", "money", "products", "tickets", "timeline", "answers", "notes", "from", "path"}
	panelStates  = []string{"shown", "late", "failed", "empty"}
	declineWords = []string{"not_my_topic", "know_caller", "not_now"}
)

// strict reads exactly one JSON object with known keys only.
func strict(text []byte, into any) bool {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if dec.Decode(into) != nil {
		return false
	}
	_, err := dec.Token()
	return err == io.EOF
}

// parseFrame reads the envelope; what is not one closes the socket. The d may
// be a part of b.
func parseFrame(text bool, b []byte) (deskFrame, bool) {
	if !text || !utf8.Valid(b) {
		return deskFrame{}, false
	}
	f, ok := simpleFrame(b)
	if !ok {
		f = deskFrame{}
		ok = strict(b, &f)
	}
	if !ok {
		return deskFrame{}, false
	}
	return f.checked()
}

// checked is the envelope with a d, false when it names no frame.
func (f deskFrame) checked() (deskFrame, bool) {
	if f.T == "" || len(f.T) > maxWord || f.ID < 0 || f.ID > maxID {
		return deskFrame{}, false
	}
	if len(f.D) == 0 {
		f.D = json.RawMessage("{}")
	}
	return f, true
}

// parseHello reads the first frame. A frame of another type is returned with
// an empty hello.
func parseHello(text bool, b []byte) (deskFrame, helloFrame, bool) {
	var hello helloFrame
	f, ok := parseFrame(text, b)
	if !ok || f.T != "hello" {
		return f, hello, ok
	}
	// An unknown version may carry keys this one does not know.
	var v struct {
		V int `json:"v"`
	}
	if json.Unmarshal(f.D, &v) != nil {
		return f, hello, false
	}
	if v.V != Version {
		hello.V = v.V
		return f, hello, true
	}
	if !strict(f.D, &hello) {
		return f, hello, false
	}
	if hello.Lang != "" && !langForm.MatchString(hello.Lang) {
		return f, hello, false
	}
	return f, hello, len(hello.Ticket) <= 128 && (hello.Resume == nil || len(hello.Resume.Session) <= 128)
}

// prose says whether a text of a person may be kept: no longer than n
// characters and no control characters but new line and tab.
func prose(s string, n int) bool {
	if utf8.RuneCountInString(s) > n {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) < 0
}

func word(s string) bool {
	return len(s) <= maxWord && prose(s, maxWord) && !strings.ContainsAny(s, "\n\t")
}

func (f ackFrame) valid() bool {
	if (f.Mode != routing.Painted && f.Mode != routing.Hidden) || f.Version < 0 || len(f.Panels) > maxPanels {
		return false
	}
	for name, state := range f.Panels {
		if !slices.Contains(panelNames, name) || !slices.Contains(panelStates, state) {
			return false
		}
	}
	return true
}

func (f transferFrame) valid() bool {
	targets := 0
	for _, t := range []string{f.Topic, f.Queue, string(f.Agent), f.Number} {
		if t != "" {
			targets++
		}
		if !word(t) {
			return false
		}
	}
	return targets == 1 && prose(f.Note, maxSentence)
}

// ask is a request that waits for routing's word.
type ask struct {
	conn  *conn
	id    int64
	timer *time.Timer
}

// answerAsk gives the desk the result of a request; code "" is success. The
// kind is that of the event the request was turned into.
func (l *leg) answerAsk(kind, code string) {
	a := l.asks[kind]
	if a == nil {
		return
	}
	delete(l.asks, kind)
	a.timer.Stop()
	if kind == "transfer_requested" && code != "" {
		l.passing = nil
	}
	if kind == "consult_requested" && code != "" {
		l.asking = nil
	}
	if kind == "offer_accepted" && code != "" {
		l.accepted = false
	}
	a.conn.result(a.id, code)
}

// dropAsks answers what is left when the leg is over.
func (l *leg) dropAsks() {
	for kind := range l.asks {
		l.answerAsk(kind, codeStale)
	}
}

func (c *conn) result(id int64, code string) {
	if id > 0 {
		c.answer(resultView{ID: id, OK: code == "", Code: code})
	}
}

// answer queues a result; it has no number.
func (c *conn) answer(v resultView) { c.send(text{plain: v.appendJSON(nil)}) }
