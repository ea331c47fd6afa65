package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
)

const counterIdentity = "identity"

// recoverSpill writes what an earlier server could not, from its spill file, and
// makes the file ready for this one. Each batch is written once: those that the
// database has already say so themselves.
func (s *Store) recoverSpill(ctx context.Context) error {
	if s.opts.Spill == "" {
		return nil
	}
	identity, err := s.identity(ctx)
	if err != nil {
		return fmt.Errorf("identity: %w", err)
	}
	found, err := readSpill(s.opts.Spill, func(*spilledBatch) error { return nil })
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return fmt.Errorf("spill file: %w", err)
	case found.identity != 0 && found.identity != identity:
		return fmt.Errorf("the spill file %s belongs to another database: name that one, or move the file away", s.opts.Spill)
	default:
		if err := s.replay(ctx, found); err != nil {
			return fmt.Errorf("spill file: %w", err)
		}
	}
	s.spill = &spill{path: s.opts.Spill, identity: identity, epoch: s.fence.epoch}
	return nil
}

// replay writes the batches of the spill file.
func (s *Store) replay(ctx context.Context, found spillRead) error {
	if found.newest >= s.fence.epoch {
		if err := s.fence.takeAbove(ctx, s.write, found.newest); err != nil {
			return err
		}
	}
	r := recovery{s: s, ctx: ctx, last: map[int64]int64{}, others: map[routing.CallID]bool{}, damaged: found.damaged}
	if _, err := readSpill(s.opts.Spill, r.batch); err != nil {
		return err
	}
	return r.end()
}

// identity is a number of the database's own, made at the first start.
func (s *Store) identity(ctx context.Context) (id int64, err error) {
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, err
	}
	fresh := max(int64(binary.BigEndian.Uint64(b[:])>>1), 1)
	err = s.write.inTx(ctx, func(t *tx) error {
		if err := t.row(qCounter, []any{counterIdentity}, &id); !errors.Is(err, ErrNotFound) {
			return err
		}
		id = fresh
		return t.put(qRaiseCounter, counterIdentity, fresh)
	})
	return id, err
}

// recovery writes the batches of one spill file.
type recovery struct {
	s       *Store
	ctx     context.Context
	last    map[int64]int64         // by epoch: the last batch that is in
	others  map[routing.CallID]bool // numbers that now belong to other calls
	written int
	refused int
	old     int // of an epoch whose stamp is kept no more
	damaged bool
}

func (r *recovery) batch(b *spilledBatch) error {
	last, there := r.last[b.Epoch]
	if !there {
		switch err := r.s.write.row(r.ctx, qCounter, []any{stampName(b.Epoch)}, &last); {
		case err == nil:
		case !errors.Is(err, ErrNotFound):
			return err
		case b.Epoch <= r.s.fence.epoch-keepStamps: // was it written? Nobody knows
			r.old++
			return nil
		}
	}
	if r.last[b.Epoch] = max(last, b.N); b.N <= last {
		return nil
	}
	err := r.write(b)
	if err == nil || !r.s.db.refuses(err) {
		return err
	}
	parts := b.parts()
	parts[len(parts)-1].N = b.N // a crash before the last leaves the whole to be done again
	for _, part := range parts {
		switch err := r.write(part); {
		case err == nil:
		case r.s.db.refuses(err):
			r.refused++
			r.s.log.Error("change of an earlier run refused by the database", zap.Error(err))
		default:
			return err
		}
	}
	return nil
}

// write is one transaction.
func (r *recovery) write(b *spilledBatch) error {
	return r.s.write.inTx(r.ctx, func(t *tx) error {
		if err := b.write(t, r.others); err != nil {
			return err
		}
		r.written++
		if b.N == 0 {
			return nil
		}
		return t.put(qRaiseCounter, stampName(b.Epoch), b.N)
	})
}

// end empties the file, or puts it aside when not all of it could be written.
func (r *recovery) end() error {
	if r.written > 0 {
		r.s.log.Warn("changes that an earlier run could not write are written now", zap.Int("batches", r.written))
	}
	if len(r.others)+r.refused+r.old == 0 && !r.damaged {
		return os.Remove(r.s.opts.Spill)
	}
	aside := r.s.opts.Spill + ".refused-" + time.Now().UTC().Format("20060102T150405.000000")
	r.s.log.Error("some changes of an earlier run are not in the database, the file is put aside", zap.Int("foreign", len(r.others)),
		zap.Int("refused", r.refused), zap.Int("too old", r.old), zap.Bool("damaged", r.damaged), zap.String("file", aside))
	return os.Rename(r.s.opts.Spill, aside)
}

// write puts a batch of an earlier run into the database. Since then another
// server may have closed its calls as failed, which is set right, or, on a
// database put back, have given their numbers to other calls: those are added to
// others and left alone.
func (b *spilledBatch) write(t *tx, others map[routing.CallID]bool) error {
	first := map[routing.CallID]int64{}
	for _, e := range b.Events {
		if first[e.Call] == 0 {
			first[e.Call] = e.Seq
		}
	}
	for _, row := range b.Rows {
		if err := b.writeRow(t, row, first[row.Call], others); err != nil {
			return err
		}
	}
	for call, seq := range first {
		if others[call] {
			continue
		}
		if err := t.put(qDropEventsFrom, int64(call), seq); err != nil {
			return err
		}
	}
	ours := slices.DeleteFunc(slices.Clone(b.Events), func(e Event) bool { return others[e.Call] })
	if err := writeEvents(t, ours); err != nil {
		return err
	}
	for i := range b.Contacts {
		if c := &b.Contacts[i]; !others[c.Call] {
			if err := writeContact(t, c); err != nil {
				return err
			}
		}
	}
	return b.writeRest(t)
}

// writeRow writes one row, unless it was closed meanwhile and the batch has no
// event of the call, the first of which would have the number seq.
func (b *spilledBatch) writeRow(t *tx, row *LedgerRow, seq int64, others map[routing.CallID]bool) error {
	var id string
	var outcome routing.Outcome
	err := t.row(qOwnerOfCall, []any{int64(row.Call)}, &id, &outcome)
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case err == nil && id != row.PublicID:
		others[row.Call] = true
		return nil
	case err == nil && outcome != "" && row.Outcome == "" && seq == 0:
		return nil
	}
	return writeRow(t, row, false)
}

func (b *spilledBatch) writeRest(t *tx) error {
	for i := range b.Bindings {
		p := &b.Bindings[i]
		if err := writeBinding(t, bindingKey{p.Agent, p.Key}, p); err != nil {
			return err
		}
	}
	for _, u := range b.Unbound {
		if err := writeBinding(t, bindingKey{u.Agent, u.Key}, nil); err != nil {
			return err
		}
	}
	if b.Counter > 0 {
		return t.put(qRaiseCounter, counterCalls, b.Counter)
	}
	return nil
}

// parts are the same changes, one call's rows and events or one contact each.
func (b *spilledBatch) parts() []*spilledBatch {
	var out []*spilledBatch
	byCall := map[routing.CallID]*spilledBatch{}
	of := func(call routing.CallID) *spilledBatch {
		if byCall[call] == nil {
			byCall[call] = &spilledBatch{Epoch: b.Epoch}
			out = append(out, byCall[call])
		}
		return byCall[call]
	}
	for _, row := range b.Rows {
		of(row.Call).Rows = []*LedgerRow{row}
	}
	for _, e := range b.Events {
		p := of(e.Call)
		p.Events = append(p.Events, e)
	}
	for _, c := range b.Contacts {
		out = append(out, &spilledBatch{Epoch: b.Epoch, Contacts: []Contact{c}})
	}
	return append(out, &spilledBatch{Epoch: b.Epoch, Bindings: b.Bindings, Unbound: b.Unbound, Counter: b.Counter})
}
