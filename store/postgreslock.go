package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// The advisory lock of the one server of a database: "Cord", and the schema its
// tables are in.
const (
	lockClass = 0x436f7264
	qTryLock  = `SELECT pg_try_advisory_lock($1, hashtext(current_schema()))`
	qUnlock   = `SELECT pg_advisory_unlock($1, hashtext(current_schema()))`
	qHoldLock = `SELECT 1`
)

// How the lock's session is watched. A session that dies without a word is
// noticed by the database after about half a minute, and its lock is free.
const (
	lockCheck     = 2 * time.Second
	lockAliveIdle = "10"
	lockAliveStep = "5"
	lockAliveTry  = "4"
)

// sessionLock is an advisory lock, which lives as long as its session. When the
// session is lost (the database was started again, the network was cut) the
// lock is taken anew. In between another server may take it: that one raises
// the epoch, and by it our transactions are refused.
type sessionLock struct {
	p    *postgres
	stop context.CancelFunc
	over sync.WaitGroup

	mu       sync.Mutex
	conn     *pgx.Conn                           // nil while lost
	outlived func(context.Context) (bool, error) // nil: not known yet
}

// ask has the lock ask, whenever it was lost, whether another server has had it
// since. It is given up then.
func (l *sessionLock) ask(outlived func(context.Context) (bool, error)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outlived = outlived
}

// lock implements database.
func (p *postgres) lock(ctx context.Context) (io.Closer, error) {
	conn, err := p.lockedConn(ctx)
	if err != nil {
		return nil, err
	}
	watched, stop := context.WithCancel(context.Background())
	l := &sessionLock{p: p, stop: stop, conn: conn}
	l.over.Go(func() { l.watch(watched) })
	return l, nil
}

// lockedConn is a session that holds the lock; errLocked when another does.
func (p *postgres) lockedConn(ctx context.Context) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*connectTime)
	defer cancel()
	config := p.config.Copy()
	config.RuntimeParams["tcp_keepalives_idle"] = lockAliveIdle
	config.RuntimeParams["tcp_keepalives_interval"] = lockAliveStep
	config.RuntimeParams["tcp_keepalives_count"] = lockAliveTry
	config.RuntimeParams["statement_timeout"] = millis(connectTime)
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	var ours bool
	if err = conn.QueryRow(ctx, qTryLock, lockClass).Scan(&ours); err == nil && !ours {
		err = errLocked
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close(ctx))
	}
	return conn, nil
}

// watch asks the session for a sign of life and takes the lock anew when there
// is none. Whether another server has had it in between is asked until there is
// an answer.
func (l *sessionLock) watch(ctx context.Context) {
	for unsure := false; ; {
		t := time.NewTimer(lockCheck/2 + rand.N(lockCheck))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		l.mu.Lock()
		conn, outlived := l.conn, l.outlived
		l.mu.Unlock()
		var err error
		if conn == nil || !l.alive(ctx, conn) {
			unsure = true
			if conn, err = l.p.lockedConn(ctx); err != nil {
				conn = nil // away, or taken: the epoch tells whether by another server
			}
			l.mu.Lock()
			l.conn = conn
			l.mu.Unlock()
		}
		if !unsure || outlived == nil || err != nil && !errors.Is(err, errLocked) {
			continue
		}
		over, err := outlived(ctx)
		unsure = err != nil
		if over {
			_ = l.giveUp() // the session ends with it
			return
		}
	}
}

// alive is not cut short by the end of the watching: a question given up takes the
// session with it, and the database would free the lock some time after Close.
func (l *sessionLock) alive(ctx context.Context, conn *pgx.Conn) bool {
	asked, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTime)
	defer cancel()
	if _, err := conn.Exec(asked, qHoldLock); err == nil {
		return true
	}
	closing, done := context.WithTimeout(ctx, connectTime)
	defer done()
	_ = conn.Close(closing) // it is dead already
	return false
}

// Close gives the lock up, before it returns: a session ends some time after it
// was closed, and the next server may be starting already.
func (l *sessionLock) Close() error {
	l.stop()
	l.over.Wait()
	return l.giveUp()
}

// giveUp unlocks. Nobody else uses the session by now.
func (l *sessionLock) giveUp() error {
	l.mu.Lock()
	conn := l.conn
	l.conn = nil
	l.mu.Unlock()
	if conn == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectTime)
	defer cancel()
	if _, err := conn.Exec(ctx, qUnlock, lockClass); err != nil {
		_ = conn.Close(ctx) // the session is dead, and holds nothing
		return nil
	}
	if err := conn.Close(ctx); err != nil {
		return fmt.Errorf("unlock: %w", err)
	}
	return nil
}
