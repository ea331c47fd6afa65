package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
)

// printExplained writes what a document makes of a call.
func printExplained(w io.Writer, x *configs.Explained) error {
	var p printer
	p.line("the call comes %s, document sha256 %s", x.At.Format("Mon 2006-01-02 15:04:05 MST"), x.SHA256[:min(len(x.SHA256), 12)])
	p.zero = x.At
	for i, m := range x.Moments {
		if m.Record == 1 {
			p.route(&x.Records[0])
		}
		p.line("%-8s %s", p.since(m.At), m.What)
		if m.Record > 0 && m.Record <= len(x.Records) {
			r := &x.Records[m.Record-1]
			// Entering a queue says nothing that the offer of the same instant does not.
			offered := i+1 < len(x.Moments) && x.Moments[i+1].Record > 0 && x.Moments[i+1].At.Equal(m.At)
			p.record(r, r.Kind != routing.Queued || !offered)
		}
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// printRecorded writes a call of the ledger.
func printRecorded(w io.Writer, x *why.Explained) error {
	var p printer
	p.zero = x.Arrived
	p.line("call %d came %s", x.Call, x.Arrived.Local().Format("Mon 2006-01-02 15:04:05.000 MST"))
	switch x.Again {
	case why.Same:
		p.line("decided again from the journal, each decision as it was (%d events since the server started)", x.Events)
		switch n := x.ErasedCalls; n {
		case 0:
		case 1:
			p.line("1 other call on the way was taken as recorded: its customer was erased since")
		default:
			p.line("%d other calls on the way were taken as recorded: their customers were erased since", n)
		}
	case why.Erased:
		p.line("erased: its customer was erased, and what its decisions rested on can't be read any more. What follows is what the ledger keeps")
	default:
		p.line("not decided again (%s): what follows is what the ledger keeps", x.Reason)
	}
	told := false
	for i, m := range x.Moments {
		p.line("%-9s %s", p.since(m.At), m.What)
		if m.Record == 0 || m.Record > len(x.Records) {
			continue
		}
		r := &x.Records[m.Record-1]
		if !told || r.Kind == routing.Queued && r.Trigger != "came_back" {
			p.route(r)
			told = true
		}
		same := func(n why.Moment) bool { return n.Record > 0 && n.At.Equal(m.At) }
		p.record(r, r.Kind != routing.Queued || !slices.ContainsFunc(x.Moments[i+1:], same))
	}
	_, err := io.WriteString(w, p.String())
	return err
}

// printer writes records in words. Times are shown since zero.
type printer struct {
	strings.Builder
	zero time.Time
}

func (p *printer) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *printer) since(at time.Time) string {
	d, sign := at.Sub(p.zero), "+"
	if d < 0 {
		d, sign = -d, "-"
	}
	d = d.Round(time.Millisecond)
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	return sign + text
}

// route says how the routes were read, and what they asked.
func (p *printer) route(r *routing.Record) {
	for _, t := range r.Route.Tried {
		if t.False == "" {
			p.line("  route %s: applies, and reading goes on", t.Route)
		} else {
			p.line("  route %s: no, %s is false", t.Route, t.False)
		}
	}
	p.line("  route %s: claims the call", r.Route.Path)
	var missing []string
	for _, a := range r.Attributes {
		if a.Missing {
			missing = append(missing, a.Name)
			continue
		}
		p.line("    %s = %s (%s)", a.Name, valueText(a.Value), a.Source)
	}
	if len(missing) > 0 {
		p.line("    missing: %s", strings.Join(missing, " "))
	}
}

// ofVersion names the version that decided; a document in a file has no number.
func ofVersion(after string, r *routing.Record) string {
	if r.Version == 0 {
		return ""
	}
	return fmt.Sprintf("%sversion %d", after, r.Version)
}

func valueText(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}

// record says one decision; people asks for every agent too.
func (p *printer) record(r *routing.Record, people bool) {
	if r.Kind == routing.Queued {
		p.entry(r)
	} else {
		p.decision(r)
	}
	if people {
		p.people(r)
	}
}

func (p *printer) entry(r *routing.Record) {
	parts := make([]string, 0, len(r.Points))
	for _, a := range r.Points {
		parts = append(parts, fmt.Sprintf("%s %d", a.Origin, a.Points))
	}
	of := ""
	if len(parts) > 0 {
		of = " (" + strings.Join(parts, " + ") + ")"
	}
	turn := ""
	if !r.Turn.IsZero() {
		turn = ", turn " + p.since(r.Turn)
	}
	p.line("         waiting since %s, priority %d%s%s; language %s%s", p.since(r.Since), r.Priority, of, turn, cmp.Or(r.Language, "-"), ofVersion(", ", r))
	if r.Position > 0 {
		ahead := ""
		if r.Ahead > 0 {
			ahead = fmt.Sprintf(", behind call %d", r.Ahead)
		}
		wait := ""
		if r.EWT != nil {
			wait = fmt.Sprintf(", expected wait %ds (%s)", r.EWT.Seconds, r.EWT.Method)
		}
		p.line("         position %d%s%s", r.Position, ahead, wait)
	}
	for _, s := range r.Steps {
		after := ""
		if s.After != "" {
			after = " after " + s.After
		}
		if s.When != "" {
			after += ", if " + s.When
		}
		p.line("         step %d%s: %s (%d signed in who fit no step before)", s.Step, after, s.Need, s.Staffed)
	}
	p.rules(r)
}

// rules says what holds for the queue besides its steps.
func (p *printer) rules(r *routing.Record) {
	for _, f := range r.Firm {
		until := "for good"
		switch {
		case f.Over:
			until = "until " + p.since(f.Until) + ", that is over"
		case !f.Until.IsZero():
			until = "until " + p.since(f.Until)
		}
		p.line("         firm, %s: %s", until, f.Need)
	}
	if m := r.MaxTalking; m != nil {
		p.line("         max_talking %d, now %d", m.Limit, m.Now)
	}
	for _, s := range r.Reserve {
		if s.Joined {
			p.line("         reserve %s: joined at %s", s.Team, p.since(s.Since))
			continue
		}
		var at []string
		for _, m := range s.Join {
			now := fmt.Sprint(m.Now)
			if m.Now < 0 {
				now = "not known"
			}
			at = append(at, fmt.Sprintf("%s %d (now %s)", m.Name, m.At, now))
		}
		p.line("         reserve %s: stands by until %s", s.Team, strings.Join(at, " or "))
	}
}

// skipped is a step that gave nobody, and why.
func skipped(s routing.SkippedStep) string {
	text := fmt.Sprintf("step %d %s", s.Step, s.Why)
	if s.False == "" {
		return text
	}
	var saw []string
	for _, a := range s.Saw {
		saw = append(saw, a.Name+" "+valueText(a.Value))
	}
	return fmt.Sprintf("%s (%s is false: %s)", text, s.False, strings.Join(saw, ", "))
}

func (p *printer) decision(r *routing.Record) {
	why := []string{fmt.Sprintf("step %d", r.Step)}
	for _, s := range r.Skipped {
		why = append(why, skipped(s))
	}
	if r.Prefer != "" {
		why = append(why, "preferred: "+r.Prefer)
	} else if r.Policy != "" {
		why = append(why, r.Policy)
	}
	if r.CameBack > 0 {
		why = append(why, fmt.Sprintf("came back %d of 3", r.CameBack))
	}
	if r.Trigger != "" {
		why = append(why, r.Trigger)
	}
	if r.Among > 1 {
		why = append(why, fmt.Sprintf("first of %d in order, next call %d", r.Among, r.Next))
	}
	if len(r.Group) > 0 {
		with := make([]string, 0, len(r.Group))
		for _, id := range r.Group {
			with = append(with, string(id))
		}
		why = append(why, "at once with "+strings.Join(with, " "))
	}
	if r.HeldFor > 0 {
		why = append(why, fmt.Sprintf("group held to 1: call %d waits", r.HeldFor))
	}
	p.line("         why: %s%s", strings.Join(why, ", "), ofVersion("; ", r))
	p.line("         need %s", r.Need)
	for i, t := range r.Terms {
		verdict := ""
		if i == 0 && t.Agent == r.Chosen {
			verdict = "  <- chosen"
		}
		p.line("         %s: %s %d%s", t.Agent, t.Name, t.Value, verdict)
	}
	for _, f := range r.Preferred {
		names := make([]string, 0, len(f.Agents))
		for _, id := range f.Agents {
			names = append(names, string(id))
		}
		p.line("         preferred %s (%s), waits %ds: %s", f.Entry, strings.Join(names, " "), f.WaitS, f.Outcome)
	}
	if r.Pop != nil {
		p.line("         screen: %s%s", r.Pop.Ack, p.after(r.Pop.At))
	}
	if r.Ring != nil {
		why := ""
		if r.Ring.Why != "" {
			why = ", " + r.Ring.Why
		}
		p.line("         ring: %s%s%s", r.Ring.Mode, why, p.after(r.Ring.At))
	}
}

func (p *printer) after(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return " at " + p.since(at)
}

// people names every agent who was signed in, by why the call was not theirs.
func (p *printer) people(r *routing.Record) {
	by := map[string][]string{}
	for _, l := range r.LeftOut {
		by[l.Code] = append(by[l.Code], string(l.Agent))
	}
	for _, code := range slices.Sorted(maps.Keys(by)) {
		p.line("         left out, %s: %s", code, strings.Join(by[code], " "))
	}
	for _, code := range slices.Sorted(maps.Keys(r.Counts)) {
		p.line("         left out, %s: %d agents", code, r.Counts[code])
	}
	if len(r.Free) > 0 {
		names := make([]string, 0, len(r.Free))
		for _, id := range r.Free {
			names = append(names, string(id))
		}
		p.line("         free: %s", strings.Join(names, " "))
	}
	if r.SignedIn == 0 {
		p.line("         nobody is signed in")
	}
	if c := r.Counterfactual; c != nil && len(r.Free) == 0 {
		p.line("         %s would have had it but for: %s", c.Agent, strings.Join(c.Missing, ", "))
	}
}
