package app

import (
	"context"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// An activation that was noted and then failed, since the database went away in
// between, does not go live behind the back of who was told so: it is taken back as
// soon as that can be done.
func TestFailedActivationIsTakenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	v := w.app.versions
	before := w.app.Policy().Version
	kept, err := w.app.store.SaveVersion(w.ctx, store.Version{SHA256: "a", Document: w.document, Author: "ivo", Origin: store.OriginUser})
	w.must(err)
	gone, cancel := context.WithCancel(w.ctx)
	cancel()

	v.mu.Lock() // the server looks for what is due meanwhile
	a, err := w.app.store.AddActivation(w.ctx, store.Activation{Version: kept.Number, Who: "ivo", Waiting: routing.KeepWaiting, Ticked: true, State: store.ActivationScheduled})
	w.must(err)
	v.withdraw(gone, a)
	if !v.void[a.AskedAt.UnixMicro()] {
		t.Error("what could not be taken back is forgotten")
	}
	v.mu.Unlock()

	w.must(v.due(w.ctx))
	all, err := w.app.store.Activations(w.ctx, 0, 10)
	w.must(err)
	if len(all) != 1 || all[0].State != store.ActivationCancelled || w.app.Policy().Version != before {
		t.Errorf("%+v, live is %d and was %d", all, w.app.Policy().Version, before)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		v.mu.Lock()
		n := len(v.void)
		v.mu.Unlock()
		if n == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d are still to be taken back", n)
		}
	}
}
