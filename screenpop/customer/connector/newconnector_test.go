package connector_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestNewConnector: the example of docs/integrations/new-connector.md is a file of this
// package that compiles.
func TestNewConnector(t *testing.T) {
	guide, err := os.ReadFile("../../../docs/integrations/new-connector.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(guide), "```go\n")
	code, _, found := strings.Cut(code, "```\n")
	if !found {
		t.Fatal("the guide has no Go in it")
	}
	dir := t.TempDir()
	file, overlay := filepath.Join(dir, "lines.go"), filepath.Join(dir, "overlay.json")
	here, err := filepath.Abs("lines.go")
	if err != nil {
		t.Fatal(err)
	}
	list, err := json.Marshal(map[string]any{"Replace": map[string]string{here: file}})
	if err != nil {
		t.Fatal(err)
	}
	for path, text := range map[string][]byte{file: []byte(code), overlay: list} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, command := range [][]string{{"go", "vet", "-overlay", overlay, "."}, {"gofmt", "-l", file}} {
		if out, err := exec.CommandContext(t.Context(), command[0], command[1:]...).CombinedOutput(); err != nil || len(out) > 0 {
			t.Errorf("%s: %v\n%s", command[0], err, out)
		}
	}
}
