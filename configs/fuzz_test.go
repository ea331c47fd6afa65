package configs

import (
	"io"
	"os"
	"path/filepath"
	"testing"
)

// seed adds every file of testdata and example.
func seed(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.yaml", "example/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Add([]byte("cordboard: routing/1\nroute: {queue: a, routes: [{name: b, when: \"\\\n x\"}]}\n"))
}

// sound checks what must hold for any file: a result or findings, never both,
// and places that lie within the file.
func sound(t *testing.T, loaded bool, findings []Finding) {
	if loaded == (len(findings) > 0) {
		t.Fatalf("loaded: %v, findings: %d", loaded, len(findings))
	}
	for _, f := range findings {
		if f.Line < 1 || f.Col < 1 || f.Code == "" || f.Msg == "" || f.Caret > len([]rune(f.Source)) {
			t.Fatalf("%+v", f)
		}
	}
}

func FuzzParseRouting(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		p, findings := ParseRouting("fuzz.yaml", b)
		sound(t, p != nil, findings)
		if p != nil && (p.Route == nil || p.Queues[p.Route.Queue] == nil) {
			t.Fatal("a policy whose root has no queue")
		}
	})
}

func FuzzParseServer(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, findings := ParseServer("fuzz.yaml", b)
		sound(t, s != nil, findings)
	})
}

// Whatever the document says, a check comes to an end, its places lie within
// the file, and it agrees with the reader on what is an error.
func FuzzCheck(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := Check("fuzz.yaml", b, CheckInput{Today: checkDay})
		for _, finding := range r.Findings {
			if finding.Line < 1 || finding.Col < 1 || finding.Code == "" || finding.Msg == "" {
				t.Fatalf("%+v", finding)
			}
			if _, known := lintOf(finding.Code); !known {
				t.Fatalf("%s is not in the catalogue", finding.Code)
			}
		}
		if err := r.PrintSARIF(io.Discard, "test"); err != nil {
			t.Fatal(err)
		}
		if p, _ := ParseRouting("fuzz.yaml", b); p == nil && r.Exit() == 0 {
			t.Fatal("check takes what is refused")
		}
	})
}
