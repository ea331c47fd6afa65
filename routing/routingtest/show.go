package routingtest

import (
	"fmt"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// show prints actions, one line each, and remembers what later events need.
func (r *runner) show(acts []routing.Action) {
	for _, a := range acts {
		r.remember(a)
		if r.setup {
			continue
		}
		if text := r.words(a); text != "" {
			r.out = append(r.out, fmt.Sprintf("%-8s %s", r.since(r.now), text))
		}
		if why := r.explain(a); why != "" {
			r.out = append(r.out, "         why: "+why)
		}
	}
}

func (r *runner) remember(a routing.Action) {
	r.back(a)
	r.finished(a)
	r.closing(a)
	switch a := a.(type) {
	case routing.OfferCall:
		r.answersAtOnce(a.Offer)
		r.offers[a.Call] = a.Offer
		r.made[routing.Offer{Call: a.Call, Attempt: a.Attempt}] = a.Agent
		if !a.NoDesk && (!r.apart || r.setup) {
			r.acks = append(r.acks, a.Offer)
		}
	case routing.ResolveCustomer:
		r.awaited[a.Call] = !a.Deadline.IsZero()
	case routing.TurnedAway:
		r.queues[a.Call] = a.Queue
	case routing.AskMenu:
		r.menuAsks[a.Call] = a.Ask
	case routing.Connect:
		r.talks[a.Agent] = a.Offer
	}
}

// words says what an action means. What goes without saying is not said: see
// the README of the transcripts.
func (r *runner) words(a routing.Action) string {
	switch a := a.(type) {
	case routing.ResolveCustomer:
		if a.Deadline.IsZero() {
			return ""
		}
		return fmt.Sprintf("record %s awaited until %s", r.name(a.Call), r.since(a.Deadline))
	case routing.AnswerCaller:
		r.greeted[a.Call] = true
		if !r.unsaid() {
			return fmt.Sprintf("answer %s", r.name(a.Call))
		}
		return ""
	case routing.EarlyMedia:
		return fmt.Sprintf("183 %s %s", r.name(a.Call), music(a.Music))
	case routing.Announce:
		return r.told(a)
	case routing.Enqueued:
		return r.enqueued(a)
	case routing.PolicyLive:
		return live(a)
	case routing.StepReached:
		if !a.Due.IsZero() {
			return fmt.Sprintf("step %s %d (due since %s)", r.name(a.Call), a.Step, r.since(a.Due))
		}
		return fmt.Sprintf("step %s %d", r.name(a.Call), a.Step)
	case routing.Relaxed:
		return fmt.Sprintf("relaxed %s", r.name(a.Call))
	case routing.StepSkipped:
		return fmt.Sprintf("step %s %d skipped", r.name(a.Call), a.Step)
	case routing.Held:
		return fmt.Sprintf("hold %s for %s until %s%s", r.name(a.Call), a.Agent, r.since(a.Until), why(a.Reason.Prefer, a.Reason.LeftOut))
	case routing.OfferCall:
		return r.offer(a)
	case routing.MayAccept:
		return fmt.Sprintf("desk %s may accept until %s", r.what(a.Offer), r.since(a.Until))
	case routing.Ring:
		return r.ring(a)
	case routing.Withdraw:
		return fmt.Sprintf("withdraw %s %s", r.what(a.Offer), a.Why)
	case routing.Connect:
		s := fmt.Sprintf("talk %s %s", r.name(a.Call), a.Agent)
		if !r.greeted[a.Call] {
			r.greeted[a.Call] = true
			s += "  (answers the caller)"
		}
		return s
	case routing.Release:
		return fmt.Sprintf("release %s %s", r.what(a.Offer), a.Why)
	case routing.Hold:
		if a.On {
			return fmt.Sprintf("caller %s on hold", r.name(a.Call))
		}
		return fmt.Sprintf("caller %s taken back", r.name(a.Call))
	case routing.Transferred:
		return fmt.Sprintf("%s passed on by %s to %s", r.name(a.Call), a.Agent, first(a.Topic, string(a.ToAgent), a.Queue, "a number of "+a.Outside))
	case routing.PassOut:
		return fmt.Sprintf("%s number rings until %s", r.name(a.Call), r.since(a.Until))
	case routing.Wait:
		if a.Why == "" {
			return ""
		}
		return fmt.Sprintf("%s taken back from its number: %s", r.name(a.Call), a.Why)
	case routing.Treat:
		return r.treat(a)
	case routing.MessageTaken:
		return fmt.Sprintf("%s message of %ds in %s (%s)", r.name(a.Call), a.Seconds, a.Mailbox, a.Why)
	case routing.AskMenu, routing.MenuAnswered:
		return r.menuWords(a)
	case routing.EndCall:
		return r.end(a)
	case routing.AgentChanged:
		return r.agent(a)
	case routing.ReserveChanged:
		return r.reserve(a)
	case routing.WrapUpFinished:
		if a.Disposition == "" {
			return ""
		}
		return fmt.Sprintf("%s ticked %s", a.Agent, a.Disposition)
	case routing.Probe:
		return fmt.Sprintf("probe %s", a.Agent)
	case routing.ConsultStarted, routing.ConsultEnded, routing.HandedOver:
		return r.consultWords(a)
	case routing.Refused:
		return fmt.Sprintf("refused %s %s: %s", r.what(a.Offer), a.Asked, a.Code)
	}
	return r.callback(a)
}

// unsaid says that every queue answers its callers on entering, which goes
// without saying.
func (r *runner) unsaid() bool {
	for _, q := range r.policy.Queues {
		if q.AnswerWithAgent || q.EarlyMedia {
			return false
		}
	}
	return true
}

func (r *runner) enqueued(a routing.Enqueued) string {
	s := fmt.Sprintf("queue %s %s", a.Queue, r.name(a.Call))
	from := r.queues[a.Call]
	r.queues[a.Call] = a.Queue
	switch a.Reason.Trigger {
	case "late", "full", "closed", "nobody":
		s = fmt.Sprintf("overflow %s %s -> %s (%s)", r.name(a.Call), from, a.Queue, a.Reason.Trigger)
	case "reload":
		s = fmt.Sprintf("%s routed again: queue %s", r.name(a.Call), a.Queue)
	case "late_record", "transferred", "returned", "taken_over", "consult":
		s += " (" + a.Reason.Trigger + ")"
	}
	turn := a.Since.Add(-time.Duration(a.Priority) * time.Second)
	rule, _, _ := strings.Cut(a.Rule, " ") // of one for direct calls: which of them
	s += fmt.Sprintf(" rule=%s priority=%d since=%s", rule, a.Priority, r.since(a.Since))
	if q := r.policy.Queues[a.Queue]; r.policy.ByDue && q != nil {
		s += " due=" + r.since(a.Since.Add(q.AnswerWithin))
		turn = turn.Add(q.AnswerWithin)
	}
	if a.Priority > 0 && r.policy.MilliPoints == 1000 {
		s += " turn=" + r.since(turn)
	}
	if a.Region != "" {
		s += " region=" + a.Region
	}
	if a.Tag != "" {
		s += " tag=" + a.Tag
	}
	if !a.Entered.Equal(r.now) || a.Reason.Trigger == "reload" {
		s += " entered=" + r.since(a.Entered)
	}
	if r.versions || r.policy.Version != r.version {
		s += fmt.Sprintf(" version=%d", a.Version)
	}
	return s + why("", a.Reason.LeftOut)
}

func (r *runner) offer(a routing.OfferCall) string {
	verb := "offer"
	if r.apart {
		verb = "pop"
	}
	if a.Callback != nil && r.kept[a.Call] != nil {
		return fmt.Sprintf("reserve %s for %s #%d%s", a.Agent, r.name(a.Call), a.Attempt, why(a.Reason.Trigger, a.Reason.LeftOut))
	}
	parts := []string{fmt.Sprintf("step %d", a.Reason.Step)}
	if a.Reason.Prefer != "" {
		parts = append(parts, a.Reason.Prefer)
	} else {
		parts = append(parts, a.Reason.Policy)
	}
	if a.Reason.CameBack > 0 {
		parts = append(parts, fmt.Sprintf("came back %d", a.Reason.CameBack))
	}
	if at := a.Reason.Ceiling; !at.IsZero() {
		parts = append(parts, "at ceiling since "+r.since(at))
	}
	if c := a.Reason.HeldFor; c != 0 {
		parts = append(parts, fmt.Sprintf("group held to 1: %s waits", r.name(c)))
	}
	parts = append(parts, a.Reason.Trigger)
	return fmt.Sprintf("%s %s -> %s #%d%s", verb, r.name(a.Call), a.Agent, a.Attempt, why(strings.Join(parts, ", "), a.Reason.LeftOut))
}

func (r *runner) ring(a routing.Ring) string {
	if !r.apart && !a.Unacked && !a.AutoAnswer && a.Why == "" {
		return "" // said by "offer"
	}
	s := fmt.Sprintf("ring %s -> %s #%d until %s", r.name(a.Call), a.Agent, a.Attempt, r.since(a.Until))
	if a.AutoAnswer {
		s += " auto-answer"
	}
	if a.Unacked {
		s += " unacked"
	}
	if a.Why != "" {
		s += fmt.Sprintf(" (ring: auto, %s)", a.Why)
	}
	return s
}

func (r *runner) treat(a routing.Treat) string {
	s := fmt.Sprintf("%s treatment %s", r.name(a.Call), a.Why)
	switch {
	case a.Play != "":
		s += ": play " + a.Play
	case a.Reject != 0:
		s += fmt.Sprintf(": reject %d", a.Reject)
	case a.Number != "":
		s += ": number " + a.Number
	case a.Voicemail != "":
		r.messages = append(r.messages, a.Call)
		s += ": voicemail"
		if a.Voicemail != mainMailbox {
			s += " " + a.Voicemail
		}
	}
	return s
}

func (r *runner) end(a routing.EndCall) string {
	if r.silent[a.Call] {
		return ""
	}
	if a.Into != 0 {
		return fmt.Sprintf("%s ends %s by %s", r.name(a.Call), a.Outcome, r.name(a.Into))
	}
	s := fmt.Sprintf("%s ends %s by %s", r.name(a.Call), a.Outcome, a.By)
	if a.Reason != "" {
		s += " (" + a.Reason + ")"
	}
	return s
}

// agent shows the states that matter between calls.
func (r *runner) agent(a routing.AgentChanged) string {
	switch a.State {
	case agents.Offered, agents.Ringing, agents.Talking, agents.OnHold:
		return ""
	}
	s := fmt.Sprintf("%s %s", a.Agent, a.State)
	if a.Reason != "" {
		s += " " + a.Reason
	}
	if !a.Until.IsZero() {
		s += " until " + r.since(a.Until)
	}
	return s
}

func why(said string, left []routing.LeftOut) string {
	var parts []string
	if said != "" {
		parts = append(parts, said)
	}
	if len(left) > 0 {
		var names []string
		for _, l := range left {
			names = append(names, fmt.Sprintf("%s %s", l.Agent, l.Code))
		}
		parts = append(parts, "left out: "+strings.Join(names, ", "))
	}
	if len(parts) == 0 {
		return ""
	}
	return "  (" + strings.Join(parts, "; ") + ")"
}

func first(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}

func (r *runner) what(o routing.Offer) string {
	return fmt.Sprintf("%s %s #%d", r.name(o.Call), o.Agent, o.Attempt)
}

func (r *runner) name(id routing.CallID) string {
	if i := int(id) - 1; i >= 0 && i < len(r.order) {
		return r.order[i]
	}
	return "-"
}

// since writes an instant as the time since the case began: +20s, +1500ms; a
// case with a clock shows the clock.
func (r *runner) since(at time.Time) string {
	d := at.Sub(r.t0)
	if !r.t0.Equal(begin) && d%time.Second == 0 {
		return at.Format("15:04:05")
	}
	sign := "+"
	if d < 0 {
		sign, d = "-", -d
	}
	if d%time.Second == 0 {
		return fmt.Sprintf("%s%ds", sign, d/time.Second)
	}
	return fmt.Sprintf("%s%dms", sign, d/time.Millisecond)
}
