package journal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// DamageError says that events are missing: lost while the disk was full, or
// to damage of the files. Those before and after have been read.
type DamageError struct {
	Segment string // where the first is missing
	Line    int
	Lost    int64
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("journal: %d events missing, the first before %s line %d", e.Lost, e.Segment, e.Line)
}

// Read hands over the events of a journal in order, also while it is being
// written. A torn end of a segment, as a crash leaves it, is no error: those
// events were never promised. Missing ones are a *DamageError, after all others
// have been handed over. An error of do ends the reading and is returned.
func Read(dir string, do func(at time.Time, ev routing.Event) error) error {
	names, err := segments(dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	var r reader
	for _, name := range names {
		if err := r.segment(dir, name, do); err != nil {
			return err
		}
	}
	if r.damage.Lost > 0 {
		return &r.damage
	}
	return nil
}

// lastSeq is the number of the last good event in the folder, 0 for none.
func lastSeq(dir string) (int64, error) {
	names, err := segments(dir)
	if err != nil {
		return 0, err
	}
	for i := len(names) - 1; i >= 0; i-- {
		r := reader{numbersOnly: true}
		if err := r.segment(dir, names[i], nil); err != nil {
			return 0, err
		}
		if r.last > 0 {
			return r.last, nil
		}
	}
	return 0, nil
}

type reader struct {
	numbersOnly bool
	last        int64 // number of the last event, 0 before the first
	damage      DamageError
}

func (r *reader) segment(dir, name string, do func(time.Time, routing.Event) error) (err error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	in := bufio.NewReaderSize(f, 1<<16)
	boxes := opener{path: keysBeside(filepath.Join(dir, name))}
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil // what follows the last line end is torn
		}
		if err != nil {
			return fmt.Errorf("journal: %s: %w", name, err)
		}
		text = text[:len(text)-1]
		if n == 1 {
			if err := checkHeader(name, text); err != nil {
				return err
			}
			continue
		}
		l, ok := parse(text)
		if !ok || l.seq <= r.last {
			continue // damaged: its number will be missing; or written twice
		}
		if r.last > 0 && l.seq > r.last+1 {
			if r.damage.Lost == 0 {
				r.damage.Segment, r.damage.Line = name, n
			}
			r.damage.Lost += l.seq - r.last - 1
		}
		r.last = l.seq
		if r.numbersOnly {
			continue
		}
		ev, err := boxes.event(&l)
		if err != nil {
			return fmt.Errorf("journal: %s line %d: %w", name, n, err)
		}
		if err := do(l.at, ev); err != nil {
			return err
		}
	}
}

func checkHeader(name string, text []byte) error {
	word, v, _ := strings.Cut(string(text), " ")
	switch {
	case word != magic:
		return fmt.Errorf("journal: %s is no journal segment", name)
	case v != version && v != clearVersion:
		return fmt.Errorf("journal: %s has format %q, this program reads %s and %s", name, v, clearVersion, version)
	}
	return nil
}

type line struct {
	seq  int64
	at   time.Time
	kind string
	body []byte
}

// parse reads a line whose checksum holds.
func parse(text []byte) (l line, ok bool) {
	sum, rest, ok := bytes.Cut(text, []byte{' '})
	if !ok || len(sum) != 8 {
		return l, false
	}
	want, err := strconv.ParseUint(string(sum), 16, 32)
	if err != nil || uint32(want) != crc32.Checksum(rest, castagnoli) {
		return l, false
	}
	parts := bytes.SplitN(rest, []byte{' '}, 4)
	if len(parts) != 4 {
		return l, false
	}
	seq, err1 := strconv.ParseInt(string(parts[0]), 10, 64)
	at, err2 := strconv.ParseInt(string(parts[1]), 10, 64)
	l = line{seq: seq, at: time.UnixMicro(at).UTC(), kind: string(parts[2]), body: parts[3]}
	return l, err1 == nil && err2 == nil
}
