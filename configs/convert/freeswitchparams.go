package convert

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// params are the params of one queue, and which of them were read.
type params struct {
	*freeswitch
	was  string
	list []param
	read []string
}

func (s *freeswitch) params(e *element, was string) *params {
	return &params{freeswitch: s, was: was, list: e.params}
}

// text is the value of a param, "" where it is not set, and its line.
func (p *params) text(name string) (string, int) {
	p.read = append(p.read, name)
	for _, one := range slices.Backward(p.list) {
		if one.name == name {
			return one.value, one.line
		}
	}
	return "", 0
}

func (p *params) seconds(name string) int {
	v, line := p.text(name)
	if v == "" {
		return 0
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 || n > 1_000_000 {
		p.note(line, p.was+"."+name, "%q is no number of seconds: 0", v)
		return 0
	}
	return n
}

// left says what becomes of the params that are not read.
var left = map[string]string{
	"record-template":                          "left out: recording is not a queue's",
	"max-wait-time-with-no-agent-time-reached": "left out: who comes while nobody is there waits as long as the others",
	"discard-abandoned-after":                  "left out: a caller who gave up has no place; one who asked to be called back keeps it",
	"abandoned-resume-allowed":                 "left out: a caller who gave up has no place; one who asked to be called back keeps it",
	"announce-sound":                           "left out: a sound of your own is played once, as announce.greeting",
	"announce-frequency":                       "left out: a sound of your own is played once, as announce.greeting",
	"ring-progressively-delay":                 "left out: a group rings at once",
	"agent-no-answer-status":                   "built in: Not ready, for rona",
	"skip-agents-with-external-calls":          "left out: calls beside the queues are not seen here",
	"outbound-announce":                        "left out: the record is on the agent's screen before the telephone rings",
	"queue-uuid":                               "left out: a queue has its name",
}

func (p *params) rest() {
	for _, one := range p.list {
		if slices.Contains(p.read, one.name) {
			continue
		}
		why, known := left[one.name]
		if !known {
			why = "not known here: left out"
		}
		p.note(one.line, p.was+"."+one.name, "%s", why)
	}
}

// tierRules makes a step of each tier after the first. Where the rules do not
// apply tiers are an order of preference.
func (s *freeswitch) tierRules(q *queue, p *params) {
	apply, _ := p.text("tier-rules-apply")
	wait := p.seconds("tier-rule-wait-second")
	multiply, _ := p.text("tier-rule-wait-multiply-level")
	if v, line := p.text("tier-rule-no-agent-no-wait"); v == "false" && apply == "true" {
		s.note(line, q.was+".tier-rule-no-agent-no-wait", "built in: a tier where nobody is signed in is not waited for")
	}
	if apply != "true" || wait == 0 {
		s.prefer(q)
		return
	}
	levels := q.levels()
	if len(levels) == 0 {
		return
	}
	q.first = strconv.Itoa(levels[0])
	for _, l := range levels[1:] {
		after := wait
		if multiply != "false" {
			after = wait * (topLevel - l)
		}
		if after > 7200 {
			s.note(q.line, q.was+".tier-rule-wait-second", "%ds is past two hours: 2h", after)
			after = 7200
		}
		s.widen(q, time.Duration(after)*time.Second, []int{l})
	}
}

// credits reads from when a caller's waiting counts; it is one for the whole
// document.
func (s *freeswitch) credits(p *params) {
	v, line := p.text("time-base-score")
	credit := map[string]string{"system": "waited", "queue": "none"}[v]
	switch {
	case credit == "":
	case s.credit == "":
		s.credit = credit
	case s.credit != credit:
		s.note(line, p.was+".time-base-score", "one for all queues: %s, as the first queue has it", s.credit)
	}
}

// sound is the name of a file of music.
func (s *freeswitch) sound(line int, where, value string) string {
	if strings.HasPrefix(value, "$${hold_music}") || strings.HasPrefix(value, "local_stream://") {
		s.note(line, where, "music of the switch: the product's own")
		return ""
	}
	name := nameOf(strings.TrimSuffix(path.Base(value), path.Ext(value)))
	s.note(line, where, "put a sound named %s into the sounds folder", name)
	return name
}

// staffParams makes what mod_callcenter says of each agent the queue's: the
// longest where they differ.
func (s *freeswitch) staffParams(q *queue) {
	if n := s.most(q, "max-no-answer"); n > 0 {
		q.ronaAfter = min(n, 10)
	} else {
		q.rona = "available"
	}
	q.wrapUp = min(time.Duration(s.most(q, "wrap-up-time"))*time.Second, 30*time.Minute)
	if n := s.most(q, "reject-delay-time"); n > 0 && n != 60 {
		s.note(q.line, q.was+".reject-delay-time", "%ds: an agent who refused is not offered that call again for 60s", n)
	}
	if n := s.most(q, "busy-delay-time"); n > 0 && n != 30 {
		s.note(q.line, q.was+".busy-delay-time", "%ds: a busy telephone is not ready for 30s", n)
	}
	if n := s.most(q, "leg_timeout"); n > 0 {
		s.ringFor(q, q.line, q.was+".leg_timeout", n)
	}
}

// most is the largest value that agents of the queue have of an attribute, 0
// when none has it.
func (s *freeswitch) most(q *queue, key string) int {
	most, differ, known := 0, false, false
	for _, m := range q.members {
		n, ok := s.number(m.agent, key)
		if !ok {
			continue
		}
		differ = differ || known && n != most
		most, known = max(most, n), true
	}
	if differ {
		s.note(q.line, q.was+"."+key, "differs between agents: %d for all of the queue", most)
	}
	return most
}

var legTimeout = regexp.MustCompile(`leg_timeout=([0-9]{1,6})`)

// number is an attribute of an agent; leg_timeout stands in the dial string.
func (s *freeswitch) number(a *agent, key string) (int, bool) {
	var e *element
	for name, who := range s.phones {
		if who == a {
			e = s.agents[name]
		}
	}
	if e == nil {
		return 0, false
	}
	text := e.attr[key]
	if key == "leg_timeout" {
		if m := legTimeout.FindStringSubmatch(e.attr["contact"]); m != nil {
			text = m[1]
		}
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n <= 1_000_000
}
