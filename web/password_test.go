package web_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/web"
)

func mustURL(t *testing.T, s string) *url.URL {
	t.Helper()
	u, err := url.Parse(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestPassword(t *testing.T) {
	a, err := web.HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	b, err := web.HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if a == b || !strings.HasPrefix(a, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("hashes %q and %q", a, b)
	}
	if !web.VerifyPassword(a, "correct horse") || web.VerifyPassword(a, "correct horsE") {
		t.Error("verify is wrong")
	}
	for _, bad := range []string{
		"", "correct horse", "$argon2id$", strings.Replace(a, "argon2id", "argon2i", 1), strings.Replace(a, "v=19", "v=16", 1),
		strings.Replace(a, "m=19456", "m=99999999", 1), strings.Replace(a, "t=2", "t=0", 1), a[:len(a)-30], a + "$x",
	} {
		if web.VerifyPassword(bad, "correct horse") {
			t.Errorf("%q verifies", bad)
		}
	}
	for _, bad := range []string{"", "seven77", strings.Repeat("x", 1025)} {
		if _, err := web.HashPassword(bad); err == nil {
			t.Errorf("a password of %d bytes is hashed", len(bad))
		}
	}
}
