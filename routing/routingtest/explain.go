package routingtest

import (
	"fmt"
	"strings"

	"github.com/cordboard/cordboard/routing"
)

// explain says the record of a decision in words, "" for what is none. It takes
// the records in the order of the actions.
func (r *runner) explain(a routing.Action) string {
	switch o := a.(type) {
	case routing.Enqueued, routing.Held:
	case routing.OfferCall:
		if o.Reason.Trigger == routing.Grouped {
			return "" // the first of the group has it
		}
	default:
		return ""
	}
	if len(r.records) == 0 {
		return ""
	}
	rec := r.records[0]
	r.records = r.records[1:]
	var parts []string
	say := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	for _, t := range rec.Route.Tried {
		if rec.Kind == routing.Queued && t.False != "" && t.Route != "elsewhere" && !strings.HasPrefix(t.Route, "direct") {
			say("not %s: %s", t.Route, t.False)
		}
	}
	for _, s := range rec.Skipped {
		say("step %d %s%s", s.Step, s.Why, because(s))
	}
	for _, f := range rec.Firm {
		if !f.Until.IsZero() {
			say("firm until %s: %s", r.since(f.Until), f.Need)
		}
	}
	if rec.Among > 1 {
		say("first of %d in order; next %s", rec.Among, r.name(rec.Next))
	} else if rec.Kind != routing.Given && rec.Position > 0 {
		say("position %d", rec.Position)
	}
	if rec.Ahead > 0 && rec.Kind != routing.Given {
		say("behind %s", r.name(rec.Ahead))
	}
	for _, t := range rec.Terms {
		say("%s %s %d", t.Agent, t.Name, t.Value)
	}
	if c := rec.Counterfactual; c != nil && len(rec.Free) == 0 {
		say("%s but for %s", c.Agent, strings.Join(c.Missing, " and "))
	}
	return strings.Join(parts, "; ")
}

// because is the first term of a step's condition that was false, and what the
// condition saw.
func because(s routing.SkippedStep) string {
	if s.False == "" {
		return ""
	}
	var saw []string
	for _, a := range s.Saw {
		saw = append(saw, fmt.Sprintf("%s %v", a.Name, a.Value))
	}
	return fmt.Sprintf(": not %s (%s)", s.False, strings.Join(saw, ", "))
}
