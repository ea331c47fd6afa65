package statistics

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/statistics/trend"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// TestInterest: ten weeks of a ledger, in which gold customers ask for fibre more and
// more, and queue b stays as it is.
func TestInterest(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "ledger.db"))
	t.Cleanup(func() { _ = s.Close() })
	if err := s.SaveCustomers(t.Context(), []customer.Record{{ID: "C1", Name: "Iris Coleman", Segment: "gold"}}); err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) // a Tuesday
	p := policy(t, "")
	p.Topics = map[string]*routing.Topic{"fibre": {Title: routing.Title{"ru": "Оптика"}}}
	p.Regions = routing.NewRegions([]routing.Region{{Name: "north", Prefix: []string{"+44770"}}, {Name: "south", Trunk: []string{"main"}}})
	monday := time.Date(2026, 9, 14, 0, 0, 0, 0, p.Zone)
	call := func(at time.Time, number, who, topic, queue string) {
		id := s.NextCall()
		s.Arrived(store.Arrival{Call: id, Trunk: "main", Number: number, Dialled: "+448081570142", Customer: who, At: at})
		s.Do(at, []routing.Action{routing.Enqueued{Call: id, Queue: queue, Topic: topic, Since: at, Entered: at}})
		s.Do(at, []routing.Action{routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller}})
	}
	call(monday.Add(-time.Hour), "", "", "fibre", "a") // of a week that is not known whole
	for w := range 10 {
		start := monday.AddDate(0, 0, 7*w)
		for range 2 + 3*w {
			call(start, "+447700900417", "C1", "fibre", "a") // at the first instant
		}
		for range 10 {
			call(monday.AddDate(0, 0, 7*w+7).Add(-time.Microsecond), "+441632960012", "", "", "b")
		}
	}
	call(now, "+447700900417", "C1", "fibre", "a") // this week is not over
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := BuildInterest(t.Context(), s, p, InterestQuery{Weeks: 26}, now)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Weeks) != 10 || !r.Weeks[0].Equal(monday) || r.Forgotten {
		t.Errorf("%d weeks from %v, whole %v", len(r.Weeks), r.Weeks[0], r.Forgotten)
	}
	got := map[InterestKey]string{}
	for _, l := range r.Lines {
		got[l.InterestKey] = fmt.Sprint(l.Total, " ", l.State, " ", l.Calls[0], l.Calls[9])
	}
	want := map[InterestKey]string{}
	for _, k := range []InterestKey{{By: OfService}, {By: OfSegment, Segment: "gold"}, {By: OfRegion, Region: "north"}, {By: OfBoth, Segment: "gold", Region: "north"}} {
		k.Service = "fibre"
		want[k] = fmt.Sprint(155, " ", trend.Rising, " ", 2, 29)
	}
	for _, k := range []InterestKey{{By: OfService}, {By: OfSegment}, {By: OfRegion, Region: "south"}, {By: OfBoth, Region: "south"}} {
		k.Service, k.Queue = "b", true
		want[k] = got[k]
		if !strings.HasPrefix(got[k], "100 ") || strings.Contains(got[k], string(trend.Rising)) || strings.Contains(got[k], string(trend.Falling)) || !strings.HasSuffix(got[k], " 10 10") {
			t.Errorf("%+v: %q", k, got[k])
		}
	}
	want[InterestKey{By: figures.OfAll}] = fmt.Sprint(255, " ", trend.Rising, " ", 12, 39)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	text, err := json.Marshal(r)
	if err != nil || strings.Contains(string(text), "+44") || !strings.Contains(string(text), `"title":{"ru":"Оптика"}`) {
		t.Errorf("%v: %s", err, text)
	}
	// What it goes by now is remembered; only what was something else has changed.
	fell := store.InterestKey{Division: OfSegment, Service: "fibre", Segment: "gold"}
	before := map[store.InterestKey]store.InterestState{fell: {InterestKey: fell, State: "falling", Told: true}}
	for _, c := range r.Changes(before) {
		before[c.InterestKey] = c
		if c.Told == (c.InterestKey == fell) || c.State == "rising" && !c.Since.Equal(monday.AddDate(0, 0, 70)) {
			t.Errorf("changed: %+v", c)
		}
	}
	if again := r.Changes(before); len(before) < 5 || len(again) != 0 {
		t.Errorf("%d states, changed again: %+v", len(before), again)
	}
	r.Remember(before)
	if text, err = json.Marshal(r); err != nil || strings.Count(string(text), `"was":"falling"`) != 1 {
		t.Errorf("%v: %s", err, text)
	}
	hints := r.Hints([]string{"fibre", "b"})
	if len(hints) != 4 || hints[0].Way != "up" || hints[0].Reasons[0].Change.Low <= 0 {
		t.Errorf("hints %+v", hints)
	}
	if hints = r.Hints([]string{"b"}); len(hints) != 0 {
		t.Errorf("hints for what stays: %+v", hints)
	}
	// A document without regions has no lines of them, nor tests them.
	none := *p
	none.Regions = nil
	if r, err = BuildInterest(t.Context(), s, &none, InterestQuery{Weeks: 26}, now); err != nil || len(r.Lines) != 5 {
		t.Errorf("%v, %d lines without regions", err, len(r.Lines))
	}
	// Who called over five weeks ago is forgotten: no segment may seem to rise by that.
	r, err = BuildInterest(t.Context(), s, p, InterestQuery{Weeks: 26, Callers: 35 * 24 * time.Hour}, now)
	if err != nil || !r.Forgotten || len(r.Lines) != 3 {
		t.Errorf("%v, whole %v, %d lines", err, r.Forgotten, len(r.Lines))
	}
}

// An empty ledger is an empty answer.
func TestNoInterest(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "ledger.db"))
	t.Cleanup(func() { _ = s.Close() })
	r, err := BuildInterest(t.Context(), s, policy(t, ""), InterestQuery{Weeks: 26}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(r)
	if err != nil || string(text) != `{"weeks":[],"callers_forgotten":false,"left_out":0,"lines":[]}` {
		t.Errorf("%v: %s", err, text)
	}
}
