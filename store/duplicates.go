package store

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Duplicate are customers who may be one: each has the number that the others have,
// and their names are of the same words.
type Duplicate struct {
	Customers []string `json:"customers"` // ids, in order
	Numbers   int      `json:"numbers"`   // that they share
}

const qNumbersInOrder = `SELECT n.e164, c.id, c.name FROM customer_numbers n JOIN customers c ON c.key = n.key
	WHERE n.valid_to = '' OR n.valid_to >= $1 ORDER BY n.e164, n.customer`

const qAllApart = `SELECT COALESCE(x.whole, a.one), COALESCE(y.whole, a.other) FROM customers_apart a
	LEFT JOIN customer_merges x ON x.other = a.one LEFT JOIN customer_merges y ON y.other = a.other`

// apart are pairs of customers who are not one.
type apart map[[2]string]bool

func (s *Store) apart(ctx context.Context) (apart, error) {
	out := apart{}
	err := each(ctx, s.read, qAllApart, nil, func(row *sql.Rows) error {
		var a, b string
		err := row.Scan(&a, &b)
		out[[2]string{a, b}], out[[2]string{b, a}] = true, true
		return err
	})
	return out, err
}

// rest is a group without those who are none of the others.
func (a apart) rest(ids []string) []string {
	if len(a) == 0 {
		return ids
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool {
		return !slices.ContainsFunc(ids, func(other string) bool { return other != id && !a[[2]string{id, other}] })
	})
}

// Duplicates finds customers who may be one, those first who share the most numbers,
// without those of whom somebody has said that they are not, or who are merged.
// It reads the numbers once, in order; nothing is changed.
func (s *Store) Duplicates(ctx context.Context) ([]Duplicate, error) {
	apart, err := s.apart(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: duplicates: %w", err)
	}
	number := ""
	named := map[string][]string{}    // ids by the words of the name, of the number being read
	shared := map[string]*Duplicate{} // by ids
	over := func() {
		for words, ids := range named {
			ids = apart.rest(ids)
			if len(ids) > 1 && words != "" {
				slices.Sort(ids) // their numbers' order is that of the accounts
				id := strings.Join(ids, "\x00")
				if shared[id] == nil {
					shared[id] = &Duplicate{Customers: ids}
				}
				shared[id].Numbers++
			}
		}
		clear(named)
	}
	err = each(ctx, s.read, qNumbersInOrder, []any{time.Now().Format(time.DateOnly)}, func(row *sql.Rows) error {
		var e164, id, name string
		if err := row.Scan(&e164, &id, &name); err != nil {
			return err
		}
		if e164 != number {
			over()
			number = e164
		}
		words := nameKey(name)
		if !slices.Contains(named[words], id) { // accounts of one may share a number
			named[words] = append(named[words], id)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("store: duplicates: %w", err)
	}
	over()
	out := make([]Duplicate, 0, len(shared))
	for _, d := range shared {
		slices.Sort(d.Customers)
		out = append(out, *d)
	}
	slices.SortFunc(out, func(a, b Duplicate) int {
		if a.Numbers != b.Numbers {
			return b.Numbers - a.Numbers
		}
		return slices.Compare(a.Customers, b.Customers)
	})
	return out, nil
}

// nameKey is the words of a name in one order and one case: "Whitcombe, Dana" is
// "Dana Whitcombe".
func nameKey(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Mn, r) })
	slices.Sort(words)
	return strings.Join(words, " ")
}
