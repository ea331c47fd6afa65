package sample

import (
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// episode is one matter from its first contact to its end, without its words:
// those are each language's own, step for step.
type episode struct {
	topic  string
	needs  string // kind of product it is about, "" for any
	only   string // "business" or "private", "" for both
	steps  []step
	ticket *plan
}

type step struct {
	channel     string
	after       int // days since the first step
	disposition string
	promise     int // days until what we promised, 0: nothing
}

// plan is an episode's ticket: opened at a step, due so many days later.
type plan struct {
	kind string
	step int
	due  int
}

// words are what one language says of an episode.
type words struct {
	steps   []text
	ticket  text
	product string // noted on the product while the ticket is open
}

type text struct{ title, detail, note string }

var episodes = []episode{
	{topic: "fibre_drops", needs: "fibre", ticket: &plan{"fault", 1, 9}, steps: []step{
		{channel: "chat"}, {channel: "call", after: 1, disposition: "ticket", promise: 3}, {channel: "mail", after: 5}}},
	{topic: "line_fault", needs: "fibre", ticket: &plan{"fault", 0, 4}, steps: []step{
		{channel: "call", disposition: "ticket", promise: 2}, {channel: "sms", after: 1}, {channel: "visit", after: 3}}},
	{topic: "billing_question", ticket: &plan{"complaint", 1, 10}, steps: []step{
		{channel: "web"}, {channel: "call", after: 1, disposition: "call_back", promise: 4}}},
	{topic: "roaming_refund", needs: "mobile", ticket: &plan{"refund", 1, 14}, steps: []step{
		{channel: "sms"}, {channel: "call", after: 2, disposition: "ticket", promise: 7}}},
	{topic: "sim_swap", needs: "mobile", steps: []step{
		{channel: "call", disposition: "solved"}, {channel: "shop", after: 1}}},
	{topic: "contract_end", only: "private", steps: []step{
		{channel: "web"}, {channel: "chat", after: 2}, {channel: "call", after: 4, disposition: "offer_made", promise: 5}}},
	{topic: "moving_house", needs: "fibre", only: "private", ticket: &plan{"request", 0, 12}, steps: []step{
		{channel: "call", disposition: "ticket"}, {channel: "mail", after: 2}}},
	{topic: "payment_plan", steps: []step{
		{channel: "call", disposition: "solved"}, {channel: "sms", after: 1}}},
	{topic: "business_line", only: "business", ticket: &plan{"request", 0, 15}, steps: []step{
		{channel: "mail"}, {channel: "call", after: 1, disposition: "call_back", promise: 3}, {channel: "fax", after: 4}}},
}

// history writes one to four episodes, the later ones of the last weeks, none
// before the customer came.
func (g *generator) history(r *customer.Record, t *tongue, business bool, days int) {
	n := 1 + g.r.IntN(4)
	if days < 45 && g.chance(50) {
		n = 0
	}
	for range n {
		e := pick(g.r, episodes)
		if e.only == "business" && !business || e.only == "private" && business || e.needs != "" && !has(r, e.needs) {
			continue
		}
		ago := 1 + g.r.IntN(min(max(days-1, 1), 420))
		if g.chance(45) {
			ago = 1 + g.r.IntN(min(max(days-1, 1), 16))
		}
		g.episode(r, t, e, ago)
	}
	slices.SortStableFunc(r.Interactions, func(a, b customer.Interaction) int { return b.At.Compare(a.At) })
	slices.SortStableFunc(r.Tickets, func(a, b customer.Ticket) int {
		if (a.Status == "open") != (b.Status == "open") {
			if a.Status == "open" {
				return -1
			}
			return 1
		}
		return b.OpenedAt.Compare(a.OpenedAt)
	})
	for i := range r.Interactions {
		if c := &r.Interactions[i]; c.Channel == "call" && c.Agent != nil {
			at := c.At
			r.LastAgent, r.LastAgentAt = c.Agent, &at
			break
		}
	}
}

func has(r *customer.Record, kind string) bool {
	return slices.ContainsFunc(r.Products, func(p customer.Product) bool { return p.Kind == kind })
}

func (g *generator) episode(r *customer.Record, t *tongue, e episode, ago int) {
	w := t.episodes[e.topic]
	agent := colleague(pick(g.r, speakers[t.lang]))
	for i, s := range e.steps {
		at := g.moment(ago - s.after)
		if at.After(g.now) {
			break
		}
		c := customer.Interaction{
			ID: fmt.Sprintf("I%d", len(r.Interactions)+1), At: at, Channel: s.channel, Topic: e.topic,
			Title: w.steps[i].title, Detail: w.steps[i].detail, Note: w.steps[i].note, Disposition: s.disposition,
		}
		switch s.channel {
		case "call":
			c.Agent, c.DurationS = agent, 90+g.r.IntN(700)
		case "shop", "visit":
			c.Agent = colleague(pick(g.r, speakers[t.lang]))
		}
		if s.promise > 0 {
			by := at.AddDate(0, 0, s.promise)
			c.PromisedBy = &by
			if by.Before(g.now) {
				kept := g.chance(70)
				c.Kept = &kept
			}
		}
		if e.ticket != nil && e.ticket.step == i {
			g.ticket(r, e, w, at, ago)
		}
		r.Interactions = append(r.Interactions, c)
	}
}

// moment is a working hour that many days ago.
func (g *generator) moment(ago int) time.Time {
	d := g.now.AddDate(0, 0, -ago)
	at := time.Date(d.Year(), d.Month(), d.Day(), 7+g.r.IntN(12), g.r.IntN(60), 0, 0, time.UTC)
	if ago == 0 && at.After(g.now) && g.now.Hour() > 0 {
		at = g.now.Add(-time.Duration(1+g.r.IntN(59)) * time.Minute)
	}
	return at
}

func (g *generator) ticket(r *customer.Record, e episode, w words, at time.Time, ago int) {
	due := at.AddDate(0, 0, e.ticket.due)
	k := customer.Ticket{
		ID: fmt.Sprintf("T-%d", 40_000+g.r.IntN(9_000)), Title: w.ticket.title, Detail: w.ticket.detail,
		Topic: e.topic, Kind: e.ticket.kind, Status: "open", OpenedAt: at, DueAt: &due,
	}
	if slices.ContainsFunc(r.Tickets, func(o customer.Ticket) bool { return o.ID == k.ID }) {
		return
	}
	if ago > 20 || g.chance(35) {
		closed := at.Add(time.Duration(2+g.r.IntN(24*e.ticket.due)) * time.Hour)
		if closed.Before(g.now) {
			k.Status, k.ClosedAt = "closed", &closed
		}
	}
	if k.Status == "open" && w.product != "" {
		for i := range r.Products {
			if p := &r.Products[i]; p.Kind == e.needs && p.Status == "active" {
				p.Status, p.Note = "fault", w.product
				break
			}
		}
	}
	r.Tickets = append(r.Tickets, k)
}
