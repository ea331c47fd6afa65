package app

import (
	"context"
	"errors"

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
// the live document. One left without a queue, or in one that is gone, is for the
// agents of the queue where calls go that no route claims.
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
	return q != nil && q.Serves(a, m.Language)
}

// there tells what is not there from what cannot be read.
func there(err error) (bool, error) {
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
