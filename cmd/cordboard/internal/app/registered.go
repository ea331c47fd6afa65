package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/registration"
	"github.com/cordboard/cordboard/sip/stack"
)

// unregisterTime bounds taking the trunks' registrations back: a provider that is
// silent holds up no stop.
const unregisterTime = 3 * time.Second

// register notes a trunk that the server file wants registered.
func (a *App) register(t configs.Trunk, o *sip.Outward) {
	if t.Register == 0 {
		return
	}
	uri := "sip:" + o.Host
	if o.Transport != "" {
		uri += ";transport=" + o.Transport
	}
	a.registering = append(a.registering, registration.Trunk{Name: t.Name, Expires: t.Register, Registering: stack.Registering{
		URI: uri, AOR: "sip:" + stack.EscapeUser(t.Login.User) + "@" + t.Host(), User: t.Login.User, Login: o.Login,
	}})
}

// unregister takes the registrations back, so that providers send no more calls.
func (a *App) unregister(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, unregisterTime)
	defer cancel()
	a.registered.Close(ctx)
	return nil
}

// registeredCollector tells how the trunks' registrations stand.
type registeredCollector struct{ keeper *registration.Keeper }

var descTrunkRegistered = prometheus.NewDesc("cordboard_trunk_registered", "1 while we are registered with the trunk's provider; trunks that want it alone.", []string{"trunk"}, nil)

// Describe implements prometheus.Collector.
func (c registeredCollector) Describe(ch chan<- *prometheus.Desc) { ch <- descTrunkRegistered }

// Collect implements prometheus.Collector.
func (c registeredCollector) Collect(ch chan<- prometheus.Metric) {
	for _, s := range c.keeper.States() {
		v := 0.0
		if s.Until.After(time.Now()) {
			v = 1
		}
		ch <- prometheus.MustNewConstMetric(descTrunkRegistered, prometheus.GaugeValue, v, s.Trunk)
	}
}
