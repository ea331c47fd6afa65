package store

import (
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
)

// wholeCalls is how many times as much may wait of whole calls as of their
// events (Options.MaxQueued).
const wholeCalls = 8

// turning is which calls are not recorded, since so much waited for the database
// when they arrived that memory would run out: a server that ends would take
// every call with it, and could not start without its database. Nothing of such
// a call is written but what its talks add to the customer's history. It is for
// the folding goroutine.
type turning struct {
	full bool // calls are turned away until half as much waits
	away map[routing.CallID]struct{}
	over []routing.CallID // of these, those that have ended
}

func (t *turning) has(call routing.CallID) bool {
	_, there := t.away[call]
	return there
}

// forget forgets all but so many of those that have ended.
func (t *turning) forget(but int) {
	if more := len(t.over) - but; more > 0 {
		for _, call := range t.over[:more] {
			delete(t.away, call)
		}
		t.over = append(t.over[:0], t.over[more:]...)
	}
}

// turnsAway tells of an input that nothing becomes of: an arrival that memory has
// no room for, beside so many inputs of the group that have it, and what follows
// such an arrival.
func (w *writer) turnsAway(in input, group int) bool {
	if a, ok := in.(arrived); ok {
		return w.noRoom(a.Call, group)
	}
	t := &w.turning
	if len(t.away) == 0 {
		return false
	}
	switch in := in.(type) {
	case happened:
		return t.has(in.Call)
	case identified:
		return t.has(in.call)
	case dialogSaved:
		return t.has(in.d.Call)
	case dialogRemoved:
		return t.has(in.call)
	case acted:
		return t.allOf(in.actions)
	}
	return false
}

// allOf tells whether actions are about calls turned away and no others, and
// notes which of these have ended.
func (t *turning) allOf(actions []routing.Action) bool {
	all := true
	for _, a := range actions {
		of, ok := routing.About(a)
		switch _, end := a.(routing.EndCall); {
		case !ok || of.Call == 0:
		case !t.has(of.Call):
			all = false
		case end:
			t.over = append(t.over, of.Call)
		}
	}
	return all
}

func (w *writer) noRoom(call routing.CallID, group int) bool {
	t, most := &w.turning, wholeCalls*w.s.opts.MaxQueued
	before := t.full
	w.mu.Lock()
	waits := group + w.lining
	t.full = waits >= most || before && waits >= most/2
	if t.full {
		w.stats.Dropped++
	}
	w.mu.Unlock()
	switch {
	case t.full && !before:
		w.s.log.Error("too much waits for the database: calls that arrive from now on are not recorded", zap.Int64("call", int64(call)))
	case before && !t.full:
		w.s.log.Info("calls are recorded again", zap.Int64("call", int64(call)))
	}
	if t.full {
		t.away[call] = struct{}{}
	}
	return t.full
}
