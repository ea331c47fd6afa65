package doctor

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// asideShown is how many of the files that were put aside are named.
const asideShown = 5

// aside looks for files that the server has put aside: what of them could not be
// read, or not be written to the database, is nowhere else.
func aside(_ context.Context, p Patient) []Line {
	const of = "files put aside"
	var found []string
	size := int64(0)
	for _, pattern := range []string{"ledger.spill.refused-*", filepath.Join("messages", "*.damaged")} {
		paths, _ := filepath.Glob(filepath.Join(p.Server.Store.Journal, pattern)) // the pattern is good
		for _, path := range paths {
			if f, err := os.Lstat(path); err == nil && f.Mode().IsRegular() {
				found, size = append(found, path), size+f.Size()
			}
		}
	}
	if len(found) == 0 {
		return []Line{ok(of, "none beside the journal")}
	}
	named := strings.Join(found[:min(len(found), asideShown)], ", ")
	if n := len(found) - asideShown; n > 0 {
		named += fmt.Sprintf(" and %d more", n)
	}
	return []Line{bad(Warn, of, fmt.Sprintf("%d, %d KiB together: %s", len(found), (size+1023)>>10, named),
		"What they hold is not in the database: the log of that time says why. Keep a copy while somebody looks into it, then remove them: there are callers' numbers and voices in them")}
}
