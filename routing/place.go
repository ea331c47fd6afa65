package routing

import (
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// Words of a need's speak and site.
const (
	needsCaller = "caller" // the caller's own
	needsAny    = "any"
)

// Site is a place where agents work (10).
type Site struct {
	Name  string
	Title Title
	Hours string // calendar, "" = always; outside, no call asks for the place
}

// Region is where callers belong, by number or trunk (10).
type Region struct {
	Name     string
	Prefix   []string       // of numbers in E.164
	Trunk    []string       // names
	Zone     *time.Location // nil: the document's
	Language string         // "": not known
	Site     string         // "": none
}

// Regions is the table of regions: it tells the caller's from number and
// trunk. A nil table has none. It is made once and never changed.
type Regions struct {
	named, prefixes, trunks map[string]*Region
	longest                 int
}

// NewRegions makes a table. No prefix and no trunk may stand in two regions.
func NewRegions(list []Region) *Regions {
	t := &Regions{named: map[string]*Region{}, prefixes: map[string]*Region{}, trunks: map[string]*Region{}}
	for i := range list {
		r := &list[i]
		t.named[r.Name] = r
		for _, p := range r.Prefix {
			t.prefixes[p] = r
			t.longest = max(t.longest, len(p))
		}
		for _, name := range r.Trunk {
			t.trunks[name] = r
		}
	}
	return t
}

// Named is one region, nil when there is none of that name.
func (t *Regions) Named(name string) *Region {
	if t == nil || name == "" {
		return nil
	}
	return t.named[name]
}

// All are the regions by name.
func (t *Regions) All() map[string]Region {
	out := map[string]Region{}
	if t != nil {
		for name, r := range t.named {
			out[name] = *r
		}
	}
	return out
}

// Of is the name of the region with the longest prefix of the number (E.164,
// "" when it is not known), else that of the trunk, else "".
func (t *Regions) Of(number, trunk string) string {
	if t == nil {
		return ""
	}
	for n := min(len(number), t.longest); n > 1; n-- {
		if r := t.prefixes[number[:n]]; r != nil {
			return r.Name
		}
	}
	if r := t.trunks[trunk]; r != nil {
		return r.Name
	}
	return ""
}

// zone is the clock of a region's callers, nil for the document's.
func (t *Regions) zone(name string) *time.Location {
	if r := t.Named(name); r != nil {
		return r.Zone
	}
	return nil
}

// Caller is what of a caller a need can hang on.
type Caller struct {
	Language string
	Site     string // of the caller's region, "" for none and while it is closed
}

// For is the calendar as a caller of the zone reads it; nil stands for no
// zone of one's own.
func (c *Calendar) For(zone *time.Location) *Calendar {
	if !c.Caller || zone == nil {
		return c
	}
	own := *c
	own.Zone = zone
	return &own
}

// OpensAfter is the first instant after at when the calendar is open, given
// that it is not then; ok is false when it does not open within a week.
func (c *Calendar) OpensAfter(at time.Time) (opens time.Time, ok bool) {
	t := at.In(c.Zone)
	y, m, d := t.Date()
	for day := 0; day < horizonDays && !ok; day++ {
		for _, i := range c.hours(time.Date(y, m, d+day, 12, 0, 0, 0, c.Zone)) {
			for _, open := range aroundChange(time.Date(y, m, d+day, 0, i.From, 0, 0, c.Zone)) {
				if open.After(at) && c.Open(open) && !c.Open(open.Add(-time.Second)) && (!ok || open.Before(opens)) {
					opens, ok = open, true
				}
			}
		}
	}
	return opens, ok
}

// aroundChange is an instant made of a time of day, and what it may stand for
// when the clock changes nearby: a time that is skipped begins at the next that
// exists, one that is repeated comes twice.
func aroundChange(at time.Time) []time.Time {
	out := []time.Time{at}
	from, to := at.ZoneBounds()
	for _, change := range []time.Time{from, to} {
		if !change.IsZero() && at.Sub(change).Abs() <= 3*time.Hour {
			out = append(out, change, at.Add(time.Hour), at.Add(-time.Hour))
		}
	}
	return out
}

// sitesOf resolves the sites that a need names; own is the caller's.
func sitesOf(sites []string, own string) (out []string) {
	for _, name := range sites {
		switch name {
		case needsAny:
			return nil
		case needsCaller:
			if name = own; name == "" {
				return nil
			}
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// NeedsSite says whether what the queue's calls need hangs on the site of
// their caller's region.
func NeedsSite(q *Queue, firm rule.Need) bool {
	asks := func(n *rule.Need) bool { return n != nil && slices.Contains(n.Site, needsCaller) }
	if firm.Site != nil {
		return asks(&firm)
	}
	return asks(&q.Need) || slices.ContainsFunc(q.Steps, func(s Step) bool { return asks(s.Need) })
}

// zone is the clock of the caller's region, nil for the document's.
func (c *call) zone() *time.Location { return c.plan.Regions.zone(c.region()) }

// localSite is the site of the caller's region and the calendar of its hours, nil
// for always.
func (c *call) localSite() (site string, hours *Calendar) {
	r := c.plan.Regions.Named(c.region())
	if r == nil {
		return "", nil
	}
	if s := c.plan.Sites[r.Site]; s != nil {
		hours = c.plan.Calendars[s.Hours]
	}
	return r.Site, hours
}

// siteOf is the site that "caller" means now: that of the caller's region,
// "" while it is closed by its own hours.
func (e *Engine) siteOf(c *call) string {
	site, hours := c.localSite()
	if hours != nil && !hours.Open(instant(e.now)) {
		return ""
	}
	return site
}

// armSite sets the deadline of the next opening or closing of the site that
// the call's need hangs on.
func (e *Engine) armSite(c *call) {
	e.disarm(c, siteDue)
	_, hours := c.localSite()
	if hours == nil || !NeedsSite(c.queue, c.firm()) {
		return
	}
	now := instant(e.now)
	next, ok := hours.OpensAfter(now)
	if hours.Open(now) {
		next, ok = hours.ClosesAfter(now)
	}
	if !ok { // neither within a week: look again then
		next = now.AddDate(0, 0, horizonDays-1)
	}
	e.arm(c, siteDue, next.UnixMicro())
}

// siteChanged: the site of the caller's region has opened or closed, and with
// it what a waiting call needs changes. An offer that is out stays out.
func (e *Engine) siteChanged(c *call) {
	before, alone := c.demand, c.aloneSince()
	placed := c.spot != nowhere
	if placed {
		e.unplace(c)
	}
	c.demand = e.demandFor(c, c.queue)
	e.regroup(c, before, alone)
	if placed {
		e.place(c)
	}
	e.armSite(c)
	if c.phase == waiting {
		e.markSeeking(c, "site")
	}
}
