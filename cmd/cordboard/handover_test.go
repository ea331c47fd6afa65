package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/store"
)

// What is a leaver's is said first, then given, and then there is nothing of it.
func TestHandover(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	routes := filepath.Join(filepath.Dir(o.server), "routing.yaml")
	text, err := os.ReadFile(routes)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, "  boris: {name: Boris, phone: \"sip:boris@127.0.0.1:5063\"}\nteams: [night]\ntopics:\n  bills: {queue: care, specialists: [anna, boris]} # not of anna.b\n"...)
	if err := os.WriteFile(routes, text, 0o600); err != nil {
		t.Fatal(err)
	}
	hands := func(exit int, says string, words ...string) string {
		t.Helper()
		out, told, code := run(t, "", append([]string{"handover", "-c", o.server}, words...)...)
		if code != exit || !strings.Contains(out+told, says) {
			t.Errorf("%q: exit %d, %q %q", words, code, out, told)
		}
		return out
	}
	s, err := store.Open(t.Context(), store.Options{Path: o.db})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for _, ref := range []string{"R-1", "R-2"} {
		r := store.Request{Ref: ref, Kind: "repair", Title: "x", State: store.RequestOpen, Owner: "anna", OpenedAt: now, DueAt: now}
		if _, _, err := s.OpenRequest(t.Context(), store.Person{}, r, store.RequestStep{At: now, Kind: "opened"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	hands(1, "at least one of the flags", "anna")
	hands(1, "none of the others can be", "anna", "--to", "boris", "--team", "night")
	hands(1, "the one who hands over", "anna", "--to", "anna")
	hands(1, "nobody is no agent", "anna", "--to", "nobody")
	hands(1, "has no team day", "anna", "--team", "day")
	for range 2 {
		said := hands(0, "would go to boris:\n  2 open requests\n  0 tasks\n", "anna", "--to", "boris")
		for _, line := range []string{"routing.yaml:8 names anna: anna: {name: Anna Berg", "routing.yaml:12 names anna: bills: {queue: care", "nothing is changed: --yes does it"} {
			if !strings.Contains(said, line) {
				t.Errorf("not said: %s\n%s", line, said)
			}
		}
	}
	var r handoverReport
	if err := json.Unmarshal([]byte(hands(0, "", "anna", "--team", "night", "--yes", "--json")), &r); err != nil || r.Requests != 2 || !r.Done || r.Team != "night" || len(r.Named) != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	hands(0, "went to boris:\n  0 open requests", "anna", "--to", "boris", "--yes")
}
