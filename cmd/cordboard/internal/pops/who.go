package pops

import (
	"slices"
	"strings"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/web"
)

// Why a name of the PBX leads to nobody.
const (
	whyUnknownAgent = "unknown_agent"
	whySeveral      = "several_agents"
)

// directory finds agents by what a PBX calls them: the sign-in name, the telephone's
// extension or number, the person's name.
type directory struct {
	policy *routing.Policy
	ids    map[string]agents.ID // in lower case; "": several agents have it
}

// read makes the directory anew when another document is live.
func (d *directory) read(p *routing.Policy) {
	if d.policy == p {
		return
	}
	d.policy, d.ids = p, map[string]agents.ID{}
	var byID []map[string]agents.ID // what is looked at first counts
	for _, key := range []func(agents.Agent) string{
		func(a agents.Agent) string { return string(a.ID) },
		func(a agents.Agent) string { return extension(a.Phone.URI) },
		func(a agents.Agent) string { return a.Phone.Number },
		func(a agents.Agent) string { return a.Name },
	} {
		found := map[string]agents.ID{}
		for id, a := range p.Agents {
			if k := strings.ToLower(key(a)); k != "" {
				if _, taken := found[k]; taken {
					id = ""
				}
				found[k] = id
			}
		}
		byID = append(byID, found)
	}
	for _, found := range slices.Backward(byID) {
		for k, id := range found {
			d.ids[k] = id
		}
	}
}

// extension is the user of sip:user@host.
func extension(uri string) string {
	user, _, ok := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(uri, "sips:"), "sip:"), "@")
	if !ok {
		return ""
	}
	return user
}

// find is the agent of a PBX's name for her.
func (d *directory) find(name string) (id agents.ID, why string) {
	name = strings.ToLower(strings.TrimSpace(name))
	for _, k := range []string{name, extension(name), "+" + strings.TrimPrefix(name, "+")} {
		if id, there := d.ids[k]; there && id != "" {
			return id, ""
		} else if there {
			return "", whySeveral
		}
	}
	return "", whyUnknownAgent
}

// whom is who is meant by names, or, where there are none, by the number called.
func (c *Calls) whom(names []string, called string) (who []agents.ID, rest []web.PBXIgnored) {
	c.names.read(c.opt.Policy())
	if len(names) == 0 {
		names = []string{called}
	}
	for _, name := range names {
		id, why := c.names.find(name)
		switch {
		case why != "":
			rest = append(rest, web.PBXIgnored{User: name, Why: why})
		case !slices.Contains(who, id):
			who = append(who, id)
		}
	}
	return who, rest
}

// whoAnswered is the agent who has answered; "" when that is nobody's telephone, or
// is not said.
func (c *Calls) whoAnswered(k *call, e web.PBXEvent) (agents.ID, []web.PBXIgnored) {
	if e.Answering != "" {
		if who, rest := c.whom([]string{e.Answering}, ""); len(who) == 1 {
			return who[0], nil
		} else if len(e.Users) == 0 {
			return "", rest
		}
	}
	if len(e.Users) > 0 {
		who, rest := c.whom(e.Users, "")
		switch {
		case len(who) == 1:
			return who[0], rest
		case len(who) == 0:
			return "", rest
		}
	} else if k != nil {
		if only := k.onlyRinging(); only != "" {
			return only, nil
		}
	} else if who, rest := c.whom(nil, e.To); len(who) == 1 {
		return who[0], rest
	}
	return "", []web.PBXIgnored{{Why: "answerer_not_named"}}
}

// onlyRinging is the one agent whom the call rings, "" when those are several or
// somebody talks already.
func (k *call) onlyRinging() (only agents.ID) {
	for _, l := range k.legs {
		switch {
		case l.phase == talking, l.phase == ringing && only != "":
			return ""
		case l.phase == ringing:
			only = l.Agent
		}
	}
	return only
}

// withheld are the words in the place of a number that is not shown.
var withheld = []string{"", "anonymous", "unknown", "private", "restricted", "withheld", "unavailable"}

// caller reads who calls. What is no number, as of a colleague's extension, is shown
// and not looked up.
func caller(from, region string) screenpop.CallerInfo {
	from = strings.TrimSpace(from)
	if slices.Contains(withheld, strings.ToLower(from)) {
		return screenpop.CallerInfo{Source: "none", Restricted: from != "" && !strings.EqualFold(from, "unknown") && !strings.EqualFold(from, "unavailable")}
	}
	n, err := identity.ParseNumber(from, region, nil)
	if err != nil {
		return screenpop.CallerInfo{Display: from, Source: "from"}
	}
	return screenpop.CallerInfo{Number: n.E164(), Country: identity.Country(n), Source: "from"}
}

// dialled is the number that was called, as far as it is one.
func dialled(to, region string) string {
	if n, err := identity.ParseNumber(to, region, nil); err == nil {
		return n.E164()
	}
	return numberOf(to)
}

// numberOf is what is dialled of a text: a name in the place of a number is nobody's
// business in the ledger.
func numberOf(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || strings.ContainsRune("+*#", r) {
			return r
		}
		return -1
	}, text)
}
