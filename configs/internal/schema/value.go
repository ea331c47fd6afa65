package schema

import (
	"regexp"
	"strconv"
	"strings"
)

const duration = `^([0-9]+(\.[0-9]+)?(ms|s|m|h|d))+$`

var (
	words   = regexp.MustCompile("^(`[^`]+`,? ?)+$")
	word    = regexp.MustCompile("`([^`]+)`")
	whole   = regexp.MustCompile(`^(-?[0-9]+) to (-?[0-9]+)\b`)
	decimal = regexp.MustCompile(`^([0-9.]+) to ([0-9.]+)\b`)
	length  = regexp.MustCompile(`^text, ([0-9]+) to ([0-9]+)$`)
	span    = regexp.MustCompile(`^[0-9]+(ms|s|m|h|d)( to |$)`)
	list    = regexp.MustCompile(`^\[([^\]]+)\](?:, up to ([0-9]+))?$`)
)

// valueOf is the schema of what a row's type says; a type in words that are
// not known here takes any value.
func valueOf(kind string) map[string]any {
	switch {
	case kind == "NEED", kind == "ACTION", kind == "PREFER", kind == "OPTION":
		return map[string]any{"$ref": "#/$defs/" + strings.ToLower(kind)}
	case kind == "[node]":
		return map[string]any{"type": "array", "items": map[string]any{"$ref": "#/$defs/route"}}
	case kind == "flag":
		return map[string]any{"type": "boolean"}
	case kind == "share":
		return map[string]any{"type": "string", "pattern": "^[0-9]+%$"}
	case kind == "whole number", kind == "minor units":
		return map[string]any{"type": "integer"}
	case strings.HasPrefix(kind, "text, or {language: text}"):
		return map[string]any{"anyOf": []any{map[string]any{"type": "string"}, map[string]any{"type": "object", "additionalProperties": map[string]any{"type": "string"}}}}
	case words.MatchString(kind):
		return enum(kind)
	}
	if m := list.FindStringSubmatch(kind); m != nil {
		item := valueOf(m[1])
		if m[1] != "PREFER" && len(item) == 0 {
			item = map[string]any{"type": "string"}
		}
		out := map[string]any{"type": "array", "items": item}
		if m[2] != "" {
			out["maxItems"] = number(m[2])
		}
		return out
	}
	if strings.Contains(kind, "digits") {
		return map[string]any{"type": "string"}
	}
	if m := length.FindStringSubmatch(kind); m != nil {
		return map[string]any{"type": "string", "minLength": number(m[1]), "maxLength": number(m[2])}
	}
	if span.MatchString(kind) {
		return orWords(map[string]any{"type": "string", "pattern": duration}, kind)
	}
	if m := whole.FindStringSubmatch(kind); m != nil {
		return orWords(map[string]any{"type": "integer", "minimum": number(m[1]), "maximum": number(m[2])}, kind)
	}
	if m := decimal.FindStringSubmatch(kind); m != nil {
		return orWords(map[string]any{"type": "number", "minimum": number(m[1]), "maximum": number(m[2])}, kind)
	}
	switch strings.FieldsFunc(kind, func(r rune) bool { return r == ' ' || r == ',' })[0] {
	case "text", "name", "code", "queue", "calendar", "topic", "sound", "set", "condition", "team", "IANA", "number", "path", "segment", "site", "region", "trunk", "YYYY-MM-DD", "MM-DD", "clock":
		return map[string]any{"type": "string"}
	}
	return map[string]any{}
}

// enum is one of the words of a row.
func enum(kind string) map[string]any {
	var all []any
	for _, m := range word.FindAllStringSubmatch(kind, -1) {
		w := strings.Trim(m[1], `"`)
		switch {
		case w == "true":
			all = append(all, true)
		case strings.ContainsAny(w, ":.,{"): // a form, no word
			return map[string]any{"type": "string"}
		default:
			all = append(all, w)
		}
	}
	return map[string]any{"enum": all}
}

// orWords adds what a row allows beside its numbers: `off`, or `"a..b"`.
func orWords(value map[string]any, kind string) map[string]any {
	others := []any{value}
	for _, m := range word.FindAllStringSubmatch(kind, -1) {
		if strings.Contains(m[1], "..") {
			others = append(others, map[string]any{"type": "string", "pattern": `^[0-9]+\.\.[0-9]+$`})
		} else {
			others = append(others, map[string]any{"const": strings.Trim(m[1], `"`)})
		}
	}
	if len(others) == 1 {
		return value
	}
	return map[string]any{"anyOf": others}
}

func number(text string) float64 {
	n, _ := strconv.ParseFloat(text, 64) // the row's pattern holds digits
	return n
}
