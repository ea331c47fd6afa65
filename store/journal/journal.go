// Package journal keeps the engine's inputs on disk, in order, so that what it
// decided can be replayed. No name and no number stands in it, and what routing
// knows of a caller is sealed, with a key that erasing him destroys. The driver
// (routing/live) is its writer.
//
// A journal is a folder of segments, a new one for each run of the server and
// whenever one has grown enough. A segment is text: a header with the version
// of the format, then a line for each event:
//
//	CRC SEQ AT KIND EVENT
//
// CRC is CRC-32C of the rest of the line in eight hex digits, SEQ counts the
// events of all segments, AT is in microseconds since 1970 UTC, EVENT is JSON.
// The keys that open what is sealed in a segment lie in a file beside it.
package journal

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
)

const (
	// How long the first event after a quiet time waits for others, and how long
	// one sync comes after another when there is none: each costs more than a
	// hundred events, and takes the processor from somebody twice.
	groupWait  = 5 * time.Millisecond
	groupEvery = 50 * time.Millisecond
	retryAfter = time.Second
)

// ErrClosed says that the journal is closed.
var ErrClosed = errors.New("journal: closed")

// Options of Open.
type Options struct {
	Log *zap.Logger // nil: silent
	// SegmentBytes is the size at which a new segment is begun, 64 MiB when 0.
	SegmentBytes int64
	// Keep is how long segments are kept after their last event; 0: for good.
	Keep time.Duration
	// MaxPending bounds what waits in memory while the disk is full, 16 MiB
	// when 0. Past it events are lost, and counted.
	MaxPending int

	dir    string
	create func(path string) (file, error) // tests put a failing disk here
}

// Stats of a journal.
type Stats struct {
	Written int64 // events on disk
	Lost    int64 // events given up
	Failing bool  // the last write failed; it is being tried again
}

// Journal is an open journal (live.Journal).
type Journal struct {
	opts Options
	log  *zap.Logger
	wake chan struct{}
	quit chan struct{}
	done chan struct{}

	mu      sync.Mutex
	closed  bool
	pending []byte // whole lines, not yet written
	lines   int64  // in pending
	seq     int64  // of the last event
	stats   Stats
	failure error // of Close

	keys              map[string]*key      // by subject, of the segment being written
	lastKey           int64                // its number
	group             int64                // counts the groups written
	needed            []*key               // by the lines that are pending
	erased            map[string]time.Time // subjects erased a moment ago, and until when they count as such
	plain, bound, box []byte               // of the last event sealed, used again

	writing sync.Mutex // held while a group is brought to the disk, and while keys are destroyed; before mu

	// of who holds writing
	seg  segment
	free []byte // the buffer written last, used again

	wrote time.Time // when a group was last written; on the writer's goroutine only
}

// Open opens the journal in a folder, made when missing, and begins a new
// segment.
func Open(dir string, opts Options) (*Journal, error) {
	if opts.Log == nil {
		opts.Log = zap.NewNop()
	}
	if opts.SegmentBytes <= 0 {
		opts.SegmentBytes = 64 << 20
	}
	if opts.MaxPending <= 0 {
		opts.MaxPending = 16 << 20
	}
	opts.dir = dir
	if opts.create == nil {
		opts.create = createFile
	}
	j := &Journal{
		opts: opts, log: opts.Log.Named("journal"),
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
		keys: map[string]*key{}, erased: map[string]time.Time{},
	}
	if err := os.MkdirAll(opts.dir, 0o700); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	last, err := lastSeq(opts.dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j.seq = last
	if j.seg, err = newSegment(opts); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	go j.run()
	return j, nil
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append hands over one event; it is on disk within 50 ms. It does not
// wait for the disk. The error is that of an event without a JSON form, or
// ErrClosed; a disk that fails is logged and counted, not returned.
func (j *Journal) Append(at time.Time, ev routing.Event) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return ErrClosed
	}
	if len(j.pending) > j.opts.MaxPending {
		j.seq++
		j.stats.Lost++ // the number stays used: a reader sees the gap
		return nil
	}
	var err error
	if j.pending, err = j.appendLine(j.pending, j.seq+1, at, ev); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.seq++
	j.lines++
	j.signal()
	return nil
}

func (j *Journal) appendLine(to []byte, seq int64, at time.Time, ev routing.Event) ([]byte, error) {
	before := len(to)
	to = append(to, noSum...)
	start := len(to)
	to = strconv.AppendInt(to, seq, 10)
	to = append(to, ' ')
	to = strconv.AppendInt(to, at.UnixMicro(), 10)
	to = append(to, ' ')
	to = append(to, ev.Kind()...)
	to, err := j.appendEvent(append(to, ' '), seq, at, ev)
	if err != nil {
		return to[:before], err
	}
	putSum(to, start)
	return append(to, '\n'), nil
}

// noSum holds the place of a line's checksum.
const noSum = "00000000 "

// putSum writes the checksum of what begins at start before it.
func putSum(line []byte, start int) {
	const digits = "0123456789abcdef"
	sum := crc32.Checksum(line[start:], castagnoli)
	for i := range 8 {
		line[start-2-i] = digits[sum>>(4*i)&0xf]
	}
}

func (j *Journal) signal() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Stats tells how the journal stands.
func (j *Journal) Stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stats
}

// Flush brings what has been appended to the disk now, for whoever reads it there.
func (j *Journal) Flush() error {
	if err := j.write(); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Close writes what waits, once more if need be, and closes.
func (j *Journal) Close() error {
	j.mu.Lock()
	if !j.closed {
		j.closed = true
		close(j.quit)
	}
	j.mu.Unlock()
	<-j.done
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failure
}

func (j *Journal) run() {
	defer close(j.done)
	for {
		select {
		case <-j.wake:
		case <-j.quit:
		}
		closing := j.gather()
		err := j.write()
		if err != nil && !closing {
			t := time.NewTimer(retryAfter)
			select {
			case <-t.C:
				j.signal()
			case <-j.quit:
			}
			t.Stop()
		}
		if closing {
			j.end(err)
			return
		}
	}
}

// gather gives a group a moment to fill; true when the journal closes.
func (j *Journal) gather() bool {
	t := time.NewTimer(max(groupWait, groupEvery-time.Since(j.wrote)))
	defer func() { j.wrote = time.Now() }()
	defer t.Stop()
	select {
	case <-t.C:
		return false
	case <-j.quit:
		return true
	}
}

func (j *Journal) end(err error) {
	j.writing.Lock()
	defer j.writing.Unlock()
	if closing := j.seg.close(); err == nil {
		err = closing
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.failure = fmt.Errorf("journal: %d events not written: %w", j.lines, err)
	}
}
