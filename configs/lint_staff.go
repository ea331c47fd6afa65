package configs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

const (
	maxProfiles = 10_000 // A806
	maxShown    = 12     // names in one finding
)

// fits is who fits a queue: groups by caller and step. The first callers are
// those of no site, one for each language.
type fits struct {
	languages []string
	callers   []routing.Caller
	by        [][][]int // indexes of groups, sorted; nil for a step without a need
}

// fits asks every group for every step and caller.
func (l *linter) fits(q *routing.Queue, firm rule.Need) fits {
	f := fits{languages: l.callerLanguages(q, firm), callers: l.callers(q, firm)}
	f.by = make([][][]int, len(f.callers))
	for i := range f.by {
		f.by[i] = make([][]int, len(q.Steps)+1)
	}
	for step := 0; step <= len(q.Steps); step++ {
		if step > 0 && q.Steps[step-1].Need == nil {
			continue
		}
		rest := routing.StepRequirement(q, step, firm, routing.Caller{})
		rest.Speak = nil
		var able []int
		for i, g := range l.groups() {
			if ok, _ := rest.Fits(g.skills, g.team, g.site); ok {
				able = append(able, i)
			}
		}
		for n, who := range f.callers {
			r := routing.StepRequirement(q, step, firm, who)
			speaks := agents.Requirement{Speak: r.Speak, SpeakLevel: r.SpeakLevel, Site: r.Site}
			f.by[n][step] = []int{}
			for _, i := range able {
				if ok, _ := speaks.Fits(l.groups()[i].skills, "", l.groups()[i].site); ok {
					f.by[n][step] = append(f.by[n][step], i)
				}
			}
		}
	}
	return f
}

// until is who fits up to a step for one caller, all steps for a negative one.
func (f fits) until(caller, step int) []int {
	var out []int
	for s, list := range f.by[caller] {
		if step < 0 || s <= step {
			out = append(out, list...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// surely is who fits a step up to one that counts for every call: a step with a
// condition may be left out, and one that replaces ends those before it.
func (f fits) surely(q *routing.Queue, caller, step int) []int {
	var out []int
	for s := step; s >= 0; s-- {
		if s == 0 || q.Steps[s-1].When == nil {
			out = append(out, f.by[caller][s]...)
		}
		if s > 0 && q.Steps[s-1].Only && q.Steps[s-1].When == nil {
			break
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// anywhere is who fits some step for some caller.
func (f fits) anywhere() []int {
	var out []int
	for n := range f.by {
		out = append(out, f.until(n, -1)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ids are the agents of groups, sorted.
func (l *linter) ids(groups []int) []string {
	var out []string
	for _, i := range groups {
		out = append(out, l.groups()[i].ids...)
	}
	slices.Sort(out)
	return out
}

// listed writes names, bounded.
func listed(ids []string) string {
	if len(ids) == 0 {
		return "nobody"
	}
	if n := len(ids) - maxShown; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:maxShown], " "), n)
	}
	return strings.Join(ids, " ")
}

// lintStaff finds what only the agents show.
func (l *linter) lintStaff() {
	useful := make([]bool, len(l.groups()))
	topics := map[string][]*routing.Topic{}
	for _, name := range l.names.topics {
		t := l.policy.Topics[name]
		topics[t.Queue] = append(topics[t.Queue], t)
	}
	for _, name := range l.names.queues {
		q := l.policy.Queues[name]
		f := l.fits(q, rule.Need{})
		for _, i := range f.anywhere() {
			useful[i] = true
		}
		l.lintLanguages(q, f)
		l.lintAdmits(q, f)
		l.lintDesks(q, f)
		l.lintSites(q)
		l.lintReserveStaff(q)
		l.lintGroup(q, f)
		alone := l.lintAlone(q, f)
		l.lintPreferred(l.key("queues", name, "prefer"), "queues."+name+".prefer", q, rule.Need{}, q.Prefer)
		for _, t := range topics[name] {
			l.lintTopicStaff(t, q, alone)
		}
	}
	for i, ok := range useful {
		if ok {
			continue
		}
		for _, id := range l.groups()[i].ids {
			l.agent(id, "A801", id, "fits no queue at any step")
		}
	}
	l.eachRoute(func(r *routing.Routed) {
		if q := l.policy.Queues[r.Queue]; q != nil && r.Node.Prefer != nil {
			l.lintPreferred(l.routeSpot(r), routePath(r), q, r.Need, r.Node.Prefer)
		}
		l.lintRouteSites(r)
	})
	l.lintSkills()
	l.lintProfiles()
	l.lintShifts()
}

// lintLanguages: callers of a language whom nobody can serve.
func (l *linter) lintLanguages(q *routing.Queue, f fits) {
	if len(f.languages) < 2 || len(f.anywhere()) == 0 && q.Late == nil && q.Nobody == nil {
		return // said as N303
	}
	for n, code := range f.languages {
		if len(f.until(n, -1)) == 0 {
			l.queue(q, "", "N307", "a caller in "+code, "%s: no agent fits at any step", code)
		}
	}
}

// lintAdmits: steps that widen nothing.
func (l *linter) lintAdmits(q *routing.Queue, f fits) {
	for i, s := range q.Steps {
		if s.Need == nil || s.Only { // a step that replaces may narrow on purpose
			continue
		}
		fresh := false
		var before []int
		for n := range f.by {
			had := f.surely(q, n, i)
			before = append(before, had...)
			fresh = fresh || slices.ContainsFunc(f.by[n][i+1], func(g int) bool { _, in := slices.BinarySearch(had, g); return !in })
		}
		if !fresh {
			slices.Sort(before)
			l.queue(q, "steps", "S402", "before and after: "+listed(l.ids(slices.Compact(before))), "step %d admits nobody new", i+2)
		}
	}
}

// lintAlone: everything hangs on one agent. It says whether it does.
func (l *linter) lintAlone(q *routing.Queue, f fits) bool {
	n := max(slices.Index(f.languages, l.policy.DefaultLanguage), 0)
	who := l.ids(f.until(n, -1))
	if len(who) != 1 {
		return false
	}
	l.queue(q, "", "N305", "a call on the day off of "+who[0], "exactly one agent fits, all steps together: %s", who[0])
	if q.Pop.Late == routing.LateNextAgent {
		l.queue(q, "pop", "P904", "a call whose desk does not ack: "+who[0]+" is the only one", "late: next_agent, and one agent fits")
	}
	return true
}

// lintGroup: more phones to ring than there are agents who fit.
func (l *linter) lintGroup(q *routing.Queue, f fits) {
	if who := l.ids(f.anywhere()); len(who) > 0 && len(who) < q.RingSize {
		l.queue(q, "ring", "P902", listed(who), "ring group of %d, %d fit", q.RingSize, len(who))
	} else if q.MaxTalking > 0 && q.MaxTalking < q.RingSize {
		l.queue(q, "ring", "P902", fmt.Sprintf("a call while all are free: it rings %d of them at once", q.MaxTalking), "ring group of %d, max_talking %d", q.RingSize, q.MaxTalking)
	}
}

// lintDesks: agents whose desk or phone cannot do what the queue asks.
func (l *linter) lintDesks(q *routing.Queue, f fits) {
	var noDesk, noAnswer []string
	for _, id := range l.ids(f.anywhere()) {
		a := l.policy.Agents[agents.ID(id)]
		if !a.Desk {
			noDesk = append(noDesk, id)
		}
		if !a.Phone.AutoAnswer {
			noAnswer = append(noAnswer, id)
		}
	}
	if q.Pop.OnAccept && len(noAnswer) > 0 {
		l.queue(q, "pop", "P905", listed(noAnswer), "ring: on_accept, and a phone that cannot auto-answer")
	}
	switch {
	case len(noDesk) == 0:
	case q.Pop.Painted:
		l.queue(q, "pop", "P906", listed(noDesk), "require: painted, and an agent without a desk")
	case q.Pop.Late == routing.LateHold:
		l.queue(q, "pop", "P906", listed(noDesk), "late: hold, and an agent without a desk")
	}
}

// lintTopicStaff: specialists who do not fit, and topics for one agent only.
func (l *linter) lintTopicStaff(t *routing.Topic, q *routing.Queue, alone bool) {
	at, path := l.key("topics", t.Name), "topics."+t.Name
	var prefer []rule.Prefer
	for _, id := range t.Specialists {
		prefer = append(prefer, rule.Prefer{Who: string(id)})
	}
	if t.RelaxAfter != nil { // whoever fits the queue may have it then
		l.lintPreferred(at, path, q, rule.Need{}, prefer)
		return
	}
	l.lintPreferred(at, path, q, t.Need, prefer)
	if alone || noNeed(t.Need) {
		return
	}
	f := l.fits(q, t.Need)
	if who := l.ids(f.until(max(slices.Index(f.languages, l.policy.DefaultLanguage), 0), -1)); len(who) == 1 {
		l.find(at, "N305", path, "a call about it on the day off of "+who[0], "exactly one agent fits, all steps of queue %s together: %s", q.Name, who[0])
	}
}

// lintPreferred: agents waited for who can never have the call.
func (l *linter) lintPreferred(at spot, path string, q *routing.Queue, firm rule.Need, list []rule.Prefer) {
	for _, p := range list {
		a, known := l.policy.Agents[agents.ID(p.Who)]
		if !known || p.Waived {
			continue
		}
		if code := l.never(a, q, firm); code != "" {
			l.find(at, "A803", path, "a call in queue "+q.Name+": "+p.Who+" "+code, "preferred agent %s never fits", p.Who)
		}
	}
}

// never is why an agent fits no step of a queue in any language, "" for one who
// does.
func (l *linter) never(a agents.Agent, q *routing.Queue, firm rule.Need) (first string) {
	for _, who := range l.callers(q, firm) {
		for step := 0; step <= len(q.Steps); step++ {
			r := routing.StepRequirement(q, step, firm, who)
			ok, why := r.Fits(a.Skills, a.Team, a.Site)
			if ok {
				return ""
			}
			if first == "" || first == "language" {
				first = why
			}
		}
	}
	return first
}

// lintSkills: skills that calls need and nobody holds.
func (l *linter) lintSkills() {
	held := map[agents.Skill]bool{}
	for _, g := range l.groups() {
		for _, s := range g.skills {
			held[s.Skill] = true
		}
	}
	asked := map[string]string{} // skill -> who asks first
	ask := func(n rule.Need, by string) {
		for _, set := range append([][]agents.Range{n.All}, n.Any...) {
			for _, r := range set {
				if name := string(r.Skill); asked[name] == "" {
					asked[name] = by
				}
			}
		}
	}
	for _, name := range l.names.queues {
		q := l.policy.Queues[name]
		ask(q.Need, "a call in queue "+name)
		for i, s := range q.Steps {
			if s.Need != nil {
				ask(*s.Need, fmt.Sprintf("a call in queue %s at step %d", name, i+2))
			}
		}
	}
	for _, name := range l.names.topics {
		ask(l.policy.Topics[name].Need, "a call about "+name)
	}
	l.eachRoute(func(r *routing.Routed) {
		if r.Node.Need != nil {
			ask(*r.Node.Need, "a call by "+routePath(r))
		}
	})
	for _, name := range l.names.skills {
		if by := asked[name]; by != "" && !held[agents.Skill(name)] && !strings.HasPrefix(name, agents.LanguagePrefix) {
			l.find(l.key("skills", name), "N302", "skills."+name, by, "nobody holds this skill")
		}
	}
}

// lintProfiles: so many kinds of agents that decisions cost more.
func (l *linter) lintProfiles() {
	groups := l.groups()
	if len(groups) <= maxProfiles {
		return
	}
	byText := slices.Clone(groups)
	key := make(map[*group]string, len(groups))
	for _, g := range groups {
		key[g] = profileText(agents.Agent{Skills: g.skills, Team: g.team, Site: g.site})
	}
	slices.SortFunc(byText, func(a, b *group) int { return strings.Compare(key[a], key[b]) })
	near, least := 1, maxAgentSkills*2
	for i := 1; i < len(byText); i++ {
		if d := apart(byText[i-1], byText[i]); d < least {
			near, least = i, d
		}
	}
	l.agent("", "A806", byText[near-1].ids[0]+" and "+byText[near].ids[0], "%d different skill profiles: decisions cost more", len(groups))
}

// apart counts in how many skills, and the team, two groups differ.
func apart(a, b *group) (n int) {
	if a.team != b.team {
		n++
	}
	if a.site != b.site {
		n++
	}
	for _, s := range a.skills {
		if b.skills.Level(s.Skill) != s.Level {
			n++
		}
	}
	for _, s := range b.skills {
		if a.skills.Level(s.Skill) == 0 {
			n++
		}
	}
	return n
}
