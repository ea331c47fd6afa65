package main

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/doctor"
)

// Whether the office's ports are free is this machine's affair; the rest is not.
func TestDoctor(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	out, told, exit := run(t, "", "doctor", o.server, "--format", "json")
	var lines []doctor.Line
	if err := json.Unmarshal([]byte(out), &lines); err != nil || told != "" {
		t.Fatalf("%v: %q %q", err, out, told)
	}
	for _, of := range []string{"sip.listen[0]", "web.listen", "admin", "media.ports", "store", "store.journal", "descriptors"} {
		if !slices.ContainsFunc(lines, func(l doctor.Line) bool { return l.Of == of && l.Says != "" }) {
			t.Errorf("nothing is said of %s", of)
		}
	}
	if want := map[bool]int{true: 1}[doctor.Worst(lines) == doctor.Fail]; exit != want {
		t.Errorf("exit %d, want %d: %s", exit, want, out)
	}
	text, err := os.ReadFile(o.server)
	if err != nil {
		t.Fatal(err)
	}
	away := strings.Replace(string(text), "{path: cordboard.db}", `{postgres: "postgres://nobody@127.0.0.1:1/none"}`, 1)
	if err := os.WriteFile(o.server, []byte(away), 0o600); err != nil || away == string(text) {
		t.Fatal(err)
	}
	out, told, exit = run(t, "", "doctor", o.server)
	if exit != 1 || told != "" || !strings.Contains(out, "\nFAIL store: the database does not answer: ") || !strings.Contains(out, "\nok   media.ports: ") {
		t.Errorf("exit %d, told %q:\n%s", exit, told, out)
	}
}
