package configs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // documents name zones; a bare machine may have no tables

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// routingVersion is the format that this program reads.
const routingVersion = "routing/1"

// Limits of a routing document (section 21).
const (
	maxQueues      = 1000
	maxSteps       = 8
	maxRoutes      = 5000
	maxDepth       = 8
	maxSkills      = 2000
	maxLanguages   = 32
	maxTeams       = 1000
	maxTopics      = 1000
	maxMenus       = 1000
	maxCalendars   = 500
	maxRequests    = 200
	maxEscalations = 8
	maxExceptions  = 200
	maxAgents      = 100_000
	maxAgentSkills = 128
	maxNeedTerms   = 16
	maxNeedSets    = 8
	maxPrefer      = 4
	maxSpecialists = 16
	maxGroup       = 8 // phones
	maxFields      = 64
	maxPriority    = 1000
	maxPreferWait  = 2 * time.Minute
)

// Option gives a check something that the document alone does not hold.
type Option func(*compiler)

// Sounds says which sounds there are: a document that names another is refused
// (Q704). Without this option sounds are not checked.
func Sounds(has func(name string) bool) Option {
	return func(c *compiler) { c.hasSound = has }
}

// LoadRouting reads and compiles the routing document at path. A file that
// cannot be read is a finding as well. The policy is nil when there is any
// finding.
func LoadRouting(path string, options ...Option) (*routing.Policy, []Finding) {
	b, err := ReadFile(path)
	if err != nil {
		return nil, []Finding{{File: path, Line: 1, Col: 1, Code: CodeSyntax, Msg: err.Error()}}
	}
	return ParseRouting(path, b, options...)
}

// ReadFile reads a configuration file, refusing to hold more of it than could
// be used.
func ReadFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	if info.Size() > maxFileSize {
		return nil, fmt.Errorf("read configuration: %s is larger than 8 MiB", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	return b, nil
}

// ParseRouting compiles a routing document; name stands in the findings. It
// reads nothing but b, so a document can be checked before it is stored. The
// caller numbers the policy (Version stays 0); SHA256 is that of b. The policy
// is nil when there is any finding. Warnings and notes are Check's.
func ParseRouting(name string, b []byte, options ...Option) (*routing.Policy, []Finding) {
	c, root := compileRouting(name, b, options)
	if l := newLinter(c, root); l != nil {
		l.errors()
		c.findings = append(c.findings, l.said...)
	}
	if findings := c.result(); len(findings) > 0 {
		return nil, findings
	}
	return c.policy, nil
}

// compileRouting reads a document as far as it goes; root is nil when it is no
// mapping at all.
func compileRouting(name string, b []byte, options []Option) (*compiler, *node) {
	c := newCompiler(name)
	for _, o := range options {
		o(c)
	}
	root := c.parse(b)
	if c.dir != nil {
		c.dir.open()
	}
	if root != nil {
		c.document(c.object(root))
	}
	sum := sha256.Sum256(b)
	c.policy.SHA256 = hex.EncodeToString(sum[:])
	return c, root
}

func newCompiler(file string) *compiler {
	return &compiler{
		reader:     &reader{file: file},
		policy:     &routing.Policy{MilliPoints: 1000, Zone: time.UTC},
		queues:     map[string]*queueSource{},
		routeNodes: map[*rule.Node]*node{},
		shadowed:   map[*rule.Node]*rule.Node{},
		phones:     map[string]string{},
		renamed:    map[string]string{},
	}
}

// compiler turns one document into a policy.
type compiler struct {
	*reader
	policy     *routing.Policy
	names      declared
	queues     map[string]*queueSource
	routeNodes map[*rule.Node]*node
	shadowed   map[*rule.Node]*rule.Node // a route, and the sibling above that takes every call
	phones     map[string]string         // URI -> agent
	predicates rule.Predicates           // of all conditions
	regional   bool                      // there are regions
	rules      *rule.Compiler
	// waitingRules compiles conditions about calls that wait.
	waitingRules *rule.Compiler
	allowed      []allowance
	tests        []docTest
	routes       int
	renamed      map[string]string // old name of a queue -> the queue
	// nobody: the agents are in a directory that is not given, so who is named
	// cannot be looked up.
	nobody bool
	// hasSound is nil when the sounds are not known.
	hasSound func(string) bool
	dir      *directory // nil: there is none beside the document
	server   *Server    // nil: not known
}

func (c *compiler) document(o *object) {
	if o.bad {
		return
	}
	if n := o.must("cordboard"); n != nil && n.text != routingVersion {
		c.wrong(n, "this is not a routing document of this program: want %s, not %s", routingVersion, quote(n.text))
		return
	}
	c.policy.Name = c.text(o.must("name"), 80)
	c.policy.Zone = c.zone(o.must("zone"), time.UTC)
	c.declare(o)
	c.order(c.section(o, "order"))
	c.record(c.section(o, "record"))
	c.calendars(o.get("calendars"))
	c.sites(o.get("sites"))
	c.regions(o.get("regions"))
	c.dispositionSets(o.get("dispositions"))
	c.allQueues(o)
	c.topics(o.get("topics"))
	c.menus(o.get("menus"))
	c.lines(o.get("lines"))
	c.route(o.must("route"))
	c.transfers(c.section(o, "transfers"))
	c.statistics(c.section(o, "statistics"))
	c.agents(o)
	c.requests(o.get("requests"))
	c.lintOptions(c.section(o, "lint"))
	c.readTests(o.get("tests"))
	o.close()
	c.policy.Predicates = c.predicates.List()
}

// section opens a mapping that may be left out.
func (c *compiler) section(o *object, key string) *object {
	return c.object(o.get(key))
}

// order: points, and how fast a waiting call gains them.
func (c *compiler) order(o *object) {
	p := c.policy
	p.ByDue = c.choice(o.get("by"), "points", []string{"points", "due"}) == "due"
	if n := o.get("points_per_second"); n != nil {
		p.MilliPoints = c.points(n)
	}
	if n := o.get("ceiling"); n != nil {
		p.Ceiling = c.integer(n, 1, 1_000_000, 0)
		switch {
		case p.ByDue:
			o.conflict("ceiling", "order.ceiling cannot stand beside by: due")
		case p.MilliPoints == 0:
			o.conflict("ceiling", "order.ceiling has no meaning with points_per_second: off: nothing is gained by waiting")
		}
	}
	o.later("overdue")
	o.close()
}

// points reads 0.001..1000 points per second, or off, as thousandths.
func (c *compiler) points(n *node) int64 {
	s, ok := c.scalar(n, "0.001 to 1000 points, or off")
	if !ok || s == "off" {
		return 0
	}
	if n.style == stylePlain && decimalForm.MatchString(s) {
		whole, fraction, _ := strings.Cut(s, ".")
		if len(whole) <= 4 && len(fraction) <= 3 {
			milli, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
			if err == nil && milli >= 1 && milli <= 1_000_000 {
				return milli
			}
		}
	}
	c.wrong(n, "want 0.001 to 1000 points with at most three decimals, or off, not %s", quote(s))
	return 0
}

func (c *compiler) record(o *object) { c.policy.Record = c.recordPolicy(o) }

// recordPolicy reads how long routing waits for the record, at the top or in a
// route, where it replaces that of the top whole.
func (c *compiler) recordPolicy(o *object) rule.RecordPolicy {
	p := rule.RecordPolicy{
		Deadline:   c.duration(o.get("deadline"), 0, 5*time.Second, 800*time.Millisecond),
		Reconsider: c.choice(o.get("late"), "reconsider", []string{"reconsider", "keep"}) == "reconsider",
		LateFor:    c.duration(o.get("late_for"), 0, 10*time.Minute, 30*time.Second),
	}
	o.close()
	return p
}

func (c *compiler) transfers(o *object) {
	t := &c.policy.Transfers
	t.CreditWaited = c.choice(o.get("credit"), "waited", []string{"waited", "none"}) == "waited"
	t.PriorityAdd = c.integer(o.get("priority_add"), 0, maxPriority, 0)
	u := c.section(o, "unanswered")
	t.UnansweredAfter = c.duration(u.get("after"), 5*time.Second, 10*time.Minute, 45*time.Second)
	t.UnansweredReturn = c.choice(u.get("do"), "return", []string{"return", "queue"}) == "return"
	u.close()
	q := c.section(o, "consult")
	t.ConsultAdd = c.integer(q.get("priority_add"), 0, maxPriority, 0)
	q.close()
	if n := o.get("numbers"); n != nil {
		t.Numbers = c.numbers(n)
	}
	o.close()
}

// numbers reads who may pass calls on to telephone numbers, and where to.
func (c *compiler) numbers(n *node) (p routing.NumberPolicy) {
	o := c.object(n)
	p.To = c.words(o.must("to"), maxCountries, c.region)
	if t := o.get("teams"); t != nil {
		p.Teams = c.words(t, maxTeams, func(n *node) string { return c.reference(n, "team", c.names.teams) })
		if p.Teams == nil {
			p.Teams = []string{}
		}
	}
	c.canDial(n)
	o.close()
	return p
}

// conditionOptions is what conditions may mention.
func (c *compiler) conditionOptions() rule.CompileOptions {
	d := &c.names
	return rule.CompileOptions{
		Segments: d.segments, Queues: d.queues, Calendars: d.calendars, Agents: d.agents,
		Topics: d.topics, Languages: d.languages, ShortCodes: d.shortCodes, Regions: d.regions, AgentsElsewhere: c.nobody,
		Fields: c.policy.Fields, Predicates: &c.predicates,
	}
}
