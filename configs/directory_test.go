package configs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// directoryOf reads NAME.directory of testdata, named as in reports; nil when
// there is none.
func directoryOf(t *testing.T, path string) *DirectoryFile {
	t.Helper()
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return NewDirectory("directory.yaml", b)
}

// What check says of a document with its directory, NAME.directory, is exactly
// the text of NAME.directory.txt.
func TestCheckWithDirectory(t *testing.T) {
	files, err := filepath.Glob("testdata/directory/*.directory")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, path := range append(files, "testdata/check/telecom-operator.directory") {
		base := strings.TrimSuffix(path, ".directory")
		t.Run(filepath.Base(base), func(t *testing.T) {
			d := directoryOf(t, path)
			r := checkBeside(t, base+".yaml", path, d)
			var b strings.Builder
			if err := r.Print(&b); err != nil {
				t.Fatal(err)
			}
			compareGolden(t, path+".txt", b.String())
			p, _ := ParseRouting("x.yaml", readAll(t, base+".yaml"), Directory(d))
			if refused := r.Count(Error) > 0 && !strings.Contains(b.String(), " Q704 "); (p == nil) != refused {
				t.Errorf("check refuses: %v, and the document loads: %v", refused, p != nil)
			}
			if p != nil && (p.Directory != d.SHA256 || len(p.Agents) == 0) {
				t.Errorf("directory %q with %d agents", p.Directory, len(p.Agents))
			}
		})
	}
}
