package routing

import (
	"fmt"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/routing/rule"
)

// tapeQueues and tapePolicy have a bit of everything: steps, holds, overflow, closing time,
// topics, every pop policy and every selector.
func tapeQueues(version int) map[string]*Queue {
	a, b, c := tapeQueue("a", tapeNeed("x", 5)), tapeQueue("b", tapeNeed("y", 1)), tapeQueue("c", rule.Need{Speak: []string{"caller"}})
	wide := tapeNeed("x", 1)
	a.Steps = []Step{{After: 0, PriorityAdd: 5}, {After: 20 * time.Second, Need: &wide}}
	a.Steps = append(a.Steps, Step{After: 30 * time.Second, When: tapeAsk(`queue.waiting > 1 or queue.position > 1`), Need: &rule.Need{Any: [][]agents.Range{{{Skill: "y", Min: 1}}}}}, Step{After: 45 * time.Second, Need: &rule.Need{None: []agents.Skill{"x"}}, Only: true, PriorityAdd: 7})
	c.Steps = []Step{{After: 0, When: tapeAsk(`queue.available > 0`), Need: &rule.Need{Speak: []string{"any"}}}, {After: 5 * time.Second, When: tapeAsk(`queues.a.waiting > queue.staffed`), PriorityAdd: 3}}
	a.Need.Any = [][]agents.Range{{{Skill: "lang_en", Min: 1}}, {{Skill: "lang_ru", Min: 1}}}
	a.Prefer = []rule.Prefer{{Who: "last_agent", Wait: 15 * time.Second, Within: 24 * time.Hour}, {Who: "a3", Wait: 5 * time.Second, Waived: true, Hold: true}}
	a.Late = &AfterPolicy{90 * time.Second, rule.Treatment{Queue: "b", PriorityAdd: 10}}
	a.WrapUp = WrapUpPolicy{Time: 10 * time.Second, Disposition: "required", Hold: true}
	b.Pop.Late, b.Choose, b.RONA = LateNextAgent, "most_skilled", RONA{After: 1}
	b.Nobody = &AfterPolicy{30 * time.Second, rule.Treatment{Queue: "c"}}
	b.Late = &AfterPolicy{60 * time.Second, rule.Treatment{Queue: "a"}}
	a.Nobody = &AfterPolicy{20 * time.Second, rule.Treatment{Play: "sorry", Voicemail: "a"}}
	b.WrapUp.Time = 5 * time.Second
	b.Need.Site = []string{"caller"}
	b.Steps = []Step{{After: 40 * time.Second, Need: &rule.Need{Site: []string{"any"}}}}
	b.AnswerWithAgent = true
	a.Announce = AnnouncePolicy{Greeting: "hello", Every: 15 * time.Second, Say: []string{SayWait, SayPosition}, PositionUpTo: 3, From: 10 * time.Second, To: 3 * time.Minute, Round: 30 * time.Second}
	c.EarlyMedia, c.Announce = version == 1, AnnouncePolicy{Greeting: "welcome", Every: time.Minute, Say: []string{SayPosition}, PositionUpTo: 1}
	b.Full = &FullPolicy{4, rule.Treatment{Play: "sorry", Queue: "c"}}
	c.Pop.Late, c.Pop.OnAccept, c.Pop.Lead, c.Choose = LateHold, true, time.Second, "least_occupied"
	c.Hours, c.AtClose.Grace, c.Closed = "day", time.Minute, rule.Treatment{Play: "closed", Hangup: true}
	c.Nobody = &AfterPolicy{0, rule.Treatment{Hangup: true}}
	if version > 1 {
		a.Steps, c.Choose = nil, "longest_idle"
	}
	return map[string]*Queue{"a": a, "b": b, "c": c}
}

func tapePolicy(version int) *Policy {
	sixty := 60
	p := &Policy{
		Version: version, Zone: time.UTC, MilliPoints: 1000, Languages: []string{"en", "ru"}, DefaultLanguage: "en",
		Service:   figures.Rules{Window: 5 * time.Minute, Short: 5 * time.Second, ByArrival: true},
		Record:    RecordPolicy{Deadline: 800 * time.Millisecond, Reconsider: true, LateFor: 30 * time.Second},
		Calendars: map[string]*Calendar{"day": {Name: "day", Zone: time.UTC}},
		Topics:    map[string]*Topic{"hard": {Name: "hard", Queue: "a", Need: tapeNeed("x", 6), RelaxAfter: tapeSpan(12 * time.Second), Specialists: []agents.ID{"a0", "a1"}, Wait: 20 * time.Second, PriorityAdd: 20}},
		Queues:    tapeQueues(version),
		Transfers: TransferPolicy{CreditWaited: true, PriorityAdd: 30, ConsultAdd: 25, UnansweredAfter: 25 * time.Second, UnansweredReturn: true, Numbers: NumberPolicy{To: []string{"GB"}}},
		Route: &rule.Node{Queue: "a", Children: []*rule.Node{
			{Name: "gold", When: tapeWhen(`customer.segment == "gold"`), Queue: "b", Priority: &sixty},
			{Name: "open", When: tapeWhen(`call.trunk == "c" and queues.b.waiting < 3 and queues.b.ewt < 600 and queues.b.sl >= 0`), Queue: "c"},
			{Name: "hard", When: tapeWhen(`call.trunk == "t"`), SetTopic: "hard"},
			{Name: "firm", When: tapeWhen(`call.trunk == "f"`), Need: &rule.Need{Any: [][]agents.Range{{{Skill: "y", Min: 1}}, {{Skill: "x", Min: 9}}}, None: []agents.Skill{"z"}}, RelaxAfter: tapeSpan(8 * time.Second), Record: &RecordPolicy{Deadline: 2 * time.Second}, SetTag: "tape", Prefer: []rule.Prefer{}},
			{Name: "no", When: tapeWhen(`call.trunk == "no"`), Then: &rule.Treatment{Reject: 603}},
			{Name: "box", When: tapeWhen(`call.trunk == "box"`), Then: &rule.Treatment{Voicemail: "night"}},
		}},
		Agents: map[agents.ID]agents.Agent{},
	}
	tapePlaces(p)
	tapeMenus(p)
	p.Queues["b"].AnswerWithin = tapePromise
	if p.ByDue = version > 1; !p.ByDue {
		p.Ceiling = 75
	} else {
		p.Queues["a"].AnswerWithin, p.Service.ByArrival, p.Service.Short = 35*time.Second, false, 8*time.Second
	}
	for d := range 7 {
		p.Calendars["day"].Week[d] = []Interval{{8 * 60, 21 * 60}}
	}
	for i := range 5 {
		id := agents.ID(fmt.Sprintf("a%d", i))
		levels := map[agents.Skill]agents.Level{"x": agents.Level(9 - 2*i), "y": agents.Level(i), "lang_en": 8, "lang_ru": agents.Level(2 * i)}
		if version > 1 && i == 4 {
			continue // left the company
		}
		if version > 1 && i == 3 {
			levels["x"] = 9 // has learned
		}
		p.Agents[id] = agents.Agent{ID: id, Site: []string{"home", "away", ""}[i%3], Skills: agents.NewSkills(levels), Desk: i != 2, Phone: agents.Phone{URI: "sip:x@192.0.2.1", AutoAnswer: i%2 == 0, Registered: i == 2 || i == version}}
	}
	tapeWho(p, version)
	tapeCallbacks(p, version)
	return p
}

func tapeNeed(name agents.Skill, level agents.Level) rule.Need {
	return rule.Need{All: []agents.Range{{Skill: name, Min: level}}}
}

func tapeWhen(src string) *rule.Condition {
	c, err := rule.Compile(src, rule.CompileOptions{Segments: []string{"gold"}, Queues: []string{"a", "b", "c"}, Topics: []string{"hard"}})
	if err != nil {
		panic(err)
	}
	return c
}

func tapeSpan(d time.Duration) *time.Duration { return &d }

func tapeAsk(src string) *rule.Condition {
	c, err := rule.Compile(src, rule.CompileOptions{Queues: []string{"a", "b", "c"}, OwnQueue: true})
	if err != nil {
		panic(err)
	}
	return c
}

func tapeQueue(name string, need rule.Need) *Queue {
	return &Queue{
		Name: name, Need: need, SpeakLevel: 5, AnswerWithin: 20 * time.Second, Choose: "longest_idle", ChooseWindow: 30 * time.Minute,
		RingTimeout: 20 * time.Second, RONA: RONA{NotReady: true, After: 1}, Pop: PopPolicy{Deadline: 1500 * time.Millisecond, Late: LateRingAnyway},
		WrapUp: WrapUpPolicy{Disposition: "optional"}, Closed: rule.Treatment{Hangup: true}, Music: "default",
	}
}

// tapePlaces gives the policy two regions, one with a site that closes and
// opens while the tape runs, and another clock.
func tapePlaces(p *Policy) {
	p.Calendars["shifts"] = &Calendar{Name: "shifts", Zone: time.UTC}
	for d := range 7 {
		for m := 20*60 + 42; m < 22*60; m += 2 {
			p.Calendars["shifts"].Week[d] = append(p.Calendars["shifts"].Week[d], Interval{m, m + 1})
		}
	}
	p.Calendars["day"].Caller = true
	p.Sites = map[string]*Site{"home": {Name: "home", Hours: "shifts"}, "away": {Name: "away"}}
	p.Regions = NewRegions([]Region{{Name: "east", Site: "home", Zone: time.FixedZone("east", 10*60), Language: "ru"}, {Name: "west", Site: "away"}})
}

func tapeRegion(call CallID) string { return []string{"east", "", "west", "east"}[call%4] }
