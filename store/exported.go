package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// Exported is what the database keeps of a person: all that Erase would remove.
type Exported struct {
	// Customer is the record with each of its interactions, not only those that a
	// desk shows; nil: there is no such customer.
	Customer *customer.Record
	// Accounts are those who were merged into him, each with a record of his own.
	Accounts []ExportedAccount
	// Apart are those of whom somebody has said that they are another.
	Apart []ExportedApart
	// Contacts belong to no record here: of his calls when nobody knew whose they
	// were, or of a customer whose record lives in another system.
	Contacts []customer.Interaction
	IDs      []string // of all accounts, as in Traces
	Numbers  []string // his alone
	Calls    []ExportedCall
	Requests []ExportedRequest
	// Consents are what he has said to being contacted, Decisions whether he might be.
	Consents  []Consent
	Decisions []ContactDecision
}

// ExportedRequest is a request of a person's.
type ExportedRequest struct {
	Request
	Steps []RequestStep
}

// ExportedAccount is a customer who was merged into another.
type ExportedAccount struct {
	Merge
	Record customer.Record
}

// ExportedApart is one of whom somebody has said that he is not another.
type ExportedApart struct {
	Customer string
	Other    string
	By       customer.Colleague
	At       time.Time
}

// ExportedCall is a call of a person's.
type ExportedCall struct {
	LedgerRow
	Events  []Event
	Legs    []Leg
	Message *Message // what he left; nil: nothing, or it has been removed
}

const (
	qContactsOfCall     = qSelectInteraction + `FROM interactions WHERE call = $1 AND attempt IS NOT NULL AND customer = '' ORDER BY id`
	qApart              = `SELECT one, other, agent, agent_name, at FROM customers_apart WHERE one = $1 OR other = $1 ORDER BY one, other`
	allInteractions int = math.MaxInt32
)

// Export reads what Erase would remove, and changes nothing. Like it, it reads all
// calls.
func (s *Store) Export(ctx context.Context, who Person) (out Exported, err error) {
	if s.Stats().Failing {
		return out, ErrDatabaseAway
	}
	if err := s.Flush(ctx); err != nil { // what is on its way is his too
		return out, errors.Join(ErrDatabaseAway, err)
	}
	if out, err = s.exported(ctx, who); err != nil {
		return Exported{}, fmt.Errorf("store: export: %w", err)
	}
	return out, nil
}

func (s *Store) exported(ctx context.Context, who Person) (out Exported, err error) {
	found, err := s.traces(ctx, who)
	if err != nil {
		return out, err
	}
	out.IDs, out.Numbers = found.accounts, found.numbers
	for _, id := range found.accounts {
		if err := s.exportRecord(ctx, id, &out); err != nil {
			return out, err
		}
	}
	if out.Consents, err = s.consentsOf(ctx, found.accounts); err != nil {
		return out, err
	}
	if out.Decisions, err = s.decisions(ctx, &found); err != nil {
		return out, err
	}
	for _, c := range found.calls {
		if err := s.exportCall(ctx, c.call, &out); err != nil {
			return out, fmt.Errorf("call %d: %w", c.call, err)
		}
	}
	return out, s.exportRequests(ctx, &out)
}

// exportRequests reads those of the customer and his accounts, and those of nobody's
// from a number that is his alone.
func (s *Store) exportRequests(ctx context.Context, out *Exported) error {
	var all []Request
	for query, whose := range map[string][]string{qRequestsOfCustomer: out.IDs, qRequestsOfNumber: out.Numbers} {
		for _, one := range whose {
			some, err := s.requests(ctx, query, one, allInteractions)
			if err != nil {
				return err
			}
			all = append(all, some...)
		}
	}
	slices.SortFunc(all, func(a, b Request) int {
		return cmp.Or(a.OpenedAt.Compare(b.OpenedAt), strings.Compare(a.Ref, b.Ref))
	})
	for _, r := range all {
		steps, err := s.RequestSteps(ctx, r.Ref)
		if err != nil {
			return err
		}
		out.Requests = append(out.Requests, ExportedRequest{r, steps})
	}
	return nil
}

// exportRecord reads a customer's own record from the tables, as of one instant.
func (s *Store) exportRecord(ctx context.Context, id string, out *Exported) error {
	r, _, _, err := s.assembleOwn(ctx, id, allInteractions)
	there := err == nil
	if err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	var users int64
	if err := s.read.row(ctx, qCounter, []any{"users"}, &users); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	names, err := s.namesAt(ctx, users)
	if err != nil {
		return err
	}
	called(&r, names)
	merged, err := mergesOf(ctx, s.read, qMergeOf, id)
	switch {
	case err != nil:
		return err
	case !there:
		out.Contacts = append(out.Contacts, r.Interactions...)
	case len(merged) > 0:
		out.Accounts = append(out.Accounts, ExportedAccount{merged[0], r})
	default:
		out.Customer = &r
	}
	return each(ctx, s.read, qApart, []any{id}, func(rows *sql.Rows) error {
		a := ExportedApart{Customer: id}
		var one, other string
		var at sql.NullInt64
		err := rows.Scan(&one, &other, &a.By.Agent, &a.By.Name, &at)
		if a.Other, a.At = other, instant(at); other == id {
			a.Other = one
		}
		out.Apart = append(out.Apart, a)
		return err
	})
}

func (s *Store) exportCall(ctx context.Context, call routing.CallID, out *Exported) (err error) {
	c := ExportedCall{}
	if c.LedgerRow, err = readRow(ctx, s.read, call); err != nil {
		return err
	}
	if c.Events, err = s.Events(ctx, call); err != nil {
		return err
	}
	if c.Legs, err = Legs(c.Events); err != nil {
		return err
	}
	switch m, err := s.Message(ctx, call); {
	case err == nil:
		c.Message = &m
	case !errors.Is(err, ErrNotFound):
		return err
	}
	out.Calls = append(out.Calls, c)
	return each(ctx, s.read, qContactsOfCall, []any{int64(call)}, func(rows *sql.Rows) error {
		i, err := scanInteraction(rows)
		out.Contacts = append(out.Contacts, i)
		return err
	})
}
