package store_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cordboard/cordboard/store"
)

// TestImportTextUnfit: texts that no database keeps as they are cost their own
// line and no other.
func TestImportTextUnfit(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		for _, c := range []struct {
			format store.Format
			text   string
			taken  int
			says   []string
		}{
			{store.CSV, "id,name,numbers\nM\xfcller,Dana,+447700900417\nM\xe4ller,Dana,+447700900417\nA,Dan\xe9,+447700900417\nB,Dana,+447700900417\n", 1,
				[]string{"2,M?ller,id is not UTF-8", "3,M?ller,id is not UTF-8", "4,A,name is not UTF-8"}},
			{store.JSONL, "{\"id\":\"C\",\"name\":\"Dan\xe9\"}\n" + `{"id":"D","name":"Dana","products":[{"id":"a\u0000","kind":"tv","name":"TV","status":"active"},{"id":"a�","kind":"tv","name":"TV","status":"active"}]}` + "\n" +
				`{"id":"E","name":"Dana"}` + "\n", 1, []string{"1,,it is not UTF-8", "2,D,product 1: "}},
		} {
			var rejects strings.Builder
			report, err := s.Import(t.Context(), strings.NewReader(c.text), c.format, store.ImportOptions{Reject: &rejects})
			if err != nil || report.Customers != c.taken || report.Rejected != len(c.says) {
				t.Errorf("%s: %+v, %v", c.format, report, err)
			}
			for _, line := range c.says {
				if !strings.Contains(rejects.String(), "\n"+line) {
					t.Errorf("%s: rejects\n%s\nlack %s", c.format, rejects.String(), line)
				}
			}
		}
	})
}

// TestImportsRace: imports that change the same customers over and over, each
// in its own order and way, all get through, and none leaves a customer with the
// parts of two.
func TestImportsRace(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		const imports, rounds, people = 3, 4, 40
		var all sync.WaitGroup
		for i := range imports {
			all.Go(func() {
				for n := range rounds {
					mine := thin(people)
					for j := range mine {
						mine[j].Name = fmt.Sprintf("import %d round %d", i, n)
						mine[j].Products[0].ID, mine[j].Products[0].Name = mine[j].Name, mine[j].Name
					}
					if i%2 == 1 {
						slices.Reverse(mine)
					}
					if report, err := s.Import(t.Context(), jsonl(t, mine), store.JSONL, store.ImportOptions{}); err != nil || report.Customers != people {
						t.Errorf("%+v, %v", report, err)
					}
				}
			})
		}
		all.Wait()
		for _, p := range thin(people) {
			r := lookup(t, s, p.Numbers[0].E164)
			if len(r.Numbers) != 1 || len(r.Products) != 1 || r.Products[0].Name != r.Name {
				t.Errorf("customer %s: %s has products %+v", r.ID, r.Name, r.Products)
			}
		}
	})
}
