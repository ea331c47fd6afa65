package rule

import (
	"slices"

	"github.com/expr-lang/expr/ast"
)

// equality is a term like call.dnis == "150". Most routes are told apart by
// such terms, so they are looked at before the machine is started.
type equality struct {
	name  string
	field func(*Call) string
	want  string
}

var callFields = map[string]func(*Call) string{
	"kind":     func(c *Call) string { return c.Kind },
	"dnis":     func(c *Call) string { return c.DNIS },
	"trunk":    func(c *Call) string { return c.Trunk },
	"country":  func(c *Call) string { return c.Country },
	"language": func(c *Call) string { return c.Language },
	"choice":   func(c *Call) string { return c.Choice },
	"topic":    func(c *Call) string { return c.Topic },
	"region":   func(c *Call) string { return c.Region },
}

// equalities are the equalities among the top-level "and" terms; all says that
// there are no other terms.
func equalities(n ast.Node) (found []equality, all bool) {
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return nil, false
	}
	switch b.Operator {
	case "and", "&&":
		left, all1 := equalities(b.Left)
		right, all2 := equalities(b.Right)
		return slices.Concat(left, right), all1 && all2
	case "==":
		for _, side := range [][2]ast.Node{{b.Left, b.Right}, {b.Right, b.Left}} {
			if name, text := callField(side[0]), stringOf(side[1]); name != "" && text != nil {
				return []equality{{name, callFields[name], *text}}, true
			}
		}
	}
	return nil, false
}

// callField is the name of the call's field that a node reads, "" for another.
func callField(n ast.Node) string {
	m, ok := n.(*ast.MemberNode)
	if !ok || m.Optional {
		return ""
	}
	of, ok := m.Node.(*ast.IdentifierNode)
	name := stringOf(m.Property)
	if !ok || of.Value != "call" || name == nil || callFields[*name] == nil {
		return ""
	}
	return *name
}

// Field is the value of a call's text field by its name in conditions, "" for
// a name that is none.
func Field(c *Call, name string) string {
	if read := callFields[name]; read != nil {
		return read(c)
	}
	return ""
}

// Asks says which value of a call's field the condition needs to hold, if it
// can hold for no other.
func (c *Condition) Asks(field string) (want string, ok bool) {
	if c == nil {
		return "", false
	}
	for _, e := range c.equal {
		if e.name == field {
			return e.want, true
		}
	}
	return "", false
}

func stringOf(n ast.Node) *string {
	if s, ok := n.(*ast.StringNode); ok {
		return &s.Value
	}
	return nil
}
