package app

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/sip"
)

// countSetups registers the figures of RFC 6076 that trunks are judged by: SER,
// SEER and ISA are quotients of the first counter, SRD is the second.
func countSetups(registry *prometheus.Registry) func(sip.Setup) {
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cordboard_trunk_setups_total", Help: "Calls sent out by a trunk, by its final response: 408 where none came, 487 given up before, 503 not sent.",
	}, []string{"trunk", "code"})
	delay := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "cordboard_trunk_setup_delay_seconds", Help: "Session request delay of RFC 6076: from the INVITE to the first response that says more than 100.",
		Buckets: []float64{.05, .1, .2, .5, 1, 2, 3, 5, 8, 15, 30},
	}, []string{"trunk", "result"})
	registry.MustRegister(ended, delay)
	return func(s sip.Setup) {
		ended.WithLabelValues(s.Trunk, strconv.Itoa(s.Code)).Inc()
		if s.Delay == 0 {
			return
		}
		result := "failed"
		if s.Code/100 == 2 {
			result = "established"
		}
		delay.WithLabelValues(s.Trunk, result).Observe(s.Delay.Seconds())
	}
}
