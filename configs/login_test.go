package configs

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// trunkFile is a server file with one trunk, on line 4.
func trunkFile(trunk string) []byte {
	return []byte("cordboard: server/1\nrouting: r\nsip:\n  trunks: {carrier: {from: [192.0.2.1], " + trunk + "}}\n  listen: [\"udp:127.0.0.1:5060\"]\n")
}

func TestTrunkLogin(t *testing.T) {
	t.Setenv("TRUNK_PASSWORD", "p:ss \"word")
	t.Setenv("EMPTY", "")
	folder := t.TempDir()
	for name, text := range map[string]string{"secret": "of the file\r\nmore\n", "empty": "\n"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const out = `out: {to: "sip:sip.example.com:5080", number: "+441632960000"}, user: office, `
	for _, c := range []struct{ text, realm, want, err string }{
		{out + `password: "${TRUNK_PASSWORD}"`, "sip.example.com", `p:ss "word`, ""},
		{out + `password_file: secret, realm: other.example`, "other.example", "of the file", ""},
		{out + `password: "${EMPTY}"`, "sip.example.com", "", "sip.trunks.carrier.password: the environment has no EMPTY"},
		{out + `password_file: empty`, "sip.example.com", "", "sip.trunks.carrier.password_file: it is empty"},
		{out + `password_file: none`, "sip.example.com", "", "sip.trunks.carrier.password_file: open "},
	} {
		s, findings := ParseServer(filepath.Join(folder, "cordboard.yaml"), trunkFile(c.text))
		if s == nil {
			t.Errorf("%s: %s", c.text, printed(t, findings))
			continue
		}
		trunk := s.SIP.Trunks[0]
		got, err := trunk.Secret()
		if trunk.Login.User != "office" || trunk.Login.Realm != c.realm || got != c.want {
			t.Errorf("%s: %+v, the secret %q", c.text, trunk.Login, got)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v", c.text, err)
		}
	}
}

// What is wrong with a trunk's login, where; and no finding shows a password.
func TestTrunkLoginFindings(t *testing.T) {
	const out = `out: {to: "sip:192.0.2.1", number: "+441632960000"}, `
	for text, want := range map[string]string{
		out + `user: office`:                                                    "user needs its password",
		out + `user: office, password: hunter2`:                                 "does not belong in this file",
		out + `user: office, password: "${A} hunter2"`:                          "does not belong in this file",
		out + `user: office, password: [hunter2]`:                               "password",
		out + `user: office, password: hunter2, colour: red`:                    "colour",
		out + `user: office, "password": hunter2, colour: red`:                  "colour",
		out + `user: office, password: "${A}", password_file: secret`:           "password_file cannot stand beside password",
		out + `user: "a:b", password_file: secret`:                              "no colon",
		out + `password_file: secret`:                                           "password_file belongs to user",
		out + `password: "${A}"`:                                                "password belongs to user",
		out + `realm: example.com`:                                              "realm belongs to user",
		`user: office, password_file: secret`:                                   "the trunk has no out",
		out + `user: "${WHO}", password_file: secret`:                           "references to the environment are for secrets only",
		`out: {to: "sip:192.0.2.1", number: "${A}"}, user: u, password_file: s`: "references to the environment are for secrets only",
	} {
		s, findings := ParseServer("cordboard.yaml", trunkFile(text))
		said := printed(t, findings)
		if s != nil || !strings.Contains(said, want) || !strings.Contains(said, "cordboard.yaml:4:") {
			t.Errorf("%s: %s", text, said)
		}
		if strings.Contains(said, "hunter2") {
			t.Errorf("%s: shown: %s", text, said)
		}
	}
}
