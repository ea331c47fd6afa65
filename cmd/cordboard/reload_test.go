package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/configs"
)

func anySound(string) bool { return true }

// A document refused at a reload is told to the log, which names nobody.
func TestRefusedReloadNamesNobody(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	file := write("cordboard.yaml", "cordboard: server/1\nrouting: routing.yaml\nsip: {listen: [\"udp:127.0.0.1:5060\"], max_calls: 100}\n")
	write("routing.yaml", `cordboard: routing/1
name: Office
zone: Europe/London
skills: {care: {}}
queues: {care: {}}
route: {queue: care}
agents:
  anna: {name: Anna Berg, phone: "sip:anna@127.0.0.1:99999", skills: {care: 5}}
`)
	core, logs := observer.New(zap.DebugLevel)
	running, findings := configs.LoadServer(file)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	var said []string
	if reread(file, running, anySound, zap.New(core), func(f string) { said = append(said, f) }) != nil {
		t.Error("the document was taken")
	}
	if len(said) != 1 || !strings.Contains(said[0], "routing.yaml:8:") {
		t.Errorf("whoever asked was told %q", said)
	}
	told := false
	for _, e := range logs.All() {
		text := e.Message
		for _, f := range e.Context {
			text += " " + f.String
		}
		if strings.Contains(text, "Berg") {
			t.Errorf("the log names people: %s", text)
		}
		told = told || strings.Contains(text, "routing.yaml:8:")
	}
	if !told {
		t.Errorf("the log does not say where the error is: %v", logs.All())
	}
}

// A reload says which keys of the server file wait for the next start, and
// reads the routing document from where the file now says.
func TestReloadNamesWhatWaits(t *testing.T) {
	o := newOffice(t)
	folder := filepath.Dir(o.server)
	running, findings := configs.LoadServer(o.server)
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	core, logs := observer.New(zap.DebugLevel)
	if reread(o.server, running, anySound, zap.New(core), func(string) {}) == nil || logs.Len() > 0 {
		t.Fatalf("nothing has changed, and the log says %v", logs.All())
	}
	document, err := os.ReadFile(filepath.Join(folder, "routing.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write("other.yaml", strings.Replace(string(document), "name: Office", "name: Other", 1))
	write("cordboard.yaml", "cordboard: server/1\nrouting: other.yaml\nstore: {path: cordboard.db}\n"+
		"sip: {listen: [\"udp:127.0.0.1:5060\"], max_calls: 200, trunks: {main: {from: [192.0.2.1]}}}\nadmin: \"127.0.0.1:9999\"\n")
	doc := reread(o.server, running, anySound, zap.New(core), func(string) {})
	if doc == nil || doc.Policy.Name != "Other" {
		t.Fatalf("the document was not read from its new place: %v", logs.All())
	}
	if logs.Len() != 1 || logs.All()[0].Level != zap.WarnLevel {
		t.Fatalf("the log says %v", logs.All())
	}
	if keys := fmt.Sprint(logs.All()[0].ContextMap()["keys"]); keys != "[admin sip.max_calls sip.trunks.main]" {
		t.Errorf("keys %s", keys)
	}
	// The registrar of the file is not there yet: nobody can register.
	write("other.yaml", strings.Replace(string(document), `phone: "sip:anna@127.0.0.1:5062", `, "", 1))
	write("cordboard.yaml", "cordboard: server/1\nrouting: other.yaml\nstore: {path: cordboard.db}\n"+
		"sip: {listen: [\"udp:127.0.0.1:5060\"], max_calls: 100, registrar: {realm: x}}\n")
	if reread(o.server, running, anySound, zap.New(core), func(string) {}) != nil {
		t.Error("a document was taken that this server cannot serve before its next start")
	}
}
