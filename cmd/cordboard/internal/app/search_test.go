package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/fulltext"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// TestSearch: an agent searches the whole history of the customer whose call is in
// hand and no other's, a supervisor everybody's, and after an erasure neither the
// words nor what stands for them in the index are in the server's files.
func TestSearch(t *testing.T) {
	for _, db := range Databases {
		t.Run(db.Case("search"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna}, store: db})
			r := record()
			for i := range 80 { // more than a record shows
				r.Interactions = append(r.Interactions, customer.Interaction{
					ID: fmt.Sprintf("i%d", i), At: time.Date(2026, 1, 2+i, 9, 0, 0, 0, time.UTC), Channel: "mail", Title: fmt.Sprintf("Letter %d", i),
				})
			}
			r.Interactions[0].Note = "asked about the zeppelins"
			other := customer.Record{ID: "LW-2", Name: "Leo Hill", Numbers: []customer.Number{{E164: "+447700900556"}}, Interactions: []customer.Interaction{
				{ID: "j", At: time.Date(2026, 2, 2, 9, 0, 0, 0, time.UTC), Channel: "call", Title: "Zeppelin", Detail: "with <b>a</b> banner"},
			}}
			w.must(w.app.Store().SaveCustomers(w.ctx, []customer.Record{r, other}))
			w.must(w.app.Store().SaveUser(w.ctx, store.User{ID: string(boris), Role: web.RoleSupervisor, Name: "Boris"}))
			boss, agent, idle := w.browse(w.links[boris]), w.browse(w.links[anna]), w.browse(w.links[petar])
			type page struct {
				Hits []struct {
					Customer, Name, ID string
					Title, Text        []string
				}
				Next    string
				Waiting int
			}
			const inHand, everybody = "/api/v1/desk/search", "/api/v1/search"
			agent.ask(http.MethodPost, everybody, `{"words":"zeppelin"}`, http.StatusForbidden)
			agent.ask(http.MethodPost, inHand, `{"call":1,"words":"zeppelin"}`, http.StatusConflict) // no call yet
			c := w.dial(dial{to: toAsks})
			w.phase(anna, "talking")
			idle.ask(http.MethodPost, inHand, `{"call":1,"words":"zeppelin"}`, http.StatusConflict) // not in that hand
			var found page
			agent.json(http.MethodPost, inHand, `{"call":1,"words":"Zeppelin"}`, http.StatusOK, &found)
			if len(found.Hits) != 1 || found.Hits[0].ID != "i0" || !slices.Equal(found.Hits[0].Text, []string{"asked about the ", "zeppelins", ""}) {
				t.Errorf("in hand: %+v", found)
			}
			agent.json(http.MethodPost, inHand, `{"call":1,"words":"letters"}`, http.StatusOK, &found)
			first := len(found.Hits)
			agent.json(http.MethodPost, inHand, `{"call":1,"words":"letters","after":"`+found.Next+`"}`, http.StatusOK, &found)
			if first != 50 || len(found.Hits) != 30 || found.Next != "" {
				t.Errorf("pages of %d and %d", first, len(found.Hits))
			}
			for body, status := range map[string]int{
				`{"words":""}`: http.StatusUnprocessableEntity, `{"words":"-a"}`: http.StatusUnprocessableEntity, `{"words":"` + strings.Repeat("a", 201) + `"}`: http.StatusUnprocessableEntity,
				`{"words":"a","after":"?"}`: http.StatusBadRequest, `{"words":"a","since":"yesterday"}`: http.StatusBadRequest, `{"word":"a"}`: http.StatusBadRequest,
			} {
				boss.ask(http.MethodPost, everybody, body, status)
			}
			w.eventually("the server has indexed them", func() bool {
				q, err := fulltext.Parse("zeppelin")
				w.must(err)
				got, err := w.app.Store().Search(w.ctx, store.Search{Query: q, Most: 1})
				w.must(err)
				return got.Waiting == 0
			})
			boss.json(http.MethodPost, everybody, `{"words":"zeppelin"}`, http.StatusOK, &found)
			if len(found.Hits) != 2 || found.Hits[0].Customer != "LW-2" || found.Hits[0].Name != "Leo Hill" || found.Hits[1].Customer != "LW-1" {
				t.Errorf("everybody's: %+v", found)
			}
			boss.json(http.MethodPost, everybody, `{"words":"zeppelin","until":"2026-01-31T00:00:00Z"}`, http.StatusOK, &found)
			if len(found.Hits) != 1 || found.Hits[0].ID != "i0" {
				t.Errorf("of January: %+v", found)
			}
			c.hangsUp()
			w.settled(answeredByCaller)
			for _, id := range []string{"LW-1", "LW-2"} {
				_, err := AskToErase(w.ctx, w.app.Server(), store.Person{Customer: id}, "me")
				w.must(err)
			}
			boss.json(http.MethodPost, everybody, `{"words":"zeppelin"}`, http.StatusOK, &found)
			if len(found.Hits) != 0 {
				t.Errorf("once erased: %+v", found)
			}
			words := []string{"zeppelin", "Zeppelin"}
			if db != "postgres" { // whose index keeps which terms there were, of nobody (docs/adr/0058-search.md)
				words = append(words, fulltext.Terms("zeppelins")...)
			}
			if left := w.found(words); len(left) > 0 {
				t.Errorf("once erased: %s", left)
			}
		})
	}
}
