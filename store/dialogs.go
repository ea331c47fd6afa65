package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// Dialog is one leg's SIP dialog as stored (sip.DialogRow). State is its JSON
// form: what it means is call control's business.
type Dialog struct {
	Call      routing.CallID
	Leg       string // "caller", or "agent/ATTEMPT"
	Agent     agents.ID
	State     json.RawMessage
	LocalSDP  []byte
	RemoteSDP []byte
	UpdatedAt time.Time
}

type dialogKey struct {
	call routing.CallID
	leg  string
}

// SaveDialog stores a live leg. It does not block.
func (s *Store) SaveDialog(d Dialog) { s.w.put(dialogSaved{d}, false) }

// RemoveDialog forgets a leg that has ended. It does not block.
func (s *Store) RemoveDialog(call routing.CallID, leg string) {
	s.w.put(dialogRemoved{call, leg}, false)
}

type dialogSaved struct{ d Dialog }

func (in dialogSaved) fold(_ *writer, b *batch) bool {
	b.legs[dialogKey{in.d.Call, in.d.Leg}] = &in.d
	return true
}

type dialogRemoved dialogKey

func (in dialogRemoved) fold(_ *writer, b *batch) bool {
	b.legs[dialogKey(in)] = nil
	return true
}

// legSlots are the places of legs whose dialogs are in the database, or in line
// for it. The start has removed all that were there before.
type legSlots struct {
	of   map[dialogKey]int64
	free []int64 // of those up to last
	last int64
}

// take is a place for a leg: one of a leg that has ended, else a new one.
func (l *legSlots) take() int64 {
	if n := len(l.free); n > 0 {
		slot := l.free[n-1]
		l.free = l.free[:n-1]
		return slot
	}
	l.last++
	return l.last
}

// settleLegs gives the legs of a batch their places: those that were saved take
// the places of those that have ended, whose rows are written over then and need
// not be removed. A leg that came and went within the batch is not written. Legs
// of one batch stand side by side, as far as may be: they end together as well.
func (w *writer) settleLegs(b *batch) {
	l := &w.legs
	var came []dialogKey
	freed := len(l.free)
	for key, d := range b.legs {
		slot, there := l.of[key]
		switch {
		case d != nil && there:
			b.dialogs[slot] = d
		case d != nil:
			came = append(came, key)
		case there:
			delete(l.of, key)
			l.free = append(l.free, slot)
			b.dialogs[slot] = nil
		}
	}
	slices.SortFunc(l.free[freed:], func(x, y int64) int { return cmp.Compare(y, x) })
	slices.SortFunc(came, func(x, y dialogKey) int {
		return cmp.Or(strings.Compare(x.leg, y.leg), cmp.Compare(x.call, y.call))
	})
	for _, key := range came {
		slot := l.take()
		l.of[key] = slot
		b.dialogs[slot] = b.legs[key]
	}
}

func writeDialog(t *tx, slot int64, d *Dialog) error {
	if d == nil {
		if err := t.put(qRemoveDialog, slot); err != nil {
			return fmt.Errorf("dialog of a leg that has ended: %w", err)
		}
		return nil
	}
	err := t.put(qSaveDialog, slot, int64(d.Call), d.Leg, string(d.Agent), string(d.State),
		orEmpty(d.LocalSDP), orEmpty(d.RemoteSDP), d.UpdatedAt.UnixMicro())
	if err != nil {
		return fmt.Errorf("dialog %s of call %d: %w", d.Leg, d.Call, err)
	}
	return nil
}

// Dialogs reads the stored legs, by call and leg.
func (s *Store) Dialogs(ctx context.Context) (out []Dialog, err error) {
	rows, err := s.read.query(ctx, qDialogs)
	if err != nil {
		return nil, fmt.Errorf("store: dialogs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var d Dialog
		var at sql.NullInt64
		if err := rows.Scan(&d.Call, &d.Leg, &d.Agent, (*[]byte)(&d.State), &d.LocalSDP, &d.RemoteSDP, &at); err != nil {
			return nil, fmt.Errorf("store: dialogs: %w", err)
		}
		d.LocalSDP, d.RemoteSDP, d.UpdatedAt = orEmpty(d.LocalSDP), orEmpty(d.RemoteSDP), instant(at)
		out = append(out, d)
	}
	return out, rows.Err()
}

// orEmpty keeps bytes that are not there apart from NULL.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
