package connector_test

import (
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/customer/connector"
	"github.com/cordboard/cordboard/screenpop/customer/connector/connectortest"
)

// keys are settings as a server file would have them; wrong collects what is
// reported of them.
type keys struct {
	of    map[string]any
	wrong *[]string
}

func (k keys) Source() string { return "test" }
func (k keys) Text(key string) string {
	s, _ := k.of[key].(string)
	return s
}
func (k keys) Must(key string) string {
	if k.of[key] == nil {
		k.Wrong(key, "missing")
	}
	return k.Text(key)
}
func (k keys) File(key string) string { return k.Text(key) }
func (k keys) Texts(key string) map[string]string {
	out := map[string]string{}
	for name, v := range k.section(key) {
		out[name] = v.(string)
	}
	return out
}
func (k keys) Secret(key string) func() (string, error) {
	if k.of[key] == nil {
		return nil
	}
	return func() (string, error) { return k.Text(key), nil }
}
func (k keys) Section(key string) connector.Settings {
	if k.of[key] == nil {
		return nil
	}
	return keys{k.section(key), k.wrong}
}
func (k keys) section(key string) map[string]any { m, _ := k.of[key].(map[string]any); return m }
func (k keys) Wrong(key, format string, args ...any) {
	*k.wrong = append(*k.wrong, key+": "+fmt.Sprintf(format, args...))
}

func open(t *testing.T, kind string, of map[string]any) customer.Connector {
	t.Helper()
	var wrong []string
	config, ok := connector.Read(kind, keys{of, &wrong})
	if !ok || len(wrong) > 0 {
		t.Fatalf("%v, %q", ok, wrong)
	}
	c, err := config.Open()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var billing = map[string]any{
	"about": "body.customer",
	"record": map[string]any{
		"billing":  `{balance: money(body.balance, body.currency), overdue_days: body.late ?? 0, next_bill_on: body.next}`,
		"products": `map(body.services, {{id: .code, kind: "mobile", name: .title, status: .on ? "active" : "ended", price: minor(.pence, "GBP")}})`,
		"tickets":  `map(body.cases ?? [], {{id: .no, title: .text, kind: "fault", status: "open", opened_at: unix(.opened)}})`,
		"facts":    `[{name: "Dunning", value: string(body.dunning)}]`,
	},
}

const answer = `{"customer":"LW-20417","balance":"-12.30","currency":"GBP","late":3,"next":"2026-12-01","dunning":2,"name":"Dana Whitcombe",
"services":[{"code":"m1","title":"Mobile 10","on":true,"pence":1500}],"cases":[{"no":"C-9","text":"Drops","opened":1764000000}]}`

func TestHTTP(t *testing.T) {
	price := customer.Money{Minor: 1500, Currency: "GBP"}
	connectortest.Run(t, connectortest.Kind{
		Open: func(t *testing.T, url string) customer.Connector {
			of := maps.Clone(billing)
			of["url"] = url + "/customers/{id}?from={number}"
			return open(t, "http", of)
		},
		Answer: answer,
		Other:  strings.Replace(answer, "LW-20417", "LW-20418", 1),
		Wrong:  strings.Replace(answer, `"GBP"`, `"pounds of Dana Whitcombe"`, 1),
		Want: customer.Part{
			Billing:  &customer.Billing{Balance: customer.Money{Minor: -1230, Currency: "GBP"}, OverdueAge: 3, NextBillOn: "2026-12-01"},
			Products: []customer.Product{{ID: "m1", Kind: "mobile", Name: "Mobile 10", Status: "active", Price: &price}},
			Tickets:  []customer.Ticket{{ID: "C-9", Title: "Drops", Kind: "fault", Status: "open", OpenedAt: time.Unix(1764000000, 0).UTC()}},
			Facts:    []customer.Fact{{Name: "Dunning", Value: "2"}},
		},
	})
}

// TestHTTPRequest: what is asked, and how who asks says who it is.
func TestHTTPRequest(t *testing.T) {
	var got *http.Request
	var body string
	grants := 0
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		grants++
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"granted-%d","token_type":"bearer","expires_in":3600}`, grants)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 1000)
		n, _ := r.Body.Read(b)
		got, body = r, string(b[:n])
		if r.Header.Get("Authorization") == "Bearer granted-1" && grants == 1 && r.Header.Get("X-Twice") != "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		fmt.Fprint(w, `{}`)
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	record := map[string]any{"facts": "[]"}
	ask := func(c customer.Connector, who customer.Subject) error {
		got, body = nil, ""
		_, err := c.Ask(t.Context(), who)
		return err
	}
	odd := customer.Subject{ID: `a/b?c=d&"e`, Number: "+447700900417"}

	c := open(t, "http", map[string]any{"url": s.URL + "/c/{id}/x?n={number}&d={digits}", "record": record, "token": "sesame", "headers": map[string]any{"X-Tenant": "north"}})
	if err := ask(c, odd); err != nil || got.Method != "GET" || got.URL.EscapedPath() != "/c/a%2Fb%3Fc=d&%22e/x" || got.URL.RawQuery != "n=%2B447700900417&d=447700900417" {
		t.Errorf("%v, %+v", err, got.URL)
	}
	if got.Header.Get("Authorization") != "Bearer sesame" || got.Header.Get("X-Tenant") != "north" || got.Header.Get("Accept") != "application/json" {
		t.Errorf("%+v", got.Header)
	}
	for _, who := range []customer.Subject{{ID: "a"}, {ID: "..", Number: "+447700900417"}} {
		if err := ask(c, who); err != nil || got != nil {
			t.Errorf("%+v was asked about: %v", who, got)
		}
	}

	c = open(t, "http", map[string]any{"url": s.URL + "/find", "body": `{"q":{"id":"{id}","tel":"{digits}"}}`, "record": record, "user": "u", "password": "p"})
	if err := ask(c, odd); err != nil || got.Method != "POST" || !json.Valid([]byte(body)) || body != `{"q":{"id":"a/b?c=d\u0026\"e","tel":"447700900417"}}` {
		t.Errorf("%v, %s", err, body)
	}
	if user, password, _ := got.BasicAuth(); user != "u" || password != "p" {
		t.Error(got.Header)
	}

	// A token that has a place of its own is nowhere else.
	c = open(t, "http", map[string]any{"url": s.URL + "/{token}/{id}", "record": record, "token": "ses/ame"})
	if err := ask(c, odd); err != nil || !strings.HasPrefix(got.URL.EscapedPath(), "/ses%2Fame/") || got.Header.Get("Authorization") != "" {
		t.Errorf("%v, %s, %v", err, got.URL, got.Header)
	}
	c = open(t, "http", map[string]any{"url": s.URL + "/{id}", "record": record, "token": "sesame", "headers": map[string]any{"Authorization": "Token token={token}"}})
	if err := ask(c, odd); err != nil || got.Header.Get("Authorization") != "Token token=sesame" {
		t.Errorf("%v, %v", err, got.Header)
	}

	c = open(t, "http", map[string]any{"url": s.URL + "/{id}", "record": record, "headers": map[string]any{"X-Twice": "1"},
		"oauth": map[string]any{"url": s.URL + "/token", "client": "cordboard", "secret": "s3cret", "scope": "read"}})
	if err := ask(c, odd); err == nil || grants != 1 {
		t.Errorf("%v, %d grants", err, grants)
	}
	for range 2 { // the token that was refused is not shown again, the next is
		if err := ask(c, odd); err != nil || grants != 2 || got.Header.Get("Authorization") != "Bearer granted-2" {
			t.Errorf("%v, %d grants, %q", err, grants, got.Header.Get("Authorization"))
		}
	}
}

// TestHTTPCertificates: an authority of the house's own, and a certificate that we show.
func TestHTTPCertificates(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{}`)
	}))
	defer s.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c := open(t, "http", map[string]any{"url": s.URL + "/{id}", "ca": ca, "record": map[string]any{"facts": "[]"}})
	if _, err := c.Ask(t.Context(), connectortest.Who); err != nil {
		t.Error(err)
	}
}

// TestHTTPSettings: what is wrong with settings is said at its key.
func TestHTTPSettings(t *testing.T) {
	record := map[string]any{"facts": "[]"}
	for _, c := range []struct {
		of   map[string]any
		want string
	}{
		{map[string]any{"record": record}, "url: missing"},
		{map[string]any{"url": "https://a/{id}"}, "record: say what of the record its answers fill: billing, products, tickets, interactions, facts"},
		{map[string]any{"url": "ftp://a/{id}", "record": record}, "url: this is no http or https address"},
		{map[string]any{"url": "https://a/", "record": record}, "url: it does not say whom it asks about: {id}, {number} or {digits}, here or in body"},
		{map[string]any{"url": "https://{id}.a/", "record": record}, "url: who is asked is not the caller's choice: places stand behind the host"},
		{map[string]any{"url": "https://a/{id}{name}", "record": record}, "url: {name} is not known; there are {id}, {number}, {digits} and {token}"},
		{map[string]any{"url": "https://a/{token}/{id}", "record": record}, "token: token_file, or token: ${NAME}, must be there: {token} is to be filled in"},
		{map[string]any{"url": "https://u:p@a/{id}", "record": record}, "url: a name and a password do not belong into an address: user and password_file"},
		{map[string]any{"url": "https://a/", "body": `{"a":{id}}`, "record": record}, `body: this is no JSON (places stand inside of texts, "{id}")`},
		{map[string]any{"url": "https://a/{id}", "record": map[string]any{"facts": "body.("}}, "facts: expected name (1:6)"},
		{map[string]any{"url": "https://a/{id}", "record": map[string]any{"facts": "nobody.x"}}, "facts: unknown name nobody (1:1)"},
		{map[string]any{"url": "https://a/{id}", "record": record, "token": "t", "user": "u", "password": "p"}, "token: one of token, user and oauth is enough"},
		{map[string]any{"url": "https://a/{id}", "record": record, "user": "u"}, "user: user and password (password_file) belong together"},
		{map[string]any{"url": "https://a/{id}", "record": record, "certificate": "c.pem"}, "certificate: certificate and key belong together"},
		{map[string]any{"url": "https://a/{id}", "record": record, "oauth": map[string]any{"url": "https://a/t", "client": "c"}}, "secret: secret_file, or secret: ${NAME}, must be there"},
		{map[string]any{"url": "https://a/{id}", "record": record, "headers": map[string]any{"authorization": "x"}}, "headers: who we are stands under token, user or oauth, where it is no text of this file"},
	} {
		var wrong []string
		if _, ok := connector.Read("http", keys{c.of, &wrong}); !ok || !reflect.DeepEqual(wrong, []string{c.want}) {
			t.Errorf("%v: %q, want %q", c.of, wrong, c.want)
		}
	}
}
