package routing

import (
	"slices"
	"time"
)

// What a queue's callers are told of their wait (Announce.Say).
const (
	SayPosition = "position"
	SayWait     = "wait"
)

// AnnouncePolicy is what the callers of a queue hear over the music while they
// wait (10).
type AnnouncePolicy struct {
	Greeting     string        // sound, once for each queue entered; "" for none
	Every        time.Duration // how often Say is said, counted from entering; 0: never
	Say          []string      // SayPosition, SayWait, in the order in which they are said
	PositionUpTo int           // further back the place is not said
	// A wait under From is "shortly", one over To "more than"; what is said between
	// is rounded up to Round.
	From, To, Round time.Duration
}

// tells says whether the callers are told of their wait.
func (a *AnnouncePolicy) tells(what string) bool { return a.Every > 0 && slices.Contains(a.Say, what) }

// greetMark stands for a queue whose greeting the caller has heard.
const greetMark = "greet:"

// sameFor is how long a caller is told no longer wait than before.
const sameFor = 60 * second

// saying is what a caller was told of the wait in one visit to a queue.
type saying struct {
	band  Band  // told last
	since int64 // since when; 0: never
	// The word that was given: to be answered within so many seconds of an instant;
	// 0 for none.
	word   int
	wordAt int64
}

// greet lets the caller hear us on entering the first queue that does not leave
// that to the agent: answered, or in early media. Once answered, a call stays so
// in whatever queue.
func (e *Engine) greet(c *call) {
	switch {
	case c.silent:
		c.silent = false
		e.act(Wait{Call: c.id, Music: c.queue.Music})
	case c.answered || c.queue.AnswerWithAgent:
	case c.queue.EarlyMedia:
		e.early(c)
	default:
		c.answered = true
		e.act(AnswerCaller{c.id, c.queue.Music})
	}
}

// early begins early media, once.
func (e *Engine) early(c *call) {
	if !c.early {
		c.early = true
		e.act(EarlyMedia{c.id, c.music()})
	}
}

// hears makes sure that a caller hears the sound that is about to be played: as
// the queue answers, so it is played.
func (e *Engine) hears(c *call) {
	switch {
	case c.answered:
	case c.queue != nil && (c.queue.AnswerWithAgent || c.queue.EarlyMedia):
		e.early(c)
	default:
		c.answered, c.silent = true, c.queue == nil
		e.act(AnswerCaller{c.id, c.music()})
	}
}

// welcome plays the queue's greeting. No offer waits for it, and who a reload
// brought to the queue has heard enough.
func (e *Engine) welcome(c *call, trigger string) {
	mark := greetMark + c.queue.Name
	if c.queue.Announce.Greeting == "" || c.queue.AnswerWithAgent || c.marked(mark) || c.isQuestion() {
		return
	}
	c.mark(mark)
	if trigger != reloaded {
		e.act(Announce{Call: c.id, Greeting: c.queue.Announce.Greeting, Language: c.language(c.plan)})
	}
}

// armSay sets the deadline of the next announcement of this visit: at whole
// multiples of every, whatever happens meanwhile. A place without a line is told
// nothing.
func (e *Engine) armSay(c *call) {
	every := c.queue.Announce.Every.Microseconds()
	if every == 0 || c.queue.AnswerWithAgent || c.isAway() || c.isQuestion() {
		e.disarm(c, sayDue)
		return
	}
	e.arm(c, sayDue, c.entered+((e.now-c.entered)/every+1)*every)
}

// unsay ends the announcements of a visit. A call that is answered shows whether
// the word that was given was kept; one that is given up shows it when that was
// broken already.
func (e *Engine) unsay(c *call, answered bool) {
	e.disarm(c, sayDue)
	s := c.saying
	if s == nil {
		return
	}
	c.saying = nil
	if s.word == 0 {
		return
	}
	f := e.figure(c.queue.Name)
	kept := e.now-s.wordAt <= int64(s.word)*second
	if answered || !kept {
		f.told++
	}
	if answered && kept {
		f.kept++
	}
}

// say tells a waiting caller what the queue says every so often.
func (e *Engine) say(c *call) {
	e.armSay(c)
	if c.isAway() {
		return
	}
	e.spend(2 * indexUnits)
	var said []Said
	for _, what := range c.queue.Announce.Say {
		switch what {
		case SayPosition:
			if n := e.position(c); n <= c.queue.Announce.PositionUpTo {
				said = append(said, Said{Position: n})
			}
		case SayWait:
			if b, ok := e.tellWait(c); ok {
				said = append(said, Said{Wait: &b})
			}
		}
	}
	if len(said) > 0 {
		e.act(Announce{Call: c.id, Language: c.language(c.plan), Say: said})
	}
}

// tellWait is what a caller is told of the wait, false while it is not known:
// never more than last time, unless that was said for a minute.
func (e *Engine) tellWait(c *call) (Band, bool) {
	x := e.expected(c, e.now)
	if !x.Known {
		return Band{}, false
	}
	if c.saying == nil {
		c.saying = &saying{}
	}
	s, a := c.saying, &c.queue.Announce
	b := a.band(e.figure(c.queue.Name).pace.spread(x.Seconds))
	switch {
	case s.since != 0 && b.longer(s.band) && e.now-s.since < sameFor:
		return s.band, true
	case s.since == 0 || b != s.band:
		s.since = e.now
	}
	if s.wordAt == 0 {
		s.word, s.wordAt = b.Most, e.now
		if b.Shortly {
			s.word = wholeSeconds(a.From)
		}
	}
	s.band = b
	return b, true
}

// Band is what a caller is told of the wait, in seconds: between Least and Most;
// about Most where they are the same, up to Most without a Least, and more than
// Least without a Most.
type Band struct {
	Shortly bool `json:"shortly,omitempty"`
	Least   int  `json:"least,omitempty"`
	Most    int  `json:"most,omitempty"`
}

// longer says whether a band promises less than another.
func (b Band) longer(o Band) bool {
	at := func(b Band) int {
		if b.Most == 0 && !b.Shortly {
			return 1 << 30
		}
		return b.Most
	}
	if x, y := at(b), at(o); x != y {
		return x > y
	}
	return b.Least > o.Least
}

// band puts a wait, from its middle to its 80th percentile, into the words of the
// queue.
func (a *AnnouncePolicy) band(middle, long int) Band {
	from, to, round := wholeSeconds(a.From), wholeSeconds(a.To), max(wholeSeconds(a.Round), 1)
	up := func(s int) int { return max((s+round-1)/round, 1) * round }
	switch {
	case long < from:
		return Band{Shortly: true}
	case long > to:
		return Band{Least: min(max(middle/round*round, from, 1), to)}
	case middle < from:
		return Band{Most: up(long)}
	}
	return Band{Least: up(middle), Most: up(long)}
}

// wholeSeconds rounds up.
func wholeSeconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// spreads is how many real waits are kept beside what was expected.
const (
	spreads   = 200
	maxSpread = 10_000 // percent
)

// spread is how real waits have compared with those expected, in percent: the
// last ones in the order they came, and sorted.
type spread struct {
	last, sorted []int32
	at           int
}

// note adds a call that waited so many seconds of those expected.
func (s *spread) note(waited int64, expected int32) {
	if expected <= 0 {
		return
	}
	r := int32(min(waited*100/int64(expected), maxSpread))
	if len(s.last) < spreads {
		s.last = append(s.last, r)
	} else {
		old, _ := slices.BinarySearch(s.sorted, s.last[s.at])
		s.sorted = slices.Delete(s.sorted, old, old+1)
		s.last[s.at] = r
		s.at = (s.at + 1) % spreads
	}
	at, _ := slices.BinarySearch(s.sorted, r)
	s.sorted = slices.Insert(s.sorted, at, r)
}

// spread is what an expected wait comes to: its middle and its 80th percentile,
// in seconds. As expected while no call has shown otherwise.
func (p *pace) spread(expected int) (middle, long int) {
	n := len(p.real.sorted)
	if n == 0 {
		return expected, expected
	}
	of := func(i int) int { return (expected*int(p.real.sorted[i]) + 99) / 100 }
	return of((n - 1) / 2), of((n*4+4)/5 - 1)
}
