package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
)

const (
	magic   = "cordboard-journal"
	version = "2"
	header  = magic + " " + version + "\n"
	suffix  = ".journal"

	clearVersion = "1" // that of releases that sealed nothing
)

// file is what a segment is written to.
type file interface {
	Write([]byte) (int, error)
	Sync() error
	Truncate(size int64) error
	Close() error
}

// createFile makes a file that must not be there yet. Appending, so that what
// follows a truncation stands at the new end.
func createFile(path string) (file, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
}

// appended is a file that only grows.
type appended struct {
	path string
	f    file
	size int64 // of what is good in it
}

// append writes and syncs, or leaves the file as it was.
func (a *appended) append(b []byte) error {
	if a.f == nil {
		return errors.New("file is closed")
	}
	_, err := a.f.Write(b)
	if err == nil {
		err = a.f.Sync()
	}
	if err == nil {
		a.size += int64(len(b))
		return nil
	}
	if undo := a.f.Truncate(a.size); undo != nil {
		// What it holds past size may be torn: nothing more goes into it.
		return errors.Join(err, undo, a.close())
	}
	return err
}

func (a *appended) close() error {
	if a.f == nil {
		return nil
	}
	err := a.f.Close()
	a.f = nil
	return err
}

// reopen goes on with what has been put in the file's place.
func (a *appended) reopen() error {
	err := a.close()
	f, opening := os.OpenFile(a.path, os.O_WRONLY|os.O_APPEND, 0o600)
	if opening != nil {
		return errors.Join(err, opening)
	}
	info, opening := f.Stat()
	if opening != nil {
		return errors.Join(err, opening, f.Close())
	}
	a.f, a.size = f, info.Size()
	return err
}

// segment is the one being written, with its keys.
type segment struct {
	appended
	keys appended // its path is "" before the first key
}

// newSegment begins the segment after the last one in the folder.
func newSegment(opts Options) (segment, error) {
	names, err := segments(opts.dir)
	if err != nil {
		return segment{}, err
	}
	n := 0
	if len(names) > 0 {
		if _, err := fmt.Sscanf(names[len(names)-1], "%d"+suffix, &n); err != nil {
			return segment{}, fmt.Errorf("segment name %q: %w", names[len(names)-1], err)
		}
	}
	s := segment{appended: appended{path: filepath.Join(opts.dir, fmt.Sprintf("%08d%s", n+1, suffix))}}
	if s.f, err = opts.create(s.path); err != nil {
		return segment{}, err
	}
	if err := s.append([]byte(header)); err != nil {
		return segment{}, errors.Join(err, s.close(), os.Remove(s.path))
	}
	return s, syncDir(opts.dir)
}

// usable says whether the segment takes more events.
func (s *segment) usable() bool { return s.f != nil && (s.keys.path == "" || s.keys.f != nil) }

// put writes the keys that a group needs and then the group: what is sealed is
// never on the disk without its key.
func (s *segment) put(opts Options, b []byte, keys []*key) error {
	if err := s.keep(opts, keys); err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	return s.append(b)
}

func (s *segment) keep(opts Options, keys []*key) (err error) {
	var text []byte
	for _, k := range keys {
		if k.in != s.path {
			text = k.appendLine(text)
		}
	}
	if len(text) == 0 {
		return nil
	}
	if s.keys.path == "" {
		path := keysBeside(s.path)
		if s.keys.f, err = opts.create(path); err != nil {
			return err
		}
		s.keys.path = path
		if err := syncDir(opts.dir); err != nil {
			return errors.Join(err, s.keys.close())
		}
	}
	if s.keys.size == 0 {
		text = append([]byte(keysHeader), text...)
	}
	if err := s.keys.append(text); err != nil {
		return err
	}
	for _, k := range keys {
		k.in = s.path
	}
	return nil
}

func (s *segment) close() error { return errors.Join(s.appended.close(), s.keys.close()) }

// segments names a folder's segments in order.
func segments(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	slices.Sort(names)
	return names, nil
}

// syncDir makes a new file's name last through a power cut.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// write writes what is pending. What could not be written is pending again,
// in front of what came meanwhile.
func (j *Journal) write() error {
	j.writing.Lock()
	defer j.writing.Unlock()
	j.mu.Lock()
	buf, lines, keys := j.pending, j.lines, j.needed
	j.pending, j.lines, j.needed = j.free[:0], 0, nil
	j.group++
	j.mu.Unlock()
	if len(buf) == 0 {
		j.free = buf
		return nil
	}
	err := j.put(buf, keys)
	j.mu.Lock()
	was := j.stats.Failing
	j.stats.Failing = err != nil
	if err == nil {
		j.stats.Written += lines
		j.free = buf
	} else {
		j.pending = append(buf, j.pending...)
		j.lines += lines
		j.needed = append(keys, j.needed...)
		j.free = nil
	}
	lost := j.stats.Lost
	j.mu.Unlock()
	switch {
	case err != nil && !was:
		j.log.Error("journal cannot be written, calls go on and it is tried again", zap.Error(err))
	case err == nil && was:
		j.log.Info("journal can be written again", zap.Int64("lost", lost))
	}
	return err
}

// put writes into the segment, into a new one when that is full or torn.
func (j *Journal) put(b []byte, keys []*key) error {
	if !j.seg.usable() || j.seg.size >= j.opts.SegmentBytes {
		next, err := newSegment(j.opts)
		if err != nil {
			return err
		}
		if err := j.seg.close(); err != nil {
			j.log.Warn("journal segment not closed cleanly", zap.Error(err))
		}
		j.seg = next
		j.mu.Lock()
		clear(j.keys) // each segment has its own
		j.mu.Unlock()
		j.remove(time.Now())
	}
	return j.seg.put(j.opts, b, keys)
}

// remove deletes segments whose last event is older than Keep.
func (j *Journal) remove(now time.Time) {
	if j.opts.Keep <= 0 {
		return
	}
	names, err := segments(j.opts.dir)
	if err != nil {
		j.log.Warn("old journal segments not found", zap.Error(err))
		return
	}
	for _, name := range names {
		path := filepath.Join(j.opts.dir, name)
		info, err := os.Stat(path)
		if err != nil || path == j.seg.path || now.Sub(info.ModTime()) < j.opts.Keep {
			continue
		}
		err = os.Remove(keysBeside(path))
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			err = os.Remove(path)
		}
		if err != nil {
			j.log.Warn("old journal segment not removed", zap.String("segment", name), zap.Error(err))
		}
	}
}
