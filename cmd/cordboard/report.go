package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/statistics"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
)

// reporting are the arguments of report.
type reporting struct {
	server       string // the server file
	routes       string
	day          string
	since, until string
	queue        string
	intervals    bool
	pain         bool
	json, csv    bool
}

func reportCommand() *cobra.Command {
	var o reporting
	c := &cobra.Command{
		Use:   "report",
		Short: "Count a day's calls by queue: offered, answered, abandoned, the service level",
		Long: "Count the calls of a day, or of any period, by queue and for the centre, from the ledger and beside a running server. The formula of the\n" +
			"service level and what a day is are those of the routing document as it is now; --routes FILE counts by another document.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.run(cmd.Context(), cmd.OutOrStdout(), time.Now())
		},
	}
	f := c.Flags()
	f.StringVarP(&o.server, "config", "c", "cordboard.yaml", "the server file")
	f.StringVar(&o.routes, "routes", "", "count by this routing document instead of the server's")
	f.StringVar(&o.day, "day", "", "a day, 2026-11-22, from statistics.day_starts in the document's zone; today when left out")
	f.StringVar(&o.since, "since", "", "instead of a day: from so long ago (90m, 7d), a day (here) or a time (RFC 3339)")
	f.StringVar(&o.until, "until", "", "with --since: to, in the same forms; now when left out")
	f.StringVar(&o.queue, "queue", "", "this queue alone")
	f.BoolVar(&o.intervals, "intervals", false, "a line for each interval (statistics.interval) too")
	f.BoolVar(&o.pain, "pain", false, "the pain, measured, too: hops per question, repeat contact, first-contact resolution, re-asked facts, pop before ring")
	f.BoolVar(&o.json, "json", false, "one JSON object, REPORT of docs/http-api.md")
	f.BoolVar(&o.csv, "csv", false, "comma-separated values with a line of names")
	return c
}

func (o *reporting) run(ctx context.Context, w io.Writer, now time.Time) (err error) {
	if o.json && o.csv {
		return errors.New("--json or --csv, not both")
	}
	if o.pain && o.csv {
		return errors.New("--pain is no table of values: print it, or take --json")
	}
	p, err := o.policy()
	if err != nil {
		return err
	}
	q, err := o.query(p, now)
	if err != nil {
		return err
	}
	s, err := openStore(ctx, o.server)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r, err := statistics.Build(ctx, s, p, q, now)
	switch {
	case err != nil:
		return err
	case o.json:
		return json.NewEncoder(w).Encode(r)
	case o.csv:
		return r.PrintCSV(w)
	}
	return r.Print(w)
}

// policy is the document that is counted by.
func (o *reporting) policy() (*routing.Policy, error) {
	file := o.routes
	if file == "" {
		server, err := loadServer(o.server, printed)
		if err != nil {
			return nil, err
		}
		file = server.Routes
	}
	p, findings := configs.LoadRouting(file)
	if p == nil {
		return nil, refuse(file, findings, printed)
	}
	return p, nil
}

// query reads the period.
func (o *reporting) query(p *routing.Policy, now time.Time) (q statistics.Query, err error) {
	q.Intervals, q.Pain, q.Queue = o.intervals, o.pain, o.queue
	switch {
	case o.day != "" && o.since != "":
		return q, errors.New("--day or --since, not both")
	case o.until != "" && o.since == "":
		return q, errors.New("--until goes with --since")
	case o.since != "":
		if q.From, err = instantOf(o.since, now); err != nil {
			return q, fmt.Errorf("--since: %w", err)
		}
		if o.until != "" {
			if q.To, err = instantOf(o.until, now); err != nil {
				return q, fmt.Errorf("--until: %w", err)
			}
		}
		return q, nil
	case o.day == "":
		q.From = p.Service.Day(now)
	default:
		if q.From, err = p.Service.DayOf(o.day); err != nil {
			return q, fmt.Errorf("--day %s is no date, such as 2026-11-22", o.day)
		}
	}
	q.To = p.Service.NextDay(q.From)
	return q, nil
}
