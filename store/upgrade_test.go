package store_test

import (
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

func dump(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func refusedWith(t *testing.T, o store.Options, says string) {
	t.Helper()
	s, err := store.Open(t.Context(), o)
	if err == nil {
		_ = s.Close()
	}
	if err == nil || !strings.Contains(err.Error(), says) {
		t.Fatalf("got %v, want %q", err, says)
	}
}

// holdsWhatItHad checks the data of testdata/schema1.*.sql, after a server has
// taken it over.
func holdsWhatItHad(t *testing.T, s *store.Store) {
	t.Helper()
	ctx := t.Context()
	m, err := s.Lookup(ctx, "+447700900417")
	if err != nil || m.Record == nil {
		t.Fatalf("the customer: %+v, %v", m, err)
	}
	r := m.Record
	if r.Name != "Dana Whitcombe" || r.Contacts != 5 || len(r.Products) != 1 || len(r.Tickets) != 1 || r.Billing == nil ||
		r.Billing.Balance.Minor != -6420 || len(r.Interactions) != 1 || r.Interactions[0].Note != "Drops 20 to 22 h." || r.Interactions[0].Agent.Name != "Anna Berg" {
		t.Errorf("the record: %+v", *r)
	}
	answered, err := s.LedgerRow(ctx, 1)
	if err != nil || answered.Outcome != routing.Answered || !answered.Note || answered.Talk.Seconds() != 61 {
		t.Errorf("call 1: %+v, %v", answered, err)
	}
	open, err := s.LedgerRow(ctx, 2)
	if err != nil || open.Outcome != routing.Failed || open.Reason != store.ReasonRestart {
		t.Errorf("call 2: %+v, %v", open, err)
	}
	if events, err := s.Events(ctx, 1); err != nil || len(events) != 2 || events[1].Seq != 2 || !strings.Contains(string(events[1].Data), "answered") {
		t.Errorf("events of call 1: %+v, %v", events, err)
	}
	if u, err := s.User(ctx, "anna"); err != nil || u.PasswordHash != "$argon2id$x" {
		t.Errorf("user: %+v, %v", u, err)
	}
	if login, err := s.Session(ctx, "h1"); err != nil || login.User != "anna" {
		t.Errorf("login: %+v, %v", login, err)
	}
	if a, err := s.FindAnswers(ctx, "en", "line_fault", "", 5); err != nil || len(a) != 1 || len(a[0].Steps) != 1 {
		t.Errorf("answers: %+v, %v", a, err)
	}
	if call := s.NextCall(); call != 1001 {
		t.Errorf("the next call is %d", call)
	}
	if secrets, err := s.PhoneSecrets(ctx); err != nil || len(secrets) != 0 {
		t.Errorf("telephones' secrets: %+v, %v", secrets, err)
	}
}

// TestUpgradeSQLite: serve brings the database of the first release up by
// itself, with a copy beside it.
func TestUpgradeSQLite(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "cordboard.db")
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), dump(t, "schema1.sqlite.sql")); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before, err := store.SchemaOf(t.Context(), store.Options{Path: path})
	if err != nil || before.Have != 1 || before.Want < 2 {
		t.Fatalf("schema: %+v, %v", before, err)
	}
	s := openAt(t, path)
	defer func() { _ = s.Close() }()
	holdsWhatItHad(t, s)
	if copies, err := filepath.Glob(path + ".schema1-*"); err != nil || len(copies) != 1 {
		t.Errorf("copies: %v, %v", copies, err)
	}
	// The tables of the ledger were made anew: events still belong to calls.
	after, err := sql.Open("sqlite", "file:"+path+"?_pragma=foreign_keys(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = after.Close() }()
	var left, strays int
	if _, err := after.ExecContext(t.Context(), "DELETE FROM calls WHERE call = 1"); err != nil {
		t.Fatal(err)
	}
	err = after.QueryRowContext(t.Context(), "SELECT (SELECT COUNT(*) FROM call_events WHERE call = 1), (SELECT COUNT(*) FROM pragma_foreign_key_check)").Scan(&left, &strays)
	if err != nil || left != 0 || strays != 0 {
		t.Errorf("%d events are left of a call that is gone, %d rows refer to nothing, %v", left, strays, err)
	}
}

// TestUpgradePostgres: an older schema is refused with the command that raises
// it, and that makes a dump first or does nothing.
func TestUpgradePostgres(t *testing.T) {
	c := pg.Cluster(t)
	name := c.Database(t, "")
	if err := c.Exec(name, dump(t, "schema1.postgres.sql")); err != nil {
		t.Fatal(err)
	}
	ctx, o := t.Context(), store.Options{Postgres: c.URL(name)}
	for _, tool := range []bool{false, true} {
		o.Tool = tool
		refusedWith(t, o, "cordboard migrate up")
	}
	o.Tool = false
	folder := t.TempDir()
	t.Setenv("PATH", folder)
	if _, err := store.Migrate(ctx, o, store.MigrateOptions{BackupDir: folder}); err == nil || !strings.Contains(err.Error(), "--no-backup") {
		t.Fatalf("migrated without a way to make a copy: %v", err)
	}
	if now, err := store.SchemaOf(ctx, o); err != nil || now.Have != 1 {
		t.Fatalf("schema: %+v, %v", now, err)
	}
	pgDump, err := pgtest.Binary("pg_dump")
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Dir(pgDump))
	done, err := store.Migrate(ctx, o, store.MigrateOptions{BackupDir: folder})
	if err != nil || done.Have != 1 || done.Want < 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	copied, err := os.ReadFile(done.Backup)
	if err != nil || !strings.HasPrefix(string(copied), "PGDMP") {
		t.Errorf("backup %s: %v", done.Backup, err)
	}
	if info, err := os.Stat(done.Backup); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the backup: %v, %v", info, err)
	}
	s := openWith(t, o)
	defer func() { _ = s.Close() }()
	holdsWhatItHad(t, s)
	if _, err := store.Migrate(ctx, o, store.MigrateOptions{}); err != nil {
		t.Errorf("nothing to do, beside a server: %v", err)
	}
	if err := c.Exec(name, "DELETE FROM goose_db_version WHERE version_id > 1"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Migrate(ctx, o, store.MigrateOptions{NoBackup: true}); err == nil || !strings.Contains(err.Error(), "stop the server") {
		t.Errorf("migrated under a running server: %v", err)
	}
}

// TestBackupHidesSecrets: no password of the connection string is among the
// arguments of pg_dump, which anybody may read; it is told them all the same.
func TestBackupHidesSecrets(t *testing.T) {
	c := pg.Cluster(t)
	name := c.Database(t, "")
	if err := c.Exec(name, dump(t, "schema1.postgres.sql")); err != nil {
		t.Fatal(err)
	}
	folder, tools := t.TempDir(), t.TempDir()
	script := "#!/bin/sh\nprintf '%s\\n' \"$@\" >" + folder + "/arguments\nPATH=" + os.Getenv("PATH") + "\n(echo \"$PGPASSWORD\"; stat -c %a \"$PGSERVICEFILE\"; cat \"$PGSERVICEFILE\") >" + folder + "/told\n"
	if err := os.WriteFile(filepath.Join(tools, "pg_dump"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", tools)
	u, err := url.Parse(c.URL(name))
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("password", "hunter2")
	q.Set("sslpassword", "hunter 3%")
	u.RawQuery = q.Encode()
	if _, err := store.Migrate(t.Context(), store.Options{Postgres: u.String()}, store.MigrateOptions{BackupDir: folder}); err != nil {
		t.Fatal(err)
	}
	arguments, err := os.ReadFile(filepath.Join(folder, "arguments"))
	if err != nil || strings.Contains(string(arguments), "hunter") || !strings.Contains(string(arguments), name) {
		t.Errorf("arguments: %q, %v", arguments, err)
	}
	told, err := os.ReadFile(filepath.Join(folder, "told"))
	if want := "hunter2\n600\n[cordboard]\nsslpassword=hunter 3%\n"; err != nil || string(told) != want {
		t.Errorf("told %q, want %q; %v", told, want, err)
	}
	if left, err := filepath.Glob(filepath.Join(folder, ".service-*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestSpillOfAnotherDatabase: it is not written into this one.
func TestSpillOfAnotherDatabase(t *testing.T) {
	t.Parallel()
	o := store.Options{Path: filepath.Join(t.TempDir(), "cordboard.db"), Spill: filepath.Join(t.TempDir(), "spill")}
	if err := os.WriteFile(o.Spill, []byte("cordboard-spill 1 77\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusedWith(t, o, "another database")
	if err := os.WriteFile(o.Spill, []byte("cordboard-spill 2 77\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusedWith(t, o, "no spill file of this version")
}

// TestSecretsStaySecret: no error of a connection string repeats it.
func TestSecretsStaySecret(t *testing.T) {
	for _, dsn := range []string{
		"postgres://cordboard:hunter2@127.0.0.1:1/cordboard?sslmode=nonsense", "postgres://cordboard:hunter2@127.0.0.1:1/cordboard",
		"postgres://cordboard:hunter2@[::1/cordboard", "host=127.0.0.1 port=1 password=hunter2", "postgres://127.0.0.1:1/cordboard?password=hunter2",
	} {
		s, err := store.Open(t.Context(), store.Options{Postgres: dsn})
		if err == nil {
			_ = s.Close()
		}
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}

// TestUnlockedOnReturn: who opens the store next finds it free, also when the
// lock's session was being asked for a sign of life.
func TestUnlockedOnReturn(t *testing.T) {
	c := pg.Cluster(t)
	o := store.Options{Postgres: c.URL(c.Database(t, ""))}
	for n := range 100 {
		if err := store.UnlockWhileAsked(t.Context(), o, time.Duration(n)*4*time.Microsecond); err != nil {
			t.Fatal(n, err)
		}
	}
}
