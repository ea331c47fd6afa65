package app

import (
	"context"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/stack"
	"github.com/cordboard/cordboard/sip/subscription"
)

// watch notes the telephones whose calls their PBXs are asked to tell of.
func (a *App) watch(trunks []configs.Trunk, logins map[string]*stack.Login) {
	for _, p := range a.opt.Server.Pops {
		i := slices.IndexFunc(trunks, func(t configs.Trunk) bool { return t.Name == p.Trunk })
		if i < 0 {
			continue // it tells by HTTP
		}
		t := trunks[i]
		for _, extension := range p.Extensions {
			a.watching = append(a.watching, subscription.Phone{
				Source: p.Name, Extension: extension, Expires: p.Expires,
				Subscribing: stack.Subscribing{
					URI: watchedURI(t, extension), From: "sip:" + asker(t) + "@" + t.Host(),
					Sources: t.Trust.Sources, Login: logins[t.Name],
				},
			})
		}
	}
}

// chosenBy is the header by which a trunk names whom its PBX has chosen.
func (a *App) chosenBy(trunk string) string {
	for _, p := range a.opt.Server.Pops {
		if p.Trunk == trunk {
			return p.Header
		}
	}
	return ""
}

// chosen has the record of a call that comes by on the agent's desk.
func (a *App) chosen(ctx context.Context, c sip.Chosen) {
	i := slices.IndexFunc(a.opt.Server.Pops, func(p configs.Pops) bool { return p.Trunk == c.Trunk })
	who := screenpop.CallerInfo{Source: string(c.Caller.Source), Trusted: c.Caller.Trusted, Restricted: c.Caller.Restricted}
	// A name alone is not shown: dialog events would not find the call by it again.
	if number := c.Caller.Number.E164(); number != "" && !who.Restricted {
		who.Number, who.Country, who.Display = number, c.Caller.Country, c.Caller.Display
	}
	a.pops.Chosen(ctx, a.opt.Server.Pops[i].Name, c.Extension, who, c.Dialled)
}

// watchedURI is a telephone of the PBX behind a trunk.
func watchedURI(t configs.Trunk, extension string) string {
	uri := "sip:" + stack.EscapeUser(extension) + "@" + t.Out.Host
	if t.Out.Transport != "" {
		uri += ";transport=" + t.Out.Transport
	}
	return uri
}

// asker is as whom a trunk is asked.
func asker(t configs.Trunk) string {
	if t.Login.User == "" {
		return "cordboard"
	}
	return stack.EscapeUser(t.Login.User)
}

// unwatch takes the subscriptions back, so that PBXs tell no more.
func (a *App) unwatch(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, unregisterTime)
	defer cancel()
	a.telephones.Close(ctx)
	return nil
}

// watchedCollector tells how the subscriptions stand.
type watchedCollector struct{ keeper *subscription.Keeper }

var descWatched = prometheus.NewDesc("cordboard_pbx_telephones", "Telephones whose calls a PBX is asked to tell of by SIP: told 1, it does; 0, it does not.", []string{"source", "told"}, nil)

// Describe implements prometheus.Collector.
func (c watchedCollector) Describe(ch chan<- *prometheus.Desc) { ch <- descWatched }

// Collect implements prometheus.Collector.
func (c watchedCollector) Collect(ch chan<- prometheus.Metric) {
	counts := map[string]*[2]int{}
	for _, s := range c.keeper.States() {
		n := counts[s.Source]
		if n == nil {
			n = &[2]int{}
			counts[s.Source] = n
		}
		if s.Until.After(time.Now()) {
			n[1]++
		} else {
			n[0]++
		}
	}
	for source, n := range counts {
		for i, told := range []string{"0", "1"} {
			ch <- prometheus.MustNewConstMetric(descWatched, prometheus.GaugeValue, float64(n[i]), source, told)
		}
	}
}
