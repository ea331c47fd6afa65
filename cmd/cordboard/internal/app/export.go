package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/journal"
)

// exportFormat is the form of a person's file (docs/erasure.md).
const exportFormat = "cordboard-person/1"

// personFile is all that is kept of a person: what an erasure would remove.
type personFile struct {
	Format   string                 `json:"format"`
	At       time.Time              `json:"exported_at"`
	Asked    personAsked            `json:"asked"`
	Customer *customer.Record       `json:"customer"`
	Accounts []personAccount        `json:"accounts"`
	Apart    []personApart          `json:"apart"`
	Contacts []customer.Interaction `json:"contacts"`
	Numbers  []string               `json:"numbers"`
	Calls    []personCall           `json:"calls"`
	Requests []personRequest        `json:"requests"`
	Routing  []personKnown          `json:"routing"`
	Consents []personConsent        `json:"consents"`
	Decided  []personDecision       `json:"contact_decisions"`
}

type personAsked struct {
	Customer string `json:"customer,omitempty"`
	Number   string `json:"number,omitempty"`
}

// personAccount is a customer who was merged into him, with a record of his own.
type personAccount struct {
	Merge    int64              `json:"merge"`
	Into     string             `json:"into"`
	Whole    string             `json:"whole"`
	By       customer.Colleague `json:"by"`
	At       time.Time          `json:"at"`
	Customer customer.Record    `json:"customer"`
}

// personApart is whom somebody has said that he is not.
type personApart struct {
	Customer string             `json:"customer"`
	Other    string             `json:"other"`
	By       customer.Colleague `json:"by"`
	At       time.Time          `json:"at"`
}

type personCall struct {
	Call           routing.CallID  `json:"call"`
	PublicID       string          `json:"public_id"`
	Trunk          string          `json:"trunk"`
	Number         string          `json:"number"`
	Dialled        string          `json:"dialled"`
	Customer       string          `json:"customer"`
	CallbackNumber string          `json:"callback_number"`
	Queue          string          `json:"queue"`
	Rule           string          `json:"rule"`
	Topic          string          `json:"topic"`
	Agent          agents.ID       `json:"agent"`
	ArrivedAt      time.Time       `json:"arrived_at"`
	AnsweredAt     time.Time       `json:"answered_at,omitzero"`
	QueuedAt       time.Time       `json:"queued_at,omitzero"`
	TalkAt         time.Time       `json:"talk_at,omitzero"`
	EndedAt        time.Time       `json:"ended_at,omitzero"`
	WaitMS         int64           `json:"wait_ms"`
	TalkMS         int64           `json:"talk_ms"`
	Outcome        routing.Outcome `json:"outcome"`
	EndedBy        routing.Party   `json:"ended_by"`
	Reason         string          `json:"reason"`
	Transfers      int             `json:"transfers"`
	Offers         int             `json:"offers"`
	Disposition    string          `json:"disposition"`
	Note           bool            `json:"note"`
	PolicyVersion  int             `json:"policy_version"`
	Legs           []personLeg     `json:"legs"`
	Events         []personEvent   `json:"events"`
	Message        *personMessage  `json:"message"`
	Files          []string        `json:"files"`
}

type personLeg struct {
	Kind  string    `json:"kind"`
	Agent agents.ID `json:"agent,omitempty"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to,omitzero"`
}

type personEvent struct {
	Seq     int64           `json:"seq"`
	At      time.Time       `json:"at"`
	Kind    string          `json:"kind"`
	Agent   agents.ID       `json:"agent,omitempty"`
	Attempt routing.Attempt `json:"attempt,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
}

type personMessage struct {
	Mailbox  string    `json:"mailbox"`
	Queue    string    `json:"queue"`
	Language string    `json:"language"`
	LeftAt   time.Time `json:"left_at"`
	LengthMS int64     `json:"length_ms"`
	State    string    `json:"state"`
	By       string    `json:"by"`
	At       time.Time `json:"at,omitzero"`
	Sound    string    `json:"sound"` // where the API has it
}

// personRequest is something he has asked for, with all that was done about it.
type personRequest struct {
	Ref      string         `json:"ref"`
	Type     string         `json:"type"`
	Title    string         `json:"title"`
	Detail   string         `json:"detail"`
	Customer string         `json:"customer"`
	Number   string         `json:"number"`
	Source   string         `json:"source"`
	SourceID string         `json:"source_id"`
	OpenedBy string         `json:"opened_by"`
	Call     routing.CallID `json:"call"`
	OpenedAt time.Time      `json:"opened_at"`
	State    string         `json:"state"`
	Outcome  string         `json:"outcome"`
	ClosedAt time.Time      `json:"closed_at,omitzero"`
	Owner    string         `json:"owner"`
	Team     string         `json:"team"`
	DueAt    time.Time      `json:"due_at"`
	TaskOf   string         `json:"task_of"`
	Steps    []personStep   `json:"steps"`
}

type personStep struct {
	At    time.Time `json:"at"`
	By    string    `json:"by"`
	Kind  string    `json:"kind"`
	Word  string    `json:"word"`
	Shown bool      `json:"shown"`
}

// personKnown is what routing knew of him in a call, as the journal has it.
type personKnown struct {
	At       time.Time       `json:"at"`
	Call     routing.CallID  `json:"call"`
	Customer *rule.Customer  `json:"customer,omitempty"`
	Past     *rule.Past      `json:"past,omitempty"`
	Rim      []routing.AtRim `json:"rim,omitempty"`
}

// exporting are the places that a person's data is gathered from: those that he
// would be erased from.
type exporting struct {
	store   *store.Store
	key     func(field, literal string) string // nil: no journal was ever kept
	journal string
}

// do gathers it. The file's fields are all there, empty or not.
func (e *exporting) do(ctx context.Context, who store.Person) (*personFile, error) {
	who, err := canonical(who)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, erasePatience)
	defer cancel()
	kept, err := e.store.Export(ctx, who)
	if err != nil {
		return nil, err
	}
	out := &personFile{
		Format: exportFormat, At: time.Now().UTC().Truncate(time.Millisecond), Asked: personAsked(who), Customer: kept.Customer,
		Contacts: append([]customer.Interaction{}, kept.Contacts...), Numbers: append([]string{}, kept.Numbers...),
		Accounts: []personAccount{}, Apart: []personApart{}, Calls: []personCall{}, Requests: requestsOf(kept.Requests), Routing: []personKnown{}, Consents: []personConsent{}, Decided: []personDecision{},
	}
	out.contacted(&kept)
	t := store.Traces{Accounts: kept.IDs, Numbers: kept.Numbers}
	for _, a := range kept.Accounts {
		out.Accounts = append(out.Accounts, personAccount{a.ID, a.Kept, a.Whole, a.By, a.At, a.Record})
	}
	for _, a := range kept.Apart {
		out.Apart = append(out.Apart, personApart(a))
	}
	for i := range kept.Calls {
		c := &kept.Calls[i]
		t.Calls = append(t.Calls, c.Call)
		files, err := messageFiles(messagesFolder(e.journal), t.Calls[i:])
		if err != nil {
			return nil, err
		}
		out.Calls = append(out.Calls, callOf(c, files))
	}
	if e.key != nil {
		err = e.known(ctx, subjects(e.key, t), t.Calls, &out.Routing)
	}
	return out, err
}

// known reads what the journal has sealed of a person's calls.
func (e *exporting) known(ctx context.Context, subjects []string, calls []routing.CallID, to *[]personKnown) error {
	his := make(map[routing.CallID]bool, len(calls))
	for _, c := range calls {
		his[c] = true
	}
	return journal.Of(e.journal, subjects, func(at time.Time, ev routing.Event) error {
		switch ev := ev.(type) {
		case routing.CustomerResolved:
			if his[ev.Call] && !ev.Erased {
				*to = append(*to, personKnown{At: at, Call: ev.Call, Customer: &ev.Customer, Past: &ev.Past, Rim: ev.Rim})
			}
		case routing.RimRead:
			if his[ev.Call] && !ev.Erased {
				*to = append(*to, personKnown{At: at, Call: ev.Call, Rim: ev.Rim})
			}
		}
		return ctx.Err()
	})
}

func callOf(c *store.ExportedCall, files []string) personCall {
	out := personCall{
		Call: c.Call, PublicID: c.PublicID, Trunk: c.Trunk, Number: c.Number, Dialled: c.Dialled, Customer: c.Customer, CallbackNumber: c.CallBack,
		Queue: c.Queue, Rule: c.Rule, Topic: c.Topic, Agent: c.Agent,
		ArrivedAt: c.ArrivedAt, AnsweredAt: c.AnsweredAt, QueuedAt: c.QueuedAt, TalkAt: c.TalkAt, EndedAt: c.EndedAt,
		WaitMS: c.Wait.Milliseconds(), TalkMS: c.Talk.Milliseconds(), Outcome: c.Outcome, EndedBy: c.EndedBy, Reason: c.Reason,
		Transfers: c.Transfers, Offers: c.Offers, Disposition: c.Disposition, Note: c.Note, PolicyVersion: c.PolicyVersion,
		Legs: []personLeg{}, Events: []personEvent{}, Files: []string{},
	}
	for _, l := range c.Legs {
		out.Legs = append(out.Legs, personLeg(l))
	}
	for _, e := range c.Events {
		out.Events = append(out.Events, personEvent{e.Seq, e.At, e.Kind, e.Agent, e.Attempt, e.Data})
	}
	for _, name := range files {
		out.Files = append(out.Files, filepath.Join("messages", name))
	}
	if m := c.Message; m != nil {
		out.Message = &personMessage{
			m.Mailbox, m.Queue, m.Language, m.LeftAt, m.Length.Milliseconds(), m.State, m.By, m.At,
			fmt.Sprintf("/api/v1/messages/%d/sound", c.Call),
		}
	}
	return out
}

func requestsOf(kept []store.ExportedRequest) []personRequest {
	out := make([]personRequest, len(kept))
	for i := range kept {
		r := &kept[i]
		out[i] = personRequest{
			Ref: r.Ref, Type: r.Kind, Title: r.Title, Detail: r.Detail, Customer: r.Customer, Number: r.Number, Source: r.Source, SourceID: r.SourceID,
			OpenedBy: r.OpenedBy, Call: r.Call, OpenedAt: r.OpenedAt, State: r.State, Outcome: r.Outcome, ClosedAt: r.ClosedAt,
			Owner: r.Owner, Team: r.Team, DueAt: r.DueAt, TaskOf: r.TaskOf, Steps: []personStep{},
		}
		for _, s := range r.Steps {
			out[i].Steps = append(out[i].Steps, personStep{s.At, s.Who, s.Kind, s.Word, s.Shown})
		}
	}
	return out
}

// text is the file as it is given out.
func (f *personFile) text() ([]byte, error) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	err := out.Encode(f)
	return b.Bytes(), err
}

// Export gives what a running server keeps of a person. by is who asked for it, for
// the log, which does not say of whom.
func (a *App) Export(ctx context.Context, who store.Person, by string) ([]byte, error) {
	if err := a.journal.Flush(); err != nil { // what routing knew a moment ago is his too
		return nil, err
	}
	e := exporting{a.store, a.rim.key, a.opt.Server.Store.Journal}
	f, err := e.do(ctx, who)
	if err != nil {
		return nil, personRefused(err)
	}
	a.log.Info("a person's data was exported", zap.String("user", by), zap.Bool("customer", f.Customer != nil), zap.Int("calls", len(f.Calls)))
	return f.text()
}

// exportFor implements what package web asks of it.
func (a *App) exportFor(ctx context.Context, customer, number, by string) ([]byte, error) {
	return a.Export(ctx, store.Person{Customer: customer, Number: number}, by)
}

// ExportFiles gives what the database and the files of a server keep of a person
// that does not run, and refuses to behind the back of one that does.
func ExportFiles(ctx context.Context, s *configs.Server, who store.Person, log *zap.Logger) (text []byte, err error) {
	st, key, err := openAlone(ctx, s, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	e := exporting{st, key, s.Store.Journal}
	f, err := e.do(ctx, who)
	if err != nil {
		return nil, err
	}
	return f.text()
}

func (a *App) localExport(w http.ResponseWriter, r *http.Request) {
	var in wirePerson
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	patiently(w)
	text, err := a.Export(r.Context(), store.Person{Customer: in.Customer, Number: in.Number}, "command line: "+in.By)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text) // a command that has gone is not our error
}

// AskToExport has the running server give what it keeps of a person.
func AskToExport(ctx context.Context, s *configs.Server, who store.Person, by string) ([]byte, error) {
	body, err := json.Marshal(wirePerson{who.Customer, who.Number, by})
	if err != nil {
		return nil, err
	}
	var out json.RawMessage
	err = askLocal(ctx, s, http.MethodPost, "/export", bytes.NewReader(body), &out)
	return out, err
}
