package routing

import "github.com/cordboard/cordboard/agents"

// asks is what every demand asks, written as one run of words, so that a profile
// is held against all of them without looking at each where it lies: with tens
// of thousands of demands that is the time of memory, not of thinking.
//
// A demand is its steps one after the other, each preceded by its length. A step
// is tests that all must hold, and groups of which one alternative must: a group
// and each of its alternatives are preceded by their length likewise.
type asks struct {
	words []uint32
	at    []stretch // of words, by slot
	dead  int       // words of demands that are closed

	// Of the profile in hand.
	levels     []agents.Level // by skill
	team, site uint32
}

type stretch struct{ from, to uint32 }

// A word is a kind, the levels asked, and a number: of a skill, a team, a site,
// or words that follow.
const (
	askLevel = iota << 29
	askTeam
	askSite
	askOneOf
	askNever
	askKind   = 7 << 29
	askNumber = 1<<21 - 1
)

// name is the number of a team or a site.
func (x *index) name(s string) uint32 {
	n, ok := x.names[s]
	if !ok {
		n = uint32(len(x.names))
		x.names[s] = n
	}
	return n
}

// mostDead is how many words of closed demands are kept before the others move
// together.
const mostDead = 1 << 14

func askWord(kind int, low, high agents.Level, number uint32) uint32 {
	return uint32(kind) | uint32(high&15)<<25 | uint32(low&15)<<21 | number&askNumber
}

// ask writes down what a demand asks.
func (x *index) ask(d *demand) {
	a := &x.asks
	for len(a.at) <= d.slot {
		a.at = append(a.at, stretch{})
	}
	from := len(a.words)
	for i := range d.reqs {
		if i > 0 && d.numbers[i] > 0 && d.queue.Steps[d.numbers[i]-1].Need == nil {
			continue // it asks what the one before it does
		}
		a.prefixed(func() { x.askStep(&d.reqs[i]) })
	}
	a.at[d.slot] = stretch{uint32(from), uint32(len(a.words))}
}

// prefixed writes something with its length before it.
func (a *asks) prefixed(write func()) {
	at := len(a.words)
	a.words = append(a.words, 0)
	write()
	a.words[at] |= uint32(len(a.words) - at - 1)
}

func (x *index) askStep(r *agents.Requirement) {
	a := &x.asks
	ranges := func(list []agents.Range) {
		for _, w := range list {
			if w.Min > 0 || w.Max > 0 {
				a.words = append(a.words, askWord(askLevel, w.Min, w.Max, x.skill(w.Skill)))
			}
		}
	}
	oneOf := func(n int, write func(int)) {
		if n == 0 {
			return
		}
		at := len(a.words)
		a.prefixed(func() {
			for i := range n {
				a.prefixed(func() { write(i) })
			}
		})
		a.words[at] |= askOneOf
	}
	ranges(r.All)
	for _, s := range r.None {
		a.words = append(a.words, askWord(askNever, 0, 0, x.skill(s)))
	}
	oneOf(len(r.Any), func(i int) { ranges(r.Any[i]) })
	oneOf(len(r.Speak), func(i int) {
		a.words = append(a.words, askWord(askLevel, max(r.SpeakLevel, 1), 0, x.skill(agents.LanguagePrefix+agents.Skill(r.Speak[i]))))
	})
	oneOf(len(r.Team), func(i int) { a.words = append(a.words, askWord(askTeam, 0, 0, x.name(r.Team[i]))) })
	oneOf(len(r.Site), func(i int) { a.words = append(a.words, askWord(askSite, 0, 0, x.name(r.Site[i]))) })
}

// unask forgets it.
func (x *index) unask(d *demand) {
	a := &x.asks
	p := a.at[d.slot]
	a.at[d.slot] = stretch{}
	if a.dead += int(p.to - p.from); a.dead < max(mostDead, len(a.words)/2) {
		return
	}
	words := make([]uint32, 0, len(a.words)-a.dead)
	for slot, p := range a.at {
		from := len(words)
		words = append(words, a.words[p.from:p.to]...)
		a.at[slot] = stretch{uint32(from), uint32(len(words))}
	}
	a.words, a.dead = words, 0
}

// hold takes a profile in hand, release puts it back.
func (x *index) hold(p *profile) {
	a := &x.asks
	if n := len(x.skills) - len(a.levels); n > 0 {
		a.levels = append(a.levels, make([]agents.Level, n)...)
	}
	for _, h := range p.held {
		a.levels[h>>4] = agents.Level(h & 15)
	}
	a.team, a.site = p.inTeam, p.atSite
}

func (x *index) release(p *profile) {
	for _, h := range p.held {
		x.asks.levels[h>>4] = 0
	}
}

// fitting says that the profile in hand fits some step of the demand.
func (a *asks) fitting(slot int) bool {
	p := a.at[slot]
	for words := a.words[p.from:p.to]; len(words) > 0; {
		n := words[0]
		if a.all(words[1 : 1+n]) {
			return true
		}
		words = words[1+n:]
	}
	return false
}

// all says that the profile meets every test.
func (a *asks) all(words []uint32) bool {
	for len(words) > 0 {
		w := words[0]
		if words = words[1:]; w&askKind != askOneOf {
			if !a.meets(w) {
				return false
			}
			continue
		}
		n := w & askNumber
		if !a.some(words[:n]) {
			return false
		}
		words = words[n:]
	}
	return true
}

// some says that it meets one alternative.
func (a *asks) some(words []uint32) bool {
	for len(words) > 0 {
		n := words[0]
		if a.all(words[1 : 1+n]) {
			return true
		}
		words = words[1+n:]
	}
	return false
}

func (a *asks) meets(w uint32) bool {
	switch number := w & askNumber; w & askKind {
	case askTeam:
		return a.team == number
	case askSite:
		return a.site == number
	case askNever:
		return a.levels[number] == 0
	default:
		level, high := a.levels[number], agents.Level(w>>25&15)
		return level >= agents.Level(w>>21&15) && (high == 0 || level <= high)
	}
}
