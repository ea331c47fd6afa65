package store

import (
	"errors"
	"io"
	"strings"
	"testing"
)

// TestQuotesCostLittle: what a file does with its quotes, each line is looked at a
// few times and few are kept.
func TestQuotesCostLittle(t *testing.T) {
	t.Parallel()
	const many = 1_000_000
	for name, c := range map[string]struct{ text, says string }{
		"empty lines behind a quote":         {"A1,\"x" + strings.Repeat("\n", many), "within 10000 lines"},
		"a long id and lines like no row":    {strings.Repeat("A", 2<<20) + ",\"x\n" + strings.Repeat(",\n", many), "within 10000 lines"},
		"a quote in every line":              {strings.Repeat("A1,\"x\n,y\"z\n", many/10), "not closed as it should"},
		"a line that is longer than allowed": {"A1,\"x\n" + strings.Repeat("y", 5<<20) + "\n", "within 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, err := newCSVFeed(strings.NewReader("id,name\n" + c.text))
			if err != nil {
				t.Fatal(err)
			}
			most := 0
			for first := true; !errors.Is(err, io.EOF); first = false {
				_, err = f.next()
				most = max(most, len(f.ahead))
				var why *badLine
				switch {
				case first && (!errors.As(err, &why) || !strings.Contains(why.reason, c.says)):
					t.Fatalf("the first line: %v, want %q", err, c.says)
				case err != nil && !errors.As(err, &why) && !errors.Is(err, io.EOF):
					t.Fatal(err)
				}
			}
			if most > maxRowLines+1 {
				t.Errorf("%d lines were kept", most)
			}
		})
	}
}
