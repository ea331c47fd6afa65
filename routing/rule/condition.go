package rule

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

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

// Limits of one condition (routing document, section 14).
const (
	maxChars = 1000
	maxNodes = 200
)

// CompileOptions names what a condition may mention: a literal compared with a
// segment, queue, calendar, agent or topic must be one of these.
type CompileOptions struct {
	Segments, Queues, Calendars, Agents, Topics, Languages, Regions []string
	// ShortCodes are dialled numbers that are not E.164.
	ShortCodes []string
	// AgentsElsewhere says that the agents stand in a directory that is not
	// known here, so that their ids cannot be checked.
	AgentsElsewhere bool
	// Fields are the document's own fields of the customer, with their types.
	Fields map[string]string
	// Predicates gathers what conditions ask of the rim, for several compilers of
	// one version; nil: the compiler's own.
	Predicates *Predicates
	// OwnQueue allows queue.FIGURE, of the queue that a call waits in: routes
	// are read before there is one.
	OwnQueue bool
}

// SyntaxError is a condition that cannot be used, and where. Line and Col
// count from 1 within the expression; Col counts characters.
type SyntaxError struct {
	Line, Col int
	Msg       string
	Code      string // of the finding, where it has one of its own
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%d:%d: %s", e.Line, e.Col, e.Msg) }

// Condition is a compiled when. It is never changed and may be shared.
type Condition struct {
	src      string
	program  *vm.Program
	config   *conf.Config
	fields   map[string]string // own ones
	rims     *Predicates
	rewrites *Compiler // as it was compiled; numbers no new predicates
	customer bool      // reads customer.
	past     bool      // reads what the ledger says of the caller's other calls
	own      bool      // reads queue.
	queues   []string  // read through queues.NAME, sorted
	terms    []*Condition
	equal    []equality // all must hold
	simple   bool       // there is nothing else to it
}

// String is the source text.
func (c *Condition) String() string { return c.src }

// ReadsCustomer says that the answer can hang on the customer's record.
func (c *Condition) ReadsCustomer() bool { return c.customer }

// ReadsPast says that the answer can hang on the caller's other calls.
func (c *Condition) ReadsPast() bool { return c.past }

// Awaits says that the answer can hang on what is looked up when a call comes:
// the customer's record, and the caller's other calls.
func (c *Condition) Awaits() bool { return c.customer || c.past }

// ReadsOwn says that the condition reads queue., the figures of the queue that
// the call waits in.
func (c *Condition) ReadsOwn() bool { return c.own }

// Queues lists the queues whose figures the condition reads.
func (c *Condition) Queues() []string { return c.queues }

// Terms are the condition's top-level "and" terms that do not await the
// look-ups: all of them must hold whatever these say.
func (c *Condition) Terms() []*Condition { return c.terms }

// Eval answers the condition. It cannot fail: should the machine refuse all
// the same, the answer is false and env.Errors rises.
func (c *Condition) Eval(env *Env) bool {
	for _, e := range c.equal {
		if e.field(&env.Call) != e.want {
			return false
		}
	}
	if c.simple {
		return true
	}
	env.rims = c.rims
	out, err := env.machine.Run(c.program, env.scope())
	if err != nil {
		env.Errors++
		return false
	}
	ok, isBool := out.(bool)
	return isBool && ok
}

// Compiler compiles the conditions of one document. It serves one goroutine.
type Compiler struct {
	opts       CompileOptions
	config     *conf.Config
	rimConfig  *conf.Config
	predicates *Predicates
	closed     bool // no further predicates
	asClosed   *Compiler
}

// NewCompiler makes a compiler of conditions that may mention what the options
// name.
func NewCompiler(o CompileOptions) *Compiler {
	if o.Predicates == nil {
		o.Predicates = &Predicates{}
	}
	if o.Predicates.by == nil {
		o.Predicates.by = map[string]int{}
	}
	return &Compiler{
		opts: o, config: configOf(append([]expr.Option{expr.Env(&scope{})}, options()...)), rimConfig: rimConfig(), predicates: o.Predicates,
	}
}

// frozen is the compiler for those who look at conditions afterwards: all their
// predicates are numbered.
func (k *Compiler) frozen() *Compiler {
	if k.asClosed == nil {
		v := *k
		v.closed = true
		k.asClosed = &v
	}
	return k.asClosed
}

// Compile checks a condition and makes it ready to run. The error is always a
// *SyntaxError.
func Compile(src string, o CompileOptions) (*Condition, error) { return NewCompiler(o).Compile(src) }

// Compile checks a condition and makes it ready to run. The error is always a
// *SyntaxError.
func (k *Compiler) Compile(src string) (*Condition, error) {
	c, terms, err := k.compile(src)
	if err != nil {
		return nil, err
	}
	for _, term := range terms {
		// A term that does not print back into a condition is left to the whole.
		if t, _, err := k.compile(term); err == nil && !t.Awaits() {
			c.terms = append(c.terms, t)
		}
	}
	return c, nil
}

// compile gives the condition, and its top-level and-terms that do not read the
// customer when it does itself: a call which fails one of them need not wait
// for the record.
func (k *Compiler) compile(src string) (c *Condition, terms []string, err error) {
	if n := utf8.RuneCountInString(src); n > maxChars {
		return nil, nil, &SyntaxError{Line: 1, Col: 1, Msg: fmt.Sprintf("condition of %d characters, at most %d", n, maxChars)}
	}
	tree, err := parser.ParseWithConfig(src, k.config)
	if err != nil {
		return nil, nil, syntaxError(src, err)
	}
	w := &names{src: src, opts: k.opts}
	w.visit(tree.Node)
	if w.err != nil {
		return nil, nil, w.err
	}
	c = &Condition{src: src, customer: w.customer, past: w.past, own: w.own, config: k.config, fields: k.opts.Fields, rims: k.predicates, rewrites: k.frozen()}
	if c.Awaits() { // what follows writes another tree
		terms = k.freeTerms(tree.Node)
	}
	if err := k.check(src, tree); err != nil {
		return nil, nil, err
	}
	c.equal, c.simple = equalities(tree.Node)
	slices.Sort(w.queues)
	c.queues = slices.Compact(w.queues)
	if err := optimizer.Optimize(&tree.Node, k.config); err != nil {
		return nil, nil, syntaxError(src, err)
	}
	if c.program, err = compiler.Compile(tree, k.config); err != nil {
		return nil, nil, syntaxError(src, err)
	}
	return c, terms, nil
}

// check finds out the types, and takes out what is answered at the rim.
func (k *Compiler) check(src string, tree *parser.Tree) error {
	if len(k.opts.Fields) > 0 {
		ast.Walk(&tree.Node, own{k.opts.Fields})
	}
	if _, err := checker.Check(tree, k.rimConfig); err != nil {
		return syntaxError(src, err)
	}
	t := &typing{src: src}
	t.visit(tree.Node)
	if t.err != nil {
		return t.err
	}
	c := &cutter{k: k, src: src}
	c.cut(&tree.Node)
	if c.err != nil {
		return c.err
	}
	if _, err := checker.Check(tree, k.config); err != nil {
		return syntaxError(src, err)
	}
	return nil
}

func (k *Compiler) freeTerms(n ast.Node) []string {
	b, ok := n.(*ast.BinaryNode)
	if ok && (b.Operator == "and" || b.Operator == "&&") {
		return append(k.freeTerms(b.Left), k.freeTerms(b.Right)...)
	}
	w := &names{opts: k.opts}
	if w.visit(n); w.err != nil || w.customer || w.past {
		return nil
	}
	return []string{n.String()}
}

// kept are the built-ins a condition may use: they cannot fail on the types
// that the environment holds, and cannot loop.
var kept = []string{"any", "all", "none", "one", "count", "len", "lower", "upper", "trim", "hasPrefix", "hasSuffix", "min", "max", "abs"}

func options() []expr.Option {
	opts := []expr.Option{
		expr.AsBool(), expr.WarnOnAny(), expr.MaxNodes(maxNodes), expr.DisableIfOperator(), expr.DisableAllBuiltins(),
	}
	for _, name := range kept {
		opts = append(opts, expr.EnableBuiltin(name))
	}
	return opts
}

// configOf is what expr.Compile makes of the options.
func configOf(options []expr.Option) *conf.Config {
	c := conf.CreateNew()
	for _, o := range options {
		o(c)
	}
	for name := range c.Disabled {
		delete(c.Builtins, name)
	}
	c.Check()
	return c
}

func syntaxError(src string, err error) *SyntaxError {
	var fe *file.Error
	if errors.As(err, &fe) {
		line, col := position(src, fe.From)
		return &SyntaxError{Line: line, Col: col, Msg: plainly(strings.ReplaceAll(fe.Message, "rule.rim", "rule."))}
	}
	var se *SyntaxError
	if errors.As(err, &se) {
		return se
	}
	return &SyntaxError{Line: 1, Col: 1, Msg: err.Error()}
}

// plainly says what to do where the library's words do not.
func plainly(msg string) string {
	switch {
	case msg == `unexpected token Operator("=")`:
		return "a comparison is written ==, not ="
	case strings.HasSuffix(msg, "(mismatched types int and string)"), strings.HasSuffix(msg, "(mismatched types string and int)"):
		return msg + ": numbers stand without quotes, durations as whole seconds"
	}
	return msg
}

// position turns a rune offset into line and column, both from 1.
func position(src string, offset int) (line, col int) {
	line, col = 1, 1
	for i, r := range []rune(src) {
		if i >= offset {
			break
		}
		if r == '\n' {
			line, col = line+1, 1
		} else {
			col++
		}
	}
	return line, col
}

// typing refuses what would leave a value's type open until it runs, so that
// nothing can fail then.
type typing struct {
	src string
	err *SyntaxError
}

func (t *typing) fail(n ast.Node, format string, args ...any) {
	if t.err == nil {
		line, col := position(t.src, n.Location().From)
		t.err = &SyntaxError{Line: line, Col: col, Msg: fmt.Sprintf(format, args...)}
	}
}

func (t *typing) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.ConditionalNode:
		if n.Exp1.Type() != n.Exp2.Type() {
			t.fail(n, "both sides of ?: must be of one type")
		}
	case *ast.ArrayNode:
		for _, e := range n.Nodes {
			if e.Type() != n.Nodes[0].Type() {
				t.fail(e, "a list must hold values of one type")
			}
		}
	case *ast.BuiltinNode:
		t.builtin(n)
	case *ast.BinaryNode:
		if n.Operator == "in" && n.Right.Type().Kind() != reflect.Slice && n.Right.Type().Kind() != reflect.Array {
			t.fail(n.Right, "in needs a list on its right")
		}
	case *ast.PointerNode:
		if n.Type().Kind() == reflect.Interface {
			t.fail(n, "a predicate needs a list of one type")
		}
	}
	for _, c := range children(n) {
		t.visit(c)
	}
}

func (t *typing) builtin(n *ast.BuiltinNode) {
	switch n.Name {
	case "min", "max":
		if len(n.Arguments) < 2 {
			t.fail(n, "%s needs two or more numbers", n.Name)
		}
		for _, a := range n.Arguments {
			if !isInt(a) {
				t.fail(a, "%s takes numbers only", n.Name)
			}
		}
	case "abs":
		if len(n.Arguments) == 1 && !isInt(n.Arguments[0]) {
			t.fail(n, "abs takes a number")
		}
	}
}

func isInt(n ast.Node) bool {
	k := n.Type().Kind()
	return k == reflect.Int || k == reflect.Int64
}

// children lists the nodes below one node, in reading order.
func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.MemberNode:
		return []ast.Node{n.Node, n.Property}
	case *ast.SliceNode:
		return []ast.Node{n.Node}
	case *ast.CallNode:
		return append([]ast.Node{n.Callee}, n.Arguments...)
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.PredicateNode:
		return []ast.Node{n.Node}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.VariableDeclaratorNode:
		return []ast.Node{n.Value, n.Expr}
	case *ast.SequenceNode:
		return n.Nodes
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.MapNode:
		return n.Pairs
	case *ast.PairNode:
		return []ast.Node{n.Key, n.Value}
	}
	return nil
}
