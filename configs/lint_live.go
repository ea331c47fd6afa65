package configs

import (
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing/figures"
)

// lintLive finds figures that will not be comparable with those of the live
// version: another formula, or another promise of a queue (K951).
func (l *linter) lintLive() {
	if l.live == nil {
		return
	}
	now, was := l.policy.Service, l.live.Service
	if now.Formula != was.Formula || now.Formula == figures.BySwitches && now.Switches != was.Switches {
		l.find(l.key("statistics", "service_level", "formula"), "K951", "statistics.service_level.formula",
			sampleDay(was, figures.DefaultWithin, now, figures.DefaultWithin),
			"the service level is counted by another formula than in version %d, which is live: %s, not %s", l.live.Version, now.String(), was.String())
	}
	for _, name := range l.names.queues {
		q, old := l.policy.Queues[name], l.live.Queues[name]
		if old == nil || q.AnswerWithin == old.AnswerWithin {
			continue
		}
		l.find(l.key("queues", name, "answer_within"), "K951", "queues."+name, sampleDay(was, old.AnswerWithin, now, q.AnswerWithin),
			"the promise is another than in version %d, which is live: %s, not %s", l.live.Version, span(q.AnswerWithin), span(old.AnswerWithin))
	}
}

// The waits, in seconds, of the invented day that both versions are shown on.
var (
	sampleAnswers  = []int{2, 4, 5, 8, 9, 12, 14, 18, 22, 26, 29, 33, 41, 55, 75, 130}
	sampleAbandons = []int{3, 11, 24, 48, 90}
)

// sampleDay is the same day by both.
func sampleDay(was figures.Rules, wasWithin time.Duration, now figures.Rules, nowWithin time.Duration) string {
	return fmt.Sprintf("a day of %d calls: %s live, %s by this one", len(sampleAnswers)+len(sampleAbandons), sampleLevel(was, wasWithin), sampleLevel(now, nowWithin))
}

func sampleLevel(r figures.Rules, within time.Duration) string {
	var sum figures.Counts
	add := func(seconds int, how figures.State) {
		v := figures.Visit{Ended: int64(seconds) * int64(time.Second/time.Microsecond), State: how}
		_, c := r.Count(&v, within, v.Ended)
		sum.Add(c, 1)
	}
	for _, s := range sampleAnswers {
		add(s, figures.Answered)
	}
	for _, s := range sampleAbandons {
		add(s, figures.Abandoned)
	}
	tenths, ok := r.Tenths(sum)
	if !ok {
		return "-"
	}
	return fmt.Sprintf("%d.%d %%", tenths/10, tenths%10)
}
