package configs

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/cordboard/cordboard/configs/internal/schema"
)

var updateSchema = flag.Bool("update-schema", false, "write routing.schema.json anew")

// The schema is what the guide says.
func TestSchemaIsTheGuides(t *testing.T) {
	want, err := schema.Of(string(readAll(t, "../docs/routing.md")))
	if err != nil {
		t.Fatal(err)
	}
	if *updateSchema {
		if err := os.WriteFile("routing.schema.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if !bytes.Equal(RoutingSchema(), want) {
		t.Error("routing.schema.json is not what docs/routing.md says: make schema")
	}
}

// Every document that loads holds by the schema.
func TestSchemaAllowsWhatLoads(t *testing.T) {
	s := compiledSchema(t)
	files := []string{"example/routing.yaml"}
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/check/*.yaml", "convert/testdata/*.yaml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	held := 0
	for _, path := range files {
		b := readAll(t, path)
		if _, findings := ParseRouting(path, b); len(findings) > 0 {
			continue
		}
		held++
		if err := s.Validate(parsed(t, b)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	if held < 6 {
		t.Errorf("only %d documents were held against the schema", held)
	}
}

// What an editor should underline.
func TestSchemaRefuses(t *testing.T) {
	const head = "cordboard: routing/1\nname: X\nzone: UTC\nroute: {queue: q}\n"
	s := compiledSchema(t)
	if err := s.Validate(parsed(t, []byte(head+"queues: {q: {}}"))); err != nil {
		t.Fatal(err)
	}
	for text, place := range map[string]string{
		"queues: {q: {answer_withn: 20s}}":             "answer_withn",
		"queues: {q: {answer_within: 20}}":             "answer_within",
		"queues: {q: {choose: {policy: longest_ide}}}": "policy",
		"queues: {q: {need: {all: {x: 11}}}}":          "all/x",
		"queues: {q: {}}\norder: {by: turn}":           "order/by",
		"queues: {q: {}}\ntopics: {t: {wait: 30}}":     "topics/t/wait",
		"queues: {q: {}}\ntests: [{customer: known}]":  "tests/0/customer",
		"queues: {q: {late: {then: {hangup: false}}}}": "hangup",
	} {
		err := s.Validate(parsed(t, []byte(head+text)))
		if err == nil || !strings.Contains(err.Error(), place) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(RoutingSchema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("routing.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("routing.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parsed is a document as JSON has it.
func parsed(t *testing.T, b []byte) any {
	t.Helper()
	j, err := yaml.YAMLToJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(j))
	if err != nil {
		t.Fatal(err)
	}
	return v
}
