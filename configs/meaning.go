package configs

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// Changes says what differs between two documents by meaning, one line a change
// and in a fixed order: "queue billing: step 2 20s -> 30s". How a document is
// written (order of keys, comments, 60s or 1m, a default said or left out)
// makes no difference.
func Changes(from, to *routing.Policy) []string {
	d := &meaning{}
	a, b := reflect.ValueOf(*from), reflect.ValueOf(*to)
	for i := range a.NumField() {
		switch name := a.Type().Field(i).Name; name {
		case "Version", "SHA256", "Predicates", "keys": // what conditions ask is said with them
		case "made", "order", "ordered": // what Prepare makes of the routes and the agents
		case "Regions":
			d.section(name, reflect.ValueOf(from.Regions.All()), reflect.ValueOf(to.Regions.All()))
		case "Route":
			d.routes(from.Route, to.Route)
		default:
			d.section(name, a.Field(i), b.Field(i))
		}
	}
	return d.said
}

type meaning struct{ said []string }

func (d *meaning) say(thing, what string) {
	line := strings.TrimSpace(what)
	switch {
	case thing != "" && line != "":
		line = thing + ": " + line
	case thing != "":
		line = thing
	}
	d.said = append(d.said, line)
}

// section compares a part of the document: named things one by one.
func (d *meaning) section(name string, a, b reflect.Value) {
	if a.Kind() != reflect.Map {
		d.differ("", words(name), a, b)
		return
	}
	one := map[string]string{"Sets": "disposition set", "SkillTitles": "skill", "Queues": "queue", "Calendars": "calendar"}[name]
	if one == "" {
		one = strings.TrimSuffix(words(name), "s")
	}
	keys := map[string]reflect.Value{}
	for _, m := range []reflect.Value{a, b} {
		for _, k := range m.MapKeys() {
			keys[k.String()] = k
		}
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		x, y := a.MapIndex(keys[key]), b.MapIndex(keys[key])
		switch {
		case !x.IsValid():
			d.say(one+" "+key, "new")
		case !y.IsValid():
			d.say(one+" "+key, "gone")
		default:
			d.differ(one+" "+key, "", x, y)
		}
	}
}

// routes compares the tree by the paths of its routes.
func (d *meaning) routes(a, b *rule.Node) {
	from, to := map[string]*rule.Node{}, map[string]*rule.Node{}
	before, after := branches(from, a, ""), branches(to, b, "")
	for _, path := range before {
		if to[path] == nil {
			d.say("route "+path, "gone")
		}
	}
	for _, path := range after {
		x := from[path]
		if x == nil {
			d.say("route "+path, "new")
			continue
		}
		left, right := *x, *to[path]
		left.Children, right.Children = nil, nil
		d.differ("route "+path, "", reflect.ValueOf(left), reflect.ValueOf(right))
	}
	stays := func(other map[string]*rule.Node) func(string) bool {
		return func(path string) bool { return other[path] == nil }
	}
	if before, after = slices.DeleteFunc(before, stays(to)), slices.DeleteFunc(after, stays(from)); !slices.Equal(before, after) {
		d.say("route", "another order: "+strings.Join(before, ", ")+" -> "+strings.Join(after, ", "))
	}
}

// branches lists the paths of a tree, from the top.
func branches(into map[string]*rule.Node, n *rule.Node, parent string) []string {
	if n == nil {
		return nil
	}
	path := n.Name
	switch parent {
	case "":
		path = "root"
	case "root":
	default:
		path = parent + "/" + n.Name
	}
	into[path] = n
	out := []string{path}
	for _, child := range n.Children {
		out = append(out, branches(into, child, path)...)
	}
	return out
}

// differ compares two values of one thing.
func (d *meaning) differ(thing, at string, a, b reflect.Value) {
	if reflect.DeepEqual(a.Interface(), b.Interface()) {
		return
	}
	x, y := plain(a), plain(b)
	if x == "" && y == "" {
		switch a.Kind() {
		case reflect.Pointer:
			if !a.IsNil() && !b.IsNil() {
				d.differ(thing, at, a.Elem(), b.Elem())
				return
			}
		case reflect.Struct:
			d.fields(thing, at, a, b)
			return
		case reflect.Slice, reflect.Array:
			d.items(thing, at, a, b)
			return
		}
		x, y = brief(a), brief(b)
	}
	if x != y {
		d.say(thing, fmt.Sprintf("%s %s -> %s", at, x, y))
	}
}

func (d *meaning) fields(thing, at string, a, b reflect.Value) {
	for i := range a.NumField() {
		f := a.Type().Field(i)
		if !f.IsExported() {
			continue
		}
		name := at + " " + words(f.Name)
		if f.Name == "After" && at != "" {
			name = at // step 2 20s -> 30s
		}
		d.differ(thing, name, a.Field(i), b.Field(i))
	}
}

// items compares lists by place.
func (d *meaning) items(thing, at string, a, b reflect.Value) {
	first := 1
	if strings.HasSuffix(at, " steps") {
		first = 2 // step 1 is the queue's own need
	}
	one := strings.TrimSuffix(at, "s")
	for i := range max(a.Len(), b.Len()) {
		name := fmt.Sprintf("%s %d", one, i+first)
		if a.Kind() == reflect.Array && a.Len() == 7 {
			name = strings.ToLower(time.Weekday(i).String())
		}
		switch {
		case i >= a.Len():
			d.say(thing, name+" new: "+brief(b.Index(i)))
		case i >= b.Len():
			d.say(thing, name+" gone: "+brief(a.Index(i)))
		default:
			d.differ(thing, name, a.Index(i), b.Index(i))
		}
	}
}

// plain is a value that is said whole, "" for one to be looked into.
func plain(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return span(x)
	case *time.Location:
		if x == nil {
			return "none"
		}
		return x.String()
	case *rule.Condition:
		if x == nil {
			return "always"
		}
		return "'" + x.String() + "'"
	case rule.Need:
		return needSaid(x)
	case *rule.Need:
		if x == nil {
			return "as it is"
		}
		return needSaid(*x)
	case rule.Treatment:
		return treatmentSaid(x)
	case *rule.Treatment:
		if x == nil {
			return "none"
		}
		return treatmentSaid(*x)
	case []routing.Interval:
		return hoursSaid(x)
	case agents.Skills:
		var parts []string
		for _, s := range x {
			parts = append(parts, fmt.Sprintf("%s %d", s.Skill, s.Level))
		}
		return listSaid(parts)
	}
	switch v.Kind() {
	case reflect.Bool:
		return map[bool]string{true: "yes", false: "no"}[v.Bool()]
	case reflect.String:
		if v.String() == "" {
			return "none"
		}
		return v.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64, reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprint(v.Interface())
	case reflect.Pointer:
		if v.Type().Elem().Kind() == reflect.Int {
			if v.IsNil() {
				return "none"
			}
			return fmt.Sprint(v.Elem().Interface())
		}
	case reflect.Slice:
		if k := v.Type().Elem().Kind(); k == reflect.String || k == reflect.Int || k == reflect.Int64 {
			parts := make([]string, v.Len())
			for i := range parts {
				parts[i] = fmt.Sprint(v.Index(i).Interface())
			}
			return listSaid(parts)
		}
	case reflect.Map:
		var parts []string
		for _, k := range v.MapKeys() {
			key := k.String()
			if key != "" {
				key += " "
			}
			parts = append(parts, key+brief(v.MapIndex(k)))
		}
		slices.Sort(parts)
		return listSaid(parts)
	}
	return ""
}

// brief is a value on one line, without what says nothing.
func brief(v reflect.Value) string {
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return "none"
	}
	if s := plain(v); s != "" {
		return s
	}
	var parts []string
	switch v.Kind() {
	case reflect.Pointer:
		return brief(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !v.Field(i).IsZero() {
				parts = append(parts, words(f.Name)+" "+brief(v.Field(i)))
			}
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			parts = append(parts, brief(v.Index(i)))
		}
	}
	return listSaid(parts)
}

func listSaid(parts []string) string {
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// words is a name of Go as the document has it: AnswerWithin is answer_within.
func words(name string) string {
	if name == strings.ToUpper(name) {
		return strings.ToLower(name)
	}
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			b.WriteByte('_')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// span is a duration as the document writes it.
func span(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func needSaid(n rule.Need) string {
	var parts []string
	v := reflect.ValueOf(n)
	for i := range v.NumField() {
		f := v.Field(i)
		if !v.Type().Field(i).IsExported() || f.Kind() == reflect.Slice && f.IsNil() || f.IsZero() {
			continue
		}
		name := words(v.Type().Field(i).Name)
		switch x := f.Interface().(type) {
		case []agents.Range:
			parts = append(parts, name+" {"+ranges(x)+"}")
		case [][]agents.Range:
			sets := make([]string, len(x))
			for i := range x {
				sets[i] = "{" + ranges(x[i]) + "}"
			}
			parts = append(parts, name+" ["+strings.Join(sets, ", ")+"]")
		default:
			parts = append(parts, name+" ["+brief(f)+"]")
		}
	}
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, " ")
}

func ranges(list []agents.Range) string {
	parts := make([]string, len(list))
	for i, r := range list {
		parts[i] = fmt.Sprintf("%s: %d", r.Skill, r.Min)
		if r.Max > 0 {
			parts[i] = fmt.Sprintf("%s: %d..%d", r.Skill, r.Min, r.Max)
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func treatmentSaid(t rule.Treatment) string {
	var parts []string
	v := reflect.ValueOf(t)
	for i := range v.NumField() {
		if f := v.Field(i); v.Type().Field(i).IsExported() && !f.IsZero() {
			text := words(v.Type().Field(i).Name)
			if f.Kind() != reflect.Bool {
				text += " " + brief(f)
			}
			parts = append(parts, text)
		}
	}
	return listSaid(parts)
}

func hoursSaid(list []routing.Interval) string {
	if len(list) == 0 {
		return "closed"
	}
	parts := make([]string, len(list))
	for i, h := range list {
		parts[i] = fmt.Sprintf("%02d:%02d-%02d:%02d", h.From/60, h.From%60, h.To/60, h.To%60)
	}
	return strings.Join(parts, ", ")
}
