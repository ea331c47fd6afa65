package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/cordboard/cordboard/store"
)

// How often an import says how far it is: on a terminal often enough to be
// seen moving, in a log seldom enough to be read.
const (
	barEvery  = 200 * time.Millisecond
	lineEvery = 10 * time.Second
	barWidth  = 30
)

// progress tells how far an import is: a bar on a terminal, else lines.
type progress struct {
	w        io.Writer
	terminal bool
	size     int64 // 0: not known
	began    time.Time
	last     time.Time
	shown    bool
}

func newProgress(w io.Writer, size int64, now time.Time) *progress {
	f, ok := w.(*os.File)
	return &progress{w: w, terminal: ok && term.IsTerminal(int(f.Fd())), size: size, began: now, last: now}
}

// show tells about a report when it is time to. read is how many bytes of the
// file are behind it, nil: as many as the report says.
func (p *progress) show(r store.Report, read func() int64, now time.Time) {
	every := lineEvery
	if p.terminal {
		every = barEvery
	}
	if now.Sub(p.last) < every {
		return
	}
	p.last, p.shown = now, true
	done := r.Bytes
	if read != nil {
		done = read()
	}
	text := p.text(r, done, now.Sub(p.began))
	if p.terminal {
		fmt.Fprint(p.w, "\r", text, "\x1b[K")
	} else {
		fmt.Fprintln(p.w, text)
	}
}

// end leaves the bar, so that what follows has a line of its own.
func (p *progress) end() {
	if p.terminal && p.shown {
		fmt.Fprintln(p.w)
	}
}

func (p *progress) text(r store.Report, done int64, took time.Duration) string {
	var b strings.Builder
	if p.size > 0 {
		share := min(float64(done)/float64(p.size), 1)
		if p.terminal {
			full := int(share * barWidth)
			b.WriteString("[" + strings.Repeat("#", full) + strings.Repeat(".", barWidth-full) + "] ")
		}
		fmt.Fprintf(&b, "%.1f %%, ", 100*share)
	}
	fmt.Fprintf(&b, "%s, %s/s", count(r.Customers, "customer"), thousands(int(float64(r.Customers)/took.Seconds())))
	if p.size > 0 && done > 0 {
		left := time.Duration(float64(took) * (float64(p.size-min(done, p.size)) / float64(done)))
		fmt.Fprintf(&b, ", %s left", left.Round(time.Second))
	}
	if r.Unchanged > 0 {
		fmt.Fprintf(&b, ", %s unchanged", thousands(r.Unchanged))
	}
	if r.Rejected > 0 {
		fmt.Fprintf(&b, ", %s rejected", thousands(r.Rejected))
	}
	return b.String()
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// counter counts what is read.
type counter struct {
	r io.Reader
	n atomic.Int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n.Add(int64(n))
	return n, err
}

// niceness of an import: calls come first when both want the processor.
const niceness = 10

// lowerPriority makes all threads of this process yield to others. Linux has a
// priority for each thread, and a new one takes its maker's. Where that is
// otherwise the import runs as it is.
func lowerPriority() {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, t := range threads {
		if id, err := strconv.Atoi(t.Name()); err == nil {
			_ = syscall.Setpriority(syscall.PRIO_PROCESS, id, niceness) // a thread may have ended
		}
	}
}
