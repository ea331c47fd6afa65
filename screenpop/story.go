package screenpop

import (
	"cmp"
	"time"
	"unicode/utf8"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// StoryLine is one line of a card's story: a code and the values it needs
// (STORY in docs/desk-protocol.md). Times are microseconds, 0 for none.
type StoryLine struct {
	Code  string          `json:"code"`
	N     int             `json:"n,omitempty"`
	Days  *int            `json:"days,omitempty"`
	Topic string          `json:"topic,omitempty"`
	By    int64           `json:"by,omitempty"`
	ID    string          `json:"id,omitempty"`
	Title string          `json:"title,omitempty"`
	Money *customer.Money `json:"money,omitempty"`
	Name  string          `json:"name,omitempty"`
	Text  string          `json:"text,omitempty"`
	At    int64           `json:"at,omitempty"`
	Since string          `json:"since,omitempty"` // YYYY-MM-DD
}

const (
	storyLines  = 3
	storyText   = 280 // characters of a note in a story
	repeatDays  = 30
	dueSoon     = 7 * 24 * time.Hour
	newCustomer = 90 * 24 * time.Hour
	day         = 24 * time.Hour
)

// Story says what a call is about and what we owe, most telling first, at
// most three lines. rec may be nil; topic is the call's, from who passed it on.
func Story(rec *customer.Record, topic string, from *fromView, now time.Time) []StoryLine {
	s := []StoryLine{}
	if from != nil {
		s = append(s, StoryLine{Code: "passed_on", Name: from.Name, Text: clip(from.Note)})
	}
	if rec == nil {
		return s
	}
	add := func(l StoryLine, ok bool) {
		if ok && len(s) < storyLines {
			s = append(s, l)
		}
	}
	add(repeatContact(rec, topic, now))
	add(promise(rec, now, true))
	add(ticketLine(rec, now, true))
	add(overdue(rec))
	add(promise(rec, now, false))
	add(ticketLine(rec, now, false))
	add(lastNote(rec))
	add(beginner(rec, now))
	return s
}

func clip(text string) string {
	if utf8.RuneCountInString(text) <= storyText {
		return text
	}
	return string([]rune(text)[:storyText-1]) + "…"
}

// repeatContact: contacts of the last 30 days on the call's topic, this call
// counted; or, when the call has none, on the topic with the most, if at least
// two are behind it: one would be a guess.
func repeatContact(r *customer.Record, topic string, now time.Time) (StoryLine, bool) {
	recent := func(i *customer.Interaction) bool {
		return i.Topic != "" && now.Sub(i.At) <= repeatDays*day && !i.At.After(now)
	}
	count := func(topic string) (n int, oldest time.Time) {
		for k := range r.Interactions { // newest first
			if i := &r.Interactions[k]; i.Topic == topic && recent(i) {
				n, oldest = n+1, i.At
			}
		}
		return n, oldest
	}
	n, least := 0, 1
	var oldest time.Time
	if topic != "" {
		n, oldest = count(topic)
	} else {
		least = 2
		for k := range r.Interactions { // a tie goes to the newer topic
			i := &r.Interactions[k]
			if !recent(i) || i.Topic == topic {
				continue
			}
			if m, from := count(i.Topic); m > n {
				n, oldest, topic = m, from, i.Topic
			}
		}
	}
	if n < least {
		return StoryLine{}, false
	}
	days := int(now.Sub(oldest)/day) + 1
	return StoryLine{Code: "repeat_contact", N: n + 1, Days: &days, Topic: topic}, true
}

// promise: one not kept (broken), else the next one due.
func promise(r *customer.Record, now time.Time, broken bool) (StoryLine, bool) {
	var by *time.Time
	for _, i := range r.Interactions {
		if i.PromisedBy == nil || (i.Kept != nil && *i.Kept) {
			continue
		}
		past := i.Kept != nil || i.PromisedBy.Before(now)
		if past != broken {
			continue
		}
		// The latest broken one, the earliest due.
		if by == nil || i.PromisedBy.After(*by) == broken {
			by = i.PromisedBy
		}
	}
	if by == nil {
		return StoryLine{}, false
	}
	code := "promise_due"
	if broken {
		code = "promise_broken"
	}
	return StoryLine{Code: code, By: micro(*by)}, true
}

// ticketLine: the open ticket that is latest past its day, else the next due
// within a week.
func ticketLine(r *customer.Record, now time.Time, late bool) (StoryLine, bool) {
	var t *customer.Ticket
	for k := range r.Tickets {
		o := &r.Tickets[k]
		if o.Status != "open" || o.DueAt == nil || o.DueAt.Before(now) != late || o.DueAt.Sub(now) > dueSoon {
			continue
		}
		if t == nil || cmp.Or(o.DueAt.Compare(*t.DueAt), cmp.Compare(o.ID, t.ID)) < 0 {
			t = o
		}
	}
	if t == nil {
		return StoryLine{}, false
	}
	if !late {
		return StoryLine{Code: "ticket_due", ID: t.ID, Title: t.Title, By: micro(*t.DueAt)}, true
	}
	days := int(now.Sub(*t.DueAt) / day)
	return StoryLine{Code: "ticket_late", ID: t.ID, Title: t.Title, Days: &days}, true
}

func overdue(r *customer.Record) (StoryLine, bool) {
	if r.Billing == nil || r.Billing.Overdue == nil || r.Billing.Overdue.Minor <= 0 {
		return StoryLine{}, false
	}
	days := r.Billing.OverdueAge
	return StoryLine{Code: "overdue", Money: r.Billing.Overdue, Days: &days}, true
}

func lastNote(r *customer.Record) (StoryLine, bool) {
	for _, i := range r.Interactions {
		if i.Note != "" {
			return StoryLine{Code: "last_note", Text: clip(i.Note), At: micro(i.At)}, true
		}
	}
	return StoryLine{}, false
}

func beginner(r *customer.Record, now time.Time) (StoryLine, bool) {
	if since, err := time.Parse(time.DateOnly, r.CustomerSince); err == nil && now.Sub(since) < newCustomer {
		return StoryLine{Code: "new_customer", Since: r.CustomerSince}, true
	}
	if r.Contacts == 0 && len(r.Interactions) == 0 {
		return StoryLine{Code: "first_contact"}, true
	}
	return StoryLine{}, false
}
