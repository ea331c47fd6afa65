package web_test

import (
	"context"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/web"
)

func TestReport(t *testing.T) {
	var asked web.ReportQuery
	fails := map[string]error{"2026-01-01": web.ErrReportTooLarge, "2026-13-01": web.ErrReportPeriod, "2026-01-02": errors.New("disk full")}
	s := newSite(t, func(o *web.Options) {
		o.Report = func(_ context.Context, q web.ReportQuery) ([]byte, error) {
			asked = q
			return []byte(`{"lines":[]}`), fails[q.Day]
		}
	})
	c := s.browser()
	if code, _, _ := s.send(c, "GET", "/api/v1/report", ""); code != 401 {
		t.Errorf("nobody: %d", code)
	}
	s.login(c, "priya")
	if code, _, _ := s.send(c, "GET", "/api/v1/report", ""); code != 403 {
		t.Errorf("an agent: %d", code)
	}
	c = s.browser()
	s.login(c, "boss")
	for query, want := range map[string]web.ReportQuery{
		"":                                    {},
		"?day=2026-04-15&intervals=1&pain=1":  {Day: "2026-04-15", Intervals: true, Pain: true},
		"?from=5000000&to=7000000&queue=care": {From: time.UnixMicro(5e6).UTC(), To: time.UnixMicro(7e6).UTC(), Queue: "care"},
		"?from=5000000":                       {From: time.UnixMicro(5e6).UTC()},
	} {
		if code, out, _ := s.send(c, "GET", "/api/v1/report"+query, ""); code != 200 || out["lines"] == nil || !reflect.DeepEqual(asked, want) {
			t.Errorf("%q: %d %v, asked %+v", query, code, out, asked)
		}
	}
	for query, want := range map[string]int{
		"?day=2026-01-01": 413, "?day=2026-13-01": 400, "?day=2026-01-02": 500, "?from=x": 400, "?from=-1": 400, "?from=7&to=5": 400, "?from=7&to=7": 400,
		"?to=7": 400, "?day=2026-04-15&from=7": 400, "?queue=" + strings.Repeat("q", 65): 400, "?day=2026-04-15T00:00": 400,
	} {
		if code, out, _ := s.send(c, "GET", "/api/v1/report"+query, ""); code != want {
			t.Errorf("%q: %d %v, want %d", query, code, out, want)
		}
	}
}

// Reports are made one at a time; who waits and goes leaves the next its turn.
func TestReportsTakeTurns(t *testing.T) {
	began, goOn := make(chan struct{}), make(chan struct{})
	s := newSite(t, func(o *web.Options) {
		o.Report = func(_ context.Context, q web.ReportQuery) ([]byte, error) {
			if q.Day == "first" {
				close(began)
				<-goOn
			}
			return []byte(`{}`), nil
		}
	})
	c := s.browser()
	s.login(c, "boss")
	over := make(chan int)
	go func() {
		code, _, _ := s.send(c, "GET", "/api/v1/report?day=first", "")
		over <- code
	}()
	<-began
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, "GET", s.http.URL+"/api/v1/report", nil)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan error)
	go func() {
		resp, err := c.Do(req)
		if err == nil {
			err = errors.Join(errors.New("answered beside the first: "+resp.Status), resp.Body.Close())
		}
		gone <- err
	}()
	cancel()
	if err := <-gone; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(goOn)
	if code := <-over; code != 200 {
		t.Errorf("the first: %d", code)
	}
	if code, _, _ := s.send(c, "GET", "/api/v1/report", ""); code != 200 {
		t.Errorf("the next: %d", code)
	}
}

// The board's figures are of the day, by the document's formula; while the day
// is not known there are none.
func TestBoardOfTheDay(t *testing.T) {
	known := true
	counts := figures.Counts{Offered: 100, Answered: 82, Abandoned: 18, InTime: 70, GaveUp: 10, Decided: 100}
	s := newSite(t, func(o *web.Options) {
		o.Day = func(time.Time) (web.Day, bool) {
			return web.Day{Starts: time.UnixMicro(3_000_000), Rules: figures.Defaults(), Lines: map[string]figures.Counts{"billing": counts, "": counts}}, known
		}
	})
	c := s.browser()
	s.login(c, "boss")
	_, out, _ := s.send(c, "GET", "/api/v1/board", "")
	centre := out["centre"].(map[string]any)
	queue := out["queues"].([]any)[0].(map[string]any)
	if out["day"] != 3e6 || !strings.HasPrefix(out["formula"].(string), "abandons_ignored:") || centre["service_level"] != 77.8 ||
		queue["service_level"] != 77.8 || queue["decided"] != 100.0 || queue["offered"] != 100.0 || queue["answered_in_time"] != 70.0 {
		t.Errorf("board %v", out)
	}
	known = false
	s.advance(time.Second)
	_, out, _ = s.send(c, "GET", "/api/v1/board", "")
	queue = out["queues"].([]any)[0].(map[string]any)
	if out["day"] != 0.0 || queue["service_level"] != nil || queue["offered"] != 0.0 || queue["waiting"] != 2.0 {
		t.Errorf("board of an unknown day %v", out)
	}
}

// What became of calls is a supervisor's to see, of a stated period.
func TestAfterCall(t *testing.T) {
	var asked [2]time.Time
	fails := map[int64]error{1: web.ErrReportTooLarge, 2: web.ErrReportPeriod, 3: errors.New("disk full")}
	s := newSite(t, func(o *web.Options) {
		o.AfterCall = func(_ context.Context, from, to time.Time) ([]byte, error) {
			asked = [2]time.Time{from, to}
			return []byte(`{"lines":[]}`), fails[from.UnixMicro()]
		}
	})
	c := s.browser()
	s.login(c, "priya")
	if code, _, _ := s.send(c, "GET", "/api/v1/after-call?from=5&to=7", ""); code != 403 {
		t.Errorf("an agent: %d", code)
	}
	c = s.browser()
	s.login(c, "boss")
	for query, want := range map[string]int{
		"from=5&to=7": 200, "from=1&to=7": 413, "from=2&to=7": 400, "from=3&to=7": 500, "": 400, "from=5": 400, "to=7": 400, "from=7&to=5": 400, "from=x&to=7": 400, "day=2026-04-15": 400,
	} {
		if code, out, _ := s.send(c, "GET", "/api/v1/after-call?"+query, ""); code != want {
			t.Errorf("%q: %d %v, want %d", query, code, out, want)
		}
	}
	s.send(c, "GET", "/api/v1/after-call?from=5&to=7", "")
	if asked != [2]time.Time{time.UnixMicro(5).UTC(), time.UnixMicro(7).UTC()} {
		t.Errorf("asked for %v", asked)
	}
}
