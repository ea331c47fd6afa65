package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/queue"
)

// Bounds of the index's memory: words of 64 bits that the caches may take, and
// how many changes are remembered for those who have yet to hear of them.
const (
	maxCacheWords = 8 << 20 // 64 MB each for demands and profiles
	maxTermSets   = 8192
	maxNews       = 1024
	fewNews       = 4 // that a demand hears of whenever it is asked
	mostFills     = 4 // demands that hear of more in one Step, if they need not
)

// index finds who fits what without looking at everybody: for each term of a
// need the set of profiles that meet it, for each demand the profiles that fit
// its steps, and for each profile the demands that it fits. Sets that are not
// in use make room and are worked out anew when they are wanted.
type index struct {
	// slice counts the work: that of looking, never that of filling a cache,
	// which hangs on who has looked before.
	slice *slice
	room  int // words that each cache may take

	profiles []*profile // by slot; nil where nobody holds the profile any more
	vacant   []int
	by       map[string]*profile
	serial   int
	changed  news // slots of profiles
	skills   map[agents.Skill]uint32
	holding  [][]uint32        // by skill: the slot and the level of each profile that holds it, packed
	names    map[string]uint32 // of teams and sites
	terms    map[term]*bitset
	asked    map[uint32][]term // terms by skill
	cleared  int               // how often the terms were forgotten
	teams    map[string]*bitset
	sites    map[string]*bitset
	signed   bitset  // profiles with agents signed in
	free     bitset  // profiles with free agents
	idlest   []int64 // by slot, of those: since when the longest idle of them has been

	demands   []*demand // by slot
	unused    []int
	opened    news // slots of demands
	asks      asks
	watched   bitset      // demands with calls that wait or are offered
	queued    bitset      // demands with calls in their classes
	heads     []queue.Key // of those, the first key of all their classes
	hot       []*demand
	hotHand   int
	hotWords  int
	warm      []*profile // whose demands are worked out
	profHand  int        // of warm
	profWords int
}

// term is one level asked of one skill.
type term struct {
	skill    uint32
	min, max agents.Level
}

// news is a list of changes, of which the oldest are forgotten.
type news struct {
	base int
	list []int
}

func (n *news) add(slot int) {
	if len(n.list) >= 2*maxNews {
		n.base += maxNews
		n.list = append(n.list[:0], n.list[maxNews:]...)
	}
	n.list = append(n.list, slot)
}

func (n *news) end() int { return n.base + len(n.list) }

// since gives what has changed; ok is false when that is forgotten.
func (n *news) since(seen int) (list []int, ok bool) {
	if seen < n.base {
		return nil, false
	}
	return n.list[seen-n.base:], true
}

func newIndex(s *slice) index {
	return index{
		slice: s, room: maxCacheWords, by: map[string]*profile{}, skills: map[agents.Skill]uint32{}, terms: map[term]*bitset{},
		asked: map[uint32][]term{}, teams: map[string]*bitset{}, sites: map[string]*bitset{}, names: map[string]uint32{},
	}
}

func (x *index) skill(name agents.Skill) uint32 {
	id, ok := x.skills[name]
	if !ok {
		id = uint32(len(x.skills))
		x.skills[name] = id
		x.holding = append(x.holding, nil)
	}
	return id
}

// add gives a profile its slot.
func (x *index) add(p *profile) {
	p.slot = len(x.profiles)
	if n := len(x.vacant); n > 0 {
		p.slot, x.vacant = x.vacant[n-1], x.vacant[:n-1]
		x.profiles[p.slot] = p
	} else {
		x.profiles = append(x.profiles, p)
		x.idlest = append(x.idlest, 0)
	}
	p.index = x.serial
	x.serial++
	p.held = make([]uint32, len(p.skills))
	for i, s := range p.skills {
		id := x.skill(s.Skill)
		p.held[i] = id<<4 | uint32(s.Level)&15
		for _, t := range x.asked[id] {
			if t.met(s.Level) {
				x.terms[t].put(p.slot)
			}
		}
	}
	slices.Sort(p.held)
	p.at = make([]uint32, len(p.held))
	for i, h := range p.held {
		p.at[i] = uint32(len(x.holding[h>>4]))
		x.holding[h>>4] = append(x.holding[h>>4], uint32(p.slot)<<4|h&15)
	}
	p.inTeam, p.atSite = x.name(p.team), x.name(p.site)
	x.group(x.teams, p.team).put(p.slot)
	x.group(x.sites, p.site).put(p.slot)
	p.seen = -1
	x.changed.add(p.slot)
	x.slice.units += indexUnits + 4*len(p.skills)
}

// remove takes back the slot of a profile that nobody holds.
func (x *index) remove(p *profile) {
	for i, h := range p.held {
		for _, t := range x.asked[h>>4] {
			x.terms[t].drop(p.slot)
		}
		x.unhold(h>>4, p.at[i])
	}
	x.group(x.teams, p.team).drop(p.slot)
	x.group(x.sites, p.site).drop(p.slot)
	x.forget(p)
	x.profiles[p.slot] = nil
	x.vacant = append(x.vacant, p.slot)
	x.slice.units += indexUnits + 4*len(p.held)
}

// unhold takes a place out of those who hold a skill; the last fills the gap.
func (x *index) unhold(skill, at uint32) {
	list := x.holding[skill]
	last := uint32(len(list) - 1)
	if moved := list[last]; at != last {
		list[at] = moved
		o := x.profiles[moved>>4]
		i, _ := slices.BinarySearch(o.held, skill<<4)
		o.at[i] = at
	}
	x.holding[skill] = list[:last]
}

func (x *index) group(by map[string]*bitset, name string) *bitset {
	b := by[name]
	if b == nil {
		b = &bitset{}
		by[name] = b
	}
	return b
}

func (t term) met(level agents.Level) bool { return level >= t.min && (t.max == 0 || level <= t.max) }

// holders is the profiles that hold a skill at the levels asked; the least
// level asked is 1.
func (x *index) holders(skill agents.Skill, low, high agents.Level) bitset {
	t := term{x.skill(skill), low, high}
	if b := x.terms[t]; b != nil {
		return *b
	}
	if len(x.terms) >= maxTermSets {
		for len(x.hot) > 0 { // they hold on to sets that nobody would keep
			x.cool(x.hot[0])
		}
		clear(x.terms)
		clear(x.asked)
		x.cleared++
	}
	b := make(bitset, (len(x.profiles)+63)/64)
	for _, h := range x.holding[t.skill] {
		if t.met(agents.Level(h & 15)) {
			b.put(int(h >> 4))
		}
	}
	x.terms[t] = &b
	x.asked[t.skill] = append(x.asked[t.skill], t)
	return b
}

// meets is the profiles that meet a requirement: the same as to ask each by
// Requirement.Fits. The set is the caller's.
func (x *index) meets(r *agents.Requirement) bitset {
	out := fullSet(len(x.profiles))
	narrow := func(ranges []agents.Range, b bitset) {
		for _, w := range ranges {
			switch {
			case w.Min > 0:
				b.and(x.holders(w.Skill, w.Min, w.Max))
			case w.Max > 0:
				b.andNot(x.holders(w.Skill, w.Max+1, 0))
			}
		}
	}
	either := func(n int, one func(int) bitset) {
		if n == 0 {
			return
		}
		sum := make(bitset, len(out))
		for i := range n {
			sum.or(one(i))
		}
		out.and(sum)
	}
	narrow(r.All, out)
	either(len(r.Any), func(i int) bitset {
		b := fullSet(len(x.profiles))
		narrow(r.Any[i], b)
		return b
	})
	for _, skill := range r.None {
		out.andNot(x.holders(skill, 1, 0))
	}
	either(len(r.Speak), func(i int) bitset {
		return x.holders(agents.LanguagePrefix+agents.Skill(r.Speak[i]), max(r.SpeakLevel, 1), 0)
	})
	either(len(r.Team), func(i int) bitset { return *x.group(x.teams, r.Team[i]) })
	either(len(r.Site), func(i int) bitset { return *x.group(x.sites, r.Site[i]) })
	return out
}

// open gives a demand its slot.
func (x *index) open(d *demand) {
	d.all, d.slot, d.seen = x, len(x.demands), -1
	if n := len(x.unused); n > 0 {
		d.slot, x.unused = x.unused[n-1], x.unused[:n-1]
		x.demands[d.slot] = d
	} else {
		x.demands = append(x.demands, d)
	}
	for len(x.heads) < len(x.demands) {
		x.heads = append(x.heads, queue.Key{})
	}
	x.opened.add(d.slot)
	x.ask(d)
}

// enqueue follows a change of the demand's classes.
func (x *index) enqueue(d *demand) {
	if d.indexed == 0 {
		x.queued.drop(d.slot)
		return
	}
	x.queued.put(d.slot)
	head, some := queue.Key{}, false
	for i := range d.classes {
		if k, ok := d.classes[i].FirstKey(); ok && (!some || k.Compare(head) < 0) {
			head, some = k, true
		}
	}
	x.heads[d.slot] = head
}

// close takes it back.
func (x *index) close(d *demand) {
	x.cool(d)
	x.unask(d)
	x.watched.drop(d.slot)
	x.queued.drop(d.slot)
	x.demands[d.slot] = nil
	x.unused = append(x.unused, d.slot)
	x.opened.add(d.slot)
}

// ready has the demand's sets say what is true of all profiles.
func (d *demand) ready() {
	x := d.all
	d.recent = true
	if d.seen == x.changed.end() && d.steps != nil {
		return
	}
	list, ok := x.changed.since(d.seen)
	d.seen = x.changed.end()
	if d.steps == nil || !ok {
		x.evaluate(d)
		return
	}
	for _, slot := range list {
		first := -1
		if p := x.profiles[slot]; p != nil {
			first = d.firstFit(p)
		}
		for i := range d.steps {
			if i == first {
				d.steps[i].put(slot)
			} else {
				d.steps[i].drop(slot)
			}
		}
	}
}

// firstFit is the first step that a profile fits, -1 for none, worked out.
func (d *demand) firstFit(p *profile) int {
	for i := range d.reqs {
		if ok, _ := d.reqs[i].Fits(p.skills, p.team, p.site); ok {
			return i
		}
	}
	return -1
}

// evaluate works the demand's sets out.
func (x *index) evaluate(d *demand) {
	x.cool(d)
	d.steps = make([]bitset, len(d.reqs))
	d.lacks = make([][]lack, len(d.reqs))
	cleared := x.cleared
	for i := range d.reqs {
		d.lacks[i] = x.lacks(d.reqs[i].All)
		b := x.meets(&d.reqs[i])
		for _, earlier := range d.steps[:i] {
			b.andNot(earlier)
		}
		if !b.empty() {
			d.steps[i] = b
		}
		d.words += len(d.steps[i])
	}
	if x.cleared != cleared {
		clear(d.lacks) // some of their sets are not kept any more
	}
	d.hotAt = len(x.hot)
	x.hot = append(x.hot, d)
	for x.hotWords += d.words; x.hotWords > x.room && len(x.hot) > 1; {
		x.hotHand %= len(x.hot)
		switch old := x.hot[x.hotHand]; {
		case old == d:
			x.hotHand++
		case old.recent:
			old.recent = false
			x.hotHand++
		default:
			x.cool(old)
		}
	}
}

// lack is a level that a step asks of a skill, and what to say of those who do
// not hold it.
type lack struct {
	holders *bitset
	code    string
}

// lacks are the first levels that a step asks, as far as they have no upper end.
func (x *index) lacks(all []agents.Range) (out []lack) {
	for _, w := range all {
		if w.Min == 0 || w.Max > 0 {
			break
		}
		x.holders(w.Skill, w.Min, 0)
		one := agents.Requirement{All: []agents.Range{w}}
		_, code := one.Fits(nil, "", "")
		out = append(out, lack{x.terms[term{x.skill(w.Skill), w.Min, 0}], code})
	}
	return out
}

// cool forgets a demand's sets.
func (x *index) cool(d *demand) {
	if d.steps == nil {
		return
	}
	last := len(x.hot) - 1
	x.hot[d.hotAt], x.hot[last] = x.hot[last], nil
	if x.hot = x.hot[:last]; d.hotAt < last {
		x.hot[d.hotAt].hotAt = d.hotAt
	}
	x.hotWords -= d.words
	d.steps, d.lacks, d.words = nil, nil, 0
}

// fits is the first step that a profile fits, -1 for none.
func (d *demand) fits(p *profile) int {
	if d.steps == nil {
		return d.firstFit(p)
	}
	if behind := d.all.changed.end() - d.seen; behind > 0 {
		// After a directory that changes many, each of thousands of demands would be
		// worked out anew to say one thing of one profile.
		s := d.all.slice
		if behind > fewNews && s.fills == mostFills {
			return d.firstFit(p)
		}
		if behind > fewNews {
			s.fills++
		}
		d.ready()
	}
	for i := range d.steps {
		if d.steps[i].has(p.slot) {
			return i
		}
	}
	return -1
}

// freeAt calls yield for the slot of each profile with free agents that fits a
// step first, in order, until it says false.
func (x *index) freeAt(d *demand, step int, yield func(slot int) bool) {
	d.ready()
	x.slice.units += 1 + len(x.profiles)/2048
	d.steps[step].both(x.free, yield)
}

// people counts the agents signed in who fit a step first, until there are so many.
func (x *index) people(d *demand, step, most int) (n int) {
	d.ready()
	d.steps[step].both(x.signed, func(slot int) bool {
		n += x.profiles[slot].signed
		x.slice.units++
		return n < most
	})
	return n
}

// among calls yield for each of some demands that the profile fits.
func (x *index) among(p *profile, some bitset, yield func(*demand)) {
	x.know(p)
	x.slice.units += 1 + len(x.demands)/2048
	p.fitting.both(some, func(slot int) bool { yield(x.demands[slot]); return true })
}

// know has the profile's set of demands say what is true of all of them.
func (x *index) know(p *profile) {
	p.recent = true
	if p.seen == x.opened.end() {
		return
	}
	list, ok := x.opened.since(p.seen)
	x.hold(p)
	defer x.release(p)
	if ok {
		p.seen = x.opened.end()
		for _, slot := range list {
			x.note(p, slot)
		}
		return
	}
	x.forget(p)
	p.seen = x.opened.end()
	p.fitting = make(bitset, (len(x.demands)+63)/64)
	p.warmAt = len(x.warm)
	x.warm = append(x.warm, p)
	for slot := range x.demands {
		if x.asks.fitting(slot) {
			p.fitting.put(slot)
		}
	}
	for x.profWords += len(p.fitting); x.profWords > x.room && len(x.warm) > 1; {
		x.profHand %= len(x.warm)
		switch o := x.warm[x.profHand]; {
		case o == p:
			x.profHand++
		case o.recent:
			o.recent = false
			x.profHand++
		default:
			x.forget(o)
		}
	}
}

// note looks at one demand for the profile in hand.
func (x *index) note(p *profile, slot int) {
	if x.asks.fitting(slot) {
		x.profWords -= len(p.fitting)
		p.fitting.put(slot)
		x.profWords += len(p.fitting)
	} else {
		p.fitting.drop(slot)
	}
}

// forget drops what is known of a profile's demands.
func (x *index) forget(p *profile) {
	if p.fitting == nil {
		return
	}
	last := len(x.warm) - 1
	x.warm[p.warmAt], x.warm[last] = x.warm[last], nil
	if x.warm = x.warm[:last]; p.warmAt < last {
		x.warm[p.warmAt].warmAt = p.warmAt
	}
	x.profWords -= len(p.fitting)
	p.fitting, p.seen = nil, -1
}
