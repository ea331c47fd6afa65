package configs

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// Inquiry is a call that is put to a routing document.
type Inquiry struct {
	// Call says what a test of the document says of its call, as the inside of
	// its entry: call: {dnis: "+35924000100"}, customer: {segment: gold},
	// agents: {ann: {state: not_ready}}. An agent of the document need not be
	// given her skills again; without agents all of the document are Available.
	Call string
	// Test is the name of a test of the document, whose call it is; "" for none.
	Test string
	// At is local time in the document's zone, as in a test; "" for Today at noon.
	At    string
	Today time.Time
	// For bounds how long the call is followed; it is followed until somebody
	// has it or it is sent away. 0 means two hours.
	For time.Duration
	// NoAnswer has every offer of the call ring out, instead of being answered.
	NoAnswer bool
	// Directory is the agents of a document that lists none; nil: not given.
	Directory *DirectoryFile
}

// Explained is what a document makes of a call, and why.
type Explained struct {
	SHA256  string           `json:"sha256"` // of the document
	At      time.Time        `json:"at"`     // in the document's zone
	Records []routing.Record `json:"records"`
	Moments []Moment         `json:"moments"`
}

// Moment is one thing that became of an explained call.
type Moment struct {
	At   time.Time `json:"at"`
	What string    `json:"what"` // a line of words: "step 2", "treatment late"
	// Record is the index of its record, from 1; 0 for none.
	Record int `json:"record,omitempty"`
}

// callFile stands for the call in findings.
const callFile = "--call"

// explainFor is how long a call is followed when nobody says.
const explainFor = 2 * time.Hour

// Explain puts a call to the document on the engine that serves, in virtual
// time, and gives why it fared as it did. Findings are those that keep the
// document, or the call, from being read; warnings do not. It reads nothing but
// its arguments.
func Explain(name string, b []byte, q Inquiry) (*Explained, []Finding) {
	c, _ := compileRouting(name, b, []Option{Directory(q.Directory)})
	if findings := c.result(); len(findings) > 0 {
		return nil, findings
	}
	t, findings := c.inquiry(&q)
	if len(findings) > 0 {
		return nil, findings
	}
	p, err := testPolicy(c.policy)
	if err != nil {
		return nil, []Finding{{File: name, Line: 1, Col: 1, Code: CodeUntrue, Msg: oneLine(err.Error())}}
	}
	return explain(p, t, q), nil
}

// inquiry reads a call as the entry of a test.
func (c *compiler) inquiry(q *Inquiry) (*docTest, []Finding) {
	if q.For == 0 {
		q.For = explainFor
	}
	i := slices.IndexFunc(c.tests, func(t docTest) bool { return t.name == q.Test })
	if q.Test != "" && i < 0 {
		return nil, []Finding{{File: c.file, Line: 1, Col: 1, Code: CodeValue, Path: "tests", Msg: "no test has the name " + quote(q.Test)}}
	}
	if i >= 0 && q.Test != "" {
		return &c.tests[i], c.present(&c.tests[i])
	}
	at := cmp.Or(q.At, q.Today.Format("2006-01-02")+"T12:00")
	text := strings.TrimSpace(q.Call)
	if strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}") && len(text) > 1 {
		text = text[1 : len(text)-1]
	}
	entry := []string{"name: explain", "at: " + at, "expect: {}"}
	if text != "" {
		entry = append(entry, text)
	}
	own := *c
	own.reader, own.tests = &reader{file: callFile}, nil
	if root := own.parse([]byte("tests: [{" + strings.Join(entry, ", ") + "}]\n")); root != nil {
		own.readTests(own.object(root).get("tests"))
	}
	if findings := own.result(); len(findings) > 0 {
		for i := range findings { // places in what was made of it help nobody
			findings[i].Line, findings[i].Col, findings[i].Source = 1, 1, ""
		}
		return nil, findings
	}
	t := &own.tests[0]
	if findings := c.present(t); findings != nil {
		return nil, findings
	}
	if t.agents == nil {
		t.agents = map[agents.ID]testAgent{}
		for id, a := range c.policy.Agents {
			t.agents[id] = testAgent{Agent: a, state: "available"}
		}
	}
	return t, c.inherit(t)
}

// inherit gives the agents of an inquiry what the document, or its directory,
// says of them. Somebody whom neither knows must be made up by the call itself.
func (c *compiler) inherit(t *docTest) (found []Finding) {
	for id, a := range t.agents {
		if len(a.Skills) > 0 || a.Team != "" || a.Site != "" {
			continue
		}
		def, known := c.policy.Agents[id]
		if known {
			a.Agent = def
			t.agents[id] = a
		} else if len(c.policy.Agents) > 0 {
			found = append(found, Finding{File: callFile, Line: 1, Col: 1, Code: "N301",
				Msg: fmt.Sprintf("agent %s is not declared%s; one who is made up is given skills, a team or a site", id, didYouMean(string(id), c.names.agents))})
		}
	}
	return sortFindings(found)
}

// present gives a test by shifts its agents.
func (c *compiler) present(t *docTest) []Finding {
	switch {
	case !t.shifts:
	case !c.planned():
		return []Finding{{File: callFile, Line: 1, Col: 1, Code: CodeMissing, Msg: "shifts: directory needs a directory with shifts"}}
	default:
		t.agents = c.byShifts(t.at)
	}
	return nil
}

// explain follows one call until somebody has it, or it is sent away.
func explain(p *routing.Policy, t *docTest, q Inquiry) *Explained {
	own := *p
	own.Agents = map[agents.ID]agents.Agent{}
	for id, a := range t.agents {
		a.Phone.Registered = false // nobody registers here
		own.Agents[id] = a.Agent
	}
	out := &Explained{SHA256: p.SHA256, At: t.at}
	r := &player{engine: routing.New(&own), policy: &own, agent: nobodyExpected, keys: t.keys, test: t}
	r.engine.Pretend(t.pretend)
	r.staff(t)
	r.engine.Watch(testCall, func(rec routing.Record) {
		rec.Route.Tried = slices.DeleteFunc(rec.Route.Tried, func(t routing.Tried) bool { return t.Route == elsewhere })
		out.Records = append(out.Records, rec)
	})
	r.now = t.at
	f := &follower{player: r, out: out, silent: q.NoAnswer}
	f.step(r.arrival(t))
	resolved := false
	for !f.over && r.steps <= maxTestSteps {
		at := t.at.Add(t.late)
		due, ok := r.engine.Deadline()
		if !resolved && (!ok || !due.Before(at)) {
			r.now, resolved = at, true
			if !t.customer.Known && !f.awaited {
				continue // nobody asked, and there is nothing to say
			}
			f.step(r.record(t))
			continue
		}
		if !ok || due.After(t.at.Add(q.For)) {
			break
		}
		r.now = due
		f.step(routing.Tick{})
	}
	if !f.over {
		f.say(t.at.Add(q.For), "nobody has it after "+durationText(q.For), 0)
	}
	return out
}

// follower notes what becomes of the call, and does what desks and phones do.
type follower struct {
	*player
	out    *Explained
	silent bool // phones are not answered
	told   int  // records that have their moment
	// awaited: the routes asked for the record; over: somebody has the call, or
	// it was sent away.
	awaited, over bool
	sent          bool // it is said which route claimed a call that comes to no queue
}

func (f *follower) say(at time.Time, what string, record int) {
	f.out.Moments = append(f.out.Moments, Moment{at.In(f.out.At.Location()), what, record})
}

func (f *follower) step(ev routing.Event) {
	if f.steps++; f.steps > maxTestSteps {
		return
	}
	acts, err := f.engine.Step(f.now, ev)
	if err != nil {
		f.say(f.now, oneLine(err.Error()), 0)
		f.over = true
		return
	}
	acts = slices.Clone(acts)
	f.sentAway(acts)
	for _, a := range acts {
		f.note(a)
	}
	for _, a := range acts {
		f.answer(a)
	}
}

// sentAway says which route claimed a call that comes to no queue: no record
// says it, since nothing was decided about an agent.
func (f *follower) sentAway(acts []routing.Action) {
	sent := false
	for _, a := range acts {
		switch a := a.(type) {
		case routing.Enqueued:
			return
		case routing.Treat:
			sent = sent || a.Call == testCall
		}
	}
	asked, live := f.engine.Asked(testCall)
	if sent && f.told == 0 && !f.sent && live {
		f.sent = true
		f.say(f.now, "route "+asked.Rule+" claims the call", 0)
	}
}

// turnedAway names the queue that is closed or full, and the day if it is
// closed for that.
func (f *follower) turnedAway(a routing.TurnedAway) string {
	what := fmt.Sprintf("does not wait in queue %s, which is %s", a.Queue, a.Why)
	asked, _ := f.engine.Asked(testCall)
	if q := f.policy.Queues[a.Queue]; q != nil && a.Why == "closed" {
		if day := f.policy.HolidayAt(q, f.now, asked.Region); day != "" {
			what += " (" + day + ")"
		}
	}
	return what
}

// note says an action about the call in words.
func (f *follower) note(a routing.Action) {
	if r, ok := a.(routing.ReserveChanged); ok {
		f.reserve(r)
	}
	if o, ok := routing.About(a); !ok || o.Call != testCall {
		return
	}
	switch a := a.(type) {
	case routing.ResolveCustomer:
		if !a.Deadline.IsZero() {
			f.awaited = true
			f.say(f.now, "the route asks for the customer's record: awaited until +"+durationText(a.Deadline.Sub(f.out.At)), 0)
		}
	case routing.Enqueued:
		f.told++
		what := "enters queue " + a.Queue
		switch a.Reason.Trigger {
		case "late_record":
			what = "has its record, and the routes are read again: queue " + a.Queue
		case "arrived":
		default:
			what += " (" + a.Reason.Trigger + ")"
		}
		f.say(f.now, what, f.told)
	case routing.MenuAnswered:
		f.say(f.now, a.Words(), 0)
	case routing.TurnedAway:
		f.say(f.now, f.turnedAway(a), 0)
	case routing.Held:
		f.told++
		f.say(f.now, fmt.Sprintf("is held for %s (%s) until +%s", a.Agent, a.Prefer, durationText(a.Until.Sub(f.out.At))), f.told)
	case routing.OfferCall:
		f.told++
		f.say(f.now, fmt.Sprintf("is offered to %s (#%d)", a.Agent, a.Attempt), f.told)
	case routing.StepReached:
		f.say(f.now, fmt.Sprintf("step %d", a.Step), 0)
	case routing.StepSkipped:
		f.say(f.now, fmt.Sprintf("step %d is skipped: its condition does not hold", a.Step), 0)
	case routing.Relaxed:
		f.say(f.now, "what its route or topic added to the need is firm no longer", 0)
	case routing.Withdraw:
		f.say(f.now, fmt.Sprintf("is taken back from %s: %s", a.Agent, a.Why), 0)
	case routing.Connect:
		f.say(f.now, "talks to "+string(a.Agent), 0)
		f.over = true
	case routing.OfferCallback:
		what := "is offered to be called back (key " + a.Key + ")"
		if a.Why != "" {
			what += ", and presses nothing"
		}
		f.say(f.now, what, 0)
	case routing.Treat:
		if a.Play != elsewhere && a.Play != "" {
			f.say(f.now, fmt.Sprintf("treatment %s: play %s", a.Why, a.Play), 0)
		} else if a.Number != "" {
			f.say(f.now, fmt.Sprintf("treatment %s: number %s", a.Why, a.Number), 0)
			f.over = true
		} else if a.Voicemail != "" {
			f.say(f.now, fmt.Sprintf("treatment %s: voicemail %s", a.Why, a.Voicemail), 0)
			f.over = true
		} else {
			f.say(f.now, "treatment "+a.Why, 0)
		}
	case routing.EndCall:
		f.say(f.now, fmt.Sprintf("ends: %s by %s", a.Outcome, a.By), 0)
		f.over = true
	}
}

// reserve says that the reserve of a queue comes or goes.
func (f *follower) reserve(r routing.ReserveChanged) {
	if r.Joined {
		f.say(f.now, fmt.Sprintf("reserve %s joins queue %s (%s)", r.Team, r.Queue, r.Why), 0)
	} else {
		f.say(f.now, fmt.Sprintf("reserve %s leaves queue %s", r.Team, r.Queue), 0)
	}
}

// answer is what a desk and a phone do.
func (f *follower) answer(a routing.Action) {
	switch a := a.(type) {
	case routing.OfferCall:
		f.step(routing.PopAcked{Offer: a.Offer, Mode: routing.Painted})
	case routing.MayAccept:
		if !f.silent || a.Call != testCall {
			f.step(routing.OfferAccepted{Offer: a.Offer})
		}
	case routing.Ring:
		if !f.silent || a.Call != testCall {
			f.step(routing.PhoneAnswered{Offer: a.Offer})
		}
	case routing.OfferCallback:
		if a.Why != "" {
			f.step(routing.CallbackDeclined{Call: a.Call})
		}
	case routing.AskMenu:
		f.step(f.press(a))
	case routing.Treat:
		if a.Play != "" {
			f.step(routing.TreatmentPlayed{Call: a.Call})
		}
	}
}
