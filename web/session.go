package web

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
)

const (
	cookiePrefix = "cordboard."
	seatHeader   = "Cordboard-Seat"
	maxSeats     = 16 // cookies looked at
)

// userForm is what a user id looks like: fit for a cookie's name.
var userForm = regexp.MustCompile(`^[a-z0-9_][a-z0-9_.-]{0,63}$`)

// seat is who a request speaks for.
type seat struct {
	User
	key string // hash of the session's token
}

// logins guards the sign-in.
type logins struct {
	byAddress, byUser *limiter
	verifier          *verifier
	links             map[[sha256.Size]byte]string
	counted           *prometheus.CounterVec
	log               *zap.Logger
}

func newLogins(opt Options) *logins {
	l := &logins{
		byAddress: newLimiter(20, 3*time.Second), byUser: newLimiter(10, 6*time.Second),
		verifier: newVerifier(), links: map[[sha256.Size]byte]string{}, log: sparing(opt.Log.Named("web")),
		counted: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "cordboard_logins_total", Help: "Sign-ins by result: ok, bad_login, too_many.",
		}, []string{"result"}),
	}
	for secret, user := range opt.Links {
		l.links[sha256.Sum256([]byte(secret))] = user
	}
	return l
}

func hashToken(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// signIn: POST /api/v1/session.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request, _ *seat) error {
	var in struct {
		User     string `json:"user"`
		Password string `json:"password"`
		Link     string `json:"link"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	if (in.Link == "") == (in.User == "" && in.Password == "") {
		return problemBadRequest
	}
	now := s.opt.Clock()
	from := source(r)
	name := strings.ToLower(strings.TrimSpace(in.User))
	if !userForm.MatchString(name) {
		name = "" // nobody's: all such share one allowance, and none is kept
	}
	if wait, ok := s.logins.byAddress.try(from, now); !ok {
		return s.tooMany(r, wait)
	}
	if in.Link == "" {
		if wait, ok := s.logins.byUser.try(name, now); !ok {
			return s.tooMany(r, wait)
		}
	}
	user, ok, err := s.checkLogin(r, in.Link, name, in.Password)
	if err != nil {
		return err
	}
	if !ok {
		s.logins.counted.WithLabelValues("bad_login").Inc()
		s.logins.tell(r, user.ID, "bad_login")
		return problemBadLogin
	}
	s.logins.byAddress.giveBack(from)
	s.logins.byUser.giveBack(name)
	if err := s.begin(w, r, user); err != nil {
		return err
	}
	s.logins.counted.WithLabelValues("ok").Inc()
	return reply(w, userReply(user))
}

func (s *Server) tooMany(r *http.Request, wait time.Duration) error {
	s.logins.counted.WithLabelValues("too_many").Inc()
	s.logins.tell(r, "", "too_many")
	p := *problemTooMany
	p.retryAfter = int(wait/time.Second) + 1
	return &p
}

func (s *Server) checkLogin(r *http.Request, link, name, password string) (User, bool, error) {
	if link != "" {
		name = s.logins.links[sha256.Sum256([]byte(link))]
		if name == "" {
			return User{}, false, nil
		}
		return s.opt.Users.User(r.Context(), name)
	}
	var user User
	known := false
	if userForm.MatchString(name) {
		var err error
		if user, known, err = s.opt.Users.User(r.Context(), name); err != nil {
			return User{}, false, err
		}
	}
	hash := nobody
	if known && user.PasswordHash != "" {
		hash = user.PasswordHash
	}
	right, err := s.logins.verifier.verify(r.Context(), hash, password)
	return user, right && known && user.PasswordHash != "", err
}

// begin stores a new session and hands its token out as a cookie.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, user User) error {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	token := base64.RawURLEncoding.EncodeToString(b[:])
	expires := s.opt.Clock().Add(s.opt.Lifetime)
	if err := s.opt.Sessions.SaveSession(r.Context(), hashToken(token), user.ID, expires); err != nil {
		return err
	}
	http.SetCookie(w, s.cookie(r, user.ID, token, int(s.opt.Lifetime/time.Second)))
	return nil
}

func (s *Server) cookie(r *http.Request, user, token string, age int) *http.Cookie {
	// A page that came by https has a proxy before us.
	proxied := strings.HasPrefix(strings.ToLower(r.Header.Get("Origin")), "https://")
	return &http.Cookie{
		Name: cookiePrefix + user, Value: token, Path: "/", MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: s.opt.TLS || r.TLS != nil || proxied,
	}
}

// signOut: DELETE /api/v1/session. The user's desks close with it.
func (s *Server) signOut(w http.ResponseWriter, r *http.Request, who *seat) error {
	s.remembered.drop(who.key) // even when it cannot be ended just now
	if err := s.opt.Sessions.DeleteSession(r.Context(), who.key); err != nil {
		return err
	}
	s.remembered.drop(who.key) // somebody may have read it in between
	s.opt.Desk.EndSession(who.key)
	http.SetCookie(w, s.cookie(r, who.ID, "", -1))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// me: GET /api/v1/me.
func (s *Server) me(w http.ResponseWriter, _ *http.Request, who *seat) error {
	return reply(w, userReply(who.User))
}

func userReply(u User) any {
	return map[string]any{"user": map[string]string{"id": u.ID, "name": u.Name, "role": u.Role}}
}

// seated finds who a request speaks for: the seat it names, else the only one
// that is signed in.
func (s *Server) seated(r *http.Request) (*seat, error) {
	named := r.Header.Get(seatHeader)
	if named == "" {
		named = r.URL.Query().Get("seat")
	}
	var found *seat
	looked := 0
	for _, c := range r.Cookies() {
		user, ours := strings.CutPrefix(c.Name, cookiePrefix)
		if !ours || (named != "" && user != named) || len(c.Value) > 128 {
			continue
		}
		if looked++; looked > maxSeats {
			break
		}
		who, err := s.find(r.Context(), user, hashToken(c.Value))
		if err != nil {
			return nil, err
		}
		if who == nil {
			continue
		}
		if found != nil {
			return nil, problemWhichSeat
		}
		found = who
	}
	if found == nil {
		return nil, problemNoSession
	}
	return found, nil
}
