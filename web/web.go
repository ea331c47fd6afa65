// Package web is the HTTP edge: sign-in, sessions and roles, the API of
// docs/http-api.md, the board's stream, the embedded desktop, and on a second
// listener metrics and health. It decides nothing about calls and keeps
// nothing but rate limits: users, sessions, the board and the ledger are read
// through the interfaces in Options. The composition root is its caller.
package web

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
)

// Roles of users.
const (
	RoleAgent      = "agent"
	RoleSupervisor = "supervisor"
	RoleAdmin      = "admin" // may do what a supervisor may, and change the routing document
)

// User is somebody who may sign in; an agent's user id is the agent's id.
type User struct {
	ID           string
	Role         string // RoleAgent, RoleSupervisor, RoleAdmin
	Name         string
	PasswordHash string // as HashPassword made it
}

// Session is one login. Hash is of the token, which is never stored.
type Session struct {
	Hash    string
	User    string
	Expires time.Time
}

// Users finds users; false when there is none with that id.
type Users interface {
	User(ctx context.Context, id string) (User, bool, error)
}

// Sessions keeps logins. Session finds one that has not expired; deleting one
// that is not there is no error.
type Sessions interface {
	SaveSession(ctx context.Context, hash, user string, expires time.Time) error
	Session(ctx context.Context, hash string) (Session, bool, error)
	DeleteSession(ctx context.Context, hash string) error
}

// Calls reads the ledger: a call's row and its events in order; false when
// there is no such call.
type Calls interface {
	Call(ctx context.Context, call routing.CallID) (CallRow, []CallEvent, bool, error)
}

// Explainer says why a call went where it went, or why it waits: something with
// a JSON form, as docs/http-api.md has it; false when there is no such call.
// ErrBusy when it has as much to explain as it can.
type Explainer interface {
	Explain(ctx context.Context, call routing.CallID) (any, bool, error)
}

// ErrBusy says that something can be asked again a little later.
var ErrBusy = errors.New("busy")

// Desk is the desk hub: its socket, its tickets, and the end of its sessions.
type Desk interface {
	http.Handler
	Ticket(agent agents.ID, sessionKey string) (string, time.Duration)
	EndSession(sessionKey string)
}

// Options are what a Server works with. All of Users, Sessions, Desk, Answers,
// Board, Calls, Explain, Trace, Report, AfterCall, Interest, AnswerGaps, DueAnswers, Origins, Log and Registry must be set.
type Options struct {
	Users    Users
	Sessions Sessions
	Desk     Desk
	Answers  screenpop.Answers
	Board    func(context.Context) (routing.Snapshot, error)
	Calls    Calls
	// Report counts a period; it gives REPORT of docs/http-api.md.
	Report func(context.Context, ReportQuery) ([]byte, error)
	// AfterCall counts what became of the calls of a period; it gives AFTER of
	// docs/http-api.md, with the errors of Report.
	AfterCall func(ctx context.Context, from, to time.Time) ([]byte, error)
	// Interest counts what calls were about in the last whole weeks, and which way that
	// goes; it gives INTEREST of docs/http-api.md, or with services the HINTS for them.
	Interest func(ctx context.Context, weeks int, services []string) ([]byte, error)
	// AnswerGaps tells where the standard answers fall short; it gives GAPS of
	// docs/http-api.md.
	AnswerGaps func(context.Context) ([]byte, error)
	// DueAnswers are an owner's answers that are due for review.
	DueAnswers func(ctx context.Context, owner string) ([]screenpop.Answer, error)
	// Day is what has been counted today, by line ("" is the centre); false
	// while that is not known. Nil: since the engine started.
	Day func(now time.Time) (Day, bool)
	// Versions, Activations, ActivationLog, Documents and Reloader are the routing
	// document's; all or none of them.
	Versions      Versions
	Activations   Activations
	ActivationLog ActivationLog
	Documents     Documents
	Reloader      Reloader
	Explain       Explainer
	Trace         Tracer
	// Messages are those left in mailboxes; nil: there are none.
	Messages Messages
	// PBX is told of calls by those who show one of PBXTokens (token to name of the
	// source); without tokens by nobody.
	PBX       PBXCalls
	PBXTokens map[string]string
	// Sent writes what systems send that show one of SentTokens, as PBX does.
	Sent       SentInteractions
	SentTokens map[string]string
	// Asked takes the callbacks that systems ask for which show one of AskedTokens.
	Asked       CallbackRequests
	AskedTokens map[string]string
	// Requests tracks what customers ask for; nil: nothing is. Systems open them that
	// show one of RequestTokens.
	Requests      Requests
	RequestTokens map[string]string
	// Contact says whether customers may be contacted, to systems that show one of
	// ConsentTokens, and takes what these say of their consent.
	Contact       ContactPolicy
	ConsentTokens map[string]string
	// DeskConsents shows agents what their customer has said, and hears more; nil: nothing.
	DeskConsents DeskConsents
	// Search finds interactions by their words; nil: nobody searches.
	Search Searcher
	// Erase erases people; nil: nobody can.
	Erase Eraser
	// Export gives what is kept of them; nil: nobody gets it.
	Export Exporter
	// Merges and Duplicates have customers who are one be one; both nil: nobody can.
	Merges     Merges
	Duplicates DuplicateFinder
	// Origins says which pages may change anything; see NewOrigins.
	Origins func(*http.Request) bool
	// UI is the built desktop; nil is the embedded one.
	UI fs.FS
	// Links are demo sign-ins: secret to user id. They work as long as the
	// process lives.
	Links map[string]string
	// Lifetime is how long a login lasts; 12 h.
	Lifetime time.Duration
	// Recheck is how often the login of an open desk or board is looked at; 30 s.
	Recheck time.Duration
	// BodyTime is how long a request's body may take to come; 10 s.
	BodyTime time.Duration
	// TLS says that the server is reached by https only: cookies are Secure.
	TLS      bool
	Log      *zap.Logger
	Registry *prometheus.Registry
	// Desks counts the desks connected, Ready says whether calls can be taken,
	// Degraded what is wrong while they can; each may be nil.
	Desks    func() int
	Ready    func(context.Context) error
	Degraded func(context.Context) []string
	// Clock reads the time; nil is time.Now.
	Clock func() time.Time
}

// Server answers HTTP.
type Server struct {
	opt        Options
	log        *zap.Logger
	routes     []route
	ui         http.Handler
	board      *board
	logins     *logins
	pbx        *pbx
	sent       *sent
	asked      *asked
	tracked    *tracked
	consents   *consents
	searches   *limiter      // by user
	searching  chan struct{} // holds a token for each search under way
	reports    chan struct{} // holds a token while one is made, or the duplicates are looked for
	watched    watched
	remembered remembered
	ctx        context.Context
	cancel     context.CancelFunc
}

// may says whether a user has the rights of a role.
func (u User) may(role string) bool {
	return role == anyRole || u.Role == role || role == RoleSupervisor && u.Role == RoleAdmin
}

// route is one call of the API. Role "" is open to everybody, "any" to
// everybody who is signed in.
type route struct {
	method, path, role string
	do                 func(http.ResponseWriter, *http.Request, *seat) error
}

const anyRole = "any"

// New makes the server's handlers. Close ends the board's streams.
func New(opt Options) *Server {
	if opt.Lifetime <= 0 {
		opt.Lifetime = 12 * time.Hour
	}
	if opt.Recheck <= 0 {
		opt.Recheck = 30 * time.Second
	}
	if opt.BodyTime <= 0 {
		opt.BodyTime = 10 * time.Second
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	if opt.UI == nil {
		opt.UI = embedded()
	}
	s := &Server{
		opt: opt, log: opt.Log.Named("web"), ui: newUI(opt.UI),
		board: &board{source: opt.Board, day: opt.Day, degraded: opt.Degraded, clock: opt.Clock}, logins: newLogins(opt), pbx: newPBX(opt), sent: newSent(opt), asked: newAsked(opt), tracked: newTracked(opt), consents: newConsents(opt),
		reports: make(chan struct{}, 1), searches: newLimiter(searchBurst, searchEvery), searching: make(chan struct{}, searchesOnce),
		watched: watched{keys: map[string]bool{}}, remembered: remembered{logins: map[string]login{}},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	opt.Registry.MustRegister(&boardCollector{source: opt.Board, desks: opt.Desks}, s.logins.counted, s.pbx.gate.counted, s.sent.gate.counted, s.asked.gate.counted, s.tracked.gate.counted, s.consents.gate.counted)
	s.routes = []route{
		{http.MethodPost, "/api/v1/session", "", s.signIn},
		{http.MethodDelete, "/api/v1/session", anyRole, s.signOut},
		{http.MethodGet, "/api/v1/me", anyRole, s.me},
		{http.MethodPost, "/api/v1/desk/ticket", RoleAgent, s.ticket},
		{http.MethodGet, "/api/v1/answers", anyRole, s.answers},
		{http.MethodGet, "/api/v1/answers/due", RoleAgent, s.dueAnswers},
		{http.MethodGet, "/api/v1/answers/gaps", RoleSupervisor, s.answerGaps},
		{http.MethodGet, "/api/v1/board", RoleSupervisor, s.boardNow},
		{http.MethodGet, "/api/v1/board/stream", RoleSupervisor, s.boardStream},
		{http.MethodGet, "/api/v1/calls/{call}", RoleSupervisor, s.call},
		{http.MethodGet, "/api/v1/report", RoleSupervisor, s.report},
		{http.MethodGet, "/api/v1/after-call", RoleSupervisor, s.afterCall},
		{http.MethodGet, "/api/v1/interest", RoleSupervisor, s.interest},
		{http.MethodGet, "/api/v1/interest/hints", RoleSupervisor, s.interestHints},
		{http.MethodGet, "/api/v1/calls/{call}/explain", RoleSupervisor, s.explain},
		{http.MethodGet, "/api/v1/calls/{call}/trace", RoleSupervisor, s.trace},
		{http.MethodGet, "/desk", "", s.desk},
	}
	s.routes = append(s.routes, s.routingRoutes()...)
	s.routes = append(s.routes, s.messageRoutes()...)
	s.routes = append(s.routes, s.eraseRoutes()...)
	s.routes = append(s.routes, s.exportRoutes()...)
	s.routes = append(s.routes, s.mergeRoutes()...)
	s.routes = append(s.routes, s.searchRoutes()...)
	s.routes = append(s.routes, s.pbxRoutes()...)
	s.routes = append(s.routes, s.sentRoutes()...)
	s.routes = append(s.routes, s.askedRoutes()...)
	s.routes = append(s.routes, s.requestRoutes()...)
	s.routes = append(s.routes, s.consentRoutes()...)
	return s
}

// Close ends the board's streams, so that a listener can shut down.
func (s *Server) Close() { s.cancel() }

// Handler serves the desktop, the API and the desk socket.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	paths := map[string][]route{}
	for _, r := range s.routes {
		paths[r.path] = append(paths[r.path], r)
	}
	for path, routes := range paths {
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) { s.dispatch(w, r, routes) })
	}
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, problemNotFound)
	})
	mux.Handle("/", s.ui)
	return s.guard(mux)
}

// guard sets the headers every answer carries, refuses changes from foreign
// pages, and keeps a fault in one request to that request.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if v := recover(); v != nil {
				if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
					panic(v)
				}
				s.log.Error("request ended in a panic", zap.ByteString("stack", debug.Stack()))
				s.fail(w, problemInternal)
			}
		}()
		if r.ContentLength != 0 {
			// Also of a body that nobody wants: the server reads it away before
			// it answers. Recorders of tests have no deadlines.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(s.opt.BodyTime))
		}
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		if s.opt.TLS {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store")
		}
		safe := r.Method == http.MethodGet || r.Method == http.MethodHead
		if (!safe && !fromOutside(r) || r.URL.Path == "/desk") && !s.opt.Origins(r) {
			s.fail(w, problemOrigin)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Scripts come from our own files only. Styles may stand in the page: the
// component library of the desktop writes its variables into a style element.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"font-src 'self' data:; connect-src 'self'; media-src 'self'; manifest-src 'self'; worker-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

func (s *Server) dispatch(w http.ResponseWriter, r *http.Request, routes []route) {
	i := slices.IndexFunc(routes, func(x route) bool { return x.method == r.Method })
	if i < 0 {
		allow := make([]string, 0, len(routes))
		for _, x := range routes {
			allow = append(allow, x.method)
		}
		w.Header().Set("Allow", strings.Join(allow, ", "))
		s.fail(w, problemMethod)
		return
	}
	var who *seat
	if role := routes[i].role; role != "" {
		var err error
		if who, err = s.seated(r); err != nil {
			s.fail(w, err)
			return
		}
		if !who.may(role) {
			s.fail(w, problemForbidden)
			return
		}
	}
	if err := routes[i].do(w, r, who); err != nil {
		s.fail(w, err)
	}
}

func (s *Server) desk(w http.ResponseWriter, r *http.Request, _ *seat) error {
	s.opt.Desk.ServeHTTP(w, r)
	return nil
}

func (s *Server) ticket(w http.ResponseWriter, _ *http.Request, who *seat) error {
	text, life := s.opt.Desk.Ticket(agents.ID(who.ID), who.key)
	s.watch(who)
	return reply(w, map[string]any{"ticket": text, "expires_in_s": int(life / time.Second)})
}
