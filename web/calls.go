package web

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// CallRow is a call of the ledger. Zero times are "not (yet)".
type CallRow struct {
	Call     routing.CallID
	PublicID string
	Trunk    string
	Number   string // E.164 of the caller, "" when withheld
	Dialled  string
	Customer string

	Queue string
	Rule  string
	Topic string
	Agent agents.ID

	ArrivedAt  time.Time
	AnsweredAt time.Time
	QueuedAt   time.Time
	TalkAt     time.Time
	EndedAt    time.Time

	Wait time.Duration
	Talk time.Duration

	Outcome   routing.Outcome
	EndedBy   routing.Party
	Reason    string
	Transfers int
	Offers    int

	Disposition   string
	Note          bool
	PolicyVersion int

	// Legs are who had the caller and when, of one call that has ended: together they
	// are as long as the call.
	Legs []CallLeg
}

// CallLeg is a part of a call: wait, talk, hold or number.
type CallLeg struct {
	Kind     string
	Agent    agents.ID
	From, To time.Time
}

// CallEvent is one thing that happened in a call.
type CallEvent struct {
	Call    routing.CallID
	Seq     int64
	At      time.Time
	Kind    string
	Agent   agents.ID
	Attempt routing.Attempt
	Data    json.RawMessage
}

type callView struct {
	rowView
	Legs   []legView   `json:"legs"`
	Events []eventView `json:"events"`
}

type legView struct {
	Kind  string    `json:"kind"`
	Agent agents.ID `json:"agent,omitempty"`
	From  int64     `json:"from"`
	To    int64     `json:"to"`
}

type rowView struct {
	Call        routing.CallID  `json:"call"`
	PublicID    string          `json:"public_id"`
	Trunk       string          `json:"trunk"`
	Number      string          `json:"number"`
	Dialled     string          `json:"dialled"`
	Customer    string          `json:"customer"`
	Queue       string          `json:"queue"`
	Rule        string          `json:"rule"`
	Topic       string          `json:"topic"`
	Agent       agents.ID       `json:"agent"`
	ArrivedAt   int64           `json:"arrived_at"`
	AnsweredAt  int64           `json:"answered_at"`
	QueuedAt    int64           `json:"queued_at"`
	TalkAt      int64           `json:"talk_at"`
	EndedAt     int64           `json:"ended_at"`
	WaitMS      int64           `json:"wait_ms"`
	TalkMS      int64           `json:"talk_ms"`
	Outcome     routing.Outcome `json:"outcome"`
	EndedBy     routing.Party   `json:"ended_by"`
	Reason      string          `json:"reason"`
	Transfers   int             `json:"transfers"`
	Offers      int             `json:"offers"`
	Disposition string          `json:"disposition"`
	Note        bool            `json:"note"`
	Policy      int             `json:"policy_version"`
}

// MarshalJSON writes the row as CALL of docs/http-api.md, without its events.
func (c CallRow) MarshalJSON() ([]byte, error) { return json.Marshal(c.view()) }

func (c CallRow) view() rowView {
	return rowView{
		c.Call, c.PublicID, c.Trunk, c.Number, c.Dialled, c.Customer, c.Queue, c.Rule, c.Topic, c.Agent,
		micro(c.ArrivedAt), micro(c.AnsweredAt), micro(c.QueuedAt), micro(c.TalkAt), micro(c.EndedAt),
		c.Wait.Milliseconds(), c.Talk.Milliseconds(), c.Outcome, c.EndedBy, c.Reason, c.Transfers, c.Offers,
		c.Disposition, c.Note, c.PolicyVersion,
	}
}

type eventView struct {
	Seq     int64           `json:"seq"`
	At      int64           `json:"at"`
	Kind    string          `json:"kind"`
	Agent   agents.ID       `json:"agent"`
	Attempt routing.Attempt `json:"attempt"`
	Data    json.RawMessage `json:"data"`
}

// call: GET /api/v1/calls/{call}.
func (s *Server) call(w http.ResponseWriter, r *http.Request, _ *seat) error {
	id, err := strconv.ParseInt(r.PathValue("call"), 10, 64)
	if err != nil || id <= 0 {
		return problemNotFound
	}
	c, events, ok, err := s.opt.Calls.Call(r.Context(), routing.CallID(id))
	if err != nil {
		return err
	}
	if !ok {
		return problemNotFound
	}
	v := callView{c.view(), []legView{}, []eventView{}}
	for _, l := range c.Legs {
		v.Legs = append(v.Legs, legView{l.Kind, l.Agent, micro(l.From), micro(l.To)})
	}
	for _, e := range events {
		v.Events = append(v.Events, eventView{e.Seq, micro(e.At), e.Kind, e.Agent, e.Attempt, e.Data})
	}
	return reply(w, v)
}
