package store

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Format is a format of customer files; docs/import.md describes both.
type Format string

const (
	CSV   Format = "csv"   // one row a customer, columns named in the first row
	JSONL Format = "jsonl" // one customer.Record a line
)

// ImportOptions of Import.
type ImportOptions struct {
	// Region is where national numbers are read (ISO 3166, "GB"). Without it
	// every number must begin with +.
	Region string
	// Reject gets a CSV row for each line that was not taken, and for each number that
	// was left out: line, id, reason. Nil: they are only counted.
	Reject io.Writer
	// Progress is told how far the import is, after each group of customers.
	Progress func(Report)
}

// Report counts what an import did. Every line with something in it is of a
// customer taken or is a line rejected.
type Report struct {
	Line         int   `json:"line"`      // the last one dealt with: all up to it is in the store or rejected
	Bytes        int64 `json:"bytes"`     // of the input, up to the end of that line
	Customers    int   `json:"customers"` // taken: added, changed or unchanged
	Unchanged    int   `json:"unchanged"` // of these, stored just so before
	Numbers      int   `json:"numbers"`
	Products     int   `json:"products"`
	Tickets      int   `json:"tickets"`
	Interactions int   `json:"interactions"`
	Rejected     int   `json:"rejected"`
	LeftOut      int   `json:"left_out"` // numbers of customers taken that are none
}

// badLine says why one line is not taken; the import goes on. It holds no
// name and no number.
type badLine struct {
	id     string
	reason string
	part   bool // the line is taken, without what the reason names
}

func (e *badLine) Error() string { return e.reason }

func bad(format string, args ...any) error { return &badLine{reason: fmt.Sprintf(format, args...)} }

// IsLeftOut ends the reason of a number that was left out of a customer taken.
const IsLeftOut = " is not a telephone number, and left out"

// raw is one record as it stands in the file.
type raw struct {
	line  int // where it begins
	last  int // where it ends, 0: there
	text  []byte
	cells []string
}

// feed cuts a file into records.
type feed interface {
	// next gives one record after the other: io.EOF at the end, *badLine for one
	// that cannot be cut out, any other error when there is no going on.
	next() (raw, error)
	// offset is how many bytes of the file the records given so far took.
	offset() int64
	// record reads a record; errors are *badLine. It may be called from any goroutine.
	record(raw) (customer.Record, error)
}

// Import reads customers and adds them, or brings those there already to what
// the file says (SaveCustomers). A bad line is rejected and costs no other.
// Reading the same file again changes nothing, so an import that was
// interrupted is finished by running it again. The report holds also when an
// error is returned: what it counts is in the store. Import returns no sooner
// than a read that is under way.
func (s *Store) Import(ctx context.Context, r io.Reader, format Format, opts ImportOptions) (Report, error) {
	im := importing{s: s, opts: opts}
	var err error
	switch format {
	case CSV:
		im.in, err = newCSVFeed(r)
	case JSONL:
		im.in = newJSONFeed(r)
	default:
		err = fmt.Errorf("unknown format %q", format)
	}
	if err == nil {
		err = im.run(ctx)
	}
	if err != nil {
		err = fmt.Errorf("store: import: %w", err)
	}
	return im.done, err
}

// importing is one import under way: one goroutine cuts the file into pieces,
// several read and check the records of a piece, and the caller's takes the
// pieces in the file's order, one transaction each.
type importing struct {
	s       *Store
	opts    ImportOptions
	in      feed
	rejects *csv.Writer
	done    Report // in the store
}

// piece is some lines of the file, read and checked once ready is closed.
type piece struct {
	raws   []raw
	last   int   // the last line
	offset int64 // behind it
	err    error // there is no going on behind it

	ready   chan struct{}
	rejects []rejected
	people  []entry
}

type rejected struct {
	line int
	why  *badLine
}

// pieceBytes bounds a piece whose records are large.
const pieceBytes = 4 << 20

func (im *importing) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	readers := runtime.GOMAXPROCS(0)
	work, order := make(chan *piece), make(chan *piece, 2*readers)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	wg.Go(func() {
		defer close(order)
		defer close(work)
		im.cut(ctx, work, order)
	})
	for range readers {
		wg.Go(func() {
			for p := range work {
				im.read(p)
				close(p.ready)
			}
		})
	}
	for p := range order {
		select {
		case <-p.ready:
		case <-ctx.Done():
			return ctx.Err()
		}
		if err := im.take(ctx, p); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// cut reads the file and hands its pieces out, to be read and to be taken.
func (im *importing) cut(ctx context.Context, work, order chan<- *piece) {
	most := im.s.groupSize()
	for over := false; !over; {
		p := &piece{ready: make(chan struct{})}
		start := im.in.offset()
		for len(p.raws)+len(p.rejects) < most && p.offset-start < pieceBytes {
			r, err := im.in.next()
			if over = errors.Is(err, io.EOF); over {
				break
			}
			var why *badLine
			switch {
			case errors.As(err, &why):
				p.rejects = append(p.rejects, rejected{r.line, why})
			case err != nil:
				p.err, over = fmt.Errorf("line %d: %w", r.line, err), true
			default:
				p.raws = append(p.raws, r)
			}
			if over {
				break
			}
			p.last, p.offset = max(r.line, r.last), im.in.offset()
		}
		for _, to := range []chan<- *piece{work, order} {
			select {
			case to <- p:
			case <-ctx.Done():
				return
			}
		}
	}
}

// read makes records of a piece's lines and checks them.
func (im *importing) read(p *piece) {
	cut := p.rejects
	p.rejects = nil
	for _, line := range p.raws {
		for len(cut) > 0 && cut[0].line < line.line {
			p.rejects, cut = append(p.rejects, cut[0]), cut[1:]
		}
		r, err := im.in.record(line)
		var unread []int
		if err == nil {
			unread, err = checkRecord(&r, im.opts.Region)
		}
		var e entry
		if err == nil {
			e, err = entryOf(&r)
		}
		var why *badLine
		switch {
		case errors.As(err, &why):
			if why.id == "" {
				why.id = r.ID
			}
			p.rejects = append(p.rejects, rejected{line.line, why})
		case err != nil:
			p.rejects = append(p.rejects, rejected{line.line, &badLine{id: r.ID, reason: err.Error()}})
		default:
			p.people = append(p.people, e)
			for _, number := range unread {
				p.rejects = append(p.rejects, rejected{line.line, &badLine{id: r.ID, reason: fmt.Sprintf("number %d%s", number, IsLeftOut), part: true}})
			}
			continue
		}
		for n := line.line + 1; n <= line.last; n++ {
			p.rejects = append(p.rejects, rejected{n, &badLine{id: r.ID, reason: fmt.Sprintf("it belongs to the row that begins in line %d", line.line)}})
		}
	}
	p.rejects = append(p.rejects, cut...)
	p.raws = nil
}

// take stores a piece and counts it.
func (im *importing) take(ctx context.Context, p *piece) error {
	began := time.Now()
	unchanged, err := im.s.saveGroup(ctx, p.people)
	if err == nil {
		im.s.giveWay(ctx, time.Since(began))
	}
	if err != nil {
		return fmt.Errorf("customers of lines %d to %d: %w", im.done.Line+1, p.last, err)
	}
	for i := range p.people {
		e := &p.people[i]
		im.done.Customers++
		im.done.Numbers += e.count(tabNumbers)
		im.done.Products += e.count(tabProducts)
		im.done.Tickets += e.count(tabTickets)
		im.done.Interactions += e.count(tabInteractions)
	}
	im.done.Unchanged += unchanged
	for _, r := range p.rejects {
		if err := im.reject(r); err != nil {
			return err
		}
	}
	if p.last > 0 {
		im.done.Line, im.done.Bytes = p.last, p.offset
	}
	if im.opts.Progress != nil {
		im.opts.Progress(im.done)
	}
	return p.err
}

func (im *importing) reject(r rejected) error {
	if r.why.part {
		im.done.LeftOut++
	} else {
		im.done.Rejected++
	}
	if im.opts.Reject == nil {
		return nil
	}
	if im.rejects == nil {
		im.rejects = csv.NewWriter(im.opts.Reject)
		if err := im.rejects.Write([]string{"line", "id", "reason"}); err != nil {
			return fmt.Errorf("reject file: %w", err)
		}
	}
	err := im.rejects.Write([]string{strconv.Itoa(r.line), r.why.id, r.why.reason})
	im.rejects.Flush() // an interrupted import has its rejects on disk too
	if err = errors.Join(err, im.rejects.Error()); err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	return nil
}
