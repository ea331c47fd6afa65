package figures

import (
	"cmp"
	"slices"
	"time"
)

// repeatWithin is how long a question stays open after its last call, and how
// soon a contact is a repeat.
const repeatWithin = int64(RepeatWithin / time.Microsecond)

// Contact is one inbound call as the measured pain sees it, and AfterCall.
// Instants are microseconds since 1970.
type Contact struct {
	Customer string // who it is, or the caller's number; "" when withheld
	Topic    string // the call's, else its queue's name
	Queue    string // that answered last
	Agent    string // who talked last
	Arrived  int64
	Ended    int64 // 0 while it lives
	Answered bool  // an agent talked
	Hops     int   // transfers that the receiver answered
	Final    bool  // a disposition closed the question

	Team  string // of who talked last
	Alone bool   // a menu's answer was its end, heard whole
	Back  bool   // an agent had it again after another
}

// Ack is how an offer was acknowledged by the desk.
type Ack uint8

// The acks of an offer.
const (
	NoAck Ack = iota
	AckPainted
	AckHidden
	AckLate // after routing had stopped waiting for it
)

// Pop is one offer to an agent.
type Pop struct {
	Topic, Queue, Agent string
	At                  int64
	Ack                 Ack
	Rang, AfterAck      bool
}

// Transfer is one that its receiver answered, with the facts known then and
// those of them that the receiver's screen did not show.
type Transfer struct {
	Call                int64
	Topic, Queue, Agent string // the receiver's
	At                  int64
	Known, ReAsked      int
}

// PainCounts are the figures of one topic, queue, agent, or of all.
type PainCounts struct {
	// Questions that ended in the period: closed by a final disposition, of
	// those in their first call, or lapsed. Hops counts closed questions by how
	// many they took.
	Closed, FirstCall, Lapsed int
	Hops                      map[int]int
	// Answered calls that ended in the period and whose 168 hours are over,
	// those followed by another of the same customer, and by one about the
	// same; Running are those whose hours are not over.
	Contacts, Repeated, RepeatedSame, Running int
	// Transfers answered in the period, and their facts.
	Transfers, Known, ReAsked int
	// Offers of the period by their ack.
	Pops [4]PopCounts
}

// PopCounts are the offers of one kind of ack.
type PopCounts struct{ Offers, Rang, AfterAck int }

// Dimensions of a PainLine.
const (
	OfAll   = "all"
	OfTopic = "topic"
	OfQueue = "queue"
	OfAgent = "agent"
)

// PainLine is the figures of one value of a dimension.
type PainLine struct {
	By, Name string
	PainCounts
}

// Pain folds contacts into the figures of "the pain, measured". Contacts come
// in order of arrival, from long enough before the period that the questions
// open at its beginning are known.
type Pain struct {
	from, to, now int64
	questions     map[subject]*question
	recent        map[string][]*followed // by customer, answered calls whose hours run
	lines         map[[2]string]*PainCounts
	Withheld      int     // answered calls of the period whose caller is not known
	Calls         []int64 // whose transfers made facts be asked again, at most 100
}

type subject struct{ customer, topic string }

// question is the calls of one customer about one topic.
type question struct {
	calls, hops  int
	last         int64 // the end of its last call
	queue, agent string
}

// followed is an answered call that waits to be followed by another.
type followed struct {
	Contact
	again, same bool
}

// NewPain makes the fold of a period.
func NewPain(from, to, now time.Time) *Pain {
	return &Pain{
		from: from.UnixMicro(), to: to.UnixMicro(), now: now.UnixMicro(),
		questions: map[subject]*question{}, recent: map[string][]*followed{}, lines: map[[2]string]*PainCounts{},
	}
}

func (p *Pain) in(at int64) bool { return at >= p.from && at < p.to }

// each gives the lines that something of a topic, queue and agent counts in.
func (p *Pain) each(topic, queue, agent string, count func(*PainCounts)) {
	for _, key := range [][2]string{{OfAll, ""}, {OfTopic, topic}, {OfQueue, queue}, {OfAgent, agent}} {
		if key[0] != OfAll && key[1] == "" {
			continue
		}
		line := p.lines[key]
		if line == nil {
			line = &PainCounts{Hops: map[int]int{}}
			p.lines[key] = line
		}
		count(line)
	}
}

// Contact folds a call.
func (p *Pain) Contact(c Contact) {
	if c.Customer == "" {
		if c.Answered && p.in(c.Ended) {
			p.Withheld++
		}
		return
	}
	p.follow(c)
	key := subject{c.Customer, c.Topic}
	q := p.questions[key]
	if q != nil && c.Arrived >= q.last+repeatWithin {
		p.lapse(key, q)
		q = nil
	}
	if q == nil {
		if !c.Answered {
			return // the first answered call opens it
		}
		q = &question{}
		p.questions[key] = q
	}
	q.calls++
	q.hops += c.Hops
	q.last = max(q.last, c.Ended)
	if c.Ended == 0 {
		q.last = p.now // it lives
	}
	if c.Answered {
		q.queue, q.agent = c.Queue, c.Agent
	}
	if !c.Answered || !c.Final || c.Ended == 0 {
		return
	}
	delete(p.questions, key)
	if !p.in(c.Ended) {
		return
	}
	p.each(c.Topic, q.queue, q.agent, func(n *PainCounts) {
		n.Closed++
		n.Hops[q.hops]++
		if q.calls == 1 {
			n.FirstCall++
		}
	})
}

func (p *Pain) lapse(key subject, q *question) {
	delete(p.questions, key)
	if p.in(q.last + repeatWithin) {
		p.each(key.topic, q.queue, q.agent, func(n *PainCounts) { n.Lapsed++ })
	}
}

// follow holds a call against the answered ones of the same customer before it.
func (p *Pain) follow(c Contact) {
	list := p.recent[c.Customer]
	kept := list[:0]
	for _, f := range list {
		if c.Arrived > f.Ended+repeatWithin {
			p.unfollow(f)
			continue
		}
		if c.Arrived >= f.Ended {
			f.again = true
			f.same = f.same || c.Topic == f.Topic
		}
		kept = append(kept, f)
	}
	if c.Answered && c.Ended != 0 {
		kept = append(kept, &followed{Contact: c})
	}
	if len(kept) == 0 {
		delete(p.recent, c.Customer)
		return
	}
	p.recent[c.Customer] = kept
}

// unfollow counts a call that nothing can follow any more.
func (p *Pain) unfollow(f *followed) {
	if !p.in(f.Ended) {
		return
	}
	p.each(f.Topic, f.Queue, f.Agent, func(n *PainCounts) {
		if f.Ended+repeatWithin > p.now {
			n.Running++
			return
		}
		n.Contacts++
		if f.again {
			n.Repeated++
		}
		if f.same {
			n.RepeatedSame++
		}
	})
}

// Transfer folds a transfer that was answered.
func (p *Pain) Transfer(t Transfer) {
	if !p.in(t.At) {
		return
	}
	p.each(t.Topic, t.Queue, t.Agent, func(n *PainCounts) {
		n.Transfers++
		n.Known += t.Known
		n.ReAsked += t.ReAsked
	})
	if t.ReAsked > 0 && len(p.Calls) < 100 && !slices.Contains(p.Calls, t.Call) {
		p.Calls = append(p.Calls, t.Call)
	}
}

// Pop folds an offer.
func (p *Pain) Pop(o Pop) {
	if !p.in(o.At) {
		return
	}
	p.each(o.Topic, o.Queue, o.Agent, func(n *PainCounts) {
		k := &n.Pops[o.Ack]
		k.Offers++
		if o.Rang {
			k.Rang++
		}
		if o.AfterAck {
			k.AfterAck++
		}
	})
}

// Lines ends the fold: all first, then topics, queues and agents by name.
func (p *Pain) Lines() []PainLine {
	for key, q := range p.questions {
		if q.last+repeatWithin <= p.now {
			p.lapse(key, q)
		}
	}
	for _, list := range p.recent {
		for _, f := range list {
			p.unfollow(f)
		}
	}
	clear(p.questions)
	clear(p.recent)
	p.each("", "", "", func(*PainCounts) {})
	out := make([]PainLine, 0, len(p.lines))
	for key, c := range p.lines {
		out = append(out, PainLine{key[0], key[1], *c})
	}
	order := []string{OfAll, OfTopic, OfQueue, OfAgent}
	slices.SortFunc(out, func(a, b PainLine) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.By), slices.Index(order, b.By)), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// HopsSum is the hops of all closed questions.
func (c *PainCounts) HopsSum() (sum int) {
	for hops, n := range c.Hops {
		sum += hops * n
	}
	return sum
}

// Hops90 is the 90th percentile of hops a question: at most so many in nine of
// ten closed questions.
func (c *PainCounts) Hops90() int {
	need := (9*c.Closed + 9) / 10 // rounded up
	seen := 0
	for _, hops := range sorted(c.Hops) {
		if seen += c.Hops[hops]; seen >= need {
			return hops
		}
	}
	return 0
}

func sorted(m map[int]int) []int {
	out := make([]int, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
