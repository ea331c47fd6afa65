package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"
)

const (
	magic   = "cordboard-journal"
	version = "1"
	header  = magic + " " + version + "\n"
	suffix  = ".journal"
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

// segment is the one being written.
type segment struct {
	path string
	f    file
	size int64 // of what is good in it
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
	s := segment{path: filepath.Join(opts.dir, fmt.Sprintf("%08d%s", n+1, suffix))}
	if s.f, err = opts.create(s.path); err != nil {
		return segment{}, err
	}
	if err := s.append([]byte(header)); err != nil {
		return segment{}, errors.Join(err, s.close(), os.Remove(s.path))
	}
	return s, syncDir(opts.dir)
}

// append writes and syncs, or leaves the segment as it was.
func (s *segment) append(b []byte) error {
	if s.f == nil {
		return errors.New("segment is closed")
	}
	_, err := s.f.Write(b)
	if err == nil {
		err = s.f.Sync()
	}
	if err == nil {
		s.size += int64(len(b))
		return nil
	}
	if undo := s.f.Truncate(s.size); undo != nil {
		// What it holds past size may be torn: nothing more goes into it.
		return errors.Join(err, undo, s.close())
	}
	return err
}

func (s *segment) close() error {
	if s.f == nil {
		return nil
	}
	err := s.f.Close()
	s.f = nil
	return err
}

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
	j.mu.Lock()
	buf, lines := j.pending, j.lines
	j.pending, j.lines = j.free[:0], 0
	j.mu.Unlock()
	if len(buf) == 0 {
		j.free = buf
		return nil
	}
	err := j.put(buf)
	j.mu.Lock()
	was := j.stats.Failing
	j.stats.Failing = err != nil
	if err == nil {
		j.stats.Written += lines
		j.free = buf
	} else {
		j.pending = append(buf, j.pending...)
		j.lines += lines
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
func (j *Journal) put(b []byte) error {
	if j.seg.f == nil || j.seg.size >= j.opts.SegmentBytes {
		next, err := newSegment(j.opts)
		if err != nil {
			return err
		}
		if err := j.seg.close(); err != nil {
			j.log.Warn("journal segment not closed cleanly", zap.Error(err))
		}
		j.seg = next
		j.remove(time.Now())
	}
	return j.seg.append(b)
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
		if err := os.Remove(path); err != nil {
			j.log.Warn("old journal segment not removed", zap.String("segment", name), zap.Error(err))
		}
	}
}
