package convert

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FreeSWITCH converts callcenter.conf.xml as mod_callcenter's documentation
// describes it: queues, agents, and the tiers that join them. Tier t of a queue
// is level 11 - t of a skill with its name.
func FreeSWITCH(f File, o Options) (Result, error) {
	c := newCentre(o, f.Name)
	s := &freeswitch{centre: c, agents: map[string]*element{}}
	if err := s.read(f.Data); err != nil {
		return Result{}, fmt.Errorf("%s: %w", f.Name, err)
	}
	for _, e := range s.queues {
		s.queue(e)
	}
	for _, e := range s.tiers {
		if !slices.ContainsFunc(s.queues, func(q *element) bool { return q.attr["name"] == e.attr["queue"] }) {
			s.note(e.line, "tier", "of queue %q, which the file does not have: left out", e.attr["queue"])
		}
	}
	return c.result()
}

// element is a queue, agent or tier: its attributes, and its params, which
// FreeSWITCH reads alike.
type element struct {
	line   int
	attr   map[string]string
	params []param
}

type param struct {
	name, value string
	line        int
}

type freeswitch struct {
	*centre
	queues []*element
	agents map[string]*element
	tiers  []*element
}

// read collects the elements with their lines.
func (s *freeswitch) read(data []byte) error {
	d := xml.NewDecoder(bytes.NewReader(data))
	var open *element
	for {
		line, _ := d.InputPos()
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		e := &element{line: line, attr: map[string]string{}}
		for _, a := range start.Attr {
			e.attr[a.Name.Local] = a.Value
		}
		switch start.Name.Local {
		case "queue":
			s.queues, open = append(s.queues, e), e
		case "agent":
			s.agents[e.attr["name"]], open = e, e
		case "tier":
			s.tiers, open = append(s.tiers, e), e
		case "param":
			if open == nil {
				s.note(line, "settings."+e.attr["name"], "left out: the store is the server file's")
				continue
			}
			open.params = append(open.params, param{e.attr["name"], e.attr["value"], line})
		case "X-PRE-PROCESS":
			s.note(line, start.Name.Local, "not followed: give one file with everything in it")
		}
	}
}

func (s *freeswitch) queue(e *element) {
	was := e.attr["name"]
	name, _, _ := strings.Cut(was, "@")
	q := s.addQueue(was, name, e.line)
	q.ring = 20 * time.Second
	p := s.params(e, was)
	s.strategy(q, e, p)
	s.members(q, was)
	s.tierRules(q, p)
	if n := p.seconds("max-wait-time"); n > 0 {
		q.late = min(max(time.Duration(n)*time.Second, 10*time.Second), 4*time.Hour)
	}
	if n := p.seconds("max-wait-time-with-no-agent"); n > 0 {
		q.nobody = min(time.Duration(n)*time.Second, time.Hour)
	}
	if v, line := p.text("moh-sound"); v != "" {
		q.music = s.sound(line, was+".moh-sound", v)
	}
	s.credits(p)
	s.staffParams(q)
	if len(q.members) == 0 {
		s.note(e.line, was, "no tier: agents that are added by command are not in this file")
	}
	if q.group > 0 {
		q.group = min(max(len(q.members), 2), 8)
		if len(q.members) > 8 {
			s.note(e.line, was+".strategy", "rings %d agents at once: the best 8", len(q.members))
		}
	}
	p.rest()
}

// callcenterStrategies are mod_callcenter's.
var callcenterStrategies = map[string]struct {
	policy, note string
	group        bool
}{
	"longest-idle-agent":          {policy: "longest_idle"},
	"round-robin":                 {policy: "round_robin"},
	"top-down":                    {policy: "most_skilled"},
	"agent-with-fewest-calls":     {policy: "fewest_calls"},
	"agent-with-least-talk-time":  {policy: "least_occupied", note: "by share of time busy, wrap-up with it"},
	"sequentially-by-agent-order": {policy: "most_skilled"},
	"ring-all":                    {policy: "longest_idle", group: true},
	"ring-progressively":          {policy: "longest_idle", group: true, note: "rings one more at a time there: all of the group at once here"},
	"random":                      {policy: "round_robin", note: "no policy draws lots: round_robin"},
}

func (s *freeswitch) strategy(q *queue, e *element, p *params) {
	v, line := p.text("strategy")
	if v == "" {
		v, line = "longest-idle-agent", e.line
	}
	set, known := callcenterStrategies[v]
	if !known {
		s.note(line, q.was+".strategy", "%q is no strategy: longest_idle", v)
		return
	}
	q.policy = set.policy
	if set.group {
		q.group = 1
	}
	if set.note != "" {
		s.note(line, q.was+".strategy", "%s", set.note)
	}
}

// members joins the agents of a queue's tiers, those of the first tier and
// position first.
func (s *freeswitch) members(q *queue, was string) {
	var tiers []*element
	for _, t := range s.tiers {
		if t.attr["queue"] == was {
			tiers = append(tiers, t)
		}
	}
	slices.SortStableFunc(tiers, func(a, b *element) int {
		if by := s.place(a, "level") - s.place(b, "level"); by != 0 {
			return by
		}
		return s.place(a, "position") - s.place(b, "position")
	})
	for i, t := range tiers {
		level := max(1, topLevel+1-s.place(t, "level"))
		if q.policy == "most_skilled" { // the order within a tier is levels too
			level = max(1, topLevel-i)
		} else if s.place(t, "position") > 1 {
			s.note(t.line, was+".tier", "position %d says nothing to %s", s.place(t, "position"), q.policy)
		}
		who := s.agentOf(t)
		if slices.ContainsFunc(q.members, func(m member) bool { return m.agent == who }) {
			s.note(t.line, was+".tier", "%s is in this queue already: left out", t.attr["agent"])
			continue
		}
		q.members = append(q.members, member{agent: who, level: level, line: t.line})
	}
}

func (s *freeswitch) place(t *element, key string) int {
	if n, err := strconv.Atoi(t.attr[key]); err == nil && n > 0 {
		return n
	}
	return 1
}

// agentOf is the agent of a tier, whom the file may leave to a command.
func (s *freeswitch) agentOf(t *element) *agent {
	name := t.attr["agent"]
	user, _, _ := strings.Cut(name, "@")
	e := s.agents[name]
	if e == nil {
		if s.phones[name] == nil {
			s.note(t.line, "tier", "agent %s is not in this file: a telephone that registers here", user)
		}
		return s.person(name, user, "registered", t.line, "tier")
	}
	return s.person(name, user, s.contact(e, user), e.line, name+".contact")
}

var contactUser = regexp.MustCompile(`(?:^|\])(?:user/|sofia/[^/\]]+/(?:sip:)?)([^@,|;]+)(?:@([^,|;]+))?`)

// contact is the telephone of an agent's dial string.
func (s *freeswitch) contact(e *element, user string) string {
	path := e.attr["name"] + ".contact"
	if s.phones[e.attr["name"]] != nil {
		return ""
	}
	text := e.attr["contact"]
	if e.attr["type"] == "uuid-standby" {
		s.note(e.line, path, "a line that stands open can't be said: a telephone that registers here as %s", nameOf(user))
		return "registered"
	}
	m := contactUser.FindStringSubmatch(text)
	if m == nil || strings.Contains(text, "sofia/gateway/") {
		s.note(e.line, path, "the dial string is not understood: a telephone that registers here as %s", nameOf(user))
		return "registered"
	}
	if strings.ContainsAny(strings.TrimPrefix(text[strings.LastIndexByte(text, ']')+1:], "]"), ",|") {
		s.note(e.line, path, "several telephones: the first")
	}
	if strings.Contains(text, "sofia/") && m[2] != "" && !strings.Contains(m[2], "$") {
		return "sip:" + m[1] + "@" + strings.Trim(m[2], "/")
	}
	return s.telephone(m[1])
}
