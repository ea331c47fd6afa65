package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// A call whose journal was taken away, with its key, is told from the ledger.
func TestExplainWithoutItsJournal(t *testing.T) {
	o := newOffice(t)
	s, err := store.Open(t.Context(), store.Options{Path: o.db})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-time.Hour)
	id := s.NextCall()
	s.Arrived(store.Arrival{Call: id, At: at})
	s.Do(at, []routing.Action{routing.Enqueued{Call: id, Queue: "care", Since: at, Entered: at}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	out, told, code := run(t, "", "explain", strconv.FormatInt(int64(id), 10), "-c", o.server)
	if code != 0 || !strings.Contains(out, "not decided again") || !strings.Contains(out, "enters queue care") {
		t.Errorf("exit %d, %s%s", code, out, told)
	}
}

func TestReportCommand(t *testing.T) {
	o := newOffice(t)
	s, err := store.Open(t.Context(), store.Options{Path: o.db})
	if err != nil {
		t.Fatal(err)
	}
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now().Add(-25 * time.Hour)
	if end := at.Add(time.Minute); end.In(london).Day() != at.In(london).Day() {
		at = at.Add(-time.Minute) // all of the call is of one day
	}
	id := s.NextCall()
	s.Arrived(store.Arrival{Call: id, At: at, Number: "+447700900417"})
	s.Do(at, []routing.Action{routing.Enqueued{Call: id, Queue: "care", Since: at, Entered: at}})
	s.Do(at.Add(9*time.Second), []routing.Action{routing.Connect{Offer: routing.Offer{Call: id, Attempt: 1, Agent: "anna"}, Answered: at.Add(9 * time.Second)}})
	s.Do(at.Add(time.Minute), []routing.Action{routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByCaller}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(filepath.Dir(o.server), "other.yaml")
	text, err := os.ReadFile(filepath.Join(filepath.Dir(o.server), "routing.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("queues: {care: {}}"), []byte("statistics: {service_level: {formula: answered_only}}\nqueues: {care: {answer_within: 5s}}"), 1)
	if err := os.WriteFile(other, text, 0o600); err != nil {
		t.Fatal(err)
	}
	day := at.In(london).Format(time.DateOnly)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"--day", day}, "care      1        1         1        0          0      0         0        0       0        100.0 %  9s"},
		{[]string{"--day", day, "--routes", other, "--csv"}, ",care,5000,1,1,0,0,0,0,0,0,0,1,0.0,answered_only,9000"},
		{[]string{"--since", "26h", "--json"}, `"queue":"care"`},
		{nil, "abandons_ignored"},
		{[]string{"--day", "yesterday"}, "! --day yesterday is no date"},
		{[]string{"--day", day, "--since", "1h"}, "! --day or --since, not both"},
		{[]string{"--until", "1h"}, "! --until goes with --since"},
		{[]string{"--day", day, "--pain"}, "\nall    -     0         1 "},
		{[]string{"--pain", "--csv"}, "! --pain is no table"},
		{[]string{"--json", "--csv"}, "! --json or --csv, not both"},
		{[]string{"--since", "1h", "--until", "2h"}, "! the period ends before it begins"},
	} {
		var out bytes.Buffer
		cmd := root()
		cmd.SetOut(&out)
		cmd.SetArgs(append([]string{"report", "-c", o.server}, c.args...))
		got := ""
		if err := cmd.ExecuteContext(t.Context()); err != nil {
			got = "! " + err.Error()
		} else {
			got = out.String()
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("report %s: want %q in\n%s", strings.Join(c.args, " "), c.want, got)
		}
	}
}
