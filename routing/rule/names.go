package rule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// fields is every name a condition may read, by its first word, with the names
// of the routing document that are not built yet.
var fields = map[string]struct{ now, later []string }{
	"call": {
		now: []string{"kind", "ani_known", "dnis", "trunk", "country", "language", "topic", "waited", "transfers", "region", "choice", "ani",
			"verified", "attestation", "from_queue", "offers", "calls_today", "abandoned_today", "abandoned_ago", "answered_ago"},
	},
	"customer": {
		now: []string{"known", "segment", "key_account", "language", "country", "churn_risk", "value", "balance", "balance_currency",
			"overdue_days", "open_tickets", "open_complaints", "products", "account_manager", "last_agent", "last_topic", "last_contact_days",
			"confidence", "contract_end_days", "usage_trend", "consent", "do_not_call", "fraud_flag", "birthday", "id"},
	},
	"queues": {
		now: []string{"waiting", "oldest", "available", "staffed", "talking", "open", "sl", "ewt", "ewt_known"},
	},
	"queue": {
		now: []string{"waiting", "oldest", "available", "staffed", "talking", "open", "sl", "ewt", "ewt_known", "position"},
	},
	"time": {now: []string{"hour", "minute", "weekday", "day", "month", "date", "holiday"}},
}

var (
	refusedOps = []string{"..", "/", "%", "**", "^", "??"}
	e164       = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)
	weekdays   = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	callKinds  = []string{"inbound", "callback", "transfer", "consult"}

	attestations = []string{"A", "B", "C"}
	consents     = []string{"phone", "mail", "sms", "recording"}
)

// pastFields are the fields of call. that are looked up in the ledger, while the
// record is (Past).
var pastFields = []string{"calls_today", "abandoned_today", "abandoned_ago", "answered_ago"}

// notInRoutes: routes are read before the call is in a queue.
const notInRoutes = "queue. is of a call that waits, and not known in routes: write queues.NAME."

// names walks an expression before its types are known: it refuses what
// section 14 forbids, names not built yet, and literals never declared.
type names struct {
	src      string
	opts     CompileOptions
	err      *SyntaxError
	lets     []string
	inside   bool // a predicate
	customer bool
	past     bool // reads what the ledger says of the caller's other calls
	own      bool // reads queue.
	queues   []string
}

func (w *names) fail(n ast.Node, format string, args ...any) {
	if w.err == nil {
		line, col := position(w.src, n.Location().From)
		w.err = &SyntaxError{Line: line, Col: col, Msg: fmt.Sprintf(format, args...)}
	}
}

func (w *names) visit(n ast.Node) {
	if w.err != nil || n == nil {
		return
	}
	switch n := n.(type) {
	case *ast.IdentifierNode:
		w.identifier(n)
		return
	case *ast.MemberNode:
		w.member(n)
		return
	case *ast.CallNode:
		w.call(n)
		return
	case *ast.BinaryNode:
		w.binary(n)
	case *ast.VariableDeclaratorNode:
		w.visit(n.Value)
		w.lets = append(w.lets, n.Name)
		w.visit(n.Expr)
		w.lets = w.lets[:len(w.lets)-1]
		return
	case *ast.PredicateNode:
		if w.inside {
			w.fail(n, "a predicate inside a predicate is not allowed")
		}
		w.inside = true
		w.visit(n.Node)
		w.inside = false
		return
	case *ast.BuiltinNode:
		if !slices.Contains(kept, n.Name) {
			w.fail(n, "%s is not allowed", n.Name)
		}
	case *ast.PointerNode:
		if n.Name != "" {
			w.fail(n, "#%s is not allowed", n.Name)
		}
	case *ast.FloatNode:
		w.fail(n, "a number with a fraction is not allowed: money is whole minor units, shares are whole percent")
	case *ast.NilNode:
		w.fail(n, "nil is not allowed: a missing text is \"\", a missing number 0")
	case *ast.ChainNode:
		w.fail(n, "?. is not allowed")
	case *ast.SliceNode:
		w.fail(n, "slices are not allowed")
	case *ast.MapNode:
		w.fail(n, "a map is not allowed")
	case *ast.SequenceNode:
		w.fail(n, "; is allowed after let only")
	case *ast.BytesNode:
		w.fail(n, "bytes are not allowed")
	case *ast.ConditionalNode:
		if !n.Ternary {
			w.fail(n, "if is not allowed, write condition ? yes : no")
		}
	}
	for _, c := range children(n) {
		w.visit(c)
	}
}

func (w *names) identifier(n *ast.IdentifierNode) {
	switch {
	case slices.Contains(w.lets, n.Value):
	case n.Value == "$env":
		w.fail(n, "$env is not allowed")
	case n.Value == "queue" && !w.opts.OwnQueue:
		w.fail(n, notInRoutes)
	case n.Value == "queue" || n.Value == "call" || n.Value == "customer" || n.Value == "queues" || n.Value == "time":
		w.fail(n, "%s needs a field, for instance %s.%s", n.Value, n.Value, fields[n.Value].now[0])
	default:
		w.fail(n, "unknown name %s%s", n.Value, didYouMean(n.Value, []string{"call", "customer", "queues", "time"}))
	}
}

// member checks call.x, customer.x, time.x and queues.NAME.x.
func (w *names) member(n *ast.MemberNode) {
	if n.Optional {
		w.fail(n, "?. is not allowed")
		return
	}
	field, ok := n.Property.(*ast.StringNode)
	if !ok {
		w.fail(n, "indexing is not allowed")
		return
	}
	switch base := n.Node.(type) {
	case *ast.IdentifierNode:
		switch base.Value {
		case "queue":
			if !w.opts.OwnQueue {
				w.fail(base, notInRoutes)
				return
			}
			w.own = true
			w.field(field, "queue", "queue."+field.Value)
		case "queues":
			w.fail(n, "queues.%s needs a field, for instance queues.%s.waiting", field.Value, field.Value)
		case "call", "customer", "time":
			w.field(field, base.Value, base.Value+"."+field.Value)
			w.customer = w.customer || base.Value == "customer"
			w.past = w.past || base.Value == "call" && slices.Contains(pastFields, field.Value)
		default:
			w.identifier(base)
		}
	case *ast.MemberNode:
		root, isRoot := base.Node.(*ast.IdentifierNode)
		name, isText := base.Property.(*ast.StringNode)
		if !isRoot || root.Value != "queues" || !isText {
			w.member(base)
			w.fail(n, "%s has no field %s", base, field.Value)
			return
		}
		if !slices.Contains(w.opts.Queues, name.Value) {
			w.fail(name, "queue %s is not declared%s", name.Value, didYouMean(name.Value, w.opts.Queues))
			return
		}
		w.queues = append(w.queues, name.Value)
		w.field(field, "queues", "queues."+name.Value+"."+field.Value)
	default:
		w.visit(n.Node)
	}
}

func (w *names) field(n *ast.StringNode, root, path string) {
	f := fields[root]
	switch {
	case slices.Contains(f.now, n.Value):
	case root == "customer" && w.opts.Fields[n.Value] != "":
	case slices.Contains(f.later, n.Value):
		w.fail(n, "%s is not supported yet", path)
	default:
		w.fail(n, "unknown field %s%s", n.Value, didYouMean(n.Value, w.known(root)))
	}
}

// known lists the names that may stand behind a root.
func (w *names) known(root string) []string {
	out := append(slices.Clone(fields[root].now), fields[root].later...)
	if root == "customer" {
		for name := range w.opts.Fields {
			out = append(out, name)
		}
		slices.Sort(out)
	}
	return out
}

// call checks open(), between() and has(), whose arguments must be literals.
func (w *names) call(n *ast.CallNode) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		w.fail(n, "only open, between and has can be called")
		return
	}
	want := map[string]int{"open": 1, "has": 1, "between": 2}[callee.Value]
	if want == 0 {
		w.fail(callee, "unknown function %s%s", callee.Value, didYouMean(callee.Value, append([]string{"open", "has", "between"}, kept...)))
		return
	}
	if len(n.Arguments) != want {
		w.fail(callee, "%s takes %d argument(s)", callee.Value, want)
		return
	}
	for _, a := range n.Arguments {
		text, ok := a.(*ast.StringNode)
		if !ok {
			w.fail(a, "%s takes a literal text", callee.Value)
			return
		}
		w.argument(callee.Value, text)
	}
}

func (w *names) argument(function string, text *ast.StringNode) {
	switch function {
	case "open":
		if !slices.Contains(w.opts.Calendars, text.Value) {
			w.fail(text, "calendar %s is not declared%s", text.Value, didYouMean(text.Value, w.opts.Calendars))
		}
	case "between":
		if _, ok := clockMinutes(text.Value); !ok {
			w.fail(text, "between takes times of day such as \"08:30\"")
		}
	case "has":
		root, field, _ := strings.Cut(text.Value, ".")
		known := fields[root]
		if root == "customer" && w.opts.Fields[field] != "" {
			w.customer = true
			return
		}
		if root != "call" && root != "customer" || !slices.Contains(known.now, field) && !slices.Contains(known.later, field) {
			w.fail(text, "has: unknown field %s%s", text.Value, didYouMean(field, known.now))
		}
		w.customer = w.customer || root == "customer"
		w.past = w.past || root == "call" && slices.Contains(pastFields, field)
	}
}

func (w *names) binary(n *ast.BinaryNode) {
	switch {
	case slices.Contains(refusedOps, n.Operator):
		w.fail(n, "operator %s is not allowed", n.Operator)
	case n.Operator == "matches":
		if _, ok := n.Right.(*ast.StringNode); !ok {
			w.fail(n.Right, "matches needs a literal pattern")
		}
	case n.Operator == "==" || n.Operator == "!=":
		w.literal(n.Left, n.Right)
		w.literal(n.Right, n.Left)
	case n.Operator == "in":
		if list, ok := n.Right.(*ast.ArrayNode); ok {
			for _, e := range list.Nodes {
				w.literal(n.Left, e)
			}
		} else { // "phone" in customer.consent
			w.literal(n.Right, n.Left)
		}
	}
}

// literal checks a text compared with a field whose values are declared.
func (w *names) literal(field, value ast.Node) {
	m, ok := field.(*ast.MemberNode)
	text, isText := value.(*ast.StringNode)
	if !ok || !isText {
		return
	}
	root, ok := m.Node.(*ast.IdentifierNode)
	name, isName := m.Property.(*ast.StringNode)
	if !ok || !isName || text.Value == "" {
		return
	}
	var kind string
	var declared []string
	switch root.Value + "." + name.Value {
	case "customer.segment":
		kind, declared = "segment", w.opts.Segments
	case "call.topic", "customer.last_topic":
		kind, declared = "topic", w.opts.Topics
	case "customer.account_manager", "customer.last_agent":
		if w.opts.AgentsElsewhere {
			return
		}
		kind, declared = "agent", w.opts.Agents
	case "call.language":
		kind, declared = "language", w.opts.Languages
	case "call.region":
		kind, declared = "region", w.opts.Regions
	case "call.from_queue":
		kind, declared = "queue", w.opts.Queues
	case "call.attestation":
		kind, declared = "attestation", attestations
	case "customer.consent":
		kind, declared = "consent", consents
	case "call.kind":
		kind, declared = "kind", callKinds
	case "time.weekday":
		kind, declared = "weekday", weekdays
	case "call.ani":
		if !e164.MatchString(text.Value) {
			w.fail(text, "%q is not an E.164 number (+ and digits), as a caller's arrives", text.Value)
		}
		return
	case "call.dnis":
		if !e164.MatchString(text.Value) && !slices.Contains(w.opts.ShortCodes, text.Value) {
			w.fail(text, "%q is neither an E.164 number (+ and digits) nor declared under short_codes", text.Value)
		}
		return
	default:
		return
	}
	if !slices.Contains(declared, text.Value) {
		hint := didYouMean(text.Value, declared)
		if hint == "" && kind == "weekday" {
			hint = ", write " + strings.Join(declared, " ")
		}
		w.fail(text, "%s %s is not declared%s", kind, text.Value, hint)
	}
}

// didYouMean finds the nearest name, at most two edits away.
func didYouMean(name string, known []string) string {
	best, dist := "", 3
	for _, k := range known {
		if d := edits(name, k); d < dist {
			best, dist = k, d
		}
	}
	if best == "" {
		return ""
	}
	return ", did you mean " + best + "?"
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := prev
			if a[i] != b[j] {
				cost = min(prev, row[j], row[j+1]) + 1
			}
			prev, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
