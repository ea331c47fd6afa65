package app

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/stack"
	"github.com/cordboard/cordboard/store"
)

// dialogBook notes what is handed to the store.
type dialogBook struct {
	mu  sync.Mutex
	did []string
}

func (b *dialogBook) note(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.did = append(b.did, fmt.Sprintf(format, args...))
}

func (b *dialogBook) SaveDialog(d store.Dialog) { b.note("save %d %s %s", d.Call, d.Leg, d.LocalSDP) }

func (b *dialogBook) RemoveDialog(call routing.CallID, leg string) { b.note("remove %d %s", call, leg) }

// A leg's row is written once it has stood for a while, as it is by then; from
// there on each change is. One that ends before leaves nothing to remove.
func TestDialogsThatStand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		book := &dialogBook{}
		d := newDialogs(book, zap.NewNop())
		save := func(call routing.CallID, leg, sdp string) {
			d.SaveDialog(sip.DialogRow{Call: call, Leg: leg, State: stack.DialogState{CallID: "a"}, LocalSDP: []byte(sdp)})
		}
		want := func(all ...string) {
			t.Helper()
			synctest.Wait()
			book.mu.Lock()
			defer book.mu.Unlock()
			if !slices.Equal(book.did, all) {
				t.Errorf("%q, want %q", book.did, all)
			}
			book.did = nil
		}
		save(1, "caller", "waits")
		save(2, "caller", "gives up")
		time.Sleep(time.Second) // of the bubble
		save(1, "agent/1", "rings off")
		save(1, "caller", "talks")
		d.RemoveDialog(2, "caller")
		d.RemoveDialog(1, "agent/1")
		d.RemoveDialog(3, "caller") // that never was
		want()
		time.Sleep(2 * legStands)
		want("save 1 caller talks")
		save(1, "caller", "holds")
		want("save 1 caller holds")
		d.RemoveDialog(1, "caller")
		d.RemoveDialog(1, "caller")
		want("remove 1 caller")
		save(1, "caller", "again")
		time.Sleep(2 * legStands)
		want("save 1 caller again")
		if d.RemoveDialog(1, "caller"); len(d.legs) > 0 {
			t.Errorf("%d legs are remembered", len(d.legs))
		}
	})
}
