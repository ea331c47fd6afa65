package journal

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// said are the words that stand in the events of person, and nowhere in clear.
var said = []string{"platinum", "fibre-9000", "hortensia", `"true":[3]`}

func person(call routing.CallID, subject string) []routing.Event {
	return []routing.Event{
		routing.CustomerResolved{
			Call: call, Ask: int(call % 2), Key: "key-" + subject, Subject: subject,
			Customer: rule.Customer{Known: true, Segment: "platinum", Products: []string{"fibre-9000"}, Texts: map[string]string{"pet": "hortensia"}},
			Past:     rule.Past{CallsToday: 3}, Rim: []routing.AtRim{{Version: 2, True: []int{3}}},
		},
		routing.RimRead{Call: call, Subject: subject, Rim: []routing.AtRim{{Version: 3, True: []int{3}}}},
	}
}

func append1(t *testing.T, j *Journal, events ...routing.Event) {
	t.Helper()
	for _, ev := range events {
		if err := j.Append(time.Now(), ev); err != nil {
			t.Fatal(err)
		}
	}
}

// readable is what the journal of a folder says, by call: "known" of a customer
// whose attributes can be read, "erased" of one whose cannot.
func readable(t *testing.T, dir string) map[routing.CallID]string {
	t.Helper()
	out := map[routing.CallID]string{}
	if err := Read(dir, noting(out)); err != nil {
		t.Fatal(err)
	}
	return out
}

func noting(out map[routing.CallID]string) func(time.Time, routing.Event) error {
	return func(_ time.Time, ev routing.Event) error {
		switch ev := ev.(type) {
		case routing.CustomerResolved:
			switch {
			case ev.Erased && reflect.DeepEqual(ev, routing.CustomerResolved{Call: ev.Call, Ask: int(ev.Call % 2), Key: ev.Key, Erased: true}):
				out[ev.Call] += "erased"
			case !ev.Erased && ev.Ask == int(ev.Call%2) && ev.Customer.Texts["pet"] == "hortensia":
				out[ev.Call] += "known"
			default:
				return fmt.Errorf("neither nor: %+v", ev)
			}
		case routing.RimRead:
			if len(ev.Rim) > 0 {
				out[ev.Call] += " read"
			}
		}
		return nil
	}
}

func wantReadable(t *testing.T, dir string, want map[routing.CallID]string) {
	t.Helper()
	if got := readable(t, dir); !reflect.DeepEqual(got, want) {
		t.Fatalf("got %v, want %v", got, want)
	}
}

// inFolder says which of the words stand in a folder's files.
func inFolder(t *testing.T, dir string, words ...string) (found []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range words {
			if bytes.Contains(text, []byte(w)) {
				found = append(found, w+" in "+e.Name())
			}
		}
	}
	return found
}

// What is said of a caller is on the disk in boxes alone, and comes back as it was
// while its key is there.
func TestAttributesAreSealed(t *testing.T) {
	dir := t.TempDir()
	j := start(t, dir, Options{})
	want := append(person(7, "5f"), person(8, "60")...)
	nobody := routing.CustomerResolved{Call: 9}
	append1(t, j, want...)
	append1(t, j, nobody)
	closed(t, j)
	if found := inFolder(t, dir, said...); len(found) > 0 {
		t.Errorf("in clear: %v", found)
	}
	var got []routing.Event
	if err := Read(dir, func(_ time.Time, ev routing.Event) error { got = append(got, ev); return nil }); err != nil {
		t.Fatal(err)
	}
	for i := range want { // whose key it was is the journal's own affair
		switch ev := want[i].(type) {
		case routing.CustomerResolved:
			ev.Subject = ""
			want[i] = ev
		case routing.RimRead:
			ev.Subject = ""
			want[i] = ev
		}
	}
	if want = append(want, nobody); !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %+v\nwant %+v", got, want)
	}
	file, err := readKeys(keysBeside(last(t, dir)))
	if err != nil || len(file.lines) != 2 {
		t.Fatalf("%d keys for two subjects and one of whom nothing is known, %v", len(file.lines), err)
	}
}

// A box opens in its own place only.
func TestBoxesStayWhereTheyAre(t *testing.T) {
	dir := t.TempDir()
	j := start(t, dir, Options{})
	append1(t, j, person(7, "5f")[0], person(8, "5f")[0])
	closed(t, j)
	path := last(t, dir)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(text, []byte{'\n'})
	box := func(i int) string {
		l, _ := parse(bytes.TrimSuffix(lines[i], []byte{'\n'}))
		_, b, _ := strings.Cut(string(l.body), `"sealed"`)
		return b
	}
	for name, body := range map[string]string{
		"another call's":     `{"call":8,"key":"key-5f","sealed"` + box(1),
		"another event's":    `{"call":8,"key":"key-5f","sealed"` + box(2),
		"another customer's": `{"call":7,"key":"key-60","sealed"` + box(1),
	} {
		seq := int64(1)
		if name == "another event's" {
			seq = 3
		}
		l := line{seq: seq, kind: routing.CustomerResolved{}.Kind(), body: []byte(body)}
		o := opener{path: keysBeside(path)}
		if ev, err := o.event(&l); err == nil || !strings.Contains(err.Error(), "does not open") {
			t.Errorf("%s: %v, %v", name, ev, err)
		}
	}
}

// Erasing destroys the keys of all runs and segments, and of nobody else; what is
// done twice is done.
func TestErase(t *testing.T) {
	dir := t.TempDir()
	for run := range routing.CallID(3) {
		j := start(t, dir, Options{SegmentBytes: 1})
		append1(t, j, person(10*run+1, "5f")...)
		append1(t, j, person(10*run+2, "60")...)
		append1(t, j, routing.CustomerResolved{Call: 10*run + 3, Ask: 1, Past: rule.Past{CallsToday: 1}, Customer: rule.Customer{Texts: map[string]string{"pet": "hortensia"}}})
		closed(t, j)
	}
	want := map[routing.CallID]string{}
	for run := range routing.CallID(3) {
		want[10*run+1], want[10*run+2], want[10*run+3] = "erased", "known read", "known"
	}
	for range 2 {
		if err := Erase(dir, "5f"); err != nil {
			t.Fatal(err)
		}
		wantReadable(t, dir, want)
	}
	if found := inFolder(t, dir, " 5f "); len(found) > 0 {
		t.Errorf("keys are left: %v", found)
	}
	want[13] = "erased"
	if err := Erase(dir, SubjectOfCall(13)); err != nil {
		t.Fatal(err)
	}
	wantReadable(t, dir, want)
}

// While the journal is being written, what is on the disk, what is pending and
// what a look-up brings a moment later are erased alike, and everybody else's
// events go on being sealed and read.
func TestEraseWhileWriting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		j := start(t, dir, Options{})
		settle := func() { time.Sleep(time.Second); synctest.Wait() }
		append1(t, j, person(1, "5f")...)
		append1(t, j, person(2, "60")...)
		settle()
		append1(t, j, person(3, "5f")...)
		append1(t, j, person(4, "60")...)
		if err := j.Erase("5f"); err != nil {
			t.Fatal(err)
		}
		append1(t, j, person(5, "5f")...) // its look-up began before
		append1(t, j, person(6, "60")...)
		settle()
		time.Sleep(2 * staysErased)
		append1(t, j, person(7, "5f")...) // he is a customer again
		settle()
		wantReadable(t, dir, map[routing.CallID]string{
			1: "erased", 2: "known read", 3: "erased", 4: "known read", 5: "erased", 6: "known read", 7: "known read",
		})
		closed(t, j)
	})
}

// A full disk keeps neither a key without room for its events nor events without
// their keys.
func TestKeysOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, full := t.TempDir(), new(atomic.Bool)
		j := start(t, dir, Options{SegmentBytes: 600, create: func(path string) (file, error) {
			f, err := createFile(path)
			return disk{f, full}, err
		}})
		want := map[routing.CallID]string{}
		for round := range routing.CallID(6) {
			full.Store(round%2 == 1)
			for n := range routing.CallID(3) {
				call := 10*round + n
				append1(t, j, person(call, fmt.Sprint("subject-", n))...)
				want[call] = "known read"
			}
			time.Sleep(2 * retryAfter)
			synctest.Wait()
			if j.Stats().Failing != full.Load() {
				t.Fatalf("round %d: %+v", round, j.Stats())
			}
		}
		full.Store(false)
		time.Sleep(2 * retryAfter)
		synctest.Wait()
		wantReadable(t, dir, want)
		if err := j.Erase("subject-1"); err != nil {
			t.Fatal(err)
		}
		for call := range want {
			if call%10 == 1 {
				want[call] = "erased"
			}
		}
		wantReadable(t, dir, want)
		closed(t, j)
	})
}

// A crash may leave the two files at any length: no event that can be read has
// lost its key, since keys come first.
func TestKeysAreThereFirst(t *testing.T) {
	dir := t.TempDir()
	var order []string
	j := start(t, dir, Options{create: func(path string) (file, error) {
		f, err := createFile(path)
		return watchedDisk{f, func() { order = append(order, filepath.Ext(path)) }}, err
	}})
	append1(t, j, person(7, "5f")...)
	closed(t, j)
	if want := []string{suffix, keysSuffix, suffix}; !slices.Equal(order, want) {
		t.Errorf("synced %v, want %v", order, want)
	}
}

type watchedDisk struct {
	file
	synced func()
}

func (d watchedDisk) Sync() error {
	d.synced()
	return d.file.Sync()
}

// A torn end is no damage; a line that was changed is said, and never taken for an
// erasure.
func TestDamagedKeys(t *testing.T) {
	dir := t.TempDir()
	j := start(t, dir, Options{})
	append1(t, j, person(7, "5f")...)
	append1(t, j, person(8, "60")...)
	closed(t, j)
	path := keysBeside(last(t, dir))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put := func(text []byte) {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(append(slices.Clone(whole), "0123 3 6"...))
	wantReadable(t, dir, map[routing.CallID]string{7: "known read", 8: "known read"})
	put(bytes.Replace(whole, []byte(" 5f "), []byte(" 5e "), 1))
	err = Read(dir, func(time.Time, routing.Event) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "00000001.keys line 2 is damaged") {
		t.Errorf("read: %v", err)
	}
	if err := Erase(dir, "60"); err == nil || !strings.Contains(err.Error(), "line 2 is damaged") {
		t.Errorf("erase: %v", err)
	}
	put([]byte("cordboard-keys 2\n"))
	if err := Erase(dir, "60"); err == nil || !strings.Contains(err.Error(), "format") {
		t.Errorf("of another format: %v", err)
	}
}

// Format 1 is read as it is, until somebody is erased: then all of it is sealed.
func TestClearFormat(t *testing.T) {
	dir := t.TempDir()
	write := func(n int, events ...routing.Event) {
		text := []byte(magic + " " + clearVersion + "\n")
		for i, ev := range events {
			var err error
			if text, err = new(Journal).appendLine(text, int64(100*n+i), t0, inTheClear{ev}); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%08d.journal", n)), append(text, "torn"...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	unknown := person(3, "")[0].(routing.CustomerResolved)
	unknown.Key = "" // nobody knows him; his number is 70
	write(1, person(1, "5f")[0], person(1, "5f")[1], person(2, "60")[0], routing.CallArrived{Call: 3, Caller: "70"})
	write(2, unknown, person(3, "")[1], person(2, "60")[1])
	damaged := filepath.Join(dir, "00000002.journal")
	text, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(damaged, bytes.Replace(text, []byte("torn"), []byte("a line of nothing\n"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	j := start(t, dir, Options{})
	append1(t, j, person(4, "key-5f")[0])
	want := map[routing.CallID]string{1: "known read", 2: "known read", 3: "known read", 4: "known"}
	flushed := func() bool { return j.Stats().Written == 1 }
	for deadline := time.Now().Add(20 * time.Second); !flushed() && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	read := func() {
		t.Helper()
		var damage *DamageError // between the numbers of this test's files
		got := map[routing.CallID]string{}
		if err := Read(dir, noting(got)); !errors.As(err, &damage) || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, want %v; %v", got, want, err)
		}
	}
	read()
	if err := j.Erase("key-5f", "70"); err != nil {
		t.Fatal(err)
	}
	want[1], want[3], want[4] = "erased", "erased", "erased"
	read()
	if found := inFolder(t, dir, said...); len(found) > 0 {
		t.Errorf("in clear: %v", found)
	}
	closed(t, j)
}

// inTheClear is an event as earlier releases wrote it.
type inTheClear struct{ routing.Event }

// MarshalJSON is the event's own form.
func (e inTheClear) MarshalJSON() ([]byte, error) { return routing.AppendEvent(nil, e.Event) }

// Erasing on a disk that is full leaves all as it was, and says so.
func TestEraseThatFails(t *testing.T) {
	dir := t.TempDir()
	j := start(t, dir, Options{})
	append1(t, j, person(7, "5f")...)
	closed(t, j)
	path := keysBeside(last(t, dir))
	if err := os.Mkdir(path+".new", 0o700); err != nil { // the new file cannot be made
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(path+".new", "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Erase(dir, "5f"); err == nil || errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("erase: %v", err)
	}
	wantReadable(t, dir, map[routing.CallID]string{7: "known read"})
}
