package configs

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Limits of any configuration file. Routes eight deep, with a need in the
// deepest, take 22 levels of nesting.
const (
	maxFileSize = 8 << 20
	maxNesting  = 24
)

type kind int

const (
	kindScalar kind = iota
	kindNull
	kindMapping
	kindSequence
	kindBad // refused already; nothing more is said about it
)

type style int

const (
	stylePlain style = iota
	styleSingle
	styleDouble
	styleLiteral
	styleFolded
)

// node is a YAML value stripped to what these files may hold, with its place.
type node struct {
	kind      kind
	style     style
	text      string // of a scalar, decoded
	line, col int
	pairs     []pair
	items     []*node

	path  string // "queues.billing.ring.timeout"
	base  string // path of the thing it belongs to; labels are relative to it
	where string // that thing in words: "queue billing"
}

// pair is one entry of a mapping, in file order.
type pair struct {
	key       string
	line, col int
	value     *node
}

// in marks the node as the place that findings below it belong to.
func (n *node) in(where string) *node {
	n.where, n.base = where, n.path
	return n
}

// adopt hands the place down to a child.
func (n *node) adopt(child *node) *node {
	child.where, child.base = n.where, n.base
	return child
}

// label names the node relative to the thing it belongs to.
func (n *node) label() string {
	if n.base != "" {
		if rest, ok := strings.CutPrefix(n.path, n.base); ok && rest != "" {
			return strings.TrimPrefix(rest, ".")
		}
	}
	return n.path
}

// reader reads one file and collects everything that is wrong with it.
type reader struct {
	file     string
	lines    []string
	findings []Finding
	dropped  int          // findings past maxFindings
	secrets  map[int]bool // lines that may hold a password, of those looked at
	limit    int          // bytes of the file; 0: maxFileSize
	// asked is told every key that the program knows, built or not, as it looks
	// for it; nil when nobody listens. It keeps the guide honest.
	asked func(path string, supported bool)
}

// secret finds lines that may hold a password: no finding shows them.
var secret = regexp.MustCompile(`://[^/\s]*:[^/\s]*@|password"?\s*[=:]`)

func (r *reader) add(line, col int, code, where, format string, args ...any) {
	if len(r.findings) >= maxFindings {
		r.dropped++
		return
	}
	f := Finding{File: r.file, Line: line, Col: col, Code: code, Where: where, Msg: fmt.Sprintf(format, args...)}
	if line >= 1 && line <= len(r.lines) && !r.secret(line) {
		f.Source, f.Caret = excerpt(r.lines[line-1], col)
	}
	r.findings = append(r.findings, f)
}

// secret says whether a line may hold a password. One line may be the whole file,
// and hold many mistakes.
func (r *reader) secret(line int) bool {
	hidden, known := r.secrets[line]
	if !known {
		if r.secrets == nil {
			r.secrets = map[int]bool{}
		}
		hidden = secret.MatchString(r.lines[line-1])
		r.secrets[line] = hidden
	}
	return hidden
}

// errorf reports something about a node.
func (r *reader) errorf(n *node, code, format string, args ...any) {
	r.add(n.line, n.col, code, n.where, format, args...)
}

// result is the sorted list of findings.
func (r *reader) result() []Finding {
	out := sortFindings(r.findings)
	if r.dropped > 0 {
		last := out[len(out)-1]
		out = append(out, Finding{File: r.file, Line: last.Line, Col: last.Col, Code: CodeLimit,
			Msg: fmt.Sprintf("and %d more findings", r.dropped)})
	}
	return out
}

// parse turns the file into a tree, or reports why that cannot be done. It
// returns nil when there is no tree to go on with.
func (r *reader) parse(b []byte) *node {
	if limit := cmp.Or(r.limit, maxFileSize); len(b) > limit {
		r.add(1, 1, CodeLimit, "", "the file is larger than %d MiB", limit>>20)
		return nil
	}
	src, ok := r.clean(b)
	if !ok {
		return nil
	}
	file, ok := r.parseYAML(src)
	if !ok {
		return nil
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if dir, ok := d.Body.(*ast.DirectiveNode); ok {
			pos := dir.GetToken().Position
			r.add(pos.Line, pos.Column, CodeForbidden, "", "YAML directives are not allowed")
			continue
		}
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch {
	case len(bodies) == 0:
		r.add(1, 1, CodeSyntax, "", "the file is empty")
		return nil
	case len(bodies) > 1:
		line, col := place(bodies[1])
		r.add(line, col, CodeForbidden, "", "more than one document in a file is not allowed")
	}
	return r.convert(bodies[0], "")
}

// clean checks the bytes and evens out line ends, which the parser counts
// wrongly inside quotes. Line and column of everything stay as they are.
func (r *reader) clean(b []byte) (string, bool) {
	src := strings.TrimPrefix(string(b), "\ufeff")
	src = strings.ReplaceAll(src, "\r\n", "\n")
	r.lines = strings.Split(src, "\n")
	if strings.Contains(src, "\t") {
		src = tabless(r.lines)
	}
	ok := true
	for i, line := range r.lines {
		col := 0
		for at, c := range line {
			col++
			if c == utf8.RuneError {
				if _, size := utf8.DecodeRuneInString(line[at:]); size == 1 {
					r.lines[i] = strings.ToValidUTF8(line, "?")
					r.add(i+1, col, CodeSyntax, "", "the file is not UTF-8")
					return "", false
				}
			}
			if c != '\t' && (unicode.IsControl(c) || c == '\u2028' || c == '\u2029') {
				r.lines[i] = ""
				r.add(i+1, col, CodeSyntax, "", "control character %U is not allowed", c)
				ok = false
				break
			}
		}
	}
	return src, ok
}

// tabless puts a space for each tab that does not indent its line: the parser does
// not count them in columns. A tab within a text is a space as well.
func tabless(lines []string) string {
	out := make([]string, len(lines))
	for i, line := range lines {
		text := strings.TrimLeft(line, " \t")
		out[i] = line[:len(line)-len(text)] + strings.ReplaceAll(text, "\t", " ")
	}
	return strings.Join(out, "\n")
}

// parseYAML guards the parser: it bounds the nesting first, since the parser
// recurses, and turns a panic of the parser into a finding.
func (r *reader) parseYAML(src string) (file *ast.File, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			r.add(1, 1, CodeSyntax, "", "the file is not YAML that can be read")
			file, ok = nil, false
		}
	}()
	tokens := lexer.Tokenize(src)
	if !r.nestingOK(tokens) || !r.keysOK(tokens) {
		return nil, false
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		line, col, msg := 1, 1, err.Error()
		var e yaml.Error
		if errors.As(err, &e) {
			msg = e.GetMessage()
			if t := e.GetToken(); t != nil && t.Position != nil {
				line, col = t.Position.Line, t.Position.Column
			}
		}
		r.add(line, col, CodeSyntax, "", "not YAML: %s%s", oneLine(msg), r.syntaxHint(msg, line, col))
		return nil, false
	}
	return file, true
}

// syntaxHint says what is mostly meant where the parser refuses a line.
func (r *reader) syntaxHint(msg string, line, col int) string {
	if line < 1 || line > len(r.lines) {
		return ""
	}
	text := r.lines[line-1]
	indent := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	if strings.Contains(indent, "\t") {
		return ": a tab; indent with blanks"
	}
	if before, condition, ok := strings.Cut(text, "when: "); ok && len([]rune(before)) < col-1 && !strings.HasPrefix(condition, "'") {
		return ": a condition stands in single quotes, when: 'customer.segment in [\"gold\", \"key\"]'"
	}
	if strings.HasSuffix(msg, "must be specified") {
		return " before this: a bracket is open"
	}
	return ""
}

// nestingOK refuses a file nested far deeper than any could need, before the
// parser recurses into it. The exact limit is kept by convert.
func (r *reader) nestingOK(tokens token.Tokens) bool {
	const loose = 8 * maxNesting
	flow, dashes, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position != nil && t.Position.Line != line {
			line, dashes = t.Position.Line, 0
		}
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			flow++
		case token.MappingEndType, token.SequenceEndType:
			flow--
		case token.SequenceEntryType, token.MappingKeyType:
			dashes++
		}
		if flow > loose || dashes > loose {
			r.add(t.Position.Line, t.Position.Column, CodeLimit, "", "nested deeper than %d", maxNesting)
			return false
		}
	}
	return true
}

// keysOK refuses a mapping of more keys than any has: the parser recurses into
// each, and a stack that is too deep ends the program.
func (r *reader) keysOK(tokens token.Tokens) bool {
	keys := map[int]int{} // by column, of the mapping that is open there
	last := 0
	for _, t := range tokens {
		if t.Type != token.MappingValueType || t.Prev == nil || t.Prev.Position == nil {
			continue
		}
		at := t.Prev.Position
		if at.Column < last {
			for column := range keys {
				if column > at.Column {
					delete(keys, column)
				}
			}
		}
		last = at.Column
		if keys[at.Column]++; keys[at.Column] > maxAgents+maxNesting {
			r.add(at.Line, at.Column, CodeLimit, "", "more than %d keys in one place", maxAgents)
			return false
		}
	}
	return true
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// place is where a YAML node begins.
func place(n ast.Node) (line, col int) {
	switch v := n.(type) {
	case *ast.MappingNode:
		if !v.IsFlowStyle && len(v.Values) > 0 {
			return place(v.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return place(v.Key)
	}
	t := n.GetToken()
	if t == nil || t.Position == nil {
		return 1, 1
	}
	return t.Position.Line, t.Position.Column
}

// convert makes our node of the parser's, and refuses what these files may
// not hold.
func (r *reader) convert(n ast.Node, path string) *node {
	return r.convertAt(n, path, 1)
}

func (r *reader) convertAt(n ast.Node, path string, depth int) *node {
	line, col := place(n)
	out := &node{path: path, line: line, col: col}
	if depth > maxNesting {
		r.add(line, col, CodeLimit, "", "nested deeper than %d", maxNesting)
		out.kind = kindBad
		return out
	}
	switch v := n.(type) {
	case *ast.MappingNode:
		r.convertPairs(out, v.Values, depth)
	case *ast.MappingValueNode:
		r.convertPairs(out, []*ast.MappingValueNode{v}, depth)
	case *ast.SequenceNode:
		out.kind = kindSequence
		for i, item := range v.Values {
			out.items = append(out.items, r.convertAt(item, fmt.Sprintf("%s[%d]", path, i), depth+1))
		}
	case *ast.NullNode:
		out.kind = kindNull
	case *ast.LiteralNode:
		out.style = styleLiteral
		if v.Start != nil && v.Start.Type == token.FoldedType {
			out.style = styleFolded
		}
		if v.Value != nil {
			out.text = v.Value.Value
		}
	case *ast.StringNode:
		out.text = v.Value
		switch v.Token.Type {
		case token.SingleQuoteType:
			out.style = styleSingle
		case token.DoubleQuoteType:
			out.style = styleDouble
		}
	case *ast.AnchorNode, *ast.AliasNode:
		r.add(line, col, CodeForbidden, "", "YAML anchors and aliases are not allowed")
		out.kind = kindBad
	case *ast.TagNode:
		r.add(line, col, CodeForbidden, "", "YAML tags are not allowed")
		out.kind = kindBad
	default: // numbers, flags and the like: their text as it stands
		if t := n.GetToken(); t != nil {
			out.text = t.Value
		}
	}
	return out
}

func (r *reader) convertPairs(out *node, values []*ast.MappingValueNode, depth int) {
	out.kind = kindMapping
	seen := make(map[string]int, len(values))
	for _, v := range values {
		line, col := place(v.Key)
		key, ok := keyText(v.Key)
		if !ok {
			r.add(line, col, CodeForbidden, "", "a key must be a plain or quoted word")
			continue
		}
		path := key
		if out.path != "" {
			path = out.path + "." + key
		}
		if first, dup := seen[key]; dup {
			r.add(line, col, CodeDuplicate, "", "%s is already given on line %d", path, first)
			continue
		}
		seen[key] = line
		value := r.convertAt(v.Value, path, depth+1)
		if value.kind == kindNull {
			value.line, value.col = line, col
		}
		out.pairs = append(out.pairs, pair{key: key, line: line, col: col, value: value})
	}
}

func keyText(k ast.MapKeyNode) (string, bool) {
	switch v := k.(type) {
	case *ast.StringNode:
		return v.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return k.GetToken().Value, true
	}
	return "", false
}
