package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/journal"
	"github.com/cordboard/cordboard/web"
)

// ofDana are the words that nobody may find once she is erased.
var ofDana = []string{"LW-1", "Whitcombe", dana[1:], "fibre9000", "moves to Leeds"}

// found says which words stand in the server's folder: database, journal, spill,
// messages.
func (w *world) found(words []string) (out []string) {
	w.Helper()
	w.must(filepath.WalkDir(filepath.Dir(w.app.Server().Store.Journal), func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && !d.Type().IsRegular() {
			return nil // a file that was removed meanwhile
		}
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		for _, word := range words {
			if bytes.Contains(text, []byte(word)) {
				out = append(out, word+" in "+filepath.Base(path))
			}
		}
		return err
	}))
	return out
}

// TestErase: a customer who called is erased while the server runs. Nothing of her
// is left in its files, her call is still counted, and whoever decides it again is
// told that she was erased. Then she calls again, as anybody.
func TestErase(t *testing.T) {
	for _, db := range Databases {
		t.Run(db.Case("running"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna, petar}, store: db})
			r := record()
			r.Fields = map[string]any{"contact": "Leo Whitcombe", "seats": 12.0}
			r.Products = []customer.Product{{ID: "p1", Kind: "fibre9000", Name: "Fibre"}}
			r.Heed = []string{"moves to Leeds"}
			w.must(w.app.Store().SaveCustomers(w.ctx, []customer.Record{r}))
			want := answeredByCaller
			want.agent = petar
			c := w.dial(dial{to: toNamed})
			w.phase(petar, "talking")
			c.hangsUp()
			row := w.settled(want)[0]
			if row.Customer != "LW-1" || row.Number != dana {
				t.Fatalf("%+v", row)
			}
			if db == "sqlite" && len(w.found(ofDana[:3])) < 3 {
				t.Fatal("this test looks in the wrong place")
			}

			agent := w.browse(w.links[anna])
			agent.ask(http.MethodPost, "/api/v1/erasures", `{"customer":"LW-1"}`, http.StatusForbidden)
			w.must(w.app.Store().SaveUser(w.ctx, store.User{ID: string(boris), Role: web.RoleAdmin, Name: "Boris"}))
			admin := w.browse(w.links[boris])
			for body, code := range map[string]int{
				`{}`: http.StatusBadRequest, `{"customer":"LW-1","number":"` + dana + `"}`: http.StatusBadRequest,
				`{"number":"never"}`: http.StatusBadRequest, `{"number":"` + dana + `"}`: http.StatusConflict,
			} {
				admin.ask(http.MethodPost, "/api/v1/erasures", body, code)
			}
			var out web.Erased
			admin.json(http.MethodPost, "/api/v1/erasures", `{"customer":"LW-1"}`, http.StatusOK, &out)
			if out != (web.Erased{Customer: true, Accounts: 1, Calls: 1}) {
				t.Errorf("erased %+v", out)
			}
			if left := w.found(ofDana); len(left) > 0 {
				t.Errorf("left while the server runs: %v", left)
			}
			again, err := w.app.Store().LedgerRow(w.ctx, row.Call)
			if row.Number, row.Customer = "", ""; err != nil || again != row {
				t.Errorf("the call is %+v, %v; want %+v", again, err, row)
			}
			if got := w.resolved(); !slices.Equal(got, []string{"erased"}) {
				t.Errorf("the journal has %v", got)
			}
			if legs, messages := w.app.tracer.messages.Call(int64(row.Call)); len(legs)+len(messages) > 0 {
				t.Errorf("%d legs and %d messages are traced still", len(legs), len(messages))
			}
			admin.json(http.MethodPost, "/api/v1/erasures", `{"customer":"LW-1"}`, http.StatusOK, &out)
			if out != (web.Erased{}) {
				t.Errorf("erased again: %+v", out)
			}

			m, err := w.app.finder.Find(w.ctx, dana)
			if err != nil || m.Record != nil || len(m.Candidates) > 0 {
				t.Errorf("her number is known still: %+v, %v", m, err)
			}
			for _, e := range w.logs.All() {
				for _, word := range ofDana {
					if strings.Contains(fmt.Sprint(e.Message, e.ContextMap()), word) {
						t.Errorf("%s is logged: %s", word, e.Message)
					}
				}
			}
			w.stop()
			if left := w.found(ofDana); len(left) > 0 {
				t.Errorf("left when the server has stopped: %v", left)
			}
		})
	}
}

// resolved are the ends of look-ups as the journal has them.
func (w *world) resolved() (out []string) {
	w.Helper()
	w.must(journal.Read(w.app.Server().Store.Journal, func(_ time.Time, ev routing.Event) error {
		if r, ok := ev.(routing.CustomerResolved); ok && r.Key != "" {
			out = append(out, map[bool]string{true: "erased", false: "known"}[r.Erased])
		}
		return nil
	}))
	return out
}

// TestEraseFiles: with no server running the files are cleaned; behind the back of
// one that runs they are not.
func TestEraseFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna}})
	c := w.dial(dial{to: toAsks})
	w.phase(anna, "talking")
	c.hangsUp()
	w.settled(answeredByCaller)
	who := store.Person{Customer: "LW-1"}
	if _, err := EraseFiles(w.ctx, w.app.Server(), who, zap.NewNop()); err == nil || !strings.Contains(err.Error(), "another server has this store open") {
		t.Fatalf("behind the server's back: %v", err)
	}
	w.stop()
	if got := w.resolved(); !slices.Equal(got, []string{"known"}) {
		t.Fatalf("the journal has %v", got)
	}
	out, err := EraseFiles(w.ctx, w.app.Server(), who, zap.NewNop())
	if err != nil || out != (web.Erased{Customer: true, Accounts: 1, Calls: 1}) {
		t.Fatalf("%+v, %v", out, err)
	}
	if left := w.found(ofDana); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if got := w.resolved(); !slices.Equal(got, []string{"erased"}) {
		t.Errorf("the journal has %v", got)
	}
	if out, err = EraseFiles(w.ctx, w.app.Server(), who, zap.NewNop()); err != nil || out != (web.Erased{}) {
		t.Errorf("again: %+v, %v", out, err)
	}
}

// TestEraseCallback: who waits to be called back and is erased is not called.
func TestEraseCallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{desk: away})
	w.farRings()
	w.accepts(w.dial(dial{to: toBack}), "1#")
	out, err := AskToErase(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, "me")
	if err != nil || out != (web.Erased{Customer: true, Accounts: 1, Calls: 1, Callbacks: 1}) {
		t.Fatalf("%+v, %v", out, err)
	}
	w.eventually("her place is gone", func() bool {
		w.must(w.app.Store().Flush(w.ctx))
		open, err := w.app.Store().OpenCalls(w.ctx)
		w.must(err)
		return len(open) == 0
	})
	row, err := w.app.Store().LedgerRow(w.ctx, 1)
	if err != nil || row.Outcome != routing.Expired || row.Reason != reasonErased || row.Number+row.CallBack+row.Customer != "" {
		t.Errorf("%+v, %v", row, err)
	}
	w.stop()
	if left := w.found(ofDana); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
