package store

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/fulltext"
)

// ErrBadPlace refuses Search.After that no search has given.
var ErrBadPlace = errors.New("the search cannot go on there")

// Search is what interactions are looked for.
type Search struct {
	Query    *fulltext.Query
	Customer string    // his alone, and of all that he is merged with; "" for everybody's
	Since    time.Time // inclusive; zero: from the beginning
	Until    time.Time // exclusive; zero: to the end
	After    string    // Found.Next of the page before
	Most     int
}

// Hit is an interaction that was found.
type Hit struct {
	Customer    string // whose record shows it; "" of somebody who is none
	Name        string
	Interaction customer.Interaction
}

// Found is one page, the newest first.
type Found struct {
	Hits []Hit
	Next string // where the next page begins; "" after the last
	// Waiting is how many interactions cannot be found yet: they are new and not in
	// the index yet. A customer's own need none.
	Waiting int
}

// searchIndex is how a database finds interactions by their terms. Both find the same.
type searchIndex interface {
	// unindexed counts what is to be added, to at most so many.
	unindexed(ctx context.Context, p querier, most int) (int, error)
	// add gives at most so many interactions their terms, the latest written or the
	// newest first.
	add(t *tx, most int) (int, error)
	// gone says whether terms are there of interactions that are gone, and remove takes
	// those of at most so many out; of one customer's when whose is not nil.
	gone(ctx context.Context, p querier) (bool, error)
	remove(t *tx, whose *string, most int) (int, error)
	// find gives candidates, the newest first, after a place.
	find(ctx context.Context, p querier, s *Search, after string, most int) ([]candidate, error)
}

// candidate is an interaction that may match.
type candidate struct {
	Hit
	place string
}

const (
	searchTogether = 60     // interactions read at once
	searchRead     = 1_500  // of everybody's, for one page
	searchOwn      = 3_000  // of a customer's, for one page
	waitingCounted = 10_000 // no more are counted
)

// Search finds interactions by the words of their title, detail and note. A page
// reads a bounded number of them: it may have fewer than Most and go on all the same,
// and the first of a customer's has a few more while some wait to be written.
func (s *Store) Search(ctx context.Context, in Search) (out Found, err error) {
	if in.Customer != "" {
		out, err = s.searchCustomer(ctx, &in)
	} else {
		out, err = s.searchAll(ctx, &in)
	}
	if err == nil {
		err = s.nameHits(ctx, out.Hits)
	}
	if err != nil {
		return Found{}, fmt.Errorf("store: search: %w", err)
	}
	return out, nil
}

func (s *Store) searchAll(ctx context.Context, in *Search) (out Found, err error) {
	index := s.db.search()
	if out.Waiting, err = index.unindexed(ctx, s.read, waitingCounted); err != nil {
		return out, err
	}
	out.Hits, out.Next, err = onePage(in, searchRead, func(after string) ([]candidate, error) {
		return index.find(ctx, s.read, in, after, searchTogether)
	})
	return out, err
}

// searchCustomer reads through what a customer has: no index is needed for it, and
// nothing is missed, even what waits to be written.
func (s *Store) searchCustomer(ctx context.Context, in *Search) (out Found, err error) {
	read := s.pending.begin()
	defer s.pending.end(read)
	accounts, err := accountsOf(ctx, s.read, in.Customer)
	if err != nil {
		return out, err
	}
	newest := map[string]bool{} // as somebody has just written them, whatever the tables say
	var unwritten []Hit
	for _, id := range accounts {
		for _, c := range s.pending.of(id) {
			i := c.interaction("")
			newest[i.ID] = true
			if in.matches(&i) && in.After == "" {
				unwritten = append(unwritten, Hit{Customer: id, Interaction: i})
			}
		}
	}
	out.Hits, out.Next, err = onePage(in, searchOwn, func(after string) ([]candidate, error) {
		return readInteractions(ctx, s.read, accounts, after)
	})
	out.Hits = slices.DeleteFunc(out.Hits, func(h Hit) bool { return newest[h.Interaction.ID] })
	out.Hits = append(out.Hits, unwritten...)
	slices.SortStableFunc(out.Hits, func(a, b Hit) int { return b.Interaction.At.Compare(a.Interaction.At) })
	return out, err
}

// onePage reads candidates, at most so many, until a page is full of those that match.
// It says where to go on.
func onePage(in *Search, most int, read func(after string) ([]candidate, error)) (hits []Hit, next string, err error) {
	after := in.After
	for range most / searchTogether {
		found, err := read(after)
		if err != nil {
			return nil, "", err
		}
		for i := range found {
			if in.matches(&found[i].Interaction) {
				if len(hits) == in.Most {
					return hits, after, nil
				}
				hits = append(hits, found[i].Hit)
			}
			after = found[i].place
		}
		if len(found) < searchTogether {
			return hits, "", nil
		}
	}
	return hits, after, nil
}

func (in *Search) matches(i *customer.Interaction) bool {
	return (in.Since.IsZero() || !i.At.Before(in.Since)) && (in.Until.IsZero() || i.At.Before(in.Until)) &&
		in.Query.Matches(i.Title, i.Detail, i.Note)
}

// place is where a reading in the order of time goes on.
type place struct {
	at           int64
	customer, id string
}

// text is the place as callers hand it back.
func (p *place) text() string {
	raw, _ := json.Marshal([]any{p.at, p.customer, p.id}) // numbers and texts: it cannot fail
	return base64.RawURLEncoding.EncodeToString(raw)
}

func placeOf(text string) (p place, err error) {
	if text == "" {
		return place{at: math.MaxInt64}, nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err == nil {
		err = json.Unmarshal(raw, &[]any{&p.at, &p.customer, &p.id})
	}
	if err != nil {
		return p, ErrBadPlace
	}
	return p, nil
}

// qAfterPlace are rows after a place, $1 to $3, at most so many.
const qAfterPlace = ` AND at <= $1 AND (at < $1 OR customer < $2 OR customer = $2 AND id < $3)
	ORDER BY at DESC, customer DESC, id DESC LIMIT `

// readInteractions reads the next interactions of these customers, the newest first.
func readInteractions(ctx context.Context, p *pool, accounts []string, after string) ([]candidate, error) {
	from, err := placeOf(after)
	if err != nil {
		return nil, err
	}
	args := []any{from.at, from.customer, from.id}
	in := make([]string, len(accounts))
	for i, id := range accounts {
		args = append(args, id)
		in[i] = "$" + strconv.Itoa(i+4)
	}
	return candidates(ctx, p, `SELECT customer, `+interactionColumns("")+`FROM interactions
		WHERE customer IN (`+strings.Join(in, ", ")+`)`+qAfterPlace+strconv.Itoa(searchTogether), args)
}

// interactionColumns are what scanInteraction reads, of a table by this name.
func interactionColumns(table string) string {
	columns := strings.Fields(strings.TrimPrefix(qSelectInteraction, "SELECT "))
	return table + strings.Join(columns, " "+table) + " "
}

// candidates reads interactions with whose they are.
func candidates(ctx context.Context, p querier, query string, args []any) (out []candidate, err error) {
	err = each(ctx, p, query, args, func(row *sql.Rows) (err error) {
		var c candidate
		c.Interaction, err = scanInteraction(behind{row, &c.Customer})
		at := place{c.Interaction.At.UnixMicro(), c.Customer, c.Interaction.ID}
		c.place = at.text()
		out = append(out, c)
		return err
	})
	return out, err
}

const qRecordsOf = `SELECT c.id, w.id, w.name FROM customers c
	JOIN customers w ON w.id = COALESCE((SELECT m.whole FROM customer_merges m WHERE m.other = c.id), c.id) WHERE c.id IN `

// nameHits says whose record shows what was found, and puts in the names of our users.
func (s *Store) nameHits(ctx context.Context, hits []Hit) error {
	if len(hits) == 0 {
		return nil
	}
	ids := make([]any, 0, len(hits))
	for i := range hits {
		ids = append(ids, hits[i].Customer)
	}
	whose := map[string][2]string{}
	err := each(ctx, s.read, qRecordsOf+placeholders(1, len(ids), s.read.prepares), ids, func(row *sql.Rows) error {
		var id string
		var whole [2]string
		err := row.Scan(&id, &whole[0], &whole[1])
		whose[id] = whole
		return err
	})
	if err != nil {
		return err
	}
	var users int64
	if err := s.read.row(ctx, qCounter, []any{"users"}, &users); err != nil && !errors.Is(err, ErrNotFound) {
		return err
	}
	names, err := s.namesAt(ctx, users)
	if err != nil {
		return err
	}
	for i := range hits {
		h := &hits[i]
		h.Customer, h.Name = whose[h.Customer][0], whose[h.Customer][1]
		if by := h.Interaction.Agent; by != nil && names[by.Agent] != "" {
			by.Name = names[by.Agent]
		}
	}
	return nil
}
