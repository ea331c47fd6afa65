package app

import (
	"context"
	"encoding/json"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/statistics"
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

// answerGaps implements web.Options.AnswerGaps, by the document that is live.
func (a *App) answerGaps(ctx context.Context) ([]byte, error) {
	g, err := statistics.BuildAnswerGaps(ctx, a.store, a.Policy(), time.Now())
	if err != nil {
		return nil, err
	}
	return json.Marshal(g)
}

// dueAnswers implements web.Options.DueAnswers.
func (a *App) dueAnswers(ctx context.Context, owner string) ([]screenpop.Answer, error) {
	all, err := a.store.Answers(ctx)
	if err != nil {
		return nil, err
	}
	mine := []screenpop.Answer{}
	for _, d := range statistics.DueAnswers(all, a.Policy(), time.Now()) {
		if d.Owner == owner {
			mine = append(mine, screenpop.Answer(d))
		}
	}
	return mine, nil
}
