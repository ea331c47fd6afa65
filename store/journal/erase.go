package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// staysErased is for how long after an erasure what is sealed for its subjects is
// sealed with keys that nobody keeps: a look-up that began before may still end.
const staysErased = time.Minute

// Erase destroys the keys of some subjects in the journal of a folder that no
// server has open. What was sealed with them can't be read any more, by anybody.
// It may be repeated, and has to be after an error.
func Erase(dir string, subjects ...string) error {
	err := sealClear(dir)
	if err == nil {
		_, err = eraseKeys(dir, subjects)
	}
	if err != nil {
		return fmt.Errorf("journal: erase: %w", err)
	}
	return nil
}

// Erase destroys the keys of some subjects, as the function does, while the
// journal is being written.
func (j *Journal) Erase(subjects ...string) error {
	if err := sealClear(j.opts.dir); err != nil { // of earlier runs, all of them
		return fmt.Errorf("journal: erase: %w", err)
	}
	j.writing.Lock() // what was sealed is on the disk now, or pending
	defer j.writing.Unlock()
	j.mu.Lock()
	now := time.Now()
	for _, s := range subjects {
		delete(j.keys, s)
		j.erased[s] = now.Add(staysErased)
	}
	j.needed = slices.DeleteFunc(j.needed, func(k *key) bool { return slices.Contains(subjects, k.subject) })
	j.mu.Unlock()
	changed, err := eraseKeys(j.opts.dir, subjects)
	if own := j.seg.keys.path; own != "" && slices.Contains(changed, own) {
		err = errors.Join(err, j.seg.keys.reopen())
	}
	if err != nil {
		return fmt.Errorf("journal: erase: %w", err)
	}
	return nil
}

// isErased says whether a subject was erased a moment ago; the lock is held.
func (j *Journal) isErased(subject string, at time.Time) bool {
	until, there := j.erased[subject]
	if there && at.After(until) {
		delete(j.erased, subject)
		return false
	}
	return there
}

// eraseKeys goes through all files of keys, and names those it has written anew.
func eraseKeys(dir string, subjects []string) (changed []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	of := make(map[string]bool, len(subjects))
	for _, s := range subjects {
		of[s] = true
	}
	var failed []error
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasSuffix(path, keysSuffix+freshSuffix), strings.HasSuffix(path, suffix+freshSuffix): // of an erasure that was cut off
			failed = append(failed, os.Remove(path))
		case strings.HasSuffix(path, keysSuffix):
			dropped, err := dropKeys(path, of)
			if dropped {
				changed = append(changed, path)
			}
			failed = append(failed, err)
		}
	}
	return changed, errors.Join(failed...)
}
