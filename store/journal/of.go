package journal

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// Of hands over what a journal has sealed (customer_resolved, rim_read) in the
// segments that know one of the subjects: theirs is among it, and others' too. Who
// asks picks by call. It may be read while it is being written.
func Of(dir string, subjects []string, do func(at time.Time, ev routing.Event) error) error {
	names, err := segments(dir)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	for _, name := range names {
		knows, err := knowsOne(filepath.Join(dir, name), subjects)
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		if !knows {
			continue
		}
		var r reader // of this segment: those that are passed over are not missing
		err = r.segment(dir, name, func(at time.Time, ev routing.Event) error {
			if _, _, sealed := sealing(ev); !sealed {
				return nil
			}
			return do(at, ev)
		})
		if err != nil {
			return err
		}
		if r.damage.Lost > 0 {
			return &r.damage
		}
	}
	return nil
}

// knowsOne says whether something in a segment may be of one of the subjects: its
// keys name them, or it was written before there were any.
func knowsOne(path string, subjects []string) (bool, error) {
	clear, err := isClear(path)
	if err != nil || clear {
		return clear, err
	}
	keys, err := readKeys(keysBeside(path))
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(keys.lines, func(k key) bool { return slices.Contains(subjects, k.subject) }), nil
}
