package store_test

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// docs/tables.md names every table, and every column of the ledger's.
func TestTablesAreDocumented(t *testing.T) {
	doc, err := os.ReadFile("../docs/tables.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("migrations/sqlite/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no migrations: %v", err)
	}
	table := regexp.MustCompile(`(?s)CREATE TABLE (\w+) \((.*?)\n\);`)
	column := regexp.MustCompile(`(?m)^    ([a-z]\w*)`)
	var tables []string
	gone := []string{"documents"}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		up, _, _ := strings.Cut(string(text), "-- +goose Down")
		for _, m := range table.FindAllStringSubmatch(up, -1) {
			if strings.Contains(up, "ALTER TABLE "+m[1]+" RENAME TO ") {
				continue // it takes an old one's place
			}
			tables = append(tables, m[1])
			if !slices.Contains(gone, m[1]) && !strings.Contains(string(doc), "`"+m[1]+"`") {
				t.Errorf("table %s is not in the document", m[1])
			}
			if m[1] != "calls" && m[1] != "call_events" {
				continue
			}
			for _, c := range column.FindAllStringSubmatch(m[2], -1) {
				if !strings.Contains(string(doc), "`"+c[1]+"`") {
					t.Errorf("column %s.%s is not in the document", m[1], c[1])
				}
			}
		}
	}
	tables = slices.DeleteFunc(tables, func(name string) bool { return slices.Contains(gone, name) })
	if len(tables) < 15 {
		t.Errorf("only %d tables were found: %v", len(tables), tables)
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z_]+)`[^|]*\\| a").FindAllStringSubmatch(string(doc), -1) {
		if !slices.Contains(tables, m[1]) {
			t.Errorf("the document has a table %s", m[1])
		}
	}
}

// TestTablesSQL: the queries of docs/tables.md run, and those of events give what
// the ledger gives, from rows of one and of several.
func TestTablesSQL(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/tables.md")
	if err != nil {
		t.Fatal(err)
	}
	path, dsn := filepath.Join(t.TempDir(), "cordboard.db"), pg.Database(t)
	for _, c := range []struct {
		name, driver, source string
		o                    store.Options
		queries              int
	}{
		{"SQLite", "sqlite", "file:" + path, store.Options{Path: path}, 1},
		{"Postgres", "pgx", dsn, store.Options{Postgres: dsn}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := openWith(t, c.o)
			defer func() { _ = s.Close() }()
			at := time.UnixMicro(1_790_000_000_000_000)
			for call := range routing.CallID(3) {
				s.Arrived(store.Arrival{Call: call + 1, At: at})
				if call > 0 {
					s.Event(store.Event{Call: call + 1, At: at, Kind: "seen", Agent: "pri\"ya", Attempt: 2, Data: json.RawMessage(`{"version":4}`)})
					s.Do(at.Add(time.Second), []routing.Action{routing.EndCall{Call: call + 1, Outcome: routing.Abandoned, By: routing.ByCaller}})
				}
				if err := s.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			s.Event(store.Event{Call: 3, At: at.Add(time.Minute), Kind: "alone"})
			if err := s.Flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open(c.driver, c.source)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			var want []store.Event
			for call := range routing.CallID(3) {
				events, err := s.Events(t.Context(), call+1)
				if err != nil {
					t.Fatal(err)
				}
				want = append(want, events...)
			}
			queries := regexp.MustCompile("(?s)```sql\n-- "+c.name+"\n(.*?)```").FindAllStringSubmatch(string(doc), -1)
			if len(queries) != c.queries || len(want) != 8 {
				t.Fatalf("%d queries, %d events", len(queries), len(want))
			}
			if got := eventsOf(t, db, queries[0][1]); !reflect.DeepEqual(got, want) {
				t.Errorf("got\n%+v\nwant\n%+v", got, want)
			}
			for _, q := range queries[1:] {
				if _, err := db.ExecContext(t.Context(), q[1]); err != nil {
					t.Errorf("%s: %v", q[1], err)
				}
			}
		})
	}
}

func eventsOf(t *testing.T, db *sql.DB, query string) (out []store.Event) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var e store.Event
		var at int64
		var data string
		if err := rows.Scan(&e.Call, &e.Seq, &at, &e.Kind, &e.Agent, &e.Attempt, &data); err != nil {
			t.Fatal(err)
		}
		e.At = time.UnixMicro(at).UTC()
		if data != "" {
			var plain bytes.Buffer // blanks do not count
			if err := json.Compact(&plain, []byte(data)); err != nil {
				t.Fatal(err)
			}
			e.Data = plain.Bytes()
		}
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}
