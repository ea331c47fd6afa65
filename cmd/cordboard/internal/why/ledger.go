package why

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// keptDecision is what the ledger keeps of a decision.
type keptDecision struct {
	Queue    string         `json:"queue"`
	Rule     string         `json:"rule"`
	Topic    string         `json:"topic"`
	Priority int            `json:"priority"`
	Since    time.Time      `json:"since"`
	Entered  time.Time      `json:"entered"`
	Version  int            `json:"version"`
	Prefer   string         `json:"prefer"`
	Reason   routing.Reason `json:"reason"`
}

// kindOf is the kind of a ledger's event that is a decision, "" for others.
func kindOf(event string) string {
	switch event {
	case (routing.Enqueued{}).Kind():
		return routing.Queued
	case (routing.Held{}).Kind():
		return routing.Holding
	case (routing.OfferCall{}).Kind():
		return routing.Given
	}
	return ""
}

// keptRecords are the records as far as the ledger itself has them.
func keptRecords(events []store.Event) (out []routing.Record, err error) {
	var queue, topic string
	var since, entered time.Time
	var priority int
	for _, e := range events {
		if e.Kind == (routing.CallbackTaken{}).Kind() { // without a line it may wait where it never entered
			var taken routing.CallbackTaken
			if err := json.Unmarshal(e.Data, &taken); err != nil {
				return nil, fmt.Errorf("event %d: %w", e.Seq, err)
			}
			k := &taken.Kept
			queue, topic, since, entered, priority = k.Queue, k.Topic, k.Since, k.Entered, k.Priority
			for _, a := range k.Additions {
				priority += a.Points
			}
		}
		kind := kindOf(e.Kind)
		if kind == "" {
			continue
		}
		var d keptDecision
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return nil, fmt.Errorf("event %d: %w", e.Seq, err)
		}
		if d.Reason.Trigger == routing.Grouped {
			continue // one decision for all of a ring group
		}
		if kind == routing.Queued {
			queue, topic, since, entered, priority = d.Queue, d.Topic, d.Since, d.Entered, d.Priority
		}
		r := routing.Record{
			Kind: kind, Call: e.Call, At: e.At, Version: max(d.Version, d.Reason.Version), Trigger: d.Reason.Trigger, Route: routing.Route{Path: d.Reason.Rule},
			Queue: queue, Topic: topic, Since: since, Entered: entered, Priority: priority, CameBack: d.Reason.CameBack,
			Step: d.Reason.Step, Policy: d.Reason.Policy, Prefer: d.Reason.Prefer, Group: d.Reason.Group, HeldFor: d.Reason.HeldFor, Terms: d.Reason.Terms, LeftOut: d.Reason.LeftOut,
		}
		for _, n := range d.Reason.Skipped {
			r.Skipped = append(r.Skipped, routing.SkippedStep{Step: n, Why: "condition"})
		}
		if kind == routing.Given {
			r.Attempt, r.Chosen = e.Attempt, e.Agent
		}
		out = append(out, r)
	}
	return out, nil
}

// about is what the words of a moment need of an event's data.
type about struct {
	Why     string            `json:"why"`
	Ack     string            `json:"mode"`
	Panels  map[string]string `json:"panels"`
	Match   string            `json:"match"`
	Code    int               `json:"code"`
	Media   string            `json:"media"`
	Queue   string            `json:"queue"`
	Agent   agents.ID         `json:"agent"`
	ToAgent agents.ID         `json:"to_agent"`
	Outside string            `json:"outside"`
	From    routing.Offer     `json:"from"`
	Consult routing.CallID    `json:"consult"`
	Until   time.Time         `json:"until"`
	Step    int               `json:"step"`
	Play    string            `json:"play"`
	Number  string            `json:"number"`
	Reject  int               `json:"reject"`
	Outcome routing.Outcome   `json:"outcome"`
	By      routing.Party     `json:"by"`
	Reason  json.RawMessage   `json:"reason"` // a text, or the reasons of a decision
	Auto    bool              `json:"auto_answer"`
	Unacked bool              `json:"unacked"`
	NoDesk  bool              `json:"no_desk"`
	Lead    time.Duration     `json:"lead"`
	Dispose string            `json:"disposition"`

	Menu  string `json:"menu"`
	Got   string `json:"got"`
	Key   string `json:"key"`
	Title string `json:"title"`
	// NumberAsked: the menu asks for a number.
	NumberAsked bool `json:"number_asked"`

	Unconfirmed bool   `json:"unconfirmed"`
	Voicemail   string `json:"voicemail"`
	Seconds     int    `json:"seconds"`
}

// grouped says that an offer is one of a ring group after the first.
func (d *about) grouped() bool {
	var r routing.Reason
	return len(d.Reason) > 0 && json.Unmarshal(d.Reason, &r) == nil && r.Trigger == routing.Grouped
}

// moments tells the call's events in words, and puts what the desk and the
// phone said into the record of the offer.
func (x *Explained) moments(events []store.Event) {
	record := 0
	for _, e := range events {
		var d about
		if len(e.Data) > 0 && json.Unmarshal(e.Data, &d) != nil {
			d = about{} // of another release: its kind still says something
		}
		m := Moment{At: e.At, What: words(e, &d)}
		if kindOf(e.Kind) != "" && !d.grouped() {
			record++
			m.Record = record
		}
		if e.Attempt > 0 {
			x.offered(e, &d)
		}
		x.Moments = append(x.Moments, m)
	}
	slices.SortStableFunc(x.Moments, func(a, b Moment) int { return a.At.Compare(b.At) })
}

func (x *Explained) offered(e store.Event, d *about) {
	i := slices.IndexFunc(x.Records, func(r routing.Record) bool { return r.Kind == routing.Given && r.Attempt == e.Attempt })
	if i < 0 {
		return
	}
	r := &x.Records[i]
	switch e.Kind {
	case (routing.OfferCall{}).Kind():
		r.Pop = &routing.PopRecord{Ack: "none", LeadMS: d.Lead.Milliseconds()}
		if d.NoDesk {
			r.Pop.Ack = "no_desk"
		}
	case "pop_acked":
		r.Pop = &routing.PopRecord{Ack: d.Ack, At: e.At, Panels: d.Panels, LeadMS: leadOf(r)}
	case (routing.Ring{}).Kind():
		r.Ring = &routing.RingRecord{Mode: routing.RingAuto, Why: d.Why, At: e.At}
		if d.Auto {
			r.Ring.Mode = routing.RingOnAccept
		}
	}
}

func leadOf(r *routing.Record) int64 {
	if r.Pop == nil {
		return 0
	}
	return r.Pop.LeadMS
}

// words is one event of the ledger as people say it.
func words(e store.Event, d *about) string {
	switch e.Kind {
	case "arrived":
		return "arrives"
	case (routing.ResolveCustomer{}).Kind():
		return "the customer is looked up"
	case "resolved":
		return "the customer is " + d.Match
	case (routing.Enqueued{}).Kind():
		return "enters queue " + d.Queue
	case (routing.AskMenu{}).Kind():
		return "hears menu " + d.Menu
	case (routing.MenuAnswered{}).Kind():
		return routing.MenuAnswered{Menu: d.Menu, Got: d.Got, Key: d.Key, Number: d.NumberAsked, Title: d.Title}.Words()
	case (routing.TurnedAway{}).Kind():
		return "does not wait in queue " + d.Queue + ", which is " + d.Why
	case (routing.StepReached{}).Kind():
		return fmt.Sprintf("step %d", d.Step)
	case (routing.StepSkipped{}).Kind():
		return fmt.Sprintf("step %d is skipped: its condition does not hold", d.Step)
	case (routing.Relaxed{}).Kind():
		return "what its route or topic added to the need is firm no longer"
	case (routing.Held{}).Kind():
		return fmt.Sprintf("is held for %s", d.Agent)
	case (routing.OfferCall{}).Kind():
		return fmt.Sprintf("is offered to %s (#%d)", e.Agent, e.Attempt)
	case "pop_acked":
		return "the record is " + d.Ack + " on the screen of " + string(e.Agent)
	case (routing.Ring{}).Kind():
		return "the phone of " + string(e.Agent) + " is called"
	case (routing.PhoneFailed{}).Kind():
		if d.Unconfirmed {
			return "the mobile of " + string(e.Agent) + " was picked up, and key 1 not pressed"
		}
		return fmt.Sprintf("the phone of %s fails with %s", e.Agent, failure(d.Code))
	case (routing.NumberAnswered{}).Kind():
		return "the number has answered"
	case (routing.NumberFailed{}).Kind():
		return "the number fails with " + failure(d.Code)
	case (routing.NumberGone{}).Kind():
		return "the number has hung up"
	case (routing.Withdraw{}).Kind():
		return fmt.Sprintf("is taken back from %s: %s", e.Agent, d.Why)
	case (routing.Connect{}).Kind():
		return "talks to " + string(e.Agent)
	case (routing.PassOut{}).Kind():
		return "the number is called"
	case (routing.Wait{}).Kind():
		if d.Why != "" {
			return "is taken back from the number: " + d.Why
		}
		return "waits again"
	case (routing.Transferred{}).Kind():
		to := string(d.ToAgent)
		if d.Outside != "" {
			to = "a telephone number of " + d.Outside
		}
		if to == "" {
			to = "queue " + d.Queue
		}
		return fmt.Sprintf("is passed on by %s to %s", e.Agent, to)
	case (routing.ConsultStarted{}).Kind():
		to := string(d.ToAgent)
		if to == "" {
			to = "queue " + d.Queue
		}
		return fmt.Sprintf("%s asks %s, while the caller holds: call %d", e.Agent, to, d.Consult)
	case (routing.ConsultEnded{}).Kind():
		return fmt.Sprintf("is with %s again: the question of call %d is over (%s)", e.Agent, d.Consult, d.Why)
	case (routing.HandedOver{}).Kind():
		return fmt.Sprintf("is handed over by %s to %s", d.From.Agent, e.Agent)
	case (routing.Treat{}).Kind():
		for _, to := range [][2]string{{"play", d.Play}, {"number", d.Number}, {"voicemail", d.Voicemail}} {
			if to[1] != "" {
				return fmt.Sprintf("treatment %s: %s %s", d.Why, to[0], to[1])
			}
		}
		return "treatment " + d.Why
	case (routing.MessageTaken{}).Kind():
		return fmt.Sprintf("leaves a message of %d s", d.Seconds)
	case (routing.EndCall{}).Kind():
		reason := ""
		if json.Unmarshal(d.Reason, &reason) == nil && reason != "" {
			reason = " (" + reason + ")"
		}
		return fmt.Sprintf("ends: %s by %s%s", d.Outcome, d.By, reason)
	}
	text := strings.ReplaceAll(e.Kind, "_", " ")
	if e.Agent != "" {
		text += ", " + string(e.Agent)
	}
	return text
}

// failure is the code that a telephone, a number or the way to it failed with. That
// of a password says something of the trunk, and nothing of who is called.
func failure(code int) string {
	if code == 401 || code == 407 {
		return fmt.Sprintf("%d: a password is asked for, and ours is not taken", code)
	}
	return strconv.Itoa(code)
}
