package sip

import (
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/sip/stack"
)

const (
	// sessionInterval is the session interval we ask for and the longest that
	// we agree to (RFC 4028 section 4 recommends it).
	sessionInterval = 30 * time.Minute
	// minSession is the shortest that anybody may ask for (section 4).
	minSession = 90 * time.Second
)

// session is the session timer of one dialog (RFC 4028). The zero value is a
// peer that has none.
type session struct {
	longest  time.Duration // what we ask for
	interval time.Duration // agreed; 0: the peer has no session timers
	ours     bool          // we refresh
	update   bool          // the peer takes UPDATE, it says
	noUpdate bool          // it does not
	least    time.Duration // the Min-SE we were told
	fresh    time.Time     // the last refresh
}

// due is how long after a refresh we send the next: at half time when that is
// our part, else shortly before the end (section 10). A peer that has
// forgotten its part is thus asked, and not cut off, if it is there.
func (s *session) due() time.Duration {
	if s.ours {
		return s.interval / 2
	}
	return s.interval - min(32*time.Second, s.interval/3)
}

// postpone puts a refresh off that the peer refused. It is there, but its own
// clock runs on: it is asked again in good time before that ends the call
// (section 10).
func (s *session) postpone(now time.Time) {
	s.fresh = now.Add(s.interval/32 - s.due())
}

// propose gives the headers of a new call of ours, which has an offer. We would do the refreshing:
// then a dead peer is found soon.
func (s *session) propose() []stack.Header {
	s.interval, s.ours = s.wish(), true
	h := s.ask()
	h[0].Value = "timer, 100rel" // RFC 3262: there is an offer, so that no answer is due in a PRACK
	s.interval = 0               // until the peer agrees
	return h
}

// ask gives the headers of a re-INVITE or UPDATE of ours (section 7.4).
func (s *session) ask() []stack.Header {
	h := []stack.Header{{Name: "Supported", Value: "timer"}}
	if s.interval == 0 {
		return h
	}
	s.interval = max(s.interval, s.least)
	who := "uas"
	if s.ours {
		who = "uac"
	}
	h = append(h, stack.Header{Name: "Session-Expires", Value: seconds(s.interval) + ";refresher=" + who})
	if s.least > minSession {
		h = append(h, stack.Header{Name: "Min-SE", Value: seconds(s.least)})
	}
	return h
}

func (s *session) wish() time.Duration {
	return max(s.longest, s.least)
}

// answered takes the 2xx to an INVITE or UPDATE of ours (section 7.2).
func (s *session) answered(m *stack.Message, now time.Time) {
	s.knows(m)
	interval, who := sessionExpires(m)
	s.interval, s.ours, s.fresh = interval, who != "uas", now
}

// accept agrees on the timer with a request of the peer that is answered 2xx
// and gives the headers of the answer (section 9). A peer without session
// timers is not refreshed, unless a proxy on the way wants it.
func (s *session) accept(m *stack.Message, now time.Time) []stack.Header {
	s.knows(m)
	asked, who := sessionExpires(m)
	able := lists(m, "Supported", "timer") || lists(m, "Require", "timer")
	s.fresh = now
	if !able && asked == 0 {
		s.interval = 0
		return nil
	}
	s.interval = s.wish()
	if asked > 0 {
		s.interval = min(asked, s.interval)
	}
	s.interval = max(s.interval, minSE(m), minSession)
	s.ours = !able || who != "uac"
	if s.ours {
		return []stack.Header{{Name: "Session-Expires", Value: seconds(s.interval) + ";refresher=uas"}}
	}
	return []stack.Header{
		{Name: "Session-Expires", Value: seconds(s.interval) + ";refresher=uac"},
		{Name: "Require", Value: "timer"},
	}
}

// tooShort reports whether a request asks for a session interval that we
// refuse with 422, and gives that answer's header. A peer that would not
// understand 422 is not told (section 9).
func tooShort(m *stack.Message) ([]stack.Header, bool) {
	asked, _ := sessionExpires(m)
	if asked == 0 || asked >= minSession || !lists(m, "Supported", "timer") && !lists(m, "Require", "timer") {
		return nil, false
	}
	return []stack.Header{{Name: "Min-SE", Value: seconds(minSession)}}, true
}

// raise takes the Min-SE of a 422; false when that asks for nothing new
// (section 7.3), so that it is not tried for ever.
func (s *session) raise(m *stack.Message) bool {
	if m == nil {
		return false
	}
	least := minSE(m)
	if least <= s.least || least > 24*time.Hour {
		return false
	}
	s.least = least
	return true
}

// updated takes the final response to our UPDATE. One that refuses it shows
// that the peer is there: the next try is a re-INVITE.
func (s *session) updated(code int, m *stack.Message) {
	switch {
	case code < 300:
		s.answered(m, time.Now())
	case code == 422 && s.raise(m), code == 491, code == 500:
		// Tried again at the next look.
	default:
		s.update, s.noUpdate = false, true
	}
}

// knows reads from a message whether its sender takes UPDATE.
func (s *session) knows(m *stack.Message) {
	if m.Get("Allow") != "" && !s.noUpdate {
		s.update = lists(m, "Allow", "UPDATE")
	}
}

// sessionExpires reads Session-Expires; 0 when there is none, or none that can
// be read.
func sessionExpires(m *stack.Message) (interval time.Duration, refresher string) {
	number, params, _ := strings.Cut(m.Get("Session-Expires"), ";")
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "refresher") {
			refresher = strings.ToLower(strings.Trim(strings.TrimSpace(value), `"`))
		}
	}
	return deltaSeconds(number), refresher
}

func minSE(m *stack.Message) time.Duration {
	number, _, _ := strings.Cut(m.Get("Min-SE"), ";")
	return deltaSeconds(number)
}

func deltaSeconds(v string) time.Duration {
	n, err := strconv.ParseUint(strings.TrimSpace(v), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }

// lists reports whether a comma-separated header has the token.
func lists(m *stack.Message, header, token string) bool {
	for _, v := range m.Values(header) {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
	}
	return false
}
