package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/store"
)

func importCommand() *cobra.Command {
	c := &cobra.Command{Use: "import", Short: "Bring customers and standard answers in"}
	c.AddCommand(importCustomersCommand(), importAnswersCommand())
	return c
}

func importCustomersCommand() *cobra.Command {
	var file, region, reject string
	c := &cobra.Command{
		Use:   "customers FILE.csv|FILE.jsonl",
		Short: "Add or change customers, beside a running server; safe to repeat",
		Long: "Add or change customers (docs/import.md has the columns). Lines that can't be taken go into the reject file with line number, id and\n" +
			"reason; the others are taken. Exit status 1 when a line was rejected.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			format, ok := map[string]store.Format{".csv": store.CSV, ".jsonl": store.JSONL}[strings.ToLower(filepath.Ext(args[0]))]
			if !ok {
				return fmt.Errorf("%s: a file of customers ends in .csv or .jsonl", args[0])
			}
			in, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer in.Close()
			if reject == "" {
				reject = args[0] + ".rejected.csv"
			}
			s, err := openStore(cmd.Context(), file)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			out := &lateFile{path: reject}
			defer func() { err = errors.Join(err, out.Close()) }()
			report, err := s.Import(cmd.Context(), in, format, store.ImportOptions{
				Region: region, Reject: out, Progress: progress(cmd.ErrOrStderr()),
			})
			fmt.Fprintf(cmd.OutOrStdout(), "%d customers, %d numbers, %d products, %d tickets, %d interactions; %d lines rejected\n",
				report.Customers, report.Numbers, report.Products, report.Tickets, report.Interactions, report.Rejected)
			if err == nil && report.Rejected > 0 {
				err = fmt.Errorf("%d lines were rejected: see %s", report.Rejected, reject)
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	f.StringVar(&region, "region", "", "country that national numbers are read in (GB); without it every number begins with +")
	f.StringVar(&reject, "reject", "", "file for the lines that can't be taken; FILE.rejected.csv when left out")
	return c
}

// progress says how far an import is, once a second at most.
func progress(w io.Writer) func(store.Report) {
	var last time.Time
	return func(r store.Report) {
		if time.Since(last) >= time.Second {
			last = time.Now()
			fmt.Fprintf(w, "line %d: %d customers, %d rejected\n", r.Line, r.Customers, r.Rejected)
		}
	}
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

func importAnswersCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use:   "answers FILE.jsonl",
		Short: "Add or change standard answers, one JSON object a line: id, topic, lang, title, say, steps",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			answers, err := readAnswers(args[0])
			if err != nil {
				return err
			}
			s, err := openStore(cmd.Context(), file)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if err := s.SaveAnswers(cmd.Context(), answers...); err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d answers\n", len(answers))
			return nil
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	return c
}

// readAnswers reads the whole file; every bad line is named, and with one
// nothing is taken.
func readAnswers(name string) ([]store.Answer, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []store.Answer
	var bad []error
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for n := 1; lines.Scan(); n++ {
		if len(lines.Bytes()) == 0 {
			continue
		}
		var a store.Answer
		err := json.Unmarshal(lines.Bytes(), &a)
		if err == nil && (a.ID == "" || a.Lang == "" || a.Title == "" || a.Say == "") {
			err = errors.New("id, lang, title and say are required")
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%d: %w", name, n, err))
			continue
		}
		out = append(out, a)
	}
	return out, errors.Join(append(bad, lines.Err())...)
}
