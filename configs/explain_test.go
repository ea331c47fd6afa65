package configs

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// explainer puts calls to one document of testdata.
type explainer struct {
	t    *testing.T
	name string
	b    []byte
	dir  *DirectoryFile
	f    Finding
}

func (x *explainer) explain(call, at string, noAnswer bool) *Explained {
	x.t.Helper()
	out, findings := Explain(x.name, x.b, Inquiry{Call: call, At: at, Today: checkDay, NoAnswer: noAnswer, Directory: x.dir})
	if len(findings) > 0 {
		x.t.Fatalf("%s: %q: %s", x.f.Text(), call, printed(x.t, findings))
	}
	return out
}

// route is the route that claims a call.
func (x *explainer) route(call string) string {
	x.t.Helper()
	out := x.explain(call, "", false)
	if len(out.Records) == 0 {
		x.t.Fatalf("%s: %q has no record: %+v", x.f.Text(), call, out.Moments)
	}
	return out.Records[0].Route.Path
}

func (x *explainer) want(ok bool, got any) {
	x.t.Helper()
	if !ok {
		x.t.Errorf("%s\n is not what explain says: %+v", x.f.Text(), got)
	}
}

// own is the route that the finding is about.
func (x *explainer) own() string { return strings.TrimPrefix(x.f.Path, "route.") }

// at is the first moment that says so, "" for none.
func (e *Explained) at(what string) string {
	for _, m := range e.Moments {
		if strings.Contains(m.What, what) {
			return durationText(m.At.Sub(e.At))
		}
	}
	return ""
}

const nobodyThere = "agents: {ann: {state: not_ready}, bob: {state: not_ready}}"

var (
	firstCall  = regexp.MustCompile(`^(call: \{.*?\}(?:, customer: (?:\{.*?\}|unknown))?)`)
	twoCalls   = regexp.MustCompile(`^(call: .*?) and (call: .*?): both (true|false)$`)
	dayOff     = regexp.MustCompile(`day off of (\w+)$`)
	stepAt     = regexp.MustCompile(`\+(\S+) step (\d)`)
	sameFigure = regexp.MustCompile(`the same figure in (\w+) and in (\w+)$`)
	holdsUntil = regexp.MustCompile(`\+(\S+) hold ends`)
)

// confirm says for the code of a finding whose call shows it how explain bears
// it out.
var confirm = map[string]func(*explainer){
	"R201": func(x *explainer) {
		call, taker := firstCall.FindString(x.f.Shows), ""
		if rest, ok := strings.CutPrefix(x.f.Shows, "any call: "); ok {
			taker = strings.Fields(rest)[0]
		} else if _, rest, ok := strings.Cut(x.f.Shows, ": route."); ok {
			taker = strings.Fields(rest)[0]
		}
		got := x.route(call)
		x.want(got != x.own() && (taker == "" || got == taker), got)
	},
	"R203": func(x *explainer) {
		r := x.explain(x.f.Shows, "", false).Records[0]
		_, first, _ := strings.Cut(x.f.Msg, "route.")
		both := r.Route.Path == x.own() && slices.Contains(r.Route.Tried, routing.Tried{Route: first}) // which goes on
		x.want(both || r.Route.Path == first, r.Route)
	},
	"R205": func(x *explainer) {
		out := x.explain(firstCall.FindString(x.f.Shows), "", false)
		r := out.Records[0]
		x.want(r.Route.Path == x.own() && strings.HasSuffix(x.f.Shows, fmt.Sprintf("queue %s, priority %d with it and without", r.Queue, r.Priority)), r)
	},
	"R206": func(x *explainer) {
		number, wait, _ := strings.Cut(strings.TrimPrefix(x.f.Shows, "a call to "), ": +")
		call := firstCall.FindString(x.f.Shows)
		if call == "" {
			call = fmt.Sprintf("call: {dnis: %q}", number)
		}
		out := x.explain(call, "", false)
		x.want(out.at("awaited until +"+wait[strings.LastIndex(wait, "+")+1:]) == "0s", out.Moments)
	},
	"X102": func(x *explainer) { got := x.route(firstCall.FindString(x.f.Shows)); x.want(got == x.own(), got) },
	"X104": func(x *explainer) {
		m := twoCalls.FindStringSubmatch(x.f.Shows)
		for _, call := range m[1:3] {
			out := x.explain(call, "", false)
			tried := slices.ContainsFunc(out.Records[0].Route.Tried, func(t routing.Tried) bool { return t.Route == x.own() && t.False != "" })
			x.want(tried == (m[3] == "false"), out.Records[0].Route)
		}
	},
	"N302": func(x *explainer) {
		var step int
		if _, err := fmt.Sscanf(x.f.Shows[strings.Index(x.f.Shows, "step"):], "step %d", &step); err != nil {
			x.t.Fatal(err)
		}
		s := x.explain("", "", false).Records[0].Steps[step-1]
		x.want(s.Staffed == 0 && strings.Contains(s.Need, strings.TrimPrefix(x.f.Path, "skills.")), s)
	},
	"N303": func(x *explainer) {
		out := x.explain("", "", false)
		x.want(out.at("nobody has it after 2h") == "2h", out.Moments)
	},
	"N304": func(x *explainer) {
		when, _, _ := strings.Cut(x.f.Shows, ",")
		day, hour, _ := strings.Cut(when, " ")
		at := checkDay.AddDate(0, 0, (slices.Index(weekdays, day)+6)%7).Format(time.DateOnly) + "T" + hour // checkDay is a monday
		dnis := map[string]string{"queues.desk": "+442079460100", "queues.russian": "+442079460101", "queues.night": "+442079460102"}[x.f.Path]
		out := x.explain(fmt.Sprintf("call: {dnis: %q}, shifts: directory", dnis), at, false)
		x.want("queues."+out.Records[0].Queue == x.f.Path && out.at("offered") == "" && out.at("treatment closed") == "", out.Moments)
	},
	"N305": func(x *explainer) {
		call := ""
		if topic, ok := strings.CutPrefix(x.f.Path, "topics."); ok {
			call = "call: {topic: " + topic + "}, "
		}
		with, without := x.explain(call+"agents: {ann: {}, bob: {}}", "", false), x.explain(call+"agents: {bob: {}}", "", false)
		x.want(dayOff.FindStringSubmatch(x.f.Shows)[1] == "ann" && with.at("offered to ann") == "0s" && without.at("offered") == "", without.Moments)
	},
	"N307": func(x *explainer) {
		code := strings.TrimPrefix(x.f.Shows, "a caller in ")
		r := x.explain("call: {language: "+code+"}", "", false).Records[0]
		x.want(len(r.LeftOut) == r.SignedIn && !slices.ContainsFunc(r.LeftOut, func(l routing.LeftOut) bool { return l.Code != "language" }), r.LeftOut)
	},
	"N310": func(x *explainer) {
		call := map[string]string{"queues.desk": `call: {ani: "+35952000100"}`, "route.coast": `call: {dnis: "+442079460101"}`}[x.f.Path]
		if call == "" {
			return // of a step, whose other site has somebody
		}
		r := x.explain(call, "", false).Records[0]
		x.want(r.SignedIn == 3 && r.Steps[0].Staffed == 0, r.Steps)
	},
	"P902": func(x *explainer) {
		call, rings := "", 2
		if x.f.Path == "queues.pair.ring" {
			call, rings = `call: {dnis: "150"}`, 1
		}
		got := 0
		out := x.explain(call, "", true)
		for _, m := range out.Moments {
			if strings.Contains(m.What, "offered to") && m.At.Equal(out.At) {
				got++
			}
		}
		x.want(got == rings, got)
	},
	"X107": func(x *explainer) {
		m := sameFigure.FindStringSubmatch(x.f.Shows)
		for _, currency := range m[1:] {
			got := x.route("customer: {balance: -6000, balance_currency: " + currency + "}")
			x.want(got == x.own(), got)
		}
	},
	"N308": func(x *explainer) {
		r := x.explain(`call: {dnis: "150"}`, "", false).Records[0]
		x.want(r.Route.Path == x.own() && r.Steps[0].Need == r.Steps[1].Need, r.Steps)
	},
	"S402": func(x *explainer) {
		var step int
		if _, err := fmt.Sscanf(x.f.Msg, "step %d", &step); err != nil {
			x.t.Fatal(err)
		}
		s := x.explain("", "", false).Records[0].Steps[step-1]
		x.want(s.Staffed == 0, s)
	},
	"S403": func(x *explainer) {
		out, m := x.explain(nobodyThere, "", false), stepAt.FindStringSubmatch(x.f.Shows)
		x.want(out.at("step "+m[2]) == "" && out.at("treatment late") != "", out.Moments)
	},
	"S404": func(x *explainer) {
		call := `call: {topic: hard}, customer: {last_agent: bob}, agents: {ann: {state: talking}, bob: {state: talking}}`
		if x.f.Path == "route.hers" {
			call = `call: {dnis: "150"}, agents: {ann: {state: talking}, bob: {}}`
		}
		out, until := x.explain(call, "", false), holdsUntil.FindStringSubmatch(x.f.Shows)[1]
		x.want(out.at("until +"+until) != "", out.Moments)
	},
	"S406": func(x *explainer) {
		out, m := x.explain(nobodyThere, "", false), stepAt.FindStringSubmatch(x.f.Shows)
		x.want(out.at("step "+m[2]) == m[1], out.Moments)
	},
	"T603": func(x *explainer) {
		out := x.explain(`call: {dnis: "150"}`, x.f.Shows, false)
		x.want(out.at("treatment closed") == "0s", out.Moments)
	},
	"T604": func(x *explainer) {
		out := x.explain("", strings.TrimPrefix(x.f.Shows, "a caller at "), false)
		x.want(out.at("treatment closed") == "0s" && out.at("play") == "0s", out.Moments)
	},
	"Q701": func(x *explainer) {
		out := x.explain("agents: {}", "", false)
		x.want(out.at("enters queue desk") == "0s" && out.at("enters queue other") == "5m", out.Moments)
	},
	"Q702": func(x *explainer) {
		out := x.explain(nobodyThere, "", false)
		x.want(out.at("nobody has it after 2h") == "2h", out.Moments)
	},
	"Q703": func(x *explainer) {
		out := x.explain("", "", true)
		x.want(out.at("rona") == "15s" && out.at("treatment late") == "15s", out.Moments)
	},
	"Q705": func(x *explainer) {
		out := x.explain(nobodyThere, "", false)
		x.want(out.at("called back") == "" && out.at("treatment late") == "10m" && out.at("ends: treated") == "10m", out.Moments)
		out = x.explain(`call: {ani: "+447700900100"}, `+nobodyThere, "", false)
		x.want(out.at("is offered to be called back (key 1), and presses nothing") == "10m", out.Moments)
	},
	"Q706": func(x *explainer) {
		const layout = "2006-01-02T15:04"
		at, err := time.Parse(layout, strings.TrimPrefix(x.f.Shows, "a caller at "))
		if err != nil {
			x.t.Fatal(err)
		}
		call := `call: {ani: "+447700900100"}, ` + nobodyThere
		if x.f.Path == "route.back.callback" {
			call = `call: {ani: "+447700900100", dnis: "150"}, ` + nobodyThere
		}
		out := x.explain(call, at.Format(layout), false)
		x.want(out.at("is offered to be called back") == "30s", out.Moments)
		kept := map[string]time.Duration{"2d": 48 * time.Hour, "2d12h": 60 * time.Hour}[regexp.MustCompile(`after (\S+),`).FindStringSubmatch(x.f.Msg)[1]]
		out = x.explain(call, at.Add(2*time.Minute+kept).Format(layout), false)
		x.want(out.at("treatment closed") == "0s", out.Moments)
	},
	"M752": func(x *explainer) { // asked 30 times, three a menu
		out := x.explain(`call: {dnis: "150"}`, "", false)
		n := 0
		for _, m := range out.Moments {
			if strings.HasPrefix(m.What, "has chosen nothing") {
				n++
			}
		}
		x.want(n == 10 && out.at("enters queue desk") == "0s", out.Moments)
	},
	"M753": func(x *explainer) {
		out := x.explain(`call: {dnis: "150", menu: "9"}`, "", false)
		x.want(out.at("presses 9, which menu main does not have") == "0s", out.Moments)
	},
	"A803": func(x *explainer) {
		agent, code, _ := strings.Cut(x.f.Shows[strings.Index(x.f.Shows, ": ")+2:], " ")
		r := x.explain("", "", false).Records[0]
		x.want(slices.ContainsFunc(r.LeftOut, func(l routing.LeftOut) bool { return string(l.Agent) == agent && l.Code == code }), r.LeftOut)
	},
}

// noCall are codes whose finding is shown by a line, a figure or a person, or
// by more calls than one.
var noCall = []string{"N301", "N306", "O501", "O502", "O504", "P901", "P903", "P904", "P905", "P906", "Q704", "M751", "R202", "R204", "S401", "S405",
	"T601", "T602", "T605", "A801", "A802", "A805", "A806", "N309", "O503", "R207", "X101", "X103", "X105", "X106", "X108", "U001", "K951"}

// TestExplainConfirmsFindings: the call that a finding brings does what the
// finding says, on the engine that serves.
func TestExplainConfirmsFindings(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/bad/lint-*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	done := map[string]int{}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range checkFile(t, path).Findings {
			if check := confirm[f.Code]; check != nil {
				done[f.Code]++
				check(&explainer{t, filepath.Base(path), b, directoryOf(t, strings.TrimSuffix(path, ".yaml")+".directory"), f})
			}
		}
	}
	for _, l := range Catalogue() {
		if l.Code[0] != 'Y' && confirm[l.Code] == nil && !slices.Contains(noCall, l.Code) {
			t.Errorf("%s is neither confirmed nor without a call", l.Code)
		}
	}
	for code := range confirm {
		if done[code] == 0 {
			t.Errorf("no finding %s was confirmed", code)
		}
		if slices.Contains(noCall, code) {
			t.Errorf("%s is confirmed and has no call", code)
		}
	}
}

// TestExplain: what a call is given, and what it is told.
func TestExplain(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/check/telecom-operator.yaml")
	if err != nil {
		t.Fatal(err)
	}
	x := &explainer{t: t, name: "telecom-operator.yaml", b: b, dir: directoryOf(t, "testdata/check/telecom-operator.directory")}
	out := x.explain(`{call: {dnis: "+442079460101"}, customer: {segment: mass}, agents: {k.stoyanova: {state: not_ready}, bob: {skills: {billing: 2, trainee: 1, lang_bg: 9}, idle: 5m}}}`,
		"2026-04-15T11:00", false)
	r := out.Records[0]
	if r.Route.Path != "bills" || r.Queue != "billing" || r.SignedIn != 2 || len(r.Route.Tried) == 0 || len(r.Attributes) == 0 {
		t.Errorf("record %+v", r)
	}
	if gold := r.Route.Tried[len(r.Route.Tried)-1]; gold.Route != "gold" || gold.False != `customer.segment == "gold"` {
		t.Errorf("tried last %+v", gold)
	}
	// An agent of the document keeps the skills that it gives her.
	if !slices.Contains(r.LeftOut, routing.LeftOut{Agent: "k.stoyanova", Code: "away:other"}) || !slices.Contains(r.LeftOut, routing.LeftOut{Agent: "bob", Code: "lacks:billing>=3"}) {
		t.Errorf("left out %v", r.LeftOut)
	}
	if c := r.Counterfactual; c == nil || c.Agent != "bob" || !slices.Equal(c.Missing, []string{"later_step:2 in 20s"}) {
		t.Errorf("counterfactual %+v", c)
	}
	if got := out.at("offered to bob"); got != "20s" {
		t.Errorf("offered at %q: %+v", got, out.Moments)
	}
	late := x.explain(`call: {dnis: "+442079460101"}, customer: {segment: gold, late: 3s}, agents: {}`, "", false)
	if late.Records[0].Route.Path != "bills" || late.Records[1].Route.Path != "gold/bills" || late.Records[1].Trigger != "late_record" || late.Records[1].At.Sub(late.At) != 3*time.Second {
		t.Errorf("a late record: %+v", late.Moments)
	}
	for text, says := range map[string]string{
		`call: {dnis: 0}`:                        "want an E.164 number",
		`call: {nis: "150"}`:                     "unknown key",
		`customer: {segment: golden}`:            "segment golden is not declared",
		`agents: {k.stoyanov: {state: talking}}`: "agent k.stoyanov is not declared, did you mean k.stoyanova?",
		`shifts: directory`:                      "needs a directory with shifts",
		`call: {`:                                "",
		`{`:                                      "",
		`{call: {dnis: "150"}`:                   "",
	} {
		if _, findings := Explain(x.name, b, Inquiry{Call: text, Today: checkDay, Directory: x.dir}); len(findings) == 0 || !strings.Contains(printed(t, findings), says) || findings[0].File != "--call" {
			t.Errorf("%s: %s", text, printed(t, findings))
		}
	}
	if _, findings := Explain(x.name, b, Inquiry{Test: "no such"}); len(findings) != 1 {
		t.Errorf("an unknown test: %v", findings)
	}
	if _, findings := Explain("x", []byte("cordboard: routing/1\n"), Inquiry{Today: checkDay}); len(findings) == 0 {
		t.Error("a document that does not compile is explained")
	}
}

// Of a call that comes to no queue it is said which route it took, and why.
func TestExplainSentAway(t *testing.T) {
	const doc = `cordboard: routing/1
name: Away
zone: Europe/London
calendars:
  office: {week: {mon-fri: "08:00-18:00"}, exceptions: [{every: 12-25, closed: true, name: Christmas Day}]}
queues:
  q: {hours: office}
  night: {hours: office, closed: {then: {queue: open}}}
  open: {}
route:
  queue: q
  routes:
    - {name: night, when: 'call.dnis == "+441632960001"', queue: night}
    - {name: gone, when: 'call.dnis == "+441632960003"', then: {play: sorry, hangup: true}}
agents: {ann: {name: Ann}}
`
	for _, c := range []struct{ call, at, want string }{
		{`call: {}`, "2026-12-25T11:00", "route root claims the call; does not wait in queue q, which is closed (Christmas Day)"},
		{`call: {}`, "2026-12-24T19:00", "route root claims the call; does not wait in queue q, which is closed"},
		{`call: {}`, "2026-12-24T11:00", ""},
		{`call: {dnis: "+441632960001"}`, "2026-12-25T11:00", "route night claims the call; does not wait in queue night, which is closed (Christmas Day)"},
		{`call: {dnis: "+441632960003"}`, "2026-12-24T11:00", "route gone claims the call"},
	} {
		out, findings := Explain("away.yaml", []byte(doc), Inquiry{Call: c.call, At: c.at, Today: checkDay})
		if len(findings) > 0 {
			t.Fatal(findings)
		}
		var said []string
		for _, m := range out.Moments {
			if strings.HasPrefix(m.What, "route ") || strings.HasPrefix(m.What, "does not wait") {
				said = append(said, m.What)
			}
		}
		if got := strings.Join(said, "; "); got != c.want {
			t.Errorf("%s at %s: %q, not %q: %+v", c.call, c.at, got, c.want, out.Moments)
		}
	}
}
