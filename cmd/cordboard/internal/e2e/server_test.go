package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

const (
	sipAddress   = testHost + ":5060"
	tlsAddress   = testHost + ":5061"
	webAddress   = "127.0.0.1:8080"
	adminAddress = "127.0.0.1:9090"
	password     = "correct horse battery"
)

// server is the built binary, serving from a folder of its own.
type server struct {
	t    *testing.T
	dir  string
	kept store.Options // where it keeps things
	log  *testLog
}

// databases are the kinds of store that a server is run on.
var databases = []string{"sqlite", "postgres"}

// dsn is the environment's name of the connection string.
const dsn = "CORDBOARD_E2E_DSN"

// newServer prepares a server and lets it serve.
func newServer(t *testing.T, routing, on string, sip ...string) *server {
	t.Helper()
	s := prepareServer(t, routing, on, sip...)
	s.serve()
	return s
}

// prepareServer writes the configuration, with more lines of its sip section,
// makes the schema, imports the customers and the answers, and adds the users.
func prepareServer(t *testing.T, routing, on string, sip ...string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir()}
	kept := "{path: cordboard.db, journal: journal}"
	s.kept = store.Options{Path: filepath.Join(s.dir, "cordboard.db")}
	if on == "postgres" {
		c := pgtest.At(os.Getenv(postgresDir))
		s.kept = store.Options{Postgres: c.URL(c.Database(t, ""))}
		t.Setenv(dsn, s.kept.Postgres)
		kept = `{postgres: "${` + dsn + `}", journal: journal}`
	}
	s.write("routing.yaml", routing)
	s.write("cordboard.yaml", fmt.Sprintf(`cordboard: server/1
routing: routing.yaml
sip:
  listen: ["udp:%[1]s", "tcp:%[1]s", "tls:%[7]s"]
  tls: {certificate: sip.pem, key: sip.key}
  trunks:
    main: {from: [%[2]s], headers: [pai], region: GB, media: auto}
%[6]s
media: {address: %[2]s, ports: 40000-43999}
web: {listen: "%[3]s"}
admin: "%[4]s"
store: %[5]s
`, sipAddress, testHost, webAddress, adminAddress, kept, strings.Join(sip, "\n"), tlsAddress))
	s.certify()
	s.command("", "migrate", "up")
	for _, name := range []string{"customers.jsonl", "answers.jsonl"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		must(t, err)
		s.write(name, string(b))
		s.command("", "import", strings.TrimSuffix(name, ".jsonl"), "-c", "cordboard.yaml", name)
	}
	for _, id := range []string{"anna", "petar"} {
		s.command(password+"\n", "user", "add", id, "-c", "cordboard.yaml")
	}
	return s
}

// secret gives an agent's telephone a secret of its own.
func (s *server) secret(agent string) string {
	s.t.Helper()
	return strings.TrimSpace(s.command("", "user", "phone", agent, "--generate", "-c", "cordboard.yaml"))
}

// serve starts the server and waits until it is ready.
func (s *server) serve() {
	s.t.Helper()
	cmd := exec.Command(program(s.t), "serve", "-c", filepath.Join(s.dir, "cordboard.yaml"))
	s.log = &testLog{t: s.t, name: "cordboard"}
	cmd.Stdout, cmd.Stderr = s.log, s.log
	must(s.t, cmd.Start())
	s.t.Cleanup(func() { endProcess(cmd) })
	eventually(s.t, "the server to be ready", func() bool {
		r, err := http.Get("http://" + adminAddress + "/-/ready")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
}

// program is the built program.
func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(repo(t), "bin", "cordboard")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make build first", err)
	}
	return path
}

func (s *server) write(name, text string) {
	s.t.Helper()
	must(s.t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600))
}

// command runs the binary in the server's folder to its end.
func (s *server) command(stdin string, args ...string) string {
	s.t.Helper()
	cmd := exec.Command(program(s.t), args...)
	cmd.Dir, cmd.Stdin = s.dir, strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("cordboard %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// ledger opens the server's database beside it.
func (s *server) ledger() *store.Store {
	s.t.Helper()
	kept := s.kept
	kept.Tool = true
	db, err := store.Open(context.Background(), kept)
	must(s.t, err)
	s.t.Cleanup(func() { db.Close() })
	return db
}

// closed waits until the n-th call has ended in the ledger and returns its row.
func (s *server) closed(db *store.Store, n int) store.LedgerRow {
	s.t.Helper()
	var row store.LedgerRow
	eventually(s.t, fmt.Sprintf("call %d to end in the ledger", n), func() bool {
		rows, err := db.Calls(context.Background(), time.Now().Add(-time.Hour), time.Now(), 100)
		must(s.t, err)
		if len(rows) < n {
			return false
		}
		for _, r := range rows {
			if int(r.Call) == n {
				row = r
			}
		}
		return row.Outcome != ""
	})
	return row
}

// event is the first event of the kind and attempt in the ledger.
func event(t *testing.T, events []store.Event, kind string, attempt int) (store.Event, map[string]any) {
	t.Helper()
	for _, e := range events {
		if e.Kind == kind && (attempt == 0 || int(e.Attempt) == attempt) {
			data := map[string]any{}
			if len(e.Data) > 0 {
				must(t, json.Unmarshal(e.Data, &data))
			}
			return e, data
		}
	}
	t.Fatalf("the ledger has no %s of attempt %d", kind, attempt)
	return store.Event{}, nil
}
