package app

import (
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// newBeside opens the outside systems that the record is filled from.
func newBeside(sources []configs.Source, log *zap.Logger, registry *prometheus.Registry) (*customer.Beside, error) {
	asked := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "cordboard_source_seconds", Help: "How long outside systems took to say what they know of a customer, by what came of it: found, nobody, failed.",
		Buckets: []float64{.01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"source", "result"})
	skipped := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cordboard_source_skipped_total", Help: "Questions that an outside system was spared because it had failed too often just before, or too many waited for it.",
	}, []string{"source"})
	registry.MustRegister(asked, skipped)
	systems := make([]customer.BesideOptions, len(sources))
	for i, s := range sources {
		c, err := s.Config.Open()
		if err != nil {
			return nil, fmt.Errorf("sources.%s: %w", s.Name, err)
		}
		systems[i] = customer.BesideOptions{
			Name: s.Name, Connector: c, Panels: s.Config.Panels(),
			Timeout: s.Timeout, Fresh: s.Fresh, Keep: s.Keep, AtOnce: s.AtOnce, PerSecond: s.Rate,
		}
	}
	return customer.NewBeside(systems, log, func(source, result string, took time.Duration) {
		if result == customer.Skipped {
			skipped.WithLabelValues(source).Inc()
			return
		}
		asked.WithLabelValues(source, result).Observe(took.Seconds())
	}), nil
}
