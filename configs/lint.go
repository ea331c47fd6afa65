package configs

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// linter holds a document that compiles against the catalogue.
type linter struct {
	*compiler
	root    *node
	today   time.Time // noon of the day, in the document's zone
	sounds  string    // folder of the sounds, as it is shown
	history *History
	live    *routing.Policy // the version that is live; nil: not known
	tree    *routing.Routed
	staff   []*group
	kin     []*siblings
	family  map[*routing.Routed]*siblings // by parent
	shut    map[string][]time.Time        // closed instants soon, by calendar
	nights  map[string][]night            // times it is closed in the next 12 months, likewise
	whole   bool                          // it compiles
	hold    int                           // tests that hold
	// unplanned tests go by shifts, which are not known: they are not run.
	unplanned int
	// said is what is found; it is not yet accepted by anybody.
	said  []Finding
	index map[*node]map[string]int // of keys, for mappings of many
	work  int                      // answers of conditions still allowed, so that no document is checked for ever
}

// maxAnswers bounds how often conditions are tried out in one check.
const maxAnswers = 2_000_000

// newLinter is nil for a file that could not be read as far as its queues and
// routes.
func newLinter(c *compiler, root *node) *linter {
	if root == nil || c.policy.Queues == nil || c.policy.Route == nil {
		return nil
	}
	return &linter{compiler: c, root: root, tree: c.policy.Routes(), work: maxAnswers, index: map[*node]map[string]int{}, whole: c.faultless()}
}

// errors finds what refuses the document beyond what compiling finds. A
// document with a mistake in it is held against what each part says alone.
func (l *linter) errors() {
	l.lintSounds()
	l.lintRings()
	l.lintShadows()
	if l.whole {
		l.lintStuck()
		l.lintTested()
		l.lintReach()
		l.runTests()
	}
}

// lintShadows finds routes below one that takes every call.
func (l *linter) lintShadows() {
	l.eachRoute(func(r *routing.Routed) {
		if by := l.shadowed[r.Node]; by != nil {
			l.route(r, "R201", "any call: "+by.Name+" above takes it", "can never be reached")
		}
	})
}

// warnings finds everything else.
func (l *linter) warnings() {
	l.lintOrder()
	l.lintCalendars()
	l.lintTopics()
	for _, name := range l.names.queues {
		l.lintQueue(l.policy.Queues[name])
	}
	l.lintLeads()
	l.lintRoutes()
	l.lintMenus()
	if len(l.policy.Agents) > 0 {
		l.lintStaff()
	}
	if l.history != nil {
		l.lintHistory()
	}
	l.lintLive()
}

// find notes a finding at a place.
func (l *linter) find(at spot, code, path, shows, format string, args ...any) {
	kind, _ := lintOf(code)
	l.said = append(l.said, Finding{
		File: l.file, Line: at.line, Col: at.col, Code: code, Severity: kind.Severity, Path: path,
		Msg: fmt.Sprintf(format, args...), Shows: shows,
	})
}

// spot is a line and column of the file, from 1.
type spot struct{ line, col int }

// key is where a key stands, by the keys that lead to it; the last that is
// there when one is not.
func (l *linter) key(path ...string) spot { return l.keyOf(l.root, path...) }

func (l *linter) keyOf(n *node, path ...string) spot {
	at := spot{1, 1}
	for _, key := range path {
		i := l.indexOf(n, key)
		if i < 0 {
			break
		}
		at, n = spot{n.pairs[i].line, n.pairs[i].col}, n.pairs[i].value
	}
	return at
}

// manyKeys is how many keys of a mapping make it worth an index.
const manyKeys = 32

// indexOf is where a mapping has a key, -1 for nowhere. One of many keys is read
// once: there may be something to say of each of 100,000 agents.
func (l *linter) indexOf(n *node, key string) int {
	if len(n.pairs) < manyKeys {
		return slices.IndexFunc(n.pairs, func(p pair) bool { return p.key == key })
	}
	by := l.index[n]
	if by == nil {
		by = make(map[string]int, len(n.pairs))
		for i := range slices.Backward(n.pairs) {
			by[n.pairs[i].key] = i // the first of two
		}
		l.index[n] = by
	}
	if i, ok := by[key]; ok {
		return i
	}
	return -1
}

// queue finds something about a queue, at its name or at one of its options.
func (l *linter) queue(q *routing.Queue, option, code, shows, format string, args ...any) {
	at, path := l.key("queues", q.Name), "queues."+q.Name
	if option != "" {
		path += "." + option
		at = l.key("queues", q.Name, option)
	}
	l.find(at, code, path, shows, format, args...)
}

// agent finds something about an agent, where he or she is listed; about all of
// them for "".
func (l *linter) agent(id, code, shows, format string, args ...any) {
	path, root, file := []string{"agents"}, l.root, l.file
	if id != "" {
		path = append(path, id)
	}
	if l.dir != nil {
		root, file = l.dir.root, l.dir.Name
	}
	l.find(l.keyOf(root, path...), code, strings.Join(path, "."), shows, format, args...)
	l.said[len(l.said)-1].File = file
}

// route finds something about a route.
func (l *linter) route(r *routing.Routed, code, shows, format string, args ...any) {
	l.find(l.routeSpot(r), code, routePath(r), shows, format, args...)
}

func (l *linter) routeSpot(r *routing.Routed) spot {
	if n := l.routeNodes[r.Node]; n != nil && r.Parent != nil {
		return spot{n.line, n.col}
	}
	return l.key("route")
}

func routePath(r *routing.Routed) string {
	if r.Parent == nil {
		return "route"
	}
	return "route." + r.Path
}

// seconds writes a duration of a promise in seconds: 22.5s, 60s.
func seconds(d time.Duration) string {
	return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "s"
}

// lintSounds finds sounds that do not exist, where they are known.
func (l *linter) lintSounds() {
	if l.hasSound == nil {
		return
	}
	missing := func(at spot, path, name string) {
		if name == "" || l.hasSound(name) {
			return
		}
		shows := name
		if l.sounds != "" {
			shows = strings.TrimSuffix(l.sounds, "/") + "/" + name + ".wav"
		}
		l.find(at, "Q704", path, shows, "sound does not exist")
	}
	options := func(n *node, path string) {
		for _, p := range n.pairs {
			switch p.key {
			case "music":
				missing(spot{p.line, p.col}, path+"."+p.key, p.value.text)
			case "announce":
				missing(spot{p.line, p.col}, path+"."+p.key, child(p.value, "greeting").text)
			case "closed", "full", "late", "nobody":
				for then := child(p.value, "then"); len(then.pairs) > 0; then = child(then, "else") {
					missing(spot{p.line, p.col}, path+"."+p.key, child(then, "play").text)
				}
			}
		}
	}
	options(child(l.root, "defaults"), "defaults")
	for _, p := range child(l.root, "queues").pairs {
		options(p.value, "queues."+p.key)
	}
	for _, p := range child(l.root, "menus").pairs {
		l.menuSounds(p, missing)
	}
	l.eachRoute(func(r *routing.Routed) {
		for t := r.Node.Then; t != nil; t = t.Else {
			missing(l.routeSpot(r), routePath(r), t.Play)
		}
	})
}

// child is the value under a key, an empty node when there is none.
func child(n *node, key string) *node {
	for _, p := range n.pairs {
		if p.key == key {
			return p.value
		}
	}
	return &node{kind: kindNull}
}

func (l *linter) eachRoute(do func(*routing.Routed)) { eachRoute(l.tree, do) }

func eachRoute(r *routing.Routed, do func(*routing.Routed)) {
	do(r)
	for _, c := range r.Children {
		eachRoute(c, do)
	}
}

// overflows are the ways out of a queue that may lead into another.
func overflows(q *routing.Queue) map[string]rule.Treatment {
	out := map[string]rule.Treatment{"closed": q.Closed}
	if q.Full != nil {
		out["full"] = q.Full.Then
	}
	if q.Late != nil {
		out["late"] = q.Late.Then
	}
	if q.Nobody != nil {
		out["nobody"] = q.Nobody.Then
	}
	return out
}
