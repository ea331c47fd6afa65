package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// States of a Message.
const (
	MessageNew   = "new"
	MessageHeard = "heard" // somebody sees to it
	MessageDone  = "done"
)

// Message is what a caller has left in a mailbox. A call leaves one at most.
type Message struct {
	Call     routing.CallID
	Mailbox  string
	Queue    string // in which the caller was, "" for none
	Language string
	LeftAt   time.Time
	Length   time.Duration
	State    string
	By       string // user who gave it this state, "" while it is new
	At       time.Time

	// Of the ledger and the customers, as they are now; SaveMessage leaves them.
	Number   string // E.164, "" when withheld
	Customer string // id, "" when unknown
	Name     string // the customer's
}

// MessageFilter says which messages are listed; zero fields, all.
type MessageFilter struct {
	Mailbox, State string
	Under          routing.CallID // calls before it
	Most           int            // at most so many, 200 when 0
}

const (
	qAddMessage = `INSERT INTO messages (call, mailbox, queue, language, left_at, length_ms, state, changed_by, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, 'new', '', NULL) ON CONFLICT (call) DO NOTHING`
	qAddSound     = `INSERT INTO message_sounds (call, wav) VALUES ($1, $2) ON CONFLICT (call) DO NOTHING`
	selectMessage = `SELECT m.call, m.mailbox, m.queue, m.language, m.left_at, m.length_ms, m.state, m.changed_by, m.changed_at,
		COALESCE(l.number, ''), COALESCE(l.customer, ''), COALESCE(c.name, '')
		FROM messages m LEFT JOIN calls l ON l.call = m.call LEFT JOIN customers c ON c.id = l.customer `
	qMessages = selectMessage + `WHERE (m.mailbox = $1 OR $1 = '') AND (m.state = $2 OR $2 = '') AND (m.call < $3 OR $3 = 0)
		ORDER BY m.call DESC LIMIT CAST($4 AS INTEGER)`
	qMessage         = selectMessage + `WHERE m.call = $1`
	qMessageSound    = `SELECT wav FROM message_sounds WHERE call = $1`
	qSetMessage      = `UPDATE messages SET state = $2, changed_by = $3, changed_at = $4 WHERE call = $1`
	qMessagesBefore  = `SELECT call FROM messages WHERE left_at < $1 ORDER BY call LIMIT CAST($2 AS INTEGER)`
	qDropSound       = `DELETE FROM message_sounds WHERE call = $1`
	qDropMessage     = `DELETE FROM messages WHERE call = $1`
	mostMessages     = 200
	expireTogether   = 100
	attemptOfMessage = 0 // of the contact that stands for a message in the history
)

// SaveMessage stores a message as new, with its sound, a WAV file. One that is
// there already stays as it is.
func (s *Store) SaveMessage(ctx context.Context, m Message, wav []byte) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		n, err := t.exec(qAddMessage, int64(m.Call), m.Mailbox, m.Queue, m.Language, m.LeftAt.UnixMicro(), m.Length.Milliseconds())
		if err != nil || n == 0 {
			return err
		}
		_, err = t.exec(qAddSound, int64(m.Call), wav)
		return err
	})
	if err != nil {
		return fmt.Errorf("store: save message of call %d: %w", m.Call, err)
	}
	return nil
}

// Messages lists messages, the newest first.
func (s *Store) Messages(ctx context.Context, f MessageFilter) ([]Message, error) {
	out := []Message{}
	args := []any{f.Mailbox, f.State, int64(f.Under), positive(f.Most, mostMessages)}
	err := s.read.ask(ctx, qMessages, args, func(row scanner) error {
		m, err := scanMessage(row.Scan)
		out = append(out, m)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: messages: %w", err)
	}
	return out, nil
}

// Message reads one message; ErrNotFound when there is none of the call.
func (s *Store) Message(ctx context.Context, call routing.CallID) (Message, error) {
	m, err := scanMessage(func(dest ...any) error { return s.read.row(ctx, qMessage, []any{int64(call)}, dest...) })
	if err != nil {
		return Message{}, fmt.Errorf("store: message of call %d: %w", call, err)
	}
	return m, nil
}

// MessageSound reads a message's WAV file; ErrNotFound when there is none.
func (s *Store) MessageSound(ctx context.Context, call routing.CallID) ([]byte, error) {
	var wav []byte
	if err := s.read.row(ctx, qMessageSound, []any{int64(call)}, &wav); err != nil {
		return nil, fmt.Errorf("store: sound of call %d: %w", call, err)
	}
	return wav, nil
}

func scanMessage(scan func(dest ...any) error) (m Message, err error) {
	var left, at sql.NullInt64
	var length int64
	err = scan(&m.Call, &m.Mailbox, &m.Queue, &m.Language, &left, &length, &m.State, &m.By, &at, &m.Number, &m.Customer, &m.Name)
	m.LeftAt, m.At, m.Length = instant(left), instant(at), time.Duration(length)*time.Millisecond
	return m, err
}

// SetMessageState notes that a user has heard a message, is done with it, or that
// it is new again; ErrNotFound when there is none.
func (s *Store) SetMessageState(ctx context.Context, call routing.CallID, state, by string) error {
	at := any(time.Now().UnixMicro())
	if state == MessageNew {
		by, at = "", nil
	}
	err := s.write.inTx(ctx, func(t *tx) error {
		n, err := t.exec(qSetMessage, int64(call), state, by, at)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: message of call %d: %w", call, err)
	}
	return nil
}

// DeleteMessage removes a message and its sound, and its line of the customer's
// history; ErrNotFound when there is none.
func (s *Store) DeleteMessage(ctx context.Context, call routing.CallID) error {
	err := s.write.inTx(ctx, func(t *tx) error { return dropMessage(t, int64(call)) })
	if err != nil {
		return fmt.Errorf("store: delete message of call %d: %w", call, err)
	}
	return nil
}

func dropMessage(t *tx, call int64) error {
	if _, err := t.exec(qDropSound, call); err != nil {
		return err
	}
	n, err := t.exec(qDropMessage, call)
	if err == nil && n == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return err
	}
	var owner string
	var at int64
	switch err := t.row(qContactOwner, []any{call, attemptOfMessage}, &owner, &at); {
	case errors.Is(err, ErrNotFound):
		return nil
	case err != nil:
		return err
	}
	if _, err := t.exec(qDropContact, call, attemptOfMessage, owner, messageID(routing.CallID(call))); err != nil {
		return err
	}
	return raised(t, owner, time.Now().UnixMicro())
}

// ExpireMessages removes the messages that were left before an instant, and says
// how many.
func (s *Store) ExpireMessages(ctx context.Context, before time.Time) (gone int, err error) {
	for {
		var calls []int64
		err := s.read.ask(ctx, qMessagesBefore, []any{before.UnixMicro(), expireTogether}, func(row scanner) error {
			var call int64
			err := row.Scan(&call)
			calls = append(calls, call)
			return err
		})
		for _, call := range calls {
			if err != nil {
				break
			}
			// Each by itself: of several customers those who write them in another
			// order would wait for us, and we for them.
			err = s.write.inTx(ctx, func(t *tx) error { return dropMessage(t, call) })
			if errors.Is(err, ErrNotFound) {
				err = nil
			}
		}
		if err != nil {
			return gone, fmt.Errorf("store: expire messages: %w", err)
		}
		gone += len(calls)
		if len(calls) < expireTogether {
			return gone, nil
		}
	}
}

// SaveLeft adds a message to the customer's history, as SaveContact does a talk.
func (s *Store) SaveLeft(m Message) {
	s.SaveContact(Contact{Call: m.Call, Attempt: attemptOfMessage, Customer: m.Customer, Queue: m.Queue, At: m.LeftAt, Talk: m.Length})
}

func messageID(call routing.CallID) string { return fmt.Sprintf("message-%d", call) }
