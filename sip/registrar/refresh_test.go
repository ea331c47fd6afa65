package registrar

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/digest"
)

// A phone refreshes with the nonce that it registered with for as long as it stays
// registered; nobody replays what it sent.
func TestRefreshKeepsItsNonce(t *testing.T) {
	w := newWorld(t)
	contact := "Contact: <sip:ann@198.51.100.7>;expires=120"
	p := challenged(t, w.Register(w.request("ann", home)), digest.MD5)
	with := func(user string, nc int, headers ...string) int {
		a := w.Register(w.request(user, home, append(headers, "Authorization: "+authorize(p, user, user+"'s secret", nc, "REGISTER", "sip:desk.example"))...))
		if a.Code == 401 && challenged(t, a, digest.MD5)["stale"] != "true" {
			t.Errorf("nc %d: challenged, and not as stale", nc)
		}
		return a.Code
	}
	if code := with("ann", 1, contact); code != 200 {
		t.Fatalf("the phone did not register: %d", code)
	}
	for _, c := range []struct {
		name    string
		after   time.Duration
		user    string
		nc      int
		headers []string
		code    int
	}{
		{"a refresh", 100 * time.Second, "ann", 2, []string{contact}, 200},
		{"replayed", 0, "ann", 2, []string{contact}, 401},
		{"another user's", 0, "bob", 3, []string{contact}, 401},
		{"the next", 100 * time.Second, "ann", 3, []string{contact}, 200},
		{"one that asks only", 0, "ann", 4, nil, 200},
		{"that one's count", 0, "ann", 4, []string{contact}, 401},
		{"too brief", 0, "ann", 5, []string{"Contact: <sip:ann@198.51.100.7>;expires=1"}, 423},
		{"that one's count", 0, "ann", 5, []string{contact}, 401},
		{"a removal", 0, "ann", 6, []string{"Contact: <sip:ann@198.51.100.7>;expires=0"}, 200},
		{"once removed", 0, "ann", 7, []string{contact}, 401},
	} {
		w.pass(c.after)
		if code := with(c.user, c.nc, c.headers...); code != c.code {
			t.Errorf("%s: %d, want %d", c.name, code, c.code)
		}
	}

	p = challenged(t, w.Register(w.request("ann", home)), digest.MD5)
	for nc := 1; nc <= 3; nc++ { // all within the first minute
		if code := with("ann", nc, contact); code != 200 {
			t.Fatalf("nc %d: %d", nc, code)
		}
	}
	if code := with("ann", 4, "Contact: <sip:ann@198.51.100.7>;expires=0"); code != 200 {
		t.Fatal(code)
	}
	if code := with("ann", 3, contact); code != 401 {
		t.Errorf("a young nonce whose phone has gone was replayed: %d", code)
	}
}

// A refresh that says nothing new is stored when what the store has is half over.
func TestRefreshesAreStoredRarely(t *testing.T) {
	w := newWorld(t)
	began := w.now()
	for _, c := range []struct {
		after   time.Duration
		contact string
		stored  time.Duration // Expires of the row, from the beginning
	}{
		{0, "<sip:ann@198.51.100.7>;expires=600", 600 * time.Second},
		{100 * time.Second, "<sip:ann@198.51.100.7>;expires=600", 600 * time.Second},
		{200 * time.Second, "<sip:ann@198.51.100.7>;expires=600", 600 * time.Second},
		{time.Second, "<sip:ann@198.51.100.7>;expires=600", 901 * time.Second},
		{time.Second, "<sip:ann@198.51.100.7>;expires=600;q=0.5", 902 * time.Second},
		{time.Second, "<sip:ann@198.51.100.7>;expires=60;q=0.5", 363 * time.Second},
	} {
		w.pass(c.after)
		w.ann(home, "Contact: "+c.contact)
		if got := w.rows["ann sip:ann@198.51.100.7"].Expires.Sub(began); got != c.stored {
			t.Errorf("%s at %v: stored until %v, want %v", c.contact, w.now().Sub(began), got, c.stored)
		}
	}
	w.ann(office, "Contact: <sip:ann@198.51.100.7>;expires=60;q=0.5")
	if got := w.rows["ann sip:ann@198.51.100.7"].Source; got != office {
		t.Errorf("the phone has moved, and is stored at %v", got)
	}
}
