package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// States of a Request.
const (
	RequestOpen    = "open"
	RequestWaiting = "waiting" // for the customer: its clock stands
	RequestClosed  = "closed"
)

// Request is something a customer has asked for, until it is closed.
type Request struct {
	Ref      string // the customer's reference
	Kind     string // as the routing document names it
	Title    string
	Detail   string
	Customer string // id, "" while there is none, and then
	Number   string // whoever asks is reached at, E.164
	Source   string // the outside system that opened it, "" for a user
	SourceID string // its own id there
	OpenedBy string // user, "" for an outside system
	Call     routing.CallID
	OpenedAt time.Time
	State    string
	Outcome  string
	ClosedAt time.Time
	Owner    string // agent, "" while it is the team's
	Team     string
	DueAt    time.Time
	Left     time.Duration // working time until it is due, while it waits for the customer
	Level    int           // how often it was escalated
	NextAt   time.Time     // when it is next; zero: never
	TaskOf   string        // user whose task it has become, "" for nobody's
	TaskAt   time.Time

	// As they are now; writing leaves them.
	Name string // the customer's
	Dead bool   // somebody could not be told of it
}

// RequestStep is one thing that was done about a request.
type RequestStep struct {
	Seq   int
	At    time.Time
	Who   string // user, "" for the server or an outside system
	Kind  string
	Word  string
	Shown bool // the customer sees it
}

// RequestFilter says which open requests are listed; zero fields, all.
type RequestFilter struct {
	Owner, Team string    // of that agent: his own, his team's that are nobody's, his tasks
	TaskOf      string    // tasks of that user
	LateAt      time.Time // those that are late then
	Most        int       // 200 when 0
}

const (
	requestColumns = `ref, kind, title, detail, customer, number, source, source_id, opened_by, call, opened_at,
		state, outcome, closed_at, owner, team, due_at, left_us, level, next_at, task_of, task_at`
	qAddRequest = `INSERT INTO requests (` + requestColumns + `)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)`
	qSetRequest = `UPDATE requests SET state = $2, outcome = $3, closed_at = $4, owner = $5, team = $6, due_at = $7,
		left_us = $8, level = $9, next_at = $10, task_of = $11, task_at = $12 WHERE ref = $1`
	selectRequest = `SELECT r.ref, r.kind, r.title, r.detail, r.customer, r.number, r.source, r.source_id, r.opened_by, r.call, r.opened_at,
		r.state, r.outcome, r.closed_at, r.owner, r.team, r.due_at, r.left_us, r.level, r.next_at, r.task_of, r.task_at,
		COALESCE(c.name, ''), EXISTS (SELECT 1 FROM notices n WHERE n.ref = r.ref AND n.state = 'dead')
		FROM requests r LEFT JOIN customers c ON c.id = r.customer `
	qRequest         = selectRequest + `WHERE r.ref = $1`
	qRequestOfSource = `SELECT ref FROM requests WHERE source = $1 AND source <> '' AND source_id = $2`
	qHoldRequest     = `UPDATE requests SET level = level WHERE ref = $1`
	qOpenRequests    = selectRequest + `WHERE r.state <> 'closed'
		AND ($1 = '' OR r.owner = $1 OR r.task_of = $1 OR (r.owner = '' AND r.team = $2 AND r.team <> ''))
		AND ($3 = '' OR r.task_of = $3) AND (CAST($4 AS BIGINT) = 0 OR (r.state = 'open' AND r.due_at < CAST($4 AS BIGINT)))
		ORDER BY r.due_at, r.ref LIMIT CAST($5 AS INTEGER)`
	// His and those of his accounts, and those of nobody's that were asked for from one
	// of their numbers.
	qRequestsOf = selectRequest + `WHERE r.customer = $1 OR r.customer IN (SELECT m.other FROM customer_merges m WHERE m.whole = $1)
		OR (r.customer = '' AND r.number IN (SELECT n.e164 FROM customer_numbers n
			WHERE n.customer = $1 OR n.customer IN (SELECT m.other FROM customer_merges m WHERE m.whole = $1)))
		ORDER BY CASE WHEN r.state = 'closed' THEN 1 ELSE 0 END, CASE WHEN r.state = 'closed' THEN -r.closed_at ELSE r.due_at END, r.ref
		LIMIT CAST($2 AS INTEGER)`
	qRequestsOfCustomer = selectRequest + `WHERE r.customer = $1 ORDER BY r.opened_at, r.ref LIMIT CAST($2 AS INTEGER)`
	qRequestsOfNumber   = selectRequest + `WHERE r.customer = '' AND r.number = $1 ORDER BY r.opened_at, r.ref LIMIT CAST($2 AS INTEGER)`
	qDueRequests        = `SELECT ref FROM requests WHERE next_at IS NOT NULL AND next_at <= $1 ORDER BY next_at LIMIT CAST($2 AS INTEGER)`
	qRequestSteps       = `SELECT seq, at, who, kind, word, shown FROM request_steps WHERE ref = $1 ORDER BY seq`
	qLastRequestStep    = `SELECT COALESCE(MAX(seq), 0) FROM request_steps WHERE ref = $1`
	qAddRequestStep     = `INSERT INTO request_steps (ref, seq, at, who, kind, word, shown) VALUES ($1, $2, $3, $4, $5, $6, $7)`

	qDropRequestsOf       = `DELETE FROM requests WHERE customer = $1`
	qDropRequestsOfNumber = `DELETE FROM requests WHERE customer = '' AND number = $1`

	mostRequests = 200
)

// OpenRequest adds a request with its first step and what is to be told of it. An
// outside system's is there once: opened is false when it was there, and the request
// is the one that was. Whose it is, is who; a number that no customer has is kept, a
// customer whom the store does not have is refused (ErrNotFound) when an outside
// system names him.
func (s *Store) OpenRequest(ctx context.Context, who Person, r Request, first RequestStep, tell []Notice) (out Request, opened bool, err error) {
	r.Title, r.Detail, first.Word = fitting(r.Title), fitting(r.Detail), fitting(first.Word)
	err = s.write.inTx(ctx, func(t *tx) error {
		opened = false
		if r.Customer, err = s.holdAsking(t, who, &r); err != nil {
			return err
		}
		if r.Number = ""; r.Customer == "" {
			r.Number = who.Number
		}
		switch err := t.row(qRequestOfSource, []any{r.Source, r.SourceID}, &out.Ref); {
		case err == nil:
			return nil
		case !errors.Is(err, ErrNotFound):
			return err
		}
		opened, out.Ref = true, r.Ref
		if err := t.put(qAddRequest, r.Ref, r.Kind, r.Title, r.Detail, r.Customer, r.Number, r.Source, r.SourceID, r.OpenedBy, maybeCall(r.Call), r.OpenedAt.UnixMicro(),
			r.State, r.Outcome, maybeInstant(r.ClosedAt), r.Owner, r.Team, r.DueAt.UnixMicro(), maybeLeft(&r), r.Level, maybeInstant(r.NextAt), r.TaskOf, maybeInstant(r.TaskAt)); err != nil {
			return err
		}
		return addSteps(t, r.Ref, []RequestStep{first}, tell)
	})
	if err == nil {
		out, err = s.Request(ctx, out.Ref)
	}
	if err != nil {
		return Request{}, false, fmt.Errorf("store: open a request: %w", err)
	}
	return out, opened, nil
}

// holdAsking finds who asks, and keeps him from being erased meanwhile.
func (s *Store) holdAsking(t *tx, who Person, r *Request) (customer string, err error) {
	if who == (Person{}) {
		return "", nil
	}
	customer, err = holdCustomer(t, who)
	if !errors.Is(err, ErrNotFound) {
		return customer, err
	}
	if who.Number != "" {
		return "", nil
	}
	if r.Source != "" || s.erased.was(customer, r.Call) {
		return "", ErrNotFound
	}
	return customer, nil // his record lives in another system
}

// ChangeRequest does something about a request: change sees it as it is and says
// what was done and what is to be told. Nobody else changes it meanwhile, and an
// error of change leaves it as it is. ErrNotFound when there is none.
func (s *Store) ChangeRequest(ctx context.Context, ref string, change func(*Request) ([]RequestStep, []Notice, error)) (r Request, err error) {
	err = s.write.inTx(ctx, func(t *tx) error {
		n, err := t.exec(qHoldRequest, ref)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		if err != nil {
			return err
		}
		if r, err = scanRequest(func(dest ...any) error { return t.row(qRequest, []any{ref}, dest...) }); err != nil {
			return err
		}
		steps, tell, err := change(&r)
		if err != nil {
			return err
		}
		if err := t.put(qSetRequest, ref, r.State, r.Outcome, maybeInstant(r.ClosedAt), r.Owner, r.Team, r.DueAt.UnixMicro(),
			maybeLeft(&r), r.Level, maybeInstant(r.NextAt), r.TaskOf, maybeInstant(r.TaskAt)); err != nil {
			return err
		}
		return addSteps(t, ref, steps, tell)
	})
	if err != nil {
		return Request{}, fmt.Errorf("store: change a request: %w", err)
	}
	return r, nil
}

func addSteps(t *tx, ref string, steps []RequestStep, tell []Notice) error {
	var last int
	if err := t.row(qLastRequestStep, []any{ref}, &last); err != nil {
		return err
	}
	for i, step := range steps {
		if err := t.put(qAddRequestStep, ref, last+i+1, step.At.UnixMicro(), step.Who, step.Kind, fitting(step.Word), flag(step.Shown)); err != nil {
			return err
		}
	}
	for _, n := range tell {
		if err := t.put(qAddNotice, n.ID, ref, n.What, n.Who, n.Channel, n.MadeAt.UnixMicro(), n.NextAt.UnixMicro()); err != nil {
			return err
		}
	}
	return nil
}

// Request reads one request; ErrNotFound when there is none.
func (s *Store) Request(ctx context.Context, ref string) (Request, error) {
	r, err := scanRequest(func(dest ...any) error { return s.read.row(ctx, qRequest, []any{ref}, dest...) })
	if err != nil {
		return Request{}, fmt.Errorf("store: request: %w", err)
	}
	return r, nil
}

// RequestSteps reads what was done about a request, in order.
func (s *Store) RequestSteps(ctx context.Context, ref string) (out []RequestStep, err error) {
	err = each(ctx, s.read, qRequestSteps, []any{ref}, func(row *sql.Rows) error {
		var step RequestStep
		var at sql.NullInt64
		err := row.Scan(&step.Seq, &at, &step.Who, &step.Kind, &step.Word, &step.Shown)
		step.At = instant(at)
		out = append(out, step)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: steps of a request: %w", err)
	}
	return out, nil
}

// Requests lists open requests, those due first before all others.
func (s *Store) Requests(ctx context.Context, f RequestFilter) ([]Request, error) {
	late := int64(0)
	if !f.LateAt.IsZero() {
		late = f.LateAt.UnixMicro()
	}
	return s.requests(ctx, qOpenRequests, f.Owner, f.Team, f.TaskOf, late, positive(f.Most, mostRequests))
}

// RequestsOf lists a customer's requests, and those of whoever is one with him: the open ones by when they are due, then
// the closed ones, the latest first.
func (s *Store) RequestsOf(ctx context.Context, customer string, most int) ([]Request, error) {
	return s.requests(ctx, qRequestsOf, customer, positive(most, mostRequests))
}

// DueRequests are those to be escalated by an instant.
func (s *Store) DueRequests(ctx context.Context, now time.Time) ([]string, error) {
	return s.texts(ctx, qDueRequests, now.UnixMicro(), mostRequests)
}

func (s *Store) requests(ctx context.Context, query string, args ...any) ([]Request, error) {
	out := []Request{}
	err := each(ctx, s.read, query, args, func(row *sql.Rows) error {
		r, err := scanRequest(row.Scan)
		out = append(out, r)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("store: requests: %w", err)
	}
	return out, nil
}

func scanRequest(scan func(dest ...any) error) (r Request, err error) {
	var call, opened, closed, due, left, next, task sql.NullInt64
	err = scan(&r.Ref, &r.Kind, &r.Title, &r.Detail, &r.Customer, &r.Number, &r.Source, &r.SourceID, &r.OpenedBy, &call, &opened,
		&r.State, &r.Outcome, &closed, &r.Owner, &r.Team, &due, &left, &r.Level, &next, &r.TaskOf, &task, &r.Name, &r.Dead)
	r.Call, r.Left = routing.CallID(call.Int64), time.Duration(left.Int64)*time.Microsecond
	r.OpenedAt, r.ClosedAt, r.DueAt, r.NextAt, r.TaskAt = instant(opened), instant(closed), instant(due), instant(next), instant(task)
	return r, err
}

func maybeInstant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func maybeCall(call routing.CallID) any {
	if call == 0 {
		return nil
	}
	return int64(call)
}

func maybeLeft(r *Request) any {
	if r.State != RequestWaiting {
		return nil
	}
	return r.Left.Microseconds()
}
