package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
)

const careDocument = `cordboard: routing/1
name: Small
zone: Europe/London
skills: {care: {}}
queues:
  care: {need: {all: {care: 3}}, late: {after: 5m, then: {hangup: true}}}
route: {queue: care}
agents:
  anna: {name: Anna Berg, phone: "sip:anna@192.0.2.1", skills: {care: 5}}
`

func readDocument(t *testing.T, text string) *Document {
	t.Helper()
	p, findings := configs.ParseRouting("routing.yaml", []byte(text))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	return &Document{Text: []byte(text), Policy: p}
}

// stored is versions on a store alone, as a server has them before it serves.
func stored(t *testing.T, doc *Document) *onStore {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "a.db"), Log: zap.NewNop()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	registry := prometheus.NewRegistry()
	a := &App{opt: Options{Server: &configs.Server{}, Document: doc, Policy: doc.Policy, Log: zap.NewNop()}, store: s, log: zap.NewNop(), rim: &rim{}}
	a.rim.policy.Store(doc.Policy)
	v := newVersions(a, registry)
	return &onStore{v, registry}
}

type onStore struct {
	*versions
	registry *prometheus.Registry
}

// count is the sum of a metric's values.
func (v *onStore) count(t *testing.T, name string) (sum float64) {
	t.Helper()
	all, err := v.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		for _, m := range f.GetMetric() {
			if f.GetName() == name {
				sum += m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

const (
	refusedNow   = "cordboard_routing_refused"
	refusedTimes = "cordboard_routing_activations_total"
)

// A client that goes away leaves no half of an activation: what it asked is
// decided.
func TestActivationOutlivesItsClient(t *testing.T) {
	v := stored(t, readDocument(t, careDocument))
	if err := v.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	bad := []byte("cordboard: routing/1\n") // refused, so that no engine is needed
	saved, err := v.app.store.SaveVersion(t.Context(), NewVersion(bad, "ines", "", v.live.SHA256))
	if err != nil {
		t.Fatal(err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	a, err := v.ask(gone, store.Activation{Version: saved.Number, Who: "ines"})
	if err != nil || a.State != store.ActivationRefused {
		t.Errorf("asked by a client that has gone: %q, %v", a.State, err)
	}
	later, err := v.app.store.AddActivation(t.Context(), store.Activation{Version: saved.Number, Who: "ines"})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.dueNow(gone, later); err != nil { // the server stops meanwhile
		t.Error(err)
	}
	if waiting, err := v.app.store.Scheduled(t.Context()); err != nil || len(waiting) > 0 {
		t.Errorf("still undecided: %v, %v", waiting, err)
	}
}

// The file is read while nothing else goes live.
func TestFileIsReadInTurn(t *testing.T) {
	v := stored(t, readDocument(t, careDocument))
	read := false
	v.reload(t.Context(), func(func(string)) *Document {
		read = true
		if v.mu.TryLock() {
			v.mu.Unlock()
			t.Error("another version could go live between reading and using the file")
		}
		return nil
	})
	if !read || v.count(t, refusedNow) != 1 {
		t.Errorf("read %v, refused %v", read, v.count(t, refusedNow))
	}
}

// A version made live by hand that is refused after a restart makes place for
// the file's, and the metric says so.
func TestRefusedAfterARestart(t *testing.T) {
	v := stored(t, readDocument(t, careDocument))
	if err := v.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	bad := append([]byte(careDocument), "tests: [{name: x, at: 2026-04-15T11:00, call: {}, expect: {queue: none_such}}]\n"...)
	saved, err := v.app.store.SaveVersion(t.Context(), NewVersion(bad, "ines", "", v.live.SHA256))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := v.app.store.AddActivation(t.Context(), store.Activation{Version: saved.Number, Who: "ines", State: store.ActivationLive}); err != nil {
		t.Fatal(err)
	}
	if err := v.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if v.live.Number != 1 || v.app.opt.Policy.Version != 1 || v.count(t, refusedNow) != 1 || v.count(t, refusedTimes) != 1 {
		t.Errorf("version %d, refused %v", v.live.Number, v.count(t, refusedNow))
	}
	last, err := v.app.store.WentLive(t.Context(), 1)
	if err != nil || len(last) != 1 || last[0].Version != 1 || !bytes.Contains([]byte(last[0].Reason), []byte("version 2 is refused now")) {
		t.Errorf("the audit has %+v, %v", last, err)
	}
}

// A file that was edited while the database was being opened is read.
func TestWatcherBeginsWithWhatWasRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "routing.yaml")
	at := time.Date(2026, 4, 15, 11, 0, 0, 0, time.UTC)
	for text, want := range map[string]bool{"one": false, "two": true} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
		w := watcher{path: path, on: true}
		w.look([]byte("one"))
		if got := w.changed(); got != want {
			t.Errorf("%s: changed is %v", text, got)
		}
		if w.changed() {
			t.Errorf("%s: changed twice", text)
		}
	}
}
