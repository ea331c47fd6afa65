package connector_test

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/connector"
	"github.com/cordboard/cordboard/screenpop/customer/connector/connectortest"
)

const orders = "\ufefforder;customer;what;state\nO-1;LW-20417;\"Router; white\";open\nO-2;LW-2;Cable;done\nO-3; LW-20417;Phone;done\n"

func drop(t *testing.T, folder, name, text string, at time.Time) {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path+".part", []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path+".part", at, at); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".part", path); err != nil {
		t.Fatal(err)
	}
}

func csvKeys(folder string) map[string]any {
	return map[string]any{
		"folder": folder, "column": "customer", "separator": ";",
		"record": map[string]any{"tickets": `map(body, {{id: .order, title: .what, kind: "order", status: .state == "done" ? "closed" : "open"}})`},
	}
}

// asked asks until it is told something else than before, for what is read beside.
func asked(t *testing.T, c customer.Connector, until func(customer.Part, error) bool) customer.Part {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		got, err := c.Ask(ctx, connectortest.Who)
		if until(got, err) {
			return got
		}
		if ctx.Err() != nil {
			t.Fatalf("still %+v, %v", got, err)
		}
	}
}

func TestCSV(t *testing.T) {
	yesterday := time.Now().Add(-24 * time.Hour).Truncate(time.Second)
	folder := t.TempDir()
	drop(t, folder, "a.csv", orders, yesterday)
	drop(t, folder, "b.csv", "what;order;customer;state\nSIM;O-9;LW-20417;open\n", yesterday.Add(-time.Hour))
	for _, other := range []string{"c.csv.tmp", ".d.csv", "e.txt"} {
		drop(t, folder, other, "nonsense", yesterday)
	}
	if err := os.Mkdir(filepath.Join(folder, "f.csv"), 0o700); err != nil {
		t.Fatal(err)
	}
	c := open(t, "csv", csvKeys(folder))
	t.Cleanup(func() {
		if err := c.(interface{ Close() error }).Close(); err != nil {
			t.Error(err)
		}
	})
	got, err := c.Ask(t.Context(), connectortest.Who)
	ticket := func(id, title, status string) customer.Ticket {
		return customer.Ticket{ID: id, Title: title, Kind: "order", Status: status}
	}
	want := customer.Part{AsOf: yesterday, Tickets: []customer.Ticket{ticket("O-1", "Router; white", "open"), ticket("O-3", "Phone", "closed"), ticket("O-9", "SIM", "open")}}
	if err != nil || !got.AsOf.Equal(yesterday) || !reflect.DeepEqual(got.Tickets, want.Tickets) {
		t.Fatalf("%+v, %v, want %+v", got, err, want)
	}
	if got, err := c.Ask(t.Context(), customer.Subject{ID: "LW-9"}); err != nil || !reflect.DeepEqual(got, customer.Part{}) {
		t.Errorf("of nobody: %+v, %v", got, err)
	}

	// A table that cannot be read leaves the one before, with its age, until there is another.
	drop(t, folder, "a.csv", orders+"O-4;LW-20417\n", yesterday.Add(time.Hour))
	for range 20 {
		if got, err := c.Ask(t.Context(), connectortest.Who); err != nil || !got.AsOf.Equal(yesterday) || len(got.Tickets) != 3 {
			t.Fatalf("beside a broken one: %+v, %v", got, err)
		}
	}
	drop(t, folder, "a.csv", orders+"O-4;LW-20417;Cable;open\n", yesterday.Add(2*time.Hour))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { asked(t, c, func(p customer.Part, err error) bool { return len(p.Tickets) == 4 }) })
	}
	all.Wait()

	// Whoever is writing is left alone.
	drop(t, folder, "a.csv", orders, time.Now().Add(time.Hour))
	for range 20 {
		if got, err := c.Ask(t.Context(), connectortest.Who); err != nil || len(got.Tickets) != 4 {
			t.Fatalf("while it is written: %+v, %v", got, err)
		}
	}
	// A folder that is gone is no folder without rows.
	if err := os.Rename(folder, folder+"-gone"); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Ask(t.Context(), connectortest.Who); err != nil || len(got.Tickets) != 4 {
		t.Errorf("without the folder: %+v, %v", got, err)
	}
}

// TestCSVFaults: what cannot be read is told by its place, and nobody's data with it.
func TestCSVFaults(t *testing.T) {
	for want, text := range map[string]string{
		"a.csv: the file is empty":                "",
		`a.csv:1: there is no column "customer"`:  "order;what\n",
		`a.csv:1: two columns have the name`:      "customer;what;what\n",
		"a.csv:2:":                                "customer;what\nLW-20417\n",
		"a.csv:3:3:":                              "customer;what\nLW-2;x\nab\"LW-20417;x\n",
		"a.csv:2:10: no UTF-8":                    "customer;what\nLW-20417;Dana \xff Whitcombe\n",
		"a.csv: the folder's files are more than": "customer;what\nLW-20417;" + strings.Repeat("x", 65<<20) + "\n",
		"record.tickets":                          "customer;order;state\nLW-20417;;open\n",
	} {
		folder := t.TempDir()
		drop(t, folder, "a.csv", text, time.Now())
		got, err := open(t, "csv", csvKeys(folder)).Ask(t.Context(), connectortest.Who)
		connectortest.Fails(t, got, err)
		if err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for want, folder := range map[string]string{"no *.csv": t.TempDir(), "open: no such file": filepath.Join(t.TempDir(), "none")} {
		got, err := open(t, "csv", csvKeys(folder)).Ask(t.Context(), connectortest.Who)
		connectortest.Fails(t, got, err)
		if err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for key, value := range map[string]any{"by": "name", "separator": "ab", "folder": nil, "column": nil} {
		of := csvKeys("drop")
		of[key] = value
		if value == nil {
			delete(of, key)
		}
		var wrong []string
		connector.Read("csv", keys{of, &wrong})
		if len(wrong) != 1 || !strings.HasPrefix(wrong[0], key) {
			t.Errorf("%s: %q", key, wrong)
		}
	}
}
