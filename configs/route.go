package configs

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// route reads the tree of routes.
func (c *compiler) route(n *node) {
	if n == nil {
		return
	}
	n.in("route root")
	o := c.object(n)
	if o.bad {
		return
	}
	c.policy.Route = c.routeNode(o, "", 1)
	if c.policy.Route.Name == "" {
		c.policy.Route.Name = "root"
	}
	if w, ok := o.lookup("when"); ok {
		c.add(w.line, w.col, CodeConflict, o.where, "when cannot stand at the root: every call must have somewhere to go")
	}
	if t, ok := o.lookup("then"); ok {
		c.add(t.line, t.col, CodeConflict, o.where, "then cannot stand at the root: every call must have a queue to go to")
	}
	o.must("queue")
	o.close()
}

// routeNode reads one node and those below it. path is that of its parent,
// "" for the root. The caller closes the object.
func (c *compiler) routeNode(o *object, path string, depth int) *rule.Node {
	r := &rule.Node{}
	c.routeNodes[r] = o.node
	if c.routes++; c.routes == maxRoutes+1 {
		c.errorf(o.node, CodeLimit, "more than %d routes", maxRoutes)
	}
	if n := o.get("name"); n != nil {
		r.Name = c.name(n)
	}
	c.routeCondition(o, r)
	c.routeTarget(o, r)
	if n := o.get("priority"); n != nil {
		v := c.integer(n, 0, maxPriority, 0)
		r.Priority = &v
	}
	r.PriorityAdd = c.integer(o.get("priority_add"), 0, maxPriority, 0)
	o.together("priority", "priority_add")
	if n := o.get("need"); n != nil {
		v := c.need(n)
		r.Need = &v
	}
	r.RelaxAfter = c.relaxAfter(o)
	if n := o.get("record"); n != nil {
		v := c.recordPolicy(c.object(n))
		r.Record = &v
	}
	if n := o.get("callback"); n != nil {
		if r.NoCallback = n.isNone(); !r.NoCallback {
			r.Callback = c.callback(n)
		}
	}
	children := o.get("routes")
	if children != nil && o.has("go_on") {
		o.conflict("routes", "routes cannot stand beside go_on")
	}
	if children != nil && depth > maxDepth {
		c.errorf(children, CodeLimit, "routes are nested deeper than %d", maxDepth)
		return r
	}
	r.Children = c.siblings(children, path, depth)
	return r
}

// relaxAfter reads when the need beside it is firm no longer; nil when it is
// for good.
func (c *compiler) relaxAfter(o *object) *time.Duration {
	n := o.get("relax_after")
	if n == nil {
		return nil
	}
	if !o.has("need") {
		c.errorf(n, CodeConflict, "%s: there is no need beside it that could be firm", n.label())
	}
	d := c.duration(n, 0, time.Hour, 0)
	return &d
}

// siblings reads the nodes below one node.
func (c *compiler) siblings(n *node, path string, depth int) []*rule.Node {
	var out []*rule.Node
	names := map[string]bool{}
	var catcher *rule.Node
	for _, item := range c.list(n, 0) {
		name := routeName(item)
		full := name
		if path != "" {
			full = path + "/" + name
		}
		repath(item, item.path, "route."+full)
		o := c.object(item.in("route " + full))
		if o.bad {
			continue
		}
		node := c.routeNode(o, full, depth+1)
		if nn := o.must("name"); nn != nil && node.Name != "" {
			if names[node.Name] {
				c.errorf(nn, CodeDuplicate, "name: %s is already taken by a sibling", node.Name)
			}
			names[node.Name] = true
		}
		o.close()
		if catcher != nil {
			c.shadowed[node] = catcher
		} else if !o.has("when") && !node.GoOn {
			catcher = node
		}
		out = append(out, node)
	}
	return out
}

// repath gives a node and what is below it a path that says the route's name
// instead of its number.
func repath(n *node, from, to string) {
	n.path = to + strings.TrimPrefix(n.path, from)
	for _, p := range n.pairs {
		repath(p.value, from, to)
	}
	for _, item := range n.items {
		repath(item, from, to)
	}
}

// routeName is the name of a node for messages, before it is read.
func routeName(n *node) string {
	for _, p := range n.pairs {
		if p.key == "name" && p.value.kind == kindScalar && nameForm.MatchString(p.value.text) {
			return p.value.text
		}
	}
	return "?"
}

// routeCondition reads when, go_on and set.
func (c *compiler) routeCondition(o *object, r *rule.Node) {
	if n := o.get("when"); n != nil {
		r.When = c.condition(n)
	}
	if r.GoOn = c.flag(o.get("go_on"), false); r.GoOn {
		for _, p := range o.pairs {
			if !slices.Contains([]string{"name", "when", "set", "go_on", "routes"}, p.key) {
				c.add(p.line, p.col, CodeConflict, o.where, "%s cannot stand beside go_on: such a route only sets something", p.key)
			}
		}
	}
	if n := o.get("set"); n != nil {
		s := c.object(n)
		if v := s.get("language"); v != nil {
			if code := c.language(v); c.known(v, "language", code, c.names.languages) {
				r.SetLanguage = code
			}
		}
		if v := s.get("topic"); v != nil {
			r.SetTopic = c.reference(v, "topic", c.names.topics)
		}
		if v := s.get("tag"); v != nil {
			r.SetTag = c.name(v)
		}
		s.close()
	}
}

// routeTarget reads queue, then, agent and prefer.
func (c *compiler) routeTarget(o *object, r *rule.Node) {
	if n := o.get("queue"); n != nil {
		r.Queue = c.reference(n, "queue", c.names.queues)
	}
	o.together("queue", "then")
	if n := o.get("then"); n != nil {
		t := c.action(n)
		r.Then = &t
		if t.Callback {
			c.errorf(n, CodeConflict, "%s: a callback is offered in a queue, and then leads to none", n.label())
		}
		for _, key := range []string{"routes", "need", "priority", "priority_add", "prefer", "agent"} {
			o.conflict(key, "%s has no meaning beside then", key)
		}
	}
	r.Prefer = c.prefer(o.get("prefer"))
	if n := o.get("agent"); n != nil {
		id := c.reference(n, "agent", c.names.agents)
		r.Prefer = []rule.Prefer{{Who: id, Wait: 20 * time.Second}}
		if !o.has("queue") && !o.has("then") {
			c.errorf(n, CodeMissing, "agent needs a queue beside it, where the call waits")
		}
	}
	o.together("agent", "prefer")
}

// condition compiles a when and puts its error where it stands in the file.
func (c *compiler) condition(n *node) *rule.Condition {
	if c.rules == nil {
		c.rules = rule.NewCompiler(c.conditionOptions())
	}
	return c.compiled(n, c.rules)
}

// waitingCondition compiles a when about a call that waits: it may ask queue.,
// the queue's figures.
func (c *compiler) waitingCondition(n *node) *rule.Condition {
	if c.waitingRules == nil {
		o := c.conditionOptions()
		o.OwnQueue = true
		c.waitingRules = rule.NewCompiler(o)
	}
	return c.compiled(n, c.waitingRules)
}

func (c *compiler) compiled(n *node, rules *rule.Compiler) *rule.Condition {
	src, ok := c.scalar(n, "a condition")
	if !ok {
		return nil
	}
	cond, err := rules.Compile(src)
	if err == nil {
		return cond
	}
	var se *rule.SyntaxError
	if !errors.As(err, &se) {
		c.errorf(n, "X101", "when: %s", oneLine(err.Error()))
		return nil
	}
	msg := oneLine(se.Msg)
	line, col := c.locate(n, offsetOf(src, se.Line, se.Col))
	if n.style == styleFolded {
		c.add(line, col, conditionCode(se.Code, msg), n.where, "at %d:%d of the condition: %s", se.Line, se.Col, msg)
		return nil
	}
	c.add(line, col, conditionCode(se.Code, msg), n.where, "%s", msg)
	return nil
}

// offsetOf turns line and column of a text, both from 1, into a count of
// characters from 0.
func offsetOf(s string, line, col int) int {
	offset := 0
	for text := range strings.SplitSeq(s, "\n") {
		if line--; line == 0 {
			return offset + col - 1
		}
		offset += len([]rune(text)) + 1
	}
	return offset
}

// conditionCode sorts the compiler's messages under the lint table's codes.
func conditionCode(code, msg string) string {
	switch {
	case code != "":
		return code
	case strings.Contains(msg, "is not supported yet"):
		return CodeUnsupported
	case strings.Contains(msg, "is not declared"):
		return "X103"
	case strings.Contains(msg, "neither an E.164 number"), strings.Contains(msg, "is not an E.164 number"):
		return "X105"
	}
	return "X101"
}
