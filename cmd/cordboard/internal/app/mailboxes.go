package app

import (
	"context"
	"errors"
	"sync"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// mailboxes gives the HTTP edge the store's messages in its own words.
type mailboxes struct{ app *App }

// Messages implements web.Messages.
func (b mailboxes) Messages(ctx context.Context, mailbox, state string, under routing.CallID, most int) ([]web.Message, error) {
	all, err := b.app.store.Messages(ctx, store.MessageFilter{Mailbox: mailbox, State: state, Under: under, Most: most})
	out := make([]web.Message, len(all))
	for i, m := range all {
		out[i] = web.Message(m)
	}
	return out, err
}

// Message implements web.Messages.
func (b mailboxes) Message(ctx context.Context, call routing.CallID) (web.Message, bool, error) {
	m, err := b.app.store.Message(ctx, call)
	ok, err := there(err)
	return web.Message(m), ok, err
}

// Sound implements web.Messages.
func (b mailboxes) Sound(ctx context.Context, call routing.CallID) ([]byte, bool, error) {
	wav, err := b.app.store.MessageSound(ctx, call)
	ok, err := there(err)
	return wav, ok, err
}

// SetMessage implements web.Messages.
func (b mailboxes) SetMessage(ctx context.Context, call routing.CallID, state, by string) (bool, error) {
	return there(b.app.store.SetMessageState(ctx, call, state, by))
}

// DeleteMessage implements web.Messages.
func (b mailboxes) DeleteMessage(ctx context.Context, call routing.CallID) (bool, error) {
	return there(b.app.store.DeleteMessage(ctx, call))
}

// Serves implements web.Messages: who fits the queue that the caller was in, by
// the live document; in whatever language where nobody who fits has the caller's.
// One left without a queue, or in one that is gone, is for the agents of the queue
// where calls go that no route claims.
func (b mailboxes) Serves(agent agents.ID, m *web.Message) bool {
	p := b.app.Policy()
	a, ok := p.Agents[agent]
	if !ok {
		return false
	}
	q := p.Queues[m.Queue]
	if q == nil {
		q = p.Queues[p.Route.Queue]
	}
	switch {
	case q == nil:
		return false
	case q.Serves(a, m.Language):
		return true
	}
	return q.Serves(a, "") && !b.app.tongues.spoken(p, q, m.Language)
}

// tongues remembers of the live document in which languages somebody serves a
// queue: a list of messages asks for each.
type tongues struct {
	mu     sync.Mutex
	policy *routing.Policy
	by     map[[2]string]bool // by queue and language
}

func (t *tongues) spoken(p *routing.Policy, q *routing.Queue, language string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.policy != p {
		t.policy, t.by = p, map[[2]string]bool{}
	}
	key := [2]string{q.Name, language}
	spoken, known := t.by[key]
	if !known {
		for _, a := range p.Agents {
			if spoken = q.Serves(a, language); spoken {
				break
			}
		}
		t.by[key] = spoken
	}
	return spoken
}

// there tells what is not there from what cannot be read.
func there(err error) (bool, error) {
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
