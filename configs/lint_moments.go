package configs

import (
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// asksQueues says whether a step's condition asks for figures of queues, which
// no history has.
func asksQueues(when *rule.Condition) bool {
	return strings.Contains(when.String(), "queue.") || strings.Contains(when.String(), "queues.")
}

// blindSteps says that a step's condition cannot be held against history.
func (l *linter) blindSteps() bool {
	for _, q := range l.policy.Queues {
		for _, s := range q.Steps {
			if s.When != nil && asksQueues(s.When) {
				return true
			}
		}
	}
	return false
}

// stepPast is what history says of one step with a condition.
type stepPast struct {
	met     bool
	near    int // and-terms that failed for the call that came nearest
	nearest string
	failed  string
}

// pastMoments asks the conditions of a queue's steps, each at its moment, what
// they would have said of a call that came into it. The call would have waited
// so long, and all else is as it was when it came.
func (l *linter) pastMoments(q *routing.Queue, env *rule.Env, at time.Time, seen map[*rule.Condition]*stepPast) {
	if q == nil {
		return
	}
	for _, s := range q.Steps {
		if s.When == nil || asksQueues(s.When) {
			continue
		}
		p := seen[s.When]
		if p == nil {
			p = &stepPast{}
			seen[s.When] = p
		}
		if p.met {
			continue
		}
		moment := at.Add(s.After)
		then := *env
		then.Clock = rule.NewClock(moment, l.policy.Zone)
		then.IsOpen = func(name string) bool { return l.policy.Calendars[name].Open(moment) }
		then.Call.WaitedS = int(s.After / time.Second)
		if p.met = s.When.Eval(&then); p.met {
			continue
		}
		failed, first := 0, ""
		for _, t := range l.waitingRules.AndTerms(s.When) {
			if !t.Eval(&then) {
				if failed++; first == "" {
					first = t.String()
				}
			}
		}
		if p.nearest == "" || failed < p.near {
			p.near, p.nearest, p.failed = failed, instantText(at), first
		}
	}
}

// lintMoments finds steps that no call of history would have been given (S405).
func (l *linter) lintMoments(seen map[*rule.Condition]*stepPast) {
	for _, name := range l.names.queues {
		q := l.policy.Queues[name]
		for i, s := range q.Steps {
			if p := seen[s.When]; s.When != nil && p != nil && !p.met {
				l.queue(q, "steps", "S405", "nearest: "+p.nearest+", failed: "+p.failed, "step %d: its condition was never true at its moment in history", i+2)
			}
		}
	}
}
