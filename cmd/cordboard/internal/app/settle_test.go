package app

import (
	"bytes"
	"context"
	"reflect"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/statistics"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/store"
)

// row is what the ledger must say of one call.
type row struct {
	outcome   routing.Outcome
	by        routing.Party
	agent     agents.ID // who talked last
	offers    int
	transfers int
	reason    string
}

var (
	answeredByCaller = row{outcome: routing.Answered, by: routing.ByCaller, agent: anna, offers: 1}
	answeredByAgent  = row{outcome: routing.Answered, by: routing.ByAgent, agent: anna, offers: 1}
)

func rowOf(r store.LedgerRow) row {
	return row{outcome: r.Outcome, by: r.EndedBy, agent: r.Agent, offers: r.Offers, transfers: r.Transfers, reason: r.Reason}
}

// settled waits until nothing of any call is left, and checks the ledger: one
// row for each call, in order, and nothing else.
func (w *world) settled(want ...row) []store.LedgerRow {
	w.Helper()
	w.eventually("no live call", func() bool { return w.app.gateway.Live() == 0 })
	w.eventually("media ports given back", func() bool { return w.app.media.InUse() == 0 })
	w.legsOver()
	w.eventually("every call ended in the ledger", func() bool {
		w.must(w.app.Store().Flush(w.ctx))
		open, err := w.app.Store().OpenCalls(w.ctx)
		w.must(err)
		return len(open) == 0
	})
	dialogs, err := w.app.Store().Dialogs(w.ctx)
	w.must(err)
	if len(dialogs) != 0 {
		w.Errorf("%d dialogs are left in the store, the first: %+v", len(dialogs), dialogs[0])
	}
	rows, err := w.app.Store().Calls(w.ctx, w.began.Add(-time.Second), time.Now().Add(time.Second), 1000)
	w.must(err)
	if len(rows) != w.calls {
		w.Errorf("%d rows in the ledger, %d calls were placed", len(rows), w.calls)
	}
	for i, r := range rows {
		if i < len(want) && rowOf(r) != want[i] {
			w.Errorf("call %d in the ledger: %+v, want %+v", i+1, rowOf(r), want[i])
		}
		w.consistent(r)
		w.told(r)
	}
	w.countedLive()
	w.painful(rows)
	return rows
}

// painful checks that every offer and every answered transfer of the case is in
// the report's pain, with the facts that the sender knew.
func (w *world) painful(rows []store.LedgerRow) {
	w.Helper()
	now := time.Now()
	day := w.app.Policy().Service.Day(w.began)
	r, err := statistics.Build(w.ctx, w.app.Store(), w.app.Policy(), statistics.Query{From: day, To: now.Add(time.Second), Pain: true}, now)
	w.must(err)
	offers, passed, counted := 0, 0, 0
	for _, r := range rows {
		offers, passed = offers+r.Offers, passed+r.Transfers
	}
	all := r.Pain.Lines[0]
	for _, n := range all.Pops {
		counted += n.Offers
	}
	if counted != offers || all.Transfers > passed || all.Transfers > 0 && all.Known == 0 {
		w.Errorf("pain: %d offers of %d, %d transfers of %d, %d facts known", counted, offers, all.Transfers, passed, all.Known)
	}
}

// countedLive checks that the board's figures of the day are what a report
// makes of the ledger.
func (w *world) countedLive() {
	w.Helper()
	var lines map[string]figures.Counts
	recount := map[string]figures.Counts{}
	w.eventually("the day's counters equal a recount of the ledger", func() bool {
		now := time.Now()
		day, known := w.app.today(now)
		if !known {
			return false
		}
		r, err := statistics.Build(w.ctx, w.app.Store(), w.app.Policy(), statistics.Query{From: day.Starts, To: day.Rules.NextDay(day.Starts)}, now)
		w.must(err)
		lines = day.Lines
		clear(recount)
		for _, l := range r.Lines {
			if l.Counts != (figures.Counts{}) {
				recount[l.Queue] = l.Counts
			}
		}
		return reflect.DeepEqual(lines, recount)
	})
}

// consistent checks what holds of every row.
func (w *world) consistent(r store.LedgerRow) {
	w.Helper()
	times := []time.Time{r.ArrivedAt, r.QueuedAt, r.TalkAt, r.EndedAt}
	times = slices.DeleteFunc(times, time.Time.IsZero)
	if !slices.IsSortedFunc(times, time.Time.Compare) || r.ArrivedAt.IsZero() || r.EndedAt.IsZero() {
		w.Errorf("call %d: times out of order: %v", r.Call, times)
	}
	if !r.AnsweredAt.IsZero() && (r.AnsweredAt.Before(r.ArrivedAt) || r.AnsweredAt.After(r.EndedAt)) {
		w.Errorf("call %d: answered at %v, arrived %v, ended %v", r.Call, r.AnsweredAt, r.ArrivedAt, r.EndedAt)
	}
	if talked := !r.TalkAt.IsZero(); talked != (r.Outcome == routing.Answered) && r.Outcome != routing.Consulted || talked != (r.Agent != "") {
		w.Errorf("call %d: outcome %s, agent %q, talk at %v do not fit", r.Call, r.Outcome, r.Agent, r.TalkAt)
	}
	lived := r.EndedAt.Sub(r.ArrivedAt)
	if slices.Contains(w.tookOver, r.Call) {
		lived = r.EndedAt.Sub(w.began) // it has waited as long as the callback
	}
	if r.Wait < 0 || r.Talk < 0 || r.Wait+r.Talk > lived+time.Millisecond {
		w.Errorf("call %d: waited %v, talked %v, lived %v", r.Call, r.Wait, r.Talk, r.EndedAt.Sub(r.ArrivedAt))
	}
	events, err := w.app.Store().Events(w.ctx, r.Call)
	w.must(err)
	kinds := map[string]int{}
	for i, e := range events {
		kinds[e.Kind]++
		if e.Seq != int64(i+1) {
			w.Errorf("call %d: event %d has the number %d", r.Call, i+1, e.Seq)
		}
	}
	if len(events) == 0 || events[0].Kind != "arrived" {
		w.Errorf("call %d: its events do not begin with its arrival: %v", r.Call, events)
	}
	for kind, n := range map[string]int{"arrived": 1, "end_call": 1, "offer_call": r.Offers, "transferred": r.Transfers - kinds["handed_over"]} {
		if kinds[kind] != n {
			w.Errorf("call %d: %d events %q, want %d", r.Call, kinds[kind], kind, n)
		}
	}
}

// legsOver checks that each call a phone ever had is over, and that the server
// knows its dialog no more.
func (w *world) legsOver() {
	w.Helper()
	for id, p := range w.phones {
		for _, c := range p.Calls() {
			if _, err := c.Wait(w.ctx); err != nil {
				w.Fatalf("phone of %s: %v", id, err)
			}
			if slices.Contains(w.legs, c) {
				continue
			}
			w.legs = append(w.legs, c)
			if w.setup.back {
				continue // its other end was the PBX's
			}
			code, err := c.Ask(w.ctx, "OPTIONS")
			w.must(err)
			if code != 481 {
				w.Errorf("phone of %s: OPTIONS in the dialog of a call that is over: %d", id, code)
			}
		}
	}
}

// takesNext places one more call, to be answered by the agent and ended by the
// caller.
func (w *world) takesNext(id agents.ID) row {
	w.Helper()
	w.phones[id].Set(picksUp(id))
	w.state(id, "available")
	before := len(w.phones[id].Calls())
	c := w.dial(dial{})
	w.phase(id, "talking")
	c.hears(agentTone[id])
	leg := w.rung(id, before+1)
	w.hears(leg.Audio(), callerTone)
	c.hangsUp()
	w.heard(leg, siptest.ByeReceived)
	w.state(id, "available")
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: id, offers: 1}
}

// labelCase marks this goroutine, and each that is started from it, as the
// case's own, so that cases side by side can count theirs.
func labelCase(name string) {
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("case", name)))
}

var groupHead = regexp.MustCompile(`(?m)^(\d+) @`)

// goroutines counts the case's goroutines; stacks describes them.
func (w *world) goroutines() (n int, stacks string) {
	w.Helper()
	var b bytes.Buffer
	w.must(pprof.Lookup("goroutine").WriteTo(&b, 1))
	var all strings.Builder
	for group := range strings.SplitSeq(b.String(), "\n\n") {
		if !strings.Contains(group, strconv.Quote(w.Name())) {
			continue
		}
		if idleWorker.MatchString(group) {
			continue
		}
		head := groupHead.FindStringSubmatch(group)
		if head == nil {
			continue
		}
		count, err := strconv.Atoi(head[1])
		w.must(err)
		n += count
		all.WriteString(group + "\n\n")
	}
	return n, all.String()
}

// idleWorker is a goroutine that has made a look-up and waits for the next: the
// resolver keeps a few.
var idleWorker = regexp.MustCompile(`^\d+ @[^\n]*\n(?:# labels:[^\n]*\n)?#\t\S+\t\S*customer\.\(\*Resolver\)\.worker\+`)

// quiet waits until the case has no more goroutines than at the beginning.
func (w *world) quiet(baseline int, was string) {
	w.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		n, now := w.goroutines()
		if n <= baseline {
			return
		}
		select {
		case <-w.ctx.Done():
			w.Fatalf("%d goroutines, %d at the beginning.\nNOW\n%s\nTHEN\n%s", n, baseline, now, was)
		case <-tick.C:
		}
	}
}
