package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
)

// Exported is what the database keeps of a person: all that Erase would remove.
type Exported struct {
	// Customer is the record with each of its interactions, not only those that a
	// desk shows; nil: there is no such customer.
	Customer *customer.Record
	// Contacts belong to no record here: of his calls when nobody knew whose they
	// were, or of a customer whose record lives in another system.
	Contacts []customer.Interaction
	Numbers  []string // his alone
	Calls    []ExportedCall
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
	out.Numbers = found.numbers
	if who.Customer != "" {
		if err := s.exportRecord(ctx, who.Customer, &out); err != nil {
			return out, err
		}
	}
	for _, c := range found.calls {
		if err := s.exportCall(ctx, c.call, &out); err != nil {
			return out, fmt.Errorf("call %d: %w", c.call, err)
		}
	}
	return out, nil
}

// exportRecord reads a customer's record from the tables, as of one instant.
func (s *Store) exportRecord(ctx context.Context, id string, out *Exported) error {
	r, _, err := s.assemble(ctx, id, allInteractions)
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
	if there {
		out.Customer = &r
	} else {
		out.Contacts = r.Interactions
	}
	return nil
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
