package configs

import (
	"strconv"
	"strings"
	"testing"
)

// large is a centre of 1,000 queues with five steps each, 5,000 routes and 200
// agents: 10,000 rules.
func large() []byte {
	var b strings.Builder
	b.WriteString("cordboard: routing/1\nname: Large\nzone: Europe/London\nlanguages: [en, ru]\ndefault_language: en\nsegments: [gold, mass]\nskills:\n")
	b.WriteString(repeat(50, "  s#:\n") + "queues:\n")
	for i := range 1000 {
		b.WriteString(strings.NewReplacer("Q", digits(i), "S", digits(i%50)).Replace(
			"  qQ: {need: {all: {sS: 5}, speak: caller}, late: {after: 10m, then: {hangup: true}}, ring: {timeout: 15s}, steps: [" +
				"{after: 5s, need: {all: {sS: 4}}}, {after: 10s, need: {all: {sS: 3}}}, {after: 15s, need: {all: {sS: 2}}}, {after: 20s, need: {all: {sS: 1}}}, {after: 60s, priority_add: 10}]}\n"))
	}
	b.WriteString("route:\n  queue: q0\n  routes:\n")
	for i := range maxRoutes - 1 {
		b.WriteString(strings.NewReplacer("N", digits(10000+i), "Q", digits(i%1000), "C", digits(1+i%90)).Replace(
			"    - {name: rN, when: 'call.dnis == \"+155501N\" and customer.churn_risk >= C', queue: qQ, priority: 5}\n"))
	}
	b.WriteString("agents:\n")
	for i := range 200 {
		b.WriteString(strings.NewReplacer("N", digits(i), "S", digits(i%50), "L", digits(1+i%10)).Replace(
			"  aN: {name: A, phone: \"sip:aN@192.0.2.1\", skills: {sS: L}, languages: {en: 9, ru: L}}\n"))
	}
	return []byte(b.String())
}

func digits(n int) string { return strconv.Itoa(n) }

// BenchmarkCheck is what a check of 1,000 queues and 10,000 rules takes.
func BenchmarkCheck(b *testing.B) {
	doc := large()
	for b.Loop() {
		if r := Check("large.yaml", doc, CheckInput{Today: checkDay}); r.Policy == nil {
			b.Fatal(r.Summary(), r.Findings[0].Text())
		}
	}
}
