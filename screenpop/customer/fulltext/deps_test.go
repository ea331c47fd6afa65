package fulltext

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestDeps keeps the package pure: no clock, no goroutine, no IO, no logging.
func TestDeps(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		src, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, imp := range src.Imports {
			path, _ := strconv.Unquote(imp.Path.Value)
			switch path {
			case "net", "os", "log", "log/slog", "context", "sync", "sync/atomic", "io", "go.uber.org/zap", "math/rand", "math/rand/v2":
				t.Errorf("%s imports %s", f.Name(), path)
			}
			if strings.Contains(path, "cordboard") { // not even ours
				t.Errorf("%s imports %s", f.Name(), path)
			}
		}
	}
}
