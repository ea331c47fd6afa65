package journal

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// ErrNoRun says that the journal does not hold the beginning of the run that
// covers an instant: it was written by an earlier release, or taken away.
var ErrNoRun = errors.New("journal: the beginning of that run is not there")

// ReadFrom hands over the events of the run of the server that covers an instant,
// from its start on, and those of the runs after it, also while the last goes on:
// a callback outlives the run that it was accepted in. An error of do ends the
// reading and is returned; missing events are a *DamageError, and those behind
// them are not handed over.
func ReadFrom(dir string, at time.Time, do func(at time.Time, ev routing.Event) error) error {
	names, err := segments(dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	first := -1
	for i := len(names) - 1; i >= 0 && first < 0; i-- {
		l, err := head(filepath.Join(dir, names[i]))
		if err != nil {
			return err
		}
		if l.kind == (routing.Started{}).Kind() && !l.at.After(at) {
			first = i
		}
	}
	if first < 0 {
		return ErrNoRun
	}
	var r reader
	for _, name := range names[first:] {
		err := r.segment(dir, name, func(at time.Time, ev routing.Event) error {
			if r.damage.Lost > 0 {
				return &r.damage
			}
			return do(at, ev)
		})
		if err != nil {
			return err
		}
	}
	if r.damage.Lost > 0 {
		return &r.damage
	}
	return nil
}

// head is the first event of a segment; the zero line when there is none.
func head(path string) (l line, err error) {
	f, err := os.Open(path)
	if err != nil {
		return l, fmt.Errorf("journal: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	in := bufio.NewReader(f)
	for range 2 {
		text, err := in.ReadBytes('\n')
		if err != nil {
			return line{}, nil // no whole line yet
		}
		l, _ = parse(text[:len(text)-1])
	}
	return l, nil
}
