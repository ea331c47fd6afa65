package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// spillingStore is a server on SQLite whose changes can be made to wait.
func spillingStore(t *testing.T) (*Store, Options) {
	t.Helper()
	o := Options{Path: filepath.Join(t.TempDir(), "cordboard.db"), Spill: filepath.Join(t.TempDir(), "spill"), CloseWait: time.Millisecond}
	return opened(t, o), o
}

// outage has calls wait for a full database until all are in the spill file.
func outage(t *testing.T, s *Store, calls int) {
	t.Helper()
	pages(t, s, 0)
	fillUp(s, calls)
	until(t, "all is spilled", func() bool { st := s.Stats(); return st.Spilled > 0 && st.Spilled == st.Queued })
}

func ended(t *testing.T, s *Store, want int64) {
	t.Helper()
	if n, err := s.CountOutcomes(t.Context()); err != nil || n.Total != want || n.By[routing.Abandoned] != want {
		t.Fatalf("the ledger has %+v, %v; want %d", n, err, want)
	}
}

// TestDatabasePutBack: a database put back from a copy has an epoch that was
// taken before. The spill file of that time must not pass for this server's.
func TestDatabasePutBack(t *testing.T) {
	t.Parallel()
	s, o := spillingStore(t)
	fillUp(s, 1)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(o.Path)
	if err != nil {
		t.Fatal(err)
	}
	s = opened(t, o)
	for range 5 { // several batches: the next server counts from one again
		fillUp(s, 1)
		flushed(t, s)
	}
	outage(t, s, 300)
	Abandon(s)
	for _, name := range []string{o.Path + "-wal", o.Path + "-shm"} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(o.Path, copied, 0o600); err != nil {
		t.Fatal(err)
	}

	s = opened(t, o)
	ended(t, s, 301) // the copy's, and those of the file
	outage(t, s, 300)
	pages(t, s, 1)
	flushed(t, s)
	ended(t, s, 601)
}

// waiting is a batch of one call that has ended.
func waiting(n int64, call routing.CallID, at time.Time) *batch {
	b := newBatch()
	b.n, b.order = n, []routing.CallID{call}
	b.rows[call] = &LedgerRow{Call: call, PublicID: newPublicID(), ArrivedAt: at, EndedAt: at, Outcome: routing.Abandoned, EndedBy: routing.ByCaller}
	b.events = []Event{{Call: call, Seq: 1, At: at, Kind: "arrived"}}
	return b
}

// TestSpillDamaged: a torn end is what a crash leaves. What is broken in its
// middle, or written so that this version cannot read it, is kept.
func TestSpillDamaged(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(lines []string) []string
		calls int64 // that come back
		kept  bool
	}{
		{"whole", func(l []string) []string { return l }, 2, false},
		{"torn end", func(l []string) []string { return append(l, l[1][:len(l[1])/2]) }, 2, false},
		{"torn within what was whole", func(l []string) []string { l[2] = l[2][:len(l[2])/2] + "\n"; return l }, 1, false},
		{"a bit in the middle", func(l []string) []string { l[1] = strings.Replace(l[1], "abandoned", "abandonee", 1); return l }, 0, true},
		{"another form", func(l []string) []string { l[2] = string(framed([]byte(`{"epoch":"two"}`))); return l }, 1, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, o := spillingStore(t)
			file := &spill{path: o.Spill, identity: s.spill.identity, epoch: s.fence.epoch}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(file.add([]*batch{waiting(101, 1, time.Now()), waiting(102, 2, time.Now())}), file.close()); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(o.Spill)
			if err != nil {
				t.Fatal(err)
			}
			spoilt := c.spoil(slices.Collect(strings.Lines(string(text))))
			if err := os.WriteFile(o.Spill, []byte(strings.Join(spoilt, "")), 0o600); err != nil {
				t.Fatal(err)
			}
			s = opened(t, o)
			ended(t, s, c.calls)
			kept, err := filepath.Glob(o.Spill + ".refused-*")
			if err != nil || (len(kept) == 1) != c.kept {
				t.Errorf("kept %v, %v; want one: %v", kept, err, c.kept)
			}
		})
	}
}

// halfDisk is a file on a disk that is full while it is told so: it takes half
// of what it is given then, as a real one does.
type halfDisk struct {
	spillFile
	full bool
}

func (d *halfDisk) WriteAt(b []byte, at int64) (int, error) {
	if !d.full {
		return d.spillFile.WriteAt(b, at)
	}
	n, _ := d.spillFile.WriteAt(b[:len(b)/2], at)
	return n, syscall.ENOSPC
}

// TestSpillHalfWritten: nothing of a write that failed stays in the file, where
// nobody would read or remove it.
func TestSpillHalfWritten(t *testing.T) {
	t.Parallel()
	s := spill{path: filepath.Join(t.TempDir(), "spill"), identity: 7, epoch: 1}
	if err := s.add([]*batch{waiting(1, 1, time.Now())}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(s.path)
	if err != nil {
		t.Fatal(err)
	}
	disk := &halfDisk{s.file, true}
	s.file = disk
	if err := s.add([]*batch{waiting(2, 2, time.Now()), waiting(3, 3, time.Now())}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("a write to a full disk: %v", err)
	}
	if after, err := os.ReadFile(s.path); err != nil || string(after) != string(before) {
		t.Fatalf("%d bytes before a write that failed, %d after it, %v", len(before), len(after), err)
	}
	disk.full = false
	if err := errors.Join(s.add([]*batch{waiting(2, 2, time.Now())}), s.close()); err != nil {
		t.Fatal(err)
	}
	var read []int64
	if _, err := readSpill(s.path, func(b *spilledBatch) error { read = append(read, b.N); return nil }); err != nil || !slices.Equal(read, []int64{1, 2}) {
		t.Fatalf("read %v, %v", read, err)
	}
}

// TestStalledDiskRefusesNothing: what came too late for its transaction is tried
// again. Nothing was wrong with it.
func TestStalledDiskRefusesNothing(t *testing.T) {
	t.Parallel()
	s, _ := spillingStore(t)
	for n := range int64(50) { // the transaction's end comes between any two steps
		ctx, cancel := context.WithCancel(t.Context())
		err := s.write.inTx(ctx, func(tx *tx) error {
			for {
				if err := tx.put(qRaiseCounter, "x", n); err != nil {
					return err
				}
				cancel() // as the time limit does
			}
		})
		if err == nil || s.db.refuses(err) {
			t.Fatalf("%v: refused %v", err, s.db.refuses(err))
		}
	}
}

// TestStampsAreFew: what tells which batches are in does not grow with each
// start. A spill file of an epoch whose stamp is gone is kept and not written.
func TestStampsAreFew(t *testing.T) {
	t.Parallel()
	s, o := spillingStore(t)
	const now = 5 * keepStamps
	err := s.write.inTx(t.Context(), func(tx *tx) error {
		for name, n := range map[string]int64{stampName(3): 7, stampName(now - keepStamps): 7, stampName(now + 4 - keepStamps): 7, counterEpoch: now} {
			if err := tx.put(qRaiseCounter, name, n); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	file := &spill{path: o.Spill, identity: s.spill.identity, epoch: 3}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // with the stamp, then without
		if err := errors.Join(file.add([]*batch{waiting(5, 1, time.Now())}), file.close()); err != nil {
			t.Fatal(err)
		}
		file.file, file.size = nil, 0
		s = opened(t, o)
		ended(t, s, 0)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := filepath.Glob(o.Spill + ".refused-*")
	if err != nil || len(kept) != 1 {
		t.Errorf("kept %v, %v", kept, err)
	}
	s = opened(t, o)
	var stamps []string
	err = each(t.Context(), s.read, "SELECT name FROM counters WHERE name LIKE 'written/%' ORDER BY name", nil, func(row *sql.Rows) error {
		stamps = append(stamps, "")
		return row.Scan(&stamps[len(stamps)-1])
	})
	want := []string{stampName(now + 4 - keepStamps), stampName(now + 1), stampName(now + 2)}
	slices.Sort(want)
	if err != nil || !slices.Equal(stamps, want) {
		t.Errorf("stamps %v, %v; want %v", stamps, err, want)
	}
}

// slowDisk is a file whose sync takes until it is told to end.
type slowDisk struct {
	spillFile
	syncing, end chan struct{}
}

func (d *slowDisk) Sync() error {
	close(d.syncing)
	<-d.end
	return d.spillFile.Sync()
}

// TestSpillLocks: the two goroutines of the writer never wait for each other.
// One that has spilled the line must not want the file's lock again once it has
// the line's: the other, about to empty the file, has it and wants the line's.
func TestSpillLocks(t *testing.T) {
	t.Parallel()
	file := &spill{path: filepath.Join(t.TempDir(), "spill"), identity: 7, epoch: 1}
	if err := file.open(); err != nil {
		t.Fatal(err)
	}
	disk := &slowDisk{spillFile: file.file, syncing: make(chan struct{}), end: make(chan struct{})}
	file.file = disk
	w := &writer{spill: file, line: []*batch{waiting(1, 1, time.Now())}}
	spilled := make(chan struct{})
	go func() {
		defer close(spilled)
		w.spillLine()
	}()
	<-disk.syncing
	w.mu.Lock()
	close(disk.end)
	file.mu.Lock() // as clear has it, when the sync is over
	w.mu.Unlock()
	select {
	case <-spilled:
		w.mu.Lock() // as drained takes it
		if w.kept != 1 {
			t.Errorf("%d batches kept", w.kept)
		}
		w.mu.Unlock()
	case <-time.After(time.Minute):
		t.Error("the line's lock is held by one who waits for the file's")
	}
	file.mu.Unlock()
	<-spilled
	if err := file.close(); err != nil {
		t.Error(err)
	}
}
