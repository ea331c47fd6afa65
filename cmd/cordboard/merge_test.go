package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The command merges two, says how to undo it, undoes it, and keeps apart who is not
// one; it names nobody but by id.
func TestMergeCommand(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	file := filepath.Join(filepath.Dir(o.server), "two.csv")
	text := "id,name,numbers\nD-1,Odalys Whitcombe,+447700900499;+447700900498\nD-2,\"WHITCOMBE, Odalys\",+447700900499\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, told, exit := run(t, "", "import", "customers", "-c", o.server, file); exit != 0 {
		t.Fatal(told)
	}
	for _, step := range []struct {
		args, says string
		exit       int
	}{
		{"merge --list", "no customers are merged", 0},
		{"merge D-1", "want two customers", 1},
		{"merge D-1 D-2 --undo 1", "want one of", 1},
		{"merge D-1 D-9", `there is no customer "D-9"`, 1},
		{"merge D-1 D-2 --dry-run", "would merge D-2 into D-1, and does not: D-1 has 2 numbers, 0 products, 0 tickets, 0 contacts; D-2 has 1 number,", 0},
		{"duplicates", "D-1, D-2: 1 number shared", 0},
		{"merge D-1 D-2", "merged: D-2 is shown with D-1; to undo it: cordboard merge --undo 1", 0},
		{"duplicates", "no two customers", 0},
		{"merge D-2 D-1", "are one customer already", 1},
		{"merge --list", "D-2 into D-1, by ", 0},
		{"erase D-2", "2 customers were merged and are erased with each other: D-1, D-2; erasing can't be undone", 1},
		{"merge --undo 1 --json", `{"merge":1,"whole":"D-1","kept":"D-1","other":"D-2"`, 0},
		{"merge --undo 1", "there is no merge 1", 1},
		{"merge D-1 D-2 --apart", "D-1 and D-2 are not one", 0},
		{"duplicates", "no two customers", 0},
		{"erase D-2", "erasing can't be undone", 1},
	} {
		args := strings.Fields(step.args)
		out, told, exit := run(t, "", append([]string{args[0], "-c", o.server}, args[1:]...)...)
		if exit != step.exit || !strings.Contains(out+told, step.says) || strings.Contains(out+told, "Odalys") {
			t.Errorf("%s: exit %d, %q %q", step.args, exit, out, told)
		}
	}
}
