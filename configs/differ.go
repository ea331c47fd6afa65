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
	before, ofTrunks := a.Interface().([]Trunk)
	switch {
	case ofTrunks:
		d.trunks(path, before, b.Interface().([]Trunk))
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

// trunks are held against each other by name; their order means nothing.
func (d *differing) trunks(path string, a, b []Trunk) {
	named := func(list []Trunk, name string) (Trunk, bool) {
		i := slices.IndexFunc(list, func(t Trunk) bool { return t.Name == name })
		if i < 0 {
			return Trunk{}, false
		}
		return list[i], true
	}
	for _, t := range a {
		other, ok := named(b, t.Name)
		path := under(path, t.Name)
		if !ok {
			d.keys = append(d.keys, path)
			continue
		}
		d.structs(path, reflect.ValueOf(t), reflect.ValueOf(other))
		for key, same := range map[string]bool{
			"from":      slices.Equal(t.Trust.Sources, other.Trust.Sources),
			"headers":   slices.Equal(t.Trust.Headers, other.Trust.Headers),
			"diversion": t.Trust.Diversion == other.Trust.Diversion,
			"region":    strings.EqualFold(t.Trust.Region, other.Trust.Region),
		} {
			if !same {
				d.keys = append(d.keys, under(path, key))
			}
		}
	}
	for _, t := range b {
		if _, ok := named(a, t.Name); !ok {
			d.keys = append(d.keys, under(path, t.Name))
		}
	}
}
