package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/fulltext"
)

// Search is what interactions are looked for.
type Search struct {
	Query        *fulltext.Query
	Since, Until time.Time // zero: from the beginning, to the end
	After        string    // SearchPage.Next of the page before
	Most         int
}

// SearchHit is an interaction that was found, and whose record shows it: "" of
// somebody who is no customer.
type SearchHit struct {
	Customer    string
	Name        string
	Interaction customer.Interaction
}

// SearchPage is a page of what was found, the newest first.
type SearchPage struct {
	Hits    []SearchHit
	Next    string // "": it is the last
	Waiting int    // interactions that cannot be found yet
}

// ErrBadPlace refuses Search.After that no page has given.
var ErrBadPlace = errors.New("no page begins there")

// Searcher finds interactions by their words.
type Searcher interface {
	Search(ctx context.Context, in Search) (SearchPage, error)
	// SearchInHand looks in those of the customer whose call an agent has in hand. Of
	// another's call, or of nobody's, the error is ContactRefused (not_now, no_customer).
	SearchInHand(ctx context.Context, agent agents.ID, call routing.CallID, in Search) (SearchPage, error)
}

const (
	searchTime   = 5 * time.Second
	searchPage   = 50
	searchesOnce = 4 // at the same time
	searchBurst  = 30
	searchEvery  = 500 * time.Millisecond
	excerptBytes = 120 // before and after the word that was found
)

func (s *Server) searchRoutes() []route {
	if s.opt.Search == nil {
		return nil
	}
	return []route{
		{http.MethodPost, "/api/v1/search", RoleSupervisor, s.search},
		{http.MethodPost, "/api/v1/desk/search", RoleAgent, s.searchInHand},
	}
}

// searchWire is the body of both: words are people's data, and no address has them.
type searchWire struct {
	Words string         `json:"words"`
	After string         `json:"after"`
	Call  routing.CallID `json:"call"`  // of the desk's
	Since *time.Time     `json:"since"` // of the supervisor's
	Until *time.Time     `json:"until"`
}

// search: POST /api/v1/search.
func (s *Server) search(w http.ResponseWriter, r *http.Request, who *seat) error {
	return s.searchFor(w, r, who, func(ctx context.Context, _ routing.CallID, in Search) (SearchPage, error) {
		s.log.Info("interactions of all customers are searched", zap.String("user", who.ID))
		return s.opt.Search.Search(ctx, in)
	})
}

// searchInHand: POST /api/v1/desk/search.
func (s *Server) searchInHand(w http.ResponseWriter, r *http.Request, who *seat) error {
	return s.searchFor(w, r, who, func(ctx context.Context, call routing.CallID, in Search) (SearchPage, error) {
		return s.opt.Search.SearchInHand(ctx, agents.ID(who.ID), call, in)
	})
}

func (s *Server) searchFor(w http.ResponseWriter, r *http.Request, who *seat, find func(context.Context, routing.CallID, Search) (SearchPage, error)) error {
	var in searchWire
	if err := body(w, r, &in); err != nil {
		return err
	}
	query, err := fulltext.Parse(in.Words)
	if err != nil {
		p := *problemBadSearch
		p.Detail = err.Error()
		return &p
	}
	if wait, ok := s.searches.try(who.ID, s.opt.Clock()); !ok {
		return tooMany(wait)
	}
	ctx, cancel := context.WithTimeout(r.Context(), searchTime)
	defer cancel()
	select {
	case s.searching <- struct{}{}:
		defer func() { <-s.searching }()
	case <-ctx.Done():
		return problemUnavailable
	}
	page, err := find(ctx, in.Call, Search{Query: query, Since: orZero(in.Since), Until: orZero(in.Until), After: in.After, Most: searchPage})
	switch {
	case errors.Is(err, ErrBadPlace):
		return malformed("after: %v", ErrBadPlace)
	case err != nil && ctx.Err() != nil:
		return problemUnavailable
	case err != nil:
		return deskContactProblem(err)
	}
	return reply(w, pageView(query, &page))
}

func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// hitView is an interaction as a page shows it. What was found stands at the odd
// places of title and text.
type hitView struct {
	Customer string              `json:"customer"`
	Name     string              `json:"name"`
	ID       string              `json:"id"`
	At       time.Time           `json:"at"`
	Channel  string              `json:"channel"`
	Title    []string            `json:"title"`
	Text     []string            `json:"text"`
	Agent    *customer.Colleague `json:"agent,omitempty"`
	Call     int64               `json:"call,omitempty"`
	Source   string              `json:"source,omitempty"`
}

type searchView struct {
	Hits    []hitView `json:"hits"`
	Next    string    `json:"next"`
	Waiting int       `json:"waiting"`
}

func pageView(q *fulltext.Query, page *SearchPage) searchView {
	out := searchView{Hits: []hitView{}, Next: page.Next, Waiting: page.Waiting}
	for i := range page.Hits {
		h := &page.Hits[i]
		x := &h.Interaction
		v := hitView{
			Customer: h.Customer, Name: h.Name, ID: x.ID, At: x.At, Channel: x.Channel, Agent: x.Agent, Call: x.Call, Source: x.Source,
			Title: q.Excerpt(x.Title, 0), Text: q.Excerpt(x.Note, excerptBytes),
		}
		if v.Title == nil {
			v.Title = []string{x.Title}
		}
		if v.Text == nil {
			v.Text = q.Excerpt(x.Detail, excerptBytes)
		}
		if v.Text == nil {
			v.Text = []string{}
		}
		out.Hits = append(out.Hits, v)
	}
	return out
}
