package routingtest

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// reload makes a new version live, with one queue new or changed, or without
// one: "reload 8 waiting=apply queue q need=...", "reload 8 without=b moves=b:a".
func (r *runner) reload(l line) error {
	p := *r.policy
	p.Queues = maps.Clone(r.policy.Queues)
	version, err := strconv.Atoi(l.words[1])
	if err != nil {
		return err
	}
	p.Version = version
	ev := routing.PolicyChanged{Version: version, Waiting: l.opts["waiting"], Policy: &p}
	for pair := range strings.SplitSeq(l.opts["moves"], ",") {
		if from, to, ok := strings.Cut(pair, ":"); ok {
			if ev.Moves == nil {
				ev.Moves = map[string]string{}
			}
			ev.Moves[from] = to
		}
	}
	for name := range strings.SplitSeq(l.opts["without"], ",") {
		delete(p.Queues, name)
	}
	p.Route = present(r.policy.Route, &p, ev.Moves)
	if err := r.changes(&p, l.text); err != nil {
		return err
	}
	p.Predicates = r.known.List()
	r.policy = &p
	if p.ReadsRim() || p.Regions != nil {
		if err := r.readAnew(); err != nil {
			return err
		}
	}
	return r.step(ev)
}

// changes reads the queues and routes of a reload. Routes stand before those
// there are.
func (r *runner) changes(p *routing.Policy, text string) error {
	text, _, _ = strings.Cut(text, " at +")
	var routes []*rule.Node
	starts := regexp.MustCompile(` (?:queue|route) `).FindAllStringIndex(text, -1)
	for i, at := range starts {
		end := len(text)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		l, err := split(text[at[0]:end])
		if err != nil {
			return err
		}
		if l.is("queue") {
			if err := r.queue(p, l); err != nil {
				return err
			}
			continue
		}
		n, err := r.newRoute(p, l)
		if err != nil {
			return err
		}
		routes = append(routes, n)
	}
	p.Route.Children = append(routes, p.Route.Children...)
	return r.compileSteps(p)
}

// newRoute reads a route of a reload.
func (r *runner) newRoute(p *routing.Policy, l line) (*rule.Node, error) {
	o := rule.CompileOptions{Segments: p.Segments, Languages: p.Languages, Fields: p.Fields, Predicates: &r.known, Queues: slices.Sorted(maps.Keys(p.Queues))}
	when, err := rule.Compile(l.opts["when"], o)
	if err != nil {
		return nil, fmt.Errorf("route %s: %w", l.words[1], err)
	}
	n := &rule.Node{Name: l.words[1], When: when, Queue: l.opts["queue"]}
	if v := l.opts["priority"]; v != "" {
		points, err := strconv.Atoi(v)
		if err != nil {
			return nil, err
		}
		n.Priority = &points
	}
	if v := l.opts["need"]; v != "" {
		if n.Need, err = need(v); err != nil {
			return nil, err
		}
	}
	if v := l.opts["then"]; v != "" {
		t, err := treatment(v)
		if err != nil {
			return nil, err
		}
		n.Then = &t
	}
	return n, nil
}

// version reads the remark "(version 7)" of a queue.
func (c *Case) version(l line) {
	if n, ok := strings.CutPrefix(l.remark, "version "); ok {
		if v, err := strconv.Atoi(n); err == nil {
			c.policy.Version, c.versions = v, true
		}
	}
}

// present is the tree without queues that are gone: their routes lead where
// the moves do, else where their parent leads.
func present(n *rule.Node, p *routing.Policy, moves map[string]string) *rule.Node {
	out := *n
	if p.Queues[n.Queue] == nil {
		out.Queue = moves[n.Queue]
	}
	out.Children = nil
	for _, child := range n.Children {
		out.Children = append(out.Children, present(child, p, moves))
	}
	return &out
}

// live is the line of a version that decides from now on.
func live(a routing.PolicyLive) string {
	s := fmt.Sprintf("version %d live", a.Version)
	for i, stay := range a.Stay {
		sep := ";"
		if i > 0 {
			sep = ","
		}
		calls := "calls stay"
		if stay.Calls == 1 {
			calls = "call stays"
		}
		s += fmt.Sprintf("%s %d %s on %d", sep, stay.Calls, calls, stay.Version)
	}
	return s
}
