package app

import (
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/alarm"
	"github.com/cordboard/cordboard/store"
)

// dialogRoom holds nearly every dialog's state.
const dialogRoom = 512

// legStands is how long a leg lives before its row is written (docs/adr/0008).
// Most change twice in their first second, and those of callers who give up, or of
// phones that are passed over, end within it.
const legStands = 5 * time.Second

// dialogs stores call control's dialog rows; it knows both sides' types.
type dialogs struct {
	store  dialogStore
	log    *zap.Logger
	alarms alarm.Clock

	mu   sync.Mutex
	legs map[legKey]*standing
}

type dialogStore interface {
	SaveDialog(store.Dialog)
	RemoveDialog(call routing.CallID, leg string)
}

type legKey struct {
	call routing.CallID
	leg  string
}

// standing is a leg that lives.
type standing struct {
	row   sip.DialogRow // the last; of no use once it is written
	alarm *alarm.Alarm  // nil: its row is in the store
}

func newDialogs(s dialogStore, log *zap.Logger) *dialogs {
	return &dialogs{store: s, log: log, legs: map[legKey]*standing{}}
}

// SaveDialog implements sip.Dialogs.
func (d *dialogs) SaveDialog(r sip.DialogRow) {
	key := legKey{r.Call, r.Leg}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch l := d.legs[key]; {
	case l == nil:
		l = &standing{row: r}
		l.alarm = d.alarms.After(legStands, func() { d.stands(key, l) })
		d.legs[key] = l
	case l.alarm != nil:
		l.row = r
	default:
		d.write(&r)
	}
}

// stands writes the row of a leg that has lived for a while.
func (d *dialogs) stands(key legKey, l *standing) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.legs[key] != l {
		return // it ended in this moment
	}
	d.write(&l.row)
	l.row, l.alarm = sip.DialogRow{}, nil
}

// write hands the row over. d.mu is held, so that no removal comes before it.
func (d *dialogs) write(r *sip.DialogRow) {
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
func (d *dialogs) RemoveDialog(call routing.CallID, leg string) {
	key := legKey{call, leg}
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.legs[key]
	if l == nil {
		return
	}
	delete(d.legs, key)
	if l.alarm == nil {
		d.store.RemoveDialog(call, leg)
		return
	}
	l.alarm.Stop()
}
