package configs

import (
	"slices"
)

// allowance is one finding accepted on purpose.
type allowance struct {
	at              *node
	code, path, why string
	used            bool
}

// dated are codes that hang on the day, or on what a check is given: that
// nothing is found today does not make the acceptance wrong.
var dated = []string{"T602", "T603", "R202", "S405", "O504"}

// lintOptions reads the findings accepted on purpose.
func (c *compiler) lintOptions(o *object) {
	for _, item := range c.list(o.get("allow"), 0) {
		k := c.object(item.in("lint"))
		code := k.must("code")
		a := allowance{at: item, path: c.text(k.must("at"), 200), why: c.text(k.must("why"), 200)}
		if s, ok := c.scalar(code, "a code, such as S404"); ok {
			a.code = s
			kind, known := lintOf(s)
			switch {
			case !known:
				c.wrong(code, "%s is not the code of a finding%s", quote(s), didYouMean(s, codes()))
			case kind.Severity != Warning && s != "O501":
				c.errorf(code, CodeConflict, "%s: only warnings can be accepted, %s is none", code.label(), s)
			}
		}
		k.close()
		c.allowed = append(c.allowed, a)
	}
	o.close()
}

func codes() []string {
	var out []string
	for _, l := range Catalogue() {
		out = append(out, l.Code)
	}
	return out
}

// accept gives the findings that are accepted their reasons, and finds
// acceptances of what is not found.
func (l *linter) accept() {
	for i := range l.said {
		f := &l.said[i]
		for j := range l.allowed {
			if a := &l.allowed[j]; f.Severity == Warning && a.code == f.Code && a.path == f.Path {
				f.Accepted, a.used = a.why, true
			}
		}
	}
	for _, a := range l.allowed {
		kind, _ := lintOf(a.code)
		if a.used || slices.Contains(dated, a.code) || kind.Needs == needsAgents && len(l.policy.Agents) == 0 || kind.Needs == needsShifts && !l.planned() {
			continue
		}
		l.find(spot{a.at.line, a.at.col}, CodeConflict, "lint.allow", a.path, "no %s is found there to accept", a.code)
	}
}
