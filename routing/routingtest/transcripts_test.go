package routingtest

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write what the engine does below the line of each transcript")

const divider = "----"

func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			above, below, ok := strings.Cut(string(raw), divider+"\n")
			if !ok {
				t.Fatalf("no line %q", divider)
			}
			c, err := Parse(above)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Until(below); err != nil {
				t.Fatal(err)
			}
			lines, err := c.Run()
			if err != nil {
				t.Fatal(err)
			}
			got := strings.Join(lines, "\n") + "\n"
			if got == below {
				return
			}
			if !*rewrite {
				t.Fatalf("got:\n%s\nwant:\n%s", got, below)
			}
			if err := os.WriteFile(file, []byte(above+divider+"\n"+got), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}
