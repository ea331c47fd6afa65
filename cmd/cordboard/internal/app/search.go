package app

import (
	"context"
	"errors"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// search finds interactions in the store.
type search struct{ app *App }

// Search implements web.Searcher.
func (s search) Search(ctx context.Context, in web.Search) (web.SearchPage, error) {
	return s.find(ctx, "", in)
}

// SearchInHand implements web.Searcher.
func (s search) SearchInHand(ctx context.Context, agent agents.ID, call routing.CallID, in web.Search) (web.SearchPage, error) {
	id, err := deskConsents(s).inHand(agent, call)
	if err != nil {
		return web.SearchPage{}, err
	}
	return s.find(ctx, id, in)
}

func (s search) find(ctx context.Context, customer string, in web.Search) (out web.SearchPage, err error) {
	found, err := s.app.store.Search(ctx, store.Search{
		Query: in.Query, Customer: customer, Since: in.Since, Until: in.Until, After: in.After, Most: in.Most,
	})
	if errors.Is(err, store.ErrBadPlace) {
		return out, web.ErrBadPlace
	}
	out.Next, out.Waiting = found.Next, found.Waiting
	for _, h := range found.Hits {
		out.Hits = append(out.Hits, web.SearchHit(h))
	}
	return out, err
}
