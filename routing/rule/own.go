package rule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Types of a document's own fields of the customer.
const (
	TextField    = "text"
	PersonField  = "person" // text that names a person: read at the rim only
	IntegerField = "integer"
	FlagField    = "flag"
	ListField    = "list"
)

// FieldTypes lists the types that own fields may have.
var FieldTypes = []string{TextField, PersonField, IntegerField, FlagField, ListField}

// ownNames are the maps of the environment that hold own fields, by type.
var ownNames = map[string]string{
	TextField: "own_text", PersonField: "own_person", IntegerField: "own_integer", FlagField: "own_flag", ListField: "own_list",
}

// own makes customer.NAME of an own field a look-up in the map of its type, of
// which a name that is not there gives the missing value.
type own struct{ fields map[string]string }

// Visit implements ast.Visitor.
func (o own) Visit(n *ast.Node) {
	m, ok := (*n).(*ast.MemberNode)
	if !ok {
		return
	}
	base, isRoot := m.Node.(*ast.IdentifierNode)
	name := stringOf(m.Property)
	if !isRoot || base.Value != "customer" || name == nil || o.fields[*name] == "" {
		return
	}
	base.Value = ownNames[o.fields[*name]]
}

// Own is how a document's own fields are read from what a source says of them.
type Own struct {
	Texts    map[string]string
	Persons  map[string]string
	Integers map[string]int
	Flags    map[string]bool
	Lists    map[string][]string
}

// maxOwnList is how many entries of a list count.
const maxOwnList = 64

// ReadOwn reads own fields by their types: text, whole numbers and flags may
// also come as text, lists as text with ";" between. What is not of its type is
// missing, what is not declared is left out.
func ReadOwn(types map[string]string, from map[string]any) Own {
	o := Own{map[string]string{}, map[string]string{}, map[string]int{}, map[string]bool{}, map[string][]string{}}
	for name, kind := range types {
		v, there := from[name]
		if !there {
			continue
		}
		text, isText := v.(string)
		text = strings.TrimSpace(text)
		switch kind {
		case TextField, PersonField:
			to := o.Texts
			if kind == PersonField {
				to = o.Persons
			}
			if !isText {
				text = scalarText(v)
			}
			if text != "" {
				to[name] = text
			}
		case IntegerField:
			if n, ok := wholeOf(v, text); ok {
				o.Integers[name] = n
			}
		case FlagField:
			if yes, ok := flagOf(v, text); ok {
				o.Flags[name] = yes
			}
		case ListField:
			if list := listOf(v, text); len(list) > 0 {
				o.Lists[name] = list[:min(len(list), maxOwnList)]
			}
		}
	}
	return o
}

// scalarText writes a number or flag that came in the place of a text.
func scalarText(v any) string {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

func wholeOf(v any, text string) (int, bool) {
	switch v := v.(type) {
	case float64:
		return int(v), v == float64(int(v))
	case int64:
		return int(v), true
	case string:
		n, err := strconv.Atoi(text)
		return n, err == nil
	}
	return 0, false
}

func flagOf(v any, text string) (yes, ok bool) {
	if b, is := v.(bool); is {
		return b, true
	}
	switch strings.ToLower(text) {
	case "yes", "true", "1", "y":
		return true, true
	case "no", "false", "0", "n":
		return false, true
	}
	return false, false
}

func listOf(v any, text string) (out []string) {
	var items []string
	switch v := v.(type) {
	case string:
		items = strings.Split(text, listSeparator)
	case []any:
		for _, item := range v {
			if s, ok := item.(string); ok {
				items = append(items, s)
			}
		}
	}
	for _, s := range items {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// Customer puts the fields that may pass the rim into the attributes.
func (o Own) Customer(c *Customer) {
	c.Texts, c.Integers, c.Flags, c.Lists = some(o.Texts), some(o.Integers), some(o.Flags), some(o.Lists)
}

func some[V any](m map[string]V) map[string]V {
	if len(m) == 0 {
		return nil
	}
	return m
}

// ownField is how an own field of a type is filled in.
func ownField(name, kind string) field {
	switch kind {
	case TextField, PersonField:
		return field{put: func(e *Env, v any) {
			to := &e.Customer.Texts
			if kind == PersonField {
				to = &e.Persons
			}
			putIn(to, name, v.(string))
		}}
	case IntegerField:
		return field{low: -many, high: many, put: func(e *Env, v any) { putIn(&e.Customer.Integers, name, v.(int)) }}
	case FlagField:
		return field{yesNo: true, put: func(e *Env, v any) { putIn(&e.Customer.Flags, name, v.(bool)) }}
	case ListField:
		return field{listed: true, put: func(e *Env, v any) {
			var list []string
			if v != "" {
				list = strings.Split(v.(string), "\x00")
			}
			putIn(&e.Customer.Lists, name, list)
		}}
	}
	return field{}
}

func putIn[V any](m *map[string]V, name string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[name] = v
}

// fieldOf is how a name that conditions read is filled in: one of the language,
// or one of the document's own.
func fieldOf(name string, own map[string]string) field {
	if f, ok := studied[name]; ok {
		return f
	}
	if key, ok := strings.CutPrefix(name, "customer."); ok {
		return ownField(key, own[key])
	}
	return field{}
}

// hasOwn tells whether an own field is known.
func (e *Env) hasOwn(name string) bool {
	if v, ok := e.Customer.Texts[name]; ok {
		return v != ""
	}
	if v, ok := e.Persons[name]; ok {
		return v != ""
	}
	_, number := e.Customer.Integers[name]
	_, flag := e.Customer.Flags[name]
	return number || flag || len(e.Customer.Lists[name]) > 0
}

// BuiltIn says whether the language itself has customer.NAME.
func BuiltIn(name string) bool {
	f := fields["customer"]
	return slices.Contains(f.now, name) || slices.Contains(f.later, name)
}

// ownValue is what a condition would see of an own field, nil for one that is
// not known here.
func (e *Env) ownValue(name string) (value any, missing bool) {
	if v, ok := e.Customer.Texts[name]; ok {
		return v, false
	}
	if v, ok := e.Customer.Integers[name]; ok {
		return v, false
	}
	if v, ok := e.Customer.Flags[name]; ok {
		return v, false
	}
	if v, ok := e.Customer.Lists[name]; ok {
		return v, false
	}
	return nil, true
}
