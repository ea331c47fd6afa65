package app

import "github.com/prometheus/client_golang/prometheus"

// sizeCollector gives the sizes of what is kept in memory when they are asked
// for: a leak shows here long before it hurts.
type sizeCollector struct{ a *App }

var (
	descHeld         = prometheus.NewDesc("cordboard_sip_calls", "Calls that call control has in hand.", nil, nil)
	descDialogs      = prometheus.NewDesc("cordboard_sip_dialogs", "SIP dialogs remembered, for 64*T1 after their end too.", nil, nil)
	descTransactions = prometheus.NewDesc("cordboard_sip_transactions", "SIP transactions remembered, by role: server (INVITE only) or client.", []string{"role"}, nil)
	descKept         = prometheus.NewDesc("cordboard_customers_kept", "Matches of numbers with customers kept in memory, at most 10,000.", nil, nil)
	descKeptBytes    = prometheus.NewDesc("cordboard_customers_kept_bytes", "What they take, about; at most 64 MiB.", nil, nil)
	descMediaPorts   = prometheus.NewDesc("cordboard_media_ports", "RTP port pairs open.", nil, nil)
)

// Describe implements prometheus.Collector.
func (c sizeCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descHeld, descDialogs, descTransactions, descMediaPorts, descKept, descKeptBytes} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c sizeCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v int, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(v), labels...)
	}
	s := c.a.stack.Sizes()
	gauge(descHeld, c.a.gateway.Live())
	gauge(descDialogs, s.Dialogs)
	gauge(descTransactions, s.Invites, "server")
	gauge(descTransactions, s.Clients, "client")
	gauge(descMediaPorts, c.a.media.InUse())
	matches, bytes := c.a.finder.Kept()
	gauge(descKept, matches)
	gauge(descKeptBytes, bytes)
}
