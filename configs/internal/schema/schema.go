// Package schema makes the JSON Schema of the routing document from the tables
// of its guide (docs/routing.md, "Keys"), which a test holds to the program. So
// the guide, the program and what an editor offers are one.
package schema

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
)

// Of reads the guide and returns the schema, draft 2020-12.
func Of(guide string) ([]byte, error) {
	_, keys, ok := strings.Cut(guide, "\n## Keys\n")
	if !ok {
		return nil, errors.New("the guide has no keys")
	}
	keys, _, _ = strings.Cut(keys, "\n## ")
	tables := map[string]*node{}
	var table *node
	for line := range strings.SplitSeq(keys, "\n") {
		if m := heading.FindStringSubmatch(line); m != nil {
			name := tableOf(m[1])
			if tables[name] == nil {
				tables[name] = &node{}
			}
			table = tables[name]
			continue
		}
		cells := strings.Split(line, "|")
		if m := key.FindStringSubmatch(line); m != nil && table != nil && len(cells) == 6 {
			table.at(m[1]).set(strings.TrimSpace(cells[2]), strings.TrimSpace(cells[3]), strings.TrimSpace(cells[4]))
		}
	}
	document, route := tables[""], tables["route"]
	if document == nil || route == nil || tables["need"] == nil || tables["option"] == nil || tables["prefer"] == nil || tables["action"] == nil {
		return nil, errors.New("the guide lacks a table of keys")
	}
	document.at("defaults").ref = "option"
	document.at("queues.NAME").ref = "queue"
	document.at("route").ref = "route"
	out := document.schema()
	out["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	out["title"] = "Cordboard routing document"
	out["required"] = []string{"cordboard", "name", "zone", "queues", "route"}
	defs := map[string]any{}
	for name, t := range tables {
		if name != "" {
			defs[name] = t.schema()
		}
	}
	// An option of a queue may switch off what the defaults set, and a route what
	// its queue says of callbacks.
	off := defs["option"].(map[string]any)["properties"].(map[string]any)
	for key, s := range off {
		off[key] = orNone(s)
	}
	routes := defs["route"].(map[string]any)["properties"].(map[string]any)
	routes["callback"] = orNone(routes["callback"])
	defs["queue"] = map[string]any{"anyOf": []any{map[string]any{"$ref": "#/$defs/option"}, map[string]any{"type": "null"}}} // desk: with nothing behind it
	out["$defs"] = defs
	b, err := json.MarshalIndent(out, "", " ")
	return append(b, '\n'), err
}

func orNone(s any) any { return map[string]any{"anyOf": []any{s, map[string]any{"const": "none"}}} }

var (
	heading = regexp.MustCompile(`^\*\*([^*]+)\*\*`)
	key     = regexp.MustCompile("^\\| `([^`]+)` \\|")
)

// tableOf is the definition that a table's rows belong to, "" for the document.
func tableOf(heading string) string {
	switch first := strings.Fields(heading)[0]; first {
	case "NEED", "OPTION", "PREFER", "ACTION", "Route":
		return strings.ToLower(first)
	}
	return ""
}

// node is one place of the document: a value, or an object with keys of its
// own, or with any key, or a list of nodes.
type node struct {
	keys  map[string]*node
	any   *node // under names that the document chooses
	items *node
	kind  string // its row's type
	about string
	ref   string
}

// at finds or makes the node of a path such as topics.NAME.need or any[].SKILL.
func (n *node) at(path string) *node {
	for part := range strings.SplitSeq(path, ".") {
		name, list := strings.CutSuffix(part, "[]")
		if name == strings.ToUpper(name) {
			if n.any == nil {
				n.any = &node{}
			}
			n = n.any
		} else {
			if n.keys == nil {
				n.keys = map[string]*node{}
			}
			if n.keys[name] == nil {
				n.keys[name] = &node{}
			}
			n = n.keys[name]
		}
		if list {
			if n.items == nil {
				n.items = &node{}
			}
			n = n.items
		}
	}
	return n
}

func (n *node) set(kind, or, about string) {
	n.kind = kind
	n.about = strings.ReplaceAll(about, "`", "")
	if or = strings.ReplaceAll(or, "`", ""); or != "" && or != "-" {
		n.about = strings.TrimSpace(n.about + " (default: " + or + ")")
	}
}

func (n *node) schema() map[string]any {
	var s map[string]any
	switch {
	case n.ref != "":
		s = map[string]any{"$ref": "#/$defs/" + n.ref}
	case n.items != nil:
		s = map[string]any{"type": "array", "items": n.items.schema()}
	case n.keys != nil || n.any != nil:
		s = n.object()
	case n.kind != "":
		s = valueOf(n.kind)
	default:
		s = map[string]any{}
	}
	if n.about != "" {
		s["description"] = n.about
	}
	return s
}

// object is a node with keys; a row of its own may allow words instead.
func (n *node) object() map[string]any {
	s := map[string]any{"type": "object", "additionalProperties": false}
	if n.any != nil {
		s["additionalProperties"] = n.any.schema()
	}
	properties := map[string]any{}
	for key, inner := range n.keys {
		properties[key] = inner.schema()
	}
	if len(properties) > 0 {
		s["properties"] = properties
	}
	if n.kind != "" {
		return orWords(s, n.kind)
	}
	return s
}
