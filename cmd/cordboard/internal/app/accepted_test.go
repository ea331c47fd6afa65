package app

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing/live"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/store"
)

// A number that was keyed in for an offer which came to nothing is not the one to be
// called, should the caller then accept with his own: also after a restart.
func TestAcceptedAtHisOwnNumberAfterAll(t *testing.T) {
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "s.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	r := &rim{store: s, driver: live.New(nil, live.Options{})}
	call := s.NextCall()
	s.Arrived(store.Arrival{Call: call, Number: dana, At: time.Now()})
	r.callers.put(call, &known{number: dana})
	other, err := identity.ParseNumber("+447700900499", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		entered identity.Number
		kept    string
	}{{other, "+447700900499"}, {identity.Number{}, ""}} {
		r.Accepted(call, c.entered)
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		row, err := s.LedgerRow(t.Context(), call)
		if err != nil || row.CallBack != c.kept {
			t.Errorf("to be called back at %q, want %q (%v)", row.CallBack, c.kept, err)
		}
	}
}
