package screenpop

import (
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// Protocol is the WebSocket sub-protocol, Version what hello must carry.
const (
	Protocol = "cordboard.desk.v1"
	Version  = 1
)

// Close codes of the desk socket.
const (
	closeDone       = 1000 // signed out
	closeBadFrame   = 4400
	closeNoTicket   = 4401
	closeNotAllowed = 4403
	closeSlow       = 4408
	closeReplaced   = 4409
	closeGoingAway  = 4410
	closeVersion    = 4426
)

// Result codes beside those of routing.Refused.
const (
	codeStale       = "stale"
	codeNotNow      = "not_now"
	codeUnknown     = "unknown_target"
	codeNotNumber   = "not_a_number"
	codeNumberNo    = "number_not_allowed"
	codeBadRequest  = "bad_request"
	codeUnknownType = "unknown_type"
	codeNoAnswer    = "timeout"
	codeFailed      = "failed"
)

// Phases of a card at one desk.
const (
	phaseOffered    = "offered"
	phaseLead       = "lead"
	phaseMayAccept  = "may_accept"
	phaseRinging    = "ringing"
	phaseCalling    = "calling" // the customer of a callback
	phaseConnecting = "connecting"
	phaseTalking    = "talking"
	phaseHold       = "hold"
	phaseWrapUp     = "wrap_up"
	phaseDone       = "done"
)

// Match words of a card.
const (
	matchPending = "pending"
	matchExact   = "exact"
	matchSeveral = "several"
	matchNone    = "none"
	matchFailed  = "failed"
)

// micro is t as the protocol tells time; 0 for no time.
func micro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

type serverFrame struct {
	T   string `json:"t"`
	Seq int64  `json:"seq,omitempty"`
	At  int64  `json:"at,omitempty"`
	D   any    `json:"d"`
}

type statusView struct {
	Agent  agents.ID    `json:"agent"`
	State  agents.State `json:"state"`
	Reason string       `json:"reason"`
	Since  int64        `json:"since"`
	Until  int64        `json:"until"`
	Call   int64        `json:"call"`
}

func viewStatus(s agents.Status) statusView {
	return statusView{s.Agent, s.State, s.Reason, micro(s.Since), micro(s.Until), s.Call}
}

type colleagueView struct {
	ID    agents.ID    `json:"id"`
	Name  string       `json:"name"`
	State agents.State `json:"state"`
	Since int64        `json:"since"`
}

type phaseView struct {
	Call        routing.CallID  `json:"call"`
	Attempt     routing.Attempt `json:"attempt"`
	Phase       string          `json:"phase"`
	Since       *int64          `json:"since,omitempty"`
	Until       *int64          `json:"until,omitempty"`
	Why         *string         `json:"why,omitempty"`
	Disposition string          `json:"disposition,omitempty"`
	Set         string          `json:"set,omitempty"`
}

type withdrawView struct {
	Call    routing.CallID  `json:"call"`
	Attempt routing.Attempt `json:"attempt"`
	Why     string          `json:"why"`
}

type resultView struct {
	ID      int64    `json:"id"`
	OK      bool     `json:"ok"`
	Code    string   `json:"code,omitempty"`
	Answers []Answer `json:"answers,omitempty"`
}

type pathStep struct {
	At      int64  `json:"at"`
	Kind    string `json:"kind"` // dialled, menu, route, queue, agent, topic, number
	Name    string `json:"name"`
	Seconds int    `json:"seconds"`
	Why     string `json:"why,omitempty"` // a number has not taken the call
}

type noteView struct {
	Agent agents.ID `json:"agent"`
	Name  string    `json:"name"`
	At    int64     `json:"at"`
	Text  string    `json:"text"`
}

type usedView struct {
	Answer string    `json:"answer"`
	Title  string    `json:"title"`
	Agent  agents.ID `json:"agent"`
	At     int64     `json:"at"`
}

type fromView struct {
	Agent agents.ID `json:"agent"`
	Name  string    `json:"name"`
	Note  string    `json:"note"`
	At    int64     `json:"at"`
	Topic string    `json:"topic"`
	TalkS int       `json:"talk_s"`
}

type whyView struct {
	Rule     string            `json:"rule"`
	Step     int               `json:"step"`
	Policy   string            `json:"policy"`
	Trigger  string            `json:"trigger"`
	Prefer   string            `json:"prefer"`
	CameBack int               `json:"came_back"`
	LeftOut  []routing.LeftOut `json:"left_out"`
}

// cardView is CARD of docs/desk-protocol.md.
type cardView struct {
	Call         routing.CallID    `json:"call"`
	Attempt      routing.Attempt   `json:"attempt"`
	Agent        agents.ID         `json:"agent"`
	Phase        string            `json:"phase"`
	Since        int64             `json:"since"`
	Until        int64             `json:"until"`
	RingWhy      string            `json:"ring_why"`
	Disposition  string            `json:"disposition"`
	TalkSince    int64             `json:"talk_since"`
	TalkS        int               `json:"talk_s"`
	Mode         string            `json:"mode"`
	Queue        string            `json:"queue"`
	Topic        string            `json:"topic"`
	Set          string            `json:"set"`
	Caller       callerView        `json:"caller"`
	Dialled      string            `json:"dialled"`
	Trunk        string            `json:"trunk"`
	Arrived      int64             `json:"arrived"`
	AnswerWithin int               `json:"answer_within_s"`
	Waited       int               `json:"waited_s"`
	WaitedBefore int               `json:"waited_before_s"`
	Callback     *callbackView     `json:"callback,omitempty"`
	Match        string            `json:"match"`
	Record       *customer.Record  `json:"record"`
	RecordAt     int64             `json:"record_at"`
	Stale        bool              `json:"stale"`
	Candidates   []customer.Record `json:"candidates,omitempty"`
	Shared       int               `json:"shared,omitempty"` // so many have the number
	Entered      *enteredView      `json:"entered,omitempty"`
	Sources      []sourceView      `json:"sources,omitempty"`
	Story        []StoryLine       `json:"story"`
	Why          whyView           `json:"why"`
	Path         []pathStep        `json:"path"`
	Back         string            `json:"back,omitempty"` // why a call is back that this agent passed on to a number
	From         *fromView         `json:"from"`
	Question     bool              `json:"question"` // from asks, and has the call
	Consult      *consultView      `json:"consult"`
	PBX          bool              `json:"pbx,omitempty"` // a PBX has the call: no hold, no passing on
	Notes        []noteView        `json:"notes"`
	Note         string            `json:"note"`
	Used         []usedView        `json:"used"`
	Answers      []Answer          `json:"answers"`
	Facts        []string          `json:"facts"`
}

// callbackView says that the caller is called back: when that was promised, and
// which call to the customer this is.
type callbackView struct {
	Accepted int64 `json:"accepted"`
	Try      int   `json:"try"`
}

// callerView is CallerInfo with every field present.
type callerView struct {
	Number     string `json:"number"`
	Display    string `json:"display"`
	Country    string `json:"country"`
	Source     string `json:"source"`
	Trusted    bool   `json:"trusted"`
	Restricted bool   `json:"restricted"`
}

type titled struct {
	ID    string        `json:"id"`
	Title routing.Title `json:"title"`
}

type queueView struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

type dispositionView struct {
	ID    string        `json:"id"`
	Title routing.Title `json:"title"`
	Asks  []string      `json:"asks,omitempty"` // fields, of routing.AskFields
	Final bool          `json:"final"`
}

type selfView struct {
	ID         agents.ID `json:"id"`
	Name       string    `json:"name"`
	Role       string    `json:"role"`
	AutoAnswer bool      `json:"auto_answer"`
}

type welcomeView struct {
	V            int                          `json:"v"`
	Session      string                       `json:"session"`
	Resumed      bool                         `json:"resumed"`
	HeartbeatS   int                          `json:"heartbeat_s"`
	Now          int64                        `json:"now"`
	Agent        selfView                     `json:"agent"`
	Status       statusView                   `json:"status"`
	Topics       []titled                     `json:"topics"`
	Queues       []queueView                  `json:"queues"`
	Colleagues   []colleagueView              `json:"colleagues"`
	Dispositions map[string][]dispositionView `json:"dispositions"`
	Reasons      []string                     `json:"reasons"`
	Numbers      []string                     `json:"numbers"` // countries that this agent may pass calls on to
	Cards        []*cardView                  `json:"cards"`
}

// reasons are what an agent may give for being not ready.
var reasons = []string{"break", "lunch", "meeting", "training", "other"}

// signedInReason stands while an agent has signed in and not yet pressed Ready.
const signedInReason = "signed_in"
