package rule

import (
	"reflect"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/parser"
)

// FirstFalse is the condition's first top-level "and" term that does not hold,
// written evenly; "" when all of them hold. Terms that read the customer come
// last when the record was not waited for: then it was another that decided. It
// compiles each term anew and is for those who explain, not for decisions.
func (c *Condition) FirstFalse(env *Env, recordFirst bool) string {
	tree, err := parser.ParseWithConfig(c.src, c.config)
	if err != nil { // it was compiled
		return c.src
	}
	terms := andTerms(tree.Node)
	later := ""
	for _, n := range terms {
		if c.termHolds(n.String(), env) {
			continue
		}
		if recordFirst || !readsCustomer(n) {
			return n.String()
		}
		if later == "" {
			later = n.String()
		}
	}
	return later
}

func (c *Condition) termHolds(src string, env *Env) bool {
	tree, err := parser.ParseWithConfig(src, c.config)
	if err != nil {
		return true // does not print back into a condition: the whole speaks for it
	}
	if err := c.rewrites.check(src, tree); err != nil {
		return true
	}
	program, err := compiler.Compile(tree, c.config)
	if err != nil {
		return true
	}
	env.rims = c.rims
	out, err := env.machine.Run(program, env.scope())
	holds, isBool := out.(bool)
	return err == nil && isBool && holds
}

func readsCustomer(n ast.Node) bool {
	if m, ok := n.(*ast.IdentifierNode); ok && m.Value == "customer" {
		return true
	}
	if s, ok := n.(*ast.StringNode); ok && strings.HasPrefix(s.Value, "customer.") { // has("customer.balance")
		return true
	}
	for _, c := range children(n) {
		if readsCustomer(c) {
			return true
		}
	}
	return false
}

// Fields lists the call. and customer. names that the condition reads, in order
// of mention.
func (c *Condition) Fields() (out []string) {
	for _, name := range c.Study().Reads {
		if strings.HasPrefix(name, "call.") || strings.HasPrefix(name, "customer.") {
			out = append(out, name)
		}
	}
	return out
}

// Value is what a condition would see under a name, such as call.dnis,
// queue.waiting or queues.care.open; nil for a name that is not one. missing says that it was not given, where that can be
// told.
func (e *Env) Value(name string) (value any, missing bool) {
	root, field, _ := strings.Cut(name, ".")
	scope := e.scope()
	var of reflect.Value
	switch root {
	case "call":
		of = reflect.ValueOf(scope.Call)
	case "customer":
		of = reflect.ValueOf(scope.Customer)
		missing = !e.Customer.Known && field != "known"
	case "queue":
		of = reflect.ValueOf(scope.Queue)
	case "time":
		of = reflect.ValueOf(scope.Time)
	case "queues":
		name, figure, _ := strings.Cut(field, ".")
		of, field = reflect.ValueOf(scope.Queues[name]), figure
	default:
		return nil, false
	}
	for _, f := range reflect.VisibleFields(of.Type()) {
		if f.Tag.Get("expr") == field && field != "-" {
			value = of.FieldByIndex(f.Index).Interface()
		}
	}
	if value == nil && root == "customer" {
		return e.ownValue(field)
	}
	if there := hasField[name]; there != nil {
		missing = !there(e)
	}
	return value, missing || value == Missing
}
