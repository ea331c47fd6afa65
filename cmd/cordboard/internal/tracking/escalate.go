package tracking

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/store"
)

// What is told of a request.
const (
	toldAssigned = "assigned" // it is yours now
	toldDueSoon  = "due_soon"
	toldLate     = "late" // it was not done in time: it is your task
)

// lookEvery is how often the store is asked for what is due.
const lookEvery = 10 * time.Second

// mostTold of a team are told of a request that is due soon.
const mostTold = 20

// Start looks for what is due until Close.
func (q *Requests) Start() {
	ctx, stop := context.WithCancel(context.Background())
	q.stop, q.done = stop, make(chan struct{})
	var both sync.WaitGroup
	// Apart: what is due does not wait for a mail server that says nothing.
	both.Go(func() {
		q.run(ctx, q.wake, "requests cannot be looked after: they wait for the database", q.escalateAll)
	})
	both.Go(func() { q.run(ctx, q.told, "notices cannot be read or noted: they wait for the database", q.sendAll) })
	go func() {
		both.Wait()
		close(q.done)
	}()
}

// Close ends it; what is being sent is sent again after the next start.
func (q *Requests) Close() {
	if q.stop != nil {
		q.stop()
		<-q.done
	}
}

// look has the store asked at once.
func (q *Requests) look() {
	for _, c := range []chan struct{}{q.wake, q.told} {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// run does something now, each time it is woken, and every so often.
func (q *Requests) run(ctx context.Context, wake <-chan struct{}, trouble string, do func(context.Context) error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	failing := false
	for {
		err := do(ctx)
		if err != nil && !failing && ctx.Err() == nil {
			q.log.Error(trouble, zap.Error(err))
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-wake:
		case <-tick.C:
		}
	}
}

// escalateAll does what is due by now, until nothing is.
func (q *Requests) escalateAll(ctx context.Context) error {
	for some := false; ctx.Err() == nil; some = true {
		refs, err := q.opt.Store.DueRequests(ctx, q.now())
		if err != nil {
			return err
		}
		if len(refs) == 0 {
			if some {
				q.look() // there may be something to tell
			}
			return nil
		}
		for _, ref := range refs {
			_, err := q.opt.Store.ChangeRequest(ctx, ref, func(r *store.Request) ([]store.RequestStep, []store.Notice, error) {
				steps, tell := q.escalate(ctx, r, q.now())
				return steps, tell, nil
			})
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
		}
	}
	return nil
}

// escalate warns whose a request is, or makes it the next person's task.
func (q *Requests) escalate(ctx context.Context, r *store.Request, now time.Time) (steps []store.RequestStep, tell []store.Notice) {
	if r.State != store.RequestOpen || r.NextAt.IsZero() || r.NextAt.After(now) {
		return nil, nil
	}
	p := q.opt.Policy()
	t := p.Requests[r.Kind]
	switch {
	case t == nil || r.Level > len(t.Late):
		r.NextAt = time.Time{}
		return nil, nil
	case r.Level == 0:
		if r.DueAt.After(now) { // else this server was away, and worse is to be told
			steps = []store.RequestStep{{At: now, Kind: toldDueSoon}}
			steps, tell = q.notices(ctx, r, toldDueSoon, q.owners(r), now, steps)
		}
	default:
		e := t.Late[r.Level-1]
		r.TaskOf, r.TaskAt = e.Who, now
		steps = []store.RequestStep{{At: now, Kind: "escalated", Word: e.Who}}
		steps, tell = q.notices(ctx, r, toldLate, []string{e.Who}, now, steps)
		q.log.Warn("a request is late", zap.String("request", r.Ref), zap.String("type", r.Kind), zap.String("task_of", e.Who))
	}
	r.Level++
	r.NextAt = next(p, t, r)
	return steps, tell
}

// owners are those whose it is: one, or the team.
func (q *Requests) owners(r *store.Request) (out []string) {
	if r.Owner != "" {
		return []string{r.Owner}
	}
	for id, a := range q.opt.Policy().Agents {
		if a.Team == r.Team {
			out = append(out, string(id))
		}
	}
	slices.Sort(out)
	return out[:min(len(out), mostTold)]
}

// assigned is what is told to an agent whose a request has become by somebody else's
// doing, and who is not at the desk to see it.
func (q *Requests) assigned(ctx context.Context, r *store.Request, by string, now time.Time) []store.Notice {
	if r.Owner == "" || r.Owner == by || q.opt.Desks.AtWork(agents.ID(r.Owner)) {
		return nil
	}
	_, tell := q.notices(ctx, r, toldAssigned, []string{r.Owner}, now, nil)
	return tell
}

// notices are those for users, by each channel that reaches them; whoever none
// reaches is noted.
func (q *Requests) notices(ctx context.Context, r *store.Request, what string, users []string, now time.Time, steps []store.RequestStep) ([]store.RequestStep, []store.Notice) {
	if len(q.channels) == 0 {
		return steps, nil
	}
	var tell []store.Notice
	for _, user := range users {
		reach, err := q.opt.Store.Reach(ctx, user)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			q.log.Warn("a user cannot be read who is to be told of a request", zap.String("user", user), zap.Error(err))
		}
		before := len(tell)
		for name, c := range q.channels {
			if c.Reaches(reach) {
				tell = append(tell, store.Notice{ID: rand.Text(), Ref: r.Ref, What: what, Who: user, Channel: name, MadeAt: now, NextAt: now})
			}
		}
		if len(tell) == before {
			steps = append(steps, store.RequestStep{At: now, Kind: "untold", Word: user})
		}
	}
	return steps, tell
}
