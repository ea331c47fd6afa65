package configs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

const (
	maxCases    = 4096 // ways a call can be that are tried for one finding
	maxBlockers = 12   // routes above that together may take all calls of one
	maxPlain    = 200  // siblings without an indexed term, R207
	maxTested   = 1000 // routes without one, on the way of one call
	maxSiblings = 8    // below a route, for what it changes
)

// above are the studies of the conditions that lead to a list.
func (l *linter) above(r *routing.Routed) (out []*rule.Study) {
	for ; r != nil && r.Parent != nil; r = r.Parent {
		if s := l.studyOf(r); s != nil {
			out = append(out, s)
		}
	}
	return out
}

func (l *linter) studyOf(r *routing.Routed) *rule.Study {
	f := l.family[r.Parent]
	return f.study[slices.Index(f.list, r)]
}

func holdAll(c *rule.Case, studies []*rule.Study) bool {
	for _, s := range studies {
		if !c.Holds(s.Condition) {
			return false
		}
	}
	return true
}

// lintTested refuses routes that one call may have to be held against one by
// one, without a term that tells siblings apart at once.
func (l *linter) lintTested() {
	l.families()
	var look func(r *routing.Routed, above int)
	look = func(r *routing.Routed, above int) {
		f := l.family[r]
		if f == nil {
			return
		}
		if above += len(f.plain); above > maxTested {
			l.route(r, CodeLimit, "", "%d routes are tested one by one for one call, at most %d: tell them apart by call.dnis, trunk, kind, language or customer.segment", above, maxTested)
			return
		}
		for _, c := range f.list {
			look(c, above)
		}
	}
	look(l.tree, 0)
}

// lintReach finds routes that other routes leave no call.
func (l *linter) lintReach() {
	for _, f := range l.families() {
		above := l.above(f.parent)
		for i, r := range f.list {
			if l.work <= 0 {
				return
			}
			if r.Node.GoOn || f.study[i] == nil || l.shadowed[r.Node] != nil {
				continue
			}
			l.reach(f, i, above)
		}
	}
}

// reach looks for a call that the route takes: one that it claims, and none of
// those above. Whoever takes the call found joins those that must not, until
// there is one that nobody takes, or none is left.
func (l *linter) reach(f *siblings, i int, above []*rule.Study) {
	own := append(slices.Clone(above), f.study[i])
	if l.unmet(f.study[i]) {
		return // X104
	}
	var blockers []*rule.Study
	first, taker := "", ""
	for range maxBlockers {
		found, by := false, -1
		complete := rule.Cases(append(slices.Clone(own), blockers...), maxCases, func(c *rule.Case) bool {
			l.work--
			if !holdAll(c, own) || slices.ContainsFunc(blockers, func(s *rule.Study) bool { return c.Holds(s.Condition) }) {
				return l.work > 0
			}
			found, by = true, l.claims(f, c, 0, i)
			if by >= 0 && first == "" {
				first, taker = c.String(), routePath(f.list[by])
			}
			return false
		})
		switch {
		case found && by < 0, !found && !complete, l.work <= 0:
			return
		case found:
			if f.study[by] == nil {
				return // said already
			}
			blockers = append(blockers, f.study[by])
			continue
		case first == "":
			first, taker = l.meets(f.study[i])+" never comes as far", "none below "+routePath(f.parent)
			l.route(f.list[i], "R201", first, "can never be reached: no call meets it and the routes it stands in")
			return
		}
		l.route(f.list[i], "R201", first+": "+taker+" takes it", "can never be reached")
		return
	}
}

// meets is a call that meets a condition.
func (l *linter) meets(s *rule.Study) (out string) {
	rule.Cases([]*rule.Study{s}, maxCases, func(c *rule.Case) bool {
		if c.Holds(s.Condition) {
			out = c.String()
		}
		return out == ""
	})
	return out
}

// unmet says that no call at all meets a condition.
func (l *linter) unmet(s *rule.Study) bool {
	met := false
	complete := rule.Cases([]*rule.Study{s}, maxCases, func(c *rule.Case) bool {
		l.work--
		met = c.Holds(s.Condition)
		return !met
	})
	return complete && !met
}

// lintRoutes finds conditions and routes that say other than they seem to.
func (l *linter) lintRoutes() {
	for _, f := range l.families() {
		above := l.above(f.parent)
		texts := map[string]int{}
		for i, r := range f.list {
			s := f.study[i]
			if l.work > 0 {
				l.lintCondition(f, i, above)
			}
			if s != nil {
				if first, twice := texts[s.Text]; twice {
					l.route(r, "R203", l.meets(s), "same condition as %s", routePath(f.list[first]))
				} else {
					texts[s.Text] = i
				}
			}
			l.lintFirm(r)
			l.lintRoutePrefer(r)
			if l.work > 0 {
				l.lintChanges(f, i, above)
			}
		}
		if n := len(f.plain); n > maxPlain {
			at := l.routeSpot(f.parent)
			l.find(at, "R207", routePath(f.parent), fmt.Sprintf("%d tests for a call that matches none", n), "%d siblings without an indexed term", n)
		}
		l.lintAsks(f, above)
	}
	l.eachRoute(l.lintRouteCallback)
	l.lintHours()
}

// lintCondition: one answer only, an answer by accident, money of no currency.
func (l *linter) lintCondition(f *siblings, i int, above []*rule.Study) {
	r, s := f.list[i], f.study[i]
	if s == nil {
		return
	}
	var yes, no []string // two opposite calls
	never, always := true, true
	complete := rule.Cases([]*rule.Study{s}, maxCases, func(c *rule.Case) bool {
		l.work--
		if c.Holds(s.Condition) {
			never, yes = false, opposite(yes, c)
		} else {
			always, no = false, opposite(no, c)
		}
		return (never || always) && l.work > 0
	})
	switch {
	case complete && never:
		l.route(r, "X104", strings.Join(no, " and ")+": both false", "condition is always false")
		return
	case complete && always:
		l.route(r, "X104", strings.Join(yes, " and ")+": both true", "condition is always true")
	}
	if s.Money && !s.Currency && !slices.ContainsFunc(above, func(a *rule.Study) bool { return a.Currency }) {
		l.route(r, "X107", "the same figure in GBP and in EUR", "compares customer.balance, its currency is not asked (customer.balance_currency)")
	}
	if r.Node.GoOn || !r.Node.When.ReadsCustomer() {
		return
	}
	rule.Cases(append(slices.Clone(above), s), maxCases, func(c *rule.Case) bool {
		l.work--
		if !c.Known() && holdAll(c, above) && c.HoldsByMissing(s) && l.claims(f, c, 0, i) < 0 {
			l.route(r, "X102", c.String()+": an unknown caller takes this route", "true only because the record is missing")
			return false
		}
		return l.work > 0
	})
}

// opposite keeps the first and the latest of the calls seen.
func opposite(seen []string, c *rule.Case) []string {
	if len(seen) < 2 {
		return append(seen, c.String())
	}
	seen[1] = c.String()
	return seen
}

// lintFirm: a firm addition that no step can widen.
func (l *linter) lintFirm(r *routing.Routed) {
	q := l.policy.Queues[r.Queue]
	if q == nil || r.Node.GoOn || r.Node.Then != nil || r.Node.Need == nil && r.Node.Queue == "" || noNeed(r.Need) {
		return
	}
	if len(relaxed(r)) > 0 {
		return // not for good
	}
	first := -1
	for i, s := range q.Steps {
		if s.Need == nil {
			continue
		}
		if first < 0 {
			first = i
		}
		for _, who := range l.callers(q, r.Need) {
			a, b := routing.StepRequirement(q, 0, r.Need, who), routing.StepRequirement(q, i+1, r.Need, who)
			if needText(a) != needText(b) {
				return
			}
		}
	}
	if first < 0 {
		return
	}
	asks := needText(routing.StepRequirement(q, 0, r.Need, routing.Caller{Language: l.policy.DefaultLanguage}))
	l.route(r, "N308", fmt.Sprintf("+0s %s, +%s step %d the same", asks, seconds(q.Steps[first].After), first+2),
		"its firm need makes every step of queue %s useless", q.Name)
}

func noNeed(n rule.Need) bool {
	return n.All == nil && n.Any == nil && n.None == nil && n.Speak == nil && n.Team == nil && n.Site == nil
}

// lintRoutePrefer: waits for agents whom the route prefers, past the promise.
func (l *linter) lintRoutePrefer(r *routing.Routed) {
	q := l.policy.Queues[r.Queue]
	if q == nil || r.Node.Prefer == nil {
		return
	}
	if sum := preferWait(r.Node.Prefer); sum > q.AnswerWithin {
		l.route(r, "S404", broken(q.AnswerWithin, sum, "hold ends"), "preferred waits %s, queue %s promises %s", waits(r.Node.Prefer), q.Name, seconds(q.AnswerWithin))
	}
}

// relaxed is when the additions that lead to a route are firm no longer.
func relaxed(r *routing.Routed) (out []time.Duration) {
	for ; r != nil; r = r.Parent {
		if r.Node.RelaxAfter != nil {
			out = append(out, *r.Node.RelaxAfter)
		}
	}
	return out
}

// outcome is what a route makes of a call, equal for equal ones.
func outcome(r *routing.Routed) string {
	then := ""
	if r.Node.Then != nil {
		then = fmt.Sprintf("%+v", *r.Node.Then)
	}
	return fmt.Sprint(r.Queue, "\x00", r.Priority, r.Need, r.Prefer, r.Prefer == nil, "\x00", r.Node.SetTopic, "\x00", r.Node.SetLanguage, "\x00", r.Node.SetTag, r.Record, relaxed(r), then)
}

// lintChanges: a route whose calls would fare the same without it.
func (l *linter) lintChanges(f *siblings, i int, above []*rule.Study) {
	r, s := f.list[i], f.study[i]
	if r.Node.GoOn || len(r.Children) > 0 || s == nil {
		return
	}
	own, parent := outcome(r), outcome(f.parent)
	var below []*rule.Study
	same := own == parent
	for _, j := range f.together(i) {
		if other := f.study[j]; other != nil {
			below = append(below, other)
		}
		if len(below) > maxSiblings {
			return
		}
		same = same || outcome(f.list[j]) == own
	}
	if !same {
		return
	}
	shows, changes := "", false
	complete := rule.Cases(slices.Concat(above, []*rule.Study{s}, below), maxCases, func(c *rule.Case) bool {
		l.work--
		if !holdAll(c, above) || !c.Holds(s.Condition) || l.claims(f, c, 0, i) >= 0 {
			return l.work > 0
		}
		next, setting := l.claims(f, c, i+1, len(f.list)), false
		for j := i + 1; j < len(f.list) && (next < 0 || j < next); j++ {
			setting = setting || f.list[j].Node.GoOn && c.Holds(f.list[j].Node.When)
		}
		switch {
		case setting, next < 0 && own != parent, next >= 0 && (len(f.list[next].Children) > 0 || outcome(f.list[next]) != own):
			changes = true
		case shows == "":
			shows = c.String()
		}
		return !changes
	})
	if complete && !changes && shows != "" {
		l.route(r, "R205", fmt.Sprintf("%s: queue %s, priority %d with it and without", shows, r.Queue, r.Priority), "changes nothing for its calls")
	}
}

// lintAsks: a customer condition above siblings that do not need the record
// makes their calls wait for it; said once for a list, at the first.
func (l *linter) lintAsks(f *siblings, above []*rule.Study) {
	if f.parent.Record.Deadline == 0 || slices.ContainsFunc(above, func(s *rule.Study) bool { return s.Condition.ReadsCustomer() }) {
		return
	}
	for i, r := range f.list {
		if f.study[i] == nil || !r.Node.When.ReadsCustomer() {
			continue
		}
		for _, j := range f.together(i) {
			if l.work <= 0 {
				break
			}
			if s := f.study[j]; s != nil && s.Condition.ReadsCustomer() {
				continue
			}
			call, waits := l.waits(f, i, j, above)
			if !waits {
				continue
			}
			asks := slices.DeleteFunc(slices.Clone(f.study[i].Reads), func(name string) bool { return !strings.HasPrefix(name, "customer.") })
			l.route(r, "R206", fmt.Sprintf("%s: +%s", call, durationText(f.parent.Record.Deadline)), "asks %s above siblings that do not need the record", strings.Join(asks, ", "))
			return
		}
	}
}

// waits looks for a call of sibling j that waits for the record because of
// sibling i.
func (l *linter) waits(f *siblings, i, j int, above []*rule.Study) (call string, waits bool) {
	studies := append(slices.Clone(above), f.study[i])
	if f.study[j] != nil {
		studies = append(studies, f.study[j])
	}
	held := func(c *rule.Case) bool {
		if c.Known() || !holdAll(c, above) || !c.Holds(f.list[j].Node.When) {
			return false
		}
		for _, term := range f.list[i].Node.When.Terms() {
			if !c.Holds(term) {
				return false
			}
		}
		return l.claims(f, c, 0, i) < 0
	}
	rule.Cases(studies, maxCases, func(c *rule.Case) bool {
		l.work--
		if !held(c) {
			return l.work > 0
		}
		waits = true
		if s := f.study[j]; s != nil && s.Field == "call.dnis" {
			call = "a call to " + s.Value
		} else if number := l.someNumber(); number != "" && held(c.With("call.dnis", number)) {
			call = "a call to " + number
		} else {
			call = c.String()
		}
		return false
	})
	return call, waits
}

// someNumber is a number that calls of the document go to, "" when it names
// none.
func (l *linter) someNumber() string {
	for _, f := range l.families() {
		for _, s := range f.study {
			if s != nil && s.Field == "call.dnis" {
				return s.Value
			}
		}
	}
	for _, t := range l.tests {
		if t.call.DNIS != "" {
			return t.call.DNIS
		}
	}
	return ""
}
