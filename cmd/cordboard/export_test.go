package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The command exports with no server running, to the screen or to a file of the
// user's own that was not there before.
func TestExportCommand(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	folder := filepath.Dir(o.server)
	file, to := filepath.Join(folder, "one.csv"), filepath.Join(folder, "odalys.json")
	if err := os.WriteFile(file, []byte("id,name,numbers\nLW-9,Odalys Whitcombe,+447700900499\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, told, exit := run(t, "", "import", "customers", "-c", o.server, file); exit != 0 {
		t.Fatal(told)
	}
	for _, step := range []struct {
		args, says string
		exit       int
	}{
		{"LW-9", `"name": "Odalys Whitcombe"`, 0},
		{"LW-9 --out " + to, "exported to " + to, 0},
		{"LW-9 --out " + to, "file exists", 1},
		{"LW-10", `"customer": null`, 0},
		{"--number +447700900499", "name the customer by id", 1},
		{"--number 0", "the number is none", 1},
	} {
		out, told, exit := run(t, "", append([]string{"export", "-c", o.server}, strings.Fields(step.args)...)...)
		if exit != step.exit || !strings.Contains(out+told, step.says) {
			t.Errorf("%s: exit %d, %q %q", step.args, exit, out, told)
		}
	}
	text, err := os.ReadFile(to)
	if err != nil || !json.Valid(text) || !strings.Contains(string(text), "+447700900499") {
		t.Errorf("%s, %v", text, err)
	}
	if info, err := os.Stat(to); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
}
