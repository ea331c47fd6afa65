package configs

import (
	"slices"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// lintSites finds sites that a queue asks for and where nobody fits the need
// that asks, one finding for each site.
func (l *linter) lintSites(q *routing.Queue) {
	var said []string
	for step := 0; step <= len(q.Steps); step++ {
		if step > 0 && q.Steps[step-1].Need == nil {
			continue
		}
		for _, who := range l.callers(q, rule.Need{}) {
			r := routing.StepRequirement(q, step, rule.Need{}, who)
			for _, site := range r.Site {
				if slices.Contains(said, site) || l.somebodyAt(q, step, site, rule.Need{}) {
					continue
				}
				said = append(said, site)
				shows := "a call in queue " + q.Name
				if who.Site != "" {
					shows = "a caller of " + l.regionOf(site)
				}
				if step == 0 {
					l.queue(q, "", "N310", shows, "%s: no agent there fits", site)
				} else {
					l.queue(q, "steps", "N310", shows, "%s: no agent there fits step %d", site, step+1)
				}
			}
		}
	}
}

// lintRouteSites finds sites that a route's firm addition asks for at every
// step, and where nobody fits any.
func (l *linter) lintRouteSites(r *routing.Routed) {
	q := l.policy.Queues[r.Queue]
	if q == nil || r.Node.Need == nil || len(r.Node.Need.Site) == 0 {
		return
	}
	var said []string
	for _, who := range l.callers(q, r.Need) {
		for _, site := range routing.StepRequirement(q, 0, r.Need, who).Site {
			if slices.Contains(said, site) {
				continue
			}
			said = append(said, site)
			there := false
			for step := 0; step <= len(q.Steps) && !there; step++ {
				there = l.somebodyAt(q, step, site, r.Need)
			}
			if there {
				continue
			}
			shows := "a call by " + routePath(r)
			if who.Site != "" {
				shows = "a caller of " + l.regionOf(site)
			}
			l.route(r, "N310", shows, "%s: no agent there fits", site)
		}
	}
}

// somebodyAt says whether an agent of the site fits the step, in some language.
func (l *linter) somebodyAt(q *routing.Queue, step int, site string, firm rule.Need) bool {
	for _, code := range l.callerLanguages(q, firm) {
		r := routing.StepRequirement(q, step, firm, routing.Caller{Language: code, Site: site})
		for _, g := range l.groups() {
			if ok, _ := r.Fits(g.skills, g.team, g.site); ok && g.site == site {
				return true
			}
		}
	}
	return false
}

// regionOf is the first region whose callers belong to the site.
func (l *linter) regionOf(site string) string {
	for _, name := range l.names.regions {
		if r := l.policy.Regions.Named(name); r != nil && r.Site == site {
			return name
		}
	}
	return ""
}
