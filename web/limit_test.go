package web

import (
	"fmt"
	"net/http/httptest"
	"testing"
	"time"
)

// A login of nobody must cost what any other costs: its hash must be read.
func TestNobodyCosts(t *testing.T) {
	h, ok := readHash(nobody)
	if !ok || h.memory != hashMemory || h.passes != hashPasses || h.lanes != hashLanes || len(h.sum) != hashBytes {
		t.Errorf("nobody's hash: %+v, %v", h, ok)
	}
}

func TestLimiterIsBounded(t *testing.T) {
	l := newLimiter(3, time.Second)
	now := time.Unix(1, 0)
	for i := range 3 * limiterKeys {
		l.try(fmt.Sprint(i), now)
	}
	if n := len(l.keys); n > limiterKeys {
		t.Errorf("%d keys are held", n)
	}
	for range 3 {
		l.try("x", now)
	}
	if wait, ok := l.try("x", now); ok || wait != time.Second {
		t.Errorf("fourth try: wait %v, %v", wait, ok)
	}
	if _, ok := l.try("x", now.Add(time.Second)); !ok {
		t.Error("a second later the next try is refused")
	}
}

func TestSource(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.7:9": "192.0.2.7", "[2001:db8:1:2:3:4:5:6]:9": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:9": "fe80::/64", "[::ffff:192.0.2.7]:9": "192.0.2.7", "pipe": "pipe",
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = addr
		if got := source(r); got != want {
			t.Errorf("%s: %s, want %s", addr, got, want)
		}
	}
}
