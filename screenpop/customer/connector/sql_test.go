package connector_test

import (
	"context"
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/connector"
	"github.com/cordboard/cordboard/screenpop/customer/connector/connectortest"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

const erpTables = `
	CREATE TABLE accounts (id text PRIMARY KEY, name text, balance numeric(12,2), currency text, due date, numeric_id bigint);
	CREATE TABLE lines (account text, code text, title text, "on" boolean, pence integer, since timestamptz);
	INSERT INTO accounts VALUES ('LW-20417', 'Dana Whitcombe', -12.30, 'GBP', '2026-12-01', 20417), ('LW-2', 'Leo Hill', 3, 'GBP', NULL, 2);
	INSERT INTO lines VALUES ('LW-20417', 'm1', 'Mobile 10', true, 1500, '2026-01-02 03:04:05+00'), ('LW-20417', 'm2', 'Fibre', false, NULL, NULL);
	CREATE TABLE wide AS SELECT repeat('x', 2000) AS word, n FROM generate_series(1, 2000) n;
	CREATE ROLE erp LOGIN PASSWORD 'right'; GRANT SELECT ON accounts, lines, wide TO erp;`

const erpQuery = `SELECT a.id, a.balance, a.currency, a.due, l.code, l.title, l."on", l.pence, l.since, 'a :text' AS word
	FROM accounts a JOIN lines l ON l.account = a.id WHERE a.id = :id::text AND :id <> '' ORDER BY l.code -- of :nobody`

func erpKeys(url, query string) map[string]any {
	return map[string]any{
		"url": url, "query": query, "about": "body[0].id",
		"record": map[string]any{
			"billing":  `{balance: money(body[0].balance, body[0].currency), next_bill_on: body[0].due[0:10]}`,
			"products": `map(body, {{id: .code, kind: "mobile", name: .title, status: .on ? "active" : "ended", price: .pence == nil ? nil : minor(.pence, "GBP"), note: .since ?? ""}})`,
		},
	}
}

func TestSQL(t *testing.T) {
	cluster, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cluster.Stop(); err != nil {
			t.Error(err)
		}
	})
	database := cluster.Database(t, "template1")
	if err := cluster.Exec(database, erpTables); err != nil {
		t.Fatal(err)
	}
	url := strings.Replace(cluster.URL(database), "postgres@", "erp@", 1)
	ask := func(t *testing.T, query string, who customer.Subject) (customer.Part, error) {
		t.Helper()
		return open(t, "sql", erpKeys(url, query)).Ask(t.Context(), who)
	}
	t.Run("answers", func(t *testing.T) {
		got, err := ask(t, erpQuery, connectortest.Who)
		price := customer.Money{Minor: 1500, Currency: "GBP"}
		want := customer.Part{
			Billing: &customer.Billing{Balance: customer.Money{Minor: -1230, Currency: "GBP"}, NextBillOn: "2026-12-01"},
			Products: []customer.Product{
				{ID: "m1", Kind: "mobile", Name: "Mobile 10", Status: "active", Price: &price, Note: "2026-01-02T03:04:05Z"},
				{ID: "m2", Kind: "mobile", Name: "Fibre", Status: "ended"},
			},
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v, want %+v", got, err, want)
		}
	})
	t.Run("nobody", func(t *testing.T) {
		for _, id := range []string{"LW-9", "' OR ''='", "x'; DROP TABLE accounts; --"} {
			if got, err := ask(t, erpQuery, customer.Subject{ID: id}); err != nil || !reflect.DeepEqual(got, customer.Part{}) {
				t.Errorf("%s: %+v, %v", id, got, err)
			}
		}
		if got, err := ask(t, "SELECT * FROM nowhere WHERE number = :number", customer.Subject{ID: "LW-20417"}); err != nil || !reflect.DeepEqual(got, customer.Part{}) {
			t.Errorf("without a number: %+v, %v", got, err)
		}
	})
	for name, query := range map[string]string{
		"no such table": "SELECT * FROM nowhere WHERE id = :id",
		"another type":  "SELECT * FROM accounts WHERE numeric_id = :id",
		"another cast":  "SELECT :id::text::bigint AS id",
		"somebody else": "SELECT 'LW-2' AS id, 3 AS balance, 'GBP' AS currency, '2026-12-01' AS due WHERE :id <> ''",
		"wrong types":   "SELECT a.id, true AS balance, 5 AS currency, 7 AS due FROM accounts a WHERE a.id = :id",
		"many rows":     "SELECT :id::text AS id, n FROM generate_series(1, 5000) n",
		"much":          "SELECT :id::text AS id, word FROM wide",
		"writes":        "WITH gone AS (DELETE FROM accounts WHERE id = :id RETURNING *) SELECT * FROM gone",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := ask(t, query, connectortest.Who)
			connectortest.Fails(t, got, err)
		})
	}
	t.Run("too slow", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		c := open(t, "sql", erpKeys(url, "SELECT pg_sleep(60), :id::text AS id"))
		got, err := c.Ask(ctx, connectortest.Who)
		connectortest.Fails(t, got, err)
		if !errors.Is(err, ctx.Err()) {
			t.Errorf("%v", err)
		}
	})
	t.Run("no such user", func(t *testing.T) {
		c := open(t, "sql", erpKeys(strings.Replace(url, "erp@", "nobody@", 1), erpQuery))
		got, err := c.Ask(t.Context(), connectortest.Who)
		connectortest.Fails(t, got, err)
	})
	t.Run("cut off", func(t *testing.T) {
		address := cutAfter(t, cluster.Socket(), 1000)
		got, err := open(t, "sql", erpKeys("postgres://postgres@"+address+"/"+database+"?sslmode=disable", "SELECT :id::text AS id, word FROM wide WHERE n < 300")).Ask(t.Context(), connectortest.Who)
		connectortest.Fails(t, got, err)
	})
	connectortest.RunTCP(t, func(t *testing.T, address string) customer.Connector {
		return open(t, "sql", erpKeys("postgres://erp:right@"+address+"/erp?sslmode=disable", erpQuery))
	})
}

// cutAfter stands before the database and closes the line after so many bytes of it.
func cutAfter(t *testing.T, socket string, bytes int64) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("unix", socket)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = io.Copy(out, in) }()
			go func() {
				_, _ = io.CopyN(in, out, bytes)
				_, _ = in.Close(), out.Close()
			}()
		}
	}()
	return l.Addr().String()
}

// TestSQLSettings: what cannot be asked is refused before anybody calls.
func TestSQLSettings(t *testing.T) {
	for query, want := range map[string]string{
		"SELECT 1":                   "it does not say whom it asks about",
		"SELECT ':id' FROM a -- :id": "it does not say whom it asks about",
		"SELECT $$ :id $$, /* :id */ \":id\", 1::id":    "it does not say whom it asks about",
		"SELECT * FROM a WHERE id = :account":           ":account is not known",
		"SELECT * FROM a WHERE id = $1":                 "parameters have names",
		"SELECT * FROM a WHERE id = :id; DELETE FROM a": "one question",
		"DELETE FROM a WHERE id = :id":                  "begins with SELECT or WITH",
		"SELECT * FROM a WHERE id = :":                  ": is not known",
	} {
		var wrong []string
		connector.Read("sql", keys{erpKeys("postgres://a@b/c", query), &wrong})
		if !strings.Contains(strings.Join(wrong, "\n"), want) {
			t.Errorf("%s: %q, want %s", query, wrong, want)
		}
	}
	for _, query := range []string{"SELECT * FROM a WHERE id = :id;", "select a.x::text from a where n = :digits or m=:number", "WITH b AS (SELECT 1)\nSELECT * FROM b WHERE :id = 'it''s :no'"} {
		var wrong []string
		connector.Read("sql", keys{erpKeys("postgres://a@b/c", query), &wrong})
		if len(wrong) > 0 {
			t.Errorf("%s: %q", query, wrong)
		}
	}
	for _, url := range []string{"mysql://a:geheim@b/c", "postgres://a:geheim@b:port/c", "host=a password=geheim"} {
		config, _ := connector.Read("sql", keys{erpKeys(url, erpQuery), new([]string)})
		if _, err := config.Open(); err == nil || strings.Contains(err.Error(), "geheim") {
			t.Errorf("%v", err)
		}
	}
}
