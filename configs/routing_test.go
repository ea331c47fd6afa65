package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/routing/rule"
)

func load(t *testing.T, path string) *routing.Policy {
	t.Helper()
	p, findings := LoadRouting(path)
	if p == nil {
		t.Fatalf("%s:\n%s", path, printed(t, findings))
	}
	return p
}

// compile reads a document whose head and tail are given.
func compile(t *testing.T, middle string) *routing.Policy {
	t.Helper()
	doc := "cordboard: routing/1\nname: Test\nzone: Europe/Vienna\n" + middle
	if !strings.Contains(middle, "\nagents:") {
		doc += "\nagents: {}\n"
	}
	p, findings := ParseRouting("test.yaml", []byte(doc))
	if p == nil {
		t.Fatalf("%s\n%s", doc, printed(t, findings))
	}
	return p
}

func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

// What nobody says is what the Keys tables say.
func TestDefaults(t *testing.T) {
	p := load(t, "testdata/good/minimal.yaml")
	equal(t, "queue", *p.Queues["desk"], routing.Queue{
		Name: "desk", SpeakLevel: 5, AnswerWithin: 20 * time.Second, Choose: "longest_idle", ChooseWindow: 30 * time.Minute,
		RingTimeout: 20 * time.Second, RONA: routing.RONA{NotReady: true, After: 1},
		Pop:    routing.PopPolicy{Deadline: 1500 * time.Millisecond, Late: routing.LateRingAnyway},
		WrapUp: routing.WrapUpPolicy{Time: 30 * time.Second, Disposition: "optional"},
		Closed: rule.Treatment{Play: "closed", Hangup: true}, AtClose: routing.AtClose{Grace: 30 * time.Minute}, Music: "default",
		Announce: routing.AnnouncePolicy{Say: []string{"position"}, PositionUpTo: 20, From: 30 * time.Second, To: 20 * time.Minute, Round: time.Minute},
	})
	equal(t, "points", p.MilliPoints, int64(1000))
	equal(t, "record", p.Record, routing.RecordPolicy{Deadline: 800 * time.Millisecond, Reconsider: true, LateFor: 30 * time.Second})
	equal(t, "transfers", p.Transfers, routing.TransferPolicy{CreditWaited: true, UnansweredAfter: 45 * time.Second, UnansweredReturn: true})
	equal(t, "service", p.Service, figures.Rules{
		Formula: figures.AbandonsIgnored, Switches: figures.Switches{Abandons: true},
		Short: 5 * time.Second, Interval: 15 * time.Minute, Window: 30 * time.Minute, Zone: p.Zone,
	})
	equal(t, "route", *p.Route, rule.Node{Name: "root", Queue: "desk"})
	equal(t, "zone", p.Zone.String(), "Europe/Vienna")
	equal(t, "agent", p.Agents["ann"], agents.Agent{
		ID: "ann", Name: "Ann Berger", Skills: agents.Skills{}, Phone: agents.Phone{URI: "sip:ann@192.0.2.13"}, Desk: true, CSAT: 50,
	})
	b, err := os.ReadFile("testdata/good/minimal.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(b)
	equal(t, "sha256", p.SHA256, hex.EncodeToString(sum[:]))
}

func TestExampleCompiles(t *testing.T) {
	p := load(t, "example/routing.yaml")
	equal(t, "sizes", []int{len(p.Queues), len(p.Topics), len(p.Agents), len(p.Sets)}, []int{7, 8, 12, 2})
	equal(t, "title", p.Topics["line_fault"].Title, routing.Title{"en": "Line fault", "ru": "Неисправность линии"})
	equal(t, "specialists", p.Topics["line_fault"].Specialists, []agents.ID{"petar", "vera"})
	equal(t, "topic need", p.Topics["line_fault"].Need, rule.Need{All: []agents.Range{{Skill: "internet", Min: 8}}})
	billing := p.Queues["billing"]
	equal(t, "billing need", billing.Need, rule.Need{
		All: []agents.Range{{Skill: "billing", Min: 3}}, None: []agents.Skill{"trainee"}, Speak: []string{"caller"},
	})
	equal(t, "billing steps", billing.Steps, []routing.Step{
		{After: 20 * time.Second, Need: &rule.Need{All: []agents.Range{{Skill: "billing", Min: 1}}, None: []agents.Skill{}}},
		{After: time.Minute, Need: &rule.Need{All: []agents.Range{{Skill: "care", Min: 3}}, None: []agents.Skill{}, Speak: []string{"caller", "en"}}},
		{After: 90 * time.Second, PriorityAdd: 40},
	})
	equal(t, "billing prefers", billing.Prefer, []rule.Prefer{{Who: "last_agent", Wait: 10 * time.Second, Within: 7 * 24 * time.Hour}})
	equal(t, "business closed", p.Queues["business"].Closed, rule.Treatment{Queue: "care", PriorityAdd: 60})
	equal(t, "business prefers", p.Queues["business"].Prefer[0], rule.Prefer{Who: "account_manager", Wait: 20 * time.Second, Waived: true})
	equal(t, "retention pop", p.Queues["retention"].Pop,
		routing.PopPolicy{Deadline: 2500 * time.Millisecond, Late: routing.LateNextAgent, Lead: time.Second})
	equal(t, "retention wrap-up", p.Queues["retention"].WrapUp, routing.WrapUpPolicy{Time: time.Minute, Disposition: "required", Hold: true})
	equal(t, "care hours", p.Queues["care"].Hours, "always")
	equal(t, "petar", p.Agents["petar"].Skills,
		agents.Skills{{Skill: "care", Level: 4}, {Skill: "internet", Level: 9}, {Skill: "lang_en", Level: 9}, {Skill: "lang_ru", Level: 7}})
	equal(t, "phone", p.Agents["petar"].Phone, agents.Phone{URI: "sip:petar@127.0.0.1:5072", AutoAnswer: true})
	office := p.Calendars["office"]
	equal(t, "saturday", office.Week[time.Saturday], []routing.Interval{{From: 540, To: 840}})
	equal(t, "sunday", office.Week[time.Sunday], []routing.Interval(nil))
	equal(t, "christmas", office.Exceptions[2], routing.Exception{Every: "12-25", Name: "Christmas Day"})
	key := p.Route.Children[1]
	equal(t, "route key", []any{key.Name, key.Queue, *key.Priority, key.Children[0].PriorityAdd}, []any{"key", "business", 180, 60})
	if !p.Route.Children[0].GoOn || p.Route.Children[0].SetLanguage != "ru" {
		t.Error("route russian_line sets nothing")
	}
	// Every agent fits some queue's first step, and every queue has somebody.
	if id := p.Topics["roaming_refund"].Specialists[0]; p.Agents[id].Skills.Level("roaming") < 8 {
		t.Errorf("specialist %s does not fit the topic", id)
	}
}

// Options are replaced whole; none switches off what defaults set; a key that
// is not given in a need stays nil, an empty one does not.
func TestOptionsAndNone(t *testing.T) {
	p := compile(t, `
languages: [en]
skills: {a: {}, b: }
teams: [x]
calendars: {day: {week: {mon-fri: "22:00-06:00", sat-sun: closed}}}
dispositions: {set: [{id: done, final: true}]}
defaults:
  hours: day
  dispositions: set
  wrap_up: {time: 2m, disposition: required, overtime: hold}
  pop: {deadline: 3s, lead: 1s}
  late: {after: 5m, then: {play: sorry, hangup: true}}
  nobody: {for: 1m, then: {reject: 480}}
  full: {waiting: 5, then: {hangup: true}}
  prefer: [{who: last_agent}]
  steps: [{after: 10s, priority_add: 1}]
  need: {all: {a: 1}, speak: caller, team: [x]}
queues:
  all: {need: {all: {}, any: [{a: "2..4"}, {a: 1, b: 2}], none: [], speak: any, team: []}, pop: {late: hold}}
  off: {hours: none, dispositions: none, wrap_up: {}, late: none, nobody: none, full: none, prefer: [], steps: []}
  as_default:
route:
  queue: all
  routes:
    - {name: blocked, when: 'call.trunk == "x"', then: {reject: 603}}
    - {name: ann, when: 'call.trunk == "y"', queue: off, agent: ann}
    - {name: none, when: 'call.trunk == "z"', prefer: [], priority_add: 5}
transfers: {credit: none, priority_add: 30, consult: {priority_add: 45}, unanswered: {after: 20s, do: queue}, numbers: {to: [GB, IE]}}
order: {points_per_second: off}
agents:
  ann: {name: Ann Berger, phone: "sip:ann@Phones.Example.com:5060;transport=tcp", login: desk, team: x, skills: {a: 1}, languages: {en: 9}}
  bob: {name: Bob Huber, phone: "sip:bob@[2001:db8::1]:5061;transport=tls"}
`)
	q := p.Queues["all"]
	equal(t, "need", q.Need, rule.Need{
		All: []agents.Range{}, Any: [][]agents.Range{{{Skill: "a", Min: 2, Max: 4}}, {{Skill: "a", Min: 1}, {Skill: "b", Min: 2}}},
		None: []agents.Skill{}, Speak: []string{"any"}, Team: []string{},
	})
	equal(t, "pop is replaced whole", q.Pop, routing.PopPolicy{Deadline: 1500 * time.Millisecond, Late: routing.LateHold})
	off := p.Queues["off"]
	equal(t, "switched off", []any{off.Hours, off.Dispositions, off.Late, off.Nobody, off.Full, len(off.Prefer), len(off.Steps)},
		[]any{"", "", (*routing.AfterPolicy)(nil), (*routing.AfterPolicy)(nil), (*routing.FullPolicy)(nil), 0, 0})
	d := p.Queues["as_default"]
	equal(t, "as default", []any{d.Hours, d.Dispositions, d.Late.After, d.Nobody.Then.Reject, d.Full.Waiting, len(d.Prefer), len(d.Steps)},
		[]any{"day", "set", 5 * time.Minute, 480, 5, 1, 1})
	equal(t, "night", p.Calendars["day"].Week[time.Friday], []routing.Interval{{From: 1320, To: 360}})
	equal(t, "strict", p.MilliPoints, int64(0))
	equal(t, "transfers", p.Transfers, routing.TransferPolicy{PriorityAdd: 30, ConsultAdd: 45, UnansweredAfter: 20 * time.Second, Numbers: routing.NumberPolicy{To: []string{"GB", "IE"}}})
	equal(t, "then", p.Route.Children[0].Then, &rule.Treatment{Reject: 603})
	equal(t, "agent", p.Route.Children[1].Prefer, []rule.Prefer{{Who: "ann", Wait: 20 * time.Second}})
	if none := p.Route.Children[2]; none.Prefer == nil || len(none.Prefer) != 0 {
		t.Errorf("prefer [] must switch off: %+v", none)
	}
	equal(t, "ann's phone", p.Agents["ann"].Phone.URI, "sip:ann@phones.example.com;transport=tcp")
	equal(t, "bob's phone", p.Agents["bob"].Phone.URI, "sip:bob@[2001:db8::1];transport=tls")
	if !p.Agents["ann"].Desk || p.Agents["ann"].Team != "x" {
		t.Errorf("ann: %+v", p.Agents["ann"])
	}
}

func TestPointsPerSecond(t *testing.T) {
	for text, want := range map[string]int64{"1": 1000, "0.5": 500, "0.001": 1, "1000": 1_000_000, "2.25": 2250, "off": 0} {
		p := compile(t, "order: {points_per_second: "+text+"}\nqueues: {a: }\nroute: {queue: a}")
		equal(t, text, p.MilliPoints, want)
	}
}

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"800ms": 800 * time.Millisecond, "20s": 20 * time.Second, "1m30s": 90 * time.Second, "2h": 2 * time.Hour, "7d": 168 * time.Hour,
		"1d2h3m4s5ms": 26*time.Hour + 3*time.Minute + 4*time.Second + 5*time.Millisecond, "0s": 0,
	} {
		if got, ok := parseDuration(text); !ok || got != want {
			t.Errorf("%s: %v %v", text, got, ok)
		}
		if back, ok := parseDuration(durationText(want)); !ok || back != want {
			t.Errorf("%s: written as %s", text, durationText(want))
		}
	}
	for _, text := range []string{"", "20", "s", "1.5s", "30s1m", "1s1s", "-5s", "5 s", "1w", "99999999999999999999s", "9999d", "３s"} {
		if got, ok := parseDuration(text); ok {
			t.Errorf("%q is taken for %v", text, got)
		}
	}
}

func TestSuggest(t *testing.T) {
	known := []string{"answer_within", "answer", "hours", "late"}
	for word, want := range map[string]string{"answr_within": "answer_within", "anwser": "answer", "huors": "hours", "lat": "late", "colour": "", "x": ""} {
		if got := suggest(word, known); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}

// A file of garbage is bounded in what it reports.
func TestFindingsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("cordboard: routing/1\n")
	for i := range 3000 {
		b.WriteString("k" + strings.Repeat("x", i%7) + hex.EncodeToString([]byte{byte(i >> 8), byte(i)}) + ": 1\n")
	}
	_, findings := ParseRouting("x.yaml", []byte(b.String()))
	if len(findings) != maxFindings+1 || !strings.Contains(findings[maxFindings].Msg, "more findings") {
		t.Errorf("%d findings, the last: %v", len(findings), findings[len(findings)-1])
	}
}

// Files that would make a careless reader recurse for ever, or take for ever.
func TestHostileFiles(t *testing.T) {
	for name, doc := range map[string]string{
		"flow":     "a: " + strings.Repeat("[", 1_000_000),
		"maps":     "a: " + strings.Repeat("{a: ", 300_000),
		"dashes":   strings.Repeat("- ", 300_000),
		"keys":     strings.Repeat("? ", 300_000),
		"too big":  strings.Repeat("#", maxFileSize+1),
		"control":  "a: \x00b",
		"not utf8": "a: \xff",
		"deep":     "a:\n" + deep(40),
		"spaces":   strings.Repeat(" ", 1_000_000),
		"quotes":   "a: \"" + strings.Repeat("\n", 100_000),
	} {
		p, findings := ParseRouting(name, []byte(doc))
		if p != nil || len(findings) == 0 {
			t.Errorf("%s: accepted", name)
		}
	}
}

func deep(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i+1) + "a:\n")
	}
	return b.String()
}

// Sounds are checked where they are known, everywhere a document can name one.
func TestSounds(t *testing.T) {
	doc := []byte(`
cordboard: routing/1
name: Sounds
zone: Europe/Vienna
defaults: {music: tune}
queues:
  a: {music: default, closed: {then: {play: clsed, hangup: true}}, late: {after: 5m, then: {play: sorry, queue: b}}}
  b: {music: jazz}
route: {queue: a}
agents: {}
`)
	if p, f := ParseRouting("x.yaml", doc); p == nil {
		t.Fatal(printed(t, f))
	}
	has := func(name string) bool { return name == "default" || name == "sorry" }
	p, f := ParseRouting("x.yaml", doc, Sounds(has))
	var got []string
	for _, finding := range f {
		got = append(got, finding.Brief())
	}
	if p != nil {
		t.Error("loaded")
	}
	equal(t, "findings", got, []string{
		"x.yaml:5:12: sound does not exist | tune (defaults.music) [Q704]",
		"x.yaml:7:23: sound does not exist | clsed (queues.a.closed) [Q704]",
		"x.yaml:8:7: sound does not exist | jazz (queues.b.music) [Q704]",
	})
}

func TestLoadRoutingMissingFile(t *testing.T) {
	p, findings := LoadRouting("testdata/absent.yaml")
	if p != nil || len(findings) != 1 || findings[0].Code != CodeSyntax {
		t.Errorf("got %v", findings)
	}
}

// A queue that answers with the agent needs no sound before; whatever defaults
// say for the others stays theirs.
func TestAnswerWithAgent(t *testing.T) {
	p := compile(t, `
calendars: {day: {week: {mon: "08:00-17:00"}}}
defaults: {music: piano, answer: with_agent}
queues:
  ringing: {hours: day, closed: {then: {reject: 480}}, late: {after: 90s, then: {queue: music}}}
  always:
  music: {answer: at_queue, music: brass, nobody: {for: 1m, then: {play: sorry, hangup: true}}}
route: {queue: ringing}
`)
	for name, want := range map[string]bool{"ringing": true, "always": true, "music": false} {
		equal(t, name, p.Queues[name].AnswerWithAgent, want)
	}
	equal(t, "on hold", p.Queues["ringing"].Music, "piano")
	equal(t, "closed", p.Queues["ringing"].Closed, rule.Treatment{Reject: 480})
}

// The example is as its own check wants it.
func TestExampleIsClean(t *testing.T) {
	r := Check("routing.yaml", readAll(t, "example/routing.yaml"), CheckInput{Today: checkDay, HasSound: func(string) bool { return true }})
	if r.Count(Error) > 0 || r.Count(Warning) != r.accepted() || r.Tests == 0 || r.Hold != r.Tests {
		var b strings.Builder
		if err := r.Print(&b); err != nil {
			t.Error(err)
		}
		t.Error(b.String())
	}
}
