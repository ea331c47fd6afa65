package web_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/web"
)

// toldDesk tells of each login that ends.
type toldDesk struct {
	fakeDesk
	told chan string
}

func (d *toldDesk) EndSession(key string) { d.told <- key }

// A desk ends with its login, however that ends.
func TestDeskEndsWithItsLogin(t *testing.T) {
	for name, end := range map[string]func(*site, string){
		"expired": func(s *site, _ string) { s.advance(13 * time.Hour) },
		"ended":   func(s *site, key string) { s.shelf.mu.Lock(); delete(s.shelf.sessions, key); s.shelf.mu.Unlock() },
		"no user": func(s *site, _ string) { s.shelf.mu.Lock(); delete(s.shelf.users, "priya"); s.shelf.mu.Unlock() },
		"other role": func(s *site, _ string) {
			s.shelf.mu.Lock()
			s.shelf.users["priya"] = web.User{ID: "priya", Role: web.RoleSupervisor}
			s.shelf.mu.Unlock()
		},
	} {
		t.Run(name, func(t *testing.T) {
			desk := &toldDesk{told: make(chan string, 8)}
			s := newSite(t, func(o *web.Options) { o.Desk, o.Recheck = desk, time.Millisecond })
			c := s.browser()
			s.login(c, "priya")
			for range 2 {
				if code, _, _ := s.send(c, "POST", "/api/v1/desk/ticket", ""); code != 200 {
					t.Fatalf("ticket: %d", code)
				}
			}
			key := ""
			s.shelf.mu.Lock()
			for key = range s.shelf.sessions {
			}
			s.shelf.broken = true // what cannot be read is not ended
			s.shelf.mu.Unlock()
			end(s, key)
			s.shelf.mu.Lock()
			s.shelf.broken = false
			s.shelf.mu.Unlock()
			select {
			case got := <-desk.told:
				if got != key {
					t.Errorf("ended %q, want %q", got, key)
				}
			case <-time.After(time.Minute):
				t.Fatal("the desk stays open")
			}
		})
	}
}

// The cookie of a page that came by https never goes out in the clear.
func TestCookieBehindAProxy(t *testing.T) {
	s := newSite(t)
	login := `{"user":"priya","password":"correct horse"}`
	if _, _, h := s.send(s.browser(), "POST", "/api/v1/session", login, "Origin", "https://desk.example.com"); !strings.Contains(h.Get("Set-Cookie"), "; Secure") {
		t.Errorf("by https: %s", h.Get("Set-Cookie"))
	}
	if _, _, h := s.send(s.browser(), "POST", "/api/v1/session", login); strings.Contains(h.Get("Set-Cookie"), "; Secure") {
		t.Errorf("on the local network: %s", h.Get("Set-Cookie"))
	}
}

// Names that nobody can have are not remembered one by one.
func TestNamesOfNobody(t *testing.T) {
	s := newSite(t)
	codes := map[int]int{}
	for i := range 12 {
		code, _, _ := s.send(s.browser(), "POST", "/api/v1/session", fmt.Sprintf(`{"user":"no such name %d","password":"x"}`, i))
		codes[code]++
	}
	if codes[http.StatusTooManyRequests] != 2 || codes[http.StatusUnauthorized] != 10 {
		t.Errorf("answers %v", codes)
	}
}

// A body that never comes is given up, whoever waits for it.
func TestBodyThatNeverComes(t *testing.T) {
	s := newSite(t, func(o *web.Options) { o.BodyTime = 20 * time.Millisecond })
	host := s.http.Listener.Addr().String()
	for name, head := range map[string]string{
		"wanted":   "POST /api/v1/session HTTP/1.1\r\nHost: " + host + "\r\nOrigin: " + s.http.URL + "\r\n",
		"unwanted": "POST /api/v1/session HTTP/1.1\r\nHost: x\r\n",
		"with GET": "GET /api/v1/me HTTP/1.1\r\nHost: x\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", host)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			_ = c.SetDeadline(time.Now().Add(30 * time.Second))
			fmt.Fprint(c, head+"Content-Length: 100\r\n\r\n{")
			r, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Fatalf("the server waits for ever: %v", err)
			}
			_ = r.Body.Close()
			if r.StatusCode < 400 || r.StatusCode > 403 {
				t.Errorf("status %d", r.StatusCode)
			}
		})
	}
}
