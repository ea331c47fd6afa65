package routingtest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// A case may be told as one would tell it: times one after the other, answers
// and instants that go without saying. What is read here is turned into the
// plain events that the rest knows.

// instant reads "+5s", "5s" or "20:59:30" as time since the case began; a time of
// day that has passed is the next day's. The first that a case names is +0s,
// unless it has set its clock.
func (c *Case) instant(word string, now *time.Duration) (time.Duration, error) {
	if clock, err := time.Parse("15:04:05", word); err == nil {
		y, m, d := begin.Date()
		at := time.Date(y, m, d, clock.Hour(), clock.Minute(), clock.Second(), 0, time.UTC)
		if c.t0.Equal(begin) && !slices.ContainsFunc(c.events, func(l line) bool { return !l.is("route") }) {
			c.t0 = at
		}
		since := at.Sub(c.t0)
		if since < *now {
			since += 24 * time.Hour // the next day's
		}
		return since, nil
	}
	return time.ParseDuration(strings.TrimPrefix(word, "+"))
}

// times takes "at +80s, +90s, +100s" out of a line. Without one there is none.
func (c *Case) times(l *line, now *time.Duration) ([]time.Duration, error) {
	i := slices.Index(l.words, "at")
	if i < 0 || i+1 == len(l.words) {
		return nil, nil
	}
	var out []time.Duration
	next := i + 1
	for more := true; more && next < len(l.words); next++ {
		var word string
		word, more = strings.CutSuffix(l.words[next], ",")
		at, err := c.instant(word, now)
		if err != nil {
			return nil, err
		}
		out = append(out, at)
	}
	l.words = slices.Concat(l.words[:i], l.words[next:])
	return out, nil
}

// answeredBetween has each call that an agent gets between two times of one
// line answered at once: "free ann at +80s, +90s".
func (c *Case) answeredBetween(l line) {
	if l.is("free") {
		c.events = append(c.events, line{text: "pickup", words: append([]string{"pickup"}, l.words[1:]...), at: l.at})
	}
}

// pickup answers what is being offered to agents.
func (r *runner) pickup(ids []string) error {
	for _, id := range ids {
		for _, o := range r.offers {
			if o.Agent != agents.ID(id) || r.over[o] {
				continue
			}
			if err := r.step(routing.PhoneAnswered{Offer: o}); err != nil {
				return err
			}
			break
		}
	}
	return nil
}

// noAnswer lets an offer end by itself.
func (r *runner) noAnswer(o routing.Offer) error {
	for n := 0; !r.over[o]; n++ {
		due, ok := r.engine.Deadline()
		if !ok || n > 1000 {
			return fmt.Errorf("%s does not end by itself", r.what(o))
		}
		if err := r.pass(due); err != nil {
			return err
		}
	}
	return nil
}

// finished notes that an offer is over, or was answered.
func (r *runner) finished(a routing.Action) {
	switch a := a.(type) {
	case routing.Withdraw:
		r.over[a.Offer] = true
	case routing.Connect:
		r.over[a.Offer] = true
	}
}

// answers has a call that AGENT is told to have passed on ("transfer c1 ... by
// bob") answered by AGENT at once, where nothing says when.
func (c *Case) answers() {
	c.passedOn = map[string]agents.ID{}
	said := map[string]bool{}
	for _, l := range c.events {
		switch {
		case l.is("answer") && len(l.words) > 1:
			said[l.words[1]] = true
		case l.is("transfer") && len(l.words) > 3 && l.words[2] == "by" && !said[l.words[1]]:
			c.passedOn[l.words[1]] = agents.ID(l.words[3])
		}
	}
}

// answersAtOnce answers an offer that nothing else of the case answers.
func (r *runner) answersAtOnce(o routing.Offer) {
	name := r.name(o.Call)
	if by, ok := r.passedOn[name]; ok && by == o.Agent {
		delete(r.passedOn, name)
		r.picks = append(r.picks, o)
	}
}

// popsApart says that a case is about the pop: its queues say how, and it tells
// what the desk does.
func (c *Case) popsApart() {
	about, acks := false, false
	for _, q := range c.policy.Queues {
		about = about || q.Pop != newQueue("").Pop
	}
	for _, l := range c.events {
		acks = acks || l.is("ack")
	}
	c.apart = c.apart || about && acks
}

// playedUnsaid says whether the announcement that we are closed is over at once:
// where the case does not tell when announcements are.
func (c *Case) playedUnsaid() bool {
	return !slices.ContainsFunc(c.events, func(l line) bool { return l.is("played") })
}

// closing notes that a caller hears the product's own announcement that we are
// closed.
func (r *runner) closing(a routing.Action) {
	if t, ok := a.(routing.Treat); ok && t.Why == "closed" && t.Play == newQueue("").Closed.Play && r.quickPlay {
		r.plays = append(r.plays, t.Call)
	}
}

// playedOut ends those announcements.
func (r *runner) playedOut(err error) error {
	for err == nil && len(r.plays) > 0 {
		call := r.plays[0]
		r.plays = r.plays[1:]
		err = r.step(routing.TreatmentPlayed{Call: call})
	}
	return err
}

var segmentWords = regexp.MustCompile(`customer\.segment\s*(?:==|!=|in)\s*((?:\[[^\]]*\])|'[^']*'|"[^"]*")`)
var quotedWord = regexp.MustCompile(`['"]([^'"]*)['"]`)

// segmentsNamed declares the segments that a case names, where it declares none.
func (c *Case) segmentsNamed() {
	if len(c.policy.Segments) > 0 {
		return
	}
	add := func(name string) {
		if name != "" && !slices.Contains(c.policy.Segments, name) {
			c.policy.Segments = append(c.policy.Segments, name)
		}
	}
	for _, l := range c.events {
		add(l.opts["customer.segment"])
		if l.is("record") || l.is("enters") {
			add(l.opts["segment"])
		}
		for _, m := range segmentWords.FindAllStringSubmatch(l.text, -1) {
			for _, w := range quotedWord.FindAllStringSubmatch(m[1], -1) {
				add(w[1])
			}
		}
	}
}

var instantShown = regexp.MustCompile(`(?m)^\s*(\+[0-9]+m?s|[0-9]{2}:[0-9]{2}:[0-9]{2})\s`)

// Until has time pass to the last instant that is shown below the line.
func (c *Case) Until(below string) error {
	last := time.Duration(0)
	for _, m := range instantShown.FindAllStringSubmatch(below, -1) {
		d, err := c.instant(m[1], &last)
		if err != nil {
			return err
		}
		last = max(last, d)
		if at := c.t0.Add(d); at.After(c.until) {
			c.until = at
		}
	}
	return nil
}
