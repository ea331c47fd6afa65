package tracking

import (
	"context"
	"errors"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/store"
)

// Channel is a way to tell users.
type Channel interface {
	Name() string
	Reaches(store.Reach) bool
	// Send tells one; the error says nothing of whom, and stands in the log.
	Send(ctx context.Context, to store.Reach, n Notice) error
}

// Notice is what is told: which request, and nothing of who asked for what.
type Notice struct {
	ID       string // the same each time it is sent
	What     string
	User     string
	Ref      string
	Kind     string
	Title    string // the type's
	DueAt    time.Time
	Due      string // the same, by the document's clock
	Language string // the document's
}

// How a notice that was not taken is sent again: after so long, twice as long each
// time, until it is given up.
const (
	firstRetry = 30 * time.Second
	lastRetry  = time.Hour
	mostTries  = 12
	sendTime   = 30 * time.Second
)

// sendAll sends what is due by now, until nothing is. A channel that has failed is
// left until the next time: others are not to wait for one that is away.
func (q *Requests) sendAll(ctx context.Context) error {
	var away []string
	for ctx.Err() == nil {
		due, err := q.opt.Store.DueNotices(ctx, q.now(), away...)
		if err != nil || len(due) == 0 {
			return err
		}
		for i := range due {
			n := &due[i]
			if slices.Contains(away, n.Channel) {
				continue
			}
			failed := q.try(ctx, n)
			if ctx.Err() != nil {
				return nil // it is sent again after the next start
			}
			if failed != nil && !errors.Is(failed, errNoReach) {
				away = append(away, n.Channel)
			}
			if err := q.tried(ctx, n, failed); err != nil {
				return err
			}
		}
	}
	return nil
}

// tried notes what came of an attempt. It may have been sent when it is sent again:
// what it is known by is the same.
func (q *Requests) tried(ctx context.Context, n *store.Notice, err error) error {
	n.Tries++
	if err == nil {
		q.counted.WithLabelValues(n.Channel, "sent").Inc()
		return q.opt.Store.NoticeSent(ctx, n)
	}
	now := q.now()
	n.NextAt = now.Add(min(firstRetry<<(n.Tries-1), lastRetry))
	if n.Tries < mostTries {
		q.counted.WithLabelValues(n.Channel, "failed").Inc()
		q.log.Warn("a notice was not taken: it is sent again", zap.String("request", n.Ref), zap.String("user", n.Who), zap.String("channel", n.Channel), zap.Int("tries", n.Tries), zap.Error(err))
		return q.opt.Store.NoticeLater(ctx, n, err.Error())
	}
	q.counted.WithLabelValues(n.Channel, "dead").Inc()
	q.log.Error("a notice is given up", zap.String("request", n.Ref), zap.String("user", n.Who), zap.String("channel", n.Channel), zap.Error(err))
	return q.opt.Store.NoticeDead(ctx, n, err.Error(), store.RequestStep{At: now, Kind: "untold", Word: n.Who})
}

var (
	errNoChannel = errors.New("the server file has no such channel any more")
	errNoReach   = errors.New("the user has no such address any more")
)

func (q *Requests) try(ctx context.Context, n *store.Notice) error {
	c := q.channels[n.Channel]
	if c == nil {
		return errNoChannel
	}
	to, err := q.opt.Store.Reach(ctx, n.Who)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if !c.Reaches(to) {
		return errNoReach
	}
	p, r := q.opt.Policy(), &n.Request
	ctx, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	return c.Send(ctx, to, Notice{
		ID: n.ID, What: n.What, User: n.Who, Ref: r.Ref, Kind: r.Kind, Title: q.titled(r.Kind, p.DefaultLanguage), DueAt: r.DueAt,
		Due: r.DueAt.In(p.Zone).Format("2006-01-02 15:04 MST"), Language: p.DefaultLanguage,
	})
}
