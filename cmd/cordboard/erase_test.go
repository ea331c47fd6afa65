package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The command erases with no server running, only when it is meant, and says what
// there was.
func TestEraseCommand(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	file := filepath.Join(filepath.Dir(o.server), "one.csv")
	if err := os.WriteFile(file, []byte("id,name,numbers\nLW-9,Odalys Whitcombe,+447700900499\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, told, exit := run(t, "", "import", "customers", "-c", o.server, file); exit != 0 {
		t.Fatal(told)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args, says string
		exit       int
	}{
		{"LW-9", "say --yes", 1},
		{"--number +447700900499 --yes", "name the customer by id", 1},
		{"--number 0 --yes", "the number is none", 1},
		{"LW-9 --yes", "erased: customer yes, 0 calls", 0},
		{"LW-9 --yes", "nothing of that person was kept", 0},
		{"--number +447700900499 --yes", "nothing of that person was kept", 0},
	} {
		out, told, exit := run(t, "", append([]string{"erase", "-c", o.server}, strings.Fields(step.args)...)...)
		if exit != step.exit || !strings.Contains(out+told, step.says) {
			t.Errorf("%s: exit %d, %q %q", step.args, exit, out, told)
		}
	}
	files, err := filepath.Glob(o.db + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil || strings.Contains(string(text), "Odalys") || strings.Contains(string(text), "7700900499") {
			t.Errorf("%s has her still (%v)", filepath.Base(f), err)
		}
	}
}
