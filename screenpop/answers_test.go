package screenpop

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// An answer whose title or steps alone were changed is shown as it is now.
func TestChangedAnswersAreTaken(t *testing.T) {
	h := &Hub{opt: Options{Policy: func() *routing.Policy { return nil }, Clock: time.Now}}
	before := Answer{ID: "a1", Topic: "bill", Lang: "en", Title: "Bill", Say: "Your bill.", Steps: []string{"Open it"}}
	for name, change := range map[string]func(*Answer){
		"title":  func(a *Answer) { a.Title = "Higher bill" },
		"steps":  func(a *Answer) { a.Steps = []string{"Open it", "Explain it"} },
		"say":    func(a *Answer) { a.Say = "Let us look." },
		"owner":  func(a *Answer) { a.Owner = "ben" },
		"review": func(a *Answer) { a.Review = "2027-03-31" },
		"topic":  func(a *Answer) { a.Topic = "" },
		"lang":   func(a *Answer) { a.Lang = "ru" },
	} {
		now := before
		change(&now)
		e := &answerEntry{list: []Answer{before}, loading: true}
		h.fetched(answerKey{lang: "en", topic: "bill"}, e, []Answer{now}, nil)
		if len(e.list) != 1 || !e.list[0].equal(now) || e.loading {
			t.Errorf("%s changed: %+v is held", name, e.list)
		}
	}
}
