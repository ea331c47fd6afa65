package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/store"
)

// testVersions: versions are numbered without a gap, each made from the last.
func testVersions(t *testing.T, f Fixture) {
	s := open(t, f)
	ctx := t.Context()
	_, err := s.LastVersion(ctx)
	missing(t, "no version yet", err)
	all, err := s.Versions(ctx, 0, 10)
	ok(t, err)
	equal(t, "versions", all, []store.Version{})
	first := store.Version{SHA256: "a1", Document: []byte("one\x00\xff"), Author: "file", Origin: store.OriginFile, Zones: "2025b"}
	second := store.Version{SHA256: "b2", Document: []byte("two"), Author: "ines", Origin: store.OriginUser, Comment: "evening team: “late”", Parent: "a1", Zones: "2025b"}
	for i, v := range []*store.Version{&first, &second} {
		got, err := s.SaveVersion(ctx, *v)
		ok(t, err)
		v.Number, v.SavedAt = i+1, got.SavedAt
		equal(t, "saved", got, *v)
		read, err := s.Version(ctx, i+1)
		ok(t, err)
		equal(t, "read", read, *v)
	}
	for _, parent := range []string{"", "a1", "c3"} {
		if _, err := s.SaveVersion(ctx, store.Version{SHA256: "x", Document: []byte("x"), Parent: parent}); !errors.Is(err, store.ErrStale) {
			t.Fatalf("saved beside the last version: %v", err)
		}
	}
	first.Document, second.Document = nil, nil
	last, err := s.LastVersion(ctx)
	ok(t, err)
	equal(t, "last", last, second)
	last, err = s.LastOfOrigin(ctx, store.OriginFile)
	ok(t, err)
	equal(t, "last of the file", last, first)
	all, err = s.Versions(ctx, 0, 10)
	ok(t, err)
	equal(t, "versions", all, []store.Version{second, first})
	all, err = s.Versions(ctx, 2, 1)
	ok(t, err)
	equal(t, "versions under 2", all, []store.Version{first})
	_, err = s.Version(ctx, 3)
	missing(t, "version 3", err)

	// Of those who save at once from the same version, one does.
	var wg sync.WaitGroup
	results := make([]error, 6)
	for i := range results {
		wg.Go(func() {
			_, results[i] = s.SaveVersion(ctx, store.Version{SHA256: fmt.Sprint("c", i), Document: []byte("x"), Parent: "b2"})
		})
	}
	wg.Wait()
	saved := 0
	for _, err := range results {
		if err == nil {
			saved++
		} else if !errors.Is(err, store.ErrStale) {
			t.Fatal(err)
		}
	}
	equal(t, "saved at once", saved, 1)
}

// testActivations: who wanted what, what became of it, and what is live after a
// restart.
func testActivations(t *testing.T, f Fixture) {
	s := open(t, f)
	ctx := t.Context()
	parent := ""
	for _, sum := range []string{"a", "b"} {
		_, err := s.SaveVersion(ctx, store.Version{SHA256: sum, Document: []byte(sum), Parent: parent})
		ok(t, err)
		parent = sum
	}
	_, err := s.AddActivation(ctx, store.Activation{Version: 9, Who: "ines"})
	missing(t, "activation of no version", err)
	add := func(a store.Activation) store.Activation {
		t.Helper()
		got, err := s.AddActivation(ctx, a)
		ok(t, err)
		read, err := s.Activation(ctx, got.ID)
		ok(t, err)
		equal(t, "as read", read, got)
		return got
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	live := add(store.Activation{Version: 1, Who: "file", Waiting: "keep", State: store.ActivationLive})
	late := add(store.Activation{Version: 1, Who: "ines", Waiting: "keep", Due: now.Add(2 * time.Hour), Reason: "back after the campaign"})
	soon := add(store.Activation{Version: 2, Who: "ines", Waiting: "apply", Moves: map[string]string{"old": "new"}, Due: now.Add(time.Hour), Ticked: true})
	asked := add(store.Activation{Version: 2, Who: "ines", Waiting: "keep"})
	if live.ID != 1 || asked.ID != 4 || asked.State != store.ActivationScheduled || asked.Due.After(time.Now()) {
		t.Fatalf("activations %s, %s", show(live), show(asked))
	}
	waiting, err := s.Scheduled(ctx)
	ok(t, err)
	equal(t, "scheduled", waiting, []store.Activation{asked, soon, late})

	answer := json.RawMessage(`{"errors":1}`)
	ok(t, s.DecideActivation(ctx, asked.ID, store.ActivationRefused, now, answer))
	ok(t, s.DecideActivation(ctx, late.ID, store.ActivationCancelled, now, nil))
	ok(t, s.DecideActivation(ctx, soon.ID, store.ActivationLive, now.Add(time.Second), nil))
	for _, id := range []int64{live.ID, asked.ID, soon.ID} {
		if err := s.DecideActivation(ctx, id, store.ActivationCancelled, now, nil); !errors.Is(err, store.ErrDecided) {
			t.Fatalf("decided twice: %v", err)
		}
	}
	missing(t, "decide no activation", s.DecideActivation(ctx, 99, store.ActivationLive, now, nil))
	asked.State, asked.DoneAt, asked.Answer = store.ActivationRefused, now, answer
	late.State, late.DoneAt = store.ActivationCancelled, now
	soon.State, soon.DoneAt = store.ActivationLive, now.Add(time.Second)
	f.Abandon(t, s)

	s = open(t, f)
	all, err := s.Activations(ctx, 0, 10)
	ok(t, err)
	equal(t, "activations", all, []store.Activation{asked, soon, late, live})
	all, err = s.Activations(ctx, asked.ID, 1)
	ok(t, err)
	equal(t, "activations under one", all, []store.Activation{soon})
	all, err = s.WentLive(ctx, 5)
	ok(t, err)
	equal(t, "went live", all, []store.Activation{soon, live})
	back := add(store.Activation{Version: 1, Who: "ines", Waiting: "keep"})
	ok(t, s.DecideActivation(ctx, back.ID, store.ActivationLive, now.Add(-time.Hour), nil)) // the clock was set back
	back.State, back.DoneAt = store.ActivationLive, now.Add(-time.Hour)
	all, err = s.WentLive(ctx, 2)
	ok(t, err)
	equal(t, "went live after the clock was set back", all, []store.Activation{back, soon})
	waiting, err = s.Scheduled(ctx)
	ok(t, err)
	equal(t, "scheduled", waiting, []store.Activation{})
	_, err = s.SaveVersion(ctx, store.Version{SHA256: "c", Document: []byte("c"), Parent: "b"})
	ok(t, err)
	add(store.Activation{Version: 3, Who: "ines", Waiting: "keep"})
	for version, want := range map[int]bool{1: true, 2: true, 3: false, 4: false} {
		was, err := s.WasLive(ctx, version)
		ok(t, err)
		equal(t, "was live", was, want)
	}
}

// testDirectories: a directory is kept under its hash, for good.
func testDirectories(t *testing.T, f Fixture) {
	s := open(t, f)
	ctx := t.Context()
	_, err := s.Directory(ctx, "d1")
	missing(t, "no directory yet", err)
	ok(t, s.SaveDirectory(ctx, "d1", []byte("agents:\x00\xff")))
	ok(t, s.SaveDirectory(ctx, "d1", []byte("another")))
	got, err := s.Directory(ctx, "d1")
	ok(t, err)
	equal(t, "directory", string(got), "agents:\x00\xff")
}
