package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/routing"
)

func opened(t *testing.T, opts Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func refused(t *testing.T, opts Options, says string) {
	t.Helper()
	s, err := Open(t.Context(), opts)
	if err == nil {
		_ = s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Fatalf("got %v, want %q", err, says)
	}
}

func flushed(t *testing.T, s *Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

func TestOneServerAndTools(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a b", "cord?board.db")
	refused(t, Options{}, "no path")
	server := opened(t, Options{Path: path})
	call := server.NextCall()
	server.Arrived(Arrival{Call: call, At: time.Now()})
	flushed(t, server)
	refused(t, Options{Path: path}, "another server")

	tool := opened(t, Options{Path: path, Tool: true})
	open, err := tool.OpenCalls(t.Context())
	if err != nil || len(open) != 1 {
		t.Fatalf("a tool closed the server's calls: %v, %v", open, err)
	}
	if n := tool.NextCall(); n != 0 {
		t.Fatalf("a tool gave out call number %d", n)
	}
	if err := tool.SaveUser(t.Context(), User{ID: "priya", Role: "agent"}); err != nil {
		t.Fatal(err)
	}
	if _, err := server.User(t.Context(), "priya"); err != nil {
		t.Fatalf("the server does not see what the tool wrote: %v", err)
	}
	for _, name := range []string{path, path + "-wal"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v: others may read people's data", name, info.Mode(), err)
		}
	}
	if err := server.Close(); err != nil {
		t.Fatal(err)
	}
	if err := server.Close(); err != nil {
		t.Fatalf("second close: %v", err)
	}
	server.Arrived(Arrival{Call: 9, At: time.Now()}) // must not panic
	if err := server.Flush(t.Context()); !errors.Is(err, ErrClosed) {
		t.Fatalf("flush after close: %v", err)
	}
}

// nextSchema is this program's migrations and one more that does sql; have is
// the number of those there are.
func nextSchema(t *testing.T, sql string) (steps fstest.MapFS, have int) {
	t.Helper()
	names, err := fs.Glob(sqliteMigrations, "migrations/sqlite/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	steps = fstest.MapFS{}
	for _, name := range names {
		b, err := sqliteMigrations.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		steps[path.Base(name)] = &fstest.MapFile{Data: b}
	}
	steps[fmt.Sprintf("%05d_next.sql", len(names)+1)] = &fstest.MapFile{Data: []byte("-- +goose Up\n" + sql)}
	return steps, len(names)
}

func TestMigration(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "cordboard.db")
	s := opened(t, Options{Path: file})
	if err := s.SaveUser(t.Context(), User{ID: "priya", Role: "agent"}); err != nil {
		t.Fatal(err)
	}
	next, have := nextSchema(t, "ALTER TABLE users ADD COLUMN seen_at BIGINT;\n")

	tool := opened(t, Options{Path: file, Tool: true})
	if err := tool.migrate(t.Context(), next); err == nil || !strings.Contains(err.Error(), "stop the server") {
		t.Fatalf("a tool migrated under a running server: %v", err)
	}
	if err := s.migrate(t.Context(), next); err != nil {
		t.Fatal(err)
	}
	copies, err := filepath.Glob(fmt.Sprintf("%s.schema%d-*", file, have))
	if err != nil || len(copies) != 1 {
		t.Fatalf("copies before the migration: %v, %v", copies, err)
	}
	if info, err := os.Stat(copies[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("copy: %v, %v", info.Mode(), err)
	}
	before := opened(t, Options{Path: copies[0]})
	if _, err := before.User(t.Context(), "priya"); err != nil {
		t.Errorf("the copy lacks what was there: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	refused(t, Options{Path: file}, "newer version")
	refused(t, Options{Path: file, Tool: true}, "newer version")
}

func TestBrokenMigrationLeavesNothing(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	next, _ := nextSchema(t, "ALTER TABLE users ADD COLUMN seen_at BIGINT;\nALTER TABLE nothing ADD COLUMN x BIGINT;\n")
	if err := s.migrate(t.Context(), next); err == nil {
		t.Fatal("a broken migration passed")
	}
	var n int
	if err := s.write.row(t.Context(), "SELECT COUNT(*) FROM pragma_table_info('users') WHERE name = 'seen_at'", nil, &n); err != nil || n != 0 {
		t.Fatalf("half a migration stayed: %d, %v", n, err)
	}
}

// pages sets how many pages the database may have: too few is a full disk.
func pages(t *testing.T, s *Store, n int) {
	t.Helper()
	if _, err := s.write.db.ExecContext(t.Context(), "PRAGMA max_page_count = "+[]string{"1", "1000000"}[n]); err != nil {
		t.Fatal(err)
	}
}

// until polls a condition that another goroutine brings about.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatal("never: " + what)
		}
		time.Sleep(time.Millisecond)
	}
}

// passing is an input that tells when its turn has come.
type passing chan struct{}

func (p passing) fold(*writer, *batch) bool {
	close(p)
	return true
}

// foldedSoFar returns when everything handed over so far has been folded, written
// or not.
func foldedSoFar(s *Store) {
	p := make(passing)
	if s.w.put(p, false) {
		<-p
	}
}

// fillUp hands over whole calls, more than one page each.
func fillUp(s *Store, calls int) {
	for range calls {
		call := s.NextCall()
		s.Arrived(Arrival{Call: call, At: time.Now()})
		s.Event(Event{Call: call, At: time.Now(), Kind: strings.Repeat("x", 1000)})
		s.Do(time.Now(), []routing.Action{routing.EndCall{Call: call, Outcome: routing.Abandoned, By: routing.ByCaller}})
	}
}

func TestRidesOutAFullDisk(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	pages(t, s, 0)
	fillUp(s, 500)
	until(t, "the failure is noticed", func() bool { return s.Stats().Failing })
	fillUp(s, 100) // calls go on
	pages(t, s, 1)
	flushed(t, s)
	n, err := s.CountOutcomes(t.Context())
	if err != nil || n.Total != 600 || n.By[routing.Abandoned] != 600 || s.Stats() != (Stats{}) {
		t.Fatalf("outcomes %+v, %v, stats %+v", n, err, s.Stats())
	}
	for call := routing.CallID(1); call <= 600; call += 99 {
		if events, err := s.Events(t.Context(), call); err != nil || len(events) != 3 {
			t.Fatalf("call %d has %d events, %v", call, len(events), err)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db"), MaxQueued: 600})
	pages(t, s, 0)
	fillUp(s, 500)
	until(t, "the failure is noticed", func() bool { return s.Stats().Failing })
	fillUp(s, 500)
	pages(t, s, 1)
	flushed(t, s)
	n, err := s.CountOutcomes(t.Context())
	if err != nil || n.Total != 1000 || n.Open != 0 {
		t.Fatalf("the calls' own rows were dropped: %+v, %v", n, err)
	}
	if s.Stats().Dropped == 0 {
		t.Fatal("no event was dropped over the bound")
	}
}

// TestCallsTurnedAway: when too much waits for the database whole calls are not
// recorded, nothing at all of them; those before are whole, and those after it is
// written are recorded again.
func TestCallsTurnedAway(t *testing.T) {
	t.Parallel()
	const dana = "+447700900417"
	core, logs := observer.New(zap.InfoLevel)
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db"), MaxQueued: 100, Log: zap.New(core)})
	pages(t, s, 0)
	const calls = 3000
	whole := func(n int) {
		for range n {
			call := s.NextCall()
			s.Arrived(Arrival{Call: call, At: time.Now(), Number: dana})
			s.SaveDialog(Dialog{Call: call, Leg: "caller", State: json.RawMessage(`{}`)})
			s.Do(time.Now(), []routing.Action{routing.AnswerCaller{Call: call}})
			s.Identified(call, "LW-1")
			s.Event(Event{Call: call, At: time.Now(), Kind: "x"})
			s.Do(time.Now(), []routing.Action{routing.EndCall{Call: call, Outcome: routing.Abandoned, By: routing.ByCaller}})
			s.RemoveDialog(call, "caller")
		}
	}
	whole(calls / 2)
	until(t, "the failure is noticed", func() bool { return s.Stats().Failing })
	whole(calls / 2)
	until(t, "what is of no use is let go", func() bool { return s.Stats().Queued < 9*100 })
	foldedSoFar(s)
	late, before := s.NextCall(), s.Stats().Dropped
	s.Arrived(Arrival{Call: late, At: time.Now()})
	if foldedSoFar(s); s.Stats().Dropped != before+1 {
		t.Fatal("the last one is not turned away")
	}
	s.SaveContact(Contact{Call: late, Attempt: 1, Customer: "LW-1", Agent: "priya", At: time.Now()})
	pages(t, s, 1)
	flushed(t, s)
	n, err := s.CountOutcomes(t.Context())
	if err != nil || n.Open != 0 || n.Total == 0 || n.Total != n.By[routing.Abandoned] || n.Total > 8*100 {
		t.Errorf("%+v, %v", n, err)
	}
	rows, err := s.Calls(t.Context(), time.Unix(0, 0), time.Now(), calls)
	for i, r := range rows {
		if r.Call != routing.CallID(i)+1 || r.Number != dana || r.Customer != "LW-1" || r.AnsweredAt.IsZero() {
			t.Fatalf("row %d: %+v, %v", i, r, err)
		}
	}
	if legs, err := s.Dialogs(t.Context()); err != nil || len(legs) != 0 {
		t.Errorf("%d legs, %v", len(legs), err)
	}
	var contacts int
	if err := s.read.row(t.Context(), "SELECT COUNT(*) FROM interactions", nil, &contacts); err != nil || contacts != 1 {
		t.Errorf("%d contacts, %v", contacts, err)
	}
	s.Do(time.Now(), []routing.Action{routing.EndCall{Call: late, Outcome: routing.Abandoned, By: routing.ByCaller}})
	whole(1)
	flushed(t, s)
	if again, err := s.CountOutcomes(t.Context()); err != nil || again.Total != n.Total+1 || again.Open != 0 {
		t.Errorf("after the outage %+v, %v; before %+v", again, err, n)
	}
	if s.Stats().Dropped < calls-n.Total {
		t.Errorf("%d dropped, %d calls are not recorded", s.Stats().Dropped, calls-n.Total)
	}
	for text, want := range map[string]int{
		"too much waits for the database: calls that arrive from now on are not recorded": 1,
		"calls are recorded again": 1, "event of a call that never arrived": 0,
	} {
		if got := logs.FilterMessage(text).Len(); got != want {
			t.Errorf("%d lines %q, want %d", got, text, want)
		}
	}
}

func TestCloseSaysWhatIsLost(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db"), CloseWait: time.Millisecond})
	pages(t, s, 0)
	fillUp(s, 500)
	until(t, "the failure is noticed", func() bool { return s.Stats().Failing })
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), "could not be written") {
		t.Fatalf("close: %v", err)
	}
}

// TestOneBadCallCostsNoOther: what the schema refuses for good is dropped, and
// only that.
func TestOneBadCallCostsNoOther(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	for i := range 5 {
		call := s.NextCall()
		s.Arrived(Arrival{Call: call, At: time.Now()})
		outcome := routing.Abandoned
		if i == 2 {
			outcome = "vanished"
		}
		s.Do(time.Now(), []routing.Action{routing.EndCall{Call: call, Outcome: outcome, By: routing.ByCaller}})
	}
	flushed(t, s)
	n, err := s.CountOutcomes(t.Context())
	if err != nil || n.By[routing.Abandoned] != 4 || s.Stats().Dropped != 1 {
		t.Fatalf("outcomes %+v, %v, stats %+v", n, err, s.Stats())
	}
}

// TestUnchangedRowsAreNotWritten: an action that changes nothing of a call's row
// does not have it written again, and one that does, does, also after a row was
// refused.
func TestUnchangedRowsAreNotWritten(t *testing.T) {
	t.Parallel()
	w := &writer{s: opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")}), calls: map[routing.CallID]*callState{}}
	fold := func(inputs ...input) *batch {
		b := newBatch()
		for _, in := range inputs {
			in.fold(w, b)
		}
		b.settle(w.calls)
		return b
	}
	at := time.Now()
	ring := acted{at, []routing.Action{routing.Ring{Offer: routing.Offer{Call: 1, Attempt: 1, Agent: "priya"}}}}
	end := acted{at, []routing.Action{routing.EndCall{Call: 1, Outcome: routing.Abandoned, By: routing.ByCaller}}}
	if b := fold(arrived{Call: 1, At: at}); len(b.rows) != 1 || b.settled[1] {
		t.Fatalf("a call arrived: %d rows, settled %v", len(b.rows), b.settled)
	}
	if b := fold(ring, identified{1, ""}); len(b.rows) != 0 || len(b.events) != 1 {
		t.Errorf("nothing changed: %d rows, %d events", len(b.rows), len(b.events))
	}
	if b := fold(identified{1, "LW-1"}, ring); len(b.rows) != 1 || b.rows[1].Customer != "LW-1" || !b.settled[1] {
		t.Errorf("the customer is known: %d rows, settled %v", len(b.rows), b.settled)
	}
	w.calls[1].saved = nil
	if b := fold(ring); len(b.rows) != 1 || b.settled[1] {
		t.Errorf("the row was refused: %d rows, settled %v", len(b.rows), b.settled)
	}
	if b := fold(end, ring); len(b.rows) != 1 || b.rows[1].Outcome != routing.Abandoned || b.settled[1] {
		t.Errorf("the call has ended: %d rows, settled %v", len(b.rows), b.settled)
	}
}

// TestOpenCallsAreFound: a start does not read the whole ledger for the calls that
// are open.
func TestOpenCallsAreFound(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	for _, query := range []string{qOpenCalls, qRestartEvents, qRestartWaits, qRestartCalls} {
		plan, err := planOf(t, s, query, []any{int64(1), "{}"}[:strings.Count(query, "$")]...)
		if err != nil || !strings.Contains(plan, "INDEX calls_open") || strings.Contains(plan, "SCAN c\n") || strings.Contains(plan, "SCAN calls\n") {
			t.Errorf("%s\n%s%v", query, plan, err)
		}
	}
}

// TestPeriodsAreFound: whoever counts a period does not read the whole ledger, nor sort it.
func TestPeriodsAreFound(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	plan, err := planOf(t, s, qFoldCalls, 1, 0, 2, 1, foldedAtOnce)
	if err != nil || !strings.Contains(plan, "INDEX calls_arrived (arrived_at>? AND arrived_at<?)") || strings.Contains(plan, "TEMP B-TREE") {
		t.Errorf("%s%v", plan, err)
	}
}

// planOf is how SQLite would go about a query.
func planOf(t *testing.T, s *Store, query string, args ...any) (plan string, err error) {
	err = each(t.Context(), s.read, "EXPLAIN QUERY PLAN "+query, args, func(row *sql.Rows) error {
		var id, parent, unused int
		var step string
		err := row.Scan(&id, &parent, &unused, &step)
		plan += step + "\n"
		return err
	})
	return plan, err
}
