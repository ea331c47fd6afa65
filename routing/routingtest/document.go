package routingtest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/match"
	"github.com/cordboard/cordboard/routing/rule"
)

// newQueue is a queue with the product's defaults, but no wrap-up time.
func newQueue(name string) *routing.Queue {
	return &routing.Queue{
		Name: name, SpeakLevel: 5, AnswerWithin: 20 * time.Second, Choose: "longest_idle", ChooseWindow: 30 * time.Minute,
		RingTimeout: 20 * time.Second, RONA: routing.RONA{NotReady: true, After: 1},
		Pop:    routing.PopPolicy{Deadline: 1500 * time.Millisecond, Late: routing.LateRingAnyway},
		WrapUp: routing.WrapUpPolicy{Disposition: "optional"},
		Closed: rule.Treatment{Play: "closed", Hangup: true}, Announce: announces(), AtClose: routing.AtClose{Grace: 30 * time.Minute}, Music: "default",
	}
}

func (c *Case) queue(p *routing.Policy, l line) error {
	q := newQueue(l.words[1])
	p.Queues[q.Name] = q
	if p.Route.Queue == "" {
		p.Route.Queue = q.Name
	}
	reserves(q, l.opts["reserve"])
	for _, key := range slices.Sorted(mapKeys(l.opts)) {
		if key == "step" {
			if err := c.steps(q, l.opts[key]); err != nil {
				return fmt.Errorf("queue %s: step: %w", q.Name, err)
			}
			continue
		}
		if key == "callback" || strings.HasPrefix(key, "callback.") {
			if err := c.callbackOption(q, key, l.opts[key]); err != nil {
				return fmt.Errorf("queue %s: %s: %w", q.Name, key, err)
			}
			continue
		}
		if err := option(p, q, key, l.opts[key]); err != nil {
			return fmt.Errorf("queue %s: %s: %w", q.Name, key, err)
		}
	}
	if q.Choose == match.FewestCalls && l.opts["window"]+l.opts["choose.window"] == "" {
		q.ChooseWindow = time.Hour
	}
	return nil
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func option(p *routing.Policy, q *routing.Queue, key, v string) (err error) {
	switch key {
	case "need":
		var n *rule.Need
		if n, err = need(v); err == nil {
			q.Need = *n
		}
	case "prefer":
		q.Prefer, err = preferList(v)
	case "ring":
		if v != "group" && v != "single" {
			q.RingTimeout, err = time.ParseDuration(v)
		} else if v == "group" && q.RingSize == 0 {
			q.RingSize = 3
		}
	case "ring.timeout":
		q.RingTimeout, err = time.ParseDuration(v)
	case "size", "ring.size":
		q.RingSize, err = strconv.Atoi(v)
	case "answer_within":
		q.AnswerWithin, err = time.ParseDuration(v)
	case "wrap_up":
		q.WrapUp.Time, err = time.ParseDuration(v)
	case "disposition":
		q.WrapUp.Disposition = v
	case "overtime":
		q.WrapUp.Hold = v == "hold"
	case "policy", "choose.policy":
		q.Choose = v
	case "window", "choose.window":
		q.ChooseWindow, err = time.ParseDuration(v)
	case "rona.agent":
		q.RONA.NotReady = v != "available"
	case "rona.after":
		q.RONA.After, err = strconv.Atoi(v)
	case "rona.back_after":
		q.RONA.BackAfter, err = time.ParseDuration(v)
	case "hours":
		err = hours(p, q, v)
	case "at_close":
		q.AtClose.Treat = v == "treat"
	case "grace":
		q.AtClose.Grace, err = time.ParseDuration(v)
	case "closed":
		q.Closed, err = treatment(v)
	case "full":
		n, then, _ := strings.Cut(v, ":")
		q.Full = &routing.FullPolicy{}
		if q.Full.Waiting, err = strconv.Atoi(n); err == nil {
			q.Full.Then, err = treatment(then)
		}
	case "late":
		q.Late, err = after(v)
	case "nobody":
		q.Nobody, err = after(v)
	case "was":
		q.Was = v
	case "answer":
		q.AnswerWithAgent, q.EarlyMedia = v == "with_agent", v == "early_media"
	case "music":
		q.Music = v
	default:
		return popOption(q, key, v)
	}
	return err
}

func popOption(q *routing.Queue, key, v string) (err error) {
	switch key {
	case "pop.deadline":
		q.Pop.Deadline, err = time.ParseDuration(v)
	case "pop.lead":
		q.Pop.Lead, err = time.ParseDuration(v)
	case "pop.late":
		q.Pop.Late = v
	case "pop.ring":
		q.Pop.OnAccept = v == "on_accept"
	case "pop.require":
		q.Pop.Painted = v == "painted"
	default:
		if strings.HasPrefix(key, "announce.") {
			return announceOption(&q.Announce, key, v)
		}
		return staffOption(q, key, v)
	}
	return err
}

// need reads "billing:3,speak:caller,team:sofia,none:trainee,any(x:5,y:2|z:7)".
func need(s string) (*rule.Need, error) {
	n := &rule.Need{}
	for _, part := range outside(s, ',') {
		if sets, ok := strings.CutPrefix(part, "any("); ok {
			if err := anyOf(n, strings.TrimSuffix(sets, ")")); err != nil {
				return nil, err
			}
			continue
		}
		name, v, _ := strings.Cut(part, ":")
		switch name {
		case "speak":
			n.Speak = append(n.Speak, v)
		case "team":
			n.Team = append(n.Team, v)
		case "site":
			n.Site = append(n.Site, v)
		case "none":
			n.None = append(n.None, agents.Skill(v))
		default:
			low, high, _ := strings.Cut(v, "-")
			a, err := strconv.Atoi(low)
			if err != nil {
				return nil, fmt.Errorf("need %q: level missing", part)
			}
			b, _ := strconv.Atoi(high)
			n.All = append(n.All, agents.Range{Skill: agents.Skill(name), Min: agents.Level(a), Max: agents.Level(b)})
		}
	}
	return n, nil
}

// anyOf reads sets of which one whole one is enough: "x:5,y:2|z:7".
func anyOf(n *rule.Need, text string) error {
	for set := range strings.SplitSeq(text, "|") {
		one, err := need(set)
		if err != nil {
			return err
		}
		n.Any = append(n.Any, one.All)
	}
	return nil
}

// preferList reads "account_manager:25s:waived,last_agent:10s".
func preferList(s string) ([]rule.Prefer, error) {
	var out []rule.Prefer
	for part := range strings.SplitSeq(s, ",") {
		f := strings.Split(part, ":")
		p := rule.Prefer{Who: f[0], Within: 30 * 24 * time.Hour}
		for _, w := range f[1:] {
			switch w {
			case "waived":
				p.Waived = true
			case "if_away":
				p.Hold = true
			default:
				d, err := time.ParseDuration(w)
				if err != nil {
					return nil, err
				}
				p.Wait = d
			}
		}
		out = append(out, p)
	}
	return out, nil
}

func hours(p *routing.Policy, q *routing.Queue, v string) error {
	var week [7][]routing.Interval
	v, callers := strings.CutSuffix(v, "@caller")
	for part := range strings.SplitSeq(v, ",") {
		var h1, m1, h2, m2 int
		if _, err := fmt.Sscanf(part, "%d:%d-%d:%d", &h1, &m1, &h2, &m2); err != nil {
			return err
		}
		for d := range week {
			week[d] = append(week[d], routing.Interval{From: h1*60 + m1, To: h2*60 + m2})
		}
	}
	q.Hours = q.Name + "_hours"
	p.Calendars[q.Hours] = &routing.Calendar{Name: q.Hours, Zone: p.Zone, Week: week, Caller: callers}
	return nil
}

// treatment reads "b" (a queue), "b:+20", "+447700900016" (a number), "hangup",
// "603", "voicemail" or "voicemail/MAILBOX", or "play/SOUND" (played, then hung
// up); "play/SOUND/THEN" plays first.
func treatment(v string) (rule.Treatment, error) {
	if strings.HasPrefix(v, "+") {
		return rule.Treatment{Number: v}, nil
	}
	if rest, otherwise, more := strings.Cut(v, "|"); strings.HasSuffix(rest, "callback") {
		t := rule.Treatment{Callback: true}
		if play, ok := strings.CutPrefix(strings.TrimSuffix(rest, "callback"), "play/"); ok {
			t.Play = strings.TrimSuffix(play, "+")
		}
		if !more {
			return t, nil
		}
		other, err := treatment(otherwise)
		t.Else = &other
		return t, err
	}
	name, add, _ := strings.Cut(v, ":")
	code, err := strconv.Atoi(name)
	switch {
	case err == nil:
		return rule.Treatment{Reject: code}, nil
	case name == "hangup":
		return rule.Treatment{Hangup: true}, nil
	case name == "voicemail":
		return rule.Treatment{Voicemail: mainMailbox}, nil
	case strings.HasPrefix(name, "voicemail/"):
		return rule.Treatment{Voicemail: strings.TrimPrefix(name, "voicemail/")}, nil
	case strings.HasPrefix(name, "play/"):
		if strings.Contains(strings.TrimPrefix(v, "play/"), "/") {
			return played(strings.TrimPrefix(v, "play/"))
		}
		t := rule.Treatment{Play: strings.TrimPrefix(name, "play/")}
		t.Reject, _ = strconv.Atoi(add)
		t.Hangup = t.Reject == 0
		return t, nil
	}
	t := rule.Treatment{Queue: name}
	if add != "" {
		if t.PriorityAdd, err = strconv.Atoi(add); err != nil {
			return t, err
		}
	}
	return t, nil
}

// played reads SOUND or SOUND/THEN.
func played(v string) (rule.Treatment, error) {
	sound, then, more := strings.Cut(v, "/")
	if !more {
		then = "hangup"
	}
	t, err := treatment(then)
	t.Play = sound
	return t, err
}

func after(v string) (*routing.AfterPolicy, error) {
	d, then, _ := strings.Cut(v, ":")
	length, err := time.ParseDuration(d)
	if err != nil {
		return nil, err
	}
	t, err := treatment(then)
	return &routing.AfterPolicy{After: length, Then: t}, err
}

func (c *Case) topic(l line) error {
	t := &routing.Topic{Name: l.words[1], Queue: l.opts["queue"], Wait: 30 * time.Second}
	if v := l.opts["need"]; v != "" {
		n, err := need(v)
		if err != nil {
			return err
		}
		t.Need = *n
	}
	for id := range strings.SplitSeq(l.opts["specialists"], ",") {
		if id != "" {
			t.Specialists = append(t.Specialists, agents.ID(id))
		}
	}
	var err error
	if v := l.opts["wait"]; v != "" {
		t.Wait, err = time.ParseDuration(v)
	}
	if v := l.opts["priority_add"]; v != "" && err == nil {
		t.PriorityAdd, err = strconv.Atoi(v)
	}
	if v := l.opts["relax_after"]; v != "" && err == nil {
		t.RelaxAfter, err = span(v)
	}
	c.policy.Topics[t.Name] = t
	return err
}

// orderBy reads "order [by=due] [points=0.5|off] [ceiling=100]".
func (c *Case) orderBy(l line) (err error) {
	p := c.policy
	p.ByDue = l.opts["by"] == "due"
	if v := l.opts["ceiling"]; v != "" {
		if p.Ceiling, err = strconv.Atoi(v); err != nil {
			return err
		}
	}
	switch v := first(l.opts["points"], l.opts["points_per_second"]); v {
	case "":
	case "off":
		p.MilliPoints = 0
	default:
		f, err := strconv.ParseFloat(v, 64)
		p.MilliPoints = int64(f * 1000)
		return err
	}
	return nil
}

func (c *Case) record(l line) (err error) {
	r := &c.policy.Record
	if v := l.opts["deadline"]; v != "" {
		r.Deadline, err = time.ParseDuration(v)
	}
	if v := l.opts["late_for"]; v != "" && err == nil {
		r.LateFor, err = time.ParseDuration(v)
	}
	r.Reconsider = l.opts["late"] != "keep"
	return err
}

func (c *Case) transfers(l line) (err error) {
	t := &c.policy.Transfers
	t.CreditWaited = l.opts["credit"] != "none"
	t.UnansweredReturn = l.opts["do"] != "queue"
	if v := l.opts["numbers"]; v != "" {
		t.Numbers.To = strings.Split(v, ",")
	}
	if v := l.opts["teams"]; v != "" {
		t.Numbers.Teams = strings.Split(v, ",")
	}
	if v := l.opts["priority_add"]; v != "" {
		t.PriorityAdd, err = strconv.Atoi(v)
	}
	if v := l.opts["consult"]; v != "" && err == nil {
		t.ConsultAdd, err = strconv.Atoi(v)
	}
	if v := l.opts["unanswered"]; v != "" && err == nil {
		t.UnansweredAfter, err = time.ParseDuration(v)
	}
	return err
}

// routes compiles the routes, with one more for each queue and priority that
// an arrive line names itself.
func (c *Case) routes() error {
	o := rule.CompileOptions{Segments: c.policy.Segments, Languages: c.policy.Languages, Fields: c.policy.Fields, Predicates: &c.known}
	c.name(c.policy, &o)
	defer func() { c.policy.Predicates = c.known.List() }()
	if err := c.compileSteps(c.policy); err != nil {
		return err
	}
	c.policy.Regions = routing.NewRegions(c.places)
	for _, r := range c.places {
		o.Regions = append(o.Regions, r.Name)
	}
	add := func(name, when, queue, priority string, opts map[string]string) error {
		n := &rule.Node{Name: name, Queue: queue, SetTopic: opts["topic"], SetLanguage: opts["language"], SetTag: opts["tag"], GoOn: opts["go_on"] != ""}
		cond, err := rule.Compile(when, o)
		if err != nil {
			return fmt.Errorf("route %s: %w", name, err)
		}
		n.When = cond
		if priority != "" {
			v, err := strconv.Atoi(priority)
			if err != nil {
				return err
			}
			n.Priority = &v
		}
		if v := opts["prefer"]; v != "" {
			if n.Prefer, err = preferList(v); err != nil {
				return err
			}
		}
		if v := opts["need"]; v != "" {
			if n.Need, err = need(v); err != nil {
				return err
			}
		}
		if v := opts["then"]; v != "" {
			t, err := treatment(v)
			if err != nil {
				return err
			}
			n.Then = &t
		}
		if v := opts["relax_after"]; v != "" {
			if n.RelaxAfter, err = span(v); err != nil {
				return err
			}
		}
		if n.Record, err = recordOf(opts); err != nil {
			return err
		}
		if err := c.routeCallback(n, opts); err != nil {
			return err
		}
		c.policy.Route.Children = append(c.policy.Route.Children, n)
		return nil
	}
	if err := add("elsewhere", `call.trunk == "elsewhere"`, "elsewhere", "", nil); err != nil {
		return err
	}
	for _, name := range slices.Sorted(mapKeys(c.policy.Queues)) {
		if strings.HasPrefix(name, "wrap_up_") {
			if err := add(name, fmt.Sprintf("call.trunk == %q", name), name, "", nil); err != nil {
				return err
			}
		}
	}
	for _, key := range slices.Sorted(mapKeys(c.direct)) {
		queue, priority, _ := strings.Cut(key, "/")
		if err := add("direct "+key, fmt.Sprintf("call.trunk == %q", key), queue, priority, nil); err != nil {
			return err
		}
	}
	events := c.events[:0]
	for _, l := range c.events {
		if !l.is("route") {
			events = append(events, l)
			continue
		}
		if err := add(l.words[1], l.opts["when"], l.opts["queue"], l.opts["priority"], l.opts); err != nil {
			return err
		}
	}
	c.events = events
	return c.compileSteps(c.policy) // of the routes' callbacks
}
