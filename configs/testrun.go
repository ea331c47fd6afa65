package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

const (
	elsewhere    = "-elsewhere" // queue and trunk of calls that are not part of a test; no name of a document begins so
	testCall     = routing.CallID(1)
	maxTestSteps = 20_000 // events of one test
)

// runTests plays the tests of the document on the engine that serves, in
// virtual time, and finds those that do not hold.
func (l *linter) runTests() {
	if len(l.tests) == 0 {
		return
	}
	p, err := testPolicy(l.policy)
	if err != nil { // the condition is ours and compiles
		l.find(l.key("tests"), CodeUntrue, "tests", "", "cannot be run: %s", oneLine(err.Error()))
		return
	}
	for i := range l.tests {
		t := &l.tests[i]
		if t.shifts && !l.planned() {
			l.unplanned++
			continue
		}
		if t.shifts {
			t.agents = l.byShifts(t.at)
		}
		if wrong := play(p, t); len(wrong) > 0 {
			l.find(spot{t.item.line, t.item.col}, CodeUntrue, t.item.path, "", "%s: %s", t.name, strings.Join(wrong, "; "))
			continue
		}
		l.hold++
	}
}

// testPolicy is the document's policy with a place for calls that keep agents
// busy. Every treatment plays something, so that a call which is sent away can
// be looked at before it is over.
func testPolicy(p *routing.Policy) (*routing.Policy, error) {
	out := *p
	out.Queues = make(map[string]*routing.Queue, len(p.Queues)+1)
	for name, q := range p.Queues {
		out.Queues[name] = playing(q)
	}
	busy := productDefaults()
	busy.Name, busy.WrapUp = elsewhere, routing.WrapUpPolicy{Time: 365 * 24 * time.Hour, Disposition: "off"}
	out.Queues[elsewhere] = &busy
	when, err := rule.Compile(fmt.Sprintf("call.trunk == %q", elsewhere), rule.CompileOptions{})
	if err != nil {
		return nil, err
	}
	root := playingRoute(p.Route)
	root.Children = append([]*rule.Node{{Name: elsewhere, When: when, Queue: elsewhere}}, root.Children...)
	out.Route = root
	out.Menus = playingMenus(p.Menus)
	return &out, nil
}

func playing(q *routing.Queue) *routing.Queue {
	out := *q
	out.Closed.Play = cmp.Or(q.Closed.Play, elsewhere)
	if q.Full != nil {
		v := *q.Full
		v.Then.Play = cmp.Or(v.Then.Play, elsewhere)
		out.Full = &v
	}
	after := func(a *routing.AfterPolicy) *routing.AfterPolicy {
		if a == nil {
			return nil
		}
		v := *a
		v.Then.Play = cmp.Or(v.Then.Play, elsewhere)
		return &v
	}
	out.Late, out.Nobody = after(q.Late), after(q.Nobody)
	return &out
}

func playingMenus(menus map[string]*routing.Menu) map[string]*routing.Menu {
	out := make(map[string]*routing.Menu, len(menus))
	for name, m := range menus {
		v := *m
		v.Keys = slices.Clone(m.Keys)
		choices := []*routing.Choice{&v.Otherwise}
		if m.Enter != nil {
			v.Enter = new(*m.Enter)
			choices = append(choices, &v.Enter.Choice)
		}
		for i := range v.Keys {
			choices = append(choices, &v.Keys[i])
		}
		for _, k := range choices {
			if k.Then != nil {
				t := *k.Then
				t.Play = cmp.Or(t.Play, elsewhere)
				k.Then = &t
			}
		}
		out[name] = &v
	}
	return out
}

func playingRoute(n *rule.Node) *rule.Node {
	out := *n
	if n.Then != nil {
		t := *n.Then
		t.Play = cmp.Or(t.Play, elsewhere)
		out.Then = &t
	}
	out.Children = make([]*rule.Node, 0, len(n.Children)+1)
	for _, c := range n.Children {
		out.Children = append(out.Children, playingRoute(c))
	}
	return &out
}

// player plays one test. Whoever is offered a call has it on screen at once
// and answers at once.
type player struct {
	engine *routing.Engine
	policy *routing.Policy
	now    time.Time
	steps  int
	wrong  []string

	first     *routing.Asked // as first routed
	last      routing.Asked
	agent     string // who has the call
	treatment string
	keys      string // that the caller has yet to press in menus
	test      *docTest
}

// play runs one test and says what does not hold.
func play(p *routing.Policy, t *docTest) []string {
	own := *p
	own.Agents = map[agents.ID]agents.Agent{}
	for id, a := range t.agents {
		own.Agents[id] = a.Agent
	}
	r := &player{engine: routing.New(&own), policy: &own, agent: nobodyExpected, keys: t.keys, test: t}
	r.engine.Pretend(t.pretend)
	r.staff(t)
	r.now = t.at
	r.step(r.arrival(t))
	if t.late == 0 {
		r.step(r.record(t))
	}
	for due, ok := r.engine.Deadline(); r.first == nil && ok && !due.After(t.at.Add(t.late)); due, ok = r.engine.Deadline() {
		r.now = due
		r.step(routing.Tick{})
	}
	resolved := t.late == 0
	if r.first == nil && !resolved {
		r.now, resolved = t.at.Add(t.late), true
		r.step(r.record(t))
	}
	r.judge(t)
	for _, m := range t.expect.then {
		if until := t.at.Add(t.late); !resolved && !until.After(t.at.Add(m.at)) {
			r.pass(until)
			resolved = true
			r.step(r.record(t))
		}
		r.pass(t.at.Add(m.at))
		r.judgeMoment(m)
	}
	return r.wrong
}

// arrival is the call as the rim hands it over, with the number in the place of
// its hash.
func (r *player) arrival(t *docTest) routing.CallArrived {
	attrs := t.call
	attrs.Region = r.policy.Regions.Of(t.ani, attrs.Trunk)
	rim, _ := r.policy.ReadRim(&rule.Env{Call: attrs, ANI: t.ani}, t.ani)
	return routing.CallArrived{Call: testCall, Attrs: attrs, Caller: t.ani, Rim: []routing.AtRim{rim}}
}

// record is the end of the look-up by the caller's number: who keys in a customer's
// is not known by it.
func (r *player) record(t *docTest) routing.CustomerResolved {
	if t.keysIn() {
		return routing.CustomerResolved{Call: testCall}
	}
	return r.recordOf(t)
}

// keysIn says that the caller is known by what is keyed in.
func (t *docTest) keysIn() bool { return t.id != "" && strings.Contains(t.keys, t.id) }

func (r *player) recordOf(t *docTest) routing.CustomerResolved {
	attrs := r.arrival(t).Attrs
	rim, _ := r.policy.ReadRim(&rule.Env{Call: attrs, Customer: t.customer, ANI: t.ani, CustomerID: t.id, Persons: t.persons}, t.ani)
	return routing.CustomerResolved{Call: testCall, Customer: t.customer, Key: t.id, Rim: []routing.AtRim{rim}}
}

// staff signs the agents in, those at work first and then the longest idle.
func (r *player) staff(t *docTest) {
	list := make([]testAgent, 0, len(t.agents))
	for _, a := range t.agents {
		list = append(list, a)
	}
	order := func(a testAgent) int {
		return slices.Index([]string{"talking", "wrap_up", "not_ready", "available", "signed_out"}, a.state)
	}
	slices.SortFunc(list, func(a, b testAgent) int {
		return cmp.Or(cmp.Compare(order(a), order(b)), cmp.Compare(b.idle, a.idle), cmp.Compare(a.ID, b.ID))
	})
	for i, a := range list {
		state, id := agents.Available, testCall+1+routing.CallID(i)
		r.now = t.at.Add(-a.idle)
		switch a.state {
		case "signed_out":
			continue
		case "not_ready":
			state = agents.NotReady
			fallthrough
		case "talking", "wrap_up":
			r.now = t.at.Add(-25 * time.Hour)
		}
		r.step(routing.DeskChanged{Agent: a.ID, Up: true})
		r.step(routing.AgentSignedIn{Agent: a.ID, State: state, Reason: "other"})
		if a.state == "talking" || a.state == "wrap_up" {
			r.step(routing.CallArrived{Call: id, Attrs: rule.Call{Trunk: elsewhere}})
		}
		if a.state == "wrap_up" {
			r.step(routing.CallerGone{Call: id})
		}
	}
	for _, a := range list {
		r.engine.Given(a.ID, a.given)
	}
}

// pass lets the engine's deadlines come, one by one.
func (r *player) pass(until time.Time) {
	for {
		due, ok := r.engine.Deadline()
		if !ok || due.After(until) || r.steps > maxTestSteps {
			break
		}
		r.now = due
		r.step(routing.Tick{})
	}
	r.now = until
}

func (r *player) step(ev routing.Event) {
	if r.steps++; r.steps > maxTestSteps {
		if r.steps == maxTestSteps+1 {
			r.wrong = append(r.wrong, "the test does not come to an end")
		}
		return
	}
	acts, err := r.engine.Step(r.now, ev)
	if err != nil {
		r.wrong = append(r.wrong, oneLine(err.Error()))
		return
	}
	acts = slices.Clone(acts)
	if asked, live := r.engine.Asked(testCall); live {
		r.last = asked
	}
	for _, a := range acts {
		r.react(a)
	}
}

// react notes what became of the call, and does what desks and phones do.
func (r *player) react(a routing.Action) {
	switch a := a.(type) {
	case routing.Enqueued:
		r.routed(a.Call)
	case routing.OfferCall:
		if a.Reason.Trigger == routing.Grouped {
			return // the first of the group answers
		}
		if a.Call == testCall {
			r.agent = string(a.Agent)
		}
		r.step(routing.PopAcked{Offer: a.Offer, Mode: routing.Painted})
	case routing.MayAccept:
		r.step(routing.OfferAccepted{Offer: a.Offer})
	case routing.Ring:
		r.step(routing.PhoneAnswered{Offer: a.Offer})
	case routing.OfferCallback:
		if a.Why != "" { // the caller presses nothing
			r.step(routing.CallbackDeclined{Call: a.Call})
		}
	case routing.AskMenu:
		r.step(r.press(a))
	case routing.Withdraw:
		if a.Call == testCall && r.agent == string(a.Agent) {
			r.agent = nobodyExpected
		}
	case routing.Treat:
		r.routed(a.Call)
		if a.Call == testCall && a.Number != "" {
			r.treatment = a.Why // whatever the number does
		}
		if a.Call == testCall && a.Play != "" {
			r.treatment = a.Why
			r.step(routing.TreatmentPlayed{Call: a.Call})
		}
		if a.Voicemail != "" {
			r.step(routing.MessageLeft{Call: a.Call, Why: routing.MessageHungUp})
		}
	}
}

// press is the caller's next key in a menu, and nothing once they are all pressed.
func (r *player) press(a routing.AskMenu) routing.Event {
	if a.Enter != nil {
		return r.enter(a)
	}
	ev := routing.MenuKeyed{Call: a.Call, Ask: a.Ask}
	if r.keys != "" {
		ev.Key, r.keys = r.keys[:1], r.keys[1:]
	}
	return ev
}

// enter keys in a number, up to its end.
func (r *player) enter(a routing.AskMenu) routing.Event {
	var number string
	for r.keys != "" && len(number) < a.Enter.Most {
		key := r.keys[:1]
		r.keys = r.keys[1:]
		if key == "#" {
			break
		}
		if number += key; key == "*" {
			number = ""
		}
	}
	ev := routing.NumberKeyed{Call: a.Call, Ask: a.Ask}
	switch {
	case number == "":
		ev.Got = routing.GotNothing
	case !a.Enter.Takes(number):
		ev.Got = routing.GotWrong
	case !r.test.customer.Known || number != r.test.id:
		ev.Got = routing.GotUnknown
	default:
		found := r.recordOf(r.test)
		found.Ask = a.Ask
		return found
	}
	return ev
}

func (r *player) routed(call routing.CallID) {
	if call == testCall && r.first == nil {
		asked := r.last
		r.first = &asked
	}
}

func (r *player) differ(what string, is, want any) {
	if is != want {
		r.wrong = append(r.wrong, fmt.Sprintf("%s is %v, not %v", what, is, want))
	}
}

// judge holds the call as it was first routed against what the test expects.
func (r *player) judge(t *docTest) {
	e := &t.expect
	if r.first == nil {
		r.wrong = append(r.wrong, "the call is not routed")
		return
	}
	q := r.policy.Queues[r.first.Queue]
	if e.route != "" {
		r.differ("route", r.first.Rule, e.route)
	}
	if e.region != "" {
		r.differ("region", cmp.Or(r.first.Region, "none"), e.region)
	}
	if e.queue != "" {
		r.differ("queue", cmp.Or(r.first.Queue, "none"), e.queue)
	}
	if e.priority != nil {
		r.differ("priority", r.first.Priority, *e.priority)
	}
	if e.open != nil {
		r.differ("open", q != nil && r.policy.OpenAt(q, t.at, r.first.Region), *e.open)
	}
	if e.need != nil && q != nil {
		want := agents.Requirement{All: e.need.All, Any: e.need.Any, None: e.need.None, Speak: e.need.Speak, Team: e.need.Team, Site: e.need.Site, SpeakLevel: q.SpeakLevel}
		r.differ("need", needText(r.first.Need), needText(want))
	}
	if e.treatment != "" {
		r.differ("treatment", cmp.Or(r.treatment, "none"), e.treatment)
	}
	if e.agent != "" {
		r.differ("agent", r.agent, e.agent)
	}
}

func (r *player) judgeMoment(m moment) {
	at := "at " + durationText(m.at) + " "
	if m.agent != "" {
		r.differ(at+"agent", r.agent, m.agent)
	}
	if m.step != nil {
		r.differ(at+"step", r.last.Step, *m.step)
	}
	if m.priority != nil {
		r.differ(at+"priority", r.last.Priority, *m.priority)
	}
	if m.treatment != "" {
		r.differ(at+"treatment", cmp.Or(r.treatment, "none"), m.treatment)
	}
}

// needText writes a requirement as the document would, equal for equal ones: a
// single language is a skill like any other.
func needText(r agents.Requirement) string {
	all := slices.Clone(r.All)
	if len(r.Speak) == 1 && r.Speak[0] != "any" {
		all = append(all, agents.Range{Skill: agents.LanguagePrefix + agents.Skill(r.Speak[0]), Min: r.SpeakLevel})
	}
	var parts []string
	if len(all) > 0 {
		parts = append(parts, "all: "+rangesText(all))
	}
	if len(r.Any) > 0 {
		var sets []string
		for _, set := range r.Any {
			sets = append(sets, rangesText(set))
		}
		slices.Sort(sets)
		parts = append(parts, "any: ["+strings.Join(sets, ", ")+"]")
	}
	list := func(key string, words []string) {
		if len(words) > 0 {
			slices.Sort(words)
			parts = append(parts, key+": ["+strings.Join(words, ", ")+"]")
		}
	}
	var none []string
	for _, s := range r.None {
		none = append(none, string(s))
	}
	list("none", none)
	if len(r.Speak) > 1 {
		list("speak", slices.Clone(r.Speak))
	}
	list("team", slices.Clone(r.Team))
	if !slices.Equal(r.Site, []string{"any"}) {
		list("site", slices.Clone(r.Site))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func rangesText(list []agents.Range) string {
	var parts []string
	for _, r := range list {
		level := fmt.Sprint(r.Min)
		if r.Max > 0 {
			level = fmt.Sprintf("%q", fmt.Sprintf("%d..%d", r.Min, r.Max))
		}
		parts = append(parts, string(r.Skill)+": "+level)
	}
	slices.Sort(parts)
	return "{" + strings.Join(parts, ", ") + "}"
}
