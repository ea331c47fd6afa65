package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// A file that is refused as a whole is told as what it is: there is nothing to
// go on with.
func TestImportSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	for name, c := range map[string]struct {
		file, text string
		args       []string
		says       string // %s: the file
		out        string
		exit       int
	}{
		"unknown column":    {"a.csv", "id,name,shoe_size\nA,B,1\n", nil, `cordboard: %s: unknown column "shoe_size"; known are id name`, "", 1},
		"empty":             {"b.csv", "", nil, "cordboard: %s: the file is empty: its first row names the columns\n", "", 1},
		"empty, JSON Lines": {"c.jsonl", "\n", nil, "cordboard: %s: no customer in it\n", "0 customers (0 of them unchanged), 0 numbers", 1},
		"UK":                {"d.csv", "id,name\nA,B\n", []string{"--region", "UK"}, `cordboard: --region: "UK" is not a country code of ISO 3166 with telephone numbers, do you mean GB?` + "\n", "", 1},
		"small letters":     {"e.csv", "id,name\nA,B\n", []string{"--region", "gb"}, "do you mean GB?", "", 1},
		"no country":        {"f.csv", "id,name\nA,B\n", []string{"--region", "Britain"}, "such as GB\n", "", 1},
		"one of each":       {"g.csv", "id,name,numbers\nA,B,07700 900001\n", []string{"--region", "GB"}, "", "1 customer (0 of them unchanged), 1 number, 0 products, 0 tickets, 0 interactions; 0 lines rejected; ", 0},
		"one that is no good": {"h.csv", "id,name\n,B\nA,B\nC,D\n", nil, "cordboard: a line was rejected (line 2: no id): see %s.rejected.csv\n",
			"2 customers (0 of them unchanged), 0 numbers, 0 products, 0 tickets, 0 interactions; 1 line rejected; ", 1},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(filepath.Dir(o.server), c.file)
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, told, exit := run(t, "", append([]string{"import", "customers", "-c", o.server, file}, c.args...)...)
			says := strings.ReplaceAll(c.says, "%s", file)
			if exit != c.exit || !strings.Contains(told, says) || (says == "" && told != "") || !strings.HasPrefix(out, c.out) || (c.out == "" && out != "") {
				t.Errorf("exit %d, printed %q, told %q", exit, out, told)
			}
		})
	}
}

// registers gives the office a registrar, an agent whose telephone registers,
// and one who is called at a contact.
func (o *office) registers(t *testing.T) {
	t.Helper()
	for name, change := range map[string][2]string{
		o.server: {"max_calls: 100}", "max_calls: 100, registrar: {realm: desk.example.com}}"},
		filepath.Join(filepath.Dir(o.server), "routing.yaml"): {"agents:\n", "agents:\n  boris: {name: Boris Falk, skills: {care: 3}}\n"},
	} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(string(text), change[0], change[1], 1)
		if changed == string(text) {
			t.Fatalf("%s has no %q", name, change[0])
		}
		if err := os.WriteFile(name, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUserCommands(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.registers(t)
	does := func(exit int, want, in string, args ...string) {
		t.Helper()
		out, told, code := run(t, in, append([]string{"user", args[0], "-c", o.server}, args[1:]...)...)
		if code != exit || !strings.Contains(out+told, want) {
			t.Errorf("user %v: exit %d, %q %q; want exit %d, %q", args, code, out, told, exit, want)
		}
	}
	const secret = "correct horse\n"
	does(1, "carla is no agent in", secret, "add", "carla")
	does(1, "cordboard: a password is needed", "", "add", "boris")
	does(1, "a password has at least 8 characters", "short\n", "add", "boris")
	does(0, "a telephone may register with the same password", secret, "add", "boris", "--name", "Boris Falk")
	does(0, "anna may sign in as agent", secret, "add", "anna")
	out, _, code := run(t, secret, "user", "add", "-c", o.server, "mia", "--role", "supervisor")
	if code != 0 || out != "mia may sign in as supervisor\n" {
		t.Errorf("a supervisor: exit %d, %q", code, out)
	}
	does(1, "there is no user carla", "", "phone", "carla", "--generate")
	does(1, "mia is a supervisor: calls are for agents, and only their telephones register", "", "phone", "mia", "--generate")
	does(1, "anna has a contact of its own in", "", "phone", "anna", "--generate")
	does(0, "ID     ROLE        TELEPHONE  NAME\nanna   agent       password   Anna Berg\nboris  agent       password   Boris Falk\nmia    supervisor  -          mia\n", "", "list")
	does(0, "", "", "phone", "boris", "--generate")
	does(0, "", "", "remove", "anna")
	does(1, "there is no user anna", "", "remove", "anna")
	out, _, _ = run(t, "", "user", "list", "-c", o.server, "--json")
	if want := `[{"id":"boris","role":"agent","name":"Boris Falk","telephone":"own"},{"id":"mia","role":"supervisor","name":"mia","telephone":""}]` + "\n"; out != want {
		t.Errorf("list --json: %s", out)
	}
}

// calls lists what has ended, beside a server that has the store open, and
// says who called only when asked.
func TestCallsCommand(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	s, err := store.Open(t.Context(), store.Options{Path: o.db})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	now := time.Now()
	var ids []routing.CallID
	for _, ago := range []time.Duration{50 * time.Hour, 3 * time.Hour, time.Hour, time.Minute} {
		call, at := s.NextCall(), now.Add(-ago)
		ids = append(ids, call)
		s.Arrived(store.Arrival{Call: call, Number: "+447700900417", Dialled: "02079460000", Customer: "C1", At: at})
		if ago == time.Minute {
			continue // lives
		}
		s.Do(at, []routing.Action{routing.Enqueued{Call: call, Queue: "care", Since: at}})
		s.Do(at.Add(9*time.Second), []routing.Action{routing.EndCall{Call: call, Outcome: routing.Abandoned, By: routing.ByCaller}})
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := func(args ...string) string {
		t.Helper()
		out, told, exit := run(t, "", append([]string{"calls", "-c", o.server}, args...)...)
		if exit != 0 || told != "" {
			t.Errorf("calls %v: exit %d, %s", args, exit, told)
		}
		return out
	}
	lines := strings.Split(list(), "\n") // of a day
	want := fmt.Sprintf("%s  %d     care   -      abandoned  caller  9s    0s    -", now.Add(-3*time.Hour).Format("2006-01-02 15:04:05"), ids[1])
	if len(lines) != 4 || lines[1] != want {
		t.Errorf("listed\n%s\nwant\n%s", strings.Join(lines, "\n"), want)
	}
	for args, n := range map[string]int{
		"--since 7d": 3, "--since 2h": 1, "--since 30s": 0, "--since 7d --until 2h": 2,
		"--since " + now.Add(-51*time.Hour).Format(time.RFC3339) + " --until " + now.Add(-49*time.Hour).UTC().Format(time.RFC3339): 1,
	} {
		out := list(append(strings.Fields(args), "--json")...)
		if strings.Count(out, "\n") != n || strings.Contains(out, "900417") {
			t.Errorf("calls %s: %d lines, want %d: %s", args, strings.Count(out, "\n"), n, out)
		}
	}
	var row map[string]any
	if err := json.Unmarshal([]byte(list("--since", "2h", "--json", "--people")), &row); err != nil {
		t.Fatal(err)
	}
	if row["number"] != "+447700900417" || row["customer"] != "C1" || row["outcome"] != "abandoned" || row["wait_ms"] != 9000.0 || row["call"] != float64(ids[2]) {
		t.Errorf("row %v", row)
	}
	for args, says := range map[string]string{"--since yesterday": "--since: \"yesterday\" is not so long ago", "--people": "--people goes with --json"} {
		if _, told, exit := run(t, "", append([]string{"calls", "-c", o.server}, strings.Fields(args)...)...); exit != 1 || !strings.Contains(told, says) {
			t.Errorf("calls %s: exit %d, %s", args, exit, told)
		}
	}
}
