package digest

import (
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	p, ok := Parameters(`Digest realm="a \"b\", c" ,nonce="n", algorithm=SHA-256,qop="auth,auth-int", Opaque=""`)
	if !ok || p["realm"] != `a "b", c` || p["nonce"] != "n" || p["algorithm"] != "SHA-256" || p["qop"] != "auth,auth-int" || len(p) != 5 {
		t.Errorf("%v %v", p, ok)
	}
	for _, v := range []string{
		"", "Basic realm=x", `Digest realm="a`, `Digest realm="a" nonce="b"`, `Digest realm=a b`, `Digest realm="a", realm="b"`,
		`Digest =x`, `Digest realm`, `Digest realm="` + strings.Repeat("a", maxParameters) + `"`,
	} {
		if p, ok := Parameters(v); ok && len(p) > 0 || ok && v == "" {
			t.Errorf("%.40q is read as %v", v, p)
		}
	}
}

func TestQuote(t *testing.T) {
	for _, s := range []string{"", "plain", `a"b\c`} {
		if got, rest, ok := Unquote(Quote(s) + "rest"); got != s || rest != "rest" || !ok {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
}
