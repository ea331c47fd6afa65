package store

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
)

// TestPackedEvents: what is put into one row comes back as it was.
func TestPackedEvents(t *testing.T) {
	t.Parallel()
	at := time.UnixMicro(1_790_000_000_000_123).UTC()
	var in []Event
	for i, kind := range []string{"arrived", "q\"uo\\te", "tab\t", "grün", ""} {
		for call := range routing.CallID(3) {
			e := Event{Call: call + 1, Seq: int64(i) + 1, At: at.Add(-time.Duration(i) * time.Second), Kind: kind}
			if call > 0 {
				e.Agent, e.Attempt, e.Data = agents.ID("pri\"ya"), routing.Attempt(i), json.RawMessage(fmt.Sprintf(`{"n":%d}`, i))
			}
			in = append(in, e)
		}
	}
	in = append(in, Event{Call: 3, Seq: 9, At: at, Kind: "after a gap"}, Event{Call: 4, Seq: 1, At: at, Kind: "alone", Data: json.RawMessage(`{}`)})
	rows := pack(in)
	if len(rows) != 5 {
		t.Errorf("%d rows, want one for each call and one after the gap", len(rows))
	}
	got := map[routing.CallID][]Event{}
	for _, r := range rows {
		if r.call < 4 && r.seq == 5 && r.at != at.UnixMicro() {
			t.Errorf("the row of call %d is of %d, not of its latest event", r.call, r.at)
		}
		var err error
		if got[r.call], err = r.unpack(got[r.call]); err != nil {
			t.Fatal(err)
		}
	}
	want := map[routing.CallID][]Event{}
	for _, e := range in {
		want[e.Call] = append(want[e.Call], e)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestOneRowAGroup: a call's events of one group are one row, and legs that
// come and go within it are none.
func TestOneRowAGroup(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	count := func(table string) (n int) {
		if err := s.read.row(t.Context(), "SELECT COUNT(*) FROM "+table, nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	changes := func() int {
		var n int
		if err := s.write.row(t.Context(), "SELECT total_changes()", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := changes()
	group := acted{at: time.Now()} // one input, so that it is one group for certain
	for range 5 {
		group.actions = append(group.actions, routing.AnswerCaller{Call: 1})
	}
	s.w.put(inputs{arrived{Call: 1, PublicID: newPublicID(), At: time.Now()}, group,
		dialogSaved{Dialog{Call: 1, Leg: "caller", State: json.RawMessage(`{}`)}}, dialogRemoved{1, "caller"}}, false)
	flushed(t, s)
	if events, dialogs := count("call_events"), count("dialogs"); events != 1 || dialogs != 0 {
		t.Errorf("%d rows of events and %d of dialogs, want 1 and 0", events, dialogs)
	}
	if n := changes() - before; n != 3 {
		t.Errorf("%d rows written, want 3: the stamp, the call, its events", n)
	}
	if events, err := s.Events(t.Context(), 1); err != nil || len(events) != 6 {
		t.Errorf("%d events, %v", len(events), err)
	}
}

// inputs are several in one.
type inputs []input

func (all inputs) fold(w *writer, b *batch) bool {
	for _, in := range all {
		if !in.fold(w, b) {
			return false
		}
	}
	return true
}

// TestRefusedRowIsWrittenWhole: after the database has refused a row, what is
// thought to be in it is written again.
func TestRefusedRowIsWrittenWhole(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	s.Arrived(Arrival{Call: 1, At: time.Now()})
	flushed(t, s)
	if _, err := s.write.db.ExecContext(t.Context(), "CREATE TRIGGER no BEFORE UPDATE ON calls BEGIN SELECT RAISE(ABORT, 'no'); END"); err != nil {
		t.Fatal(err)
	}
	s.Identified(1, "LW-1")
	flushed(t, s)
	if n := s.Stats().Dropped; n != 1 {
		t.Fatalf("%d changes dropped, want the one", n)
	}
	if _, err := s.write.db.ExecContext(t.Context(), "DROP TRIGGER no"); err != nil {
		t.Fatal(err)
	}
	s.Do(time.Now(), []routing.Action{routing.AnswerCaller{Call: 1}})
	flushed(t, s)
	if r, err := s.LedgerRow(t.Context(), 1); err != nil || r.Customer != "LW-1" || r.AnsweredAt.IsZero() {
		t.Fatalf("%+v, %v", r, err)
	}
}

// TestSpillAfterAnotherServer: what waited is written over the end that another
// server has given the call meanwhile, its events in rows of several.
func TestSpillAfterAnotherServer(t *testing.T) {
	t.Parallel()
	s, o := spillingStore(t)
	at := time.UnixMicro(1_790_000_000_000_000).UTC()
	s.Arrived(Arrival{Call: 1, At: at, Trunk: "carrier"}) // without one it would be an agent's question
	s.Do(at, []routing.Action{routing.AnswerCaller{Call: 1}, routing.Connect{Offer: routing.Offer{Call: 1, Attempt: 1, Agent: "priya"}}})
	flushed(t, s)
	pages(t, s, 0)
	s.Do(at.Add(time.Minute), []routing.Action{routing.EndCall{Call: 1, Outcome: routing.Answered, By: routing.ByCaller}})
	s.Event(Event{Call: 1, At: at.Add(time.Minute), Kind: "wide", Data: json.RawMessage(`{"x":"` + strings.Repeat("x", 50_000) + `"}`)})
	until(t, "all is spilled", func() bool { st := s.Stats(); return st.Spilled > 0 && st.Spilled == st.Queued })
	Abandon(s)

	other := o
	other.Spill = filepath.Join(t.TempDir(), "spill")
	s = opened(t, other)
	if r, err := s.LedgerRow(t.Context(), 1); err != nil || r.Outcome != routing.Failed {
		t.Fatalf("another server left %+v, %v", r, err)
	}
	Abandon(s)

	s = opened(t, o)
	r, err := s.LedgerRow(t.Context(), 1)
	if err != nil || r.Outcome != routing.Answered || r.Talk != time.Minute {
		t.Fatalf("%+v, %v", r, err)
	}
	events, err := s.Events(t.Context(), 1)
	var kinds []string
	for i, e := range events {
		kinds = append(kinds, e.Kind)
		if e.Seq != int64(i)+1 {
			t.Errorf("event %d has the number %d", i+1, e.Seq)
		}
	}
	if want := []string{"arrived", "answer_caller", "connect", "end_call", "wide"}; err != nil || !reflect.DeepEqual(kinds, want) {
		t.Fatalf("%v, %v; want %v", kinds, err, want)
	}
}
