package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// README's "Run it" goes through with the files it names, and leaves nothing in
// the tree that git would take in.
func TestRunItWithTheExamples(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../configs/example")); err != nil {
		t.Fatal(err)
	}
	server := filepath.Join(dir, "cordboard.yaml")
	for _, step := range []struct {
		args []string
		out  string
	}{
		{[]string{"check", server}, server + ": no errors\n"},
		{[]string{"import", "customers", "-c", server, "--region", "GB", filepath.Join(dir, "customers.csv")}, "4 customers (0 of them unchanged), 6 numbers, 6 products, "},
		{[]string{"import", "answers", "-c", server, filepath.Join(dir, "answers.jsonl")}, "3 answers\n"},
		{[]string{"user", "add", "-c", server, "priya"}, "priya may sign in as agent\n"},
		{[]string{"calls", "-c", server, "--json"}, ""},
	} {
		if out, told, exit := run(t, "correct horse\n", step.args...); exit != 0 || !strings.HasPrefix(out, step.out) || told != "" {
			t.Errorf("%v: exit %d, %q %q", step.args, exit, out, told)
		}
	}
	for _, name := range []string{"cordboard.yaml", "routing.yaml", "customers.csv", "answers.jsonl", "customers.csv.rejected.csv", "var/cordboard.db", "bin/cordboard"} {
		c := exec.CommandContext(t.Context(), "git", "check-ignore", "-q", name)
		c.Dir = "../.."
		if err := c.Run(); err != nil && inGit(t) {
			t.Errorf("git would take %s in: %v", name, err)
		}
	}
}

// inGit: an archive of the sources is no work tree.
func inGit(t *testing.T) bool {
	t.Helper()
	_, err := os.Stat("../../.git")
	return err == nil
}
