package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// TestInterestChanges: a service that fell and rises is told once by the webhook, however
// often that has to be tried; one of which nothing was said before is not.
func TestInterestChanges(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var got []string
	status := http.StatusBadGateway
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(body))
		w.WriteHeader(status)
	}))
	t.Cleanup(hook.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("a-secret-of-the-webhook\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, setup{openers: fmt.Sprintf("notify: {desk: \"https://desk.example.com\", webhook: {url: %q, secret_file: %q}}\n", hook.URL, secret)})
	s, zone := w.app.Store(), w.app.Policy().Zone
	first := time.Date(2025, 9, 1, 0, 0, 0, 0, zone) // a Monday
	for week := range 10 {
		for range 2 + 3*week {
			id, at := s.NextCall(), first.AddDate(0, 0, 7*week+2)
			s.Arrived(store.Arrival{Call: id, Trunk: "main", Dialled: "+448081570142", At: at})
			s.Do(at, []routing.Action{
				routing.Enqueued{Call: id, Queue: "away", Topic: "fibre", Since: at, Entered: at},
				routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller},
			})
		}
	}
	w.must(s.Flush(w.ctx))
	fell := store.InterestState{InterestKey: store.InterestKey{Division: "service", Service: "fibre"}, State: "falling", Was: "steady", Since: first, Told: true}
	w.must(s.SaveInterestStates(w.ctx, fell))
	now := first.AddDate(0, 0, 7*10+1)
	if err := w.app.interestChanged(w.ctx, now); err == nil || strings.Contains(err.Error(), hook.URL) {
		t.Errorf("a webhook that does not take it: %v", err)
	}
	mu.Lock()
	status = http.StatusNoContent
	mu.Unlock()
	w.must(w.app.interestChanged(w.ctx, now))
	w.must(w.app.interestChanged(w.ctx, now))
	mu.Lock()
	defer mu.Unlock()
	if len(got) != 2 || got[0] != got[1] {
		t.Fatalf("told: %q", got)
	}
	var told interestWire
	w.must(json.Unmarshal([]byte(got[1]), &told))
	want := interestWire{"interest/2025-11-10/service/topic/fibre//", "interest", "service", "fibre", false, "", "", "rising", "falling", first.AddDate(0, 0, 70).UTC()}
	if told != want {
		t.Errorf("told %+v, want %+v", told, want)
	}
	if n := w.logs.FilterMessage("interest has changed").Len(); n != 1 {
		t.Errorf("%d changes in the log", n)
	}
	states, err := s.InterestStates(w.ctx)
	w.must(err)
	if all := states[store.InterestKey{Division: "all"}]; all.State != "rising" || all.Was != "" {
		t.Errorf("all calls: %+v", all)
	}
	text, err := w.app.interest(w.ctx, 26, nil) // of now: these calls are long ago
	if err != nil || !strings.Contains(string(text), `"weeks":[`) {
		t.Errorf("%v: %s", err, text)
	}
}
