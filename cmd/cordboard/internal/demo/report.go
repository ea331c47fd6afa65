package demo

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/cordboard/cordboard/agents"
)

// Report is what a headless run prints. Every figure but the ledger's comes
// from the robots' own clocks, joined afterwards: none from a counter of the
// server.
type Report struct {
	Offered               int         `json:"offered"`   // INVITEs the trunk robot sent
	Answered              int         `json:"answered"`  // calls in which a phone robot picked up
	Abandoned             int         `json:"abandoned"` // the caller gave up before that
	Failed                int         `json:"failed"`    // neither
	Pops                  int         `json:"pops"`      // offers whose record a desk robot painted
	PopsBeforeRing        int         `json:"pops_before_ring"`
	RingWithoutPop        int         `json:"ring_without_pop"`
	RecordCompleteAtPaint int         `json:"record_complete_at_paint"`
	RangUnacked           int         `json:"rang_unacked"` // rang before the desk's ack had left it
	Transfers             int         `json:"transfers"`    // calls that a specialist took over
	InviteToPopMS         Percentiles `json:"invite_to_pop_ms"`
	InviteToRingMS        Percentiles `json:"invite_to_ring_ms"`
	LedgerRows            int         `json:"ledger_rows"`
	LedgerOpen            int         `json:"ledger_open"`
}

// Percentiles of a set of durations, in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

// OK tells whether the run kept every promise: nearly everybody was served,
// no phone rang before its desk showed the record, and the books are closed.
func (r Report) OK() bool {
	return r.Answered*100 >= r.Offered*95 && r.Pops >= r.Answered &&
		r.PopsBeforeRing == r.Pops && r.RecordCompleteAtPaint == r.Pops &&
		r.RingWithoutPop == 0 && r.RangUnacked == 0 && r.Failed == 0 &&
		r.LedgerOpen == 0 && r.LedgerRows == r.Offered
}

// Observations of the robots. A call is known to all of them by the caller's
// number alone, which no two calls of a run share.
type (
	callSeen struct {
		number   string
		invited  time.Time
		released time.Time // BYE, CANCEL or a refusal
		failed   bool      // the server refused or dropped the call
	}
	popSeen struct {
		number   string
		agent    agents.ID
		received time.Time
		acked    time.Time
		complete bool
	}
	ringSeen struct {
		number   string
		agent    agents.ID
		invited  time.Time
		answered time.Time // zero: not picked up
	}
)

// observer collects what the robots see, from their goroutines.
type observer struct {
	mu    sync.Mutex
	calls []callSeen
	pops  []popSeen
	rings []ringSeen
}

func (o *observer) call(c callSeen) { o.mu.Lock(); o.calls = append(o.calls, c); o.mu.Unlock() }
func (o *observer) pop(p popSeen)   { o.mu.Lock(); o.pops = append(o.pops, p); o.mu.Unlock() }
func (o *observer) ring(r ringSeen) { o.mu.Lock(); o.rings = append(o.rings, r); o.mu.Unlock() }

// report joins the observations: each ring with the last pop of the same
// caller at the same agent before the ring, or the first one after it.
func (o *observer) report() Report {
	o.mu.Lock()
	defer o.mu.Unlock()
	var r Report
	invited := map[string]time.Time{}
	answers := map[string]int{}
	for _, ring := range o.rings {
		if !ring.answered.IsZero() {
			answers[ring.number]++
		}
	}
	for _, c := range o.calls {
		r.Offered++
		invited[c.number] = c.invited
		switch {
		case answers[c.number] > 0:
			r.Answered++
			if answers[c.number] > 1 {
				r.Transfers++
			}
		case c.failed:
			r.Failed++
		default:
			r.Abandoned++
		}
	}
	var toPop, toRing []float64
	ms := func(number string, at time.Time) float64 {
		return float64(at.Sub(invited[number]).Microseconds()) / 1000
	}
	slices.SortFunc(o.pops, func(a, b popSeen) int { return a.received.Compare(b.received) })
	slices.SortFunc(o.rings, func(a, b ringSeen) int { return a.invited.Compare(b.invited) })
	first := map[string]bool{}
	for _, p := range o.pops {
		if p.acked.IsZero() {
			continue // withdrawn before it was painted: nobody was promised anything
		}
		r.Pops++
		if p.complete {
			r.RecordCompleteAtPaint++
		}
		if !first[p.number] {
			first[p.number] = true
			toPop = append(toPop, ms(p.number, p.received))
		}
	}
	rung := map[string]bool{}
	taken := make([]bool, len(o.pops))
	for _, ring := range o.rings {
		if !rung[ring.number] {
			rung[ring.number] = true
			toRing = append(toRing, ms(ring.number, ring.invited))
		}
		switch i := o.popOf(ring, taken); {
		case i < 0:
			r.RingWithoutPop++
			r.RangUnacked++
		default:
			taken[i] = true
			if p := o.pops[i]; p.acked.IsZero() || p.acked.After(ring.invited) {
				r.RangUnacked++
			} else {
				r.PopsBeforeRing++
			}
		}
	}
	for i, p := range o.pops {
		if !taken[i] && !p.acked.IsZero() {
			r.PopsBeforeRing++ // painted, and the caller gave up before the phone was due
		}
	}
	r.InviteToPopMS, r.InviteToRingMS = percentiles(toPop), percentiles(toRing)
	return r
}

// popOf is the index of the pop that belongs to the ring, -1 for none.
func (o *observer) popOf(ring ringSeen, taken []bool) int {
	found := -1
	for i, p := range o.pops {
		if taken[i] || p.number != ring.number || p.agent != ring.agent {
			continue
		}
		if found >= 0 && p.received.After(ring.invited) {
			break
		}
		found = i
	}
	return found
}

func percentiles(v []float64) Percentiles {
	if len(v) == 0 {
		return Percentiles{}
	}
	slices.SortFunc(v, cmp.Compare[float64])
	at := func(p int) float64 { return v[min(len(v)-1, (len(v)*p+99)/100-1)] }
	return Percentiles{P50: at(50), P95: at(95), P99: at(99)}
}
