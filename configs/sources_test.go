package configs

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

const aSource = "cordboard: server/1\nrouting: routing.yaml\nsip: {listen: [\"udp:127.0.0.1:5060\"]}\nsources:\n  erp:\n"

// TestSourcesGuide: the example of the guide is a server file.
func TestSourcesGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/integrations/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(guide), "```yaml\n")
	text, _, _ = strings.Cut(text, "```")
	s, findings := ParseServer("cordboard.yaml", []byte(text))
	if s == nil {
		t.Fatal(printed(t, findings))
	}
	if got := s.Sources[0]; got.Name != "billing" || got.Timeout != 2*time.Second || !slices.Equal(got.Config.Panels(), []string{"money", "products"}) {
		t.Errorf("%+v, panels %q", got, got.Config.Panels())
	}
}

// TestSourceFindings: what is wrong with a source is told at its place, by whichever
// kind reads it.
func TestSourceFindings(t *testing.T) {
	whole := "    kind: http\n    url: https://a.example.com/{id}\n    record: {facts: \"[]\"}\n"
	for _, c := range []struct{ text, want string }{
		{"    url: x\n", "6:5: sources.erp.kind is missing"},
		{"    kind: fax\n", `6:11: sources.erp.kind: "fax" is no kind of source: http`},
		{whole + "    color: red\n", `9:5: unknown key sources.erp.color`},
		{strings.Replace(whole, "facts:", "fact:", 1), "8:14: unknown key sources.erp.record.fact, did you mean facts?"},
		{strings.Replace(whole, "{id}", "{name}", 1), "7:10: sources.erp.url: {name} is not known"},
		{strings.Replace(whole, `"[]"`, `"nobody.x"`, 1), "8:21: sources.erp.record.facts: unknown name nobody (1:1)"},
		{whole + "    token: sesame\n", "9:12: sources.erp.token: a token does not belong in this file"},
		{whole + "    timeout: 1h\n", "9:14: sources.erp.timeout: 1h is not within 100ms to 1m"},
		{whole + "    token: \"${A}\"\n    token_file: a\n", "10:5: token_file cannot stand beside token"},
		{whole + "    headers: {X-A: 7}\n", "9:20: sources.erp.headers.X-A: want a text, not a number"},
		{whole + "    headers: {X-A: \"${A}\"}\n", "9:20: sources.erp.headers.X-A: references to the environment are for secrets only"},
		{"    kind: http\n    url: https://a.example.com/{id}\n", "6:5: sources.erp.record: say what of the record its answers fill"},
	} {
		_, findings := ParseServer("cordboard.yaml", []byte(aSource+c.text))
		if got := printed(t, findings); !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%s\nwant %s", c.text, got, c.want)
		}
	}
	if s, findings := ParseServer("cordboard.yaml", []byte(aSource+whole)); s == nil {
		t.Error(printed(t, findings))
	}
}

// TestSourceSecrets: a secret is read when it is wanted, and no error repeats it.
func TestSourceSecrets(t *testing.T) {
	t.Setenv("ERP_TOKEN", "")
	text := aSource + "    kind: http\n    url: https://a.example.com/{id}\n    record: {facts: \"[]\"}\n    token: \"${ERP_TOKEN}\"\n"
	s, findings := ParseServer("cordboard.yaml", []byte(text))
	if s == nil {
		t.Fatal(printed(t, findings))
	}
	if _, err := s.Sources[0].Config.Open(); err == nil || err.Error() != "sources.erp.token: the environment has no ERP_TOKEN" {
		t.Error(err)
	}
	t.Setenv("ERP_TOKEN", "a token")
	if _, err := s.Sources[0].Config.Open(); err != nil {
		t.Error(err)
	}
	other, _ := ParseServer("cordboard.yaml", []byte(strings.Replace(text, "a.example.com", "b.example.com", 1)))
	if d := other.Differs(s); !slices.Equal(d, []string{"sources.erp"}) {
		t.Errorf("another address: %q", d)
	}
}
