package configs

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// declared is every name that may be mentioned elsewhere, read before anything
// that mentions one.
type declared struct {
	languages, segments, shortCodes, skills, teams []string
	calendars, topics, queues, sets, agents        []string
	sites, regions, menus                          []string
}

// declare reads every name first.
func (c *compiler) declare(o *object) {
	d := &c.names
	d.languages = c.words(o.get("languages"), maxLanguages, c.language)
	if n := o.get("default_language"); n != nil {
		if s := c.language(n); s != "" {
			c.known(n, "language", s, d.languages)
			c.policy.DefaultLanguage = s
		}
	} else if len(d.languages) == 1 {
		c.policy.DefaultLanguage = d.languages[0]
	} else if len(d.languages) > 1 {
		c.errorf(o.get("languages"), CodeMissing, "default_language is missing: there are several languages")
	}
	d.segments = c.words(o.get("segments"), 0, c.name)
	d.shortCodes = c.words(o.get("short_codes"), 0, c.shortCode)
	d.teams = c.words(o.get("teams"), maxTeams, c.name)
	d.calendars = c.keys(o.get("calendars"), maxCalendars)
	d.topics = c.keys(o.get("topics"), maxTopics)
	d.queues = c.keys(o.get("queues"), maxQueues)
	d.sets = c.keys(o.get("dispositions"), 0)
	staff := o.get("agents")
	if c.dir != nil && staff == nil {
		staff = c.dir.agents
		d.agents = c.elsewhere().keys(staff, maxAgents)
	} else {
		d.agents = c.keys(staff, maxAgents)
	}
	d.menus = c.keys(o.get("menus"), maxMenus)
	d.sites = c.keys(o.get("sites"), maxSites)
	d.regions = c.keys(o.get("regions"), maxRegions)
	c.regional = o.has("regions")
	c.ownFields(o.get("fields"))
	c.nobody = !o.has("agents") && staff == nil
	c.skills(o.get("skills"))
	for _, code := range d.languages {
		d.skills = append(d.skills, agents.LanguagePrefix+code)
	}
	p := c.policy
	p.Languages, p.Segments, p.ShortCodes, p.Teams = d.languages, d.segments, d.shortCodes, d.teams
}

// words reads a list of names, none twice.
func (c *compiler) words(n *node, limit int, read func(*node) string) []string {
	var out []string
	for _, item := range c.list(n, limit) {
		s := read(item)
		if s == "" {
			continue
		}
		if slices.Contains(out, s) {
			c.errorf(item, CodeDuplicate, "%s: %s is named twice", n.label(), s)
			continue
		}
		out = append(out, s)
	}
	return out
}

// keys lists the names that a mapping declares. What else is wrong with it is
// found where it is read.
func (c *compiler) keys(n *node, limit int) []string {
	if n == nil || n.kind != kindMapping {
		return nil
	}
	var out []string
	for i, p := range n.pairs {
		if limit > 0 && i == limit {
			c.add(p.line, p.col, CodeLimit, "", "%s: at most %d", n.path, limit)
			break
		}
		if c.checkName(p, "") {
			out = append(out, p.key)
		}
	}
	return out
}

var (
	languageForm  = regexp.MustCompile(`^[a-z]{2,3}(_[a-z0-9]{2,8})?$`)
	shortCodeForm = regexp.MustCompile(`^[0-9]{2,8}$`)
)

func (c *compiler) language(n *node) string {
	s, ok := c.scalar(n, "a language code, such as en")
	if !ok {
		return ""
	}
	if !languageForm.MatchString(s) {
		c.wrong(n, "%s is not a language code, such as en", quote(s))
		return ""
	}
	return s
}

func (c *compiler) shortCode(n *node) string {
	s, ok := c.scalar(n, `a short code in quotes, such as "150"`)
	if !ok {
		return ""
	}
	if n.style == stylePlain {
		c.wrong(n, "a short code stands in quotes: %s", strconv.Quote(s))
		return ""
	}
	if !shortCodeForm.MatchString(s) {
		c.wrong(n, "%s is not a short code: 2 to 8 digits", quote(s))
		return ""
	}
	return s
}

func (c *compiler) skills(n *node) {
	c.policy.SkillTitles = map[agents.Skill]routing.Title{}
	if n == nil {
		return
	}
	o := c.object(n)
	for i, p := range o.pairs {
		o.used[p.key] = true
		if i == maxSkills {
			c.add(p.line, p.col, CodeLimit, "", "skills: at most %d", maxSkills)
			return
		}
		if !c.checkName(p, "") {
			continue
		}
		if strings.HasPrefix(p.key, agents.LanguagePrefix) {
			c.add(p.line, p.col, CodeValue, "", "skill %s: names that begin with lang_ are made from languages", p.key)
			continue
		}
		c.names.skills = append(c.names.skills, p.key)
		title := routing.Title{"": p.key}
		if p.value.kind != kindNull {
			s := c.object(p.value.in("skill " + p.key))
			title = c.title(s.get("title"), p.key)
			s.close()
		}
		c.policy.SkillTitles[agents.Skill(p.key)] = title
	}
}

// title reads a text, or a text by language.
func (c *compiler) title(n *node, otherwise string) routing.Title {
	if n == nil {
		return routing.Title{"": otherwise}
	}
	if n.kind != kindMapping {
		return routing.Title{"": c.text(n, 200)}
	}
	t := routing.Title{}
	for _, p := range n.pairs {
		n.adopt(p.value)
		if !slices.Contains(c.names.languages, p.key) {
			c.add(p.line, p.col, "N301", n.where, "language %s is not declared%s", p.key, didYouMean(p.key, c.names.languages))
			continue
		}
		t[p.key] = c.text(p.value, 200)
	}
	if len(n.pairs) == 0 {
		c.wrong(n, "want a text, or a text by language")
	}
	return t
}

// known checks that a name is declared.
func (c *compiler) known(n *node, what, name string, names []string) bool {
	if name == "" {
		return false
	}
	if slices.Contains(names, name) || what == "agent" && c.nobody {
		return true
	}
	c.errorf(n, "N301", "%s %s is not declared%s", what, name, didYouMean(name, names))
	return false
}

// reference reads a name that must be declared.
func (c *compiler) reference(n *node, what string, names []string) string {
	s := c.name(n)
	if !c.known(n, what, s, names) {
		return ""
	}
	return s
}
