package configs

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// lintQueue finds promises that a queue cannot keep by its own times.
func (l *linter) lintQueue(q *routing.Queue) {
	l.lintRing(q)
	l.lintPrefer(q)
	l.lintSteps(q)
	l.lintWayOut(q)
	l.lintReserves(q)
	l.lintCallbacks(q)
}

// lintRing: one offer that nobody answers already breaks the promise.
func (l *linter) lintRing(q *routing.Queue) {
	offer := q.Pop.Deadline + q.Pop.Lead + q.RingTimeout
	if offer > q.AnswerWithin && !asDelivered(q) {
		l.queue(q, "", "P901", broken(q.AnswerWithin, offer, "no answer"), "%s deadline + %s lead + %s ring = %s, promise %s",
			seconds(q.Pop.Deadline), seconds(q.Pop.Lead), seconds(q.RingTimeout), seconds(offer), seconds(q.AnswerWithin))
	}
	if q.Late != nil && q.Late.After < q.RingTimeout {
		l.queue(q, "", "Q703", fmt.Sprintf("+%s late falls due while the phone rings, +%s no answer", seconds(q.Late.After), seconds(q.RingTimeout)),
			"late at %s, one ring %s", seconds(q.Late.After), seconds(q.RingTimeout))
	}
}

// asDelivered says that promise and ring are what the product has where nobody says
// anything: that is no mistake of the document's, and nothing to tick.
func asDelivered(q *routing.Queue) bool {
	p := productDefaults()
	return q.AnswerWithin == p.AnswerWithin && q.RingTimeout == p.RingTimeout && q.Pop.Deadline == p.Pop.Deadline && q.Pop.Lead == p.Pop.Lead
}

// broken is the timeline of a promise that ends before something else does.
func broken(promise, then time.Duration, what string) string {
	return fmt.Sprintf("+%s promise broken, +%s %s", seconds(promise), seconds(then), what)
}

// lintPrefer: waits for preferred agents past the promise.
func (l *linter) lintPrefer(q *routing.Queue) {
	if sum := preferWait(q.Prefer); sum > q.AnswerWithin {
		l.queue(q, "", "S404", broken(q.AnswerWithin, sum, "hold ends"), "preferred waits %s, promise %s", waits(q.Prefer), seconds(q.AnswerWithin))
	}
}

// waits writes the waits of a list: 25s + 10s = 35s.
func waits(list []rule.Prefer) string {
	var parts []string
	for _, p := range list {
		if p.Wait > 0 {
			parts = append(parts, seconds(p.Wait))
		}
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return strings.Join(parts, " + ") + " = " + seconds(preferWait(list))
}

// lintTopics: waits for specialists, and for those the queue prefers after
// them, past the queue's promise.
func (l *linter) lintTopics() {
	for _, name := range l.names.topics {
		t := l.policy.Topics[name]
		q := l.policy.Queues[t.Queue]
		if q == nil || len(t.Specialists) == 0 {
			continue
		}
		sum := t.Wait + preferWait(q.Prefer)
		if sum <= q.AnswerWithin {
			continue
		}
		msg := fmt.Sprintf("waits %s for specialists", seconds(t.Wait))
		if sum > t.Wait {
			msg += fmt.Sprintf(" and %s preferred", waits(q.Prefer))
		}
		l.find(l.key("topics", name), "S404", "topics."+name, broken(q.AnswerWithin, sum, "hold ends"),
			"%s, queue %s promises %s", msg, q.Name, seconds(q.AnswerWithin))
	}
}

// lintSteps: widening that comes too late, or never.
func (l *linter) lintSteps(q *routing.Queue) {
	if i := slices.IndexFunc(q.Steps, func(s routing.Step) bool { return s.Need != nil }); i >= 0 && q.Steps[i].After > q.AnswerWithin {
		after := q.Steps[i].After
		l.queue(q, "", "S406", broken(q.AnswerWithin, after, fmt.Sprintf("step %d", i+2)), "first step at %s, promise %s", seconds(after), seconds(q.AnswerWithin))
	}
	if q.Late == nil {
		return
	}
	for i, s := range q.Steps {
		if s.After > q.Late.After {
			l.queue(q, "steps", "S403", fmt.Sprintf("+%s late, +%s step %d", seconds(q.Late.After), seconds(s.After), i+2),
				"step %d at %s can never be reached, late comes at %s", i+2, seconds(s.After), seconds(q.Late.After))
		}
	}
}

// lintWayOut: calls that nothing takes out of the queue, and callers at night.
func (l *linter) lintWayOut(q *routing.Queue) {
	if q.Late == nil && q.Nobody == nil {
		l.queue(q, "", "Q702", "a call that waits 2h", "no way out: neither late nor nobody")
	}
	if q.Hours == "" || child(child(child(l.root, "queues"), q.Name), "closed").kind != kindNull || child(child(l.root, "defaults"), "closed").kind != kindNull {
		return
	}
	shows := "a caller while it is closed"
	if list := l.closed(q.Hours); len(list) > 0 {
		shows = "a caller at " + instantText(list[0])
	}
	l.queue(q, "", "T604", shows, "hours %s without closed: the caller hears that it is closed and is cut off", q.Hours)
}

// lintLeads finds queues that no call can come to.
func (l *linter) lintLeads() {
	led := map[string]bool{}
	l.eachRoute(func(r *routing.Routed) {
		switch {
		case r.Node.GoOn:
		case r.Node.Then != nil:
			led[r.Node.Then.Queue] = true
		default:
			led[r.Queue] = true
		}
	})
	for _, t := range l.policy.Topics {
		led[t.Queue] = true
	}
	for _, q := range l.policy.Queues {
		for _, t := range overflows(q) {
			led[t.Queue] = true
		}
	}
	for _, name := range l.names.queues {
		if !led[name] {
			l.queue(l.policy.Queues[name], "", "R204", fmt.Sprintf("no call; queue: %s in a route, a topic, or another queue's closed, full, late or nobody would lead here", name),
				"nothing leads to this queue")
		}
	}
}
