package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// designFolder holds the documents that the language was designed on, and what check
// must say of them (expected.txt). Their numbers are those that nobody has.
const designFolder = "../../configs/testdata/design/"

// section is one run of check in expected.txt.
type section struct {
	title string
	args  []string
	files map[string]string // that stand beside the document
	want  string
}

// sections reads expected.txt: "== N. title", the command after "$", files between
// "-- NAME" and "--" (of a folder: the names in it), and what the command prints.
func sections(t *testing.T) (out []section) {
	t.Helper()
	text, err := os.ReadFile(designFolder + "expected.txt")
	if err != nil {
		t.Fatal(err)
	}
	var s *section
	var file string
	for line := range strings.Lines(string(text)) {
		bare := strings.TrimSuffix(line, "\n")
		switch {
		case strings.HasPrefix(line, "== "):
			out = append(out, section{title: bare[3:], files: map[string]string{}})
			s = &out[len(out)-1]
		case s == nil, bare == "" && file == "":
		case strings.HasPrefix(line, "$ cordboard "):
			s.args = strings.Fields(bare)[2:]
		case bare == "--":
			file = ""
		case strings.HasPrefix(line, "-- "):
			file = bare[3:]
		case file != "":
			s.files[file] += line
		default:
			s.want += line
		}
	}
	if len(out) != 4 {
		t.Fatalf("%d sections", len(out))
	}
	return out
}

// folder lays the section's files and the document out as the command names them.
func (s *section) folder(t *testing.T, document string) string {
	t.Helper()
	in := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(in, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(s.args[1], document)
	for name, text := range s.files {
		if filepath.Ext(name) != "" {
			write(name, text)
			continue
		}
		if err := os.Mkdir(filepath.Join(in, name), 0o700); err != nil {
			t.Fatal(err)
		}
		for sound := range strings.FieldsSeq(text) {
			write(filepath.Join(name, sound), "")
		}
	}
	directory, err := os.ReadFile(designFolder + "telecom-directory.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write("telecom-directory.yaml", string(directory))
	return in
}

// checked is what check prints, run in the folder.
func (s *section) checked(t *testing.T, document string) string {
	t.Helper()
	c := command(t, s.args...)
	var err error
	if c.Path, err = filepath.Abs(c.Path); err != nil { // for it runs elsewhere
		t.Fatal(err)
	}
	c.Dir = s.folder(t, document)
	var told strings.Builder
	c.Stderr = &told
	out, err := c.Output()
	if exit := fmt.Sprintf("exit %d\n", c.ProcessState.ExitCode()); told.Len() > 0 || !strings.HasSuffix(string(out), exit) {
		t.Errorf("%v, %s, ended with %s", err, told.String(), exit)
	}
	return string(out)
}

func document(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// sameLines compares two texts line by line.
func sameLines(t *testing.T, got, want string) {
	t.Helper()
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(g), len(w)) {
		var a, b string
		if i < len(g) {
			a = g[i]
		}
		if i < len(w) {
			b = w[i]
		}
		if a != b {
			t.Errorf("line %d:\n got %s\nwant %s", i+1, a, b)
		}
	}
}

// What check says of the documents that need nothing that is not built: every line.
func TestDesignedDocuments(t *testing.T) {
	t.Parallel()
	for _, s := range sections(t)[:3] {
		t.Run(s.title, func(t *testing.T) {
			t.Parallel()
			sameLines(t, s.checked(t, document(t, designFolder+s.args[1])), s.want)
		})
	}
}

// notBuilt is what the bank asks for that is refused by name, and what its document
// says instead, so that all the rest of it can be held to the design. Nothing moves:
// lines and columns of the findings are those of the whole document.
var notBuilt = []struct {
	path, text, instead string
}{
	{"order.overdue", "  overdue: {do: after, at_most: 60s}", "  # overdue: {do: after, at_most: 60s}"},
	{"queues.payments.choose.policy: percent", "{policy: percent, teams: {moscow: 50, kazan: 30, partner: 20}, then: least_occupied}", "{policy: least_occupied}"},
	{"queues.private.choose.policy: score", "{policy: score, score: {level: 5, known: 3, csat: 2, idle: 1}}", "{policy: longest_idle}"},
}

// Section 4, the bank, with its gaps: the keys of level 3, and none but these, are
// refused; without them every line holds, but that H has no part of `overdue`.
func TestDesignedBank(t *testing.T) {
	t.Parallel()
	bank := sections(t)[3]
	text := document(t, "../../configs/testdata/bad/bank.yaml")

	refused := bank.checked(t, text)
	later := regexp.MustCompile(`(?m)^bank\.yaml:\d+:\d+ E U001 (\S+?):? .*not supported yet`)
	for _, line := range strings.Split(refused, "\n") {
		if strings.Contains(line, " E ") && !later.MatchString(line) {
			t.Errorf("refused for another reason than its level: %s", line)
		}
	}
	for _, gap := range notBuilt {
		if !strings.Contains(refused, gap.path) {
			t.Errorf("%s is not refused by name:\n%s", gap.path, refused)
		}
		if strings.Count(text, gap.text) != 1 {
			t.Fatalf("the document has not once %q", gap.text)
		}
		text = strings.Replace(text, gap.text, gap.instead, 1)
	}

	const h, without = "H = 5m10s (280 - 0 points, 2 per second: 140s; promises 60s - 10s: 50s; overdue 60s + 60s: 120s)",
		"H = 3m10s (280 - 0 points, 2 per second: 140s; promises 60s - 10s: 50s)"
	if strings.Count(bank.want, h) != 1 {
		t.Fatal("the section has another H")
	}
	sameLines(t, bank.checked(t, text), strings.Replace(bank.want, h, without, 1))
}
