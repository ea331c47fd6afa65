package reference

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// need is what one step asks, in the words of the document: nothing is merged,
// every part is asked by itself.
type need struct {
	own   rule.Need // of the step, the queue's where the step is silent
	firm  rule.Need // of route and topic
	speak string    // the caller's language
	site  string    // of the caller's region, while it is open
	level agents.Level
}

// needOf is the need of a step; 0 is the queue's own.
func needOf(c *caller, step int) need {
	q := c.queue
	n := need{own: q.Need, firm: c.firm, speak: c.language, site: c.site, level: max(q.SpeakLevel, 1)}
	if step == 0 || q.Steps[step-1].Need == nil {
		return n
	}
	over := *q.Steps[step-1].Need
	if over.All != nil {
		n.own.All = over.All
	}
	if over.Any != nil {
		n.own.Any = over.Any
	}
	if over.None != nil {
		n.own.None = over.None
	}
	if over.Speak != nil {
		n.own.Speak = over.Speak
	}
	if over.Team != nil {
		n.own.Team = over.Team
	}
	if over.Site != nil {
		n.own.Site = over.Site
	}
	return n
}

// met asks one person everything.
func (n need) met(p *person) bool {
	for _, r := range n.own.All {
		// For a skill named twice the route's level counts.
		if !slices.ContainsFunc(n.firm.All, func(f agents.Range) bool { return f.Skill == r.Skill }) && !p.within(r) {
			return false
		}
	}
	for _, r := range n.firm.All {
		if !p.within(r) {
			return false
		}
	}
	return p.oneOf(n.own.Any) && p.oneOf(n.firm.Any) && !n.excludes(p) && n.understood(p) && n.inTeam(p) && n.atSite(p)
}

func (n need) excludes(p *person) bool {
	for _, skill := range slices.Concat(n.own.None, n.firm.None) {
		if p.levels[skill] > 0 {
			return true
		}
	}
	return false
}

func (n need) understood(p *person) bool {
	codes := n.own.Speak
	if n.firm.Speak != nil {
		codes = n.firm.Speak
	}
	for _, code := range codes {
		if code == "caller" {
			code = n.speak
		}
		if code == "any" || p.levels[agents.Skill("lang_"+code)] >= n.level {
			return true
		}
	}
	return len(codes) == 0
}

func (n need) inTeam(p *person) bool {
	teams := n.own.Team
	if n.firm.Team != nil {
		teams = n.firm.Team
	}
	return len(teams) == 0 || slices.Contains(teams, p.team)
}

func (p *person) within(r agents.Range) bool {
	have := p.levels[r.Skill]
	return have >= r.Min && (r.Max == 0 || have <= r.Max)
}

func (p *person) oneOf(sets [][]agents.Range) bool {
	for _, set := range sets {
		all := true
		for _, r := range set {
			all = all && p.within(r)
		}
		if all {
			return true
		}
	}
	return len(sets) == 0
}

// levelsNamed is the measure of most_skilled: the levels that the step names.
func (n need) levelsNamed(p *person) int {
	sum := 0
	for _, r := range n.own.All {
		if !slices.ContainsFunc(n.firm.All, func(f agents.Range) bool { return f.Skill == r.Skill }) {
			sum += int(p.levels[r.Skill])
		}
	}
	for _, r := range n.firm.All {
		sum += int(p.levels[r.Skill])
	}
	best := 0
	for _, x := range orNone(n.own.Any) {
		for _, y := range orNone(n.firm.Any) {
			both, sum := slices.Concat(x, y), 0
			for _, r := range both {
				sum += int(p.levels[r.Skill])
			}
			if p.oneOf([][]agents.Range{both}) {
				best = max(best, sum)
			}
		}
	}
	codes := n.own.Speak
	if n.firm.Speak != nil {
		codes = n.firm.Speak
	}
	spoken := 0
	for _, code := range codes {
		if code == "caller" {
			code = n.speak
		}
		spoken = max(spoken, int(p.levels[agents.Skill("lang_"+code)]))
	}
	return sum + best + spoken
}

func orNone(sets [][]agents.Range) [][]agents.Range {
	if len(sets) == 0 {
		return [][]agents.Range{nil}
	}
	return sets
}

// person is an agent.
type person struct {
	id     agents.ID
	levels map[agents.Skill]agents.Level
	team   string
	site   string
	state  agents.State
	idle   time.Time
	desk   bool
	asked  agents.State // what for, during a call
	ended  string       // why the last offer was withdrawn
	row    int          // own calls taken in a row
	past   []span
	share  int64
	call   routing.CallID

	answered []time.Time // calls, oldest first
	began    time.Time   // signed in
	head     int         // what a newcomer starts with
	calls    int         // answered lately, as measured
	turns    map[string]time.Time
}

func (p *person) free() bool { return p.state == agents.Available }

// leaves says that the person will not be Available after what is in hand.
func (p *person) leaves() bool { return p.asked == agents.NotReady || p.asked == agents.SignedOut }

func (p *person) signedIn() bool { return p.state != agents.SignedOut && p.state != "" }

func (p *person) busy() bool {
	return p.signedIn() && p.state != agents.Available && p.state != agents.NotReady
}

// span is a time in one state.
type span struct {
	from time.Time
	kind string // free, busy or away
}

// measure is the busy share of the time before an instant, in hundredths of a
// percent.
func (p *person) measure(window time.Duration, now time.Time) {
	sum := map[string]time.Duration{}
	for i, s := range p.past {
		end := now
		if i+1 < len(p.past) {
			end = p.past[i+1].from
		}
		begin := s.from
		if first := now.Add(-window); begin.Before(first) {
			begin = first
		}
		if begin.Before(end) {
			sum[s.kind] += end.Sub(begin)
		}
	}
	p.share = 0
	if sum["busy"] > 0 {
		p.share = int64(sum["busy"] * 10_000 / (sum["busy"] + sum["free"]))
	}
}

// caller is a call.
type caller struct {
	again    time.Time // a callback: not to be called before
	before   *caller   // whose place it has taken over
	chooses  bool      // between a callback and what else there is
	id       routing.CallID
	policy   *routing.Policy
	queue    *routing.Queue
	firm     rule.Need
	language string
	region   string
	site     string    // that "caller" means now
	inLine   bool      // counts among those who wait in its queue
	away     bool      // a callback: without a line
	last     agents.ID // who served this customer last, once the record is there
	since    time.Time
	entered  time.Time
	priority int
	step     int
	skipped  map[int]bool
	waiting  bool
	came     int
	front    bool
	bars     map[agents.ID]bar
	sender   agents.ID // who passed it on, or asks
	question bool      // an agent's
	attempt  routing.Offer
	out      []routing.Offer // offers that are out, or the talk
	group    []agents.ID     // who is still to be offered the call beside the first
	back     bool            // one of a group that failed brings it to the front

	list  []entry // preferred agents
	at    int     // the entry it is at
	until time.Time
	asked bool // its preferred agents have been asked, as far as can be seen
}

type bar struct {
	until  time.Time
	silent bool // ends when the desk is back
}

// entry is some preferred agents.
type entry struct {
	kind   string
	who    []agents.ID
	wait   time.Duration
	waived bool
	stays  bool // if_away: wait
}
