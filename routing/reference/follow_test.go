package reference

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// staff takes over the agents of a policy.
func (m *matcher) staff(p *routing.Policy) {
	m.live = p
	for id, def := range p.Agents {
		who := m.person(id)
		if who == nil {
			who = &person{id: id, state: agents.SignedOut}
			m.people = append(m.people, who)
		}
		who.team, who.site, who.levels = def.Team, def.Site, map[agents.Skill]agents.Level{}
		for _, s := range def.Skills {
			who.levels[s.Skill] = s.Level
		}
	}
	slices.SortFunc(m.people, func(a, b *person) int { return cmpID(a.id, b.id) })
}

func cmpID(a, b agents.ID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// event notes what an event says before the engine answers it.
func (m *matcher) event(ev routing.Event) {
	m.out = ""
	m.resumed()
	defer m.place()
	switch ev := ev.(type) {
	case routing.CallArrived:
		m.calls = append(m.calls, &caller{id: ev.Call, language: ev.Attrs.Language, region: ev.Attrs.Region, bars: map[agents.ID]bar{}, skipped: map[int]bool{}})
	case routing.CallbackRequested:
		m.calls = append(m.calls, &caller{id: ev.Call, language: ev.Attrs.Language, region: ev.Attrs.Region, bars: map[agents.ID]bar{}, skipped: map[int]bool{}})
		m.tally("requested")
	case routing.CustomerResolved:
		if c := m.call(ev.Call); c != nil && c.last == "" {
			c.last = agents.ID(ev.Customer.LastAgent)
		}
	case routing.DeskChanged:
		m.person(ev.Agent).desk = ev.Up
		if !ev.Up {
			return
		}
		for _, c := range m.calls {
			if c.bars[ev.Agent].silent {
				delete(c.bars, ev.Agent)
			}
		}
	case routing.AgentSignedIn:
		if p := m.person(ev.Agent); p.signedIn() {
			if p.asked == agents.SignedOut {
				p.asked = "" // back before the call ended
			}
		} else {
			p.row = 0
			m.start(p)
		}
	case routing.AgentSignedOut:
		p := m.person(ev.Agent)
		p.asked, m.out = agents.SignedOut, p.id
	case routing.AgentStateAsked:
		if p := m.person(ev.Agent); p.busy() {
			p.asked = ev.State
		}
	case routing.PolicyChanged:
		m.staff(ev.Policy)
	}
}

// action follows what the engine says it does, and checks each offer.
func (m *matcher) action(a routing.Action, live *routing.Policy) error {
	m.lineUp(a)
	m.callback(a)
	m.consult(a)
	switch a := a.(type) {
	case routing.ReserveChanged:
		return m.reserve(a)
	case routing.Enqueued:
		m.enqueued(a, live)
	case routing.StepReached:
		return m.stepped(a.Call, a.Step-1, true)
	case routing.StepSkipped:
		return m.stepped(a.Call, a.Step-1, false)
	case routing.Held:
		return m.held(a)
	case routing.OfferCall:
		return m.offered(a)
	case routing.Withdraw:
		m.withdrawn(a)
	case routing.Connect:
		c := m.call(a.Call)
		m.person(a.Agent).answersAt(m.now)
		c.front, c.sender, c.out, c.back = false, "", []routing.Offer{a.Offer}, false
	case routing.Transferred:
		c := m.call(a.Call)
		c.sender, c.came, c.firm, c.out = a.Agent, 0, rule.Need{None: c.firm.None}, nil
		m.person(a.Agent).call = 0
		if a.Outside != "" { // it comes back by the live document, if it does
			c.policy = live
		}
	case routing.EndCall:
		m.calls = slices.DeleteFunc(m.calls, func(c *caller) bool { return c.id == a.Call })
	case routing.AgentChanged:
		m.changed(a.Status)
	}
	return nil
}

func (m *matcher) enqueued(a routing.Enqueued, live *routing.Policy) {
	c := m.call(a.Call)
	again := a.Reason.Trigger == "late_record" && c.queue != nil && c.queue.Name == a.Queue && c.entered.Equal(a.Entered)
	if c.policy == nil || a.Reason.Trigger == "transferred" {
		c.policy = live
	}
	switch a.Reason.Trigger {
	case "late", "nobody", "full", "closed":
		c.sender = "" // overflow takes it out of the sender's hands
	}
	c.queue = c.policy.Queues[a.Queue]
	c.site = m.siteOf(c)
	c.stepsIn(a.Since)
	c.since, c.entered, c.priority = a.Since, a.Entered, a.Priority
	if !again {
		c.step, c.skipped = 0, map[int]bool{}
	}
	if a.Reason.Trigger != "transferred" && a.Reason.Trigger != "returned" && a.Reason.Trigger != "consult" {
		c.firm = rule.Need{}
		for _, n := range c.policy.Route.Children {
			if n.Name == a.Rule && n.Need != nil {
				c.firm = *n.Need
			}
		}
	}
	topic := c.policy.Topics[a.Topic]
	if topic != nil {
		c.firm = merged(c.firm, topic.Need)
	}
	c.waiting, c.chooses, c.at, c.until, c.asked, c.list = true, false, 0, time.Time{}, false, nil
	if topic != nil && topic.Queue == c.queue.Name && len(topic.Specialists) > 0 {
		c.list = append(c.list, entry{kind: "topic", who: topic.Specialists, wait: topic.Wait})
	}
	for _, r := range c.queue.Prefer {
		e := entry{kind: "agent", who: []agents.ID{agents.ID(r.Who)}, wait: r.Wait, waived: r.Waived, stays: r.Hold}
		if r.Who == "last_agent" {
			e.kind, e.who = "last_agent", []agents.ID{c.last}
		}
		if m.person(e.who[0]) != nil {
			c.list = append(c.list, e)
		}
	}
	if a.Reason.Trigger == "returned" { // to who passed it on, if free, else to the front
		c.list = []entry{{kind: "agent", who: []agents.ID{c.sender}, waived: true}}
		c.front, c.sender = true, ""
	}
}

// merged adds a topic's need: the tape's routes and topics ask for different
// skills.
func merged(a, b rule.Need) rule.Need {
	a.All, a.None = slices.Concat(a.All, b.All), slices.Concat(a.None, b.None)
	if b.Any != nil {
		a.Any = b.Any
	}
	return a
}

// stepped holds a step to its clock, which counts from entering the queue.
func (m *matcher) stepped(id routing.CallID, n int, holds bool) error {
	c := m.call(id)
	s := c.queue.Steps[n-1]
	if n != c.step+1 || c.entered.Add(s.After).After(m.now) {
		return fmt.Errorf("call %d reaches step %d after %d, %s after entering", id, n+1, c.step+1, m.now.Sub(c.entered))
	}
	c.step = n
	if holds {
		c.priority = m.raised(c, n, s.PriorityAdd)
	} else {
		c.skipped[n] = true
	}
	return nil
}

// raised is the priority with a step's addition, which a call gets once.
func (m *matcher) raised(c *caller, n, add int) int {
	key := agents.ID(fmt.Sprintf("step %s %d", c.queue.Name, n))
	if _, had := c.bars[key]; had || add == 0 {
		return c.priority
	}
	c.bars[key] = bar{}
	return c.priority + add
}

func (m *matcher) held(a routing.Held) error {
	c := m.call(a.Call)
	if c.at == len(c.list) {
		return fmt.Errorf("call %d holds for %s, and has nobody to hold for: %+v", c.id, a.Agent, c)
	}
	for i := c.at; i < len(c.list); i++ {
		if m.preferred(c, c.list[i]) != nil {
			return fmt.Errorf("call %d holds for %s although one it prefers is free", c.id, a.Agent)
		}
		if i > c.at || c.until.IsZero() {
			c.at, c.until = i, m.now.Add(c.list[i].wait)
		}
		c.asked = true
		if m.holds(c) {
			break
		}
	}
	if !c.until.Equal(a.Until) || c.list[c.at].kind != a.Prefer || !m.holds(c) {
		return fmt.Errorf("call %d holds for %s until %s, want %+v until %s", c.id, a.Agent, a.Until, c.list[c.at], c.until)
	}
	return nil
}

// withdrawn ends an offer or a talk: who is barred for how long, and whether
// the call came back.
func (m *matcher) withdrawn(a routing.Withdraw) {
	c, p := m.call(a.Call), m.person(a.Agent)
	p.call, p.ended = 0, a.Why
	c.out = slices.DeleteFunc(c.out, func(o routing.Offer) bool { return o == a.Offer })
	if a.Why == "answered_elsewhere" {
		return
	}
	if a.Why == "join_failed" {
		p.answered = p.answered[:len(p.answered)-1]
	}
	if strings.HasPrefix(a.Why, "customer_") {
		c.preferDone()
	}
	if a.Why == "abandoned" || a.Why == "call_failed" || a.Why == "taken_over" || strings.HasPrefix(a.Why, "customer_") {
		return
	}
	lasts := map[string]time.Duration{"rona": time.Minute, "refused": time.Minute, "desk_silent": time.Minute, "join_failed": time.Minute, "phone_busy": 30 * time.Second}[a.Why]
	if a.Why == "refused" && m.out == p.id {
		lasts = 0 // signed out while it rang
	}
	if lasts > 0 {
		c.bars[p.id] = bar{m.now.Add(lasts), a.Why == "desk_silent" && c.queue.Pop.Late == routing.LateHold}
	}
	if c.back = c.back || a.Why != "desk_silent"; len(c.out) > 0 {
		return // it stays with the others of its group
	}
	c.waiting, c.at, c.asked, c.until = true, len(c.list), true, time.Time{}
	if c.back {
		c.came++
		c.front = c.came <= 3
	}
	c.back = false
}

func (m *matcher) changed(s agents.Status) {
	p := m.person(s.Agent)
	was := p.state
	p.state = s.State
	kind := "away"
	switch {
	case p.busy():
		kind = "busy"
	case p.free():
		kind = "free"
	}
	if n := len(p.past); n == 0 || p.past[n-1].kind != kind {
		p.past = append(p.past, span{m.now, kind})
	}
	if len(p.past) > 400 {
		p.past = slices.Clone(p.past[200:])
	}
	if !p.busy() {
		p.asked = ""
	}
	fault := p.ended != "answered_elsewhere" && p.ended != "abandoned" && p.ended != "taken_over" && p.ended != "stopped" && !strings.HasPrefix(p.ended, "customer_") && p.ended != "call_failed" && p.ended != "join_failed"
	if p.free() && (fault || was == agents.NotReady || was == agents.SignedOut) {
		p.idle = s.Since
		p.measure(window, m.now)
		p.count(m.now)
	}
	if !p.busy() {
		p.ended = ""
	}
}
