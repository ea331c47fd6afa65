package web

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"
)

// Errors of Options.Report.
var (
	ErrReportPeriod   = errors.New("the period of a report cannot be read, or ends before it begins")
	ErrReportTooLarge = errors.New("too many calls for one report")
)

// ReportQuery is what a report is asked for: a day of the document's calendar
// (2026-11-22, "" for today), or the calls of [From, To).
type ReportQuery struct {
	Day       string
	From, To  time.Time
	Queue     string // "" for all
	Intervals bool
	Pain      bool
}

var (
	problemPeriod = &problem{Status: 400, Code: "bad_request", Title: "The request cannot be read",
		Detail: "day is 2026-11-22; from and to are microseconds since 1970, from before to."}
	problemTooMuch = &problem{Status: 413, Code: "too_large", Title: "The request is too large",
		Detail: "So many calls are for cordboard report; ask for a shorter period."}
)

// reportTime bounds a report, the wait for its turn included.
const reportTime = 50 * time.Second

// report: GET /api/v1/report. One at a time: the database is the calls'.
func (s *Server) report(w http.ResponseWriter, r *http.Request, _ *seat) error {
	q, ok := readReport(r)
	if !ok {
		return problemPeriod
	}
	return s.inTurn(w, r, func(ctx context.Context) ([]byte, error) { return s.opt.Report(ctx, q) })
}

// inTurn answers with what is counted when its turn has come.
func (s *Server) inTurn(w http.ResponseWriter, r *http.Request, count func(context.Context) ([]byte, error)) error {
	ctx, cancel := context.WithTimeout(r.Context(), reportTime)
	defer cancel()
	select {
	case s.reports <- struct{}{}:
		defer func() { <-s.reports }()
	case <-ctx.Done():
		return problemUnavailable
	}
	text, err := count(ctx)
	switch {
	case errors.Is(err, ErrReportPeriod):
		return problemPeriod
	case errors.Is(err, ErrReportTooLarge):
		return problemTooMuch
	case err != nil && ctx.Err() != nil:
		return problemUnavailable
	case err != nil:
		return err
	}
	return replyJSON(w, text)
}

func readReport(r *http.Request) (q ReportQuery, ok bool) {
	values := r.URL.Query()
	q.Day, q.Queue, q.Intervals = values.Get("day"), values.Get("queue"), values.Get("intervals") == "1"
	q.Pain = values.Get("pain") == "1"
	if len(q.Day) > 10 || len(q.Queue) > 64 || q.Day != "" && values.Has("from") || values.Has("to") && !values.Has("from") {
		return q, false
	}
	for name, to := range map[string]*time.Time{"from": &q.From, "to": &q.To} {
		if !values.Has(name) {
			continue
		}
		us, err := strconv.ParseInt(values.Get(name), 10, 64)
		if err != nil || us <= 0 {
			return q, false
		}
		*to = time.UnixMicro(us).UTC()
	}
	return q, q.To.IsZero() || q.From.Before(q.To)
}
