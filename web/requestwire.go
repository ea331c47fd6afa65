package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// requestWire is what a request is opened with.
type requestWire struct {
	Type     string         `json:"type"`
	Title    string         `json:"title"`
	Detail   string         `json:"detail"`
	Customer string         `json:"customer"`
	Number   string         `json:"number"`
	Call     routing.CallID `json:"call"`
}

func (in *requestWire) check() error {
	for _, f := range []struct {
		name, text string
		most       int
		lines      bool
	}{
		{"type", in.Type, maxSentWord, false}, {"title", in.Title, maxSentTitle, false}, {"detail", in.Detail, maxSentText, true},
		{"customer", in.Customer, maxSentID, false}, {"number", in.Number, maxSentWord, false},
	} {
		if err := checkText(f.name, f.text, f.most, f.lines); err != nil {
			return err
		}
	}
	switch {
	case in.Type == "":
		return badRequestField("type: is missing")
	case strings.TrimSpace(in.Title) == "":
		return badRequestField("title: is missing")
	case in.Call < 0:
		return badRequestField("call: is none")
	}
	return nil
}

// deedWire is what is done about one.
type deedWire struct {
	Do      string `json:"do"`
	Word    string `json:"word"`
	Shown   bool   `json:"shown"`
	To      string `json:"to"`
	Team    string `json:"team"`
	Outcome string `json:"outcome"`
}

func checkText(name, text string, most int, lines bool) error {
	if len(text) > most {
		return badRequestField("%s: at most %d bytes", name, most)
	}
	if strings.ContainsFunc(text, func(c rune) bool { return unprintable(c, lines) }) {
		return badRequestField("%s: a control character, or one that turns the direction of writing", name)
	}
	return nil
}

// badRequestField names a field, never what stands in it.
func badRequestField(format string, args ...any) error {
	p := *problemRequest
	p.Detail = fmt.Sprintf(format, args...)
	return &p
}

type requestView struct {
	Ref       string            `json:"ref"`
	Type      string            `json:"type"`
	TypeTitle routing.Title     `json:"type_title"`
	Title     string            `json:"title"`
	Detail    string            `json:"detail"`
	Customer  string            `json:"customer"`
	Name      string            `json:"name"`
	Number    string            `json:"number"`
	Source    string            `json:"source"`
	OpenedBy  string            `json:"opened_by"`
	Call      routing.CallID    `json:"call"`
	OpenedAt  int64             `json:"opened_at"`
	State     string            `json:"state"`
	Outcome   string            `json:"outcome"`
	ClosedAt  int64             `json:"closed_at"`
	Owner     string            `json:"owner"`
	Team      string            `json:"team"`
	DueAt     int64             `json:"due_at"`
	Late      bool              `json:"late"`
	TaskOf    string            `json:"task_of"`
	TaskAt    int64             `json:"task_at"`
	Untold    bool              `json:"untold"`
	Steps     []requestStepView `json:"steps,omitempty"`
}

type requestStepView struct {
	At    int64  `json:"at"`
	Who   string `json:"who"`
	Kind  string `json:"kind"`
	Word  string `json:"word"`
	Shown bool   `json:"shown"`
}

func (r *Request) view() requestView {
	out := requestView{
		Ref: r.Ref, Type: r.Kind, TypeTitle: r.KindTitle, Title: r.Title, Detail: r.Detail, Customer: r.Customer, Name: r.Name, Number: r.Number,
		Source: r.Source, OpenedBy: r.OpenedBy, Call: r.Call, OpenedAt: micro(r.OpenedAt), State: r.State, Outcome: r.Outcome, ClosedAt: micro(r.ClosedAt),
		Owner: r.Owner, Team: r.Team, DueAt: micro(r.DueAt), Late: r.Late, TaskOf: r.TaskOf, TaskAt: micro(r.TaskAt), Untold: r.Untold,
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, requestStepView{micro(s.At), s.Who, s.Kind, s.Word, s.Shown})
	}
	return out
}

// publicView is for programs of customers' web sites: times are RFC 3339.
type publicView struct {
	Ref      string    `json:"ref"`
	Type     string    `json:"type"`
	Title    string    `json:"title"`
	State    string    `json:"state"`
	Outcome  string    `json:"outcome"`
	OpenedAt time.Time `json:"opened_at"`
	DueAt    time.Time `json:"due_at,omitzero"`
	ClosedAt time.Time `json:"closed_at,omitzero"`
	Word     string    `json:"word"`
	WordAt   time.Time `json:"word_at,omitzero"`
}

func (p *PublicRequest) view() publicView {
	return publicView{p.Ref, p.Kind, p.Title, p.State, p.Outcome, p.OpenedAt, p.DueAt, p.ClosedAt, p.Word, p.WordAt}
}
