package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writePair makes a certificate and its key.
func writePair(t *testing.T, cert, key string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
}

// run runs the command to its end.
func run(t *testing.T, in string, args ...string) (out, told string, exit int) {
	t.Helper()
	c := command(t, args...)
	var stdout, stderr bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(in), &stdout, &stderr
	var ended *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), c.ProcessState.ExitCode()
}

// What keeps serve from starting check finds, in the same words.
func TestCheckFindsWhatServeRefuses(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	folder := filepath.Dir(o.server)
	in := func(name string) string { return filepath.Join(folder, name) }
	writePair(t, in("a.pem"), in("a.key"))
	writePair(t, in("b.pem"), in("b.key"))
	if err := os.WriteFile(in("words.txt"), []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(in("bad.yaml"), []byte("cordboard: routing/1\ncalled: Office\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const sip = "sip: {listen: [\"udp:127.0.0.1:0\"], max_calls: 100}\n"
	const rest = "web: {listen: \"127.0.0.1:0\"}\nadmin: \"127.0.0.1:0\"\n"
	for name, c := range map[string]struct {
		text string
		says []string // what each says of the file
	}{
		"certificate missing": {sip + "web: {listen: \"127.0.0.1:0\", tls: {certificate: none.pem, key: a.key}}\n", []string{"web.tls: open " + in("none.pem") + ": no such file"}},
		"key missing":         {sip + "web: {listen: \"127.0.0.1:0\", tls: {certificate: a.pem, key: none.key}}\n", []string{"web.tls: open " + in("none.key") + ": no such file"}},
		"key of another":      {sip + "web: {listen: \"127.0.0.1:0\", tls: {certificate: a.pem, key: b.key}}\n", []string{"web.tls: tls: private key does not match public key"}},
		"several at once": {"sip: {listen: [\"tls:127.0.0.1:0\"], max_calls: 100, tls: {certificate: none.pem, key: a.key, ca: words.txt}}\nstore: {postgres: \"${CORDBOARD_TEST_UNSET}\"}\n" + rest,
			[]string{"sip.tls: open " + in("none.pem"), "sip.tls.ca: no certificate in it", "store.postgres: the environment has no CORDBOARD_TEST_UNSET", "cordboard.yaml has 3 errors"}},
		"password file missing":          {sip + "store: {postgres: \"postgres://u@127.0.0.1:1/d\", password_file: none}\n" + rest, []string{"store.password_file: open " + in("none") + ": no such file"}},
		"connection string":              {sip + "store: {postgres: \"postgres://u@127.0.0.1:1/d?sslmode=perhaps\"}\n" + rest, []string{"store.postgres: the Postgres connection string cannot be read"}},
		"store under a file":             {sip + "store: {path: words.txt/x.db}\n" + rest, []string{"store.path: "}},
		"journal is a file":              {sip + "store: {journal: words.txt}\n" + rest, []string{"store.journal: " + in("words.txt") + " is no folder"}},
		"an address of another machine":  {"sip: {listen: [\"udp:192.0.2.77:5060\"], max_calls: 100}\n" + rest, []string{"sip.listen: 192.0.2.77 is no address of this machine"}},
		"listeners in each other's way":  {sip + "web: {listen: \"127.0.0.1:9443\"}\nadmin: \":9443\"\n", []string{"admin: tcp port 9443 is listened on for web.listen already"}},
		"errors of both files":           {"routing: bad.yaml\nsip: {listen: [\"udp:127.0.0.1:0\"], max_cals: 100}\n" + rest, []string{"cordboard.yaml:3:", "unknown key sip.max_cals", "bad.yaml:2:1: unknown key called"}},
		"errors of the routing document": {"sip: {listen: [\"udp:127.0.0.1:0\"], max_calls: 100}\nmedia: {sounds: none}\n" + rest, []string{"sounds in " + in("none")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Beside the routing document, so that paths are the table's.
			file := filepath.Join(folder, strings.ReplaceAll(name, " ", "_")+".cordboard.yaml")
			if !strings.HasPrefix(c.text, "routing:") {
				c.text = "routing: routing.yaml\n" + c.text
			}
			if err := os.WriteFile(file, []byte("cordboard: server/1\n"+c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			out, told, exit := run(t, "", "check", file)
			if exit != 1 || out != "" {
				t.Errorf("check: exit %d, %s", exit, out)
			}
			for _, want := range c.says {
				if !strings.Contains(told, want) {
					t.Errorf("check says %q, not %q", told, want)
				}
			}
			if _, serves, exit := run(t, "", "serve", "-c", file); exit != 1 || serves != told {
				t.Errorf("serve: exit %d, says %q; check said %q", exit, serves, told)
			}
		})
	}
	t.Run("nothing wrong", func(t *testing.T) {
		t.Parallel()
		o := newOffice(t)
		if out, told, exit := run(t, "", "check", o.server); exit != 0 || !strings.HasPrefix(out, o.server+": no errors\n") || !strings.HasSuffix(out, "; exit 0\n") || told != "" {
			t.Errorf("exit %d, %s %s", exit, out, told)
		}
		if _, err := os.Stat(o.db); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("a check made the store: %v", err)
		}
	})
}

// A routing document alone: the report on standard output in three forms, the
// exit status by its errors.
func TestCheckReports(t *testing.T) {
	t.Parallel()
	const folder = "../../configs/testdata/"
	const today = "--today=2026-02-16"
	want, err := os.ReadFile(folder + "check/telecom-operator.txt")
	if err != nil {
		t.Fatal(err)
	}
	file := folder + "check/telecom-operator.yaml"
	out, told, exit := run(t, "", "check", file, today)
	if got := strings.ReplaceAll(out, file, "telecom-operator.yaml"); exit != 0 || told != "" || got != string(want) {
		t.Errorf("exit %d, %q\n%s", exit, told, got)
	}
	directory := folder + "check/telecom-operator.directory"
	sounds := t.TempDir() // what the product brings itself, and nothing else
	for _, c := range []struct {
		args []string
		exit int
		says []string
	}{
		{[]string{file, today, "--sounds", sounds}, 1, []string{"E Q704 defaults.nobody: sound does not exist | " + sounds + "/no_agent.wav\n", "(10 to tick, 1 accepted), 2 notes; exit 1\n", "A804 for teams (no --directory), N304 (no shifts), Q704 for mailboxes"}},
		{[]string{file, today, "--directory", directory}, 0, []string{"W N307 queues.general: zh", "(18 to tick, 1 accepted), 2 notes; exit 0\n", "(no --history), N304 (no shifts), Q704 for sounds"}},
		{[]string{folder + "bad/lint-X101.yaml"}, 1, []string{"lint-X101.yaml:17:33 E X101 route.a: unknown field segmnt, did you mean segment?\n | - {name: a, when: 'customer.segmnt", "1 error, 0 warnings, 0 notes; exit 1\n"}},
		{[]string{file, today, "--format=json"}, 0, []string{`"code": "R206"`, `"accepted": "a stolen SIM`, `"tests": 12,`, `"exit": 0`}},
		{[]string{folder + "bad/lint-Y009.yaml", today, "--format=json"}, 1, []string{`"code": "Y009"`, `"hold": 0,`, `"exit": 1`}},
		{[]string{folder + "bad/lint-R201.yaml", today, "--format=sarif"}, 1, []string{`"version": "2.1.0"`, `"ruleId": "R201"`, `"exitCode": 1`}},
	} {
		out, told, exit := run(t, "", append([]string{"check"}, c.args...)...)
		if exit != c.exit || told != "" {
			t.Errorf("%v: exit %d, %q", c.args, exit, told)
		}
		for _, s := range c.says {
			if !strings.Contains(out, s) {
				t.Errorf("%v: no %q in\n%s", c.args, s, out)
			}
		}
		if c.args[len(c.args)-1] != today && strings.HasPrefix(c.args[len(c.args)-1], "--format") && !json.Valid([]byte(out)) {
			t.Errorf("%v: no JSON", c.args)
		}
	}
	for _, args := range [][]string{{file, "--today=16.02.2026"}, {file, "--format=xml"}, {file, "--sounds=" + folder + "none"}, {file, "--directory=" + folder + "none"}, {folder + "none.yaml"}} {
		if out, told, exit := run(t, "", append([]string{"check"}, args...)...); exit != 1 || out != "" || !strings.HasPrefix(told, "cordboard: ") {
			t.Errorf("%v: exit %d, %q %q", args, exit, out, told)
		}
	}
}

// A document in a file has no number: explain names none.
func TestExplainedFileHasNoVersion(t *testing.T) {
	t.Parallel()
	out, told, exit := run(t, "", "explain", "../../configs/testdata/check/telecom-operator.yaml", "--today=2026-02-16", "--call", "call: {dnis: \"+35924000100\"}")
	if exit != 0 || !strings.Contains(out, "waiting since") || strings.Contains(out, "version") {
		t.Errorf("exit %d, %q\n%s", exit, told, out)
	}
}
