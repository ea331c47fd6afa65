package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/tracking/smtptest"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// movable is a clock that a test puts on.
type movable struct{ at atomic.Int64 }

func (m *movable) now() time.Time     { return time.UnixMicro(m.at.Load()).UTC() }
func (m *movable) set(at time.Time)   { m.at.Store(at.UnixMicro()) }
func (m *movable) on(d time.Duration) { m.at.Add(d.Microseconds()) }

// monday is nine o'clock of a working day.
var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

// opens is the section of a web site that opens requests.
func opens(t *testing.T) string {
	path := filepath.Join(t.TempDir(), "opens")
	if err := os.WriteFile(path, []byte(siteToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return `requests: {site: {token_file: "` + path + `", region: GB}}` + "\n"
}

// tracked is a request as the API tells of it.
type tracked struct {
	Ref, Type, Title, Detail, Customer, Name, Number, State, Outcome, Owner, Word string
	TaskOf                                                                        string `json:"task_of"`
	OpenedBy                                                                      string `json:"opened_by"`
	DueAt                                                                         any    `json:"due_at"`
	Late, Untold                                                                  bool
	Steps                                                                         []struct {
		Who, Kind, Word string
		Shown           bool
	}
	Result, Code string
}

func (r tracked) kinds() string {
	var out []string
	for _, s := range r.Steps {
		out = append(out, s.Kind)
	}
	return strings.Join(out, " ")
}

// opened has the web site open a request; "" is no token.
func (w *world) opened(id, token, body string) (int, tracked) {
	w.Helper()
	return w.trackedBy(http.MethodPost, "requests/"+id, token, body)
}

func (w *world) trackedBy(method, path, token, body string) (status int, out tracked) {
	w.Helper()
	status, text := w.byToken(method, path, token, body)
	w.must(json.Unmarshal(text, &out))
	return status, out
}

func (b *browser) requests(query string, code int) (refs []string) {
	b.w.Helper()
	var out struct{ Requests []tracked }
	b.json(http.MethodGet, "/api/v1/desk/requests?"+query, "", code, &out)
	for _, r := range out.Requests {
		refs = append(refs, r.Title)
	}
	return refs
}

func (b *browser) step(ref, body string, code int) (out tracked) {
	b.w.Helper()
	b.json(http.MethodPost, "/api/v1/desk/requests/"+ref+"/steps", body, code, &out)
	return out
}

// TestRequest: what a web site opens is on the desk of who has the customer's call, is
// its owner's, becomes a named person's task when it is late, is closed from a desk,
// seen by its reference, and erased with the customer; who is absent has a mail by a real
// server.
func TestRequest(t *testing.T) {
	for _, db := range Databases {
		t.Run(db.Case("requests"), func(t *testing.T) {
			t.Parallel()
			clock := &movable{}
			clock.set(monday)
			mails := smtptest.Start(t)
			w := newWorld(t, setup{at: []agents.ID{anna}, store: db, openers: opens(t) + `notify: {desk: "https://desk.example.com", mail: ` + mails.Section() + "}\n", now: clock.now})
			for _, id := range []agents.ID{petar, boris, anna} {
				w.must(w.app.Store().SaveReach(w.ctx, string(id), store.Reach{Mail: string(id) + "@example.com"}))
			}
			const body = `{"type":"repair","number":"07700 900417","title":"Fibre is dead in Leeds","detail":"since Sunday"}`
			status, first := w.opened("site/form-7", siteToken, body)
			if status != http.StatusCreated || first.Result != "opened" || first.DueAt != "2026-11-23T17:00:00Z" {
				t.Fatalf("opened: %d %+v", status, first)
			}
			if status, again := w.opened("site/form-7", siteToken, body); status != http.StatusOK || again.Result != "same" || again.Ref != first.Ref {
				t.Errorf("again: %d %+v", status, again)
			}

			c := w.dial(dial{to: toAsks})
			card := w.phase(anna, "talking")
			onCall, owner, other := w.browse(w.links[anna]), w.browse(w.links[petar]), w.browse(w.links[boris])
			if got := onCall.requests("customer=LW-1", http.StatusOK); fmt.Sprint(got) != "[Fibre is dead in Leeds]" {
				t.Errorf("in the call: %v", got)
			}
			other.requests("customer=LW-1", http.StatusNotFound)
			other.ask(http.MethodGet, "/api/v1/desk/requests/"+first.Ref, "", http.StatusNotFound)
			other.step(first.Ref, `{"do":"take"}`, http.StatusNotFound)
			other.ask(http.MethodPost, "/api/v1/desk/requests", fmt.Sprintf(`{"type":"repair","title":"x","call":%d}`, card.Call), http.StatusConflict)
			var second tracked
			onCall.json(http.MethodPost, "/api/v1/desk/requests", fmt.Sprintf(`{"type":"repair","title":"Second socket","call":%d}`, card.Call), http.StatusCreated, &second)
			if second.Customer != "LW-1" || second.Owner != string(petar) || second.OpenedBy != string(anna) {
				t.Errorf("opened in the call: %+v", second)
			}
			c.hangsUp()
			w.settled(answeredByCaller)
			onCall.requests("customer=LW-1", http.StatusNotFound) // the call is over

			if got := owner.requests("", http.StatusOK); len(got) != 2 {
				t.Errorf("the owner has %v", got)
			}
			owner.step(first.Ref, `{"do":"wait","word":"Which floor is it?","shown":true}`, http.StatusOK)
			owner.step(first.Ref, `{"do":"wait"}`, http.StatusConflict)
			clock.on(24 * time.Hour) // Tuesday, nine
			if got := owner.step(first.Ref, `{"do":"resume"}`, http.StatusOK); got.DueAt != float64(monday.Add(32*time.Hour).UnixMicro()) || got.Late {
				t.Errorf("goes on: due %v, late %v", got.DueAt, got.Late)
			}
			clock.on(8*time.Hour + time.Minute)
			owner.step(second.Ref, `{"do":"close","outcome":"withdrawn"}`, http.StatusOK)
			w.eventually("the task of boris", func() bool { return len(other.requests("task=1", http.StatusOK)) == 1 })
			got := other.step(first.Ref, `{"do":"word","word":"I call the workshop"}`, http.StatusOK)
			if got.kinds() != "opened waiting word resumed due_soon escalated word" && got.kinds() != "opened waiting word resumed escalated word" || got.TaskOf != string(boris) || !got.Late {
				t.Errorf("late: %s, %+v", got.kinds(), got)
			}
			owner.step(first.Ref, `{"do":"settle","word":"done"}`, http.StatusConflict) // another's task
			clock.on(24 * time.Hour)
			w.must(w.app.Store().SaveUser(w.ctx, store.User{ID: string(anna), Role: web.RoleSupervisor, Name: "Anna"}))
			lead := w.browse(w.links[anna])
			w.eventually("the next one's task", func() bool {
				lead.step(first.Ref, `{"do":"word","word":"."}`, http.StatusOK)
				return len(lead.requests("task=1&late=1", http.StatusOK)) == 1
			})
			owner.step(first.Ref, `{"do":"close","outcome":"done","word":"It works again.","shown":true}`, http.StatusOK)
			owner.step(first.Ref, `{"do":"take"}`, http.StatusConflict)
			if left := lead.requests("", http.StatusOK); len(left) != 0 {
				t.Errorf("open still: %v", left)
			}

			status, seen := w.trackedBy(http.MethodGet, "requests/"+strings.ToLower(first.Ref), "", "")
			if status != http.StatusOK || seen.State != "closed" || seen.Outcome != "done" || seen.Word != "It works again." || seen.Title != "Repair" {
				t.Errorf("by its reference: %d %+v", status, seen)
			}
			if seen.Customer+seen.Name+seen.Detail+seen.Owner+seen.OpenedBy != "" {
				t.Errorf("by its reference, and more than that: %+v", seen)
			}
			w.eventually("what the absent are told", func() bool {
				to := map[string]bool{}
				for _, m := range mails.Messages() {
					if strings.HasPrefix(m.Header.Get("Subject"), first.Ref) {
						to[m.Header.Get("To")] = true
					}
				}
				return to["<petar@example.com>"] && to["<boris@example.com>"] && to["<anna@example.com>"]
			})
			w.forgets(db, first.Ref, "Fibre is dead in Leeds", "Which floor is it?", "It works again.")
		})
	}
}

// forgets erases the customer, and sees that nothing is left of the words.
func (w *world) forgets(db Database, ref string, words ...string) {
	w.Helper()
	text, err := AskToExport(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, "me")
	w.must(err)
	for _, word := range words {
		if !strings.Contains(string(text), word) {
			w.Errorf("not exported: %s", word)
		}
	}
	if db == "sqlite" && len(w.found(words)) == 0 {
		w.Fatal("this test looks in the wrong place")
	}
	out, err := AskToErase(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, "me")
	w.must(err)
	if out.Requests != 2 {
		w.Errorf("erased: %+v", out)
	}
	if left := w.found(words); len(left) > 0 {
		w.Errorf("left: %v", left)
	}
	if status, _ := w.trackedBy(http.MethodGet, "requests/"+ref, "", ""); status != http.StatusNotFound {
		w.Errorf("by its reference: HTTP %d", status)
	}
	for _, e := range w.logs.All() {
		line := fmt.Sprint(e.Message, e.ContextMap())
		for _, word := range append(words, siteToken, dana, "LW-1") {
			if strings.Contains(line, word) {
				w.Errorf("logged: %s", line)
			}
		}
	}
}

// TestRequestRefused: what cannot be taken is refused with the field's name, and who
// tries references is held up, unless a system asks for its visitors.
func TestRequestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{openers: opens(t)})
	for _, c := range []struct{ path, token, body, want string }{
		{"site/1", "", `{"type":"repair","title":"x"}`, "401 bad_token"},
		{"shop/1", siteToken, `{"type":"repair","title":"x"}`, "403 forbidden"},
		{"site/1", siteToken, `{"type":"repair","title":"x"`, "400 bad_request"},
		{"site/1", siteToken, `{"type":"repair","title":"x","colour":"red"}`, "400 bad_request"},
		{"site/1", siteToken, `{"type":"repairs","title":"x"}`, "422 bad_fields"},
		{"site/1", siteToken, `{"type":"repair","title":" "}`, "422 bad_fields"},
		{"site/1", siteToken, `{"type":"repair","title":"a\u202eb"}`, "422 bad_fields"},
		{"site/1", siteToken, `{"type":"repair","title":"x","number":"12"}`, "422 bad_fields"},
		{"site/1", siteToken, `{"type":"repair","title":"x","call":1}`, "422 bad_fields"},
		{"site/1", siteToken, `{"type":"repair","title":"x","number":"` + dana + `","customer":"LW-1"}`, "422 bad_fields"},
		{"site/1", siteToken, `{"type":"repair","title":"x","customer":"LW-2"}`, "404 not_found"},
		{"site/" + strings.Repeat("1", 65), siteToken, `{"type":"repair","title":"x"}`, "422 bad_fields"},
		{"site/1", siteToken, `{"type":"repair","title":"x","number":"07700 900998"}`, "201 "}, // of nobody yet
	} {
		if status, is := w.opened(c.path, c.token, c.body); fmt.Sprint(status, " ", is.Code) != c.want {
			t.Errorf("%s %.60s: HTTP %d %s, want %s", c.path, c.body, status, is.Code, c.want)
		}
	}
	_, there := w.opened("site/1", siteToken, `{"type":"repair","title":"x"}`)
	desk := w.browse(w.links[petar])
	for _, body := range []string{`{"do":"dance"}`, `{"do":"word"}`, `{"do":"close"}`, `{"do":"close","outcome":"lost"}`, `{"do":"take","outcome":"done"}`, `{"do":"give"}`, `{"do":"give","to":"nobody"}`, `{"do":"give","team":"none"}`, `{"do":"wait","shown":true}`} {
		desk.step(there.Ref, body, http.StatusUnprocessableEntity)
	}
	if got := desk.step(there.Ref, `{"do":"give","team":"field"}`, http.StatusOK); got.Owner != "" || got.kinds() != "opened given" {
		t.Errorf("given to a team: %+v", got)
	}
	var last int
	for range 40 {
		last, _ = w.trackedBy(http.MethodGet, "requests/R-00000-00001", "", "")
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after 40 guesses: HTTP %d", last)
	}
	if status, got := w.trackedBy(http.MethodGet, "requests/"+there.Ref, siteToken, ""); status != http.StatusOK || got.Ref != there.Ref {
		t.Errorf("a system that asks for its visitors: HTTP %d %+v", status, got)
	}
}
