package web_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"
	"go.uber.org/zap/zaptest"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/web"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf is a store of users and sessions in memory.
type shelf struct {
	mu       sync.Mutex
	users    map[string]web.User
	sessions map[string]web.Session
	broken   bool

	afterRead func() // once, when a user has been read
}

func (s *shelf) User(_ context.Context, id string) (web.User, bool, error) {
	s.mu.Lock()
	u, ok := s.users[id]
	broken, after := s.broken, s.afterRead
	s.afterRead = nil
	s.mu.Unlock()
	if broken {
		return web.User{}, false, errors.New("disk full")
	}
	if after != nil {
		after()
	}
	return u, ok, nil
}

func (s *shelf) SaveSession(_ context.Context, hash, user string, expires time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[hash] = web.Session{Hash: hash, User: user, Expires: expires}
	return nil
}

func (s *shelf) Session(_ context.Context, hash string) (web.Session, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return web.Session{}, false, errors.New("disk full")
	}
	x, ok := s.sessions[hash]
	return x, ok, nil
}

func (s *shelf) DeleteSession(_ context.Context, hash string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken {
		return errors.New("disk full")
	}
	delete(s.sessions, hash)
	return nil
}

// fakeDesk stands for the hub.
type fakeDesk struct {
	mu    sync.Mutex
	ended []string
}

func (d *fakeDesk) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusTeapot)
}
func (d *fakeDesk) Ticket(a agents.ID, key string) (string, time.Duration) {
	return "ticket-" + string(a), 30 * time.Second
}
func (d *fakeDesk) EndSession(key string) {
	d.mu.Lock()
	d.ended = append(d.ended, key)
	d.mu.Unlock()
}

type book struct{}

func (book) FindAnswers(_ context.Context, lang, topic, query string, _ int) ([]screenpop.Answer, error) {
	return []screenpop.Answer{{ID: "a1", Lang: lang, Topic: topic, Title: query}}, nil
}

func (book) Call(_ context.Context, call routing.CallID) (web.CallRow, []web.CallEvent, bool, error) {
	if call != 12 {
		return web.CallRow{}, nil, false, nil
	}
	return web.CallRow{Call: 12, Outcome: routing.Answered, Wait: 1500 * time.Millisecond},
		[]web.CallEvent{{Call: 12, Seq: 1, At: time.UnixMicro(5), Kind: "call_arrived", Data: json.RawMessage(`{"x":1}`)}}, true, nil
}

// Explain implements web.Explainer: call 12 is there, 14 is one too many.
func (book) Explain(_ context.Context, call routing.CallID) (any, bool, error) {
	if call == 14 {
		return nil, false, web.ErrBusy
	}
	return map[string]any{"live": nil}, call == 12, nil
}

// Trace implements web.Tracer: call 12 is there, of 14 the ledger can't be read.
func (book) Trace(_ context.Context, call routing.CallID, whole bool, who string) (any, bool, error) {
	if call == 14 {
		return nil, false, context.DeadlineExceeded
	}
	return map[string]any{"whole": whole, "who": who}, call == 12, nil
}

type site struct {
	t       *testing.T
	shelf   *shelf
	desk    *fakeDesk
	server  *web.Server
	http    *httptest.Server
	metrics *web.Metrics
	mu      sync.Mutex
	now     time.Time
	notOK   error
}

var hashOnce = sync.OnceValue(func() string {
	h, err := web.HashPassword("correct horse")
	if err != nil {
		panic(err)
	}
	return h
})

func newSite(t *testing.T, change ...func(*web.Options)) *site {
	t.Helper()
	s := &site{t: t, desk: &fakeDesk{}, now: time.Now(), shelf: &shelf{sessions: map[string]web.Session{}, users: map[string]web.User{
		"priya": {ID: "priya", Role: web.RoleAgent, Name: "Priya Nair", PasswordHash: hashOnce()},
		"boss":  {ID: "boss", Role: web.RoleSupervisor, Name: "Boss", PasswordHash: hashOnce()},
		"root":  {ID: "root", Role: web.RoleAdmin, Name: "Root", PasswordHash: hashOnce()},
		"demo":  {ID: "demo", Role: web.RoleAgent, Name: "Demo"},
	}}}
	reg := prometheus.NewRegistry()
	s.metrics = web.NewMetrics(reg)
	origins, err := web.NewOrigins([]string{"https://desk.example.com"})
	if err != nil {
		t.Fatal(err)
	}
	opt := web.Options{
		Users: s.shelf, Sessions: s.shelf, Desk: s.desk, Answers: book{}, Calls: book{}, Explain: book{}, Trace: book{}, Origins: origins,
		Board: func(context.Context) (routing.Snapshot, error) {
			return routing.Snapshot{
				At:     time.UnixMicro(7_000_000),
				Queues: []routing.QueueState{{Name: "billing", Waiting: 2, OldestSince: time.UnixMicro(4_000_000), Open: true}},
				Agents: []routing.AgentState{{Status: agents.Status{Agent: "priya", State: agents.Talking}, Name: "Priya Nair"}},
			}, nil
		},
		Links: map[string]string{"open-sesame": "demo"}, Log: zaptest.NewLogger(t), Registry: reg,
		Clock: func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now },
		Ready: func(context.Context) error { s.mu.Lock(); defer s.mu.Unlock(); return s.notOK },
		UI: fstest.MapFS{
			"index.html": {Data: []byte("<html>desk</html>")}, "assets/app-1a2b.js": {Data: []byte("go()")},
			"boot.js": {Data: []byte("boot()")}, "notes.secret": {Data: []byte("no")},
		},
	}
	for _, c := range change {
		c(&opt)
	}
	s.server = web.New(opt)
	s.http = httptest.NewServer(s.server.Handler())
	t.Cleanup(func() { s.server.Close(); s.http.Close() })
	return s
}

func (s *site) advance(d time.Duration) { s.mu.Lock(); s.now = s.now.Add(d); s.mu.Unlock() }

// browser is a client with cookies.
func (s *site) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &http.Client{Jar: jar, Transport: s.http.Client().Transport, Timeout: time.Minute}
}

func (s *site) send(c *http.Client, method, path, body string, header ...string) (int, map[string]any, http.Header) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.http.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Origin", s.http.URL)
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			req.Header.Del(header[i])
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	out := map[string]any{}
	if bytes.HasPrefix(b, []byte("{")) {
		if err := json.Unmarshal(b, &out); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, b)
		}
	}
	out["_text"] = string(b)
	return resp.StatusCode, out, resp.Header
}

func (s *site) login(c *http.Client, user string) {
	s.t.Helper()
	body := fmt.Sprintf(`{"user":%q,"password":"correct horse"}`, user)
	if user == "demo" {
		body = `{"link":"open-sesame"}`
	}
	if code, out, _ := s.send(c, "POST", "/api/v1/session", body); code != 200 {
		s.t.Fatalf("login of %s: %d %v", user, code, out)
	}
}

func TestSignIn(t *testing.T) {
	s := newSite(t)
	c := s.browser()
	code, out, h := s.send(c, "POST", "/api/v1/session", `{"user":" Priya ","password":"correct horse"}`)
	if code != 200 || out["user"].(map[string]any)["role"] != "agent" {
		t.Fatalf("%d %v", code, out)
	}
	cookie := h.Get("Set-Cookie")
	for _, want := range []string{"cordboard.priya=", "HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("cookie %q lacks %s", cookie, want)
		}
	}
	token := strings.TrimPrefix(strings.SplitN(cookie, ";", 2)[0], "cordboard.priya=")
	for hash := range s.shelf.sessions {
		if strings.Contains(hash, token) || len(hash) != 64 {
			t.Errorf("session is stored as %q", hash)
		}
	}
	if code, out, _ := s.send(c, "POST", "/api/v1/desk/ticket", ""); code != 200 || out["ticket"] != "ticket-priya" || out["expires_in_s"] != 30.0 {
		t.Errorf("ticket: %d %v", code, out)
	}
	if code, _, _ := s.send(c, "DELETE", "/api/v1/session", ""); code != 204 {
		t.Errorf("sign out: %d", code)
	}
	if len(s.desk.ended) != 1 || len(s.shelf.sessions) != 0 {
		t.Errorf("after sign out: ended %v, sessions %v", s.desk.ended, s.shelf.sessions)
	}
	if code, out, _ := s.send(c, "GET", "/api/v1/me", ""); code != 401 || out["code"] != "no_session" {
		t.Errorf("me after sign out: %d %v", code, out)
	}
}

func TestBadSignIns(t *testing.T) {
	s := newSite(t)
	long := strings.Repeat("x", 20<<10)
	for body, want := range map[string]string{
		`{"user":"priya","password":"wrong horse"}`:              "bad_login",
		`{"user":"nobody","password":"correct horse"}`:           "bad_login",
		`{"user":"demo","password":""}`:                          "bad_login", // has no password
		`{"user":"a;b=c","password":"correct horse"}`:            "bad_login",
		`{"link":"open-says-me"}`:                                "bad_login",
		`{"link":"open-sesame","user":"boss"}`:                   "bad_request",
		`{}`:                                                     "bad_request",
		`{"user":"priya","password":"correct horse","role":"x"}`: "bad_request",
		`{"user":"priya","password":"correct horse"} {}`:         "bad_request",
		`nonsense`: "bad_request",
		`{"user":"priya","password":"` + long + `"}`: "too_large",
	} {
		if code, out, h := s.send(s.browser(), "POST", "/api/v1/session", body); out["code"] != want || h.Get("Set-Cookie") != "" || code < 400 {
			t.Errorf("%.60s: %d %v, want %s", body, code, out, want)
		} else if !strings.HasPrefix(h.Get("Content-Type"), "application/problem+json") {
			t.Errorf("%.60s: content type %s", body, h.Get("Content-Type"))
		}
	}
	s.shelf.broken = true
	if code, out, _ := s.send(s.browser(), "POST", "/api/v1/session", `{"user":"priya","password":"correct horse"}`); code != 500 || strings.Contains(out["_text"].(string), "disk") {
		t.Errorf("broken store: %d %v", code, out)
	}
}

// What is wrong with a body is told by its field or place, and never what stands there.
func TestMalformed(t *testing.T) {
	s := newSite(t)
	for body, want := range map[string]string{
		"":                               "the body is empty",
		`{"user":"priya"`:                "the body ends in the middle",
		"secret":                         "not JSON at byte 1",
		`["secret"]`:                     "want a JSON object, and this is another kind: array",
		`{"user":123456}`:                "user: a number does not fit here",
		`{"name":"secret"}`:              "name: there is no such field",
		`{"user":"priya"} {}`:            "something follows the JSON object, which ends at byte 16",
		"{\"user\":\"pri\xffya\"}":       "byte 13 is not UTF-8 (RFC 8259 8.1)",
		"{\"user\":\"pri\xed\xa0\x80\"}": "byte 13 is not UTF-8 (RFC 8259 8.1)", // a surrogate
		`{"user":"pri\ud800"}`:           "byte 13 begins half a character: a surrogate without its other one (RFC 8259 8.2)",
		`{"user":"\\\udc00\ud800"}`:      "byte 12 begins half a character: a surrogate without its other one (RFC 8259 8.2)",
		`{"user":"\ud83d\u0041"}`:        "byte 10 begins half a character: a surrogate without its other one (RFC 8259 8.2)",
		`{"user":"\ud83d\ud83d\ude00"}`:  "byte 10 begins half a character: a surrogate without its other one (RFC 8259 8.2)",
		`{"user":"\ud83d\ude00\uDFFF"}`:  "byte 22 begins half a character: a surrogate without its other one (RFC 8259 8.2)",
		`{"us\udbffer":"priya"}`:         "byte 5 begins half a character: a surrogate without its other one (RFC 8259 8.2)",
		`{"user":"\ud83`:                 "the body ends in the middle",
		`{"user":"\ud8zz"}`:              "not JSON at byte 14",
	} {
		if code, out, _ := s.send(s.browser(), "POST", "/api/v1/session", body); code != 400 || out["code"] != "bad_request" || out["detail"] != want {
			t.Errorf("%q: %d %v, want %s", body, code, out, want)
		}
	}
	for _, body := range []string{`{"user":"\ud83d\ude00","password":"wrong"}`, `{"user":"\\ud800","password":"wrong"}`, `{"user":"\ufffd\\","password":"\\"}`} {
		if code, out, _ := s.send(s.browser(), "POST", "/api/v1/session", body); code != 401 || out["code"] != "bad_login" {
			t.Errorf("%q: %d %v, want it read", body, code, out)
		}
	}
}

// Guessing is slowed down by user and by address; who knows the password is
// not held up by having used it.
func TestRateLimit(t *testing.T) {
	s := newSite(t)
	for range 15 {
		s.login(s.browser(), "priya")
	}
	wrong := `{"user":"priya","password":"wrong horse"}`
	for i := range 10 {
		if code, out, _ := s.send(s.browser(), "POST", "/api/v1/session", wrong); code != 401 {
			t.Fatalf("guess %d: %d %v", i, code, out)
		}
	}
	code, out, h := s.send(s.browser(), "POST", "/api/v1/session", `{"user":"priya","password":"correct horse"}`)
	if code != 429 || out["code"] != "too_many" || h.Get("Retry-After") == "" {
		t.Fatalf("after ten guesses: %d %v", code, out)
	}
	s.login(s.browser(), "boss") // another user of the same office
	s.advance(7 * time.Second)
	s.login(s.browser(), "priya")
	for i := 0; ; i++ {
		if code, _, _ := s.send(s.browser(), "POST", "/api/v1/session", fmt.Sprintf(`{"user":"u%d","password":"wrong horse"}`, i)); code == 429 {
			break
		} else if i > 30 {
			t.Fatal("one address may try any number of users")
		}
	}
}

func TestSeats(t *testing.T) {
	s := newSite(t)
	c := s.browser()
	s.login(c, "priya")
	s.login(c, "boss")
	if code, out, _ := s.send(c, "GET", "/api/v1/me", ""); code != 401 || out["code"] != "which_seat" {
		t.Errorf("two seats, none named: %d %v", code, out)
	}
	for _, seat := range []string{"priya", "boss"} {
		if _, out, _ := s.send(c, "GET", "/api/v1/me", "", "Cordboard-Seat", seat); out["user"].(map[string]any)["id"] != seat {
			t.Errorf("seat %s: %v", seat, out)
		}
		if _, out, _ := s.send(c, "GET", "/api/v1/me?seat="+seat, ""); out["user"].(map[string]any)["id"] != seat {
			t.Errorf("?seat=%s: %v", seat, out)
		}
	}
	if code, _, _ := s.send(c, "GET", "/api/v1/me", "", "Cordboard-Seat", "demo"); code != 401 {
		t.Errorf("a seat nobody sits in: %d", code)
	}
	// A cookie under another user's name does not make one that user.
	stolen := s.browser()
	s.login(stolen, "priya")
	var token string
	for _, k := range stolen.Jar.Cookies(mustURL(t, s.http.URL)) {
		token = k.Value
	}
	if code, _, _ := s.send(s.browser(), "GET", "/api/v1/board", "", "Cookie", "cordboard.boss="+token); code != 401 {
		t.Errorf("renamed cookie: %d", code)
	}
	s.advance(13 * time.Hour)
	if code, _, _ := s.send(c, "GET", "/api/v1/me", "", "Cordboard-Seat", "boss"); code != 401 {
		t.Errorf("expired session: %d", code)
	}
}

// Every call with every method in every role.
func TestRoles(t *testing.T) {
	s := newSite(t)
	seats := map[string]*http.Client{"": s.browser(), "agent": s.browser(), "supervisor": s.browser()}
	s.login(seats["agent"], "demo")
	s.login(seats["supervisor"], "boss")
	const open, any = "open", "any"
	calls := map[string]map[string]string{
		"/api/v1/session":     {"POST": open, "DELETE": any},
		"/api/v1/me":          {"GET": any},
		"/api/v1/desk/ticket": {"POST": "agent"},
		"/api/v1/answers":     {"GET": any},
		"/api/v1/board":       {"GET": "supervisor"},
		"/api/v1/calls/12":    {"GET": "supervisor"},

		"/api/v1/calls/12/explain": {"GET": "supervisor"},
		"/desk":                    {"GET": open},
		"/api/v1/nothing":          {},
	}
	for path, methods := range calls {
		for _, method := range []string{"GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS"} {
			if method == "DELETE" && path == "/api/v1/session" {
				continue // ends the session; TestSignIn has it
			}
			for role, c := range seats {
				code, out, _ := s.send(c, method, path, "")
				want, known := methods[method]
				ok := false
				switch {
				case len(methods) == 0:
					ok = code == 404
				case !known:
					ok = code == 405 && out["code"] == "method_not_allowed"
				case want == open:
					ok = code != 401 && code != 403
				case role == "":
					ok = code == 401
				case want != any && want != role:
					ok = code == 403 && out["code"] == "forbidden"
				default:
					ok = code == 200
				}
				if !ok {
					t.Errorf("%s %s as %q: %d %v", method, path, role, code, out["code"])
				}
			}
		}
	}
}

func TestOrigin(t *testing.T) {
	s := newSite(t)
	c := s.browser()
	s.login(c, "demo")
	for origin, want := range map[string]bool{
		s.http.URL: true, "https://desk.example.com": true, "HTTPS://DESK.example.com": true,
		"": false, "null": false, "https://evil.example": false, "https://desk.example.com.evil.example": false,
		s.http.URL + ".evil.example": false, s.http.URL + "/x": false, "ftp://" + strings.TrimPrefix(s.http.URL, "http://"): false,
		"http://user@" + strings.TrimPrefix(s.http.URL, "http://"): false,
	} {
		for _, call := range []string{"POST /api/v1/desk/ticket", "GET /desk"} {
			method, path, _ := strings.Cut(call, " ")
			code, out, _ := s.send(c, method, path, "", "Origin", origin)
			if refused := code == 403 && out["code"] == "bad_origin"; refused == want {
				t.Errorf("%s from %q: %d %v", call, origin, code, out)
			}
		}
		if code, _, _ := s.send(c, "GET", "/api/v1/me", "", "Origin", origin); code != 200 {
			t.Errorf("reading from %q: %d", origin, code)
		}
	}
	check, err := web.NewOrigins(nil)
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest("POST", "https://desk.local/", nil)
	req.TLS = &tls.ConnectionState{}
	req.Header.Set("Origin", "http://desk.local")
	if check(req) {
		t.Error("a plain page may change a server reached by TLS")
	}
	for _, bad := range []string{"desk.example.com", "https://x/y", "*", "ftp://x"} {
		if _, err := web.NewOrigins([]string{bad}); err == nil {
			t.Errorf("%q passes as an origin", bad)
		}
	}
}

func TestPages(t *testing.T) {
	s := newSite(t)
	c := s.browser()
	for path, want := range map[string]struct {
		code        int
		cache, kind string
	}{
		"/": {200, "no-store", "text/html; charset=utf-8"}, "/login": {200, "no-store", "text/html; charset=utf-8"},
		"/in": {200, "no-store", "text/html; charset=utf-8"}, "/board": {200, "no-store", "text/html; charset=utf-8"},
		"/assets/app-1a2b.js": {200, "public, max-age=31536000, immutable", "text/javascript; charset=utf-8"},
		"/boot.js":            {200, "no-cache", "text/javascript; charset=utf-8"},
		"/assets/app-none.js": {404, "", "text/plain; charset=utf-8"}, "/assets": {404, "", "text/plain; charset=utf-8"},
		"/notes.secret": {404, "", "text/plain; charset=utf-8"}, "/other": {404, "", "text/plain; charset=utf-8"},
	} {
		code, _, h := s.send(c, "GET", path, "")
		if code != want.code || h.Get("Cache-Control") != want.cache || h.Get("Content-Type") != want.kind {
			t.Errorf("%s: %d %q %q", path, code, h.Get("Cache-Control"), h.Get("Content-Type"))
		}
		csp := h.Get("Content-Security-Policy")
		if !strings.Contains(csp, "script-src 'self';") || !strings.Contains(csp, "frame-ancestors 'none'") ||
			h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: headers %v", path, h)
		}
	}
	empty := newSite(t, func(o *web.Options) { o.UI = fstest.MapFS{} })
	if code, out, _ := empty.send(c, "GET", "/login", ""); code != 503 || !strings.Contains(out["_text"].(string), "make ui") {
		t.Errorf("unbuilt desktop: %d %v", code, out)
	}
}

func TestBoardStream(t *testing.T) {
	s := newSite(t)
	c := s.browser()
	s.login(c, "boss")
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.http.URL+"/api/v1/board/stream?seat=boss", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("content type %s", resp.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(resp.Body)
	for range 2 {
		for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
		}
		var b struct {
			At     int64
			Queues []map[string]any
			Agents []map[string]any
			Calls  []any
		}
		if err := json.Unmarshal([]byte(strings.TrimPrefix(lines.Text(), "data: ")), &b); err != nil {
			t.Fatalf("%v in %q", err, lines.Text())
		}
		if b.At != 7_000_000 || b.Queues[0]["oldest_since"] != 4e6 || b.Queues[0]["title"] != "billing" || b.Agents[0]["until"] != 0.0 || b.Calls == nil {
			t.Errorf("board %+v", b)
		}
	}
	s.server.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Errorf("stream does not end cleanly: %v", err)
	}
}

func TestCall(t *testing.T) {
	s := newSite(t)
	c := s.browser()
	s.login(c, "boss")
	_, out, _ := s.send(c, "GET", "/api/v1/calls/12", "")
	events, _ := out["events"].([]any)
	if out["outcome"] != "answered" || out["wait_ms"] != 1500.0 || out["talk_at"] != 0.0 || len(events) != 1 {
		t.Errorf("call: %v", out)
	}
	for _, id := range []string{"13", "x", "-1", "0"} {
		if code, _, _ := s.send(c, "GET", "/api/v1/calls/"+id, ""); code != 404 {
			t.Errorf("call %s: %d", id, code)
		}
	}
}

func TestExplain(t *testing.T) {
	s := newSite(t)
	c := s.browser()
	s.login(c, "boss")
	for id, want := range map[string]int{"12": 200, "13": 404, "14": 503, "x": 404, "-1": 404, "0": 404} {
		code, out, head := s.send(c, "GET", "/api/v1/calls/"+id+"/explain", "")
		if code != want || want == 503 && (out["code"] != "unavailable" || head.Get("Retry-After") == "") {
			t.Errorf("call %s: %d %v", id, code, out)
		}
	}
}

// A call's ladder is for supervisors, its messages as they are for admins, and
// who asked is handed on to be noted.
func TestTrace(t *testing.T) {
	s := newSite(t)
	for user, want := range map[string]map[string]int{
		"boss":  {"12/trace": 200, "12/trace?messages=1": 403, "13/trace": 404, "14/trace": 503, "x/trace": 404, "12/trace?messages=all": 400},
		"root":  {"12/trace": 200, "12/trace?messages=1": 200, "12/trace?messages=0": 200},
		"priya": {"12/trace": 403, "12/trace?messages=1": 403},
	} {
		c := s.browser()
		s.login(c, user)
		for path, code := range want {
			got, out, _ := s.send(c, "GET", "/api/v1/calls/"+path, "")
			if got != code || code == 200 && (out["whole"] != strings.HasSuffix(path, "=1") || out["who"] != user) {
				t.Errorf("%s asks for %s: %d %v, want %d", user, path, got, out, code)
			}
		}
	}
}

func TestAdmin(t *testing.T) {
	s := newSite(t, func(o *web.Options) { o.Desks = func() int { return 3 } })
	admin := httptest.NewServer(s.server.Admin())
	defer admin.Close()
	get := func(path string) (int, string) {
		resp, err := admin.Client().Get(admin.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	o := routing.Offer{Call: 1, Attempt: 1, Agent: "priya"}
	at := time.Now()
	s.metrics.Do(at, []routing.Action{
		routing.Enqueued{Call: 1, Queue: "billing", Since: at}, routing.Ring{Offer: o, Unacked: true},
		routing.Withdraw{Offer: o, Why: "rona"}, routing.Connect{Offer: o, Answered: at.Add(3 * time.Second)},
		routing.EndCall{Call: 1, Queue: "billing", Outcome: routing.Answered},
	})
	s.metrics.Observe(1, "pop_acked", "priya", 1, at, map[string]any{"mode": "painted", "first": true, "ms": 12.0})
	s.metrics.Observe(1, "pop_acked", "priya", 1, at, map[string]any{"mode": "painted", "first": false})
	s.metrics.Observe(1, "resolved", "", 0, at, map[string]any{"match": "exact", "ms": 3.0})
	_, text := get("/metrics")
	for _, want := range []string{
		`cordboard_calls_total{outcome="answered",queue="billing"} 1`, `cordboard_pops_total{ack="none"} 1`,
		`cordboard_pops_total{ack="painted"} 1`, `cordboard_offers_total{queue="billing",result="rona"} 1`,
		`cordboard_pop_latency_seconds_count 1`, `cordboard_queue_waiting{queue="billing"} 2`,
		`cordboard_queue_oldest_wait_seconds{queue="billing"} 3`, `cordboard_agents{state="talking"} 1`,
		`cordboard_desk_connections 3`, `cordboard_lookups_total{result="exact"} 1`, `cordboard_wait_seconds_sum{queue="billing"} 3`,
	} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("metrics lack %s", want)
		}
	}
	if strings.Contains(text, "priya") {
		t.Error("an agent stands in the metrics")
	}
	if code, _ := get("/-/healthy"); code != 200 {
		t.Errorf("healthy: %d", code)
	}
	if code, _ := get("/-/ready"); code != 200 {
		t.Errorf("ready: %d", code)
	}
	s.mu.Lock()
	s.notOK = errors.New("no policy")
	s.mu.Unlock()
	if code, body := get("/-/ready"); code != 503 || strings.Contains(body, "policy") {
		t.Errorf("not ready: %d %s", code, body)
	}
}
