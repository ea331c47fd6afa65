package app

import (
	"strings"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// countReferred registers how many calls phones have passed on, or were refused to.
func countReferred(registry *prometheus.Registry) func(result string) {
	n := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cordboard_phone_transfers_total", Help: "REFERs of agents' phones and others in a call, by result: passed_on, handed_over, or why not.",
	}, []string{"result"})
	registry.MustRegister(n)
	return func(result string) { n.WithLabelValues(result).Inc() }
}

// Named implements sip.Targets. What an agent dials to pass a call on is a
// colleague, a queue or a topic of the document; what is none of these is a number
// outside, by the rules of the desk.
func (r *rim) Named(o routing.Offer, user string) (to routing.TransferRequested, code string) {
	to.Offer = o
	p := r.policy.Load()
	if id := colleague(p, user); id != "" {
		to.ToAgent = id
		return to, ""
	}
	switch {
	case p.Queues[user] != nil:
		to.Queue = user
	case p.Topics[user] != nil:
		to.Topic = user
	case user == "" || strings.ContainsFunc(user, unicode.IsLetter):
		return to, "unknown_target"
	default:
		if to.Outside, code = r.Outside(o.Call, user); code == "not_a_number" {
			code = "unknown_target"
		}
		if code == "" {
			r.hub.PassesTo(o, user)
		}
	}
	return to, code
}

// colleague is the agent of the id, or whose phone alone is called by the user; "" for
// none.
func colleague(p *routing.Policy, user string) agents.ID {
	if _, ok := p.Agents[agents.ID(user)]; ok {
		return agents.ID(user)
	}
	var found agents.ID
	for id, a := range p.Agents {
		if _, rest, ok := strings.Cut(a.Phone.URI, ":"); ok {
			if name, _, at := strings.Cut(rest, "@"); at && name != "" && name == user {
				if found != "" {
					return "" // two phones that are called alike: nobody's guess
				}
				found = id
			}
		}
	}
	return found
}
