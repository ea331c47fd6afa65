package configs

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestTextDiff(t *testing.T) {
	if got := TextDiff("a", "b", []byte("x\ny\n"), []byte("x\ny\n")); got != "" {
		t.Errorf("no change: %q", got)
	}
	from := strings.Join([]string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"}, "\n") + "\n"
	to := strings.Replace(strings.Replace(from, "2\n", "two\n", 1), "11\n", "", 1)
	want := `--- version 1
+++ version 2
@@ -1,5 +1,5 @@
 1
-2
+two
 3
 4
 5
@@ -8,5 +8,4 @@
 8
 9
 10
-11
 12
`
	if got := TextDiff("version 1", "version 2", []byte(from), []byte(to)); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// What a difference says, patch makes of the one document the other; with as few
// lines as diff has.
func TestTextDiffPatches(t *testing.T) {
	draw := rand.New(rand.NewPCG(1, 2))
	text := func(n int) string {
		var b strings.Builder
		for range n {
			fmt.Fprintf(&b, "line %d\n", draw.IntN(12))
		}
		return b.String()
	}
	for round := range 60 {
		from, to := text(1+draw.IntN(60)), ""
		for l := range strings.Lines(from) {
			switch draw.IntN(8) {
			case 0:
			case 1:
				to += l + "added\n"
			default:
				to += l
			}
		}
		to += "end\n"
		diff := TextDiff("a", "b", []byte(from), []byte(to))
		if got := patched(t, from, diff); got != to {
			t.Fatalf("round %d: patched\n%q\nwant\n%q\nby\n%s", round, got, to, diff)
		}
	}
}

// patched applies a difference, as patch does, but exactly.
func patched(t *testing.T, from, diff string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	for name, text := range map[string]string{"a": from, "d": strings.Replace(diff, "+++ b\n", "+++ a\n", 1)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("git", "apply", "-p0", "--unidiff-zero", "d")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s\n%s", err, out, diff)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Documents that have nothing in common take no time for ever, and no memory of the server's.
func TestTextDiffFarApart(t *testing.T) {
	var a, b strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&a, "a%d\n", i)
		fmt.Fprintf(&b, "b%d\n", i)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	diff := TextDiff("a", "b", []byte(a.String()), []byte(b.String()))
	runtime.ReadMemStats(&after)
	if got := (after.TotalAlloc - before.TotalAlloc) >> 20; got > 24 {
		t.Errorf("the search takes %d MB", got)
	}
	if n := strings.Count(diff, "\n"); n != 8003 {
		t.Errorf("%d lines", n)
	}
}
