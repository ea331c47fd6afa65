package interop

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var block = regexp.MustCompile("(?s)`([a-z.]+)`:?\n+```[a-z]*\n(.*?)```")

// TestGuide holds the integration guide against the files that the tests run
// on: what it prints as a file is that file, or a part of it.
func TestGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join(repo(t), "docs/integrations/asterisk.md"))
	must(t, err)
	printed := map[string]bool{}
	blocks := block.FindAllStringSubmatch(string(guide), -1)
	if all := strings.Count(string(guide), "```") / 2; len(blocks) != all {
		t.Errorf("%d of %d blocks stand under the name of a file", len(blocks), all)
	}
	for _, b := range blocks {
		name, text := b[1], b[2]
		printed[name] = true
		path := filepath.Join("testdata", name)
		whole := strings.HasSuffix(name, ".conf")
		if whole {
			path = filepath.Join("testdata/asterisk", name)
		}
		file, err := os.ReadFile(path)
		must(t, err)
		if whole && text != string(file) || !strings.Contains(string(file), text) {
			t.Errorf("the guide's %s is not what ran", name)
		}
	}
	for _, name := range []string{"pjsip.conf", "extensions.conf", "cordboard.yaml", "routing.yaml"} {
		if !printed[name] {
			t.Errorf("the guide does not print %s", name)
		}
	}
}
