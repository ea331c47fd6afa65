package configs

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

const (
	maxHistory = 200_000 // calls; of a longer history the latest count, and fewer with many routes
	maxSamples = 5
)

// History is calls that were: a table with a column "at" (local time, as in
// tests) and columns named as conditions name them, "call." and "customer."
// left out where only one of the two has the name, else the call's.
type History struct {
	columns []string // "call.dnis"; "" for one that nothing asks for
	at      int
	rows    [][]string
}

// ReadHistory reads a CSV file of calls. Columns that conditions cannot ask for
// yet are passed over; those that none ever could are refused.
func ReadHistory(r io.Reader) (*History, error) {
	in := csv.NewReader(r)
	in.ReuseRecord = false
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("read history: %w", err)
	}
	h := &History{at: -1, columns: make([]string, len(head))}
	for i, name := range head {
		name = strings.TrimSpace(name)
		if name == "at" {
			h.at = i
			continue
		}
		if h.columns[i], err = historyColumn(name); err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
	}
	if h.at < 0 {
		return nil, errors.New("read history: there is no column at")
	}
	for {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read history: %w", err)
		}
		var env rule.Env
		for i, name := range h.columns {
			if name == "" {
				continue
			}
			if err := env.Set(name, row[i]); err != nil {
				line, _ := in.FieldPos(i)
				return nil, fmt.Errorf("read history: line %d: %w", line, err)
			}
		}
		if h.rows = append(h.rows, row); len(h.rows) >= 2*maxHistory {
			h.rows = slices.Clone(h.rows[maxHistory:])
		}
	}
	h.rows = h.rows[max(0, len(h.rows)-maxHistory):]
	return h, nil
}

// historyColumn finds what a column names.
func historyColumn(name string) (string, error) {
	if slices.Contains([]string{"ani_hash", "handle_s", "patience_s"}, name) {
		return "", nil
	}
	root, field, qualified := strings.Cut(name, ".")
	roots := []string{"call", "customer"}
	if qualified {
		roots = []string{root}
	} else {
		field = name
	}
	for _, root := range roots {
		now, later := rule.Named(root, field)
		switch {
		case now:
			return root + "." + field, nil
		case later:
			return "", nil
		}
	}
	return "", fmt.Errorf("column %s is no name that a condition could ask for", name)
}

// past is what history says of one route.
type past struct {
	reached int // calls that its condition was asked for, or would have been
	met     int
	taken   map[int]int // met, but taken by an earlier sibling
	samples []string
	near    int // and-terms that failed for the call that came nearest
	nearest string
	failed  string
}

// lintHistory holds the routes against calls that were.
func (l *linter) lintHistory() {
	seen := map[*routing.Routed]*past{}
	final := map[*routing.Routed]int{}
	moments := map[*rule.Condition]*stepPast{}
	terms := map[*routing.Routed][]*rule.Condition{}
	l.families()
	rows := l.history.rows
	rows = rows[max(0, len(rows)-max(maxAnswers/(l.routes+1), maxSamples)):]
	for _, row := range rows {
		env, at, err := l.pastCall(row)
		if err != nil {
			l.find(l.key("cordboard"), CodeValue, "", "", "history: %s", oneLine(err.Error()))
			return
		}
		r := l.tree
		for next := r; next != nil; {
			r = next
			next = l.pastStep(r, env, at, seen, terms)
		}
		final[r]++
		if r.Node.Then == nil {
			l.pastMoments(l.policy.Queues[r.Queue], env, at, moments)
		}
	}
	l.lintMoments(moments)
	for _, f := range l.families() {
		for i, r := range f.list {
			p := seen[r]
			if p == nil || r.Node.When == nil {
				continue
			}
			taken := 0
			for _, n := range p.taken {
				taken += n
			}
			switch {
			case p.met == 0:
				l.route(r, "X106", "nearest: "+p.nearest+", failed: "+p.failed, "never true in history")
			case taken*10 > p.met*9:
				l.route(r, "R202", "calls at "+strings.Join(p.samples, ", "), "%d of %d calls that meet it in history are taken above, most by %s", taken, p.met, routePath(f.list[mostOf(p.taken, i)]))
			}
		}
	}
	l.lintTop(final)
}

// pastCall is the environment of one call of history.
func (l *linter) pastCall(row []string) (*rule.Env, time.Time, error) {
	at, err := time.ParseInLocation("2006-01-02T15:04", row[l.history.at], l.policy.Zone)
	if err != nil {
		if at, err = time.ParseInLocation("2006-01-02T15:04:05", row[l.history.at], l.policy.Zone); err != nil {
			return nil, at, fmt.Errorf("%s is no instant, such as 2026-04-15T11:00", quote(row[l.history.at]))
		}
	}
	env := &rule.Env{Clock: rule.NewClock(at, l.policy.Zone)}
	env.IsOpen = func(name string) bool { return l.policy.Calendars[name].Open(at) }
	env.Call.Kind, env.Customer.LastContactDays = "inbound", rule.Missing
	for i, name := range l.history.columns {
		if name == "" {
			continue
		}
		if err := env.Set(name, row[i]); err != nil { // ReadHistory took it
			return nil, at, err
		}
	}
	if !env.Customer.Known {
		env.Customer = rule.Customer{}
	}
	return env, at, nil
}

// pastStep notes what each route below one would have made of a call, and gives
// the one that claims it.
func (l *linter) pastStep(parent *routing.Routed, env *rule.Env, at time.Time, seen map[*routing.Routed]*past, terms map[*routing.Routed][]*rule.Condition) *routing.Routed {
	claimed := -1
	var next *routing.Routed
	for i, r := range parent.Children {
		p := seen[r]
		if p == nil {
			p = &past{taken: map[int]int{}}
			seen[r] = p
		}
		p.reached++
		switch holds := r.Node.When == nil || r.Node.When.Eval(env); {
		case holds && claimed >= 0:
			p.met++
			p.taken[claimed]++
			if len(p.samples) < maxSamples {
				p.samples = append(p.samples, instantText(at))
			}
		case holds:
			p.met++
			if !r.Node.GoOn {
				claimed, next = i, r
			}
			if r.Node.SetLanguage != "" {
				env.Call.Language = r.Node.SetLanguage
			}
			if r.Node.SetTopic != "" {
				env.Call.Topic = r.Node.SetTopic
			}
		case p.met == 0:
			l.nearest(r, p, env, at, claimed < 0, terms)
		}
	}
	return next
}

// nearest keeps the call that failed the fewest terms of a condition; one that
// came as far as the route is nearer than any other.
func (l *linter) nearest(r *routing.Routed, p *past, env *rule.Env, at time.Time, came bool, terms map[*routing.Routed][]*rule.Condition) {
	if terms[r] == nil {
		terms[r] = l.rules.AndTerms(r.Node.When)
	}
	failed, first := 0, ""
	for _, t := range terms[r] {
		if !t.Eval(env) {
			if failed++; first == "" {
				first = t.String()
			}
		}
	}
	if !came {
		failed += len(terms[r])
	}
	if p.nearest == "" || failed < p.near {
		p.near, p.nearest, p.failed = failed, instantText(at), first
	}
}

func mostOf(taken map[int]int, below int) (most int) {
	for i := range below {
		if taken[i] > taken[most] {
			most = i
		}
	}
	return most
}

// lintTop: when most calls have the top priority, none has.
func (l *linter) lintTop(final map[*routing.Routed]int) {
	low, high, all, at := maxPriority, 0, 0, 0
	l.eachRoute(func(r *routing.Routed) {
		if !r.Node.GoOn && r.Node.Then == nil {
			low, high = min(low, r.Priority), max(high, r.Priority)
		}
	})
	var shares []string
	for r, n := range final {
		all += n
		if r.Priority == high {
			at += n
		}
	}
	if low == high || at*2 <= all {
		return
	}
	l.eachRoute(func(r *routing.Routed) {
		if n := final[r]; n > 0 {
			shares = append(shares, fmt.Sprintf("%s %d%%", routePath(r), n*100/all))
		}
	})
	place, path := l.orderSpot()
	l.find(place, "O504", path, strings.Join(shares, ", "), "%d of %d calls in history have the top priority, %d", at, all, high)
}
