package configs

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// serverKeys reads the table of docs/server-file.md: default and example, as
// they stand in backquotes, by key. A default in words is "".
func serverKeys(t *testing.T) (keys map[string][2]string, text string) {
	t.Helper()
	b, err := os.ReadFile("../docs/server-file.md")
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile("^`([^`]+)`$")
	keys = map[string][2]string{}
	_, table, _ := strings.Cut(string(b), "## Keys")
	table, _, _ = strings.Cut(table, "\n## ")
	for line := range strings.SplitSeq(table, "\n") {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		cells := strings.Split(strings.Trim(line, "|"), "|")
		var values [2]string
		for i, cell := range cells[2:4] {
			if m := quoted.FindStringSubmatch(strings.TrimSpace(cell)); m != nil {
				values[i] = m[1]
			}
		}
		key := strings.Trim(cells[0], " `")
		if len(cells) != 5 || values[1] == "" {
			t.Errorf("%s: %d columns, example %q", key, len(cells), values[1])
		}
		keys[key] = values
	}
	return keys, string(b)
}

// instance puts one of them in the place of what may have any name.
var instance = strings.NewReplacer("NAME", "main", "PURPOSE", "offer")

// written writes keys and their values as a server file.
func written(keys map[string]string) string {
	var b strings.Builder
	var last []string
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		parts := strings.Split(instance.Replace(key), ".")
		for i, part := range parts {
			if i < len(parts)-1 && i < len(last) && slices.Equal(parts[:i+1], last[:i+1]) {
				continue
			}
			b.WriteString(strings.Repeat("  ", i) + part + ":")
			if i == len(parts)-1 {
				b.WriteString(" " + keys[key])
			}
			b.WriteString("\n")
		}
		last = parts
	}
	return b.String()
}

// around is what must stand beside a key for it to mean something.
func around(key string) map[string]string {
	out := map[string]string{"cordboard": "server/1", "routing": "routing.yaml", "sip.listen": `["udp:127.0.0.1:5060"]`}
	for prefix, keys := range map[string]map[string]string{
		"sip.tls.":             {"sip.listen": `["tls:127.0.0.1:5061"]`, "sip.tls.certificate": "sip.pem", "sip.tls.key": "sip.key"},
		"web.tls.":             {"web.tls.certificate": "web.pem", "web.tls.key": "web.key"},
		"sip.trunks.":          {"sip.trunks.NAME.from": "[192.0.2.1]"},
		"sip.trunks.NAME.out.": {"sip.trunks.NAME.from": "[192.0.2.1]", "sip.trunks.NAME.out.to": "sip:192.0.2.1", "sip.trunks.NAME.out.number": `"+441632960000"`},
		"sip.registrar.":       {"sip.registrar.realm": "desk.example.com"},
		"store.password_file":  {"store.postgres": "postgres://u@db/d"},
		"pops.":                {"pops.NAME.token": `"${TOKEN}"`},
		"interactions.":        {"interactions.NAME.token": `"${TOKEN}"`},
		"callbacks.":           {"callbacks.NAME.token": `"${TOKEN}"`},
		"notify.":              {"notify.desk": "https://d.example.com", "notify.webhook.url": "https://w.example.com", "notify.webhook.secret_file": "s"},
		"notify.mail.":         {"notify.mail.server": `"m.example.com:25"`, "notify.mail.from": "a@example.com", "notify.mail.user": "u", "notify.mail.password_file": "p"},
		"notify.sms.":          {"notify.sms.url": "https://s.example.com", "notify.sms.body": "'{to} {text}'"},
		"requests.":            {"requests.NAME.token": `"${TOKEN}"`},
		"consents.":            {"consents.NAME.token": `"${TOKEN}"`},
		"sources.":             {"sources.NAME.kind": "http", "sources.NAME.url": `"https://crm.example.com/{id}"`, "sources.NAME.record.facts": "body.facts"},
		"media.advertise":      {"media.address": "0.0.0.0", "media.advertise": "192.0.2.1"},
	} {
		if strings.HasPrefix(key, prefix) {
			maps.Copy(out, keys)
		}
	}
	if strings.HasPrefix(key, "pops.NAME.") && slices.Contains([]string{"extensions", "trunk", "expires", "header"}, strings.TrimPrefix(key, "pops.NAME.")) {
		for _, trunk := range []string{"main", "pbx"} {
			out["sip.trunks."+trunk+".from"] = map[string]string{"main": "[192.0.2.1]", "pbx": "[192.0.2.2]"}[trunk]
			out["sip.trunks."+trunk+".out.to"], out["sip.trunks."+trunk+".out.caller"] = "sip:192.0.2.1", "caller"
		}
		out["pops.NAME.extensions"], out["pops.NAME.trunk"] = "[100]", "main"
	}
	if section, is := strings.CutSuffix(key, ".NAME.token_file"); is {
		delete(out, section+".NAME.token")
		out[key] = "other"
	}
	if slices.Contains([]string{"user", "realm", "password", "password_file", "register"}, strings.TrimPrefix(key, "sip.trunks.NAME.")) {
		maps.Copy(out, around("sip.trunks.NAME.out."))
		out["sip.trunks.NAME.user"] = "somebody"
		if key == "sip.trunks.NAME.password_file" {
			out[key] = "secret"
		} else {
			out["sip.trunks.NAME.password"] = `"${SECRET}"`
		}
	}
	return out
}

// The document lists exactly the keys that the program reads; an example of
// each is taken and has an effect, and the defaults are those it says.
func TestServerFileGuide(t *testing.T) {
	keys, text := serverKeys(t)
	parse := func(key string, given map[string]string) *Server {
		s, findings := ParseServer("cordboard.yaml", []byte(written(given)))
		if s == nil {
			t.Errorf("%s: %s\n%s", key, printed(t, findings), written(given))
			return &Server{}
		}
		return s
	}
	whole := map[string]string{}
	for key, values := range keys {
		before := around(key)
		given := maps.Clone(before)
		given[key] = values[1]
		whole[key] = values[1]
		named := instance.Replace(key)
		if s := parse(key, given); key != "cordboard" && key != "sources.NAME.kind" && !slices.Contains(s.Differs(parse(key, before)), named) {
			t.Errorf("%s: %s has no effect: %q", key, values[1], s.Differs(parse(key, before)))
		}
		if values[0] != "" && !strings.Contains(values[0], "media.address") {
			given[key] = values[0]
			if d := parse(key, given).Differs(parse(key, before)); len(d) > 0 {
				t.Errorf("%s: %s is not the default", key, values[0])
			}
		}
	}
	asked := map[string]bool{}
	s := &serverReader{reader: &reader{file: "whole.yaml"}, out: &Server{}}
	s.asked = func(path string, _ bool) {
		asked[strings.NewReplacer("trunks.main", "trunks.NAME", "pops.main", "pops.NAME", "interactions.main", "interactions.NAME", "callbacks.main", "callbacks.NAME", "requests.main", "requests.NAME", "consents.main", "consents.NAME", "sources.main", "sources.NAME", "contact.service", "contact.PURPOSE", "contact.callback", "contact.PURPOSE", "contact.offer", "contact.PURPOSE", "contact.survey", "contact.PURPOSE").Replace(path)] = true
	}
	s.document(s.object(s.parse([]byte(written(whole)))))
	for key := range asked {
		section := false
		for documented := range keys {
			section = section || strings.HasPrefix(documented, key+".")
		}
		if _, ok := keys[key]; !ok && !section {
			t.Errorf("%s is not in the document", key)
		}
	}
	for key := range keys {
		if !asked[key] {
			t.Errorf("the document has %s, the program does not ask for it", key)
		}
	}
	for i, block := range strings.Split(text, "```yaml\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		if s, findings := ParseServer("cordboard.yaml", []byte(block)); s == nil {
			t.Errorf("block %d: %s", i+1, printed(t, findings))
		}
	}
}

// Every field of the server file has a key, but for a trunk's name and trust and
// the names of other systems, which Differs knows, and what a source's kind makes of
// its own keys.
func TestServerFieldsHaveKeys(t *testing.T) {
	var look func(path string, typ reflect.Type)
	look = func(path string, typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			name := path + "." + f.Name
			if _, ok := f.Tag.Lookup("key"); !ok && name != "Server.SIP.Trunks.Name" && name != "Server.SIP.Trunks.Trust" && name != "Server.Pops.Name" && name != "Server.Senders.Name" && name != "Server.Askers.Name" && name != "Server.Requests.Name" && name != "Server.Consents.Name" && name != "Server.Sources.Name" && name != "Server.Sources.Config" {
				t.Errorf("%s has no key", name)
			}
			inner := f.Type
			if inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && hasKeys(inner) {
				look(name, inner)
			}
		}
	}
	look("Server", reflect.TypeFor[Server]())
}

func TestServerDiffers(t *testing.T) {
	parse := func(text string) *Server {
		s, findings := ParseServer("cordboard.yaml", []byte("cordboard: server/1\nrouting: routing.yaml\n"+text))
		if s == nil {
			t.Fatal(printed(t, findings))
		}
		return s
	}
	one := parse(`sip: {listen: ["udp:127.0.0.1:5060"], trunks: {a: {from: [192.0.2.1]}, b: {from: [192.0.2.2]}}}`)
	if d := one.Differs(parse(`sip: {trunks: {b: {from: [192.0.2.2]}, a: {from: [192.0.2.1]}}, listen: ["udp:127.0.0.1:5060"], max_calls: 1000}`)); len(d) > 0 {
		t.Errorf("the same in another order differs in %q", d)
	}
	other := parse(`sip: {listen: ["udp:127.0.0.1:5060"], trunks: {a: {from: [192.0.2.3]}, c: {from: [192.0.2.2]}}, registrar: {realm: x}}`)
	want := []string{"sip.registrar", "sip.trunks.a.from", "sip.trunks.b", "sip.trunks.c"}
	if d := one.Differs(other); !slices.Equal(d, want) {
		t.Errorf("differs in %q, want %q", d, want)
	}
	if d := other.Differs(one); !slices.Equal(d, want) {
		t.Errorf("the other way round: %q, want %q", d, want)
	}
}
