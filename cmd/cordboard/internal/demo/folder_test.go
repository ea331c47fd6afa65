package demo

import (
	"os"
	"path/filepath"
	"testing"
)

// A demo that starts removes what one that was killed has left, and nothing
// that may be somebody's.
func TestLeftoversOfTheDeadAreRemoved(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	lay := func(name string, files ...string) string {
		dir := filepath.Join(os.TempDir(), name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	alive, err := newFolder()
	if err != nil {
		t.Fatal(err)
	}
	dead := lay(folderName+"dead", lockName, "demo.db")
	stay := []string{alive.path, lay(folderName+"starting", "demo.db"), lay("another", lockName), filepath.Join(os.TempDir(), folderName+"link")}
	if err := os.Symlink(lay("elsewhere", lockName), stay[3]); err != nil {
		t.Fatal(err)
	}
	if err := removeLeftovers(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("what the dead one left is there: %v", err)
	}
	for _, path := range stay {
		if _, err := os.Stat(path); err != nil {
			t.Errorf("it took %v", err)
		}
	}
	if err := alive.remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(alive.path); !os.IsNotExist(err) {
		t.Errorf("its own folder is there: %v", err)
	}
}
