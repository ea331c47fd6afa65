package configs

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cordboard/cordboard/agents"
)

func (c *compiler) agent(id agents.ID, n *node) agents.Agent {
	a := agents.Agent{ID: id}
	o := c.object(n)
	a.Name = c.text(o.must("name"), 80)
	levels := map[agents.Skill]agents.Level{}
	if s := o.get("skills"); s != nil {
		c.agentSkills(s, "skill", "", c.names.skills, levels)
	}
	if s := o.get("languages"); s != nil {
		c.agentSkills(s, "language", agents.LanguagePrefix, c.names.languages, levels)
	}
	if len(levels) > maxAgentSkills {
		c.errorf(n, CodeLimit, "more than %d skills", maxAgentSkills)
	}
	a.Skills = agents.NewSkills(levels)
	if t := o.get("team"); t != nil {
		a.Team = c.reference(t, "team", c.names.teams)
	}
	a.Phone = c.phone(o, id)
	c.canCall(cmp.Or(o.get("phone"), n), a.Phone)
	a.Desk = c.choice(o.get("login"), "desk", []string{"desk", "phone"}) == "desk"
	if digest := o.get("digest"); digest != nil {
		a.Phone.Digest = agents.Digest(c.choice(digest, "", []string{string(agents.DigestMD5), string(agents.DigestSHA256)}))
		if a.Phone.URI != "" || a.Phone.Number != "" {
			c.errorf(digest, CodeConflict, "digest: only a registered phone is challenged")
		}
	}
	auto := o.get("auto_answer")
	a.Phone.AutoAnswer = c.flag(auto, false)
	if a.Phone.AutoAnswer && a.Phone.Number != "" {
		c.errorf(auto, CodeConflict, "auto_answer: a mobile is accepted by key")
	}
	if s := o.get("site"); s != nil {
		a.Site = c.reference(s, "site", c.names.sites)
	}
	a.CSAT = c.integer(o.get("csat"), 0, 100, 50)
	c.shiftsOf(o, id)
	o.close()
	return a
}

// agentSkills reads {billing: 5}, or {en: 8} with the prefix of languages.
func (c *compiler) agentSkills(n *node, what, prefix string, names []string, levels map[agents.Skill]agents.Level) {
	o := c.object(n)
	for _, p := range o.pairs {
		o.adopt(p.value)
		if !slices.Contains(names, p.key) {
			c.add(p.line, p.col, "N301", n.where, "%s %s is not declared%s", what, p.key, didYouMean(p.key, names))
			continue
		}
		skill := agents.Skill(prefix + p.key)
		if _, twice := levels[skill]; twice {
			c.add(p.line, p.col, CodeDuplicate, n.where, "%s is given under skills already", skill)
			continue
		}
		levels[skill] = agents.Level(c.integer(p.value, 1, maxLevel, 1))
	}
}

// phone reads how an agent's telephone is reached: it registers here, has a
// static contact, or is a mobile's number.
func (c *compiler) phone(o *object, id agents.ID) agents.Phone {
	n := o.get("phone")
	if n == nil {
		return agents.Phone{Registered: !o.has("phone")}
	}
	s, ok := c.scalar(n, "a contact, such as sip:ann@192.0.2.10")
	if !ok {
		return agents.Phone{}
	}
	switch {
	case s == "registered":
		return agents.Phone{Registered: true}
	case strings.HasPrefix(s, "+"):
		number := c.number(n)
		c.ownPhone(n, number, id)
		return agents.Phone{Number: number}
	}
	uri, err := contact(s)
	if err != nil {
		c.wrong(n, "%s", err)
		return agents.Phone{}
	}
	c.ownPhone(n, uri, id)
	return agents.Phone{URI: uri}
}

// ownPhone sees that no two agents have one phone.
func (c *compiler) ownPhone(n *node, phone string, id agents.ID) {
	if phone == "" {
		return
	}
	if other, taken := c.phones[phone]; taken {
		c.errorf(n, CodeConflict, "%s: agent %s has the same", n.label(), other)
	}
	c.phones[phone] = string(id)
}

// number reads a telephone number that calls are sent to. One whose length is
// wrong for its country does not exist (Q704).
func (c *compiler) number(n *node) string {
	s, ok := c.scalar(n, "a telephone number, such as +447700900016")
	switch {
	case !ok:
		return ""
	case !e164Form.MatchString(s):
		c.wrong(n, "%s is not a telephone number with its country, such as +447700900016", quote(s))
		return ""
	case !isE164(s):
		c.errorf(n, "Q704", "%s: number %s does not exist", n.label(), quote(s))
		return ""
	}
	return s
}

var (
	sipUser  = regexp.MustCompile(`^[A-Za-z0-9\-_.!~*'&=+$,/]{1,64}$`) // RFC 3261 user, without ";", "?" and escapes
	hostname = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.?$`)
)

// contact checks sip:USER@HOST[:PORT][;transport=udp|tcp|tls] and evens it out:
// host in lower case, no port when it is the default.
func contact(s string) (string, error) {
	rest, ok := strings.CutPrefix(s, "sip:")
	if !ok {
		return "", fmt.Errorf("want registered, a contact such as sip:ann@192.0.2.10, or a number such as +447700900016, not %s", quote(s))
	}
	rest, params, hasParams := strings.Cut(rest, ";")
	usual := "5060"
	switch {
	case params == "transport=tls":
		usual = "5061"
	case hasParams && params != "transport=udp" && params != "transport=tcp":
		return "", fmt.Errorf("a contact may carry ;transport=udp, ;transport=tcp or ;transport=tls only")
	}
	user, hostport, ok := strings.Cut(rest, "@")
	if !ok || !sipUser.MatchString(user) {
		return "", fmt.Errorf("want sip:USER@HOST, such as sip:ann@192.0.2.10")
	}
	host, port := hostport, ""
	if i := strings.LastIndexByte(hostport, ':'); i >= 0 && !strings.HasSuffix(hostport, "]") {
		host, port = hostport[:i], hostport[i+1:]
		v, err := strconv.ParseUint(port, 10, 16)
		if err != nil || v == 0 || port[0] == '0' {
			return "", fmt.Errorf("%s is not a port", quote(port))
		}
	}
	if !hostOK(host) {
		return "", fmt.Errorf("%s is not a host: an IPv4 address, an IPv6 address in brackets, or a name", quote(host))
	}
	out := "sip:" + user + "@" + strings.ToLower(host)
	if port != "" && port != usual {
		out += ":" + port
	}
	if hasParams && params != "transport=udp" {
		out += ";" + params
	}
	return out, nil
}

func hostOK(host string) bool {
	if inner, ok := strings.CutPrefix(host, "["); ok {
		inner, ok = strings.CutSuffix(inner, "]")
		addr, err := netip.ParseAddr(inner)
		return ok && err == nil && addr.Is6() && addr.Zone() == ""
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		return addr.Is4()
	}
	return len(host) <= 253 && hostname.MatchString(host)
}
