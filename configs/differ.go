package configs

import (
	"reflect"
	"slices"
	"strings"
)

// Differs names the keys, sorted, whose effect is another in another server
// file: sip.max_calls, sip.trunks.main.from.
func (s *Server) Differs(other *Server) []string {
	d := &differing{}
	d.structs("", reflect.ValueOf(*s), reflect.ValueOf(*other))
	slices.Sort(d.keys)
	return slices.Compact(d.keys)
}

type differing struct{ keys []string }

func under(path, key string) string {
	if path == "" || key == "" {
		return path + key
	}
	return path + "." + key
}

// structs compares what the fields' tags give a key.
func (d *differing) structs(path string, a, b reflect.Value) {
	for i := range a.NumField() {
		if key, ok := a.Type().Field(i).Tag.Lookup("key"); ok {
			d.values(under(path, key), a.Field(i), b.Field(i))
		}
	}
}

func (d *differing) values(path string, a, b reflect.Value) {
	trunks, ofTrunks := a.Interface().([]Trunk)
	pops, ofPops := a.Interface().([]Pops)
	senders, ofSenders := a.Interface().([]Sender)
	sources, ofSources := a.Interface().([]Source)
	switch {
	case ofTrunks:
		named(d, path, trunks, b.Interface().([]Trunk), func(t Trunk) string { return t.Name }, d.trust)
	case ofPops:
		named(d, path, pops, b.Interface().([]Pops), func(p Pops) string { return p.Name }, nil)
	case ofSenders:
		named(d, path, senders, b.Interface().([]Sender), func(p Sender) string { return p.Name }, nil)
	case ofSources:
		named(d, path, sources, b.Interface().([]Source), func(p Source) string { return p.Name }, nil)
	case a.Kind() == reflect.Pointer && !a.IsNil() && !b.IsNil():
		d.structs(path, a.Elem(), b.Elem())
	case a.Kind() == reflect.Struct && hasKeys(a.Type()):
		d.structs(path, a, b)
	case !reflect.DeepEqual(a.Interface(), b.Interface()):
		d.keys = append(d.keys, path)
	}
}

func hasKeys(t reflect.Type) bool {
	for i := range t.NumField() {
		if _, ok := t.Field(i).Tag.Lookup("key"); ok {
			return true
		}
	}
	return false
}

// named holds lists against each other by name; their order means nothing. more
// compares what no tag tells of.
func named[T any](d *differing, path string, a, b []T, name func(T) string, more func(path string, a, b T)) {
	find := func(list []T, wanted string) int {
		return slices.IndexFunc(list, func(t T) bool { return name(t) == wanted })
	}
	for _, t := range a {
		i := find(b, name(t))
		path := under(path, name(t))
		if i < 0 {
			d.keys = append(d.keys, path)
			continue
		}
		d.structs(path, reflect.ValueOf(t), reflect.ValueOf(b[i]))
		if more != nil {
			more(path, t, b[i])
		}
	}
	for _, t := range b {
		if find(a, name(t)) < 0 {
			d.keys = append(d.keys, under(path, name(t)))
		}
	}
}

// trust compares what a trunk is believed.
func (d *differing) trust(path string, a, b Trunk) {
	for key, same := range map[string]bool{
		"from":      slices.Equal(a.Trust.Sources, b.Trust.Sources),
		"headers":   slices.Equal(a.Trust.Headers, b.Trust.Headers),
		"diversion": a.Trust.Diversion == b.Trust.Diversion,
		"region":    strings.EqualFold(a.Trust.Region, b.Trust.Region),
	} {
		if !same {
			d.keys = append(d.keys, under(path, key))
		}
	}
}
