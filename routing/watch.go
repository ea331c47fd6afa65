package routing

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/match"
	"github.com/cordboard/cordboard/routing/rule"
)

// watch is who wants the records of decisions. An engine that serves has none:
// a record costs the size of the centre, and what it needs besides the journal
// is nothing (docs/explain.md).
type watch struct {
	call   CallID // 0: all
	tell   func(Record)
	routes map[CallID]readRoute
	asked  map[*plan][]string // the names that a version's conditions read
	falses map[CallID][]falseStep
}

// readRoute is how a call's routes were read the last time.
type readRoute struct {
	tried      []Tried
	attributes []Attribute
}

// Watch has the record of each decision about a call handed over from now on,
// at the instant of the decision; 0 stands for every call, and a nil tell ends
// it. tell is called within Step and must not call the engine. It changes no
// decision.
func (e *Engine) Watch(call CallID, tell func(Record)) {
	e.watch = nil
	if tell != nil {
		e.watch = &watch{call, tell, map[CallID]readRoute{}, map[*plan][]string{}, map[CallID][]falseStep{}}
	}
}

func (e *Engine) watches(c *call) bool {
	return e.watch != nil && (e.watch.call == 0 || e.watch.call == c.id)
}

// watchRoute keeps how the routes were read, at the instant they were.
func (e *Engine) watchRoute(c *call) {
	if !e.watches(c) || c.given != nil {
		return
	}
	work := e.slice
	defer func() { e.slice = work }() // an engine that is not watched slices alike
	var r readRoute
	r.tried = e.tried(c)
	r.attributes = e.attributes(c)
	e.watch.routes[c.id] = r
}

// watchDecision hands over the record of a decision that is being taken.
func (e *Engine) watchDecision(c *call, chosen *agent, kind string, why Reason) {
	if !e.watches(c) {
		return
	}
	work := e.slice
	defer func() { e.slice = work }()
	r := e.record(c, chosen, kind, why)
	r.Units = work.units
	read := e.watch.routes[c.id]
	r.Route.Tried, r.Attributes = read.tried, read.attributes
	e.watch.tell(r)
}

// tried reads the routes once more, as they were read just now.
func (e *Engine) tried(c *call) (out []Tried) {
	e.fill(c)
	at, lang, topic := c.plan.root, c.attrs.Language, c.attrs.Topic
	for {
		var next *route
		for _, r := range at.children {
			if r.node.When != nil && !r.node.When.Eval(&e.env) {
				out = append(out, Tried{r.path, hideLiterals(c.plan, r.node.When.FirstFalse(&e.env, c.resolved))})
				continue
			}
			lang, topic = cmp.Or(r.node.SetLanguage, lang), cmp.Or(r.node.SetTopic, topic)
			e.env.Call.Language, e.env.Call.Topic = lang, topic
			if !r.node.GoOn {
				next = r
				break
			}
			out = append(out, Tried{Route: r.path})
		}
		if next == nil {
			return out
		}
		at = next
	}
}

// attributes are what the document's conditions ask of calls, as they were for
// this one.
func (e *Engine) attributes(c *call) (out []Attribute) {
	names, known := e.watch.asked[c.plan]
	if !known {
		names = c.plan.asked()
		e.watch.asked[c.plan] = names
	}
	e.fill(c)
	e.env.Call.Language, e.env.Call.Topic = c.said.language, c.topic
	for i, p := range c.plan.Predicates { // what they read stays at the rim
		out = append(out, Attribute{hideLiterals(c.plan, p.Source), e.predicate(i), "rim", false})
	}
	for _, name := range names {
		v, missing := e.env.Value(name)
		if v == nil && (!missing || c.plan.Fields[strings.TrimPrefix(name, "customer.")] == "") {
			continue // read at the rim
		}
		out = append(out, Attribute{name, v, sourceOf(c, name), missing})
	}
	return out
}

// sourceOf is where an attribute comes from.
func sourceOf(c *call, name string) string {
	switch {
	case name == "call.language" && c.said.language != c.attrs.Language, name == "call.topic" && c.topic != c.attrs.Topic:
		return "route"
	case name == "call.waited", name == "call.transfers", name == "call.kind", name == "call.offers", name == "call.from_queue",
		strings.HasPrefix(name, "queue"), strings.HasPrefix(name, "time."):
		return "routing"
	case strings.HasPrefix(name, "customer."):
		return "record"
	}
	return "signalling"
}

// asked are the call. and customer. names that conditions read, sorted.
func (p *plan) asked() (out []string) {
	var look func(*rule.Node)
	look = func(n *rule.Node) {
		if n.When != nil {
			out = append(out, n.When.Fields()...)
		}
		for _, child := range n.Children {
			look(child)
		}
	}
	look(p.root.node)
	slices.Sort(out)
	return slices.Compact(out)
}

// record is all about a decision: it costs the size of the centre. chosen is
// nil while nobody is.
func (e *Engine) record(c *call, chosen *agent, kind string, why Reason) Record {
	r, step := e.outline(c, chosen, kind, why)
	if chosen != nil && why.Trigger == "agent_free" {
		r.Among, r.Next = e.choices(c, chosen)
	}
	switch {
	case chosen == nil || why.Prefer != "":
	case why.Trigger == "agent_free": // the agent chose the call: nobody else was asked
		r.Terms = e.term(nil, c, chosen, step)
	default:
		r.Terms = e.firstTerms(c, chosen, step)
	}
	e.everybody(c, chosen, step, &r)
	r.Counterfactual = e.nearest(c, chosen, step)
	return r
}

// outline is the state of a call as a decision finds it, and the place of its
// step among the demand's: what costs little.
func (e *Engine) outline(c *call, chosen *agent, kind string, why Reason) (Record, int) {
	r := Record{
		Kind: kind, Call: c.id, At: instant(e.now), Version: c.plan.Version, Trigger: why.Trigger, Route: Route{Path: c.rule()},
		Queue: c.queue.Name, Topic: c.topic, Language: c.language(c.plan), Entered: instant(c.entered), Since: instant(c.since),
		Priority: c.priority(), CameBack: int(c.came), Policy: c.queue.Choose, Prefer: why.Prefer, HeldFor: why.HeldFor, ByClock: c.stepNow(),
	}
	if c.plan.MilliPoints > 0 {
		r.Turn = instant(c.turn())
	}
	if c.base > 0 {
		r.Points = append(r.Points, Addition{"route", int(c.base)})
	}
	r.Points = append(r.Points, c.additions()...)
	d := c.demand
	step := d.reach(c.step)
	if chosen != nil {
		r.Attempt, r.Chosen = c.tries+1, chosen.id
		step = max(d.fits(chosen.profile), 0)
	}
	r.Step, r.Need, r.Steps = d.number(step), needWords(d.reqs[step]), d.stepNeeds()
	for _, n := range c.skippedSteps() {
		r.Skipped = append(r.Skipped, e.skippedBy(c, n))
	}
	for i := d.index[c.step]; i < step; i++ {
		r.Skipped = append(r.Skipped, SkippedStep{Step: d.number(i), Why: "vacant"})
	}
	r.Firm = c.firmNeeds(e)
	e.standing(c, &r)
	e.rules(c, &r)
	for i := range c.prefer() {
		r.Preferred = append(r.Preferred, c.preferred(i, why.Prefer != "" && chosen != nil))
	}
	return r, step
}

// stepNeeds are the steps that a visit can use.
func (d *demand) stepNeeds() (out []StepNeed) {
	for i, n := range d.numbers {
		s := StepNeed{Step: d.number(i), Need: needWords(d.reqs[i]), Staffed: d.staff[i]}
		if n > 0 {
			s.After = durationWords(d.queue.Steps[n-1].After)
		}
		if i >= d.counted {
			s.When = d.queue.Steps[n-1].When.String()
		}
		out = append(out, s)
	}
	return out
}

// preferred is one entry of those that the call waits for.
func (c *call) preferred(i int, chosen bool) Preferred {
	p := &c.prefer()[i]
	out := Preferred{Entry: p.kind, WaitS: int(p.wait / second), Outcome: "pending"}
	for _, a := range p.agents {
		out.Agents = append(out.Agents, a.id)
	}
	switch {
	case i < c.wish.at:
		out.Outcome = "passed"
	case i == c.wish.at && chosen:
		out.Outcome = "chosen"
	case i == c.wish.at && len(c.wanted()) > 0:
		out.Outcome = "held"
	}
	return out
}

// firstTerms are the values that decided between the first candidates, the
// best first.
func (e *Engine) firstTerms(c *call, chosen *agent, step int) (out []Term) {
	type candidate struct {
		agent *agent
		key   match.Candidate
	}
	var all []candidate
	e.index.freeAt(c.demand, step, func(slot int) bool {
		p := e.index.profiles[slot]
		if !c.queue.alongside(p, chosen.profile) {
			return true
		}
		p.free.Ascend(func(a *agent) bool {
			if a == chosen || e.mayTake(c, a) && !e.waitsToTake(a) {
				all = append(all, candidate{a, e.candidate(c, a, step)})
			}
			return true
		})
		return true
	})
	slices.SortFunc(all, func(x, y candidate) int {
		return match.Compare(c.queue.Choose, x.key, y.key)
	})
	for _, k := range all[:min(len(all), maxTerms)] {
		out = e.term(out, c, k.agent, step)
	}
	return out
}

// everybody says of each agent who is signed in why the call is not theirs.
func (e *Engine) everybody(c *call, chosen *agent, step int, r *Record) {
	r.SignedIn = len(e.roster)
	named := len(e.roster) <= MaxNamed
	if !named {
		r.Counts = map[string]int{}
	}
	for _, a := range e.roster {
		if a == chosen {
			continue
		}
		if slices.Contains(e.picked, a) {
			r.Group = append(r.Group, a.id)
			continue
		}
		code := e.whyNot(c, a, chosen, step)
		switch {
		case code == "":
			r.Free = append(r.Free, a.id)
		case named:
			r.LeftOut = append(r.LeftOut, LeftOut{a.id, code})
		default:
			r.Counts[code]++
		}
	}
}

// standing is the call's place in the line of its queue, and how long it will
// wait there.
func (e *Engine) standing(c *call, r *Record) {
	if c.lined == notLined {
		return
	}
	r.Position = e.position(c)
	if before, ok := e.figure(c.queue.Name).line.Before(c.lineKey()); ok {
		r.Ahead = before.id
	}
	if w := e.expected(c, e.now); w.Known {
		r.EWT = &ExpectedWait{w.Method, w.Seconds}
	}
}

// choices counts the calls that an agent who became free can take, and finds
// the one that is next after the chosen.
func (e *Engine) choices(c *call, a *agent) (among int, next CallID) {
	var best *call
	better := func(o *call) bool {
		if best == nil {
			return true
		}
		if o.front != best.front {
			return o.front
		}
		return o.key.Compare(best.key) < 0
	}
	look := func(o *call) bool {
		if !e.mayTake(o, a) || e.full(o.queue) {
			return true
		}
		among++
		if o != c && better(o) {
			best = o
		}
		return among < maxAmong
	}
	e.front.Ascend(func(o *call) bool { return !e.fitsNow(o, a) || e.standsBy(o.queue, a.profile.team) || look(o) })
	a.own.Ascend(func(o *call) bool {
		return !e.suits(o, o.preferring(), a) || look(o)
	})
	e.index.among(a.profile, e.index.queued, func(d *demand) {
		if e.standsBy(d.queue, a.profile.team) {
			return
		}
		for step := range d.classes {
			if d.fits(a.profile) <= d.vacant(step) {
				d.classes[step].Ascend(look)
			}
		}
	})
	if best != nil {
		next = best.id
	}
	return among, next
}

// Decide chooses again among the candidates of a record: by their values, then
// as they stand, which is by idle time and id. "" for a record of no choice.
func (r *Record) Decide() agents.ID {
	if len(r.Terms) == 0 {
		return r.Chosen
	}
	first := candidateTerms(r.Terms)
	best := first
	for rest := r.Terms[len(first):]; len(rest) > 0; {
		next := candidateTerms(rest)
		rest = rest[len(next):]
		if better(r.Policy, next, best) {
			best = next
		}
	}
	return best[0].Agent
}

// candidateTerms are the terms of the first agent of a list.
func candidateTerms(terms []Term) []Term {
	n := 1
	for n < len(terms) && terms[n].Agent == terms[0].Agent {
		n++
	}
	return terms[:n]
}

// better compares the terms of two candidates as the policy does.
func better(policy string, a, b []Term) bool {
	for i := range min(len(a), len(b)) {
		x, y := a[i].Value, b[i].Value
		if x == y {
			continue
		}
		switch {
		case a[i].Name == "offered_s" && min(x, y) < 0: // never offered one
			return x < 0
		case policy == match.LeastSkilled, a[i].Name == "busy_share", a[i].Name == "calls":
			return x < y
		}
		return x > y
	}
	return false
}

// untilText is a whole number of seconds from now, rounded up.
func untilText(now, due int64) string {
	return durationWords(time.Duration((due-now+second-1)/second) * time.Second)
}

// durationWords writes 90s as 1m30s and 2m0s as 2m.
func durationWords(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}
