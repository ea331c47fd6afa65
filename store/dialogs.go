package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
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
	b.dialogs[dialogKey{in.d.Call, in.d.Leg}] = &in.d
	return true
}

type dialogRemoved dialogKey

func (in dialogRemoved) fold(_ *writer, b *batch) bool {
	b.dialogs[dialogKey(in)] = nil
	return true
}

// settleLegs takes out of a batch what needs no writing: legs that were saved
// and removed within it. The start has removed all that were there before.
func (w *writer) settleLegs(b *batch) {
	for key, d := range b.dialogs {
		_, there := w.legs[key]
		switch {
		case d != nil:
			w.legs[key] = struct{}{}
		case there:
			delete(w.legs, key)
		default:
			delete(b.dialogs, key)
		}
	}
}

func writeDialog(t *tx, key dialogKey, d *Dialog) error {
	var err error
	if d == nil {
		err = t.put(qRemoveDialog, int64(key.call), key.leg)
	} else {
		err = t.put(qSaveDialog, int64(d.Call), d.Leg, string(d.Agent), string(d.State),
			orEmpty(d.LocalSDP), orEmpty(d.RemoteSDP), d.UpdatedAt.UnixMicro())
	}
	if err != nil {
		return fmt.Errorf("dialog %s of call %d: %w", key.leg, key.call, err)
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
