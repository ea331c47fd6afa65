package reference

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// withPlaces has the callers of two queues ask for an agent of their region's
// site, one of which closes again and again.
func withPlaces(p *routing.Policy) {
	shifts := &routing.Calendar{Name: "shifts", Zone: time.UTC}
	for d := range shifts.Week {
		for m := 9 * 60; m < 10*60; m += 3 {
			shifts.Week[d] = append(shifts.Week[d], routing.Interval{From: m, To: m + 2})
		}
	}
	p.Calendars = map[string]*routing.Calendar{"shifts": shifts}
	p.Sites = map[string]*routing.Site{"home": {Name: "home", Hours: "shifts"}, "away": {Name: "away"}}
	p.Regions = routing.NewRegions([]routing.Region{{Name: "east", Site: "home"}, {Name: "west", Site: "away"}})
	a, b := p.Queues["a"], p.Queues["b"]
	a.Need.Site = []string{"caller"}
	wide := *a.Steps[1].Need
	wide.Site = []string{"any"}
	a.Steps[1].Need = &wide
	b.Need.Site = []string{"caller", "home"}
	b.Steps[1].Need = &rule.Need{Speak: []string{"caller", "en"}, Site: []string{"away"}}
}

// sited gives the agents their places.
func sited(p *routing.Policy) {
	for id, a := range p.Agents {
		a.Site = []string{"home", "away", ""}[int(id[1]-'0')%3]
		p.Agents[id] = a
	}
}

// region is a caller's, where callers have any.
func (p *tape) region() string {
	if p.kind != placed {
		return ""
	}
	return []string{"east", "west", ""}[p.rng.IntN(3)]
}

// place has "caller" mean what it means now, for every call.
func (m *matcher) place() {
	for _, c := range m.calls {
		if before := c.site; c.policy != nil {
			if c.site = m.siteOf(c); c.site != before {
				m.tally("elsewhere")
			}
		}
	}
}

// siteOf is the site of the caller's region, none while it is closed.
func (m *matcher) siteOf(c *caller) string {
	r := c.policy.Regions.Named(c.region)
	if r == nil {
		return ""
	}
	if s := c.policy.Sites[r.Site]; s.Hours != "" {
		at := m.now.In(time.UTC)
		minute := at.Hour()*60 + at.Minute()
		if !slices.ContainsFunc(c.policy.Calendars[s.Hours].Week[at.Weekday()], func(i routing.Interval) bool { return minute >= i.From && minute < i.To }) {
			return ""
		}
	}
	return r.Site
}

// atSite asks one person where he or she works.
func (n need) atSite(p *person) bool {
	sites := n.own.Site
	if n.firm.Site != nil {
		sites = n.firm.Site
	}
	for _, s := range sites {
		if s == "any" || s == "caller" && n.site == "" || s == "caller" && p.site == n.site || s == p.site {
			return true
		}
	}
	return len(sites) == 0
}
