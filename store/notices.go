package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// Channels of a Notice.
const (
	ByMail    = "mail"
	BySMS     = "sms"
	ByWebhook = "webhook"
)

// Notice is something to be told to a user about a request. It is written with what
// it tells of, and waits until it is sent or given up.
type Notice struct {
	ID      string // one that whoever gets it twice knows it by
	Ref     string
	What    string
	Who     string // user
	Channel string
	MadeAt  time.Time
	Tries   int
	NextAt  time.Time // not before

	Request Request // as it is now; writing leaves it
}

// Reach is where a user is told of what waits for him.
type Reach struct{ Mail, Mobile string }

const (
	qAddNotice = `INSERT INTO notices (id, ref, what, who, channel, made_at, state, tries, next_at, why)
		VALUES ($1, $2, $3, $4, $5, $6, 'waiting', 0, $7, '')`
	qDueNotices = `SELECT id, ref, what, who, channel, made_at, tries, next_at FROM notices
		WHERE state = 'waiting' AND next_at <= $1 AND channel NOT IN ($3, $4, $5) ORDER BY next_at, id LIMIT CAST($2 AS INTEGER)`
	qSetNotice   = `UPDATE notices SET state = $2, tries = $3, next_at = $4, why = $5 WHERE id = $1`
	qReach       = `SELECT mail, mobile FROM users WHERE id = $1`
	qSaveReach   = `UPDATE users SET mail = $2, mobile = $3 WHERE id = $1`
	noticesTaken = 50
)

// DueNotices are those that may be sent by an instant, each with its request, but for
// those of channels that are away.
func (s *Store) DueNotices(ctx context.Context, now time.Time, away ...string) (out []Notice, err error) {
	args := []any{now.UnixMicro(), noticesTaken}
	for _, channel := range [...]string{ByMail, BySMS, ByWebhook} {
		if !slices.Contains(away, channel) {
			channel = ""
		}
		args = append(args, channel)
	}
	err = each(ctx, s.read, qDueNotices, args, func(row *sql.Rows) error {
		var n Notice
		var made, next sql.NullInt64
		err := row.Scan(&n.ID, &n.Ref, &n.What, &n.Who, &n.Channel, &made, &n.Tries, &next)
		n.MadeAt, n.NextAt = instant(made), instant(next)
		out = append(out, n)
		return err
	})
	for i := range out {
		if err == nil {
			out[i].Request, err = s.Request(ctx, out[i].Ref)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("store: notices: %w", err)
	}
	return out, nil
}

// NoticeSent notes that it was sent. One that is gone was erased.
func (s *Store) NoticeSent(ctx context.Context, n *Notice) error {
	return s.setNotice(ctx, n, "sent", "", nil)
}

// NoticeLater notes why it could not be sent, to be tried again at n.NextAt.
func (s *Store) NoticeLater(ctx context.Context, n *Notice, why string) error {
	return s.setNotice(ctx, n, "waiting", why, nil)
}

// NoticeDead gives it up, and notes it among what was done about the request.
func (s *Store) NoticeDead(ctx context.Context, n *Notice, why string, step RequestStep) error {
	return s.setNotice(ctx, n, "dead", why, []RequestStep{step})
}

func (s *Store) setNotice(ctx context.Context, n *Notice, state, why string, steps []RequestStep) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		held, err := t.exec(qHoldRequest, n.Ref)
		if err != nil || held == 0 {
			return err
		}
		if err := t.put(qSetNotice, n.ID, state, n.Tries, n.NextAt.UnixMicro(), fitting(why)); err != nil {
			return err
		}
		return addSteps(t, n.Ref, steps, nil)
	})
	if err != nil {
		return fmt.Errorf("store: notice: %w", err)
	}
	return nil
}

// Reach reads where a user is told; ErrNotFound when there is no such user.
func (s *Store) Reach(ctx context.Context, user string) (r Reach, err error) {
	if err := s.read.row(ctx, qReach, []any{user}, &r.Mail, &r.Mobile); err != nil {
		return Reach{}, fmt.Errorf("store: user: %w", err)
	}
	return r, nil
}

// SaveReach notes where a user is told; ErrNotFound when there is no such user.
func (s *Store) SaveReach(ctx context.Context, user string, r Reach) error {
	err := s.write.inTx(ctx, func(t *tx) error {
		n, err := t.exec(qSaveReach, user, r.Mail, r.Mobile)
		if err == nil && n == 0 {
			err = ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("store: user: %w", err)
	}
	return nil
}
