package configs

import (
	"time"

	"github.com/cordboard/cordboard/routing/figures"
)

// intervals are the lengths of a report's lines: each divides the hour.
var intervals = []string{"5m", "10m", "15m", "30m", "60m"}

// statistics reads how figures are counted (13).
func (c *compiler) statistics(o *object) {
	r := figures.Defaults()
	r.Zone = c.policy.Zone
	level := c.section(o, "service_level")
	var words []string
	for _, f := range figures.Formulas() {
		words = append(words, string(f))
	}
	r.Formula = figures.Formula(c.choice(level.get("formula"), words[0], words))
	r.ByArrival = c.choice(level.get("count_in"), "event", []string{"event", "arrival"}) == "arrival"
	switches := level.get("switches")
	s := c.object(switches)
	r.Switches.FlowOuts = c.flag(s.get("flow_outs"), r.Switches.FlowOuts)
	r.Switches.Short = c.flag(s.get("short"), r.Switches.Short)
	r.Switches.Abandons = c.flag(s.get("abandons"), r.Switches.Abandons)
	s.close()
	if switches != nil && r.Formula != figures.BySwitches {
		c.errorf(switches, CodeConflict, "%s: only with formula: switches", switches.label())
	}
	level.close()
	r.Short = c.duration(o.get("short_abandon"), 0, time.Minute, r.Short)
	r.Interval, _ = parseDuration(c.choice(o.get("interval"), "15m", intervals))
	r.Window = c.duration(o.get("window"), 5*time.Minute, 4*time.Hour, r.Window)
	r.DayStarts = c.clockTime(o.get("day_starts"), r.DayStarts)
	o.close()
	c.policy.Service = r
}

// clockTime reads a time of day in quotes; a day cannot begin at its end.
func (c *compiler) clockTime(n *node, otherwise int) int {
	s, ok := c.scalar(n, `a time of day in quotes, such as "06:00"`)
	if !ok {
		return otherwise
	}
	if m, ok := clock(s); ok && n.style != stylePlain && m < 24*60 {
		return m
	}
	c.wrong(n, `want a time of day in quotes, "00:00" to "23:59", not %s`, quote(s))
	return otherwise
}
