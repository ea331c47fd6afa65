package configs

import (
	"strings"
	"testing"
)

const testsHead = `cordboard: routing/1
name: Tests
zone: Europe/London
languages: [en, ru]
default_language: en
segments: [gold]
short_codes: ["150"]
skills: {care: , roaming: }
record: {deadline: 800ms, late: reconsider, late_for: 30s}
calendars: {day: {week: {mon-fri: "09:00-17:00"}}}
topics: {hard: {queue: care, need: {all: {care: 8}}, specialists: [eve], wait: 30s, priority_add: 20}}
defaults: {late: {after: 10m, then: {hangup: true}}}
queues:
  care:
    need: {all: {care: 3}, speak: caller}
    prefer: [{who: account_manager, wait: 30s}]
    steps: [{after: 20s, need: {all: {care: 1}}}, {after: 40s, priority_add: 15}]
  day: {hours: day, closed: {then: {queue: care, priority_add: 7}}, late: {after: 30s, then: {queue: care}}}
  fewest: {choose: {policy: fewest_calls}}
  group: {ring: {strategy: group, size: 2}}
  spared: {choose: {policy: least_occupied}}
  recent: {prefer: [{who: last_agent, within: 7d, wait: 15s}]}
  read: {pop: {lead: 2s, ring: on_accept, require: painted}, full: {waiting: 1, then: {hangup: true}}, nobody: {for: 10s, then: {reject: 480}}}
route:
  queue: care
  routes:
    - {name: gold, when: 'customer.segment == "gold"', priority: 60}
    - {name: day, when: 'call.dnis == "150"', queue: day}
    - {name: read, when: 'call.trunk == "read"', queue: read}
    - {name: fewest, when: 'call.trunk == "fewest"', queue: fewest}
    - {name: group, when: 'call.trunk == "group"', queue: group}
    - {name: spared, when: 'call.trunk == "spared"', queue: spared}
    - {name: recent, when: 'call.trunk == "recent"', queue: recent}
    - {name: hard, when: 'call.trunk == "hard"', set: {topic: hard}}
    - {name: no, when: 'call.trunk == "no"', then: {reject: 603}}
    - name: figures
      when: 'call.trunk == "figures"'
      routes:
        - {name: bad, when: 'queues.care.sl < 70', queue: read}
        - {name: long, when: 'queues.care.ewt > 60 and queues.care.ewt_known', queue: day}
        - {name: shut, when: 'not queues.day.open', queue: day}
        - {name: staffed, when: 'queues.care.staffed > 1 or queues.care.waiting > 4', queue: read}
agents: {eve: {name: Eve Lindner, skills: {care: 9, roaming: 1}, languages: {en: 9, ru: 9}}}
tests:
`

// Each test alone: what it asks for is what the engine does, or the finding
// says what it does instead.
func TestDocumentTests(t *testing.T) {
	for name, c := range map[string]struct{ test, wrong string }{
		"seven days ago":  {`at: 2026-04-15T10:00, call: {trunk: recent}, customer: {last_agent: eve, last_contact_days: 7}, agents: {ann: {idle: 5m}, eve: {}}, expect: {agent: eve}`, ""},
		"eight days ago":  {`at: 2026-04-15T10:00, call: {trunk: recent}, customer: {last_agent: eve, last_contact_days: 8}, agents: {ann: {idle: 5m}, eve: {}}, expect: {agent: ann}`, ""},
		"no date":         {`at: 2026-04-15T10:00, call: {trunk: recent}, customer: {last_agent: eve}, agents: {ann: {idle: 5m}, eve: {}}, expect: {agent: eve}`, ""},
		"routed":          {`at: 2026-04-15T10:00, call: {dnis: "150"}, expect: {route: day, queue: day, priority: 0, open: true, need: {}}`, ""},
		"closed and on":   {`at: 2026-04-15T18:00, call: {dnis: "150"}, agents: {ann: {skills: {care: 3, lang_en: 5}}}, expect: {queue: day, open: false, treatment: closed, agent: ann, then: [{at: 0s, priority: 7}]}`, ""},
		"summer time":     {`at: 2026-03-30T08:30, call: {dnis: "150"}, expect: {open: false}`, ""},
		"by route":        {`at: 2026-04-15T10:00, call: {trunk: "no"}, expect: {route: "no", treatment: then}`, ""},
		"language":        {`at: 2026-04-15T10:00, call: {language: ru}, expect: {route: root, need: {all: {care: 3, lang_ru: 5}}}`, ""},
		"topic":           {`at: 2026-04-15T10:00, call: {trunk: hard}, agents: {eve: {skills: {care: 9, lang_en: 6}, state: talking}, ann: {skills: {care: 8, lang_en: 9}}}, expect: {agent: none, priority: 20, need: {all: {care: 8, lang_en: 5}}, then: [{at: 29s, agent: none}, {at: 30s, agent: ann}]}`, ""},
		"longest idle":    {`at: 2026-04-15T10:00, agents: {ann: {skills: {care: 9, lang_en: 9}, idle: 1m}, bob: {skills: {care: 3, lang_en: 9}, idle: 5m}}, expect: {agent: bob}`, ""},
		"away and out":    {`at: 2026-04-15T10:00, agents: {ann: {skills: {care: 9, lang_en: 9}, state: not_ready}, bob: {skills: {care: 3, lang_en: 9}, state: signed_out}, cem: {skills: {care: 2, lang_en: 9}, state: wrap_up}, dan: {skills: {care: 1, lang_en: 9}, idle: 1h}}, expect: {agent: none, then: [{at: 19s, agent: none, step: 1}, {at: 20s, agent: dan, step: 2}]}`, ""},
		"vacant step":     {`at: 2026-04-15T10:00, agents: {dan: {skills: {care: 1, lang_en: 9}}}, expect: {agent: dan}`, ""},
		"step priority":   {`at: 2026-04-15T10:00, expect: {priority: 0, then: [{at: 39s, priority: 0}, {at: 40s, priority: 15, step: 3}, {at: 10m, treatment: late}]}`, ""},
		"record in time":  {`at: 2026-04-15T10:00, customer: {segment: gold, late: 500ms}, expect: {route: gold, priority: 60}`, ""},
		"record late":     {`at: 2026-04-15T10:00, customer: {segment: gold, late: 3s}, expect: {route: root, priority: 0, then: [{at: 2s, priority: 0}, {at: 3s, priority: 60}]}`, ""},
		"record too late": {`at: 2026-04-15T10:00, customer: {segment: gold, late: 40s}, expect: {route: root, then: [{at: 1m, priority: 15}]}`, ""},
		"manager":         {`at: 2026-04-15T10:00, customer: {account_manager: eve}, agents: {eve: {skills: {care: 3, lang_en: 9}}, ann: {skills: {care: 9, lang_en: 9}, idle: 1h}}, expect: {agent: eve}`, ""},
		"on accept":       {`at: 2026-04-15T10:00, call: {trunk: read}, agents: {ann: {}}, expect: {agent: ann, then: [{at: 5s, agent: ann}]}`, ""},
		"figures given":   {`at: 2026-04-15T10:00, call: {trunk: figures}, queues: {care: {sl: 90, ewt: 61}}, expect: {route: figures/long}`, ""},
		"figures at zero": {`at: 2026-04-15T10:00, call: {trunk: figures}, expect: {route: figures/bad}`, ""},
		"ewt not known":   {`at: 2026-04-15T10:00, call: {trunk: figures}, queues: {care: {sl: 90, ewt: 61, ewt_known: false}}, expect: {route: figures}`, ""},
		"open by hours":   {`at: 2026-04-15T20:00, call: {trunk: figures}, queues: {care: {sl: 90}}, expect: {route: figures/shut}`, ""},
		"open as given":   {`at: 2026-04-15T20:00, call: {trunk: figures}, queues: {care: {sl: 90, waiting: 5}, day: {open: true}}, expect: {route: figures/staffed}`, ""},
		"staff of a test": {`at: 2026-04-15T10:00, call: {trunk: figures}, queues: {care: {sl: 90}}, agents: {ann: {skills: {care: 3, lang_en: 9}}, bob: {skills: {care: 4, lang_en: 9}}}, expect: {route: figures/staffed}`, ""},
		"nobody":          {`at: 2026-04-15T10:00, call: {trunk: read}, expect: {then: [{at: 10s, treatment: nobody}]}`, ""},
		"fewest calls":    {`at: 2026-04-15T10:00, call: {trunk: fewest}, agents: {ann: {calls_60m: 4, idle: 1h}, bob: {calls_60m: 2, idle: 1m}, cem: {calls_60m: 3, busy: 0%}}, expect: {agent: bob}`, ""},
		"ring group":      {`at: 2026-04-15T10:00, call: {trunk: group}, agents: {ann: {idle: 1h}, bob: {idle: 1m}, cem: {idle: 2h}}, expect: {agent: cem, then: [{at: 30s, agent: cem}]}`, ""},
		"least occupied":  {`at: 2026-04-15T10:00, call: {trunk: spared}, agents: {ann: {busy: 60%, idle: 1h}, bob: {busy: 40%, idle: 1m}, cem: {busy: 41%, calls_60m: 0}}, expect: {agent: bob}`, ""},
		"late elsewhere":  {`at: 2026-04-15T10:00, call: {dnis: "150"}, expect: {then: [{at: 30s, treatment: late}]}`, ""},

		"all wrong": {`at: 2026-04-15T18:00, call: {dnis: "150"}, agents: {ann: {skills: {care: 3, lang_en: 5}}}, expect: {route: gold, queue: read, priority: 1, open: true, treatment: full, agent: none, need: {all: {roaming: "2..4"}, none: [care], speak: [en, ru]}, then: [{at: 1s, agent: bob, step: 2, priority: 9, treatment: late}]}`,
			`route is day, not gold; queue is day, not read; priority is 0, not 1; open is false, not true; need is {}, not {all: {roaming: "2..4"}, none: [care], speak: [en, ru]}; treatment is closed, not full; agent is ann, not none; at 1s agent is ann, not bob; at 1s step is 1, not 2; at 1s priority is 7, not 9; at 1s treatment is closed, not late`},
		"no treatment": {`at: 2026-04-15T10:00, expect: {treatment: late}`, `treatment is none, not late`},
	} {
		t.Run(name, func(t *testing.T) {
			doc := testsHead + "  - {name: x, " + c.test + "}\n"
			p, findings := ParseRouting("x.yaml", []byte(doc))
			got := ""
			for _, f := range findings {
				got += f.Code + " " + f.Msg
			}
			want := ""
			if c.wrong != "" {
				want = CodeUntrue + " x: " + c.wrong
			}
			if got != want || (p != nil) != (want == "") {
				t.Errorf("loaded %v\ngot  %s\nwant %s", p != nil, got, want)
			}
		})
	}
}

// What a test cannot say is refused where it stands.
func TestDocumentTestsRefused(t *testing.T) {
	for test, want := range map[string]string{
		`at: 2026-03-29T01:30, expect: {}`:                                                  "the clock skips this hour",
		`at: tomorrow, expect: {}`:                                                          "is not an instant",
		`at: 2026-04-15T10:00`:                                                              "expect is missing",
		`at: 2026-04-15T10:00, call: {dnis: "442079460100"}, expect: {}`:                    "want an E.164 number",
		`at: 2026-04-15T10:00, call: {dnis: 150}, expect: {}`:                               "in quotes",
		`at: 2026-04-15T10:00, call: {colour: red}, expect: {}`:                             "unknown key",
		`at: 2026-04-15T10:00, customer: nobody, expect: {}`:                                "want unknown",
		`at: 2026-04-15T10:00, customer: {segment: gld}, expect: {}`:                        "segment gld is not declared, did you mean gold?",
		`at: 2026-04-15T10:00, expect: {agent: ann}`:                                        "names no agents",
		`at: 2026-04-15T10:00, expect: {need: {speak: caller}}`:                             "language is resolved by then",
		`at: 2026-04-15T10:00, expect: {then: [{at: 5s}, {at: 2s}]}`:                        "comes before the entry above",
		`at: 2026-04-15T10:00, expect: {queue: cre}`:                                        "queue cre is not declared",
		`at: 2026-04-15T10:00, agents: {ann: {state: not_ready, idle: 5s}}, expect: {}`:     "only an available agent is idle",
		`at: 2026-04-15T10:00, agents: {ann: {skills: {cooking: 3}}}, expect: {}`:           "skill cooking is not declared",
		"at: 2026-04-15T10:00, expect: {}}\n  - {name: x, at: 2026-04-15T10:00, expect: {}": "another test has it",
		`at: 2026-04-15T10:00, queues: {cre: {waiting: 3}}, expect: {}`:                     "queue cre is not declared, did you mean care?",
		`at: 2026-04-15T10:00, queues: {care: {sl: 101}}, expect: {}`:                       "want a whole number 0 to 100",
		`at: 2026-04-15T10:00, queues: {care: {position: 1}}, expect: {}`:                   "unknown key",
		`at: 2026-04-15T10:00, agents: {ann: {busy: 50}}, expect: {}`:                       `busy: want a share from 0% to 100%, such as 70%, not "50"`,
		`at: 2026-04-15T10:00, agents: {ann: {busy: 101%}}, expect: {}`:                     "want a share from 0% to 100%",
		`at: 2026-04-15T10:00, agents: {ann: {calls_60m: -1}}, expect: {}`:                  "calls_60m: want a whole number 0 to",
	} {
		p, findings := ParseRouting("x.yaml", []byte(testsHead+"  - {name: x, "+test+"}\n"))
		if p != nil || len(findings) != 1 || !strings.Contains(findings[0].Msg, want) {
			t.Errorf("%s: loaded %v, %v; want %s", test, p != nil, findings, want)
		}
	}
}
