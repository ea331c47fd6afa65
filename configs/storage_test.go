package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func storeOf(t *testing.T, folder, text string) Store {
	t.Helper()
	s, findings := ParseServer(filepath.Join(folder, "cordboard.yaml"), []byte(
		"cordboard: server/1\nrouting: routing.yaml\nsip: {listen: [\"udp:127.0.0.1:5060\"]}\nstore: "+text+"\n"))
	if s == nil {
		t.Fatal(printed(t, findings))
	}
	return s.Store
}

func TestPostgres(t *testing.T) {
	t.Setenv("CORDBOARD_DSN", "postgres://cordboard:p%40ss@db.example.com/cordboard?sslmode=require")
	t.Setenv("DB_PASSWORD", "p@ss/word")
	t.Setenv("EMPTY", "")
	t.Setenv("GARBLED", "hunter2")
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "secret"), []byte("p:ss word\r\nmore\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ text, dsn, err string }{
		{`{}`, "", ""},
		{`{postgres: "${CORDBOARD_DSN}"}`, "postgres://cordboard:p%40ss@db.example.com/cordboard?sslmode=require", ""},
		{`{postgres: "postgres://cordboard@/cordboard?host=/run/postgresql"}`, "postgres://cordboard@/cordboard?host=/run/postgresql", ""},
		{`{postgres: "postgresql://cordboard:${DB_PASSWORD}@db.example.com:5433/cordboard"}`, "postgresql://cordboard:p%40ss%2Fword@db.example.com:5433/cordboard", ""},
		{`{postgres: "postgres://cordboard@db/cordboard", password_file: secret}`, "postgres://cordboard:p%3Ass%20word@db/cordboard", ""},
		{`{postgres: "postgres://cordboard@db/cordboard", password_file: none}`, "", "password_file"},
		{`{postgres: "${EMPTY}"}`, "", "the environment has no EMPTY"},
		{`{postgres: "postgres://cordboard:${EMPTY}@db/cordboard"}`, "", "the environment has no EMPTY"},
		{`{postgres: "${GARBLED}"}`, "", "does not hold postgres://"},
	} {
		st := storeOf(t, folder, c.text)
		if (st.Path == "") != (st.Postgres.URL != "") {
			t.Errorf("%s: path %q", c.text, st.Path)
		}
		dsn, err := st.Postgres.DSN()
		switch {
		case c.err == "" && (err != nil || dsn != c.dsn):
			t.Errorf("%s: %q, %v; want %q", c.text, dsn, err, c.dsn)
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v, want %q", c.text, err, c.err)
		case err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "p@ss")):
			t.Errorf("%s: the error holds a secret: %v", c.text, err)
		}
	}
}

// A password written into the file in spite of all is not repeated by what says
// so, wherever else the file is wrong.
func TestFindingsHideSecrets(t *testing.T) {
	for _, text := range []string{
		`{postgres: "postgres://cordboard:hunter2@db/cordboard"}`, `{postgres: "postgres://db/cordboard?password=hunter2"}`,
		`{postgres: "postgres://cordboard:hunter2@db/cordboard`, `{postgres: postgres://cordboard:hunter2@db/cordboard, colour: red}`,
		`[postgres://cordboard:hunter2@db/cordboard]`,
	} {
		s, findings := ParseServer("cordboard.yaml", []byte("cordboard: server/1\nrouting: r\nsip: {listen: [\"udp:127.0.0.1:5060\"]}\nstore: "+text+"\n"))
		if said := printed(t, findings); s != nil || len(findings) == 0 || strings.Contains(said, "hunter2") {
			t.Errorf("%s: %s", text, said)
		}
	}
}
