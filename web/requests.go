package web

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/routing"
)

// Request is something a customer has asked for, until it is closed.
type Request struct {
	Ref       string
	Kind      string
	KindTitle routing.Title
	Title     string
	Detail    string
	Customer  string // id, "" for none yet
	Name      string // the customer's
	Number    string // of who is no customer
	Source    string // outside system that opened it, "" for a user
	OpenedBy  string // user
	Call      routing.CallID
	OpenedAt  time.Time
	State     string // open, waiting, closed
	Outcome   string
	ClosedAt  time.Time
	Owner     string // agent
	Team      string
	DueAt     time.Time
	Late      bool
	TaskOf    string // user whose task it has become
	TaskAt    time.Time
	Untold    bool // somebody could not be told of it
	Steps     []RequestStep
}

// RequestStep is one thing that was done about it.
type RequestStep struct {
	At    time.Time
	Who   string // user, "" for the server or an outside system
	Kind  string
	Word  string
	Shown bool // the customer sees it
}

// RequestOpening opens a request: for an outside system, by its own id, or for a user.
type RequestOpening struct {
	Source, ID          string
	By                  RequestViewer
	Kind, Title, Detail string
	Customer, Number    string
	Call                routing.CallID // on the agent's desk
}

// RequestViewer is who asks.
type RequestViewer struct {
	User string
	All  bool // a supervisor: sees those of all
}

// RequestQuery says which requests are listed: a customer's, or open ones.
type RequestQuery struct {
	Customer         string
	Mine, Task, Late bool
}

// RequestDeed is what somebody does about a request.
type RequestDeed struct {
	Do    string // of RequestDeeds
	Word  string
	Shown bool
	To    string // agent, of give
	Team  string // of give
	// Outcome, of close.
	Outcome string
}

// RequestDeeds are the things that can be done, RequestOutcomes how one can end.
var (
	RequestDeeds    = []string{"word", "take", "give", "wait", "resume", "settle", "close"}
	RequestOutcomes = []string{"done", "refused", "withdrawn"}
)

// PublicRequest is what who has the reference may know.
type PublicRequest struct {
	Ref, Kind, Title, State, Outcome string
	OpenedAt, DueAt, ClosedAt        time.Time
	Word                             string // the last that was said to the customer
	WordAt                           time.Time
}

// RequestKind is one of those that there are.
type RequestKind struct {
	Kind  string        `json:"type"`
	Title routing.Title `json:"title"`
}

// RequestRefused refuses something. Code is no_customer, several, bad_request_fields,
// not_now, not_found or unavailable.
type RequestRefused struct{ Code, Why string }

func (e *RequestRefused) Error() string { return e.Why }

// Requests tracks them. A request that is not there, or is not for whoever asks, is
// refused as not_found.
type Requests interface {
	Open(ctx context.Context, o RequestOpening) (r Request, opened bool, err error)
	Kinds() []RequestKind
	List(ctx context.Context, who RequestViewer, q RequestQuery) ([]Request, error)
	Whole(ctx context.Context, who RequestViewer, ref string) (Request, error)
	Do(ctx context.Context, who RequestViewer, ref string, d RequestDeed) (Request, error)
	Public(ctx context.Context, ref, language string) (PublicRequest, error)
}

// tracked takes requests of outside systems, and shows customers theirs.
type tracked struct {
	to      Requests
	gate    *gate
	guesses *limiter // by address: references that are none
}

func newTracked(opt Options) *tracked {
	return &tracked{opt.Requests, newGate("an outside system", opt.RequestTokens, prometheus.CounterOpts{
		Name: "cordboard_requests_total", Help: "Requests that outside systems opened, by source and result: opened, same, refused, bad, too_many; bad_token without a source.",
	}, sparing(opt.Log.Named("web"))), newLimiter(20, 3*time.Second)}
}

const (
	requestsPath     = "/api/v1/requests"      // of outside systems and customers
	deskRequestsPath = "/api/v1/desk/requests" // of those who work here
	requestsTime     = 10 * time.Second
)

func (s *Server) requestRoutes() []route {
	if s.opt.Requests == nil {
		return nil
	}
	return []route{
		{http.MethodPost, requestsPath + "/{source}/{id}", "", s.openSentRequest},
		{http.MethodGet, requestsPath + "/{ref}", "", s.publicRequest},
		{http.MethodGet, deskRequestsPath, anyRole, s.listRequests},
		{http.MethodPost, deskRequestsPath, anyRole, s.openRequest},
		{http.MethodGet, deskRequestsPath + "/{ref}", anyRole, s.wholeRequest},
		{http.MethodPost, deskRequestsPath + "/{ref}/steps", anyRole, s.stepRequest},
	}
}

func viewer(who *seat) RequestViewer {
	return RequestViewer{User: who.ID, All: who.may(RoleSupervisor)}
}

// openSentRequest: POST /api/v1/requests/{source}/{id}.
func (s *Server) openSentRequest(w http.ResponseWriter, r *http.Request, _ *seat) error {
	name, err := s.tracked.gate.let(r, s.opt.Clock())
	if err != nil {
		return err
	}
	got, opened, err := s.readAndOpen(w, r, name)
	result, status := "same", http.StatusOK
	var refused *RequestRefused
	switch {
	case errors.As(err, &refused):
		result = "refused"
	case err != nil:
		result = "bad"
	case opened:
		result, status = "opened", http.StatusCreated
	}
	s.tracked.gate.counted.WithLabelValues(name, result).Inc()
	if err != nil {
		return requestProblem(err)
	}
	return replyStatus(w, status, map[string]any{"result": result, "ref": got.Ref, "due_at": got.DueAt.Format(time.RFC3339)})
}

func (s *Server) readAndOpen(w http.ResponseWriter, r *http.Request, name string) (out Request, opened bool, err error) {
	if r.PathValue("source") != name {
		p := *problemForbidden
		p.Detail = "the token is that of another source than the address names"
		return out, false, &p
	}
	var in requestWire
	if err := body(w, r, &in); err != nil {
		return out, false, err
	}
	o := RequestOpening{Source: name, ID: r.PathValue("id"), Kind: in.Type, Title: in.Title, Detail: in.Detail, Customer: in.Customer, Number: in.Number}
	switch {
	case o.ID == "" || len(o.ID) > maxSentID || strings.ContainsFunc(o.ID, func(c rune) bool { return unprintable(c, false) }):
		return out, false, badRequestField("id in the address: 1 to %d bytes, without control characters", maxSentID)
	case in.Call != 0:
		return out, false, badRequestField("call: is for agents, whose calls they are")
	case in.Customer != "" && in.Number != "":
		return out, false, badRequestField("customer, number: want one of them")
	}
	if err := in.check(); err != nil {
		return out, false, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestsTime)
	defer cancel()
	return s.tracked.to.Open(ctx, o)
}

// publicRequest: GET /api/v1/requests/{ref}?lang=. Whoever has the reference may ask;
// who tries references that are none is held up, and a system with a token is not, as
// it asks for all its visitors.
func (s *Server) publicRequest(w http.ResponseWriter, r *http.Request, _ *seat) error {
	from := source(r)
	_, system := s.tracked.gate.whose(r)
	if wait, ok := s.tracked.guesses.try(from, s.opt.Clock()); !ok && !system {
		return tooMany(wait)
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestsTime)
	defer cancel()
	got, err := s.tracked.to.Public(ctx, r.PathValue("ref"), r.URL.Query().Get("lang"))
	if err != nil {
		return requestProblem(err)
	}
	s.tracked.guesses.giveBack(from)
	return reply(w, got.view())
}

// listRequests: GET /api/v1/desk/requests?customer=&mine=1&task=1&late=1
func (s *Server) listRequests(w http.ResponseWriter, r *http.Request, who *seat) error {
	q := r.URL.Query()
	for _, key := range []string{"mine", "task", "late"} {
		if v := q.Get(key); v != "" && v != "1" {
			return problemBadRequest
		}
	}
	ask := RequestQuery{Customer: q.Get("customer"), Mine: q.Get("mine") != "", Task: q.Get("task") != "", Late: q.Get("late") != ""}
	if len(ask.Customer) > maxSentID {
		return problemBadRequest
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestsTime)
	defer cancel()
	list, err := s.opt.Requests.List(ctx, viewer(who), ask)
	if err != nil {
		return requestProblem(err)
	}
	out := make([]requestView, len(list))
	for i := range list {
		out[i] = list[i].view()
	}
	return reply(w, map[string]any{"requests": out, "types": s.opt.Requests.Kinds()})
}

// openRequest: POST /api/v1/desk/requests.
func (s *Server) openRequest(w http.ResponseWriter, r *http.Request, who *seat) error {
	var in requestWire
	if err := body(w, r, &in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	if in.Number != "" {
		return badRequestField("number: the call has it")
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestsTime)
	defer cancel()
	got, _, err := s.opt.Requests.Open(ctx, RequestOpening{By: viewer(who), Kind: in.Type, Title: in.Title, Detail: in.Detail, Customer: in.Customer, Call: in.Call})
	if err != nil {
		return requestProblem(err)
	}
	return replyStatus(w, http.StatusCreated, got.view())
}

// wholeRequest: GET /api/v1/desk/requests/{ref}, with what was done about it.
func (s *Server) wholeRequest(w http.ResponseWriter, r *http.Request, who *seat) error {
	ctx, cancel := context.WithTimeout(r.Context(), requestsTime)
	defer cancel()
	got, err := s.opt.Requests.Whole(ctx, viewer(who), r.PathValue("ref"))
	if err != nil {
		return requestProblem(err)
	}
	return reply(w, got.view())
}

// stepRequest: POST /api/v1/desk/requests/{ref}/steps {"do":"take"}.
func (s *Server) stepRequest(w http.ResponseWriter, r *http.Request, who *seat) error {
	var in deedWire
	if err := body(w, r, &in); err != nil {
		return err
	}
	if err := in.check(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), requestsTime)
	defer cancel()
	got, err := s.opt.Requests.Do(ctx, viewer(who), r.PathValue("ref"), RequestDeed(in))
	if err != nil {
		return requestProblem(err)
	}
	return reply(w, got.view())
}

var problemRequest = &problem{Status: http.StatusUnprocessableEntity, Code: "bad_fields", Title: "The request cannot be taken"}

// requestProblem is what a client is told of an error.
func requestProblem(err error) error {
	var refused *RequestRefused
	if !errors.As(err, &refused) {
		return err
	}
	p := *problemRequest
	switch refused.Code {
	case "no_customer":
		p = *problemNoCustomer
	case "several":
		p = *problemSeveral
	case "not_now":
		p = problem{Status: http.StatusConflict, Code: "not_now", Title: "This cannot be done about it now"}
	case "not_found":
		p = *problemNotFound
	case "unavailable":
		p = *problemUnavailable
	}
	p.Detail = refused.Why
	return &p
}

func (d *deedWire) check() error {
	switch {
	case !slices.Contains(RequestDeeds, d.Do):
		return badRequestField("do: want one of %s", strings.Join(RequestDeeds, ", "))
	case (d.Do == "close") != (d.Outcome != "") || d.Do == "close" && !slices.Contains(RequestOutcomes, d.Outcome):
		return badRequestField("outcome: of close alone, one of %s", strings.Join(RequestOutcomes, ", "))
	case (d.Do == "give") != (d.To != "" || d.Team != "") || d.To != "" && d.Team != "":
		return badRequestField("to, team: of give alone, one of them")
	case (d.Do == "word" || d.Do == "settle") && strings.TrimSpace(d.Word) == "":
		return badRequestField("word: is missing")
	case d.Shown && strings.TrimSpace(d.Word) == "":
		return badRequestField("shown: there is no word to show")
	}
	return checkText("word", d.Word, maxSentText, true)
}
