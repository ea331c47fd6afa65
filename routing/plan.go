package routing

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/match"
	"github.com/cordboard/cordboard/routing/queue"
	"github.com/cordboard/cordboard/routing/rule"
)

// rootPath is the path of the root route; other paths leave it out.
const rootPath = "root"

// Bounds of section 21 and of the table of section 5.
const (
	maxPriority  = 1000
	maxMoves     = 8
	maxTransfers = 5
	maxFailed    = 8
	maxCameBack  = 3
)

// plan is a Policy made ready for decisions: what a route inherits is worked
// out once, here.
type plan struct {
	*Policy
	root    *route
	windows []int64  // of least_occupied, microseconds, sorted
	callWin []int64  // of fewest_calls, likewise
	reads   []string // queues whose figures a condition reads, sorted
	calls   int      // live calls that it routed
	waiting int      // of those, calls in a queue and not yet answered
	// again says that its waiting calls are to be routed again by the live
	// version, moves that those of a queue are to go to another.
	again bool
	moves map[string]string
	dated []string // calendars with exceptions, sorted
	// demands are those made for it, until they are forgotten.
	demands []*demand
}

// route is one node with all it inherits.
type route struct {
	node     *rule.Node
	path     string // without root; "root" for the root
	queue    string
	priority int
	need     rule.Need
	adds     []addition // need by origin
	record   RecordPolicy
	prefer   []rule.Prefer
	callback *rule.Callback // nil: the queue's
	declined bool           // callback: none
	children []*route
	fork     *fork // nil: children are tried one by one
}

// newPlan is the plan of a policy: worked out here, unless Prepare has.
func newPlan(p *Policy) *plan {
	if made := p.made; made != nil && made.route == p.Route {
		return &plan{Policy: p, root: made.root, windows: made.windows, callWin: made.callWin, reads: made.reads, dated: made.dated}
	}
	return makePlan(p)
}

func makePlan(p *Policy) *plan {
	out := &plan{Policy: p}
	root := p.Route
	if root == nil {
		root = &rule.Node{}
	}
	out.root = out.compile(root, &route{record: p.Record})
	for _, q := range p.Queues {
		w := q.ChooseWindow.Microseconds()
		if q.Choose == match.LeastOccupied && !slices.Contains(out.windows, w) {
			out.windows = append(out.windows, w)
		}
	}
	out.callWin = callWindows(p)
	for name, c := range p.Calendars {
		if len(c.Exceptions) > 0 {
			out.dated = append(out.dated, name)
		}
	}
	slices.Sort(out.dated)
	slices.Sort(out.windows)
	slices.Sort(out.reads)
	out.reads = slices.Compact(out.reads)
	return out
}

func (p *plan) compile(n *rule.Node, parent *route) *route {
	r := &route{node: n, queue: n.Queue, priority: parent.priority + n.PriorityAdd, need: parent.need, prefer: n.Prefer}
	switch parent.path {
	case "":
		r.path = rootPath
	case rootPath:
		r.path = n.Name
	default:
		r.path = parent.path + "/" + n.Name
	}
	if r.queue == "" {
		r.queue = parent.queue
	}
	if n.Priority != nil {
		r.priority = *n.Priority
	}
	r.priority = min(max(r.priority, 0), maxPriority)
	if n.Need != nil {
		r.need = mergeNeeds(parent.need, *n.Need)
	}
	r.adds = withAddition(parent.adds, n.Need, n.RelaxAfter)
	if r.record = parent.record; n.Record != nil {
		r.record = *n.Record
	}
	if r.prefer == nil {
		r.prefer = parent.prefer
	}
	r.callback, r.declined = parent.callback, parent.declined
	if n.Callback != nil || n.NoCallback {
		r.callback, r.declined = n.Callback, n.NoCallback
	}
	if n.When != nil {
		p.reads = append(p.reads, n.When.Queues()...)
	}
	for _, child := range n.Children {
		r.children = append(r.children, p.compile(child, r))
	}
	r.fork = newFork(r.children)
	return r
}

// holiday is the name of today's exception in the first calendar, by name,
// that has one.
func (p *plan) holiday(at time.Time) string {
	for _, name := range p.dated {
		if day := p.Calendars[name].Holiday(at); day != "" {
			return day
		}
	}
	return ""
}

// demandKey interns demands.
type demandKey struct {
	plan     *plan
	queue    string
	language string
	site     string
	firm     string
	steps    stepSet
}

// demand is what calls of one queue, language, site and firm additions ask, step by
// step, with the calls that wait for it. A call's class is its demand and the
// step it has reached.
type demand struct {
	key     demandKey
	plan    *plan
	queue   *Queue
	who     Caller               // what its calls ask of their own, "" where they ask none
	reqs    []agents.Requirement // by step; see layout
	numbers []int                // of each of reqs: its step, 0 is the queue's own need
	index   []int                // by step: the last of reqs that it has come to
	counted int                  // so many of reqs can be reached
	staff   []int                // profiles signed in, by the first of reqs they fit; kept while calls wait
	floor   int                  // first of reqs with staff; len(reqs) when there is none; likewise
	classes []queue.Tree[queue.Key, *call]
	indexed int                          // calls in classes
	codes   map[codeKey]string           // of miss
	calls   int                          // that wait or are offered
	waiting queue.Tree[queue.Key, *call] // those by number, in a queue where nobody may be there
	passed  queue.Tree[queue.Key, *call] // those placed whose sender is barred
	holding queue.Tree[queue.Key, *call] // those that hold
	vacancy vacancy

	all    *index
	closed bool // of a version that no call uses
	slot   int
	hotAt  int      // its place among those whose sets are worked out
	steps  []bitset // profiles by the first of reqs they fit; nil: not worked out
	seen   int      // how much of the index's news they tell
	words  int
	lacks  [][]lack   // by step
	sums   []levelSum // by step; nil: not worked out
	recent bool
}

// profile is a set of skills, a team and a site that agents share.
type profile struct {
	index  int // never used twice
	skills agents.Skills
	team   string
	site   string
	people int // agents who hold it
	signed int // agents signed in
	free   queue.Tree[idleKey, *agent]

	slot    int
	held    []uint32 // skills and levels, packed, sorted
	at      []uint32 // of each: its place among those who hold the skill
	inTeam  uint32
	atSite  uint32
	fitting bitset // demands that it fits at some step; nil: not worked out
	warmAt  int    // its place among those for whom it is
	seen    int    // how much of the index's news it tells
	recent  bool
}

// idleKey orders free agents: the longest idle, then the lower id.
type idleKey struct {
	since int64
	id    agents.ID
}

func (k idleKey) Compare(o idleKey) int {
	return match.Compare(match.LongestIdle, match.Candidate{ID: k.id, IdleSince: k.since}, match.Candidate{ID: o.id, IdleSince: o.since})
}

func (k idleKey) Hash() uint64 {
	h := uint64(k.since) * 0x9e3779b97f4a7c15
	for i := range len(k.id) {
		h = (h ^ uint64(k.id[i])) * 0x100000001b3
	}
	return queue.Mix(h)
}

// reach is the last step that counts for a call which has reached the given
// one: vacant steps are passed at once.
func (d *demand) reach(step int) int { return d.vacant(d.index[step]) }

// vacant is reach for one of reqs.
func (d *demand) vacant(i int) int { return min(max(i, d.floor), d.counted-1) }

func (d *demand) staffed() bool { return d.floor < len(d.reqs) }

// lower recomputes the floor.
func (d *demand) lower() {
	d.floor = len(d.reqs)
	for i, n := range d.staff {
		if n > 0 {
			d.floor = i
			return
		}
	}
}

// demandFor finds or makes the demand of a call.
func (e *Engine) demandFor(c *call, q *Queue) *demand {
	e.countRelax(c)
	var who Caller
	if e.needsLanguage(q, c.firm()) {
		who.Language = c.language(c.plan)
	}
	if NeedsSite(q, c.firm()) {
		who.Site = e.siteOf(c)
	}
	key := demandKey{c.plan, q.Name, who.Language, who.Site, c.firmKey(), c.set(q)}
	d := e.demandBy[key]
	if d != nil {
		e.muster(d)
		return d
	}
	d = &demand{key: key, plan: c.plan, queue: q, who: who}
	d.layout(key.steps)
	for _, n := range d.numbers {
		if n > 0 && q.Steps[n-1].Need == nil {
			d.reqs = append(d.reqs, d.reqs[len(d.reqs)-1])
			continue
		}
		d.reqs = append(d.reqs, StepRequirement(q, n, c.firm(), who))
	}
	d.staff = make([]int, len(d.reqs))
	d.classes = make([]queue.Tree[queue.Key, *call], len(d.reqs))
	e.cap(d)
	e.demandBy[key] = d
	c.plan.demands = append(c.plan.demands, d)
	e.index.open(d)
	e.spend(len(d.reqs) * (indexUnits + len(e.index.profiles)/64))
	e.muster(d)
	return d
}

func (e *Engine) needsLanguage(q *Queue, firm rule.Need) bool {
	if firm.Speak != nil {
		return asksCaller(firm)
	}
	if asksCaller(q.Need) {
		return true
	}
	for _, s := range q.Steps {
		if s.Need != nil && asksCaller(*s.Need) {
			return true
		}
	}
	return false
}

// profileFor finds or makes the profile of one more agent.
func (e *Engine) profileFor(a agents.Agent) *profile {
	key := profileKey(a)
	p := e.index.by[key]
	if p == nil {
		p = &profile{skills: a.Skills, team: a.Team, site: a.Site}
		e.index.by[key] = p
		e.index.add(p)
	}
	p.people++
	return p
}

// of says that an agent so described has the profile.
func (p *profile) of(a agents.Agent) bool {
	return p.team == a.Team && p.site == a.Site && slices.Equal(p.skills, a.Skills)
}

// dropProfile takes one agent from a profile.
func (e *Engine) dropProfile(p *profile, before agents.Agent) {
	if p.people--; p.people == 0 {
		delete(e.index.by, profileKey(before))
		e.index.remove(p)
	}
}

func profileKey(a agents.Agent) string {
	b := make([]byte, 0, 64)
	b = append(b, a.Team...)
	b = append(append(b, 0), a.Site...)
	for _, s := range a.Skills {
		b = append(b, 0)
		b = append(b, s.Skill...)
		b = append(b, 0, byte(s.Level))
	}
	return string(b)
}

// instant turns the engine's time into the one of the words.
func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}
