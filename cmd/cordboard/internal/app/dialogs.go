package app

import (
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/store"
)

// dialogRoom holds nearly every dialog's state.
const dialogRoom = 512

// dialogs stores call control's dialog rows; it knows both sides' types.
type dialogs struct {
	store *store.Store
	log   *zap.Logger
}

// SaveDialog implements sip.Dialogs.
func (d dialogs) SaveDialog(r sip.DialogRow) {
	state, err := appendDialog(make([]byte, 0, dialogRoom), &r.State)
	if err != nil {
		d.log.Error("a dialog has no JSON form", zap.Int64("call", int64(r.Call)), zap.Error(err))
		return
	}
	d.store.SaveDialog(store.Dialog{
		Call: r.Call, Leg: r.Leg, Agent: r.Agent, State: state,
		LocalSDP: r.LocalSDP, RemoteSDP: r.RemoteSDP, UpdatedAt: r.UpdatedAt,
	})
}

// RemoveDialog implements sip.Dialogs.
func (d dialogs) RemoveDialog(call routing.CallID, leg string) { d.store.RemoveDialog(call, leg) }
