package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// TestMerged: a supervisor finds two who are one and merges them. Whoever calls from
// the other's number pops with the record of both, a merge undone is two again, and an
// erasure takes both along, whichever is named.
func TestMerged(t *testing.T) {
	const second = "+447700900556"
	for _, db := range Databases {
		t.Run(db.Case("merged"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna}, store: db})
			old := record()
			old.ID, old.Name, old.Heed = "LW-2", "WHITCOMBE, Dana", []string{"moves to Leeds"}
			old.Numbers = append(old.Numbers, customer.Number{E164: second})
			old.Products = []customer.Product{{ID: "p1", Kind: "fibre9000", Name: "Fibre 9000", Status: "active"}}
			w.must(w.app.Store().SaveCustomers(w.ctx, []customer.Record{old}))
			w.must(w.app.Store().SaveUser(w.ctx, store.User{ID: string(boris), Role: web.RoleSupervisor, Name: "Boris"}))
			boss := w.browse(w.links[boris])
			w.browse(w.links[anna]).ask(http.MethodGet, "/api/v1/duplicates", "", http.StatusForbidden)

			_, found := boss.ask(http.MethodGet, "/api/v1/duplicates", "", http.StatusOK)
			for _, want := range []string{`"numbers":1`, `"id":"LW-1"`, `"id":"LW-2"`, `"more":0`, `Fibre 9000`} {
				if !strings.Contains(string(found), want) {
					t.Errorf("the duplicates have no %s: %s", want, found)
				}
			}
			for body, code := range map[string]int{
				`{}`: http.StatusBadRequest, `{"keep":"LW-1","other":"LW-1"}`: http.StatusConflict, `{"keep":"LW-1","other":"LW-9"}`: http.StatusNotFound,
			} {
				boss.ask(http.MethodPost, "/api/v1/merges", body, code)
			}
			var m struct {
				Merge     int64
				OtherName string `json:"other_name"`
			}
			merge := func() {
				boss.json(http.MethodPost, "/api/v1/merges", `{"keep":"LW-1","other":"LW-2"}`, http.StatusCreated, &m)
			}
			merge()
			if m.OtherName != old.Name {
				t.Errorf("merged %+v", m)
			}
			if _, found = boss.ask(http.MethodGet, "/api/v1/duplicates", "", http.StatusOK); string(found) != `{"duplicates":[],"more":0}` {
				t.Errorf("duplicates still: %s", found)
			}
			path := fmt.Sprintf("/api/v1/merges/%d", m.Merge)
			boss.ask(http.MethodDelete, path, "", http.StatusNoContent)
			boss.ask(http.MethodDelete, path, "", http.StatusNotFound)
			merge()

			c := w.dial(dial{to: toAsks, pai: "sip:" + second + "@trunk.example"})
			card := w.phase(anna, "talking")
			if card.Record == nil || card.Record.ID != "LW-1" || len(card.Record.Accounts) != 1 || card.Record.Products[0].Account != "LW-2" {
				t.Errorf("the record is %+v", card.Record)
			}
			c.hangsUp()
			w.settled(answeredByCaller)
			_, after := boss.ask(http.MethodGet, "/api/v1/after-call?from=1&to=4102444800000000", "", http.StatusOK)
			for _, want := range []string{`"by":"all","name":"","title":null,"calls":1,"answered":1,`, `"by":"agent","name":"anna","title":{"":"Anna Berg"}`, `"not_known_yet":1,"followed":0`, `"solved_share":null`} {
				if !strings.Contains(string(after), want) {
					t.Errorf("after the call there is no %s: %s", want, after)
				}
			}
			text, err := AskToExport(w.ctx, w.app.Server(), store.Person{Customer: "LW-2"}, "me")
			w.must(err)
			if file := readPerson(t, text); file.Customer.ID != "LW-1" || len(file.Accounts) != 1 || file.Accounts[0].Customer.Heed[0] != "moves to Leeds" || file.Accounts[0].By.Name != "Boris" || len(file.Calls) != 1 {
				t.Errorf("exported %s", text)
			}
			out, err := AskToErase(w.ctx, w.app.Server(), store.Person{Customer: "LW-2"}, "me")
			w.must(err)
			if out != (web.Erased{Customer: true, Accounts: 2, Calls: 1}) {
				t.Errorf("erased %+v", out)
			}
			if left := w.found(append([]string{"LW-2", "WHITCOMBE", second[1:]}, ofDana...)); len(left) > 0 {
				t.Errorf("left of them: %v", left)
			}
			if got := w.resolved(); len(got) != 1 || got[0] != "erased" {
				t.Errorf("the journal has %v", got)
			}
		})
	}
}
