package configs

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

const aSource = "cordboard: server/1\nrouting: routing.yaml\nsip: {listen: [\"udp:127.0.0.1:5060\"]}\nsources:\n  erp:\n"

// TestSourcesGuide: the example of the guide is a server file.
func TestSourcesGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/integrations/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(guide), "```yaml\n")[1:]
	for i := range blocks {
		blocks[i], _, _ = strings.Cut(blocks[i], "```")
	}
	text := blocks[0]
	for _, more := range blocks[1:] {
		text += strings.TrimPrefix(more, "sources:\n")
	}
	s, findings := ParseServer("cordboard.yaml", []byte(text))
	if s == nil {
		t.Fatal(printed(t, findings))
	}
	if len(s.Sources) != 5 {
		t.Errorf("%d sources, want billing, erp, warehouse, zammad and bitrix24", len(s.Sources))
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
		{"    kind: fax\n", `6:11: sources.erp.kind: "fax" is no kind of source: csv, http`},
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

// TestSourcesOfTheGuide: what the guide says of Zammad and Bitrix24 reads answers as
// their documents have them.
func TestSourcesOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/integrations/sources.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, host, answer, asked, header, want string }{
		{
			"zammad", "https://zammad.example.com",
			`[{"id":7,"number":"20007","title":"Drops","group":"Support","state":"open","created_at":"2026-11-20T10:00:00.000Z","escalation_at":null,"close_at":null},
			  {"id":5,"number":"20005","title":"Bill","group":"Billing","state":"merged","created_at":"2026-10-20T10:00:00.000Z","escalation_at":null,"close_at":"2026-10-21T10:00:00.000Z"}]`,
			"/api/v1/tickets/search?expand=true&limit=20&query=customer.mobile:447700900417%20OR%20customer.phone:447700900417", "Token token=sesame",
			"20007 Drops open; 20005 Bill closed; ",
		},
		{
			"bitrix24", "https://example.bitrix24.com",
			`{"result":[{"ID":"12","TITLE":"Move","CLOSED":"N","DATE_CREATE":"2026-11-20T10:00:00+03:00"},{"ID":"9","TITLE":"Old","CLOSED":"Y","DATE_CREATE":"2026-01-20T10:00:00+03:00"}],"total":2}`,
			"/rest/1/sesame/crm.deal.list.json", "",
			"deal 12 Move open; deal 9 Old closed; Open deals 1; ",
		},
	} {
		var asked, header string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked, header = r.URL.RequestURI(), r.Header.Get("Authorization")
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			fmt.Fprint(w, c.answer)
		}))
		defer server.Close()
		token := filepath.Join(t.TempDir(), "token")
		if err := os.WriteFile(token, []byte("sesame\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(string(guide), "sources:\n  "+c.name+":\n")
		text, _, _ = strings.Cut(text, "```")
		text = strings.NewReplacer(c.host, server.URL, "/run/secrets/"+c.name, token).Replace(strings.Replace(aSource, "  erp:\n", "  "+c.name+":\n", 1) + text)
		s, findings := ParseServer("cordboard.yaml", []byte(text))
		if s == nil {
			t.Fatal(printed(t, findings))
		}
		source, err := s.Sources[0].Config.Open()
		if err != nil {
			t.Fatal(err)
		}
		part, err := source.Ask(t.Context(), customer.Subject{ID: "7", Number: "+447700900417"})
		if err != nil {
			t.Fatal(c.name, err)
		}
		got := ""
		for _, x := range part.Tickets {
			got += x.ID + " " + x.Title + " " + x.Status + "; "
		}
		for _, f := range part.Facts {
			got += f.Name + " " + f.Value + "; "
		}
		if got != c.want || asked != c.asked || header != c.header {
			t.Errorf("%s: %s, asked %s with %q", c.name, got, asked, header)
		}
	}
}
