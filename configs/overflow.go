package configs

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cordboard/cordboard/routing/rule"
)

// overflow is one way out of a queue into another; queues by index.
type overflow struct {
	option string
	to     int
}

// lintRings finds calls that would be sent round in a ring (Q701). Queues
// that hand over to each other only while closed are no ring: they are the
// day's and the night's desk.
func (l *linter) lintRings() {
	names := l.names.queues
	index := make(map[string]int, len(names))
	for i, name := range names {
		index[name] = i
	}
	edges := make([][]overflow, len(names))
	for i, name := range names {
		q := l.policy.Queues[name]
		if q == nil {
			continue
		}
		add := func(option string, t rule.Treatment) {
			if to, ok := index[t.Queue]; ok {
				edges[i] = append(edges[i], overflow{option, to})
			}
		}
		if q.Hours != "" { // else it is never closed
			add("closed", q.Closed)
		}
		if q.Full != nil {
			add("full", q.Full.Then)
		}
		if q.Late != nil {
			add("late", q.Late.Then)
		}
		if q.Nobody != nil {
			add("nobody", q.Nobody.Then)
		}
	}
	reported := make([]bool, len(names))
	for i, name := range names {
		for _, e := range edges[i] {
			q := l.policy.Queues[name]
			if e.to == i {
				l.queue(q, e.option, "Q701", fmt.Sprintf("%s -(%s)-> %s", name, e.option, name), "calls go to the queue itself")
				continue
			}
			if e.option == "closed" || reported[i] {
				continue
			}
			if path, members := wayBack(edges, names, i, e); path != "" {
				for _, m := range members {
					reported[m] = true
				}
				l.queue(q, e.option, "Q701", path, "overflow ring without an end")
			}
		}
	}
}

// wayBack finds the shortest way from where an overflow leads back to where it
// began: in words, and the queues on it.
func wayBack(edges [][]overflow, names []string, start int, first overflow) (path string, members []int) {
	type arrival struct {
		from int
		by   string
	}
	came := make([]*arrival, len(names))
	came[first.to] = &arrival{start, first.option}
	for todo := []int{first.to}; len(todo) > 0 && came[start] == nil; todo = todo[1:] {
		for _, e := range edges[todo[0]] {
			if came[e.to] == nil {
				came[e.to] = &arrival{todo[0], e.option}
				todo = append(todo, e.to)
			}
		}
	}
	if came[start] == nil {
		return "", nil
	}
	hops := []string{names[start]}
	for at := start; ; {
		a := came[at]
		members = append(members, a.from)
		hops = append(hops, names[a.from]+" -("+a.by+")->")
		if at = a.from; at == start {
			break
		}
	}
	slices.Reverse(hops)
	return strings.Join(hops, " "), members
}
