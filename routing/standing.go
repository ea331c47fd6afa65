package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// What an explanation says of the rules of a queue: its bound, its reserves,
// what is firm and which steps' conditions did not hold.

// rules tells the bound and the reserves of the call's queue.
func (e *Engine) rules(c *call, r *Record) {
	if n := c.queue.MaxTalking; n > 0 {
		r.MaxTalking = &Occupied{Limit: n, Now: e.figure(c.queue.Name).occupied}
	}
	for i := range c.queue.Reserve {
		if s := e.standbyOf(c.queue.Name, c.queue.Reserve[i].Team); s != nil {
			out := Standby{Team: s.Team, Joined: s.joined, Join: e.measures(s)}
			if s.joined {
				out.Since = instant(s.since)
			}
			r.Reserve = append(r.Reserve, out)
		}
	}
}

// measures are the values that a reserve joins at, and what they are now.
func (e *Engine) measures(s *standby) (out []Measure) {
	f := e.figure(s.queue)
	if s.Join.Oldest > 0 {
		m := Measure{Name: "oldest_s", At: int(s.Join.Oldest / time.Second)}
		if c, ok := f.age.First(); ok {
			m.Now = int((e.now - c.since) / second)
		}
		out = append(out, m)
	}
	if s.Join.Waiting > 0 {
		out = append(out, Measure{"waiting", s.Join.Waiting, f.waiting})
	}
	if s.Join.EWT > 0 {
		m := Measure{"ewt_s", int(s.Join.EWT / time.Second), -1}
		if seconds, known := e.expects(s.queue); known {
			m.Now = seconds
		}
		out = append(out, m)
	}
	if s.Join.SLBelow > 0 {
		out = append(out, Measure{"sl_below", s.Join.SLBelow, e.levelOf(s.queue)})
	}
	return out
}

// standbyWords says when a team that stands by would join.
func (e *Engine) standbyWords(q *Queue, team string) string {
	s := e.standbyOf(q.Name, team)
	if s == nil {
		return "reserve"
	}
	var parts []string
	for _, m := range e.measures(s) {
		now := fmt.Sprint(m.Now)
		if m.Now < 0 {
			now = "unknown"
		}
		parts = append(parts, fmt.Sprintf("%s %d now %s", m.Name, m.At, now))
	}
	return fmt.Sprintf("reserve:%s joins at %s", team, strings.Join(parts, " or "))
}

// firmNeeds are the additions of route and topic to the need of every step.
func (c *call) firmNeeds(e *Engine) (out []FirmNeed) {
	for _, a := range c.additional() {
		f := FirmNeed{Need: needWords(requirement(a.need, rule.Need{}, Caller{Language: c.language(c.plan), Site: e.siteOf(c)}, c.queue.SpeakLevel))}
		if a.until > 0 {
			f.Until, f.Over = instant(a.until), a.until <= e.now
		}
		out = append(out, f)
	}
	return out
}

// falseStep is why the condition of a step did not hold at its moment.
type falseStep struct {
	after time.Duration
	when  string
	term  string
	saw   []Attribute
}

// watchFalse keeps why a step's condition does not hold, just asked.
func (e *Engine) watchFalse(c *call, s *Step) {
	if !e.watches(c) {
		return
	}
	work := e.slice
	defer func() { e.slice = work }()
	f := falseStep{after: s.After, when: s.When.String(), term: s.When.FirstFalse(&e.env, true)}
	for _, name := range s.When.Study().Reads {
		if v, missing := e.env.Value(name); v != nil {
			f.saw = append(f.saw, Attribute{name, v, sourceOf(c, name), missing})
		}
	}
	slices.SortFunc(f.saw, func(a, b Attribute) int { return strings.Compare(a.Name, b.Name) })
	e.watch.falses[c.id] = append(e.watch.falses[c.id], f)
}

// skippedBy is a step that the visit left out, and why as far as that was
// watched.
func (e *Engine) skippedBy(c *call, n int) SkippedStep {
	out := SkippedStep{Step: n, Why: "condition"}
	if n-2 >= len(c.queue.Steps) || c.queue.Steps[n-2].When == nil {
		return out // a reload has made the queue shorter
	}
	s := &c.queue.Steps[n-2]
	out.When = hideLiterals(c.plan, s.When.String())
	if e.watch == nil {
		return out
	}
	for _, f := range e.watch.falses[c.id] {
		if f.after == s.After && f.when == s.When.String() {
			out.False, out.Saw = hideLiterals(c.plan, f.term), f.saw
		}
	}
	return out
}

// hideLiterals writes a condition that reads what stays at the rim without the
// texts it compares with: beside "true" they would be the caller's number or
// name. A short prefix of a number names nobody.
func hideLiterals(p *plan, source string) string {
	reads := strings.Contains(source, "call.ani") || strings.Contains(source, "customer.id")
	for name, kind := range p.Fields {
		reads = reads || kind == "person" && strings.Contains(source, "customer."+name)
	}
	if !reads {
		return source
	}
	var b strings.Builder
	for i := 0; i < len(source); {
		quote := source[i]
		if quote != '"' && quote != '\'' && quote != '`' {
			b.WriteByte(quote)
			i++
			continue
		}
		end := i + 1
		for end < len(source) && source[end] != quote {
			if source[end] == '\\' && quote != '`' {
				end++
			}
			end++
		}
		text := source[i+1 : min(end, len(source))]
		if names(text) {
			b.WriteString(`"…"`)
		} else {
			b.WriteString(source[i:min(end+1, len(source))])
		}
		i = end + 1
	}
	return b.String()
}

// longestPrefix is how much of a number names a country or a network, not a
// person.
const longestPrefix = 7

// names says that a text of a condition may name a person.
func names(text string) bool {
	if text == "" || strings.HasPrefix(text, "call.") || strings.HasPrefix(text, "customer.") { // has("customer.contact")
		return false
	}
	digits := strings.TrimPrefix(text, "+")
	return len(digits) > longestPrefix || strings.Trim(digits, "0123456789") != ""
}
