package convert

import (
	"bytes"
	"fmt"
	"strings"
)

// section is one [section] of Asterisk's configuration form, with the entries
// of the templates it is made from before its own.
type section struct {
	name    string
	line    int
	entries []entry
}

type entry struct {
	key, value string
	line       int
}

// last is the value of a key that may stand once; the last one counts.
func (s *section) last(key string) (entry, bool) {
	for i := len(s.entries) - 1; i >= 0; i-- {
		if s.entries[i].key == key {
			return s.entries[i], true
		}
	}
	return entry{}, false
}

// maxEntries bounds a section with those it is made from: each may name the one
// before it twice.
const maxEntries = 10_000

// ini reads Asterisk's configuration form: sections with templates ([a](!),
// [b](a), [b](+)), key = value or key => value, comments behind ; and between
// ;-- and --;, and \; for a semicolon.
type ini struct {
	c         *centre
	sections  []*section
	templates map[string]*section
	open      *section
	comment   bool
}

func readINI(c *centre, data []byte) ([]*section, error) {
	r := &ini{c: c, templates: map[string]*section{}}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	for i, raw := range bytes.Split(data, []byte("\n")) {
		if err := r.take(strings.TrimSpace(r.uncomment(string(raw))), i+1); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", c.file, i+1, err)
		}
	}
	return r.sections, nil
}

// uncomment cuts comments off.
func (r *ini) uncomment(text string) string {
	var out strings.Builder
	for text != "" {
		if r.comment {
			_, after, ended := strings.Cut(text, "--;")
			if !ended {
				return out.String()
			}
			r.comment, text = false, after
			continue
		}
		at := strings.IndexByte(text, ';')
		switch {
		case at < 0:
			out.WriteString(text)
			return out.String()
		case at > 0 && text[at-1] == '\\':
			out.WriteString(text[:at-1] + ";")
			text = text[at+1:]
		case strings.HasPrefix(text[at:], ";--") && !strings.HasPrefix(text[at:], ";---"):
			out.WriteString(text[:at])
			r.comment, text = true, text[at+3:]
		default:
			out.WriteString(text[:at])
			return out.String()
		}
	}
	return out.String()
}

func (r *ini) take(text string, line int) error {
	switch {
	case text == "":
		return nil
	case strings.HasPrefix(text, "#"):
		r.c.note(line, text, "not followed: give one file with everything in it")
		return nil
	case strings.HasPrefix(text, "["):
		return r.begin(text, line)
	}
	key, value, ok := strings.Cut(text, "=")
	switch {
	case !ok:
		return fmt.Errorf("neither a section nor key = value: %q", text)
	case r.open == nil:
		return fmt.Errorf("%q stands in no section", text)
	}
	value = strings.TrimSpace(strings.TrimPrefix(value, ">"))
	r.open.entries = append(r.open.entries, entry{key: strings.ToLower(strings.TrimSpace(key)), value: value, line: line})
	return nil
}

func (r *ini) begin(text string, line int) error {
	name, options, ok := strings.Cut(text[1:], "]")
	if !ok || name == "" {
		return fmt.Errorf("a section without its end: %q", text)
	}
	s := &section{name: name, line: line}
	template := false
	options = strings.TrimSpace(options)
	if options != "" && (!strings.HasPrefix(options, "(") || !strings.HasSuffix(options, ")")) {
		return fmt.Errorf("something behind a section: %q", options)
	}
	for option := range strings.SplitSeq(strings.Trim(options, "()"), ",") {
		switch option = strings.TrimSpace(option); option {
		case "":
		case "!":
			template = true
		case "+":
			for _, old := range r.sections {
				if old.name == name {
					r.open = old
					return nil
				}
			}
			return fmt.Errorf("adds to section %q, which there is not", name)
		default:
			base := r.templates[option]
			if base == nil {
				return fmt.Errorf("made from section %q, which there is not", option)
			}
			if s.entries = append(s.entries, base.entries...); len(s.entries) > maxEntries {
				return fmt.Errorf("made from sections with over %d entries", maxEntries)
			}
		}
	}
	r.open, r.templates[name] = s, s
	if !template {
		r.sections = append(r.sections, s)
	}
	return nil
}
