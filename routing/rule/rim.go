package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker"
	"github.com/expr-lang/expr/compiler"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/optimizer"
	"github.com/expr-lang/expr/parser"
	"github.com/expr-lang/expr/vm"
)

// Names that stop at the rim (16), beside own fields of type person.
const (
	aniName      = "call.ani"
	customerName = "customer.id"
)

// Predicate is a part of conditions that reads what stays at the rim: it is
// answered there, and the engine sees the answer only. One that compares the
// caller's number or the customer's id with literals is answered by the engine
// itself, from keyed hashes.
type Predicate struct {
	Source string
	// Field is "call.ani" or "customer.id" for a comparison with Literals, "" for
	// any other. Differs: none of them is meant.
	Field    string
	Literals []string
	Differs  bool

	customer bool
	program  *vm.Program
}

// ReadsCustomer says that the answer can hang on the customer's record.
func (p *Predicate) ReadsCustomer() bool { return p.customer }

// Eval answers the predicate from what the rim knows.
func (p *Predicate) Eval(env *Env) bool {
	s := env.scope()
	view := rimScope{
		Call: rimCall{s.Call, env.ANI}, Customer: rimCustomer{s.Customer, env.CustomerID},
		Has: s.Has, Texts: s.Texts, Persons: env.Persons, Integers: s.Integers, Flags: s.Flags, Lists: s.Lists,
	}
	out, err := env.rimMachine.Run(p.program, &view)
	if err != nil {
		env.Errors++
		return false
	}
	yes, isBool := out.(bool)
	return isBool && yes
}

// Predicates are those of one version, numbered from 0.
type Predicates struct {
	list []*Predicate
	by   map[string]int
}

// List is all of them, by number.
func (p *Predicates) List() []*Predicate {
	if p == nil {
		return nil
	}
	return p.list
}

// rimScope is the environment with what stays at the rim.
type rimScope struct {
	Call     rimCall                   `expr:"call"`
	Customer rimCustomer               `expr:"customer"`
	Queues   map[string]QueueFigures   `expr:"queues"`
	Queue    OwnQueue                  `expr:"queue"`
	Time     Clock                     `expr:"time"`
	Open     func(string) bool         `expr:"open"`
	Between  func(string, string) bool `expr:"between"`
	Has      func(string) bool         `expr:"has"`
	Texts    map[string]string         `expr:"own_text"`
	Persons  map[string]string         `expr:"own_person"`
	Integers map[string]int            `expr:"own_integer"`
	Flags    map[string]bool           `expr:"own_flag"`
	Lists    map[string][]string       `expr:"own_list"`
}

type rimCall struct {
	Call
	ANI string `expr:"ani"`
}

type rimCustomer struct {
	Customer
	ID string `expr:"id"`
}

// rimConfig is config with the names of the rim.
func rimConfig() *conf.Config {
	return configOf(append([]expr.Option{expr.Env(&rimScope{})}, options()...))
}

// changing are the names that a predicate may not read: the rim does not have
// them, or they change while the call lives.
var changing = []string{"call.waited", "call.transfers", "call.from_queue", "call.offers", "call.topic", "call.language", "call.choice"}

// cutter takes the parts that read the rim out of a condition.
type cutter struct {
	k   *Compiler
	src string
	err *SyntaxError
}

// cut replaces the smallest closed parts of type bool below a node that read
// the rim, and says whether what is left still does.
func (c *cutter) cut(n *ast.Node) (reads bool) {
	if rimName(*n) != "" {
		return true
	}
	reads = c.hasPerson(*n)
	for _, below := range slots(*n) {
		reads = c.cut(below) || reads
	}
	if !reads || c.err != nil || !isBool(*n) || !closed(*n, nil, false) {
		return reads
	}
	if mixed := readsChanging(*n); mixed != "" {
		line, col := position(c.src, (*n).Location().From)
		c.err = &SyntaxError{Line: line, Col: col, Code: "X108", Msg: fmt.Sprintf("%s is read where the call comes in, and %s is not there: split them with and", firstRim(*n), mixed)}
		return false
	}
	i, err := c.k.predicate(*n)
	if err != nil {
		c.err = syntaxError(c.src, err)
		return false
	}
	call := &ast.CallNode{Callee: &ast.IdentifierNode{Value: "rim"}, Arguments: []ast.Node{&ast.IntegerNode{Value: i}}}
	call.SetLocation((*n).Location())
	*n = call
	return false
}

// hasPerson says that a node is has() of a field that names a person.
func (c *cutter) hasPerson(n ast.Node) bool {
	call, ok := n.(*ast.CallNode)
	if !ok || len(call.Arguments) != 1 {
		return false
	}
	callee, ok := call.Callee.(*ast.IdentifierNode)
	text := stringOf(call.Arguments[0])
	if !ok || callee.Value != "has" || text == nil {
		return false
	}
	name, own := strings.CutPrefix(*text, "customer.")
	return own && c.k.opts.Fields[name] == PersonField
}

// predicate numbers a part; equal parts of a version are one.
func (k *Compiler) predicate(n ast.Node) (int, error) {
	source := strings.ReplaceAll(n.String(), ownNames[PersonField]+".", "customer.")
	if i, known := k.predicates.by[source]; known {
		return i, nil
	}
	if k.closed {
		return 0, errors.New("a predicate that was not numbered")
	}
	p := &Predicate{Source: source}
	p.Field, p.Literals, p.Differs = comparison(n)
	walk(n, func(n ast.Node) {
		if name := fieldName(n); strings.HasPrefix(name, "customer.") || strings.HasPrefix(name, "own_") {
			p.customer = true
		}
		if call, ok := n.(*ast.CallNode); ok && len(call.Arguments) == 1 {
			text := stringOf(call.Arguments[0])
			p.customer = p.customer || text != nil && strings.HasPrefix(*text, "customer.")
		}
	})
	tree := &parser.Tree{Node: n, Source: file.NewSource(source)}
	if _, err := checker.Check(tree, k.rimConfig); err != nil {
		return 0, err
	}
	if err := optimizer.Optimize(&tree.Node, k.rimConfig); err != nil {
		return 0, err
	}
	var err error
	if p.program, err = compiler.Compile(tree, k.rimConfig); err != nil {
		return 0, err
	}
	i := len(k.predicates.list)
	k.predicates.list = append(k.predicates.list, p)
	k.predicates.by[source] = i
	return i, nil
}

// comparison tells a number or id compared with literals by ==, != or in.
func comparison(n ast.Node) (name string, literals []string, differs bool) {
	if u, ok := n.(*ast.UnaryNode); ok && (u.Operator == "not" || u.Operator == "!") {
		name, literals, differs = comparison(u.Node)
		return name, literals, !differs
	}
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return "", nil, false
	}
	left, right := b.Left, b.Right
	if b.Operator != "in" && stringOf(left) != nil {
		left, right = right, left
	}
	if name = fieldName(left); name != aniName && name != customerName {
		return "", nil, false
	}
	switch b.Operator {
	case "==", "!=":
		if text := stringOf(right); text != nil {
			return name, []string{*text}, b.Operator == "!="
		}
	case "in":
		list, ok := right.(*ast.ArrayNode)
		if !ok {
			return "", nil, false
		}
		for _, e := range list.Nodes {
			text := stringOf(e)
			if text == nil {
				return "", nil, false
			}
			literals = append(literals, *text)
		}
		return name, literals, false
	}
	return "", nil, false
}

// rimName is the name of the rim that a node reads, "" when it reads none.
func rimName(n ast.Node) string {
	name := fieldName(n)
	switch {
	case name == aniName || name == customerName:
		return name
	case strings.HasPrefix(name, ownNames[PersonField]+"."):
		return "customer." + strings.TrimPrefix(name, ownNames[PersonField]+".")
	}
	return ""
}

func firstRim(n ast.Node) (first string) {
	walk(n, func(n ast.Node) {
		if name := rimName(n); name != "" && first == "" {
			first = name
		}
	})
	return first
}

// readsChanging is the first name below a node that the rim does not have.
func readsChanging(n ast.Node) (first string) {
	walk(n, func(n ast.Node) {
		found := ""
		switch n := n.(type) {
		case *ast.MemberNode:
			name := fieldName(n)
			root, _, _ := strings.Cut(name, ".")
			if slices.Contains(changing, name) || root == "queue" || root == "queues" || root == "time" {
				found = name
			}
		case *ast.CallNode:
			if callee, ok := n.Callee.(*ast.IdentifierNode); ok && (callee.Value == "open" || callee.Value == "between") {
				found = callee.Value + "()"
			} else if text := stringOf(n.Arguments[0]); text != nil && slices.Contains(changing, *text) {
				found = *text
			}
		}
		if first == "" {
			first = found
		}
	})
	return first
}

// closed says that a node reads no name that is bound outside it: of a let, or
// the # of a predicate.
func closed(n ast.Node, lets []string, inside bool) bool {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return slices.Contains(lets, n.Value) || slices.Contains(rootNames, n.Value) || strings.HasPrefix(n.Value, "own_")
	case *ast.PointerNode:
		return inside
	case *ast.PredicateNode:
		return closed(n.Node, lets, true)
	case *ast.VariableDeclaratorNode:
		return closed(n.Value, lets, inside) && closed(n.Expr, append(slices.Clone(lets), n.Name), inside)
	}
	for _, c := range children(n) {
		if !closed(c, lets, inside) {
			return false
		}
	}
	return true
}

var rootNames = []string{"call", "customer", "queues", "queue", "time", "open", "between", "has", "rim"}

func isBool(n ast.Node) bool { return n.Type() != nil && n.Type().Kind().String() == "bool" }

func walk(n ast.Node, do func(ast.Node)) {
	do(n)
	for _, c := range children(n) {
		walk(c, do)
	}
}

// slots are the places of the nodes below one node that may be replaced.
func slots(n ast.Node) []*ast.Node {
	list := func(nodes []ast.Node) (out []*ast.Node) {
		for i := range nodes {
			out = append(out, &nodes[i])
		}
		return out
	}
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []*ast.Node{&n.Node}
	case *ast.BinaryNode:
		return []*ast.Node{&n.Left, &n.Right}
	case *ast.CallNode:
		return list(n.Arguments)
	case *ast.BuiltinNode:
		return list(n.Arguments)
	case *ast.PredicateNode:
		return []*ast.Node{&n.Node}
	case *ast.ConditionalNode:
		return []*ast.Node{&n.Cond, &n.Exp1, &n.Exp2}
	case *ast.VariableDeclaratorNode:
		return []*ast.Node{&n.Value, &n.Expr}
	case *ast.SequenceNode:
		return list(n.Nodes)
	case *ast.ArrayNode:
		return list(n.Nodes)
	}
	return nil
}
