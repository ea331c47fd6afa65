package app

import (
	"context"

	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/store"
)

// history and answers give the hub the store in the hub's own words; neither
// package knows the other.
type (
	history struct{ store *store.Store }
	answers struct{ store *store.Store }
)

// SaveContact implements screenpop.History.
func (h history) SaveContact(c screenpop.Contact) { h.store.SaveContact(store.Contact(c)) }

// FindAnswers implements screenpop.Answers.
func (a answers) FindAnswers(ctx context.Context, lang, topic, query string, limit int) ([]screenpop.Answer, error) {
	found, err := a.store.FindAnswers(ctx, lang, topic, query, limit)
	out := make([]screenpop.Answer, len(found))
	for i, f := range found {
		out[i] = screenpop.Answer(f)
	}
	return out, err
}
