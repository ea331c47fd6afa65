package configs

import (
	"strconv"
	"strings"
)

// locate finds where in the file the character stands that is the offset-th
// (from 0) of a scalar's text. Plain and quoted scalars: exactly, escapes
// counted; literal blocks: line and column; folded blocks, and whatever does
// not match the file: the scalar's own place.
func (r *reader) locate(n *node, offset int) (line, col int) {
	if n.style == styleFolded {
		return n.line, n.col
	}
	if n.style == styleLiteral {
		return r.locateLiteral(n, offset)
	}
	s := scan{r: r, line: n.line, col: n.col, style: n.style}
	if n.style != stylePlain && !s.skip(1) {
		return n.line, n.col
	}
	for i, want := range []rune(n.text) {
		line, col = s.line, s.col
		got, ok := s.next()
		if !ok || got != want {
			return n.line, n.col
		}
		if i == offset {
			return line, col
		}
	}
	if offset == len([]rune(n.text)) { // just behind the end
		return s.line, s.col
	}
	return n.line, n.col
}

func (r *reader) locateLiteral(n *node, offset int) (int, int) {
	at := 0
	for k, text := range strings.Split(n.text, "\n") {
		length := len([]rune(text))
		if offset > at+length {
			at += length + 1
			continue
		}
		index := n.line + k // the block begins on the line after n.line
		if index >= len(r.lines) || !strings.HasSuffix(r.lines[index], text) {
			break
		}
		indent := len([]rune(r.lines[index])) - length
		return index + 1, indent + offset - at + 1
	}
	return n.line, n.col
}

// scan reads a plain or quoted scalar character by character, as YAML does.
type scan struct {
	r         *reader
	line, col int
	style     style
	pending   []rune // of a line break already read
}

// rest is what stands on the line from here on.
func (s *scan) rest() []rune {
	if s.line < 1 || s.line > len(s.r.lines) {
		return nil
	}
	runes := []rune(s.r.lines[s.line-1])
	if s.col-1 > len(runes) {
		return nil
	}
	return runes[s.col-1:]
}

func (s *scan) skip(n int) bool {
	if len(s.rest()) < n {
		return false
	}
	s.col += n
	return true
}

// next returns the next character of the text.
func (s *scan) next() (rune, bool) {
	if len(s.pending) > 0 {
		c := s.pending[0]
		s.pending = s.pending[1:]
		return c, true
	}
	rest := s.rest()
	if strings.TrimRight(string(rest), " \t") == "" {
		return s.fold()
	}
	c := rest[0]
	switch {
	case s.style == styleSingle && c == '\'':
		if len(rest) > 1 && rest[1] == '\'' {
			return c, s.skip(2)
		}
		return 0, false
	case s.style == styleDouble && c == '"':
		return 0, false
	case s.style == styleDouble && c == '\\':
		return s.escape(rest)
	}
	return c, s.skip(1)
}

// fold reads a line break: one becomes a blank, n become n-1 line ends.
func (s *scan) fold() (rune, bool) {
	breaks := 0
	for s.line < len(s.r.lines) {
		s.line, s.col = s.line+1, 1
		breaks++
		text := s.r.lines[s.line-1]
		if trimmed := strings.TrimLeft(text, " \t"); trimmed != "" {
			s.col = len(text) - len(trimmed) + 1
			if breaks == 1 {
				return ' ', true
			}
			s.pending = []rune(strings.Repeat("\n", breaks-2))
			return '\n', true
		}
	}
	return 0, false
}

// simpleEscapes are the one-letter escapes of double-quoted YAML.
var simpleEscapes = map[rune]rune{
	'0': 0, 'a': 7, 'b': 8, 't': 9, '\t': 9, 'n': 10, 'v': 11, 'f': 12, 'r': 13, 'e': 27, ' ': ' ', '"': '"', '/': '/', '\\': '\\',
	'N': 0x85, '_': 0xa0, 'L': 0x2028, 'P': 0x2029,
}

func (s *scan) escape(rest []rune) (rune, bool) {
	if len(rest) < 2 { // an escaped line break joins without a blank
		if _, ok := s.fold(); !ok {
			return 0, false
		}
		s.pending = nil
		return s.next()
	}
	if c, ok := simpleEscapes[rest[1]]; ok {
		return c, s.skip(2)
	}
	digits := map[rune]int{'x': 2, 'u': 4, 'U': 8}[rest[1]]
	if digits == 0 || len(rest) < 2+digits {
		return 0, false
	}
	v, err := strconv.ParseUint(string(rest[2:2+digits]), 16, 32)
	if err != nil {
		return 0, false
	}
	return rune(v), s.skip(2 + digits)
}
