package routing

import (
	"time"

	"github.com/cordboard/cordboard/routing/figures"
)

// tapePromise is T of b, the one queue that some versions lack.
const tapePromise = 40 * time.Second

// tapeFold is what the actions say a call does in queues.
type tapeFold struct {
	figures.Call
	judged []judged // by visit
}

// judged is what a visit counted as when its state was reached, by the document
// that was live then: a reload leaves counters as they are.
type judged struct {
	state  figures.State
	owed   bool // a callback, still
	at     int64
	counts figures.Counts
}

// fold folds one action into its call, by the document that is live.
func (p *tape) fold(a Action) {
	of, ok := About(a)
	if !ok || of.Call == 0 {
		return
	}
	f := p.folds[of.Call]
	if f == nil {
		f = &tapeFold{}
		p.folds[of.Call] = f
	}
	Fold(&f.Call, p.now, a)
	for i := range f.Visits {
		v := &f.Visits[i]
		if i < len(f.judged) && f.judged[i].state == v.State && f.judged[i].owed == v.Owed() {
			continue
		}
		within := tapePromise
		if q := p.e.plan.Queues[v.Queue]; q != nil {
			within = q.AnswerWithin
		}
		at, counts := p.e.plan.Service.Count(v, within, p.now.UnixMicro())
		f.judged = append(f.judged[:i], append([]judged{{v.State, v.Owed(), at, counts}}, f.judged[min(i+1, len(f.judged)):]...)...)
	}
}

// recount holds the engine's live counters against a count of what the actions
// say, call by call.
func (p *tape) recount() {
	rules := &p.e.plan.Service
	want, recent := map[string]figures.Counts{}, map[string]figures.Counts{}
	for _, f := range p.folds {
		for i, j := range f.judged {
			queue := f.Visits[i].Queue
			sum := want[queue]
			sum.Add(j.counts, 1)
			want[queue] = sum
			if j.at >= figures.Begins(rules.Window, p.now.UnixMicro()) {
				sum := recent[queue]
				sum.Add(j.counts, 1)
				recent[queue] = sum
			}
		}
	}
	for name, f := range p.e.figures {
		if f.total != want[name] {
			p.t.Fatalf("queue %s: %+v, recounted %+v", name, f.total, want[name])
		}
		if got := f.recent.Sum(rules.Window, p.now.UnixMicro()); got != recent[name] {
			p.t.Fatalf("queue %s: lately %+v, recounted %+v", name, got, recent[name])
		}
	}
}
