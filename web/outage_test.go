package web_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/web"
)

func (s *shelf) breaks(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = on
}

// The board stays open while the database is away, says so, and can be opened
// anew by who is signed in; a desk gets its ticket; the log has one line.
func TestBoardOutlivesTheDatabase(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	var s *site
	s = newSite(t, func(o *web.Options) {
		o.Log, o.Recheck = zap.New(core), time.Millisecond
		o.Degraded = func(context.Context) []string {
			s.shelf.mu.Lock()
			defer s.shelf.mu.Unlock()
			if s.shelf.broken {
				return []string{"database does not answer"}
			}
			return nil
		}
	})
	boss, priya, late := s.browser(), s.browser(), s.browser()
	s.login(boss, "boss")
	s.login(priya, "priya")
	for _, c := range []*http.Client{boss, priya} { // read once, as any page does
		if code, _, _ := s.send(c, "GET", "/api/v1/me", ""); code != 200 {
			t.Fatalf("me: %d", code)
		}
	}
	frames := s.stream(boss)
	frames() // well
	s.shelf.breaks(true)
	s.advance(time.Minute) // what is wrong is asked for every 2 s
	for said := false; !said; {
		s.advance(time.Second)
		said = strings.Join(frames(), "") == "database does not answer"
	}
	frames() // and its login has been looked at meanwhile
	again := s.stream(boss)
	again()
	if code, out, _ := s.send(priya, "POST", "/api/v1/desk/ticket", ""); code != 200 {
		t.Errorf("a desk that comes back: %d %v", code, out)
	}
	if code, _, h := s.send(late, "GET", "/api/v1/me", "", "Cookie", "cordboard.demo=never-seen"); code != 503 || h.Get("Retry-After") == "" {
		t.Errorf("a login nobody knows: %d, Retry-After %q", code, h.Get("Retry-After"))
	}
	s.shelf.breaks(false)
	for logs.FilterMessage("logins can be read again").Len() == 0 {
		frames()
	}
	for text, n := range map[string]int{"logins cannot be read, those known are taken as they were": 1, "request failed": 0} {
		if got := logs.FilterMessage(text).Len(); got != n {
			t.Errorf("%d lines %q, want %d", got, text, n)
		}
	}
	if code, _, _ := s.send(boss, "DELETE", "/api/v1/session", ""); code != 204 {
		t.Errorf("signing out: %d", code)
	}
}

// Whose login has ended or expired is not remembered.
func TestEndedLoginsAreNotRemembered(t *testing.T) {
	for name, end := range map[string]func(*site, *http.Client){
		"signed out": func(s *site, c *http.Client) { s.send(c, "DELETE", "/api/v1/session", "") },
		"expired":    func(s *site, _ *http.Client) { s.advance(13 * time.Hour) },
		"ended elsewhere": func(s *site, c *http.Client) {
			s.shelf.mu.Lock()
			clear(s.shelf.sessions)
			s.shelf.mu.Unlock()
			s.send(c, "GET", "/api/v1/me", "", "Cookie", "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			c := s.browser()
			s.login(c, "priya")
			if code, _, _ := s.send(c, "GET", "/api/v1/me", ""); code != 200 {
				t.Fatalf("me: %d", code)
			}
			cookies := s.cookies(c)
			end(s, c)
			s.shelf.breaks(true)
			if code, _, _ := s.send(s.browser(), "GET", "/api/v1/me", "", "Cookie", cookies); code == 200 {
				t.Errorf("taken as it was: %d", code)
			}
		})
	}
}

// A login that was not looked at for long before the database went away may
// have been ended elsewhere: it is not taken as it was. How long the database was
// away counts for nothing.
func TestLoginsRememberedWereReadJustBefore(t *testing.T) {
	s := newSite(t)
	idle, busy := s.browser(), s.browser()
	s.login(idle, "boss")
	s.login(busy, "priya")
	me := func(c *http.Client) int {
		code, _, _ := s.send(c, "GET", "/api/v1/me", "")
		return code
	}
	if a, b := me(idle), me(busy); a != 200 || b != 200 {
		t.Fatalf("me: %d %d", a, b)
	}
	s.advance(6 * time.Minute)
	if code := me(busy); code != 200 {
		t.Fatalf("me: %d", code)
	}
	s.shelf.breaks(true)
	for range 2 {
		if code := me(busy); code != 200 {
			t.Errorf("a login that was read just before: %d", code)
		}
		s.advance(time.Hour)
	}
	if code := me(idle); code != 503 {
		t.Errorf("a login that nobody has looked at for long: %d", code)
	}
	// Back for a moment, in which only the other is read.
	s.shelf.breaks(false)
	for me(idle) != 200 { // readings pause after one that failed
		continue
	}
	s.shelf.breaks(true)
	if code := me(busy); code != 200 {
		t.Errorf("a login that was read just before the first of two outages: %d", code)
	}
}

// Who signs out while the same login is being read is not remembered by that
// reading, and who cannot sign out, for the database is away, is not either.
func TestSignedOutWhileRead(t *testing.T) {
	s := newSite(t)
	c := s.browser()
	s.login(c, "priya")
	cookies := s.cookies(c)
	read, let := make(chan struct{}), make(chan struct{})
	s.shelf.mu.Lock()
	s.shelf.afterRead = func() { close(read); <-let }
	s.shelf.mu.Unlock()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.send(s.browser(), "GET", "/api/v1/me", "", "Cookie", cookies)
	}()
	<-read
	if code, _, _ := s.send(c, "DELETE", "/api/v1/session", ""); code != 204 {
		t.Errorf("signing out: %d", code)
	}
	close(let)
	<-done
	late := s.browser()
	s.login(late, "boss")
	if code, _, _ := s.send(late, "GET", "/api/v1/me", ""); code != 200 {
		t.Fatalf("me: %d", code)
	}
	s.shelf.breaks(true)
	if code, _, _ := s.send(s.browser(), "GET", "/api/v1/me", "", "Cookie", cookies); code == 200 {
		t.Error("who has signed out comes in while the database is away")
	}
	s.send(late, "DELETE", "/api/v1/session", "")
	if code, _, _ := s.send(late, "GET", "/api/v1/me", ""); code == 200 {
		t.Error("who wanted to sign out comes in while the database is away")
	}
}

// cookies is what the browser would send.
func (s *site) cookies(c *http.Client) string {
	req, err := http.NewRequest("GET", s.http.URL, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for _, k := range c.Jar.Cookies(req.URL) {
		all = append(all, k.Name+"="+k.Value)
	}
	return strings.Join(all, "; ")
}

// stream opens the board and gives what is wrong by the next frame.
func (s *site) stream(c *http.Client) func() []string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), "GET", s.http.URL+"/api/v1/board/stream", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := (&http.Client{Jar: c.Jar, Transport: c.Transport}).Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != 200 {
		s.t.Fatalf("the board: %d", resp.StatusCode)
	}
	lines := bufio.NewScanner(resp.Body)
	return func() []string {
		s.t.Helper()
		for lines.Scan() {
			if text, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var b struct {
					Degraded []string `json:"degraded"`
				}
				if err := json.Unmarshal([]byte(text), &b); err != nil || b.Degraded == nil {
					s.t.Fatalf("frame %s: %v", text, err)
				}
				return b.Degraded
			}
		}
		s.t.Fatalf("the board has ended: %v", lines.Err())
		return nil
	}
}
