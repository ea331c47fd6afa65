package configs

import "slices"

// object reads the keys of one mapping. Every key that is asked for is known;
// close reports all others.
type object struct {
	*node
	r     *reader
	known []string
	used  map[string]bool
	bad   bool // not a mapping, reported already
}

// object opens a mapping. For nil, or anything that is no mapping (reported),
// it returns an object without keys, so that reading goes on with defaults.
func (r *reader) object(n *node) *object {
	o := &object{node: n, r: r, used: map[string]bool{}}
	if n == nil {
		o.node, o.bad = &node{kind: kindBad}, true
		return o
	}
	if n.kind != kindMapping {
		r.wrong(n, "want keys and values")
		o.bad = true
	}
	return o
}

// lookup finds a key, empty or not.
func (o *object) lookup(key string) (pair, bool) {
	if !slices.Contains(o.known, key) {
		o.known = append(o.known, key)
	}
	for _, p := range o.pairs {
		if p.key == key {
			o.used[key] = true
			o.adopt(p.value)
			return p, true
		}
	}
	return pair{}, false
}

// ask tells the listener, if there is one, which key is known here.
func (o *object) ask(key string, supported bool) {
	if o.r.asked == nil || o.bad {
		return
	}
	if o.path != "" {
		key = o.path + "." + key
	}
	o.r.asked(key, supported)
}

// get returns the value of a key that may be left out: nil when it is. A key
// without a value is refused.
func (o *object) get(key string) *node {
	o.ask(key, true)
	p, ok := o.lookup(key)
	if !ok {
		return nil
	}
	if p.value.kind == kindNull {
		o.r.add(p.line, p.col, CodeMissing, o.where, "%s has no value", p.value.label())
		return nil
	}
	return p.value
}

// must returns the value of a key that must be there.
func (o *object) must(key string) *node {
	n := o.get(key)
	if n == nil && !o.bad && !o.used[key] {
		label := key
		if l := o.label(); l != "" && o.base != o.path {
			label = l + "." + key
		}
		o.r.errorf(o.node, CodeMissing, "%s is missing", label)
	}
	return n
}

// later refuses keys of the language that are not built yet.
func (o *object) later(keys ...string) {
	for _, key := range keys {
		o.ask(key, false)
		if p, ok := o.lookup(key); ok {
			o.r.add(p.line, p.col, CodeUnsupported, "", "%s is not supported yet", p.value.path)
		}
	}
}

// has says whether the key stands there, with whatever value.
func (o *object) has(key string) bool {
	return slices.ContainsFunc(o.pairs, func(p pair) bool { return p.key == key })
}

// together refuses two keys beside each other.
func (o *object) together(a, b string) {
	if o.has(a) && o.has(b) {
		o.conflict(b, "%s cannot stand beside %s", b, a)
	}
}

// conflict reports a key that contradicts something else.
func (o *object) conflict(key, format string, args ...any) {
	for _, p := range o.pairs {
		if p.key == key {
			o.r.add(p.line, p.col, CodeConflict, o.where, format, args...)
		}
	}
}

// close reports the keys that nobody asked for.
func (o *object) close() {
	for _, p := range o.pairs {
		if o.used[p.key] {
			continue
		}
		o.adopt(p.value)
		o.r.add(p.line, p.col, CodeUnknown, o.where, "unknown key %s%s", p.value.label(), didYouMean(p.key, o.known))
	}
}

// list opens a sequence: its items, or nil for nil and for anything else
// (reported). max bounds its length; 0 is no bound.
func (r *reader) list(n *node, limit int) []*node {
	if n == nil {
		return nil
	}
	if n.kind != kindSequence {
		r.wrong(n, "want a list, such as [a, b]")
		return nil
	}
	out := make([]*node, 0, len(n.items))
	for i, item := range n.items {
		n.adopt(item)
		if limit > 0 && i == limit {
			r.errorf(item, CodeLimit, "%s: at most %d entries", n.label(), limit)
			break
		}
		if item.kind == kindNull {
			r.errorf(item, CodeMissing, "%s has no value", item.label())
			continue
		}
		out = append(out, item)
	}
	return out
}

// wrong reports a value that is not of the type wanted, unless something was
// already said about it.
func (r *reader) wrong(n *node, format string, args ...any) {
	if n.kind == kindBad {
		return
	}
	if label := n.label(); label != "" {
		format = "%s: " + format
		args = append([]any{label}, args...)
	}
	r.errorf(n, CodeValue, format, args...)
}
