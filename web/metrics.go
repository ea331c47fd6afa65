package web

import (
	"context"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// Metrics counts calls, offers and pops. It is a live.Port (Do) and a
// listener of the desk hub (Observe). Its labels are queues, outcomes and
// codes, never a call, a number or an agent.
type Metrics struct {
	calls, offers, pops, lookups *prometheus.CounterVec
	wait                         *prometheus.HistogramVec
	paint, lookup                prometheus.Histogram
	reAsked                      prometheus.Counter
	live                         map[routing.CallID]liveCall // Do's goroutine only
}

// liveCall is what a call's counters need until it ends.
type liveCall struct {
	queue   string
	since   time.Time
	waiting bool
}

// NewMetrics registers the counters, and those of the process.
func NewMetrics(reg *prometheus.Registry) *Metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cordboard_" + name, Help: help}, labels)
	}
	m := &Metrics{
		calls:   counter("calls_total", "Calls that have ended, by last queue and outcome.", "queue", "outcome"),
		offers:  counter("offers_total", "Offers to agents by result: connected, or why they were withdrawn.", "queue", "result"),
		pops:    counter("pops_total", "Pops by the state of the page at the first ack (painted, hidden), and phones rung without one (none).", "ack"),
		lookups: counter("lookups_total", "Customer look-ups by result.", "result"),
		wait: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "cordboard_wait_seconds", Help: "Waiting until an agent answered.",
			Buckets: []float64{1, 2, 5, 10, 20, 30, 60, 120, 300, 600},
		}, []string{"queue"}),
		paint: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cordboard_pop_latency_seconds", Help: "From the pop sent to its first ack.",
			Buckets: []float64{.005, .01, .02, .05, .1, .2, .3, .5, 1, 1.5, 3},
		}),
		lookup: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "cordboard_lookup_seconds", Help: "From a call's arrival to the outcome of its look-up.",
			Buckets: []float64{.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 15},
		}),
		reAsked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "cordboard_facts_re_asked_total", Help: "Facts a sender knew and the receiver's desk did not show.",
		}),
		live: map[routing.CallID]liveCall{},
	}
	reg.MustRegister(m.calls, m.offers, m.pops, m.lookups, m.wait, m.paint, m.lookup, m.reAsked,
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.GoRuntimeMetricsRule{Matcher: liveHeap})), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// liveHeap is the one figure of the runtime beside the usual ones: what the last
// garbage collection found alive.
var liveHeap = regexp.MustCompile(`^/gc/heap/live:bytes$`)

// Do counts the engine's actions.
func (m *Metrics) Do(_ time.Time, actions []routing.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case routing.Enqueued:
			m.live[a.Call] = liveCall{a.Queue, a.Since, true}
		case routing.Ring:
			if a.Unacked {
				m.pops.WithLabelValues("none").Inc()
			}
		case routing.Connect:
			c := m.live[a.Call]
			m.offers.WithLabelValues(c.queue, "connected").Inc()
			if c.waiting {
				c.waiting = false
				m.live[a.Call] = c
				m.wait.WithLabelValues(c.queue).Observe(max(0, a.Answered.Sub(c.since).Seconds()))
			}
		case routing.Withdraw:
			m.offers.WithLabelValues(m.live[a.Call].queue, a.Why).Inc()
		case routing.EndCall:
			delete(m.live, a.Call)
			m.calls.WithLabelValues(a.Queue, string(a.Outcome)).Inc()
		}
	}
}

// Observe counts what desks do; it has the form of screenpop.Options.Observe.
func (m *Metrics) Observe(_ routing.CallID, kind string, _ agents.ID, _ routing.Attempt, _ time.Time, data map[string]any) {
	switch kind {
	case "pop_acked":
		if first, _ := data["first"].(bool); !first {
			return
		}
		mode, _ := data["mode"].(string)
		m.pops.WithLabelValues(mode).Inc()
		if ms, ok := data["ms"].(float64); ok {
			m.paint.Observe(ms / 1000)
		}
	case "resolved":
		match, _ := data["match"].(string)
		m.lookups.WithLabelValues(match).Inc()
		if ms, ok := data["ms"].(float64); ok {
			m.lookup.Observe(ms / 1000)
		}
	case "transfer_facts":
		if n, ok := data["re_asked"].(int); ok {
			m.reAsked.Add(float64(n))
		}
	}
}

// boardCollector reads the gauges off a snapshot when they are asked for.
type boardCollector struct {
	source func(context.Context) (routing.Snapshot, error)
	desks  func() int
}

var (
	descWaiting = prometheus.NewDesc("cordboard_queue_waiting", "Calls waiting, those being offered included.", []string{"queue"}, nil)
	descOldest  = prometheus.NewDesc("cordboard_queue_oldest_wait_seconds", "Wait of the call that waits longest, 0 for none.", []string{"queue"}, nil)
	descStaffed = prometheus.NewDesc("cordboard_queue_staffed", "Agents signed in who fit the queue.", []string{"queue"}, nil)
	descAgents  = prometheus.NewDesc("cordboard_agents", "Agents by state.", []string{"state"}, nil)
	descCalls   = prometheus.NewDesc("cordboard_live_calls", "Live calls by phase.", []string{"phase"}, nil)
	descDesks   = prometheus.NewDesc("cordboard_desk_connections", "Desks connected.", nil, nil)
	states      = []agents.State{agents.SignedOut, agents.Available, agents.NotReady, agents.Offered, agents.Ringing, agents.Talking, agents.OnHold, agents.WrapUp}
)

func (c *boardCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descWaiting, descOldest, descStaffed, descAgents, descCalls, descDesks} {
		ch <- d
	}
}

func (c *boardCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if c.desks != nil {
		gauge(descDesks, float64(c.desks()))
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	snap, err := c.source(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(descWaiting, err)
		return
	}
	for _, q := range snap.Queues {
		gauge(descWaiting, float64(q.Waiting), q.Name)
		gauge(descStaffed, float64(q.Staffed), q.Name)
		oldest := 0.0
		if !q.OldestSince.IsZero() {
			oldest = max(0, snap.At.Sub(q.OldestSince).Seconds())
		}
		gauge(descOldest, oldest, q.Name)
	}
	byState := map[agents.State]int{}
	for _, a := range snap.Agents {
		byState[a.State]++
	}
	for _, st := range states {
		gauge(descAgents, float64(byState[st]), string(st))
	}
	byPhase := map[string]int{}
	for _, call := range snap.Calls {
		byPhase[call.Phase]++
	}
	for phase, n := range byPhase {
		gauge(descCalls, float64(n), phase)
	}
}
