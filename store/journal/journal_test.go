package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/live"
	"github.com/cordboard/cordboard/routing/rule"
)

var _ live.Journal = (*Journal)(nil)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var t0 = time.Date(2026, 11, 19, 14, 0, 0, 123000, time.UTC)

func start(t *testing.T, dir string, opts Options) *Journal {
	t.Helper()
	j, err := Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	return j
}

func add(t *testing.T, j *Journal, from, to int) {
	t.Helper()
	for i := from; i <= to; i++ {
		if err := j.Append(t0.Add(time.Duration(i)*time.Second), routing.CallerGone{Call: routing.CallID(i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func closed(t *testing.T, j *Journal) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

// calls reads the calls of a journal made by add.
func calls(t *testing.T, dir string) (out []int, err error) {
	t.Helper()
	err = Read(dir, func(at time.Time, ev routing.Event) error {
		gone := ev.(routing.CallerGone)
		if want := t0.Add(time.Duration(gone.Call) * time.Second); !at.Equal(want) {
			t.Errorf("call %d at %v, want %v", gone.Call, at, want)
		}
		out = append(out, int(gone.Call))
		return nil
	})
	return out, err
}

func upTo(n int) (out []int) {
	for i := range n {
		out = append(out, i+1)
	}
	return out
}

func want(t *testing.T, dir string, list []int) {
	t.Helper()
	got, err := calls(t, dir)
	if err != nil || !reflect.DeepEqual(got, list) {
		t.Fatalf("read %v, %v; want %v", got, err, list)
	}
}

func TestEveryEventComesBack(t *testing.T) {
	offer := routing.Offer{Call: 7, Attempt: 2, Agent: "priya"}
	events := []routing.Event{
		routing.CallArrived{Call: 7, Attrs: rule.Call{Kind: "inbound", DNIS: "123", Trunk: "main"}, Caller: "5f"},
		routing.CustomerResolved{Call: 7, Customer: rule.Customer{Known: true, Segment: "gold", Products: []string{"fibre"}}},
		routing.CallerGone{Call: 7}, routing.CallFailed{Call: 7, Reason: "media"},
		routing.PopAcked{Offer: offer, Mode: routing.Painted, Version: 4, Panels: map[string]string{"who": "shown"}},
		routing.OfferAccepted{Offer: offer}, routing.OfferRefused{Offer: offer, Reason: "not_now"},
		routing.PhoneRinging{Offer: offer}, routing.PhoneAnswered{Offer: offer}, routing.PhoneFailed{Offer: offer, Code: 486},
		routing.AgentGone{Offer: offer}, routing.JoinFailed{Offer: offer, Reason: "488"}, routing.Joined{Offer: offer, Media: "relay"},
		routing.HoldRequested{Offer: offer, On: true}, routing.PhoneHeld{Offer: offer}, routing.HangupRequested{Offer: offer},
		routing.TransferRequested{Offer: offer, Topic: "line_fault"}, routing.WrapUpEnded{Offer: offer, Disposition: "fixed"},
		routing.AgentSignedIn{Agent: "priya", State: agents.Available}, routing.AgentSignedOut{Agent: "priya"},
		routing.AgentStateAsked{Agent: "priya", State: agents.NotReady, Reason: "lunch"}, routing.DeskChanged{Agent: "priya", Up: true},
		routing.PhoneProbed{Agent: "priya", Code: 200}, routing.TreatmentPlayed{Call: 7}, routing.Tick{}, routing.PolicyChanged{Version: 3, SHA256: "ab"},
	}
	dir := t.TempDir()
	j := start(t, dir, Options{})
	for i, ev := range events {
		if err := j.Append(t0.Add(time.Duration(i)), ev); err != nil {
			t.Fatal(err)
		}
	}
	closed(t, j)
	var got []routing.Event
	if err := Read(dir, func(_ time.Time, ev routing.Event) error { got = append(got, ev); return nil }); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, events) {
		t.Fatalf("got  %+v\nwant %+v", got, events)
	}
	if err := j.Append(t0, events[0]); !errors.Is(err, ErrClosed) {
		t.Fatalf("append after close: %v", err)
	}
	stop := errors.New("enough")
	if err := Read(dir, func(time.Time, routing.Event) error { return stop }); !errors.Is(err, stop) {
		t.Fatalf("reader's own error: %v", err)
	}
}

func TestRunsAndSegments(t *testing.T) {
	dir := t.TempDir()
	for run := range 3 {
		j := start(t, dir, Options{SegmentBytes: 1})
		add(t, j, 2*run+1, 2*run+2)
		closed(t, j)
	}
	want(t, dir, upTo(6))
	names, err := segments(dir)
	if err != nil || len(names) != 6 { // each run: its first, and one more once that is full
		t.Fatalf("segments %v, %v", names, err)
	}
}

func last(t *testing.T, dir string) string {
	t.Helper()
	names, err := segments(dir)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, names[len(names)-1])
}

// TestTornTail cuts the file at every byte: a crash may leave it so.
func TestTornTail(t *testing.T) {
	whole := t.TempDir()
	j := start(t, whole, Options{})
	add(t, j, 1, 3)
	closed(t, j)
	text, err := os.ReadFile(last(t, whole))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(text) + 1 {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "00000001.journal"), text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		n := max(bytes.Count(text[:cut], []byte{'\n'})-1, 0)
		want(t, dir, upTo(n))
		if cut%40 == 0 { // the next run goes on behind it
			j := start(t, dir, Options{})
			add(t, j, n+1, n+1)
			closed(t, j)
			want(t, dir, upTo(n+1))
		}
	}
}

func TestDamage(t *testing.T) {
	dir := t.TempDir()
	j := start(t, dir, Options{})
	add(t, j, 1, 5)
	closed(t, j)
	path := last(t, dir)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.SplitAfter(string(text), "\n")
	lines[3] = strings.Replace(lines[3], `"call":3`, `"call":8`, 1)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := calls(t, dir)
	var damage *DamageError
	if !errors.As(err, &damage) || damage.Lost != 1 || damage.Line != 5 || !reflect.DeepEqual(got, []int{1, 2, 4, 5}) {
		t.Fatalf("read %v, %v", got, err)
	}

	for text, says := range map[string]string{
		"cordboard-journal 3\n": "format", "something else\n": "no journal",
		header + vanished(t): routing.ErrUnknownEvent.Error(),
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "00000001.journal"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := calls(t, dir); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// vanished is the line of an event that later versions do not know.
func vanished(t *testing.T) string {
	t.Helper()
	line, err := new(Journal).appendLine(nil, 1, t0, unknown{})
	if err != nil {
		t.Fatal(err)
	}
	return string(line)
}

type unknown struct{}

func (unknown) Kind() string { return "call_vanished" }

// disk is a file on a disk that can be full: then it takes half of what it is
// given, as a real one may.
type disk struct {
	file
	full *atomic.Bool
}

func (d disk) Write(b []byte) (int, error) {
	if !d.full.Load() {
		return d.file.Write(b)
	}
	n, _ := d.file.Write(b[:len(b)/2])
	return n, syscall.ENOSPC
}

func TestDiskFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, full := t.TempDir(), new(atomic.Bool)
		j := start(t, dir, Options{MaxPending: 300, create: func(path string) (file, error) {
			f, err := createFile(path)
			return disk{f, full}, err
		}})
		settle := func() { time.Sleep(2 * retryAfter); synctest.Wait() }
		add(t, j, 1, 2)
		settle()
		full.Store(true)
		add(t, j, 3, 20)
		settle()
		if st := j.Stats(); !st.Failing || st.Written != 2 || st.Lost == 0 {
			t.Fatalf("while full: %+v", st)
		}
		want(t, dir, upTo(2))
		full.Store(false)
		settle()
		lost := j.Stats().Lost
		add(t, j, 21, 22)
		settle()
		if st := j.Stats(); st.Failing || st.Written+st.Lost != 22 || st.Lost != lost {
			t.Fatalf("afterwards: %+v", st)
		}
		got, err := calls(t, dir)
		var damage *DamageError
		if !errors.As(err, &damage) || damage.Lost != lost || len(got) != 22-int(lost) || got[len(got)-1] != 22 {
			t.Fatalf("read %v, %v; lost %d", got, err, lost)
		}
		closed(t, j)
	})
}

func TestCloseSaysWhatIsLost(t *testing.T) {
	full := new(atomic.Bool)
	j, err := Open(t.TempDir(), Options{create: func(path string) (file, error) {
		f, err := createFile(path)
		return disk{f, full}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	add(t, j, 1, 3)
	if err := j.Close(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "3 events") {
		t.Fatalf("close: %v", err)
	}
}

func TestOldSegmentsGo(t *testing.T) {
	dir := t.TempDir()
	j := start(t, dir, Options{SegmentBytes: 1, Keep: time.Hour})
	first := last(t, dir)
	add(t, j, 1, 1)
	old := time.Now().Add(-2 * time.Hour)
	if err := os.WriteFile(filepath.Join(dir, "00000000.journal"), []byte(header), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(dir, "00000000.journal"), old, old); err != nil {
		t.Fatal(err)
	}
	closed(t, j)
	if _, err := os.Stat(filepath.Join(dir, "00000000.journal")); !os.IsNotExist(err) {
		t.Fatalf("the old segment is still there: %v", err)
	}
	if _, err := os.Stat(first); err != nil {
		t.Fatalf("the young segment is gone: %v", err)
	}
	want(t, dir, []int{1})
}

// TestFlush: what was appended can be read at once, by several who ask at a time, and
// beside a Close.
func TestFlush(t *testing.T) {
	dir := t.TempDir()
	j := start(t, dir, Options{SegmentBytes: 1 << 9})
	for n := 1; n <= 30; n++ {
		add(t, j, n, n)
		if err := j.Flush(); err != nil {
			t.Fatal(err)
		}
		want(t, dir, upTo(n))
	}
	add(t, j, 31, 60)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			if err := j.Flush(); err != nil {
				t.Error(err)
			}
		})
	}
	closed(t, j)
	all.Wait()
	want(t, dir, upTo(60))
}

func TestManyWriters(t *testing.T) {
	dir := t.TempDir()
	j := start(t, dir, Options{SegmentBytes: 1 << 10})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 100 {
				if err := j.Append(t0.Add(time.Duration(i)*time.Second), routing.CallerGone{Call: routing.CallID(i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	closed(t, j)
	got, err := calls(t, dir)
	if err != nil || len(got) != 400 {
		t.Fatalf("read %d, %v", len(got), err)
	}
}

func BenchmarkAppend(b *testing.B) {
	j, err := Open(b.TempDir(), Options{MaxPending: 1 << 30})
	if err != nil {
		b.Fatal(err)
	}
	ev := routing.PopAcked{Offer: routing.Offer{Call: 7, Attempt: 2, Agent: "priya"}, Mode: routing.Painted, Version: 4}
	for b.Loop() {
		if err := j.Append(t0, ev); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(j.Stats().Lost), "lost")
}

// BenchmarkSeal is what the engine's goroutine does for a look-up's end, each of
// somebody else, as they are; without the disk.
func BenchmarkSeal(b *testing.B) {
	var ev routing.Event = routing.CustomerResolved{
		Call: 7, Key: "5f0c1a9e5f0c1a9e5f0c1a9e5f0c1a9e",
		Customer: rule.Customer{Known: true, Segment: "gold", Language: "en", Country: "DE", ChurnRisk: 40, Products: []string{"fibre", "mobile"}},
	}
	const group = 100 // written together
	text := make([]byte, 0, 1<<20)
	run := func(b *testing.B, ev func(subject string) routing.Event) {
		b.ReportAllocs()
		subjects := make([]string, 25_000) // of a segment
		for i := range subjects {
			subjects[i] = strconv.Itoa(i)
		}
		j := Journal{keys: map[string]*key{}}
		for n := 0; b.Loop(); n++ {
			if n%group == 0 {
				j.group, j.needed = j.group+1, nil
			}
			if n%len(subjects) == 0 {
				clear(j.keys)
			}
			var err error
			if text, err = j.appendLine(text[:0], int64(n), t0, ev(subjects[n%len(subjects)])); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("sealed", func(b *testing.B) {
		run(b, func(subject string) routing.Event {
			r := ev.(routing.CustomerResolved)
			r.Subject = subject
			return r
		})
	})
	b.Run("clear", func(b *testing.B) { // as before format 2
		j, n := Journal{}, int64(0)
		b.ReportAllocs()
		for b.Loop() {
			n++
			line, err := routing.AppendEvent(text[:0], ev)
			if err != nil {
				b.Fatal(err)
			}
			if text, err = j.appendLine(line, n, t0, routing.CallerGone{Call: 7}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func ExampleRead() {
	dir, err := os.MkdirTemp("", "journal")
	if err != nil {
		return
	}
	defer os.RemoveAll(dir)
	j, err := Open(dir, Options{})
	if err != nil {
		return
	}
	_ = j.Append(t0, routing.CallerGone{Call: 12})
	_ = j.Close()
	_ = Read(dir, func(at time.Time, ev routing.Event) error {
		fmt.Println(at.Format(time.TimeOnly), ev.Kind())
		return nil
	})
	// Output: 14:00:00 caller_gone
}

// countedDisk counts the syncs of a segment.
type countedDisk struct {
	file
	syncs *atomic.Int64
}

func (d countedDisk) Sync() error {
	d.syncs.Add(1)
	return d.file.Sync()
}

// TestGroups: an event after a quiet time is on the disk at once; while they
// keep coming, there are twenty syncs a second, and none waits for longer.
func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var syncs atomic.Int64
		j := start(t, t.TempDir(), Options{create: func(path string) (file, error) {
			f, err := createFile(path)
			return countedDisk{f, &syncs}, err
		}})
		syncs.Store(0)
		for n := range 3 {
			time.Sleep(time.Second)
			add(t, j, n+1, n+1)
			time.Sleep(groupWait)
			synctest.Wait()
			if got := j.Stats().Written; got != int64(n)+1 {
				t.Fatalf("after a quiet time %d of %d events are on the disk", got, n+1)
			}
		}
		syncs.Store(0)
		written := j.Stats().Written
		for i := range 1000 {
			add(t, j, 4+i, 4+i)
			time.Sleep(time.Millisecond)
			synctest.Wait()
			if late := int64(i+1) - (j.Stats().Written - written); late > groupEvery.Milliseconds()+1 {
				t.Fatalf("%d events wait, the first for as many ms", late)
			}
		}
		if n := syncs.Load(); n < 18 || n > 22 {
			t.Errorf("%d syncs in a second of events", n)
		}
		closed(t, j)
	})
}
