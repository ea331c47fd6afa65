package web

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer/permission"
)

// DeskConsents are what the customer has said whose call an agent has in hand. Of
// another's call, or of nobody's, the error is ContactRefused (not_now, no_customer).
type DeskConsents interface {
	// Standing are the words that count now, the latest first.
	Standing(ctx context.Context, agent agents.ID, call routing.CallID) ([]ConsentWord, error)
	// Heard is told of what the customer has just said to the agent.
	Heard(ctx context.Context, agent agents.ID, call routing.CallID, w ConsentWord) error
}

const deskConsentsPath = "/api/v1/desk/consents"

// consentView is a word as a desk is shown it.
type consentView struct {
	Purpose  permission.Purpose `json:"purpose"`
	Channel  permission.Channel `json:"channel"`
	State    permission.State   `json:"state"`
	At       time.Time          `json:"at"`
	Expires  *time.Time         `json:"expires,omitempty"`
	Source   string             `json:"source"` // "": an agent
	By       string             `json:"by"`
	Evidence string             `json:"evidence"`
}

// deskConsents: GET /api/v1/desk/consents?call=N.
func (s *Server) deskConsents(w http.ResponseWriter, r *http.Request, who *seat) error {
	call, err := strconv.ParseInt(r.URL.Query().Get("call"), 10, 64)
	if err != nil {
		return problemBadRequest
	}
	ctx, cancel := context.WithTimeout(r.Context(), contactTime)
	defer cancel()
	return s.replyStanding(ctx, w, who, routing.CallID(call), http.StatusOK)
}

func (s *Server) replyStanding(ctx context.Context, w http.ResponseWriter, who *seat, call routing.CallID, status int) error {
	list, err := s.opt.DeskConsents.Standing(ctx, agents.ID(who.ID), call)
	if err != nil {
		return deskContactProblem(err)
	}
	out := make([]consentView, len(list))
	for i, c := range list {
		out[i] = consentView{Purpose: c.Purpose, Channel: c.Channel, State: c.State, At: c.At, Source: c.Source, By: c.By, Evidence: c.Evidence}
		if !c.Expires.IsZero() {
			out[i].Expires = &c.Expires
		}
	}
	return replyStatus(w, status, map[string]any{"consents": out})
}

// heardWire is the body of POST /api/v1/desk/consents.
type heardWire struct {
	Call     routing.CallID `json:"call"`
	Purpose  string         `json:"purpose"`
	Channel  string         `json:"channel"`
	State    string         `json:"state"`
	Evidence string         `json:"evidence"`
}

// hearConsent: POST /api/v1/desk/consents.
func (s *Server) hearConsent(w http.ResponseWriter, r *http.Request, who *seat) error {
	var in heardWire
	if err := body(w, r, &in); err != nil {
		return err
	}
	c := checking{}
	c.text("evidence", in.Evidence, maxSentText)
	word := ConsentWord{Evidence: in.Evidence, Said: permission.Said{
		Purpose: oneWord(&c, "purpose", in.Purpose, saidPurposes), Channel: oneWord(&c, "channel", in.Channel, permission.Channels),
		State: oneWord(&c, "state", in.State, permission.States), At: s.opt.Clock(),
	}}
	if c.err != nil {
		return c.err
	}
	ctx, cancel := context.WithTimeout(r.Context(), contactTime)
	defer cancel()
	if err := s.opt.DeskConsents.Heard(ctx, agents.ID(who.ID), in.Call, word); err != nil {
		return deskContactProblem(err)
	}
	return s.replyStanding(ctx, w, who, in.Call, http.StatusCreated)
}
