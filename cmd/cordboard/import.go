package main

import (
	"compress/gzip"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
)

func importCommand() *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "Bring customers, standard answers and the queues of another switch in"}
	c.AddCommand(importCustomersCommand(), importAnswersCommand(), importQueuesCommand())
	return c
}

// importing are the arguments of import customers.
type importing struct {
	server string // the server file
	file   string
	region string
	reject string
	json   bool
}

func importCustomersCommand() *cobra.Command {
	var im importing
	c := &cobra.Command{
		Use:   "customers FILE.csv|FILE.jsonl",
		Short: "Add or change customers, beside a running server; safe to repeat and to interrupt",
		Long: "Add or change customers (docs/import.md has the columns); FILE may be packed (.gz). Lines that can't be taken go into the reject file\n" +
			"with line number, id and reason; the others are taken. Exit status 1 when a line was rejected, 130 when it was interrupted: what\n" +
			"it says to be taken is in the store, and the same command goes on.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			im.file = args[0]
			return im.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVarP(&im.server, "config", "c", "cordboard.yaml", "the server file")
	f.StringVar(&im.region, "region", "", "country that national numbers are read in (GB); without it every number begins with +")
	f.StringVar(&im.reject, "reject", "", "file for the lines that can't be taken; FILE.rejected.csv when left out")
	f.BoolVar(&im.json, "json", false, "print the result as JSON")
	return c
}

// importMemory is the garbage collector's target: an import makes a lot of short-lived
// garbage beside a small live heap, and collects half as often with this.
const importMemory = 400

func (im *importing) run(ctx context.Context, result, told io.Writer) (err error) {
	if im.region != "" {
		if err := configs.CheckRegion(im.region); err != nil {
			return fmt.Errorf("--region: %w", err)
		}
	}
	in, format, err := openPeople(im.file)
	if err != nil {
		return err
	}
	defer in.Close()
	defer context.AfterFunc(ctx, func() { _ = in.Close() })() // a read of a pipe may wait for ever
	reject := im.reject
	if reject == "" {
		reject = im.file + ".rejected.csv"
	}
	lowerPriority()
	defer debug.SetGCPercent(debug.SetGCPercent(importMemory))
	s, err := openStore(ctx, im.server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	out := &lateFile{path: reject}
	defer func() { err = errors.Join(err, out.Close()) }()
	began := time.Now()
	bar := newProgress(told, in.size, began)
	report, err := s.Import(ctx, in, format, store.ImportOptions{Region: im.region, Reject: out, Progress: func(r store.Report) {
		bar.show(r, in.read, time.Now())
	}})
	bar.end()
	if err != nil && report.Line == 0 && ctx.Err() == nil && !im.json { // the file as a whole was refused, or the store
		return fmt.Errorf("%s: %w", im.file, cause(err))
	}
	if told := im.tell(result, report, reject, err == nil, time.Since(began)); told != nil {
		return errors.Join(err, told)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return &exitError{code: 130, err: fmt.Errorf("stopped at line %d of %s: what is before it is in the store; the same command goes on", report.Line, im.file)}
	case err != nil && report.Line == 0:
		return fmt.Errorf("%s: %w", im.file, cause(err))
	case err != nil:
		return fmt.Errorf("stopped at line %d of %s: what is before it is in the store; the same command goes on: %w", report.Line, im.file, err)
	case report.Rejected == 1:
		return fmt.Errorf("a line was rejected%s: see %s", firstReason(reject), reject)
	case report.Rejected > 0:
		return fmt.Errorf("%d lines were rejected, the first%s: see %s", report.Rejected, firstReason(reject), reject)
	case report.Customers == 0:
		return fmt.Errorf("%s: no customer in it", im.file)
	}
	return nil
}

// firstReason is what stands first in a reject file, which names nobody: " (line
// 2: no id)"; "" when it can't be read, which is no failure of the import.
func firstReason(reject string) string {
	f, err := os.Open(reject)
	if err != nil {
		return ""
	}
	defer f.Close()
	rows := csv.NewReader(f)
	row, err := rows.Read() // the columns' names
	for err == nil && len(row) == 3 && (row[2] == "reason" || strings.HasSuffix(row[2], store.IsLeftOut)) {
		row, err = rows.Read()
	}
	if err != nil || len(row) != 3 {
		return ""
	}
	return fmt.Sprintf(" (line %s: %s)", row[0], row[2])
}

// cause takes off the package's own words: the command's own come before it.
func cause(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// tell prints the result.
func (im *importing) tell(w io.Writer, r store.Report, reject string, complete bool, took time.Duration) error {
	if im.json {
		if r.Rejected+r.LeftOut == 0 {
			reject = ""
		}
		return json.NewEncoder(w).Encode(struct {
			File     string `json:"file"`
			Complete bool   `json:"complete"`
			store.Report
			RejectFile string  `json:"reject_file,omitempty"`
			Seconds    float64 `json:"seconds"`
		}{im.file, complete, r, reject, took.Seconds()})
	}
	left := ""
	if r.LeftOut > 0 {
		left = fmt.Sprintf(" (%s left out: see %s)", thousands(r.LeftOut), reject)
	}
	_, err := fmt.Fprintf(w, "%s (%d of them unchanged), %s%s, %s, %s, %s; %s rejected; %s\n",
		count(r.Customers, "customer"), r.Unchanged, count(r.Numbers, "number"), left, count(r.Products, "product"), count(r.Tickets, "ticket"),
		count(r.Interactions, "interaction"), count(r.Rejected, "line"), took.Round(time.Second/10))
	return err
}

// count is a number of things: 1 customer, 1,200 customers.
func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return thousands(n) + " " + what
}

// peopleFile is a file of customers, unpacked as it is read.
type peopleFile struct {
	io.Reader
	f    *os.File
	size int64 // bytes on disk, 0 when that is not known (a pipe)
	// read is how many bytes of these lie behind the customers of a report; nil
	// when it is as many as the report says.
	read func() int64
}

func (p *peopleFile) Close() error { return p.f.Close() }

// openPeople opens a file of customers by what its name ends in.
func openPeople(name string) (*peopleFile, store.Format, error) {
	plain, packed := strings.CutSuffix(strings.ToLower(name), ".gz")
	format, ok := map[string]store.Format{".csv": store.CSV, ".jsonl": store.JSONL}[filepath.Ext(plain)]
	if !ok {
		return nil, "", fmt.Errorf("%s: a file of customers ends in .csv or .jsonl, and in .gz behind that when it is packed", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, "", err
	}
	p := &peopleFile{Reader: f, f: f}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		p.size = info.Size()
	}
	if packed {
		count := &counter{r: f}
		if p.Reader, err = gzip.NewReader(count); err != nil {
			return nil, "", errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
		}
		p.read = count.n.Load
	}
	return p, format, nil
}

// lateFile is made when something is first written to it.
type lateFile struct {
	path string
	f    *os.File
}

func (l *lateFile) Write(b []byte) (n int, err error) {
	if l.f == nil {
		if l.f, err = os.OpenFile(l.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600); err != nil {
			return 0, err
		}
	}
	return l.f.Write(b)
}

func (l *lateFile) Close() error {
	if l.f == nil {
		return nil
	}
	return l.f.Close()
}
