package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
)

// Version is one version of the routing document, never changed.
type Version struct {
	Number   int
	SHA256   string
	Document []byte // left out of lists
	Author   string
	Origin   string // file, user
	Comment  string
	Parent   string // SHA-256 of the version it was made from
	Zones    string // the time-zone tables it was saved beside
	SavedAt  time.Time
}

// Activation is the wish to make a version live, and what became of it.
type Activation struct {
	ID      int64
	Version int
	Who     string
	AskedAt time.Time
	Due     time.Time
	Waiting string
	Moves   map[string]string
	Ticked  bool
	Reason  string
	State   string // scheduled, live, refused, cancelled
	DoneAt  time.Time
	Answer  json.RawMessage // why it was refused
}

// decidedBy is who took it back, or else who asked for it.
func (a *Activation) decidedBy() string {
	var said struct {
		By string `json:"by"`
	}
	if a.State == "cancelled" && json.Unmarshal(a.Answer, &said) == nil && said.By != "" {
		return said.By
	}
	return a.Who
}

// Versions keeps the versions of the routing document; ErrNoVersion when there
// is none of that number, ErrStale when a new one was not made from the last.
type Versions interface {
	Versions(ctx context.Context, under, most int) ([]Version, error)
	Version(ctx context.Context, number int) (Version, error)
	SaveVersion(ctx context.Context, v Version) (Version, error)
}

// Activations makes versions live; ErrDecided when one to be cancelled is
// decided already.
type Activations interface {
	Activate(ctx context.Context, a Activation) (Activation, error)
	Cancel(ctx context.Context, id int64, who string) error
}

// ActivationLog lists activations: at most so many under an id, the newest
// first (0: from the last), and all that wait for their time, the first due
// first.
type ActivationLog interface {
	Activations(ctx context.Context, under int64, most int) ([]Activation, error)
	Scheduled(ctx context.Context) ([]Activation, error)
}

// Documents reads versions for what they say. Check is the report of the
// program's check in JSON; Diff is what changes from one to the other by
// meaning (nil when one of them does not compile) and as text.
type Documents interface {
	Check(ctx context.Context, number int) (json.RawMessage, error)
	Diff(ctx context.Context, from, to int) (changes []string, text string, err error)
	Live() int
}

// Reloader reads the files of document and directory again. What is found wrong
// with them is said, one finding a text; the old ones stay live then.
type Reloader interface {
	Reload(ctx context.Context) (findings []string)
	Directory() string // SHA-256 of the live one, "" for none
}

// Errors of Versions and Activations.
var (
	ErrNoVersion = errors.New("no such version")
	ErrStale     = errors.New("not made from the last version")
	ErrDecided   = errors.New("decided already")
)

var (
	problemStale   = &problem{Status: 409, Code: "stale", Title: "This was not made from the last version", Detail: "If-Match names the sha256 of the version it was made from; somebody may have saved meanwhile."}
	problemPast    = &problem{Status: 400, Code: "past", Title: "This time is over", Detail: "due_at is in microseconds since 1970 UTC; without it a version goes live at once."}
	problemDecided = &problem{Status: 409, Code: "decided", Title: "This activation is decided already"}
)

// refused is a version that does not go live, with all that is wrong with it.
type refused struct {
	problem
	Activation activationView  `json:"activation"`
	Answer     json.RawMessage `json:"answer"`
}

const (
	mostListed   = 200
	mostDocument = 8 << 20  // as check takes them
	mostEscaped  = 24 << 20 // such a document in JSON

	dueSkew = time.Minute // by which a client's clock may be behind
)

type versionView struct {
	Version  int    `json:"version"`
	SHA256   string `json:"sha256"`
	Author   string `json:"author"`
	Origin   string `json:"origin"`
	Comment  string `json:"comment"`
	Parent   string `json:"parent"`
	Zones    string `json:"zones"`
	SavedAt  int64  `json:"saved_at"`
	Live     bool   `json:"live"`
	Document string `json:"document,omitempty"`
}

func (s *Server) viewVersion(v Version) versionView {
	return versionView{v.Number, v.SHA256, v.Author, v.Origin, v.Comment, v.Parent, v.Zones, micro(v.SavedAt), v.Number == s.opt.Documents.Live(), string(v.Document)}
}

type activationView struct {
	ID      int64             `json:"id"`
	Version int               `json:"version"`
	Who     string            `json:"who"`
	AskedAt int64             `json:"asked_at"`
	Due     int64             `json:"due_at"`
	Waiting string            `json:"waiting"`
	Moves   map[string]string `json:"moves"`
	Reason  string            `json:"reason"`
	State   string            `json:"state"`
	DoneAt  int64             `json:"done_at"`
}

func viewActivation(a Activation) activationView {
	if a.Moves == nil {
		a.Moves = map[string]string{}
	}
	return activationView{a.ID, a.Version, a.Who, micro(a.AskedAt), micro(a.Due), a.Waiting, a.Moves, a.Reason, a.State, micro(a.DoneAt)}
}

func (s *Server) routingRoutes() []route {
	if s.opt.Versions == nil {
		return nil
	}
	const at = "/api/v1/routing"
	return []route{
		{http.MethodGet, at, RoleAdmin, s.routingNow},
		{http.MethodGet, at + "/versions", RoleAdmin, s.listVersions},
		{http.MethodPost, at + "/versions", RoleAdmin, s.saveVersion},
		{http.MethodGet, at + "/versions/{version}", RoleAdmin, s.oneVersion},
		{http.MethodGet, at + "/versions/{version}/check", RoleAdmin, s.checkVersion},
		{http.MethodGet, at + "/versions/{version}/diff", RoleAdmin, s.diffVersion},
		{http.MethodPost, at + "/activations", RoleAdmin, s.activate},
		{http.MethodPost, at + "/reload", RoleAdmin, s.reloadRouting},
		{http.MethodDelete, at + "/activations/{activation}", RoleAdmin, s.cancelActivation},
		{http.MethodGet, at + "/audit", RoleAdmin, s.audit},
	}
}

// known turns an error of the stores into what a client is told.
func known(err error) error {
	switch {
	case errors.Is(err, ErrNoVersion):
		return problemNotFound
	case errors.Is(err, ErrStale):
		return problemStale
	case errors.Is(err, ErrDecided):
		return problemDecided
	}
	return err
}

func tag(sha256 string) string { return `"` + sha256 + `"` }

// routingNow: GET /api/v1/routing.
func (s *Server) routingNow(w http.ResponseWriter, r *http.Request, _ *seat) error {
	out := struct {
		Live      *versionView     `json:"live"`
		Latest    *versionView     `json:"latest"`
		Directory string           `json:"directory"`
		Scheduled []activationView `json:"scheduled"`
	}{Scheduled: []activationView{}, Directory: s.opt.Reloader.Directory()}
	if last, err := s.opt.Versions.Versions(r.Context(), 0, 1); err != nil {
		return err
	} else if len(last) > 0 {
		v := s.viewVersion(last[0])
		out.Latest = &v
		w.Header().Set("ETag", tag(v.SHA256))
	}
	if n := s.opt.Documents.Live(); n > 0 {
		v, err := s.opt.Versions.Version(r.Context(), n)
		if err != nil {
			return known(err)
		}
		v.Document = nil
		view := s.viewVersion(v)
		out.Live = &view
	}
	waiting, err := s.opt.ActivationLog.Scheduled(r.Context())
	if err != nil {
		return err
	}
	for _, a := range waiting {
		out.Scheduled = append(out.Scheduled, viewActivation(a))
	}
	return reply(w, out)
}

// notRead is why files were refused that were read again.
type notRead struct {
	problem
	Findings []string `json:"findings"`
}

// reloadRouting: POST /api/v1/routing/reload.
func (s *Server) reloadRouting(w http.ResponseWriter, r *http.Request, _ *seat) error {
	if found := s.opt.Reloader.Reload(r.Context()); len(found) > 0 {
		return &notRead{
			problem:  problem{Status: 422, Code: "refused", Title: "The files were refused", Detail: "What was live stays."},
			Findings: found,
		}
	}
	return reply(w, map[string]any{"live": s.opt.Documents.Live(), "directory": s.opt.Reloader.Directory()})
}

// bounds reads the query's under and most.
func bounds(r *http.Request) (under, most int, err error) {
	most = 50
	for name, into := range map[string]*int{"under": &under, "most": &most} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		if *into, err = strconv.Atoi(text); err != nil || *into < 1 {
			return 0, 0, malformed("%s: want a number from 1 on", name)
		}
	}
	return under, min(most, mostListed), nil
}

func pathNumber(r *http.Request, name string) (int, error) {
	n, err := strconv.Atoi(r.PathValue(name))
	if err != nil || n < 1 {
		return 0, problemNotFound
	}
	return n, nil
}

func (s *Server) listVersions(w http.ResponseWriter, r *http.Request, _ *seat) error {
	under, most, err := bounds(r)
	if err != nil {
		return err
	}
	all, err := s.opt.Versions.Versions(r.Context(), under, most)
	if err != nil {
		return err
	}
	out := make([]versionView, len(all))
	for i, v := range all {
		out[i] = s.viewVersion(v)
	}
	return reply(w, map[string]any{"versions": out})
}

func (s *Server) oneVersion(w http.ResponseWriter, r *http.Request, _ *seat) error {
	n, err := pathNumber(r, "version")
	if err != nil {
		return err
	}
	v, err := s.opt.Versions.Version(r.Context(), n)
	if err != nil {
		return known(err)
	}
	w.Header().Set("ETag", tag(v.SHA256))
	return reply(w, s.viewVersion(v))
}

// saveVersion: POST /api/v1/routing/versions with If-Match.
func (s *Server) saveVersion(w http.ResponseWriter, r *http.Request, who *seat) error {
	var in struct {
		Document string `json:"document"`
		Comment  string `json:"comment"`
	}
	if err := bodyOf(w, r, &in, mostEscaped); err != nil {
		return err
	}
	if len(in.Document) > mostDocument {
		return problemTooLarge // versions are kept for good
	}
	if in.Document == "" {
		return malformed("document: it is empty")
	}
	if err := configs.Words(in.Comment); err != nil {
		return malformed("comment: %v", err)
	}
	parent, ok := strings.CutPrefix(r.Header.Get("If-Match"), `"`)
	parent, end := strings.CutSuffix(parent, `"`)
	if !ok || !end {
		return problemStale
	}
	v, err := s.opt.Versions.SaveVersion(r.Context(), Version{Document: []byte(in.Document), Comment: in.Comment, Author: who.ID, Parent: parent})
	if err != nil {
		return known(err)
	}
	report, err := s.opt.Documents.Check(r.Context(), v.Number)
	if err != nil { // it is saved all the same, and whoever is told otherwise saves again in vain
		s.log.Warn("a version was saved and not checked", zap.Int("version", v.Number), zap.Error(err))
		report = json.RawMessage("null")
	}
	v.Document = nil
	w.Header().Set("ETag", tag(v.SHA256))
	return replyStatus(w, http.StatusCreated, map[string]any{"version": s.viewVersion(v), "report": report})
}

func (s *Server) checkVersion(w http.ResponseWriter, r *http.Request, _ *seat) error {
	n, err := pathNumber(r, "version")
	if err != nil {
		return err
	}
	report, err := s.opt.Documents.Check(r.Context(), n)
	if err != nil {
		return known(err)
	}
	return replyJSON(w, report)
}

// diffVersion: GET .../diff?from=N; without it, from the live version.
func (s *Server) diffVersion(w http.ResponseWriter, r *http.Request, _ *seat) error {
	to, err := pathNumber(r, "version")
	if err != nil {
		return err
	}
	from := s.opt.Documents.Live()
	if text := r.URL.Query().Get("from"); text != "" {
		if from, err = strconv.Atoi(text); err != nil || from < 1 {
			return malformed("from: %q is no version", text)
		}
	}
	changes, text, err := s.opt.Documents.Diff(r.Context(), from, to)
	if err != nil {
		return known(err)
	}
	return reply(w, map[string]any{"from": from, "to": to, "changes": changes, "text": text})
}

// activate: POST /api/v1/routing/activations.
func (s *Server) activate(w http.ResponseWriter, r *http.Request, who *seat) error {
	var in struct {
		Version int               `json:"version"`
		Waiting string            `json:"waiting"`
		Moves   map[string]string `json:"moves"`
		Reason  string            `json:"reason"`
		Ticked  bool              `json:"ticked"`
		Due     int64             `json:"due_at"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	if in.Waiting == "" {
		in.Waiting = routing.KeepWaiting
	}
	switch {
	case in.Version < 1:
		return malformed("version: want the number of one")
	case in.Due < 0:
		return malformed("due_at: want microseconds since 1970")
	case in.Waiting != routing.KeepWaiting && in.Waiting != routing.ApplyWaiting:
		return malformed("waiting: want %s or %s", routing.KeepWaiting, routing.ApplyWaiting)
	}
	if err := configs.Words(in.Reason); err != nil {
		return malformed("reason: %v", err)
	}
	a := Activation{Version: in.Version, Who: who.ID, Waiting: in.Waiting, Moves: in.Moves, Reason: in.Reason, Ticked: in.Ticked}
	if in.Due > 0 {
		if a.Due = time.UnixMicro(in.Due).UTC(); time.Since(a.Due) > dueSkew {
			return problemPast
		}
	}
	a, err := s.opt.Activations.Activate(r.Context(), a)
	if err != nil {
		return known(err)
	}
	switch a.State {
	case "refused":
		return &refused{
			problem:    problem{Status: 422, Code: "refused", Title: "This version does not go live", Detail: "The live one stays."},
			Activation: viewActivation(a), Answer: a.Answer,
		}
	case "scheduled":
		return replyStatus(w, http.StatusAccepted, viewActivation(a))
	}
	return reply(w, viewActivation(a))
}

func (s *Server) cancelActivation(w http.ResponseWriter, r *http.Request, who *seat) error {
	id, err := pathNumber(r, "activation")
	if err != nil {
		return err
	}
	if err := s.opt.Activations.Cancel(r.Context(), int64(id), who.ID); err != nil {
		return known(err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// auditView is one thing that somebody did.
type auditView struct {
	At         int64  `json:"at"`
	Who        string `json:"who"`
	What       string `json:"what"` // saved, or the state of an activation
	Version    int    `json:"version"`
	Activation int64  `json:"activation,omitempty"`
	Waiting    string `json:"waiting,omitempty"`
	Words      string `json:"words"` // the comment, or the reason
}

// audit: GET /api/v1/routing/audit, the latest first.
func (s *Server) audit(w http.ResponseWriter, r *http.Request, _ *seat) error {
	_, most, err := bounds(r)
	if err != nil {
		return err
	}
	saved, err := s.opt.Versions.Versions(r.Context(), 0, most)
	if err != nil {
		return err
	}
	asked, err := s.opt.ActivationLog.Activations(r.Context(), 0, most)
	if err != nil {
		return err
	}
	out := []auditView{}
	for _, v := range saved {
		out = append(out, auditView{At: micro(v.SavedAt), Who: v.Author, What: "saved", Version: v.Number, Words: v.Comment})
	}
	for _, a := range asked {
		at := a.DoneAt
		if at.IsZero() {
			at = a.AskedAt
		}
		out = append(out, auditView{micro(at), a.decidedBy(), a.State, a.Version, a.ID, a.Waiting, a.Reason})
	}
	slices.SortStableFunc(out, func(a, b auditView) int {
		return int(min(max(b.At-a.At, -1), 1))
	})
	return reply(w, map[string]any{"entries": out[:min(len(out), most)]})
}
