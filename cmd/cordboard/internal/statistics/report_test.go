package statistics

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/store"
)

// example fills a ledger with the worked example of the field: a hundred calls,
// seventy answered in time, ten who gave up in time, twenty late. Five more
// hang up at once, and one is closed.
func example(t *testing.T) (*store.Store, time.Time) {
	t.Helper()
	s := openStore(t, filepath.Join(t.TempDir(), "ledger.db"))
	t.Cleanup(func() { _ = s.Close() })
	day := time.Date(2026, 4, 15, 8, 0, 0, 0, time.UTC)
	n := 0
	call := func(waited time.Duration, answered bool) {
		id := s.NextCall()
		at := day.Add(time.Duration(n) * 30 * time.Second)
		n++
		s.Arrived(store.Arrival{Call: id, At: at, Number: "+447700900417"})
		s.Do(at, []routing.Action{routing.Enqueued{Call: id, Queue: "a", Since: at, Entered: at}})
		over := at.Add(waited)
		if !answered {
			s.Do(over, []routing.Action{routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller, Queue: "a"}})
			return
		}
		s.Do(over, []routing.Action{routing.Connect{Offer: routing.Offer{Call: id, Attempt: 1, Agent: "ann"}, Answered: over}})
		s.Do(over.Add(time.Minute), []routing.Action{routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByCaller, Queue: "a"}})
	}
	for range 70 {
		call(10*time.Second, true)
	}
	for range 10 {
		call(19*time.Second, false)
	}
	for range 12 {
		call(25*time.Second, true)
	}
	for range 8 {
		call(40*time.Second, false)
	}
	for range 5 {
		call(time.Second, false)
	}
	id := s.NextCall()
	at := day.Add(10 * time.Hour)
	s.Arrived(store.Arrival{Call: id, At: at})
	s.Do(at, []routing.Action{routing.TurnedAway{Call: id, Queue: "b", Since: at, Why: "closed"}, routing.Treat{Call: id, Why: "closed", Play: "closed"}})
	s.Do(at.Add(8*time.Second), []routing.Action{routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer, Reason: "closed", Queue: "b"}})
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s, day
}

func TestWorkedExample(t *testing.T) {
	s, day := example(t)
	for formula, want := range map[string]string{
		"abandons_ignored": "77.8 %", "abandons_negative": "70.0 %", "abandons_positive": "80.0 %",
		"answered_only": "85.4 %", "asterisk_sl2": "81.0 %", "switches": "70.0 %",
	} {
		p := policy(t, "service_level: {formula: "+formula+"}")
		r, err := Build(t.Context(), s, p, Query{From: p.Service.Day(day), To: p.Service.NextDay(day)}, day.AddDate(0, 1, 0))
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := r.Print(&out); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(out.String(), "\n")
		if !strings.Contains(lines[1], formula+":") || !strings.HasPrefix(lines[5], "a ") || !strings.Contains(lines[5], want) {
			t.Errorf("%s: want %s in\n%s", formula, want, out.String())
		}
		if !strings.HasPrefix(lines[6], "b ") || !strings.Contains(lines[6], " - ") {
			t.Errorf("a queue without a decided call has a level:\n%s", out.String())
		}
	}
}

func TestReportForms(t *testing.T) {
	s, day := example(t)
	p := policy(t, "interval: 60m")
	q := Query{From: p.Service.Day(day), To: p.Service.NextDay(day), Intervals: true, Queue: "b"}
	r, err := Build(t.Context(), s, p, q, day.AddDate(0, 1, 0))
	if err != nil {
		t.Fatal(err)
	}
	var table, values bytes.Buffer
	if err := errors.Join(r.Print(&table), r.PrintCSV(&values)); err != nil {
		t.Fatal(err)
	}
	const wantTable = `2026-04-15 00:00 to 2026-04-16 00:00 (Europe/Vienna)
service level by abandons_ignored: answered in time / (decided - abandoned in time); counted by event

FROM         QUEUE  OFFERED  ANSWERED  IN TIME  ABANDONED  SHORT  MOVED ON  TREATED  FAILED  WAITING  LEVEL  WAIT  CALLBACKS  DONE
04-15 20:00  b      1        0         0        0          0      0         1        0       0        -      -     0          0
all          b      1        0         0        0          0      0         1        0       0        -      -     0          0
`
	if table.String() != wantTable {
		t.Errorf("got\n%swant\n%s", table.String(), wantTable)
	}
	const wantValues = `from,to,queue,answer_within_ms,offered,answered,answered_in_time,abandoned,short_abandons,moved_on,treated,failed,waiting,decided,service_level,formula,wait_ms,callbacks,callbacks_done,callbacks_failed
2026-04-15T18:00:00Z,2026-04-15T19:00:00Z,b,20000,1,0,0,0,0,0,1,0,0,0,,abandons_ignored,,0,0,0
2026-04-14T22:00:00Z,2026-04-15T22:00:00Z,b,20000,1,0,0,0,0,0,1,0,0,0,,abandons_ignored,,0,0,0
`
	if values.String() != wantValues {
		t.Errorf("got\n%swant\n%s", values.String(), wantValues)
	}
	q.Queue, q.Intervals = "", false
	if r, err = Build(t.Context(), s, p, q, day.AddDate(0, 1, 0)); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Formula struct{ Name, Text string }
		Lines   []struct {
			Queue   string
			Offered int
			Level   *float64 `json:"service_level"`
			Wait    *int64   `json:"wait_ms"`
		}
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Lines) != 3 || got.Formula.Name != "abandons_ignored" || got.Lines[0].Queue != "" || got.Lines[0].Offered != 106 ||
		got.Lines[1].Level == nil || *got.Lines[1].Level != 77.8 || *got.Lines[1].Wait != 12195 || got.Lines[2].Level != nil || got.Lines[2].Wait != nil {
		t.Errorf("%s", b)
	}
	if strings.Contains(string(b), "7700900417") {
		t.Errorf("a caller's number stands in %s", b)
	}
	q.MaxCalls = 105
	if _, err := Build(t.Context(), s, p, q, day.AddDate(0, 1, 0)); !errors.Is(err, ErrTooManyCalls) {
		t.Errorf("106 calls in a report of 105: %v", err)
	}
	if _, err := Build(t.Context(), s, p, Query{From: day, To: day}, day.AddDate(0, 1, 0)); err == nil {
		t.Error("a period of no length")
	}
}

// A queue that was renamed counts its calls of before under the name it has.
func TestReportRenamed(t *testing.T) {
	s, day := example(t)
	b := []byte(strings.NewReplacer("  a: {need:", "  front: {was: a, need:", "queue: a\n", "queue: front\n").Replace(fmt.Sprintf(document, "")))
	p, findings := configs.ParseRouting("x.yaml", b)
	if p == nil {
		t.Fatal(findings)
	}
	old := policy(t, "")
	now := day.AddDate(0, 1, 0)
	q := Query{From: p.Service.Day(day), To: p.Service.NextDay(day)}
	before, err := Build(t.Context(), s, old, q, now)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Build(t.Context(), s, p, q, now)
	if err != nil {
		t.Fatal(err)
	}
	counts := func(r *Report, name string) (c figures.Counts) {
		for _, l := range r.Lines {
			if l.Queue == name {
				c = l.Counts
			}
		}
		return c
	}
	if was := counts(before, "a"); was.Offered != 105 || counts(after, "front") != was || counts(after, "a") != (figures.Counts{}) {
		t.Errorf("a counted %+v; renamed, front counts %+v and a %+v", was, counts(after, "front"), counts(after, "a"))
	}
	book := NewBook(old, BookOptions{Ledger: s, Log: zap.NewNop(), Flush: s.Flush})
	defer book.Close()
	noon := day.Add(12 * time.Hour)
	book.Begin(old, noon)
	book.reading.Wait()
	book.Begin(p, noon)
	book.reading.Wait()
	if _, lines, known := book.Day(noon); !known || lines["front"] != counts(after, "front") || lines["a"] != (figures.Counts{}) {
		t.Errorf("known %v; the board counts front %+v and a %+v", known, lines["front"], lines["a"])
	}
}

// A call counts by what its queue promised it once the document has no such
// queue, and by what the document says while it has.
func TestQueueGoneKeepsItsPromise(t *testing.T) {
	s := openStore(t, filepath.Join(t.TempDir(), "ledger.db"))
	t.Cleanup(func() { _ = s.Close() })
	p := policy(t, "")
	at := time.Date(2026, 4, 15, 8, 0, 0, 0, time.UTC)
	call := func(call routing.CallID, queue string, first routing.Action) {
		s.Arrived(store.Arrival{Call: call, At: at})
		s.Do(at, []routing.Action{first})
		s.Do(at.Add(30*time.Second), []routing.Action{routing.EndCall{Call: call, Outcome: routing.Abandoned, By: routing.ByCaller, Queue: queue}})
	}
	for _, queue := range []string{"gone", "a"} { // T of a is 20s
		id := s.NextCall()
		call(id, queue, routing.Enqueued{Call: id, Queue: queue, Since: at, Entered: at, Within: 40 * time.Second})
		id = s.NextCall()
		call(id, queue, routing.TurnedAway{Call: id, Queue: queue, Since: at, Why: "closed", Within: 40 * time.Second})
		id = s.NextCall()
		call(id, queue, routing.Enqueued{Call: id, Queue: queue, Since: at, Entered: at})
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := Build(t.Context(), s, p, Query{From: p.Service.Day(at), To: p.Service.NextDay(at)}, at.AddDate(0, 0, 1))
	if err != nil {
		t.Fatal(err)
	}
	inTime := map[string]int{}
	for _, l := range r.Lines {
		if l.Abandoned != l.Offered {
			t.Errorf("%q: %+v, not all gave up", l.Queue, l.Counts)
		}
		inTime[l.Queue] = l.GaveUp
	}
	if inTime["gone"] != 2 || inTime["a"] != 0 || inTime[figures.Centre] != 2 {
		t.Errorf("gave up in time: %v, want 2 of the queue that is gone", inTime)
	}
	if v := r.view(&figures.Line{Queue: "gone"}); v.WithinMS != 0 {
		t.Errorf("the queue that is gone promises %d ms", v.WithinMS)
	}
}
