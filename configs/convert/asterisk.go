package convert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Asterisk converts queues.conf, and with it queuerules.conf when there is one
// (app_queue's sample files describe both forms). A member's penalty p is
// level 10 - p of a skill with the queue's name, so that who has the least
// penalty is asked first.
func Asterisk(queues File, rules *File, o Options) (Result, error) {
	c := newCentre(o, queues.Name)
	sections, err := readINI(c, queues.Data)
	if err != nil {
		return Result{}, err
	}
	a := &asterisk{centre: c}
	if rules != nil {
		if err := a.readRules(*rules); err != nil {
			return Result{}, err
		}
	}
	for _, s := range sections {
		if s.name == "general" {
			a.general(s)
			continue
		}
		a.queue(s)
	}
	return c.result()
}

type asterisk struct {
	*centre
	rules map[string]*rule
}

// general says what becomes of each key of [general].
func (a *asterisk) general(s *section) {
	for _, e := range s.entries {
		path := "general." + e.key
		why, known := generalKeys[e.key]
		if !known {
			why = "not known here: left out"
		}
		a.note(e.line, path, "%s", why)
	}
}

func (a *asterisk) queue(s *section) {
	q := a.addQueue(s.name, s.name, s.line)
	a.strategy(s, q)
	for _, e := range s.entries {
		if e.key == "member" {
			a.member(s, q, e)
		}
	}
	a.timing(s, q)
	a.limits(s, q)
	a.announcements(s, q)
	a.empty(s, q)
	a.pause(s, q)
	if q.policy == "most_skilled" {
		a.inOrder(q)
	}
	if e, ok := s.last("defaultrule"); ok {
		a.follow(q, e)
	} else {
		a.prefer(q)
	}
	if len(q.members) == 0 {
		a.note(s.line, s.name, "no member: members that join by themselves are not in this file")
	}
	if q.group > 0 {
		q.group = min(max(len(q.members), 2), 8)
		if len(q.members) > 8 {
			a.note(s.line, s.name+".strategy", "rings %d members at once: the best 8", len(q.members))
		}
	}
	a.rest(s)
}

// strategies are app_queue's, its default first.
var strategies = map[string]struct {
	policy, note string
	group        bool
}{
	"ringall":     {policy: "longest_idle", group: true},
	"leastrecent": {policy: "longest_idle"},
	"fewestcalls": {policy: "fewest_calls"},
	"rrmemory":    {policy: "round_robin"},
	"rrordered":   {policy: "round_robin"},
	"roundrobin":  {policy: "round_robin"},
	"linear":      {policy: "most_skilled"},
	"random":      {policy: "round_robin", note: "no policy draws lots: round_robin"},
	"wrandom":     {policy: "round_robin", note: "no policy draws lots, and a penalty is a level here, no weight: round_robin"},
}

func (a *asterisk) strategy(s *section, q *queue) {
	e, ok := s.last("strategy")
	if !ok {
		e = entry{value: "ringall", line: s.line}
	}
	set, known := strategies[strings.ToLower(e.value)]
	if !known {
		a.note(e.line, s.name+".strategy", "%q is no strategy: longest_idle", e.value)
		return
	}
	q.policy = set.policy
	if set.group {
		q.group = 1 // its size is known with the members
	}
	if set.note != "" {
		a.note(e.line, s.name+".strategy", "%s", set.note)
	}
}

// member reads interface[,penalty[,name[,state interface[,ringinuse[,wrapuptime[,paused]]]]]].
func (a *asterisk) member(s *section, q *queue, e entry) {
	path := s.name + ".member"
	f := strings.Split(e.value, ",")
	for i := range f {
		f[i] = strings.Trim(strings.TrimSpace(f[i]), `"`)
	}
	f = append(f, make([]string, 7)...)
	if f[0] == "" {
		a.note(e.line, path, "no interface: left out")
		return
	}
	penalty, err := strconv.Atoi(orZero(f[1]))
	if err != nil || penalty < 0 {
		a.note(e.line, path, "penalty %q is no number from 0 on: 0", f[1])
		penalty = 0
	}
	if penalty > topLevel-1 {
		a.note(e.line, path, "penalty %d is level 1, as 9 is", penalty)
	}
	for i, what := range []string{"state interface: an agent's state is known here", "ringinuse: one call at a time, always", "wrap-up of a member: it is the queue's", "paused: agents sign in at the desk"} {
		if f[3+i] != "" {
			a.note(e.line, path, "%s", what)
		}
	}
	who := a.interfaceOf(e, path, f[0], f[2])
	if slices.ContainsFunc(q.members, func(m member) bool { return m.agent == who }) {
		a.note(e.line, path, "%s is in this queue already: left out", f[0])
		return
	}
	q.members = append(q.members, member{agent: who, level: levelOf(penalty), line: e.line})
}

// levelOf is the level of a penalty: 10 for 0, 1 for 9 and more.
func levelOf(penalty int) int { return max(1, topLevel-penalty) }

// interfaceOf is the agent behind technology/dialstring. One user is one agent,
// reached through the dialplan or not.
func (a *asterisk) interfaceOf(e entry, path, dial, name string) *agent {
	technology, user, ok := strings.Cut(dial, "/")
	if !ok {
		technology, user = "", dial
	}
	user, _, _ = strings.Cut(user, "@")
	key, address := user, a.telephone(user)
	switch strings.ToUpper(technology) {
	case "SIP", "PJSIP":
	case "LOCAL":
		a.note(e.line, path, "%s runs through the dialplan: the telephone is %s", dial, address)
	default:
		a.note(e.line, path, "%s is no SIP telephone: one that registers here", dial)
		key, address = dial, "registered"
	}
	if old := a.phones[key]; old != nil {
		if name != "" && name != old.name {
			a.note(e.line, path, "%s is %s already", dial, old.name)
		}
		return old
	}
	if name == "" {
		name = user
	}
	return a.person(key, name, address, e.line, path)
}

// inOrder gives the members of a linear queue levels in their order.
func (a *asterisk) inOrder(q *queue) {
	if slices.ContainsFunc(q.members, func(m member) bool { return m.level != topLevel }) {
		slices.SortStableFunc(q.members, func(x, y member) int { return y.level - x.level })
	}
	for i := range q.members {
		q.members[i].level = max(1, topLevel-i)
	}
	if len(q.members) > topLevel {
		a.note(q.line, q.was+".strategy", "linear: from the tenth member on the order is that of who is idle longest")
	}
}

// timing reads how long things last.
func (a *asterisk) timing(s *section, q *queue) {
	e, n := a.number(s, "timeout", 15)
	a.ringFor(q, e.line, s.name+".timeout", n)
	_, n = a.number(s, "wrapuptime", 0)
	q.wrapUp = min(time.Duration(n)*time.Second, 30*time.Minute)
	if e, n := a.number(s, "servicelevel", 0); n > 0 {
		q.answerWithin = min(time.Duration(n)*time.Second, time.Hour)
		if a.formula == "" {
			a.formula = "answered_only"
			a.note(e.line, s.name+".servicelevel", "the service level is that of the answered calls, as SL is; asterisk_sl2 is the other formula")
		}
	}
	if e, ok := s.last("musicclass"); ok && e.value != "" && e.value != "default" {
		q.music = nameOf(e.value)
		a.note(e.line, s.name+".musicclass", "a class of many files: put one sound named %s into the sounds folder", q.music)
	}
}

func (a *asterisk) limits(s *section, q *queue) {
	_, q.full = a.number(s, "maxlen", 0)
	if e, n := a.number(s, "weight", 0); n > 0 {
		q.weight = n
		a.note(e.line, s.name+".weight", "a head start of %d points a step of weight, no longer absolute: a call that has waited long comes first", weightPoints)
	}
}

// empty reads what becomes of callers when nobody is there. "Nobody" is said
// here of those who are not signed in; who is away, busy or ringing is there.
func (a *asterisk) empty(s *section, q *queue) {
	join, joins := s.last("joinempty")
	leave, leaves := s.last("leavewhenempty")
	turned := joins && join.value != "yes" && join.value != ""
	left := leaves && leave.value != "no" && leave.value != ""
	if !turned && !left {
		return
	}
	q.nobody = 0
	for _, e := range []entry{join, leave} {
		for word := range strings.SplitSeq(e.value, ",") {
			if word = strings.TrimSpace(word); slices.Contains([]string{"paused", "inuse", "ringing", "wrapup"}, word) {
				a.note(e.line, s.name+"."+e.key, "%s: a member who is signed in is there, whatever the state", word)
			}
		}
	}
	if turned && !left {
		a.note(join.line, s.name+".joinempty", "callers who wait already leave as well, once nobody is signed in")
	}
	if left && !turned {
		a.note(leave.line, s.name+".leavewhenempty", "callers who come are turned away as well, while nobody is signed in")
	}
}

// pause reads what becomes of a member who does not answer.
func (a *asterisk) pause(s *section, q *queue) {
	e, ok := s.last("autopause")
	switch {
	case !ok || e.value == "no":
		q.rona = "available"
	case e.value == "yes":
		a.note(e.line, s.name+".autopause", "not ready in all queues: an agent's state is one")
	case e.value != "all":
		a.note(e.line, s.name+".autopause", "%q is none of yes, no and all: not ready", e.value)
	}
}

// number reads a whole number from 0 on; the default where there is none.
func (a *asterisk) number(s *section, key string, or int) (entry, int) {
	e, ok := s.last(key)
	if !ok || e.value == "" {
		return entry{line: s.line}, or
	}
	n, err := strconv.Atoi(e.value)
	if err != nil || n < 0 || n > 1_000_000 {
		a.note(e.line, s.name+"."+key, "%q is no number of that kind: %d", e.value, or)
		return e, or
	}
	return e, n
}

// rest says what becomes of every key that was not read.
func (a *asterisk) rest(s *section) {
	for _, e := range s.entries {
		if slices.Contains(readKeys, e.key) {
			continue
		}
		why, known := queueKeys[e.key]
		switch {
		case !known && strings.HasPrefix(e.key, "queue-"):
			why = "the announcements are the product's own"
		case !known:
			why = "not known here: left out"
		}
		a.note(e.line, fmt.Sprintf("%s.%s", s.name, e.key), "%s", why)
	}
}

func orZero(text string) string {
	if text == "" {
		return "0"
	}
	return text
}
