package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// README's "Run it", line by line as it stands there, with the files it names.
// Only the ports are others: those of the examples may be somebody's.
func TestRunItAsWritten(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	said := map[string]string{ // how a line answers; one that is not here ends well, and what it prints is free
		"bin/cordboard check cordboard.yaml":                       "cordboard.yaml: no errors\n",
		"bin/cordboard import customers customers.csv --region GB": "4 customers (0 of them unchanged), 6 numbers, 6 products, ",
		"bin/cordboard import answers answers.jsonl":               "3 answers\n",
		"bin/cordboard user add priya":                             "priya may sign in as agent\na telephone may register with the same password",
	}
	lines := runItLines(t)
	want := []string{"make build", "cp configs/example/* ."}
	if len(lines) < 9 || lines[0] != want[0] || lines[1] != want[1] {
		t.Fatalf("README's lines: %q", lines)
	}
	copyExamples(t, dir)
	for _, line := range lines[2:] {
		args := words(line)
		if args[0] != "bin/cordboard" {
			t.Fatalf("%s is no line of the command", line)
		}
		c := command(t, args[1:]...)
		c.Dir = dir
		if args[1] == "serve" {
			defer serving(t, c)()
			continue
		}
		var out, told bytes.Buffer
		c.Stdin, c.Stdout, c.Stderr = strings.NewReader("correct horse\n"), &out, &told
		if err := c.Run(); err != nil || told.Len() > 0 || !strings.HasPrefix(out.String(), said[line]) {
			t.Errorf("%s: %v, printed %q, told %q", line, err, out.String(), told.String())
		}
		delete(said, line)
	}
	if len(said) > 0 {
		t.Errorf("README has no line %v", said)
	}
}

// words splits a line as a shell does: what stands between two ' is one word.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
		} else {
			out = append(out, strings.Fields(part)...)
		}
	}
	return out
}

// runItLines are the commands of README's "Run it", without their comments.
func runItLines(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ = bytes.Cut(text, []byte("\n## Run it\n\n```\n"))
	block, _, found := strings.Cut(string(text), "```")
	if !found {
		t.Fatal("README has no Run it")
	}
	var lines []string
	for line := range strings.Lines(block) {
		line, _, _ = strings.Cut(line, " #")
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

// copyExamples is cp configs/example/* and the examples' ports made free ones.
func copyExamples(t *testing.T, dir string) {
	t.Helper()
	if err := os.CopyFS(dir, os.DirFS("../../configs/example")); err != nil {
		t.Fatal(err)
	}
	server := filepath.Join(dir, "cordboard.yaml")
	text, err := os.ReadFile(server)
	if err != nil {
		t.Fatal(err)
	}
	for _, port := range []string{":5060", ":8080", ":9090"} {
		if !bytes.Contains(text, []byte(port+`"`)) {
			t.Fatalf("the example does not listen at %s", port)
		}
		text = bytes.ReplaceAll(text, []byte(port+`"`), []byte(`:0"`))
	}
	if err := os.WriteFile(server, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// serving starts the server and waits until it serves. What it returns stops
// it, and sees it stop well.
func serving(t *testing.T, c *exec.Cmd) (stop func()) {
	t.Helper()
	log, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var lines strings.Builder
	in := bufio.NewScanner(log)
	for in.Scan() {
		lines.WriteString(in.Text() + "\n")
		if strings.Contains(in.Text(), `"msg":"serving"`) {
			break
		}
	}
	return func() {
		err := c.Process.Signal(syscall.SIGTERM)
		_, drained := io.Copy(&lines, log)
		if err := errors.Join(err, drained, c.Wait()); err != nil || !strings.Contains(lines.String(), `"msg":"serving"`) {
			t.Errorf("serve: %v\n%s", err, lines.String())
		}
	}
}

// What "Run it" leaves in the tree is nothing that git would take in.
func TestRunItLeavesNothingForGit(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("../../.git"); err != nil {
		t.Skip("an archive of the sources is no work tree")
	}
	for _, name := range []string{"cordboard.yaml", "routing.yaml", "customers.csv", "answers.jsonl", "customers.csv.rejected.csv", "var/cordboard.db", "bin/cordboard"} {
		c := exec.CommandContext(t.Context(), "git", "check-ignore", "-q", name)
		c.Dir = "../.."
		if err := c.Run(); err != nil {
			t.Errorf("git would take %s in: %v", name, err)
		}
	}
}
