package rule

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// Study is what a condition asks about: for those who look at a document, not
// at a call. Names are "call.dnis", "customer.segment", "queues.care.waiting",
// "time.weekday", "open:office" (a calendar) and "clock" (the time of day).
type Study struct {
	Condition *Condition
	Text      string   // written evenly: equal for conditions that differ in form only
	Reads     []string // names, in order of mention
	// Exact says that the telling values of the names answer the condition in
	// every way it can be answered.
	Exact bool
	// Money: a balance is compared; Currency: its currency is asked.
	Money, Currency bool
	// Field and Value are an equality that all else hangs on ("call.dnis",
	// "150"), "" when there is none.
	Field, Value string

	values map[string]*values
}

// values are what tells the answers of a condition apart, for one name.
type values struct {
	texts   []string
	numbers []int
	has     bool // it is asked whether the value is there
	listed  bool // texts are entries of a list
}

// Study reads the condition once more, for what it asks about.
func (c *Condition) Study() *Study {
	s := &Study{Condition: c, Text: c.src, Exact: true, values: map[string]*values{}}
	tree, err := parser.ParseWithConfig(c.src, c.config)
	if err != nil { // it was compiled
		s.Exact = false
		return s
	}
	s.Text = tree.Node.String()
	s.boolean(tree.Node)
	s.index(tree.Node)
	return s
}

func (s *Study) name(name string) *values {
	if !slices.Contains(s.Reads, name) {
		s.Reads = append(s.Reads, name)
	}
	v := s.values[name]
	if v == nil {
		v = &values{}
		s.values[name] = v
	}
	s.Currency = s.Currency || name == "customer.balance_currency"
	return v
}

// boolean reads a part of the condition that is true or false.
func (s *Study) boolean(n ast.Node) {
	switch n := n.(type) {
	case *ast.BoolNode:
	case *ast.UnaryNode:
		s.boolean(n.Node)
	case *ast.MemberNode:
		if name := fieldName(n); name != "" {
			s.name(name)
			return
		}
		s.rest(n)
	case *ast.CallNode:
		s.call(n)
	case *ast.BinaryNode:
		switch n.Operator {
		case "and", "&&", "or", "||":
			s.boolean(n.Left)
			s.boolean(n.Right)
		default:
			s.compare(n)
		}
	default:
		s.rest(n)
	}
}

// compare reads a field held against literals.
func (s *Study) compare(n *ast.BinaryNode) {
	left, right := n.Left, n.Right
	if fieldName(left) == "" && n.Operator != "in" {
		left, right = right, left
	}
	if list := fieldName(n.Right); n.Operator == "in" && list != "" {
		if text := stringOf(n.Left); text != nil {
			v := s.name(list)
			v.listed = true
			v.texts = append(v.texts, *text)
			return
		}
	}
	name := fieldName(left)
	if name == "" {
		s.rest(n)
		return
	}
	literals := []ast.Node{right}
	if list, ok := right.(*ast.ArrayNode); ok && n.Operator == "in" {
		literals = list.Nodes
	}
	v := s.name(name)
	for _, l := range literals {
		number, isNumber := integerOf(l)
		_, isBool := l.(*ast.BoolNode)
		text := stringOf(l)
		ordered := slices.Contains([]string{"<", "<=", ">", ">="}, n.Operator)
		switch {
		case isNumber && (ordered || n.Operator == "==" || n.Operator == "!=" || n.Operator == "in"):
			v.numbers = append(v.numbers, number)
			s.Money = s.Money || name == "customer.balance"
		case text != nil && (n.Operator == "==" || n.Operator == "!=" || n.Operator == "in"):
			v.texts = append(v.texts, *text)
		case isBool:
		default:
			s.rest(l)
			s.Exact = false
			if text != nil {
				v.texts = append(v.texts, *text)
			}
			s.Money = s.Money || name == "customer.balance"
		}
	}
}

func (s *Study) call(n *ast.CallNode) {
	callee, _ := n.Callee.(*ast.IdentifierNode)
	var words []string
	for _, a := range n.Arguments {
		if text := stringOf(a); text != nil {
			words = append(words, *text)
		}
	}
	switch {
	case callee == nil || len(words) != len(n.Arguments):
		s.rest(n)
	case callee.Value == "open":
		s.name("open:" + words[0])
	case callee.Value == "has" && words[0] == "customer.balance": // told by its currency
		asked := s.Currency
		s.name("customer.balance_currency").has = true
		s.Currency = asked
	case callee.Value == "has":
		s.name(words[0]).has = true
	case callee.Value == "between":
		v := s.name("clock")
		for _, w := range words {
			m, _ := clockMinutes(w)
			v.numbers = append(v.numbers, m)
		}
	}
}

// rest reads what is too clever to be told exactly: the names and literals all
// the same.
func (s *Study) rest(n ast.Node) {
	if fieldName(n) == "" && stringOf(n) == nil {
		if _, ok := integerOf(n); !ok {
			s.Exact = false
		}
	}
	if name := fieldName(n); name != "" {
		s.name(name)
		s.Money = s.Money || name == "customer.balance"
		return
	}
	if b, ok := n.(*ast.BuiltinNode); ok && len(b.Arguments) > 1 {
		if list := fieldName(b.Arguments[0]); list != "" {
			v := s.name(list)
			v.texts = append(v.texts, textsIn(b.Arguments[1])...)
		}
	}
	for _, c := range children(n) {
		if b, ok := c.(*ast.BinaryNode); ok {
			s.boolean(b)
			s.Exact = false
			continue
		}
		s.rest(c)
	}
}

// index finds an equality among the top-level and-terms.
func (s *Study) index(n ast.Node) {
	b, ok := n.(*ast.BinaryNode)
	if !ok {
		return
	}
	switch b.Operator {
	case "and", "&&":
		s.index(b.Left)
		s.index(b.Right)
	case "==":
		for _, side := range [][2]ast.Node{{b.Left, b.Right}, {b.Right, b.Left}} {
			name, text := fieldName(side[0]), stringOf(side[1])
			if text != nil && s.Field == "" && slices.Contains(indexed, name) {
				s.Field, s.Value = name, *text
			}
		}
	}
}

// indexed are the names whose equalities tell siblings apart (section 21).
var indexed = []string{"call.dnis", "call.trunk", "call.choice", "call.kind", "call.language", "customer.segment"}

// fieldName is the name that a node reads, "" when it is none. The hour is
// part of the clock.
func fieldName(n ast.Node) string {
	m, ok := n.(*ast.MemberNode)
	if !ok {
		return ""
	}
	field := stringOf(m.Property)
	if field == nil {
		return ""
	}
	switch base := m.Node.(type) {
	case *ast.IdentifierNode:
		return base.Value + "." + *field
	case *ast.MemberNode:
		if of := fieldName(base); strings.HasPrefix(of, "queues.") {
			return of + "." + *field
		}
	}
	return ""
}

// textsIn are the literals below a node.
func textsIn(n ast.Node) (out []string) {
	if text := stringOf(n); text != nil {
		return []string{*text}
	}
	for _, c := range children(n) {
		out = append(out, textsIn(c)...)
	}
	return out
}

func integerOf(n ast.Node) (int, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.UnaryNode:
		if v, ok := n.Node.(*ast.IntegerNode); ok && n.Operator == "-" {
			return -v.Value, true
		}
	}
	return 0, false
}

// TimeTerms are a condition's top-level and-terms that read the time and
// calendars only.
func (k *Compiler) TimeTerms(c *Condition) []*Condition {
	tree, err := parser.ParseWithConfig(c.src, k.config)
	if err != nil {
		return nil
	}
	return k.timeTerms(tree.Node)
}

func (k *Compiler) timeTerms(n ast.Node) []*Condition {
	if b, ok := n.(*ast.BinaryNode); ok && (b.Operator == "and" || b.Operator == "&&") {
		return append(k.timeTerms(b.Left), k.timeTerms(b.Right)...)
	}
	c, _, err := k.compile(n.String())
	if err != nil {
		return nil
	}
	reads := c.Study().Reads
	if len(reads) == 0 || slices.ContainsFunc(reads, func(name string) bool {
		return name != "clock" && !strings.HasPrefix(name, "open:") && !strings.HasPrefix(name, "time.")
	}) {
		return nil
	}
	return []*Condition{c}
}
