package configs

import (
	"regexp"
	"slices"

	"github.com/cordboard/cordboard/routing"
)

// Limits of section 21.
const (
	maxSites    = 256
	maxRegions  = 1000
	maxPrefixes = 10_000
)

var prefixForm = regexp.MustCompile(`^\+[0-9]{1,15}$`)

// sites reads the places where agents work. Calendars are read before.
func (c *compiler) sites(n *node) {
	c.policy.Sites = map[string]*routing.Site{}
	if n == nil {
		return
	}
	o := c.object(n)
	for i, p := range o.pairs {
		o.adopt(p.value)
		o.used[p.key] = true
		if i == maxSites {
			return
		}
		s := &routing.Site{Name: p.key, Title: routing.Title{"": p.key}}
		c.policy.Sites[p.key] = s
		if p.value.kind == kindNull {
			continue
		}
		k := c.object(p.value.in("site " + p.key))
		s.Title = c.title(k.get("title"), p.key)
		if h := k.get("hours"); h != nil {
			s.Hours = c.reference(h, "calendar", c.names.calendars)
			if cal := c.policy.Calendars[s.Hours]; cal != nil && cal.Caller {
				c.errorf(h, CodeConflict, "%s: calendar %s goes by the caller's clock, a site has its own", h.label(), s.Hours)
			}
		}
		k.close()
	}
}

// regions reads where callers belong.
func (c *compiler) regions(n *node) {
	if n == nil {
		return
	}
	var list []routing.Region
	o := c.object(n)
	prefixes, trunks := map[string]string{}, map[string]string{}
	for i, p := range o.pairs {
		o.adopt(p.value)
		o.used[p.key] = true
		if i == maxRegions {
			break
		}
		k := c.object(p.value.in("region " + p.key))
		if k.bad {
			continue
		}
		r := routing.Region{Name: p.key}
		r.Prefix = c.regionKeys(k.get("prefix"), p.key, prefixes, c.prefix)
		r.Trunk = c.regionKeys(k.get("trunk"), p.key, trunks, c.name)
		if !k.has("prefix") && !k.has("trunk") {
			c.errorf(p.value, CodeMissing, "say which callers belong to it: prefix or trunk")
		}
		if z := k.get("zone"); z != nil {
			r.Zone = c.zone(z, c.policy.Zone)
		}
		if l := k.get("language"); l != nil {
			if code := c.language(l); c.known(l, "language", code, c.names.languages) {
				r.Language = code
			}
		}
		if s := k.get("site"); s != nil {
			r.Site = c.reference(s, "site", c.names.sites)
		}
		k.close()
		list = append(list, r)
	}
	if len(prefixes) > maxPrefixes {
		c.errorf(n, CodeLimit, "regions: %d prefixes, at most %d", len(prefixes), maxPrefixes)
	}
	c.policy.Regions = routing.NewRegions(list)
}

// regionKeys reads the prefixes or trunks of a region; taken says whose they
// are already.
func (c *compiler) regionKeys(n *node, region string, taken map[string]string, read func(*node) string) (out []string) {
	items := c.list(n, 0)
	if n != nil && n.kind == kindSequence && len(n.items) == 0 {
		c.errorf(n, CodeMissing, "%s: an empty list says nothing", n.label())
	}
	for _, item := range items {
		key := read(item)
		if key == "" {
			continue
		}
		switch other, known := taken[key]; {
		case known && other == region:
			c.errorf(item, CodeDuplicate, "%s: %s is named twice", n.label(), key)
		case known:
			c.errorf(item, "N309", "%s stands in region %s too", key, other)
		default:
			taken[key] = region
			out = append(out, key)
		}
	}
	return out
}

func (c *compiler) prefix(n *node) string {
	s := c.text(n, 16)
	if s != "" && !prefixForm.MatchString(s) {
		c.wrong(n, "%s is not the beginning of a number: + and 1 to 15 digits", quote(s))
		return ""
	}
	return s
}

// site reads caller, any, or a list of sites; nil when not given.
func (c *compiler) site(n *node) []string {
	if n == nil {
		return nil
	}
	if n.kind == kindScalar {
		switch n.text {
		case "caller":
			if !c.regional {
				c.errorf(n, CodeConflict, "%s: caller needs regions, and none are declared", n.label())
				return nil
			}
			return []string{n.text}
		case "any":
			return []string{n.text}
		}
		c.wrong(n, "want caller, any, or a list of sites")
		return nil
	}
	out := []string{}
	for _, item := range c.list(n, 0) {
		if s := c.reference(item, "site", c.names.sites); s != "" && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	if n.kind == kindSequence && len(n.items) == 0 {
		return []string{"any"}
	}
	return out
}
