package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/store"
)

// listing are the arguments of calls.
type listing struct {
	server       string // the server file
	since, until string
	json         bool
	people       bool
}

func callsCommand() *cobra.Command {
	var l listing
	c := &cobra.Command{
		Use:   "calls",
		Short: "List the calls that have ended, from the ledger",
		Long: "List the calls that have ended, by their arrival, beside a running server. --json gives one object a line, with the keys of CALL in\n" +
			"docs/http-api.md; who called stands in it only with --people.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return l.run(cmd.Context(), cmd.OutOrStdout())
		},
	}
	f := c.Flags()
	f.StringVarP(&l.server, "config", "c", "cordboard.yaml", "the server file")
	f.StringVar(&l.since, "since", "24h", "arrived since: so long ago (90m, 7d), a day (2026-11-22, here) or a time (RFC 3339)")
	f.StringVar(&l.until, "until", "", "arrived before, in the same forms; now when left out")
	f.BoolVar(&l.json, "json", false, "one JSON object a line")
	f.BoolVar(&l.people, "people", false, "with --json: the caller's number, what was dialled, and the customer's id too")
	return c
}

// callsSpan is how much of the ledger is read at once: 15,000 calls at the
// rated 50 a second.
const callsSpan = 5 * time.Minute

func (l *listing) run(ctx context.Context, w io.Writer) (err error) {
	now := time.Now()
	from, err := instantOf(l.since, now)
	if err != nil {
		return fmt.Errorf("--since: %w", err)
	}
	to := now
	if l.until != "" {
		if to, err = instantOf(l.until, now); err != nil {
			return fmt.Errorf("--until: %w", err)
		}
	}
	if l.people && !l.json {
		return errors.New("--people goes with --json")
	}
	s, err := openStore(ctx, l.server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if l.json {
		out := json.NewEncoder(w)
		return eachCall(ctx, s, from, to, func(r store.LedgerRow) error {
			if !l.people {
				r.Number, r.Dialled, r.Customer = "", "", ""
			}
			return out.Encode(app.CallRow(&r))
		})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ARRIVED\tCALL\tQUEUE\tAGENT\tOUTCOME\tBY\tWAIT\tTALK\tREASON")
	err = eachCall(ctx, s, from, to, func(r store.LedgerRow) error {
		_, err := fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.ArrivedAt.Local().Format("2006-01-02 15:04:05"), r.Call,
			dash(r.Queue), dash(string(r.Agent)), r.Outcome, dash(string(r.EndedBy)), r.Wait.Round(time.Second), r.Talk.Round(time.Second), dash(r.Reason))
		return err
	})
	return errors.Join(err, table.Flush())
}

// eachCall reads the calls that arrived in [from, to) and have ended, a span
// at a time.
func eachCall(ctx context.Context, s *store.Store, from, to time.Time, do func(store.LedgerRow) error) error {
	first, err := s.FirstArrival(ctx, from)
	if err != nil || first.IsZero() {
		return err
	}
	for at := first; at.Before(to); {
		end := at.Add(callsSpan)
		if end.After(to) {
			end = to
		}
		rows, err := s.Calls(ctx, at, end, int(^uint32(0)>>1))
		if err != nil {
			return err
		}
		for _, r := range rows {
			if r.EndedAt.IsZero() {
				continue
			}
			if err := do(r); err != nil {
				return err
			}
		}
		at = end
		if len(rows) == 0 { // over nights and weekends in one step
			if at, err = s.FirstArrival(ctx, end); err != nil || at.IsZero() {
				return err
			}
		}
	}
	return nil
}

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// instantOf reads 90m, 7d, 2026-11-22 or a time of RFC 3339.
func instantOf(text string, now time.Time) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n >= 0 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, form := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.ParseInLocation(form, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not so long ago (90m, 7d), a day (2026-11-22) or a time (2026-11-22T14:00:00Z)", text)
}
