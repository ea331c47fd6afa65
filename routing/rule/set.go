package rule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// listSeparator stands between the entries of a list that is written as text.
const listSeparator = ";"

// Named says whether a condition may ask for call.NAME or customer.NAME: now,
// or once it is built.
func Named(root, name string) (now, later bool) {
	f := fields[root]
	return slices.Contains(f.now, name), slices.Contains(f.later, name)
}

// Set fills in one name of the call or the customer from text: numbers in
// decimal, flags true or false, lists with ";" between. "" is what is missing.
func (e *Env) Set(name, text string) error {
	if text == "" {
		return nil
	}
	f := fieldOf(name, e.Fields)
	if f.put != nil {
		return e.setOwn(strings.TrimPrefix(name, "customer."), text)
	}
	switch {
	case f.text != nil:
		*f.text(e) = text
		return nil
	case f.flag != nil:
		v, err := strconv.ParseBool(text)
		*f.flag(e) = v
		return named(name, err)
	case f.list != nil:
		*f.list(e) = strings.Split(text, listSeparator)
		return nil
	}
	v, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return named(name, err)
	case f.number != nil:
		*f.number(e) = v
		if short, _ := strings.CutPrefix(name, "customer."); v == 0 && slices.Contains(Zero, short) {
			e.Customer.Zeros = append(e.Customer.Zeros, short)
		}
	case name == "customer.balance":
		e.Customer.Balance = int64(v)
	default:
		return fmt.Errorf("unknown name %s", name)
	}
	return nil
}

// setOwn fills in one own field.
func (e *Env) setOwn(name, text string) error {
	o := ReadOwn(map[string]string{name: e.Fields[name]}, map[string]any{name: text})
	if len(o.Texts)+len(o.Persons)+len(o.Integers)+len(o.Flags)+len(o.Lists) == 0 {
		return fmt.Errorf("customer.%s: %q is no %s", name, text, e.Fields[name])
	}
	merge(&e.Customer.Texts, o.Texts)
	merge(&e.Persons, o.Persons)
	merge(&e.Customer.Integers, o.Integers)
	merge(&e.Customer.Flags, o.Flags)
	merge(&e.Customer.Lists, o.Lists)
	return nil
}

func merge[V any](to *map[string]V, from map[string]V) {
	for name, v := range from {
		putIn(to, name, v)
	}
}

func named(name string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// AndTerms are a condition's top-level and-terms, all of them; the condition
// alone when it has no others.
func (k *Compiler) AndTerms(c *Condition) []*Condition {
	tree, err := parser.ParseWithConfig(c.src, k.config)
	if err != nil {
		return []*Condition{c}
	}
	var out []*Condition
	for _, n := range andTerms(tree.Node) {
		term, _, err := k.compile(n.String())
		if err != nil {
			return []*Condition{c}
		}
		out = append(out, term)
	}
	return out
}

func andTerms(n ast.Node) []ast.Node {
	if b, ok := n.(*ast.BinaryNode); ok && (b.Operator == "and" || b.Operator == "&&") {
		return append(andTerms(b.Left), andTerms(b.Right)...)
	}
	return []ast.Node{n}
}
