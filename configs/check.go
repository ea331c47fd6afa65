package configs

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// CheckInput is what a check is given beside the document.
type CheckInput struct {
	// Today is the day that calendars are held against.
	Today time.Time
	// HasSound says which sounds there are; nil: not known. Sounds is the folder
	// as it is shown, "" for none.
	HasSound func(name string) bool
	Sounds   string
	// History is calls that were, nil for none.
	History *History
	// Directory is the agents of a document that lists none; nil: not given.
	Directory *DirectoryFile
	// Server is the server file that names the document, nil when not known.
	Server *Server
	// Live is the version that is live, nil when none is known.
	Live *routing.Policy
}

// Report is all that a check has to say about one document.
type Report struct {
	File     string
	Findings []Finding
	// Tests of the document, and how many of them hold.
	Tests, Hold int
	NotPossible []NotPossible
	// Policy is nil with any error.
	Policy *routing.Policy
}

// NotPossible is checks that were not made, and why.
type NotPossible struct {
	Checks  string // codes, or a part of one: "Q704 for mailboxes"
	Missing string // "no --history"
}

// Check compiles a routing document, holds it against the catalogue, runs its
// tests and returns all there is to say. It reads nothing but its arguments.
func Check(name string, b []byte, in CheckInput) *Report {
	r := &Report{File: name}
	c, root := compileRouting(name, b, []Option{Sounds(in.HasSound), Directory(in.Directory), Beside(in.Server)})
	l := newLinter(c, root)
	if l == nil || !l.whole {
		if l != nil {
			l.sounds = in.Sounds
			l.errors()
			c.findings = append(c.findings, l.said...)
		}
		r.Findings = c.result()
		r.NotPossible = []NotPossible{{"the rest of lint, and tests", "the document does not compile"}}
		return r
	}
	y, m, d := in.Today.Date()
	l.today, l.sounds, l.history = time.Date(y, m, d, 12, 0, 0, 0, c.policy.Zone), in.Sounds, in.History
	l.live = in.Live
	l.errors()
	l.warnings()
	l.accept()
	r.Findings, r.Tests, r.Hold = l.said, len(c.tests)-l.unplanned, l.hold
	r.NotPossible = l.notPossible(in)
	r.Findings = inOrder(name, r.Findings)
	if r.Count(Error) == 0 {
		r.Policy = c.policy
	}
	return r
}

// inOrder sorts findings by line and code, those of the document first.
func inOrder(document string, list []Finding) []Finding {
	other := func(f Finding) int {
		if f.File == document {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(other(a), other(b)), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Code, b.Code), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Msg, b.Msg))
	})
	return list
}

// notPossible lists the checks that lack something.
func (l *linter) notPossible(in CheckInput) []NotPossible {
	var out []NotPossible
	if in.History == nil {
		out = append(out, NotPossible{"X106 R202 S405 O504", "no --history"})
	} else if l.blindSteps() {
		out = append(out, NotPossible{"S405 for figures of queues", "not in a history"})
	}
	const staff = "N302 N303 N305 N307 N310 S402 A801 A802 A803 A806 P902 P904 P905 P906"
	switch {
	case l.nobody:
		out = append(out, NotPossible{"N301 for agents, " + staff + ", A804 for teams", "no --directory"})
	case len(l.policy.Agents) == 0:
		out = append(out, NotPossible{staff, "no agents"})
	}
	if !l.planned() {
		out = append(out, NotPossible{"N304", "no shifts"})
	}
	if l.unplanned > 0 {
		out = append(out, NotPossible{count(l.unplanned, "test") + " by shifts", "no shifts"})
	}
	if in.HasSound == nil {
		out = append(out, NotPossible{"Q704 for sounds", "no --sounds"})
	}
	if in.Server == nil {
		out = append(out, NotPossible{"Q704 for mailboxes", "only on the server"})
	}
	if in.Live == nil {
		out = append(out, NotPossible{"K951", "no live version"})
	}
	return out
}

// Count counts the findings of a severity, those accepted too.
func (r *Report) Count(s Severity) (n int) {
	for _, f := range r.Findings {
		if f.Severity == s {
			n++
		}
	}
	return n
}

// Exit is the status a check ends with: 1 with any error, else 0.
func (r *Report) Exit() int { return min(r.Count(Error), 1) }

// ToTick counts the warnings that nobody has accepted: whoever makes the
// document live is to have seen them.
func (r *Report) ToTick() int { return r.Count(Warning) - r.accepted() }

// accepted counts the warnings named under lint.allow.
func (r *Report) accepted() (n int) {
	for _, f := range r.Findings {
		if f.Severity == Warning && f.Accepted != "" {
			n++
		}
	}
	return n
}

// Print writes the report in words, one line for each finding; those without a
// call that shows them stand with their line of the file.
func (r *Report) Print(w io.Writer) error {
	var b strings.Builder
	for _, f := range r.Findings {
		b.WriteString(f.Text() + "\n")
		if f.Source != "" {
			fmt.Fprintf(&b, " | %s\n | %s^\n", f.Source, strings.Repeat(".", f.Caret))
		}
	}
	if r.Tests > 0 {
		fmt.Fprintf(&b, "tests: %d of %d hold\n", r.Hold, r.Tests)
	}
	if len(r.NotPossible) > 0 {
		b.WriteString("not possible: " + r.missing() + "\n")
	}
	b.WriteString(r.Summary() + "\n")
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	return nil
}

// missing joins what was not possible; a code that stands twice in a row is
// written once.
func (r *Report) missing() string {
	var parts []string
	for i, n := range r.NotPossible {
		checks := n.Checks
		if code, rest, part := strings.Cut(checks, " "); part && i > 0 && strings.HasPrefix(r.NotPossible[i-1].Checks, code+" for") {
			checks = rest
		}
		parts = append(parts, checks+" ("+n.Missing+")")
	}
	return strings.Join(parts, ", ")
}

// Summary is the last line: 0 errors, 11 warnings (10 to tick, 1 accepted), 2 notes; exit 0.
func (r *Report) Summary() string {
	warnings, accepted := r.Count(Warning), r.accepted()
	ticks := ""
	switch {
	case accepted > 0:
		ticks = fmt.Sprintf(" (%d to tick, %d accepted)", warnings-accepted, accepted)
	case warnings > 0:
		ticks = fmt.Sprintf(" (%d to tick)", warnings)
	}
	return fmt.Sprintf("%s, %s%s, %s; exit %d", count(r.Count(Error), "error"), count(warnings, "warning"), ticks, count(r.Count(Note), "note"), r.Exit())
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
