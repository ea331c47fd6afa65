package convert

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Bounds of the language, and what Asterisk says when nothing is set.
const (
	shortestEvery  = 15 * time.Second
	longestEvery   = 10 * time.Minute
	asterisksLimit = 10
	furthestPlace  = 1000
)

// announceKeys have a meaning only where announce-frequency is set.
var announceKeys = []string{"announce-position", "announce-position-limit", "announce-holdtime", "announce-round-seconds"}

// announce is what the callers who wait are told.
type announce struct {
	every time.Duration // 0: nothing
	say   []string
	upTo  int // the last place that is said
}

// announcements reads what callers are told of their place and their wait.
func (a *asterisk) announcements(s *section, q *queue) {
	e, n := a.number(s, "announce-frequency", 0)
	if n == 0 {
		for _, key := range announceKeys {
			if other, ok := s.last(key); ok {
				a.note(other.line, s.name+"."+key, "left out: without announce-frequency nothing is announced")
			}
		}
		return
	}
	if limit, ok := s.last("announce-round-seconds"); ok {
		a.note(limit.line, s.name+".announce-round-seconds", "left out: a wait is rounded up to whole minutes; announce.wait.round says otherwise")
	}
	upTo, place := a.places(s)
	wait, _ := s.last("announce-holdtime")
	if place {
		q.announce.say = append(q.announce.say, "position")
	}
	if !no(wait.value) {
		q.announce.say = append(q.announce.say, "wait")
	}
	if wait.value == "once" {
		a.note(wait.line, s.name+".announce-holdtime", "once: said each time")
	}
	if len(q.announce.say) == 0 {
		a.note(e.line, s.name+".announce-frequency", "left out: neither place nor wait is to be said")
		return
	}
	q.announce.upTo = upTo
	every := time.Duration(n) * time.Second
	q.announce.every = min(max(every, shortestEvery), longestEvery)
	if q.announce.every != every {
		a.note(e.line, s.name+".announce-frequency", "%s: every %s, as is allowed from %s to %s", dur(every), dur(q.announce.every), dur(shortestEvery), dur(longestEvery))
	}
}

// places reads whether a caller is told the place in line, and up to which.
func (a *asterisk) places(s *section) (upTo int, said bool) {
	e, ok := s.last("announce-position")
	limited := ok && slices.Contains([]string{"limit", "more"}, e.value)
	l, n := a.number(s, "announce-position-limit", asterisksLimit)
	switch {
	case ok && no(e.value):
		return 0, false
	case limited && e.value == "more":
		a.note(e.line, s.name+".announce-position", "more: further back than %d the place is not said", n)
	case !limited && l.key != "":
		a.note(l.line, s.name+".announce-position-limit", "left out: announce-position is neither limit nor more")
	}
	if limited {
		return min(max(n, 1), furthestPlace), true
	}
	return furthestPlace, true
}

// no is one of the words that switch off.
func no(value string) bool {
	return slices.Contains([]string{"no", "false", "off", "n", "f", "0"}, strings.ToLower(value))
}

func (n announce) write(w *writer) {
	if n.every == 0 {
		return
	}
	upTo := ""
	if slices.Contains(n.say, "position") {
		upTo = fmt.Sprintf(", position_up_to: %d", n.upTo)
	}
	w.line("    announce: {every: %s, say: [%s]%s}", dur(n.every), strings.Join(n.say, ", "), upTo)
}
