package configs

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// guideFrame is a document into which the parts that docs/routing.md shows fit.
const guideFrame = `cordboard: routing/1
name: Frame
zone: Europe/London
languages: [en, ru, bg, zh]
default_language: en
segments: [mass]
skills: {billing: {}, roaming: {}, internet: {}, trainee: {}}
teams: [harbour, night, backoffice, sofia]
TOP
queues:
  general: {}
  billing:
    OPTION
route:
  queue: general
  routes:
    - {name: bills, when: 'call.dnis == "+442079460101"', queue: billing}
    - {name: lost_sim, when: 'customer.churn_risk > 50', queue: billing}
    - {name: line, when: 'call.dnis == "+442079460102"', queue: billing}
AGENTS
`

const guideAgents = `agents:
  ann: {name: Ann, team: harbour, skills: {billing: 5, roaming: 6, internet: 8}, languages: {en: 9, ru: 6}}
  ben: {name: Ben, team: night, skills: {billing: 2, trainee: 1}, languages: {en: 9, bg: 7, zh: 8}}
  cas: {name: Cas, team: backoffice, skills: {billing: 4}, languages: {en: 9}}
`

// guideAlso is what a part needs that another part of the page shows, by the
// key that the part begins with.
var guideAlso = map[string]struct{ top, option string }{
	"need":  {top: `sites: {harbour: {}}` + "\n" + `regions: {north: {prefix: ["+44191"], site: harbour}}`},
	"sites": {top: `  varna_days: {week: {mon-sun: "06:00-22:00"}}`}, // goes on in its calendars
	"tests": {option: `need: {all: {billing: 3}, none: [trainee]}` + "\n" + `steps: [{after: 20s, need: {all: {billing: 1}, none: []}}]`},
}

var yamlBlock = regexp.MustCompile("(?s)\n```yaml\n(.*?)```")

// What the guide shows is what the program takes: a whole document without an
// error or a warning that is not accepted, a part in a frame without an error.
func TestGuideExamples(t *testing.T) {
	whole, parts := 0, 0
	for _, m := range yamlBlock.FindAllStringSubmatch(string(readAll(t, "../docs/routing.md")), -1) {
		text := m[1]
		in := CheckInput{Today: checkDay}
		complete := strings.HasPrefix(text, "cordboard: routing/1")
		if complete {
			whole++
		} else {
			parts++
			text, in.Directory = framed(text)
		}
		r := Check("guide.yaml", []byte(text), in)
		for _, f := range r.Findings {
			if f.Severity == Error || complete && f.Severity == Warning && f.Accepted == "" || f.Code == "A805" {
				t.Errorf("%d:%d %s %s: %s\n%s", f.Line, f.Col, f.Code, f.Where, f.Msg, text)
			}
		}
	}
	if whole < 2 || parts < 8 {
		t.Errorf("the guide has %d whole documents and %d parts", whole, parts)
	}
}

// framed makes a document of a part of one, by the key it begins with.
func framed(part string) (string, *DirectoryFile) {
	part = strings.TrimSpace(part)
	lines := slices.DeleteFunc(strings.Split(part, "\n"), func(l string) bool { return strings.HasPrefix(l, "#") })
	key, _, _ := strings.Cut(lines[0], ":")
	also := guideAlso[key]
	fill := func(top, option, agents string) string {
		option = strings.ReplaceAll(strings.TrimSpace(option+"\n"+also.option), "\n", "\n    ")
		if option == "" {
			option = "need: {all: {billing: 3}}"
		}
		return strings.NewReplacer("TOP", strings.Trim(top+"\n"+also.top, "\n"), "OPTION", option, "AGENTS", agents).Replace(guideFrame)
	}
	switch key {
	case "agents":
		return fill("", "late: {after: 5m, then: {hangup: true}}", ""), NewDirectory("directory.yaml", []byte(part))
	case "sites", "calendars", "lint", "tests", "menus", "transfers":
		return fill(part, "", guideAgents), nil
	}
	return fill("", part, guideAgents), nil
}
