package app

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/sip/stack"
)

// cappedCollector tells how many calls trunks brought that were over their caps.
type cappedCollector struct{ caps *stack.Caps }

var descTrunkRefused = prometheus.NewDesc("cordboard_trunk_refused_total", "Calls that came by the trunk and were refused with 503 for its own max_calls or calls_per_second; trunks that have one alone.", []string{"trunk"}, nil)

// Describe implements prometheus.Collector.
func (c cappedCollector) Describe(ch chan<- *prometheus.Desc) { ch <- descTrunkRefused }

// Collect implements prometheus.Collector.
func (c cappedCollector) Collect(ch chan<- prometheus.Metric) {
	for trunk, n := range c.caps.Refused() {
		ch <- prometheus.MustNewConstMetric(descTrunkRefused, prometheus.CounterValue, float64(n), trunk)
	}
}
