package store

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"

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
	// Reject gets a CSV row for each line that was not taken: line, id, reason.
	// Nil: they are only counted.
	Reject io.Writer
	// Progress is told how far the import is, after each group of customers.
	Progress func(Report)
}

// Report counts what an import did. Every line with something in it is a
// customer taken or a line rejected.
type Report struct {
	Line         int // the last one read
	Customers    int
	Numbers      int
	Products     int
	Tickets      int
	Interactions int
	Rejected     int
}

// badLine says why one line is not taken; the import goes on. It holds no
// name and no number.
type badLine struct {
	id     string
	reason string
}

func (e *badLine) Error() string { return e.reason }

func bad(format string, args ...any) error { return &badLine{reason: fmt.Sprintf(format, args...)} }

// feed gives one record after the other: io.EOF at the end, *badLine for a line
// that cannot be read, any other error when there is no going on.
type feed interface {
	next() (customer.Record, error)
	line() int // where the last record began
}

// Import reads customers and adds them, or brings those there already to what
// the file says (SaveCustomers). A bad line is rejected and costs no other.
// Reading the same file again changes nothing, so an import that was
// interrupted is finished by running it again. The report holds also when an
// error is returned: what it counts is in the store.
func (s *Store) Import(ctx context.Context, r io.Reader, format Format, opts ImportOptions) (Report, error) {
	im := importing{s: s, opts: opts}
	var in feed
	var err error
	switch format {
	case CSV:
		in, err = newCSVFeed(r)
	case JSONL:
		in = newJSONFeed(r)
	default:
		err = fmt.Errorf("unknown format %q", format)
	}
	if err == nil {
		err = im.run(ctx, in)
	}
	if err != nil {
		err = fmt.Errorf("store: import: %w", err)
	}
	return im.done, err
}

type importing struct {
	s       *Store
	opts    ImportOptions
	rejects *csv.Writer
	done    Report // in the store
	group   []customer.Record
}

func (im *importing) run(ctx context.Context, in feed) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		r, err := in.next()
		if errors.Is(err, io.EOF) {
			break
		}
		im.done.Line = in.line()
		if err == nil {
			err = checkRecord(&r, im.opts.Region)
		}
		var reason *badLine
		switch {
		case errors.As(err, &reason):
			if reason.id == "" {
				reason.id = r.ID
			}
			if err := im.reject(in.line(), reason); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("line %d: %w", in.line(), err)
		default:
			im.group = append(im.group, r)
		}
		if len(im.group) >= saveGroup {
			if err := im.save(ctx); err != nil {
				return err
			}
		}
	}
	return im.save(ctx)
}

func (im *importing) save(ctx context.Context) error {
	if err := im.s.saveGroup(ctx, im.group); err != nil {
		return fmt.Errorf("customers up to line %d: %w", im.done.Line, err)
	}
	for _, r := range im.group {
		im.done.Customers++
		im.done.Numbers += len(r.Numbers)
		im.done.Products += len(r.Products)
		im.done.Tickets += len(r.Tickets)
		im.done.Interactions += len(r.Interactions)
	}
	im.group = im.group[:0]
	if im.opts.Progress != nil {
		im.opts.Progress(im.done)
	}
	return nil
}

func (im *importing) reject(line int, why *badLine) error {
	im.done.Rejected++
	if im.opts.Reject == nil {
		return nil
	}
	if im.rejects == nil {
		im.rejects = csv.NewWriter(im.opts.Reject)
		if err := im.rejects.Write([]string{"line", "id", "reason"}); err != nil {
			return fmt.Errorf("reject file: %w", err)
		}
	}
	err := im.rejects.Write([]string{strconv.Itoa(line), why.id, why.reason})
	im.rejects.Flush() // an interrupted import has its rejects on disk too
	if err = errors.Join(err, im.rejects.Error()); err != nil {
		return fmt.Errorf("reject file: %w", err)
	}
	return nil
}
