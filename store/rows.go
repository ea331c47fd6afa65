package store

import (
	"strconv"
	"strings"
)

// rowsQuery is an INSERT of so many rows. There are few sizes of each, since
// every one is a statement that is kept prepared.
type rowsQuery struct {
	rows  int
	query string
}

// rowsOf makes the INSERT of one row into those of so many, the last of which
// must be 1.
func rowsOf(one string, columns int, sizes ...int) []rowsQuery {
	out := make([]rowsQuery, 0, len(sizes))
	for _, n := range sizes {
		out = append(out, rowsQuery{n, strings.Replace(one, tuple(0, columns), tuples(n, columns), 1)})
	}
	return out
}

func tuples(n, columns int) string {
	all := make([]string, n)
	for i := range all {
		all[i] = tuple(i*columns, columns)
	}
	return strings.Join(all, ", ")
}

// tuple is ($1, $2, ...), counting from the one after.
func tuple(after, columns int) string {
	all := make([]string, columns)
	for i := range all {
		all[i] = "$" + strconv.Itoa(after+i+1)
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// inRows does things in the largest groups that there are queries for.
func inRows[V any](queries []rowsQuery, all []V, do func(query string, some []V) error) error {
	for _, q := range queries {
		for ; len(all) >= q.rows; all = all[q.rows:] {
			if err := do(q.query, all[:q.rows]); err != nil {
				return err
			}
		}
	}
	return nil
}

// anonymous turns $1, $2, ... into ?, where each is used once and in order:
// SQLite's driver looks a parameter with a name up at each execution.
func anonymous(query string) string {
	var out strings.Builder
	rest := query
	for n := 1; ; n++ {
		i := strings.IndexByte(rest, '$')
		if i < 0 {
			out.WriteString(rest)
			return out.String()
		}
		digits := len(rest[i+1:]) - len(strings.TrimLeft(rest[i+1:], "0123456789"))
		if rest[i+1:i+1+digits] != strconv.Itoa(n) {
			return query
		}
		out.WriteString(rest[:i])
		out.WriteByte('?')
		rest = rest[i+1+digits:]
	}
}
