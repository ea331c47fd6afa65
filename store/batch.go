package store

import (
	"time"

	"github.com/cordboard/cordboard/routing"
)

// batch is what one group of inputs changes. Writing it twice is as good as
// once, so that an attempt of unknown outcome may be repeated.
type batch struct {
	rows     map[routing.CallID]*LedgerRow // as they shall be after the batch
	order    []routing.CallID              // of rows, as they came
	settled  map[routing.CallID]bool       // rows whose outcome is written already
	events   []Event
	contacts []Contact
	legs     map[dialogKey]*Dialog        // as they came; nil: removed
	dialogs  map[int64]*Dialog            // by slot, as they are written (writer.settleLegs); nil: removed
	bindings map[bindingKey]*PhoneBinding // nil: removed
	counter  int64                        // new value of the call counter, 0: unchanged
	returned *int64                       // the last call number given out, once there will be no more
	barriers []barrier

	n      int64 // counts this server's batches
	at     time.Time
	inputs int  // it was made of
	tried  bool // to write it
}

func newBatch() *batch {
	return &batch{rows: map[routing.CallID]*LedgerRow{}, settled: map[routing.CallID]bool{}, legs: map[dialogKey]*Dialog{}, dialogs: map[int64]*Dialog{}, bindings: map[bindingKey]*PhoneBinding{}}
}

func (b *batch) empty() bool {
	return len(b.rows) == 0 && len(b.events) == 0 && len(b.contacts) == 0 && len(b.dialogs) == 0 && len(b.bindings) == 0 && b.counter == 0 && b.returned == nil
}

// touch puts the call's row among those to write, unless it is as it was
// written: many an action changes nothing of it.
func (b *batch) touch(c *callState) {
	row := b.rows[c.row.Call]
	if row == nil {
		if c.saved != nil && c.row == *c.saved {
			return
		}
		row = new(LedgerRow)
		b.rows[c.row.Call] = row
		b.order = append(b.order, c.row.Call)
	}
	*row = c.row
}

// settle notes what the batch writes of its calls.
func (b *batch) settle(calls map[routing.CallID]*callState) {
	for call, row := range b.rows {
		if c := calls[call]; c != nil {
			b.settled[call] = c.saved != nil && c.saved.Outcome == row.Outcome
			c.saved = row
		}
	}
}

func (b *batch) write(t *tx) error {
	for _, call := range b.order {
		if err := writeRow(t, b.rows[call], b.settled[call]); err != nil {
			return err
		}
	}
	if err := writeEvents(t, b.events); err != nil {
		return err
	}
	for i := range b.contacts {
		if err := writeContact(t, &b.contacts[i]); err != nil {
			return err
		}
	}
	for slot, d := range b.dialogs {
		if err := writeDialog(t, slot, d); err != nil {
			return err
		}
	}
	for key, p := range b.bindings {
		if err := writeBinding(t, key, p); err != nil {
			return err
		}
	}
	if b.counter > 0 {
		if _, err := t.exec(qRaiseCounter, counterCalls, b.counter); err != nil {
			return err
		}
	}
	if b.returned != nil {
		if _, err := t.exec(qLowerCounter, counterCalls, *b.returned); err != nil {
			return err
		}
	}
	return nil
}

// parts are the same changes, one call's rows and events or one thing each.
func (b *batch) parts() []*batch {
	var out []*batch
	byCall := map[routing.CallID]*batch{}
	of := func(call routing.CallID) *batch {
		if byCall[call] == nil {
			byCall[call] = newBatch()
			out = append(out, byCall[call])
		}
		return byCall[call]
	}
	for _, call := range b.order {
		p := of(call)
		p.order, p.rows[call], p.settled[call] = []routing.CallID{call}, b.rows[call], b.settled[call]
	}
	for _, ev := range b.events {
		p := of(ev.Call)
		p.events = append(p.events, ev)
	}
	for _, c := range b.contacts {
		p := newBatch()
		p.contacts = []Contact{c}
		out = append(out, p)
	}
	for slot, d := range b.dialogs {
		p := newBatch()
		p.dialogs[slot] = d
		out = append(out, p)
	}
	for key, binding := range b.bindings {
		p := newBatch()
		p.bindings[key] = binding
		out = append(out, p)
	}
	if b.counter > 0 || b.returned != nil {
		p := newBatch()
		p.counter, p.returned = b.counter, b.returned
		out = append(out, p)
	}
	return out
}
