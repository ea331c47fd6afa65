package configs

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const oddHead = "cordboard: routing/1\nname: Odd\nzone: Europe/Sofia\n"
const oddTail = "queues: {desk: {late: {after: 10m, then: {hangup: true}}}}\nroute: {queue: desk}\nagents: {}\n"

// TestOddYAML: files as editors and people leave them. What is fine loads; of
// the others each mistake is told, at the place where it stands.
func TestOddYAML(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"plain", oddHead + oddTail, ""},
		{"byte order mark and CRLF", "\ufeff" + strings.ReplaceAll(oddHead+oddTail, "\n", "\r\n"), ""},
		{"no newline at the end", strings.TrimSuffix(oddHead+oddTail, "\n"), ""},
		{"blank lines and spaces behind", "\n  \n" + strings.ReplaceAll(oddHead, "\n", "   \n") + "\n\n" + oddTail + "\n# end", ""},
		{"begins and ends like a document", "---\n" + oddHead + oddTail + "...\n", ""},
		{"tab behind the colon", oddHead + "teams:\t[a]\n" + oddTail, ""},
		{"words that YAML 1.1 knew", strings.Replace(oddHead, "Odd", "no", 1) + "teams: [yes, no, on, off, y, n]\n" + oddTail, ""},
		{"comma at the end", oddHead + "teams: [a, b,]\nskills: {a: {}, b: {},}\n" + oddTail, ""},
		{"quoted keys", oddHead + `"teams": ["a"]` + "\n'skills': {'a': {\"title\": 'A'}}\n" + oddTail, ""},
		{"long names in text blocks", strings.Replace(oddHead, "name: Odd", "name: >-\n  Odd\n  and folded", 1) + oddTail, ""},

		{"byte order mark, CRLF, mistakes", "\ufeff" + strings.ReplaceAll(oddHead+"teams: [a, A]\n"+oddTail, "\n", "\r\n"), "4:12 Y006"},
		{"mistake on the first line", "\ufeffcordboard: routing/2\n", "1:12 Y006"},
		{"tabs before", oddHead + "teams: [a,\tA,\t\tB]\n" + oddTail, "4:12 Y006 4:16 Y006"},
		{"wide letters before", oddHead + "skills: {a: {title: \"сервис 客服 😀\"}, B: {}}\n" + oddTail, "4:37 Y006"},
		{"indented by tabs", oddHead + "skills:\n\ta: {}\n" + oddTail, "5:1 Y001"},
		{"Latin letters of another time", oddHead + "skills: {a: {title: \"caf\xe9\"}}\n" + oddTail, "4:25 Y001"},
		{"nothing", "", "1:1 Y001"}, {"spaces", "   \n\n", "1:1 Y001"}, {"remarks", "# a\n# b\n", "1:1 Y001"}, {"only a line", "---\n", "1:1 Y001"},
		{"null", "~\n", "1:1 Y006"}, {"a word", "cordboard\n", "1:1 Y006"}, {"a number", "17\n", "1:1 Y006"}, {"a list", "- cordboard: routing/1\n", "1:1 Y006"},
		{"zero byte", oddHead + "teams: [a\x00]\n" + oddTail, "4:10 Y001"},
		{"old line end", strings.ReplaceAll(oddHead+oddTail, "\n", "\r"), "1:21 Y001"},
		{"next line", oddHead + "teams: [a]\u0085\n" + oddTail, "4:11 Y001"}, {"line separator", oddHead + "teams: [a]\u2028\n" + oddTail, "4:11 Y001"},
		{"directive", "%YAML 1.1\n---\n" + oddHead + oddTail, "1:1 Y002"},
		{"two documents", oddHead + oddTail + "---\n" + oddHead, "8:1 Y002"},
		{"two, the second empty", oddHead + oddTail + "---\n# nothing\n", ""},
		{"anchor and alias", oddHead + "teams: &t [a]\nsegments: *t\n" + oddTail, "4:8 Y002 5:11 Y002"},
		{"alias of nothing", oddHead + "teams: *t\n" + oddTail, "4:8 Y002"},
		{"merge", oddHead + "skills: {a: &a {title: A}, b: {<<: *a}}\n" + oddTail, "4:13 Y002 4:32 Y002"},
		{"tag", oddHead + "teams: !!set {a: }\n" + oddTail, "4:8 Y002"}, {"own tag", oddHead + "teams: !team [a]\n" + oddTail, "4:8 Y002"},
		{"key twice, in other quotes", oddHead + "skills: {\"a\": {}, 'a': {}, a: {}}\n" + oddTail, "4:19 Y003 4:28 Y003"},
		{"key twice, far apart", oddHead + oddTail + "teams: []\nname: Again\n", "8:1 Y003"},
		{"flags of another time", oddHead + strings.Replace(oddTail, "hangup: true", "hangup: yes", 1), "4:51 Y006"},
		{"quoted flag", oddHead + strings.Replace(oddTail, "hangup: true", `hangup: "true"`, 1), "4:51 Y006"},
		{"octal", oddHead + "order: {ceiling: 010}\n" + oddTail, "4:18 Y006"}, {"octal of YAML 1.2", oddHead + "order: {ceiling: 0o10}\n" + oddTail, "4:18 Y006"},
		{"hexadecimal", oddHead + "order: {ceiling: 0x10}\n" + oddTail, "4:18 Y006"}, {"binary", oddHead + "order: {ceiling: 0b10}\n" + oddTail, "4:18 Y006"},
		{"underscores", oddHead + "order: {ceiling: 1_000}\n" + oddTail, "4:18 Y006"}, {"exponent", oddHead + "order: {ceiling: 1e2}\n" + oddTail, "4:18 Y006"},
		{"sign", oddHead + "order: {ceiling: +5}\n" + oddTail, "4:18 Y006"}, {"fraction", oddHead + "order: {ceiling: 5.0}\n" + oddTail, "4:18 Y006"},
		{"huge", oddHead + "order: {ceiling: 99999999999999999999999}\n" + oddTail, "4:18 Y006"}, {"infinite", oddHead + "order: {ceiling: .inf}\n" + oddTail, "4:18 Y006"},
		{"quoted number", oddHead + "order: {ceiling: \"10\"}\n" + oddTail, "4:18 Y006"}, {"minutes and seconds", oddHead + "record: {late_for: 1:30}\n" + oddTail, "4:20 Y006"},
		{"other digits", oddHead + "order: {ceiling: ١٠}\n" + oddTail, "4:18 Y006"}, {"duration in words", oddHead + "record: {late_for: 5 s}\n" + oddTail, "4:20 Y006"},
		{"huge duration", oddHead + "record: {late_for: 99999999999999999999d}\n" + oddTail, "4:20 Y006"}, {"units turned round", oddHead + "record: {late_for: 30s1m}\n" + oddTail, "4:20 Y006"},
		{"fraction of a second", oddHead + "record: {late_for: 1.5s}\n" + oddTail, "4:20 Y006"}, {"negative duration", oddHead + "record: {late_for: -5s}\n" + oddTail, "4:20 Y006"},
		{"a word for a list", oddHead + "teams: a\n" + oddTail, "4:8 Y006"}, {"a list for keys", oddHead + "skills: [a]\n" + oddTail, "4:9 Y006"},
		{"keys for a word", strings.Replace(oddHead, "name: Odd", "name: {a: b}", 1) + oddTail, "2:7 Y006"},
		{"a key of two", oddHead + "skills: {[a, b]: {}}\n" + oddTail, "4:16 Y001"}, {"a key of keys", oddHead + "? {a: b}\n: c\n" + oddTail, "5:1 Y001"},
		{"an empty key", oddHead + "skills: {\"\": {}}\n" + oddTail, "4:10 Y006"}, {"a number for a key", oddHead + "1: x\n" + oddTail, "4:1 Y004"},
		{"upper case key", strings.Replace(oddHead, "name", "Name", 1) + oddTail, "1:1 Y005 2:1 Y004"},
		{"quote not closed", oddHead + "teams: [\"a]\n" + oddTail, "4:9 Y001"},
		{"no value", "cordboard: routing/1\nname:\nzone: Europe/Sofia\n" + oddTail, "2:1 Y005"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, findings := ParseRouting("x.yaml", []byte(c.text))
			var got []string
			for _, f := range findings {
				got = append(got, fmt.Sprintf("%d:%d %s", f.Line, f.Col, f.Code))
			}
			if text := strings.Join(got, " "); text != c.want || (p == nil) != (c.want != "") {
				t.Errorf("got %q, want %q:\n%s", text, c.want, printed(t, findings))
			}
		})
	}
}

// A caret stands under the character that the column counts, whatever is before
// it on the line.
func TestOddCarets(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"teams: [a, B]", " | teams: [a, B]\n | ...........^"},
		{"  teams: [a, B]", " | teams: [a, B]\n | ...........^"},
		{"skills: {a: {title: \"мир\"}, B: }", " | skills: {a: {title: \"мир\"}, B: }\n | ............................^"},
		{"teams: [a,\tB]", " | teams: [a, B]\n | ...........^"},
	} {
		text := "\n" + oddHead + c.line + "\n"
		if strings.HasPrefix(c.line, " ") {
			text = strings.ReplaceAll("\n"+oddHead, "\n", "\n  ") + strings.TrimPrefix(c.line, "  ") + "\n"
		}
		_, findings := ParseRouting("x.yaml", []byte(text))
		found := false
		for _, f := range findings {
			if f.Line == 5 {
				found = true
				if _, shown, _ := strings.Cut(f.String(), "\n"); shown != c.want {
					t.Errorf("%s", f)
				}
			}
		}
		if !found {
			t.Errorf("%q: nothing on its line: %s", c.line, printed(t, findings))
		}
	}
}

// TestOddSizes: files made to hurt are refused, and soon.
func TestOddSizes(t *testing.T) {
	bomb := "a: &a [x, x, x, x, x, x, x, x, x]\n"
	for c := 'b'; c <= 'i'; c++ {
		bomb += fmt.Sprintf("%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c, ", c-1), 9), ", "))
	}
	var deep strings.Builder
	for i := range 1500 {
		deep.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	for _, c := range []struct{ name, text, want string }{
		{"aliases upon aliases", bomb, "Y002"},
		{"brackets", oddHead + "teams: " + strings.Repeat("[", 100_000), "Y008"},
		{"braces", oddHead + "skills: " + strings.Repeat("{a: ", 100_000), "Y008"},
		{"dashes", oddHead + "teams: " + strings.Repeat("- ", 100_000), "Y00"},
		{"deep", deep.String(), "Y00"},
		{"one long line", oddHead + "teams: [" + strings.Repeat("a, ", 300_000) + "B]\n" + oddTail, "Y00"},
		{"one long word", oddHead + "teams: [" + strings.Repeat("a", 4_000_000) + "]\n" + oddTail, "Y006"},
		{"many keys", oddHead + "skills:\n" + repeat(150_000, "  s#:\n") + oddTail, "Y008"},
		{"many mistakes", oddHead + "teams: [" + strings.Repeat("A, ", 900) + "]\n" + oddTail, "Y006"},
		{"many remarks", strings.Repeat("# a remark\n", 500_000), "Y001"},
		{"too large", strings.Repeat("#", 8<<20+1), "Y008"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, findings := ParseRouting("x.yaml", []byte(c.text))
			if p != nil || len(findings) == 0 || len(findings) > maxFindings+1 {
				t.Fatalf("loaded %v, %d findings", p != nil, len(findings))
			}
			if !slices.ContainsFunc(findings, func(f Finding) bool { return strings.HasPrefix(f.Code, c.want) }) {
				t.Errorf("%s", findings[0].Brief())
			}
			for _, f := range findings {
				if len(f.Source) > 4*excerptWidth+6 {
					t.Fatalf("a finding of %d bytes", len(f.Source))
				}
			}
		})
	}
}
