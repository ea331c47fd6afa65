package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

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
	reload(nil, file, zap.New(core)) // refused before the server is touched
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
