package connector

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/cordboard/cordboard/screenpop/customer"
)

func init() { kinds["csv"] = readCSV }

const (
	maxTable = 64 << 20 // bytes of a folder's files, which lie in memory
	// settled is how long a file has to be left alone before it is read in the place of
	// what was read before: whoever copies it may not be done.
	settled = 2 * time.Second
)

// csvConfig is kind csv: a folder that a system drops tables into.
type csvConfig struct {
	folder, column, by string
	separator          rune
	*mapping
}

func readCSV(s Settings) Config {
	s.Must("folder")
	c := &csvConfig{folder: s.File("folder"), column: s.Must("column"), by: s.Text("by"), separator: ','}
	if c.by == "" {
		c.by = "id"
	}
	if parameters[c.by] == nil {
		s.Wrong("by", "want id, number or digits")
	}
	if text := s.Text("separator"); text != "" {
		c.separator, _ = utf8.DecodeRuneInString(text)
		if utf8.RuneCountInString(text) != 1 || strings.ContainsAny(text, "\"\r\n\ufffd") {
			s.Wrong("separator", "want one character, which is no quote")
		}
	}
	c.mapping = readMapping(s)
	return c
}

// Panels implements Config.
func (c *csvConfig) Panels() []string { return c.panels() }

// Open implements Config. The files are read when they are first asked for.
func (c *csvConfig) Open() (customer.Connector, error) { return &csvConnector{csvConfig: c}, nil }

type csvConnector struct {
	*csvConfig

	mu      sync.Mutex
	table   *table        // nil: none was read yet
	failed  *table        // what could not be read, and err why
	err     error         //
	reading chan struct{} // closed when it has been; nil: nobody reads
	running sync.WaitGroup
	closed  bool
}

// table is what a folder's files hold.
type table struct {
	files []file
	rows  map[string][]any // by whose they are
}

// file is one as it was when it was read.
type file struct {
	name    string
	size    int64
	changed time.Time
}

// Ask implements customer.Connector. Body is a list with an object for each of the
// customer's rows, by column, of texts. New files are read beside: until they are,
// and when they cannot be, the rows of before are the answer, with their age.
func (c *csvConnector) Ask(ctx context.Context, who customer.Subject) (customer.Part, error) {
	key := parameters[c.by](who)
	if key == "" {
		return customer.Part{}, nil // there is nothing to ask by
	}
	t, err := c.current(ctx)
	if err != nil || len(t.rows[key]) == 0 {
		return customer.Part{}, err
	}
	p, err := c.part(t.rows[key], who)
	if err == nil {
		p.AsOf = t.latest()
	}
	return p, err
}

// Close implements io.Closer.
func (c *csvConnector) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.running.Wait()
	return nil
}

// current is the table as the folder has it, or as it was while that is being read.
func (c *csvConnector) current(ctx context.Context) (*table, error) {
	files, err := c.files()
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		switch {
		case err != nil && c.table == nil:
			return nil, err
		case err != nil, c.table != nil && slices.Equal(c.table.files, files):
			return c.table, nil
		case c.failed != nil && slices.Equal(c.failed.files, files):
			if c.table == nil {
				return nil, c.err
			}
			return c.table, nil
		}
		if c.reading == nil && !c.closed && (c.table == nil || time.Since((&table{files: files}).latest()) >= settled) {
			c.reading = make(chan struct{})
			c.running.Go(func() { c.read(files) })
		}
		if c.table != nil {
			return c.table, nil
		}
		reading := c.reading
		if reading == nil {
			return nil, errors.New("closed")
		}
		c.mu.Unlock()
		select {
		case <-reading:
		case <-ctx.Done():
		}
		c.mu.Lock()
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// read reads the files and takes them for the table.
func (c *csvConnector) read(files []file) {
	t := &table{files: files, rows: map[string][]any{}}
	var err error
	left := maxTable
	for i := range files {
		if err = c.load(t, files[i].name, &left); err != nil {
			break
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed, c.err = &table{files: files}, err
	} else {
		c.table, c.failed, c.err = t, nil, nil
	}
	close(c.reading)
	c.reading = nil
}

// files are those of the folder, *.csv, by name.
func (c *csvConnector) files() ([]file, error) {
	entries, err := os.ReadDir(c.folder)
	if err != nil {
		return nil, unnamed(err)
	}
	var out []file
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".csv") || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		info, err := os.Stat(filepath.Join(c.folder, e.Name()))
		if errors.Is(err, fs.ErrNotExist) {
			continue // gone meanwhile
		}
		if err != nil {
			return nil, unnamed(err)
		}
		if info.Mode().IsRegular() {
			out = append(out, file{e.Name(), info.Size(), info.ModTime()})
		}
	}
	if len(out) == 0 {
		return nil, errors.New("the folder has no *.csv")
	}
	return out, nil
}

// unnamed is an error without its path: the folder stands in the server file.
func unnamed(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("%s: %w", p.Op, p.Err)
	}
	return err
}

// latest is when the newest of the files was changed.
func (t *table) latest() (at time.Time) {
	for _, f := range t.files {
		if f.changed.After(at) {
			at = f.changed
		}
	}
	return at
}

// load adds a file's rows, strictly. Its errors say where, and not what stands there.
func (c *csvConnector) load(t *table, name string, left *int) (err error) {
	f, err := os.Open(filepath.Join(c.folder, name))
	if err != nil {
		return fmt.Errorf("%s: %w", name, unnamed(err))
	}
	defer func() { _ = f.Close() }() // it was read
	r := csv.NewReader(f)
	r.Comma = c.separator
	head, err := r.Read()
	if err != nil {
		return placed(name, err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	key := slices.Index(head, c.column)
	if key < 0 {
		return fmt.Errorf("%s:1: there is no column %q", name, c.column)
	}
	for i, column := range head {
		if slices.Contains(head[:i], column) {
			return fmt.Errorf("%s:1: two columns have the name %q", name, column)
		}
	}
	for {
		record, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return placed(name, err)
		}
		row := make(map[string]any, len(head))
		for i, text := range record {
			if *left -= len(text) + 48; *left < 0 { // and what the map takes
				return fmt.Errorf("%s: the folder's files are more than %d bytes in memory", name, maxTable)
			}
			if !utf8.ValidString(text) {
				line, column := r.FieldPos(i)
				return fmt.Errorf("%s:%d:%d: no UTF-8", name, line, column)
			}
			row[head[i]] = text
		}
		whose := strings.TrimSpace(record[key])
		t.rows[whose] = append(t.rows[whose], row)
	}
}

// placed is an error of the reader with the file's name before its place.
func placed(name string, err error) error {
	var p *csv.ParseError
	switch {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%s: the file is empty", name)
	case errors.As(err, &p):
		return fmt.Errorf("%s:%d:%d: %w", name, p.Line, p.Column, p.Err)
	}
	return fmt.Errorf("%s: %w", name, unnamed(err))
}
