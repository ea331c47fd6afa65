package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// querier is something that can be asked.
type querier interface {
	query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// view is a connection to an SQLite file on which one look-up at a time reads
// the database as of one instant: what is read belongs together, whatever is
// written meanwhile. Its statements stay prepared. They run without a context:
// each is over in less than it takes to start the goroutines that could
// interrupt it, and between two the look-up's own context counts.
type view struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// query implements querier.
func (v *view) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	st, err := v.stmt(query)
	if err != nil {
		return nil, err
	}
	return st.QueryContext(context.Background(), args...)
}

func (v *view) exec(query string) error {
	st, err := v.stmt(query)
	if err != nil {
		return err
	}
	_, err = st.ExecContext(context.Background())
	return err
}

func (v *view) stmt(query string) (*sql.Stmt, error) {
	if st := v.stmts[query]; st != nil {
		return st, nil
	}
	st, err := v.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	v.stmts[query] = st
	return st, nil
}

func (v *view) close() error {
	var errs []error
	for _, st := range v.stmts {
		errs = append(errs, st.Close())
	}
	return errors.Join(append(errs, v.conn.Close())...)
}

// views are the connections for look-ups, at most so many as seats has room
// for. The one that came back last is given out first: its pages are in memory.
type views struct {
	seats chan struct{}

	mu     sync.Mutex
	free   []*view
	closed bool
}

func newViews(n int) views { return views{seats: make(chan struct{}, n)} }

var errViewsClosed = errors.New("the database is closed")

// take waits for a seat as long as the context allows. The view is nil where
// one is still to be made.
func (s *views) take(ctx context.Context) (*view, error) {
	select {
	case s.seats <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		<-s.seats
		return nil, errViewsClosed
	}
	n := len(s.free)
	if n == 0 {
		return nil, nil
	}
	v := s.free[n-1]
	s.free = s.free[:n-1]
	return v, nil
}

// giveBack takes a view back; nil gives up the seat alone.
func (s *views) giveBack(v *view) {
	if v != nil {
		s.mu.Lock()
		s.free = append(s.free, v)
		s.mu.Unlock()
	}
	<-s.seats
}

// close waits for the look-ups under way and closes the views.
func (s *views) close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	for range cap(s.seats) {
		s.seats <- struct{}{}
	}
	var errs []error
	for _, v := range s.free {
		errs = append(errs, v.close())
	}
	for range cap(s.seats) {
		<-s.seats
	}
	return errors.Join(errs...)
}

// on runs do on a view. It says whether the view may be used again.
func (p *pool) on(ctx context.Context, do func(*view) (whole bool, err error)) (err error) {
	v, err := p.views.take(ctx)
	if err != nil {
		return err
	}
	defer func() { p.views.giveBack(v) }()
	if v == nil {
		conn, err := p.db.Conn(ctx)
		if err != nil {
			return err
		}
		v = &view{conn: conn, stmts: map[string]*sql.Stmt{}}
	}
	whole, err := do(v)
	if !whole {
		err = errors.Join(err, v.close())
		v = nil
	}
	return err
}

// ask asks one question.
func (p *pool) ask(ctx context.Context, query string, args []any, row func(scanner) error) error {
	if p.askTogether != nil {
		return each(ctx, p, query, args, func(rows *sql.Rows) error { return row(rows) })
	}
	return p.on(ctx, func(v *view) (bool, error) {
		err := each(ctx, v, query, args, func(rows *sql.Rows) error { return row(rows) })
		return err == nil || ctx.Err() != nil, err
	})
}

// askAll asks several questions, answered as of one instant.
func (p *pool) askAll(ctx context.Context, asks []ask) error {
	if p.askTogether != nil {
		return p.askTogether(ctx, p.db, asks)
	}
	return p.on(ctx, func(v *view) (bool, error) {
		err := v.exec("BEGIN")
		if err != nil {
			return false, err
		}
		for _, a := range asks {
			if err = each(ctx, v, a.query, a.args, func(rows *sql.Rows) error { return a.row(rows) }); err != nil {
				break
			}
		}
		// Nothing was written: there is nothing that a rollback could lose.
		if end := v.exec("ROLLBACK"); end != nil { // it may be in a transaction still
			return false, errors.Join(err, end)
		}
		return true, err
	})
}
