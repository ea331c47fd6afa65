package store_test

import (
	"encoding/csv"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/store"
)

// TestImportStrayQuote: a quote that should not be there costs the line it
// stands in and no other, and nothing of the file goes uncounted.
func TestImportStrayQuote(t *testing.T) {
	t.Parallel()
	const head = "id,name,numbers,heed\n"
	for name, c := range map[string]struct {
		text  string
		taken int
		says  []string
	}{
		"never closed": {
			"A1,Ada,,\nA2,\"Barlow,,\nA3,Cole,,\nA4,Dunn,,\n", 3,
			[]string{"3  a quote is opened here and not closed before line 4, which is a row by itself"},
		},
		"closed wrongly by the next quoted cell": {
			"A1,\"Ada,,\nA2,Barlow,,\"Loud; slow\"\nA3,\"Cole\",,\n", 2,
			[]string{"2  a quote is opened here and not closed before line 3, which is a row by itself"},
		},
		"closed by another stray quote": {
			"A1,Ada,,\"Speak\nA2,Barlow,,up\"\nA3,Cole,,\n", 1,
			[]string{"2  a quote is opened here and not closed before line 3, which is a row by itself", `3  bare " in non-quoted field`},
		},
		"behind it is no row": {
			"A1,Ada,,\"Speak\n\nnonsense\nA3,Cole,,\n", 1,
			[]string{"2  a quote is opened here and not closed before line 5, which is a row by itself", "4  1 columns, the first row has 4"},
		},
		"at the end": {
			"A1,Ada,,\nA2,Barlow,,\"Speak\n", 1, []string{"3  a quote is opened here and never closed"},
		},
		"a name over two lines": {
			"A1,\"Ada\nAshdown\",,\nA2,Barlow,,\n", 1,
			[]string{"2  a quote is opened here and closed in line 3: name runs over several lines", `3  bare " in non-quoted field`},
		},
		"too many columns in the end": {
			"A1,Ada,,\"Speak\nslowly\",,\nA2,Barlow,,\n", 1,
			[]string{"2  a quote is opened here and closed in line 3: that makes 6 columns, the first row has 4", `3  bare " in non-quoted field`},
		},
		"lines in a text": {
			"A1,Ada,\"07700 900001;\n07700 900002\",\"Speak slowly;\n\nask \"\"twice\"\", always, please\"\nA2,Barlow,,\n", 2, nil,
		},
		"lines in a text of a row with an error": {
			"A1,,,\"Speak\nslowly\"\nA2,Barlow,,\n", 1,
			[]string{"2 A1 no name", "3 A1 it belongs to the row that begins in line 2"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, rejects := load(t, fresh(t), store.CSV, head+c.text)
			lines := 1 + strings.Count(c.text, "\n")
			if !reflect.DeepEqual(rejects, c.says) || report.Customers != c.taken || report.Rejected != len(c.says) || report.Line != lines || report.Bytes != int64(len(head+c.text)) {
				t.Errorf("%+v of %d lines, rejects %q, want %d and %q", report, lines, rejects, c.taken, c.says)
			}
		})
	}
}

// TestImportStrayQuoteAnywhere: wherever a quote slips in, each row but the one
// it stands in is taken.
func TestImportStrayQuoteAnywhere(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	rng := rand.New(rand.NewPCG(7, 11))
	const rows = 40
	for range 200 {
		text := []string{"id,name,numbers,heed"}
		for i := range rows {
			text = append(text, fmt.Sprintf(`A%d,"Ada, the %dth",07700 9%05d,Speak`, i, i, i))
		}
		hit := 1 + rng.IntN(rows)
		at := rng.IntN(len(text[hit]) + 1)
		text[hit] = text[hit][:at] + `"` + text[hit][at:]
		file := strings.Join(text, "\n") + "\n"
		var rejects strings.Builder
		report, err := s.Import(t.Context(), strings.NewReader(file), store.CSV, store.ImportOptions{Region: "GB", Reject: &rejects})
		if err != nil {
			t.Fatal(err)
		}
		if report.Customers < rows-1 || report.Customers+report.Rejected != rows {
			t.Fatalf("a quote in %s: %+v\n%s", text[hit], report, rejects.String())
		}
	}
}

// TestImportReadsWhatIsWritten: rows as encoding/csv writes them are cut as it
// cuts them.
func TestImportReadsWhatIsWritten(t *testing.T) {
	t.Parallel()
	s := fresh(t)
	rng := rand.New(rand.NewPCG(3, 5))
	pieces := []string{`"`, ",", ";", "\n", "a", " ", "ö", `""`}
	for _, end := range []string{"\n", "\r\n"} {
		var file strings.Builder
		w := csv.NewWriter(&file)
		w.UseCRLF = end == "\r\n"
		rows := [][]string{{"id", "name", "numbers", "heed"}}
		for i := range 200 {
			heed := "x"
			for range rng.IntN(6) {
				heed += pieces[rng.IntN(len(pieces))]
			}
			rows = append(rows, []string{fmt.Sprintf("W%d", i), `Dana "D", W`, fmt.Sprintf("+4477009%05d", i), heed})
		}
		if err := w.WriteAll(rows); err != nil {
			t.Fatal(err)
		}
		report, err := s.Import(t.Context(), strings.NewReader(file.String()), store.CSV, store.ImportOptions{})
		if err != nil || report.Customers != 200 || report.Rejected != 0 {
			t.Fatalf("%+v, %v", report, err)
		}
		for _, row := range rows[1:] {
			var want []string
			for item := range strings.SplitSeq(row[3], ";") {
				if item = strings.TrimSpace(item); item != "" {
					want = append(want, item)
				}
			}
			if r := lookup(t, s, row[2]); r.Name != row[1] || !slices.Equal(r.Heed, want) {
				t.Fatalf("%q was read as %q %q", row, r.Name, r.Heed)
			}
		}
	}
}
