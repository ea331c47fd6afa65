package configs

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

const (
	maxTests     = 2000
	maxListItems = 64 // of a list in a record
)

// docTest is one test of the document: a call, who is there, what must come of
// it.
type docTest struct {
	item     *node
	name     string
	at       time.Time
	call     rule.Call
	ani, id  string            // the caller's number, "" when it is withheld; the customer's id
	persons  map[string]string // own fields that name a person
	customer rule.Customer     // Known false: nobody knows the caller
	late     time.Duration     // the record comes so late
	keys     string            // that the caller presses in menus
	shifts   bool              // the agents are those on shift
	agents   map[agents.ID]testAgent
	figures  map[string][]func(*rule.QueueFigures) // what conditions see of queues, given
	expect   expectation
}

// testAgent is an agent of one test, as it begins.
type testAgent struct {
	agents.Agent
	state string
	idle  time.Duration
	given routing.Measures
}

// nobodyExpected is the agent of a call that nobody has.
const nobodyExpected = "none"

// expectation is what a test asks for; nil and "" ask for nothing.
type expectation struct {
	route, queue, agent, treatment, region string
	priority                               *int
	need                                   *rule.Need
	open                                   *bool
	then                                   []moment
}

// moment is what must hold so long after the arrival.
type moment struct {
	at               time.Duration
	agent, treatment string
	step, priority   *int
}

var (
	testStates     = []string{"available", "not_ready", "talking", "wrap_up", "signed_out"}
	testTreatments = []string{"closed", "full", "late", "nobody", "then", "menu"}
)

// readTests reads the tests of the document, when everything they name is known.
func (c *compiler) readTests(n *node) {
	names := map[string]bool{}
	for _, item := range c.list(n, maxTests) {
		o := c.object(item.in(item.path))
		t := docTest{item: item}
		nn := o.must("name")
		if t.name = c.text(nn, 200); t.name != "" && names[t.name] {
			c.errorf(nn, CodeDuplicate, "name: another test has it")
		}
		names[t.name] = true
		t.at = c.testInstant(o.must("at"))
		if call := o.get("call"); call != nil {
			c.testCall(c.object(call), &t)
		}
		if customer := o.get("customer"); customer != nil {
			c.testCustomer(customer, &t)
		}
		if staff := o.get("agents"); staff != nil {
			t.agents = map[agents.ID]testAgent{}
			so := c.object(staff)
			for _, p := range so.pairs {
				so.adopt(p.value)
				if c.checkName(p, o.where) {
					t.agents[agents.ID(p.key)] = c.testAgent(agents.ID(p.key), p.value)
				}
			}
		}
		if e := o.must("expect"); e != nil {
			t.expect = c.expectation(c.object(e), t.agents != nil || o.has("shifts"))
		}
		if queues := o.get("queues"); queues != nil {
			t.figures = c.testFigures(c.object(queues))
		}
		c.testShifts(o, &t)
		o.close()
		c.tests = append(c.tests, t)
	}
}

// testShifts reads shifts: directory, the agents of a test by their shifts.
func (c *compiler) testShifts(o *object, t *docTest) {
	n := o.get("shifts")
	if n == nil {
		return
	}
	c.choice(n, "", []string{"directory"})
	o.together("agents", "shifts")
	t.shifts = true
}

// testInstant reads local time in the document's zone.
func (c *compiler) testInstant(n *node) time.Time {
	s, ok := c.scalar(n, "an instant, such as 2026-04-15T11:00")
	if !ok {
		return time.Time{}
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		t, err := time.ParseInLocation(layout, s, c.policy.Zone)
		if err != nil {
			continue
		}
		if t.Format(layout) != s {
			c.wrong(n, "%s: the clock skips this hour", s)
		}
		return t
	}
	c.wrong(n, "%s is not an instant, such as 2026-04-15T11:00", quote(s))
	return time.Time{}
}

func (c *compiler) testCall(o *object, t *docTest) {
	call := &t.call
	if n := o.get("kind"); n != nil {
		call.Kind = c.choice(n, "inbound", []string{"inbound", "transfer", "callback", "consult"})
	}
	if n := o.get("dnis"); n != nil {
		if s, ok := c.scalar(n, `a dialled number in quotes, such as "+442079460100"`); ok {
			call.DNIS = s
			if n.style == stylePlain || !rule.IsE164(s) && !slices.Contains(c.names.shortCodes, s) {
				c.errorf(n, "X105", "%s: want an E.164 number (+ and digits) in quotes, or one declared under short_codes, not %s", n.label(), quote(s))
			}
		}
	}
	call.Trunk = c.optionalText(o, "trunk")
	call.Country = c.optionalText(o, "country")
	if n := o.get("language"); n != nil {
		call.Language = c.language(n)
	}
	if n := o.get("topic"); n != nil {
		call.Topic = c.reference(n, "topic", c.names.topics)
	}
	if n := o.get("ani"); n != nil {
		if s, ok := c.scalar(n, `the caller's number in quotes, such as "+447700900100"`); ok && s != "" {
			t.ani = s
			if n.style == stylePlain || !rule.IsE164(s) {
				c.errorf(n, "X105", "%s: want an E.164 number (+ and digits) in quotes, not %s", n.label(), quote(s))
			}
		}
	}
	call.ANIKnown = c.flag(o.get("ani_known"), t.ani != "")
	c.testCarried(o, t)
	if o.has("region") {
		o.lookup("region")
		o.conflict("region", "%s.region follows from ani and trunk", o.label())
	}
	o.close()
}

// testCarried reads what the network, the engine and the ledger would say of
// the call.
func (c *compiler) testCarried(o *object, t *docTest) {
	call := &t.call
	const large = 1_000_000_000
	call.Verified = c.flag(o.get("verified"), false)
	if n := o.get("attestation"); n != nil && (n.kind != kindScalar || n.text != "") {
		call.Attestation = c.choice(n, "", []string{"A", "B", "C"})
	}
	call.Choice = c.optionalText(o, "choice")
	if n := o.get("menu"); n != nil {
		t.keys = c.pressed(n)
	}
	o.together("choice", "menu")
	if n := o.get("from_queue"); n != nil {
		call.FromQueue = c.reference(n, "queue", c.names.queues)
	}
	for key, f := range map[string]struct {
		to    *int
		limit int
	}{
		"transfers": {&call.Transfers, 5}, "waited": {&call.WaitedS, large}, "offers": {&call.Offers, large},
		"calls_today": {&call.CallsToday, large}, "abandoned_today": {&call.AbandonedToday, large},
		"abandoned_ago": {&call.AbandonedAgo, rule.Missing}, "answered_ago": {&call.AnsweredAgo, rule.Missing},
	} {
		*f.to = c.integer(o.get(key), 0, f.limit, 0)
	}
	for key, ago := range map[string]*int{"abandoned_ago": &call.AbandonedAgo, "answered_ago": &call.AnsweredAgo} {
		if o.has(key) {
			*ago = max(*ago, 1) // 0 would be never
		}
	}
}

func (c *compiler) optionalText(o *object, key string) string {
	n := o.get(key)
	if n == nil || n.kind == kindScalar && n.text == "" {
		return ""
	}
	return c.text(n, 200)
}

// testCustomer reads unknown, or what the record says: fields given make the
// customer known.
func (c *compiler) testCustomer(n *node, t *docTest) {
	if n.kind == kindScalar {
		if n.text != "unknown" {
			c.wrong(n, "want unknown, or what the record says")
		}
		return
	}
	o := c.object(n)
	const large = 1_000_000_000
	r := &t.customer
	r.Known, r.LastContactDays, r.ContractEndDays = true, rule.Missing, rule.Missing
	if k := o.get("known"); k != nil && !c.flag(k, true) {
		c.errorf(k, CodeConflict, "%s: nobody is known of whom the record says something; write customer: unknown", k.label())
	}
	t.late = c.duration(o.get("late"), 0, 10*time.Minute, 0)
	if s := o.get("segment"); s != nil {
		r.Segment = c.name(s)
		if r.Segment != "" && !slices.Contains(c.names.segments, r.Segment) {
			c.errorf(s, "X103", "segment %s is not declared%s", r.Segment, didYouMean(r.Segment, c.names.segments))
		}
	}
	for key, to := range map[string]*string{"language": &r.Language, "country": &r.Country, "balance_currency": &r.BalanceCurrency, "last_topic": &r.LastTopic} {
		*to = c.optionalText(o, key)
	}
	for key, to := range map[string]*string{"account_manager": &r.AccountManager, "last_agent": &r.LastAgent} {
		if v := o.get(key); v != nil {
			*to = c.name(v)
		}
	}
	r.KeyAccount = c.flag(o.get("key_account"), false)
	r.Balance = int64(c.integer(o.get("balance"), -large, large, 0))
	for key, f := range map[string]struct {
		to    *int
		limit int
	}{
		"churn_risk": {&r.ChurnRisk, 100}, "value": {&r.Value, 100}, "overdue_days": {&r.OverdueDays, rule.Missing},
		"open_tickets": {&r.OpenTickets, large}, "open_complaints": {&r.OpenComplaints, large}, "last_contact_days": {&r.LastContactDays, rule.Missing},
		"confidence": {&r.Confidence, 100}, "contract_end_days": {&r.ContractEndDays, rule.Missing},
	} {
		*f.to = c.integer(o.get(key), 0, f.limit, *f.to)
	}
	r.UsageTrend = c.integer(o.get("usage_trend"), -large, large, 0)
	for _, key := range rule.Zero {
		if n := o.get(key); n != nil && n.text == "0" {
			r.Zeros = append(r.Zeros, key)
		}
	}
	for key, to := range map[string]*[]string{"products": &r.Products, "consent": &r.Consent} {
		for _, item := range c.list(o.get(key), maxListItems) {
			*to = append(*to, c.text(item, 200))
		}
	}
	for key, to := range map[string]*bool{"do_not_call": &r.DoNotCall, "fraud_flag": &r.FraudFlag, "birthday": &r.Birthday} {
		*to = c.flag(o.get(key), false)
	}
	t.id = c.optionalText(o, "id")
	c.testFields(o, t)
	o.close()
}

func (c *compiler) testAgent(id agents.ID, n *node) testAgent {
	o := c.object(n)
	a := testAgent{Agent: agents.Agent{ID: id, Name: string(id), Desk: true}}
	a.Phone = agents.Phone{URI: "sip:" + string(id) + "@192.0.2.1", AutoAnswer: true}
	levels := map[agents.Skill]agents.Level{}
	if s := o.get("skills"); s != nil {
		c.agentSkills(s, "skill", "", c.names.skills, levels)
	}
	a.Skills = agents.NewSkills(levels)
	if t := o.get("team"); t != nil {
		a.Team = c.reference(t, "team", c.names.teams)
	}
	a.state = c.choice(o.get("state"), "available", testStates)
	idle := o.get("idle")
	a.idle = c.duration(idle, 0, 24*time.Hour, 0)
	if idle != nil && a.state != "available" {
		c.errorf(idle, CodeConflict, "%s: only an available agent is idle", idle.label())
	}
	if s := o.get("site"); s != nil {
		a.Site = c.reference(s, "site", c.names.sites)
	}
	a.given.Calls = c.integer(o.get("calls_60m"), 0, 1_000_000, 0)
	a.given.Busy = 100 * c.share(o.get("busy"), 0)
	o.close()
	return a
}

func (c *compiler) expectation(o *object, staffed bool) (e expectation) {
	if n := o.get("route"); n != nil {
		e.route, _ = c.scalar(n, "the path of a route, such as key/leaving, or root")
	}
	if n := o.get("queue"); n != nil {
		e.queue = c.reference(n, "queue", c.names.queues)
	}
	e.agent = c.expectedAgent(o, staffed)
	e.priority = c.optionalInteger(o, "priority", 0, 10*maxPriority)
	if n := o.get("need"); n != nil {
		need := c.need(n)
		if slices.Contains(need.Speak, "caller") {
			c.errorf(n, CodeConflict, "%s: the caller's language is resolved by then: name it, such as lang_en", n.label())
		}
		if slices.Contains(need.Site, "caller") {
			c.errorf(n, CodeConflict, "%s: the caller's site is resolved by then: name it, such as site: [%s]", n.label(), firstOf(c.names.sites))
		}
		e.need = &need
	}
	if n := o.get("open"); n != nil {
		v := c.flag(n, true)
		e.open = &v
	}
	e.treatment = c.optionalChoice(o, "treatment", testTreatments)
	last := time.Duration(0)
	for _, item := range c.list(o.get("then"), 0) {
		k := c.object(item)
		at := k.must("at")
		m := moment{at: c.duration(at, 0, 24*time.Hour, last)}
		if m.at < last {
			c.errorf(at, CodeConflict, "%s: %s comes before the entry above", at.label(), durationText(m.at))
		}
		last = m.at
		m.agent = c.expectedAgent(k, staffed)
		m.step = c.optionalInteger(k, "step", 1, maxSteps+1)
		m.priority = c.optionalInteger(k, "priority", 0, 10*maxPriority)
		m.treatment = c.optionalChoice(k, "treatment", testTreatments)
		k.close()
		e.then = append(e.then, m)
	}
	if n := o.get("region"); n != nil {
		e.region = c.reference(n, "region", c.names.regions)
	}
	o.close()
	return e
}

func firstOf(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return names[0]
}

func (c *compiler) expectedAgent(o *object, staffed bool) string {
	n := o.get("agent")
	if n == nil {
		return ""
	}
	if !staffed {
		c.errorf(n, CodeConflict, "%s: the test names no agents, nor shifts: directory", n.label())
	}
	return c.name(n)
}

func (c *compiler) optionalInteger(o *object, key string, from, to int) *int {
	n := o.get(key)
	if n == nil {
		return nil
	}
	v := c.integer(n, from, to, from)
	return &v
}

func (c *compiler) optionalChoice(o *object, key string, list []string) string {
	if n := o.get(key); n != nil {
		return c.choice(n, "", list)
	}
	return ""
}
