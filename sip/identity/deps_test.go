package identity

import (
	"go/parser"
	"go/token"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestDeps keeps the package pure: text in, a Caller out.
func TestDeps(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), ".go") || strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		seen++
		parsed, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			switch {
			case path == "github.com/nyaruka/phonenumbers", path == "net/netip":
			case strings.Contains(path, "."):
				t.Errorf("%s imports %s: only the standard library and phonenumbers are allowed", f.Name(), path)
			default:
				for _, no := range []string{"net", "os", "log", "context", "sync", "time", "io", "math/rand", "database", "syscall"} {
					if path == no || strings.HasPrefix(path, no+"/") {
						t.Errorf("%s imports %s: the package is pure", f.Name(), path)
					}
				}
			}
		}
	}
	if seen == 0 {
		t.Fatal("no source file read")
	}
}
