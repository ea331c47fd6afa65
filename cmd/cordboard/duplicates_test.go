package main

import (
	"os"
	"path/filepath"
	"testing"
)

// The command names who may be one, by id and by nothing else.
func TestDuplicatesCommand(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	file := filepath.Join(filepath.Dir(o.server), "two.csv")
	text := "id,name,numbers\nD-1,Odalys Whitcombe,+447700900499;+447700900498\nD-2,\"WHITCOMBE, Odalys\",+447700900499;+447700900498\nD-3,Rhys Whitcombe,+447700900499\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, told, exit := run(t, "", "duplicates", "-c", o.server); exit != 0 || out != "no two customers share a number and a name\n" {
		t.Errorf("of nobody: exit %d, %q %q", exit, out, told)
	}
	if _, told, exit := run(t, "", "import", "customers", "-c", o.server, file); exit != 0 {
		t.Fatal(told)
	}
	for format, want := range map[string]string{"--json": `[{"customers":["D-1","D-2"],"numbers":2}]` + "\n", "--json=false": "D-1, D-2: 2 numbers shared\n"} {
		if out, told, exit := run(t, "", "duplicates", "-c", o.server, format); exit != 0 || out != want {
			t.Errorf("%s: exit %d, %q %q, want %q", format, exit, out, told, want)
		}
	}
}
