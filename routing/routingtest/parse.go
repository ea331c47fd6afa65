// Package routingtest runs the transcripts of routing/testdata: small worked
// cases in plain words, each with what the engine must do line by line. It
// drives the engine in virtual time; tests are its only callers. The grammar
// is in routing/testdata/README.md.
package routingtest

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/routing/rule"
)

// begin is the instant called +0s unless a case sets its clock.
var begin = time.Date(2026, 4, 15, 10, 0, 0, 0, time.UTC)

// Case is one transcript.
type Case struct {
	policy *routing.Policy
	t0     time.Time
	sliced bool // one decision a Step
	apart  bool // show pop, ack and ring apart
	// messagesApart: the case says what callers leave in mailboxes.
	messagesApart bool
	// explained shows the record of each decision below it.
	explained bool
	staff     []person
	events    []line
	direct    map[string]string // route name by queue and priority
	places    []routing.Region
	known     rule.Predicates // of all versions
	names     map[string]routing.CallID
	// versions says that the case names its version, and shows those of calls.
	versions bool
	order    []string // call names by number
	asked    []asked
	offers   []offered
	passedOn map[string]agents.ID // who answers a call at once, to pass it on
	until    time.Time            // time passes to here when all has happened
}

// person is an agent as a case begins.
type person struct {
	id         agents.ID
	idle       time.Duration
	away       string
	talking    string // call name, or "-" for a call that is not part of the case
	queue      string
	wrap       time.Duration // in wrap-up so long
	out, nodsk bool
}

// line is one event: its words, its options, its instant.
type line struct {
	text   string
	words  []string
	remark string
	opts   map[string]string
	at     time.Time
}

// Parse reads the part of a transcript above the line.
func Parse(text string) (*Case, error) {
	c := &Case{t0: begin, direct: map[string]string{}, names: map[string]routing.CallID{}, policy: &routing.Policy{
		Version: 1, Zone: time.UTC, MilliPoints: 1000, Service: figures.Defaults(),
		Record:    routing.RecordPolicy{Deadline: 800 * time.Millisecond, Reconsider: true, LateFor: 30 * time.Second},
		Transfers: routing.TransferPolicy{CreditWaited: true, UnansweredAfter: 45 * time.Second, UnansweredReturn: true},
		Sites:     map[string]*routing.Site{}, Calendars: map[string]*routing.Calendar{}, Topics: map[string]*routing.Topic{}, Queues: map[string]*routing.Queue{},
		Sets: map[string][]routing.Disposition{}, Agents: map[agents.ID]agents.Agent{}, Route: &rule.Node{Name: "root"},
	}}
	c.policy.Queues["elsewhere"] = newQueue("elsewhere")
	now := time.Duration(0)
	for i, raw := range strings.Split(text, "\n") {
		l, err := split(raw)
		if err == nil && len(l.words) > 0 {
			err = c.read(l, &now)
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	c.answers()
	c.popsApart()
	c.segmentsNamed()
	return c, c.routes()
}

// split takes a line apart into words and options; quotes keep spaces, and a
// remark in parentheses at the end stands apart.
func split(raw string) (line, error) {
	l := line{text: strings.TrimSpace(raw), opts: map[string]string{}}
	l.text, l.remark = cutRemark(l.text)
	var fields []string
	quoted := false
	for _, part := range strings.Split(l.text, `"`) {
		if quoted {
			fields[len(fields)-1] += part
		} else {
			more := strings.Fields(part)
			if strings.HasPrefix(part, "#") && len(fields) == 0 {
				return line{text: l.text}, nil
			}
			fields = append(fields, more...)
		}
		quoted = !quoted
	}
	if !quoted {
		return l, fmt.Errorf("a quote is not closed")
	}
	for _, f := range fields {
		if strings.HasPrefix(f, "#") && len(l.words) > 1 {
			l.words = append(l.words, f)
			continue
		}
		k, v, ok := strings.Cut(f, "=")
		if ok && k != "" && len(l.words) > 0 {
			if l.opts[k] != "" {
				v = l.opts[k] + " " + v
			}
			l.opts[k] = v
		}
		if !ok || l.is("agents") || l.is("signin") {
			l.words = append(l.words, f)
		}
	}
	return l, nil
}

// cutRemark takes "(...)" off the end of a line.
func cutRemark(text string) (rest, remark string) {
	i := strings.LastIndex(text, " (")
	if i < 0 || !strings.HasSuffix(text, ")") || strings.HasPrefix(text, "#") || strings.Contains(text[i:], `"`) {
		return text, ""
	}
	return strings.TrimSpace(text[:i]), text[i+2 : len(text)-1]
}

// Remarks that mean something.
const (
	remarkSlice   = "slice: one decision" // of a queue: in each Step of the case
	remarkBetween = "between the slices"  // of an event: before what is pending
)

func (l line) is(word string) bool { return len(l.words) > 0 && l.words[0] == word }

func (c *Case) read(l line, now *time.Duration) error {
	switch l.words[0] {
	case "clock":
		t, err := time.Parse("15:04:05", l.words[1])
		if err != nil {
			return err
		}
		y, m, d := begin.Date()
		c.t0 = time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
	case "messages":
		c.messagesApart = true
	case "pops":
		c.apart = true
	case "explained":
		c.explained = true
	case "languages":
		c.policy.Languages = l.words[1:]
		c.policy.DefaultLanguage = l.words[1]
	case "segments":
		c.policy.Segments = l.words[1:]
	case "queue":
		c.sliced = c.sliced || l.remark == remarkSlice
		c.version(l)
		return c.queue(c.policy, l)
	case "topic":
		return c.topic(l)
	case "menu":
		return c.menu(l)
	case "line":
		return c.dialledLine(l)
	case "fields":
		return c.fields(l)
	case "region":
		return c.region(l)
	case "site":
		return c.site(l)
	case "route":
		c.events = append(c.events, l) // compiled once everything is named
	case "record":
		if len(l.words) == 1 {
			return c.record(l)
		}
		return c.event(l, now)
	case "transfers":
		return c.transfers(l)
	case "order":
		return c.orderBy(l)
	case "statistics":
		return c.statistics(l)
	case "agents":
		return c.agents(l)
	default:
		return c.event(l, now)
	}
	return nil
}

// event reads "... at +5s" and keeps the line; without "at" it happens at the
// instant of the line before. "advance 20s" only lets time pass.
func (c *Case) event(l line, now *time.Duration) error {
	if l.is("advance") && len(l.words) > 2 && l.words[1] == "to" {
		at, err := c.instant(l.words[2], now)
		*now = max(*now, at)
		l.at = c.t0.Add(*now)
		c.events = append(c.events, l)
		return err
	}
	if l.is("advance") {
		d, err := time.ParseDuration(l.words[1])
		*now += d
		l.at = c.t0.Add(*now)
		c.events = append(c.events, l)
		return err
	}
	times, err := c.times(&l, now)
	if err != nil {
		return err
	}
	if len(times) == 0 {
		times = []time.Duration{*now}
	}
	for i, at := range times {
		if at < *now {
			return fmt.Errorf("%s is before the line above", at)
		}
		if i > 0 {
			c.answeredBetween(line{words: l.words, at: l.at})
		}
		*now = at
		l.at = c.t0.Add(at)
		c.events = append(c.events, l)
	}
	return c.declare(l)
}

// declare notes what an event mentions before it happens.
func (c *Case) declare(l line) error {
	switch l.words[0] {
	case "arrive":
		for _, name := range l.words[1:] {
			c.number(name)
		}
		if l.opts["queue"] != "" || l.opts["priority"] != "" {
			key := l.opts["queue"] + "/" + l.opts["priority"]
			c.direct[key] = "direct"
		}
	case "signin":
		id, skills, ok := strings.Cut(l.words[1], "=")
		l.words[1] = id // of the event as well
		if skills = first(skills, l.opts["skills"]); ok || skills != "" {
			return c.agents(line{words: []string{"agents", id + "=" + skills, "signed_out"}})
		}
	}
	return nil
}

func (c *Case) number(name string) routing.CallID {
	id, ok := c.names[name]
	if !ok {
		id = routing.CallID(len(c.names) + 1)
		c.names[name] = id
		c.order = append(c.order, name)
	}
	return id
}

func (c *Case) agents(l line) error {
	var p *person
	for _, w := range l.words[1:] {
		k, v, pair := strings.Cut(w, "=")
		switch {
		case pair && k == "idle":
			d, err := time.ParseDuration(v)
			if err != nil {
				return err
			}
			p.idle = d
		case pair && k == "wrap_up":
			d, err := time.ParseDuration(v)
			if err != nil {
				return err
			}
			p.talking, p.wrap = "-", d
			c.wrapping(d)
		case pair && k == "away":
			p.away = v
		case pair && k == "queue":
			p.queue = v
			c.direct[v+"/"] = "direct"
		case pair && (k == "phone" || k == "team" || k == "site" || k == "login"):
			a := c.policy.Agents[p.id]
			switch k {
			case "phone":
				a.Phone = phone(v, a.Phone)
			case "login":
				a.Desk = v != "phone"
			case "site":
				a.Site = v
			default:
				a.Team = v
			}
			c.policy.Agents[p.id] = a
		case pair:
			skills, err := levels(v)
			if err != nil {
				return err
			}
			id := agents.ID(k)
			c.policy.Agents[id] = agents.Agent{ID: id, Name: k, Skills: agents.NewSkills(skills), Desk: true, Phone: agents.Phone{URI: "sip:" + k + "@192.0.2.1", AutoAnswer: true}}
			c.staff = append(c.staff, person{id: id})
			p = &c.staff[len(c.staff)-1]
		case w == "talking":
			p.talking = "-"
		case w == "signed_out":
			p.out = true
		case w == "no_desk":
			p.nodsk = true
		case p != nil && p.talking == "-":
			p.talking = w
			c.number(w)
			c.direct["/"] = "direct"
		default:
			return fmt.Errorf("agents: %q is not understood", w)
		}
	}
	return nil
}

// phone reads registered, mobile (which stands for any), a number or a contact.
func phone(v string, p agents.Phone) agents.Phone {
	switch {
	case v == "mobile":
		v = "+447700900000"
		fallthrough
	case strings.HasPrefix(v, "+"):
		return agents.Phone{Number: v}
	case strings.HasPrefix(v, "sip:"):
		p.URI = v
	}
	p.Registered = v == "registered"
	return p
}

func levels(s string) (map[agents.Skill]agents.Level, error) {
	out := map[agents.Skill]agents.Level{}
	if s == "" {
		return out, nil
	}
	for part := range strings.SplitSeq(s, ",") {
		name, level, _ := strings.Cut(part, ":")
		n, err := strconv.Atoi(level)
		if err != nil {
			return nil, fmt.Errorf("skill %q: level missing", part)
		}
		out[agents.Skill(name)] = agents.Level(n)
	}
	return out, nil
}
