package e2e

import (
	"net"
	"os/exec"
	"strings"
	"testing"
)

// TestDigestByAnotherHand: RFC 7616 and RFC 8760 as a client of Python's
// libraries understands them, over each transport: which digests are offered,
// which are taken, a nonce that is used again, and that a phone which is set to
// SHA-256 cannot be talked down.
func TestDigestByAnotherHand(t *testing.T) {
	file := strings.Replace(phonesAlone(t), "petar: {", "petar: {digest: sha256, ", 1)
	s := prepareServer(t, file, "sqlite", "  registrar: {realm: "+phoneRealm+", per_second: 1000, from: ["+testHost+"]}")
	secret := map[string]string{"anna": s.secret("anna"), "petar": s.secret("petar")}
	s.serve()
	for _, c := range []struct{ transport, user, offered, best, byMD5 string }{
		{"udp", "anna", "MD5/auth", "MD5", "200"},
		{"tcp", "anna", "MD5/auth", "MD5", "200"},
		{"tls", "anna", "SHA-256/auth MD5/auth", "SHA-256", "200"},
		{"udp", "petar", "SHA-256/auth", "SHA-256", "403"},
		{"tls", "petar", "SHA-256/auth", "SHA-256", "403"},
	} {
		t.Run(c.transport+"/"+c.user, func(t *testing.T) {
			at := sipAddress
			if c.transport == "tls" {
				at = tlsAddress
			}
			host, port, err := net.SplitHostPort(at)
			must(t, err)
			cmd := exec.Command("python3", "testdata/digest.py", c.transport, host, port, s.roots(), c.user, secret[c.user])
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			want := strings.NewReplacer("OFFERED", c.offered, "BEST", c.best, "BYMD5", c.byMD5).Replace(`challenge: 401 OFFERED
BEST: 200
the same again: 401 stale
its nonce, counted on: 200
counted back: 401 stale
by MD5: BYMD5
by SHA-256: 200
by SHA-512-256: 401
a nonce of nobody's: 401 stale
a session's digest: 401
without qop: 401
qop auth-int: 401
for another method: 403
for another server: 401
another realm: 401
a wrong secret: 403
nobody: 403
the two look alike
`)
			if got := strings.ReplaceAll(string(out), " \n", "\n"); got != want {
				t.Errorf("it says\n%s\nwant\n%s", got, want)
			}
		})
	}
	for _, id := range []string{"anna", "petar"} {
		if strings.Contains(s.log.String(), secret[id]) {
			t.Error("the server's log holds a secret")
		}
	}
}
