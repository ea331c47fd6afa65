package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/store"
)

func doNotCallCommand() *cobra.Command {
	c := &cobra.Command{Use: "donotcall", Short: "Bring in lists of numbers that want no calls, as registers publish them"}
	c.AddCommand(importDoNotCallCommand(), listDoNotCallCommand(), removeDoNotCallCommand())
	return c
}

// doNotCallFile are the arguments of donotcall import.
type doNotCallFile struct {
	server, list, file, region string
	json                       bool
}

func importDoNotCallCommand() *cobra.Command {
	var l doNotCallFile
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Put a file of numbers in the place of a do-not-call list, beside a running server; safe to repeat and to interrupt",
		Long: "Put a file of numbers in the place of a do-not-call list. FILE is text, one number a line, or CSV with the number in its first\n" +
			"column; it may be packed (.gz), - is standard input. The numbers that were on the list hold until all are in, and hold on where that\n" +
			"is interrupted. Lines without a number are counted, and the exit status is 1; where they are most, nothing is changed.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			l.file = args[0]
			return l.run(cmd.Context(), cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := c.Flags()
	f.StringVarP(&l.server, "config", "c", "cordboard.yaml", "the server file")
	f.StringVar(&l.list, "list", "register", "name of the list; each is replaced by itself")
	f.StringVar(&l.region, "region", "", "country that national numbers are read in (GB); without it every number has its country")
	f.BoolVar(&l.json, "json", false, "print the result as JSON")
	return c
}

var errInterrupted = &exitError{code: 130, err: errors.New("interrupted: the list is what it was; the same command begins anew")}

func (l *doNotCallFile) run(ctx context.Context, stdin io.Reader, result, told io.Writer) (err error) {
	if l.region != "" {
		if err := configs.CheckRegion(l.region); err != nil {
			return fmt.Errorf("--region: %w", err)
		}
	}
	if err := configs.CheckName(l.list); err != nil {
		return fmt.Errorf("--list: %w", err)
	}
	began := time.Now()
	f, err := l.read(ctx, stdin)
	switch {
	case ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	}
	lowerPriority()
	s, err := openStore(ctx, l.server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	last := time.Now()
	err = s.ImportDoNotCall(ctx, l.list, f.numbers, func(n int) {
		if now := time.Now(); now.Sub(last) >= lineEvery {
			last = now
			fmt.Fprintf(told, "%s of %s\n", thousands(n), count(len(f.numbers), "number"))
		}
	})
	switch {
	case err != nil && ctx.Err() != nil:
		return errInterrupted
	case err != nil:
		return err
	}
	if err := l.tell(result, f, time.Since(began)); err != nil {
		return err
	}
	if f.bad > 0 {
		return fmt.Errorf("%s: %s without a number that --region %q can be read in, the first is line %d; all others are on the list", l.file, count(f.bad, "line"), l.region, f.firstBad)
	}
	return nil
}

func (l *doNotCallFile) tell(w io.Writer, f *listFile, took time.Duration) error {
	if l.json {
		return json.NewEncoder(w).Encode(struct {
			List    string  `json:"list"`
			Numbers int     `json:"numbers"`
			Twice   int     `json:"twice"`
			Bad     int     `json:"bad"`
			Seconds float64 `json:"seconds"`
		}{l.list, len(f.numbers), f.twice, f.bad, took.Seconds()})
	}
	_, err := fmt.Fprintf(w, "%s on the list %s (%s given twice); %s\n", count(len(f.numbers), "number"), l.list, thousands(f.twice), took.Round(time.Second/10))
	return err
}

// listFile is what a file of numbers holds.
type listFile struct {
	numbers  []int64 // sorted, each once
	twice    int     // numbers left out for that
	bad      int     // lines without a number
	firstBad int
}

func (l *doNotCallFile) read(ctx context.Context, stdin io.Reader) (_ *listFile, err error) {
	in := stdin
	if l.file != "-" {
		f, err := os.Open(l.file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		defer context.AfterFunc(ctx, func() { _ = f.Close() })() // a read of a pipe may wait for ever
		in = f
	}
	if strings.EqualFold(filepath.Ext(l.file), ".gz") {
		if in, err = gzip.NewReader(in); err != nil {
			return nil, fmt.Errorf("%s: %w", l.file, err)
		}
	}
	out, err := l.lines(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", l.file, err)
	}
	return out, nil
}

func (l *doNotCallFile) lines(in io.Reader) (*listFile, error) {
	out := &listFile{}
	rows := bufio.NewScanner(in)
	for line := 1; rows.Scan(); line++ {
		n, there, err := l.number(strings.TrimPrefix(rows.Text(), "\ufeff"))
		switch {
		case err == nil && there:
			out.numbers = append(out.numbers, n)
		case err != nil && line > 1: // the first may have the column's name
			out.bad++
			if out.bad == 1 {
				out.firstBad = line
			}
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	switch all := len(out.numbers); {
	case out.bad > all:
		return nil, fmt.Errorf("most lines have no number that --region %q can be read in, the first is line %d: nothing is changed", l.region, out.firstBad)
	case all == 0:
		return nil, errors.New("no number in it; cordboard donotcall remove ends a list")
	}
	given := len(out.numbers)
	slices.Sort(out.numbers)
	out.numbers = slices.Compact(out.numbers)
	out.twice = given - len(out.numbers)
	return out, nil
}

// number reads the one of a line; there is none in an empty one. What has its country
// and nothing but digits is taken as it is: a register may have ten millions.
func (l *doNotCallFile) number(line string) (n int64, there bool, err error) {
	text, _, _ := strings.Cut(strings.TrimSpace(line), ",")
	text, _, _ = strings.Cut(text, ";")
	text = strings.Trim(text, "\" \t")
	if text == "" {
		return 0, false, nil
	}
	if e164.MatchString(text) {
		n, err = store.ListNumber(text)
		return n, err == nil, err
	}
	parsed, err := identity.ParseNumber(text, l.region, nil)
	if err != nil {
		return 0, false, err
	}
	n, err = store.ListNumber(parsed.E164())
	return n, err == nil, err
}

var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

func listDoNotCallCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "list", Short: "Tell which do-not-call lists there are, and how old they are", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			s, err := openStore(cmd.Context(), file)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			lists, err := s.DoNotCallLists(cmd.Context())
			for _, l := range lists {
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s: %s, imported %s\n", l.Name, count(int(l.Numbers), "number"), l.Imported.Format(time.RFC3339)); err != nil {
					return err
				}
			}
			return err
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	return c
}

func removeDoNotCallCommand() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "remove LIST", Short: "End a do-not-call list: its numbers may be called", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			s, err := openStore(cmd.Context(), file)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			err = s.RemoveDoNotCall(cmd.Context(), args[0])
			if errors.Is(err, store.ErrNotFound) {
				return fmt.Errorf("there is no list %s", args[0])
			}
			return err
		},
	}
	c.Flags().StringVarP(&file, "config", "c", "cordboard.yaml", "the server file")
	return c
}
