package configs

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// queueSource remembers where a queue and its options stand.
type queueSource struct {
	node    *node
	options map[string]*node // given by the queue itself
}

// at is where an option of the queue stands: its own, else the queue.
func (s *queueSource) at(option string) *node {
	if n := s.options[option]; n != nil {
		return n
	}
	return s.node
}

// productDefaults is a queue that nobody has said anything about.
func productDefaults() routing.Queue {
	return routing.Queue{
		SpeakLevel:   5,
		AnswerWithin: 20 * time.Second,
		Choose:       "longest_idle",
		ChooseWindow: 30 * time.Minute,
		RingTimeout:  20 * time.Second,
		RONA:         routing.RONA{NotReady: true, After: 1},
		Pop:          routing.PopPolicy{Deadline: 1500 * time.Millisecond, Late: routing.LateRingAnyway},
		WrapUp:       routing.WrapUpPolicy{Time: 30 * time.Second, Disposition: "optional"},
		Closed:       rule.Treatment{Play: "closed", Hangup: true},
		AtClose:      routing.AtClose{Grace: 30 * time.Minute},
		Music:        "default",
		Announce:     announces(),
	}
}

// allQueues reads defaults and queues.
func (c *compiler) allQueues(o *object) {
	base := productDefaults()
	defaults := c.object(o.get("defaults"))
	if defaults.has("was") {
		defaults.conflict("was", "was is of one queue, and cannot stand under defaults")
		defaults.lookup("was")
	}
	c.options(defaults, &base)
	c.policy.Queues = map[string]*routing.Queue{}
	n := o.must("queues")
	all := c.object(n)
	if n != nil && !all.bad && len(all.pairs) == 0 {
		c.errorf(n, CodeMissing, "queues: there must be a queue")
	}
	for _, p := range all.pairs {
		if len(c.policy.Queues) == maxQueues {
			return
		}
		q := base
		q.Name = p.key
		src := &queueSource{node: p.value.in("queue " + p.key), options: map[string]*node{}}
		c.policy.Queues[p.key], c.queues[p.key] = &q, src
		if p.value.kind == kindNull { // a queue that takes every default
			c.checkQueue(&q, src)
			continue
		}
		qo := c.object(p.value)
		c.was(qo, &q)
		c.options(qo, &q)
		for _, option := range qo.pairs {
			src.options[option.key] = option.value
		}
		c.checkQueue(&q, src)
	}
}

// was reads the name that a queue had before.
func (c *compiler) was(o *object, q *routing.Queue) {
	n := o.get("was")
	if n == nil {
		return
	}
	old := c.name(n)
	switch {
	case old == "":
	case slices.Contains(c.names.queues, old):
		c.errorf(n, CodeConflict, "%s: there is a queue %s: a queue that is renamed has its old name no longer", n.label(), old)
	case c.renamed[old] != "":
		c.errorf(n, CodeConflict, "%s: queue %s was it already", n.label(), c.renamed[old])
	default:
		c.renamed[old], q.Was = q.Name, old
	}
}

// options reads the OPTION keys that stand in o and replaces those of q.
func (c *compiler) options(o *object, q *routing.Queue) {
	if n := o.get("need"); n != nil {
		q.Need = c.need(n)
	}
	q.SpeakLevel = agents.Level(c.integer(o.get("speak_level"), 1, maxLevel, int(q.SpeakLevel)))
	if n := o.get("steps"); n != nil {
		q.Steps = c.steps(n)
	}
	if n := o.get("prefer"); n != nil {
		q.Prefer = c.prefer(n)
	}
	q.AnswerWithin = c.duration(o.get("answer_within"), time.Second, time.Hour, q.AnswerWithin)
	if n := o.get("choose"); n != nil {
		c.choose(n, q)
	}
	if n := o.get("ring"); n != nil {
		c.ring(n, q)
	}
	if n := o.get("reserve"); n != nil {
		q.Reserve = c.reserves(n)
	}
	c.option(o, "max_talking", func(n *node) { q.MaxTalking = c.integer(n, 1, maxAgents, 0) }, func() { q.MaxTalking = 0 })
	if n := o.get("rona"); n != nil {
		q.RONA = c.rona(n)
	}
	if n := o.get("pop"); n != nil {
		q.Pop = c.pop(n)
	}
	if n := o.get("wrap_up"); n != nil {
		q.WrapUp = c.wrapUp(n)
	}
	c.option(o, "dispositions", func(n *node) { q.Dispositions = c.reference(n, "disposition set", c.names.sets) },
		func() { q.Dispositions = "" })
	c.option(o, "hours", func(n *node) { q.Hours = c.reference(n, "calendar", c.names.calendars) }, func() { q.Hours = "" })
	if n := o.get("closed"); n != nil {
		k := c.object(n)
		if then := k.must("then"); then != nil {
			q.Closed = c.action(then)
		}
		k.close()
	}
	if n := o.get("at_close"); n != nil {
		q.AtClose = c.atClose(n)
	}
	c.option(o, "full", func(n *node) { q.Full = c.full(n) }, func() { q.Full = nil })
	c.option(o, "late", func(n *node) { q.Late = c.after(n, "after", 10*time.Second) }, func() { q.Late = nil })
	c.option(o, "nobody", func(n *node) { q.Nobody = c.after(n, "for", 0) }, func() { q.Nobody = nil })
	if n := o.get("answer"); n != nil {
		c.readAnswer(n, q)
	}
	if n := o.get("music"); n != nil {
		q.Music = c.name(n)
	}
	c.option(o, "announce", func(n *node) { q.Announce = c.announce(n) }, func() { q.Announce = announces() })
	c.option(o, "callback", func(n *node) { q.Callback = c.callback(n) }, func() { q.Callback = nil })
	o.close()
}

// option reads an option that the word none (or []) switches off.
func (c *compiler) option(o *object, key string, read func(*node), off func()) {
	n := o.get(key)
	switch {
	case n == nil:
	case n.isNone():
		off()
	default:
		read(n)
	}
}

func (c *compiler) steps(n *node) []routing.Step {
	if n.isNone() {
		return nil
	}
	var out []routing.Step
	last := time.Duration(0)
	for _, item := range c.list(n, maxSteps) {
		o := c.object(item)
		var s routing.Step
		after := o.must("after")
		s.After = c.duration(after, 0, 2*time.Hour, last)
		if s.After < last {
			c.errorf(after, "S401", "%s: %s comes before the step above, which is at %s", after.label(), durationText(s.After), durationText(last))
		}
		last = s.After
		if need := o.get("need"); need != nil {
			v := c.need(need)
			s.Need = &v
		}
		s.PriorityAdd = c.integer(o.get("priority_add"), 0, maxPriority, 0)
		if !o.bad && !o.has("need") && !o.has("priority_add") {
			c.errorf(item, CodeMissing, "%s: a step needs need or priority_add", item.label())
		}
		if when := o.get("when"); when != nil {
			s.When = c.waitingCondition(when)
		}
		only := o.get("only")
		if s.Only = c.flag(only, false); s.Only && !o.has("need") {
			c.errorf(only, CodeConflict, "%s: there is no need that would replace the earlier ones", only.label())
		}
		o.close()
		out = append(out, s)
	}
	return out
}

// Policies that look back on a window.
const (
	leastOccupied = "least_occupied"
	fewestCalls   = "fewest_calls"
)

func (c *compiler) choose(n *node, q *routing.Queue) {
	o := c.object(n)
	policy := o.get("policy")
	q.Choose = c.choice(policy, "longest_idle", []string{"longest_idle", leastOccupied, "most_skilled",
		"least_skilled", "round_robin", fewestCalls}, "percent", "score")
	q.ChooseWindow = 30 * time.Minute
	if q.Choose == fewestCalls {
		q.ChooseWindow = time.Hour
	}
	if w := o.get("window"); w != nil {
		q.ChooseWindow = c.duration(w, 5*time.Minute, 8*time.Hour, q.ChooseWindow)
		measured := q.Choose == leastOccupied || q.Choose == fewestCalls
		if !measured && (policy == nil || policy.text == q.Choose) {
			c.errorf(w, CodeConflict, "%s is for policy least_occupied or fewest_calls", w.label())
		}
	}
	o.later("teams", "then", "score")
	o.close()
}

func (c *compiler) ring(n *node, q *routing.Queue) {
	o := c.object(n)
	strategy := o.get("strategy")
	q.RingSize = 0
	size := o.get("size")
	phones := c.integer(size, 2, maxGroup, 3)
	switch group := c.choice(strategy, "single", []string{"single", "group"}) == "group"; {
	case group:
		q.RingSize = phones
	case size != nil && (strategy == nil || strategy.text == "single"):
		c.errorf(size, CodeConflict, "%s is for strategy group", size.label())
	}
	q.RingTimeout = c.duration(o.get("timeout"), 5*time.Second, 2*time.Minute, 20*time.Second)
	o.close()
}

func (c *compiler) rona(n *node) routing.RONA {
	o := c.object(n)
	r := routing.RONA{NotReady: c.choice(o.get("agent"), "not_ready", []string{"not_ready", "available"}) == "not_ready"}
	r.After = c.integer(o.get("after"), 1, 10, 1)
	r.BackAfter = c.duration(o.get("back_after"), 10*time.Second, time.Hour, 0)
	if !r.NotReady {
		for _, key := range []string{"after", "back_after"} {
			o.conflict(key, "rona.%s has no meaning with agent: available", key)
		}
	}
	o.close()
	return r
}

func (c *compiler) pop(n *node) routing.PopPolicy {
	o := c.object(n)
	p := routing.PopPolicy{
		Deadline: c.duration(o.get("deadline"), 200*time.Millisecond, 10*time.Second, 1500*time.Millisecond),
		Late: c.choice(o.get("late"), routing.LateRingAnyway,
			[]string{routing.LateRingAnyway, routing.LateNextAgent, routing.LateHold}),
		Lead:     c.duration(o.get("lead"), 0, 5*time.Second, 0),
		OnAccept: c.choice(o.get("ring"), "auto", []string{"auto", "on_accept"}) == "on_accept",
		Painted:  c.choice(o.get("require"), "any", []string{"any", "painted"}) == "painted",
	}
	o.close()
	return p
}

func (c *compiler) wrapUp(n *node) routing.WrapUpPolicy {
	o := c.object(n)
	w := routing.WrapUpPolicy{
		Time:        c.duration(o.get("time"), 0, 30*time.Minute, 30*time.Second),
		Disposition: c.choice(o.get("disposition"), "optional", []string{"off", "optional", "required"}),
	}
	overtime := o.get("overtime")
	w.Hold = c.choice(overtime, "free", []string{"free", "hold"}) == "hold"
	if w.Hold && w.Disposition != "required" {
		c.errorf(overtime, "P903", "%s: hold without disposition: required would keep the agent in wrap-up for ever", overtime.label())
	}
	o.close()
	return w
}

func (c *compiler) atClose(n *node) routing.AtClose {
	o := c.object(n)
	a := routing.AtClose{Treat: c.choice(o.get("do"), "finish", []string{"finish", "treat"}) == "treat"}
	a.Grace = c.duration(o.get("grace"), 0, 4*time.Hour, 30*time.Minute)
	if a.Treat {
		o.conflict("grace", "at_close.grace has no meaning with do: treat")
	}
	o.close()
	return a
}

func (c *compiler) full(n *node) *routing.FullPolicy {
	o := c.object(n)
	f := &routing.FullPolicy{Waiting: c.integer(o.must("waiting"), 1, 1_000_000, 1)}
	if then := o.must("then"); then != nil {
		f.Then = c.action(then)
	}
	o.close()
	return f
}

func (c *compiler) after(n *node, key string, from time.Duration) *routing.AfterPolicy {
	o := c.object(n)
	to := 4 * time.Hour
	if key == "for" {
		to = time.Hour
	}
	a := &routing.AfterPolicy{After: c.duration(o.must(key), from, to, to)}
	if then := o.must("then"); then != nil {
		a.Then = c.action(then)
	}
	o.close()
	return a
}

// checkQueue finds what only the queue as a whole can show.
func (c *compiler) checkQueue(q *routing.Queue, src *queueSource) {
	if q.WrapUp.Disposition == "required" && q.Dispositions == "" {
		c.errorf(src.at("wrap_up"), CodeConflict, "wrap_up.disposition: required needs a dispositions set")
	}
	c.checkAnswer(q, src)
	c.checkCallback(q, src)
	for i, s := range q.Steps {
		if s.Need == nil {
			continue
		}
		all, none := s.Need.All, s.Need.None
		if all == nil {
			all = q.Need.All
		}
		if none == nil {
			none = q.Need.None
		}
		if s.Need.All != nil && s.Need.None != nil {
			continue // said where the step's need was read
		}
		for _, r := range all {
			if slices.Contains(none, r.Skill) {
				c.errorf(src.at("steps"), "N306", "step %d: skill %s is both asked for and shut out", i+2, r.Skill)
			}
		}
	}
}
