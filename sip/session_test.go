package sip

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/stack"
)

// message makes one from pairs of header name and value.
func message(pairs ...string) *stack.Message {
	m := &stack.Message{}
	for i := 0; i < len(pairs); i += 2 {
		m.Headers = append(m.Headers, stack.Header{Name: pairs[i], Value: pairs[i+1]})
	}
	return m
}

func header(h []stack.Header, name string) string {
	return (&stack.Message{Headers: h}).Get(name)
}

// What we answer to each kind of request (RFC 4028 section 9, table 2).
func TestSessionTimerAnswer(t *testing.T) {
	for _, c := range []struct {
		name     string
		request  *stack.Message
		expires  string // Session-Expires of the answer
		require  string
		interval time.Duration
		ours     bool
	}{
		{"no timers", message(), "", "", 0, false},
		{"timers, none asked for", message("Supported", "100rel, timer"), "1800;refresher=uas", "", 30 * time.Minute, true},
		{"asked for", message("Supported", "timer", "Session-Expires", "600"), "600;refresher=uas", "", 10 * time.Minute, true},
		{"compact", message("k", "timer", "x", "600"), "600;refresher=uas", "", 10 * time.Minute, true},
		{"caller refreshes", message("Supported", "timer", "Session-Expires", "600 ; Refresher = UAC"), "600;refresher=uac", "timer", 10 * time.Minute, false},
		{"we refresh", message("Require", "timer", "Session-Expires", "600;refresher=uas"), "600;refresher=uas", "", 10 * time.Minute, true},
		{"a day", message("Supported", "timer", "Session-Expires", "86400;refresher=uac"), "1800;refresher=uac", "timer", 30 * time.Minute, false},
		{"a day at least", message("Supported", "timer", "Session-Expires", "86400", "Min-SE", "7200"), "7200;refresher=uas", "", 2 * time.Hour, true},
		{"a proxy asks, the caller cannot", message("Session-Expires", "600;refresher=uac"), "600;refresher=uas", "", 10 * time.Minute, true},
		{"too short for one who cannot hear 422", message("Session-Expires", "20"), "90;refresher=uas", "", 90 * time.Second, true},
		{"rubbish", message("Supported", "timer", "Session-Expires", "soon", "Min-SE", "-1"), "1800;refresher=uas", "", 30 * time.Minute, true},
	} {
		s := session{longest: sessionInterval}
		h := s.accept(c.request, time.Now())
		if got := header(h, "Session-Expires"); got != c.expires {
			t.Errorf("%s: Session-Expires %q, want %q", c.name, got, c.expires)
		}
		if got := header(h, "Require"); got != c.require {
			t.Errorf("%s: Require %q, want %q", c.name, got, c.require)
		}
		if s.interval != c.interval || s.ours != c.ours {
			t.Errorf("%s: %v, ours %v, want %v, %v", c.name, s.interval, s.ours, c.interval, c.ours)
		}
	}
}

// What an answer to our INVITE agrees on.
func TestSessionTimerOfTheAnswer(t *testing.T) {
	for _, c := range []struct {
		name     string
		answer   *stack.Message
		interval time.Duration
		ours     bool
		update   bool
		due      time.Duration
	}{
		{"none", message("Allow", "INVITE, BYE"), 0, true, false, 0},
		{"we refresh", message("Session-Expires", "1800;refresher=uac", "Allow", "INVITE,UPDATE"), 30 * time.Minute, true, true, 15 * time.Minute},
		{"no refresher named", message("Session-Expires", "1800"), 30 * time.Minute, true, false, 15 * time.Minute},
		{"the phone refreshes", message("Session-Expires", "1800;refresher=uas"), 30 * time.Minute, false, false, 1768 * time.Second},
		{"and often", message("Session-Expires", "90;refresher=uas"), 90 * time.Second, false, false, time.Minute},
	} {
		s := session{longest: sessionInterval}
		if h := s.propose(); header(h, "Session-Expires") != "1800;refresher=uac" || header(h, "Supported") != "timer, 100rel" {
			t.Errorf("%s: proposed %v", c.name, h)
		}
		s.answered(c.answer, time.Now())
		if s.interval != c.interval || s.ours != c.ours || s.update != c.update || s.due() != c.due {
			t.Errorf("%s: %v, ours %v, UPDATE %v, due %v", c.name, s.interval, s.ours, s.update, s.due())
		}
	}
}

// 422, whoever sends it (RFC 4028 sections 7.3 and 9).
func TestSessionIntervalTooSmall(t *testing.T) {
	for _, c := range []struct {
		m     *stack.Message
		short bool
	}{
		{message("Supported", "timer", "Session-Expires", "89"), true},
		{message("Supported", "timer", "Session-Expires", "90"), false},
		{message("Session-Expires", "20"), false},
		{message("Supported", "timer"), false},
	} {
		h, short := tooShort(c.m)
		if short != c.short || short && header(h, "Min-SE") != "90" {
			t.Errorf("%v: refused %v with %v", c.m.Headers, short, h)
		}
	}
	s := session{longest: sessionInterval}
	if !s.raise(message("Min-SE", "3600")) {
		t.Fatal("a longer interval is not tried")
	}
	h := s.propose()
	if header(h, "Session-Expires") != "3600;refresher=uac" || header(h, "Min-SE") != "3600" {
		t.Errorf("after 422 proposed %v", h)
	}
	for _, m := range []*stack.Message{nil, message(), message("Min-SE", "3600"), message("Min-SE", "99999999")} {
		if s.raise(m) {
			t.Errorf("422 with %v is tried again", m)
		}
	}
}

// A refused refresh is tried again, and long before the peer's clock runs out
// (it ends the call a third of the interval, or 32 s, before its end).
func TestRefusedRefreshIsTriedAgainInTime(t *testing.T) {
	start := time.Now()
	for _, interval := range []time.Duration{minSession, sessionInterval} {
		s := session{interval: interval, ours: true, fresh: start}
		now := start.Add(s.due())
		s.postpone(now)
		next := s.fresh.Add(s.due())
		if over := start.Add(interval - min(32*time.Second, interval/3)); !next.After(now) || !next.Add(lookEvery).Before(over) {
			t.Errorf("%v: refused after %v, next %v, the call is over after %v", interval, now.Sub(start), next.Sub(start), over.Sub(start))
		}
	}
}
