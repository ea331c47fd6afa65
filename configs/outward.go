package configs

import (
	"maps"
	"slices"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// CheckOutward holds the two files against each other: what in the document
// needs a trunk that calls leave by, "" for nothing or when there is one.
func CheckOutward(s *Server, p *routing.Policy) string {
	if slices.ContainsFunc(s.SIP.Trunks, func(t Trunk) bool { return t.Out != nil }) {
		return ""
	}
	for _, id := range slices.Sorted(maps.Keys(p.Agents)) {
		if p.Agents[id].Phone.Number != "" {
			return "agents." + string(id)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Queues)) {
		ways := overflows(p.Queues[name])
		for _, option := range slices.Sorted(maps.Keys(ways)) {
			if ways[option].Number != "" {
				return "queues." + name + "." + option
			}
		}
	}
	return numberInRoutes(p.Route, "route")
}

func numberInRoutes(n *rule.Node, path string) string {
	if n == nil {
		return ""
	}
	if n.Then != nil && n.Then.Number != "" {
		return path
	}
	for _, child := range n.Children {
		if at := numberInRoutes(child, path+"."+child.Name); at != "" {
			return at
		}
	}
	return ""
}
