package fulltext

import (
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a query.
const (
	MaxQuery = 200 // bytes
	maxParts = 10  // words and phrases
)

// Why a query is refused.
var (
	ErrEmpty  = errors.New("no word to look for")
	ErrLong   = errors.New("longer than 200 bytes, or of more than ten words")
	ErrNoWord = errors.New("only words that must not be there")
)

// Query is what is looked for: all of these words, in whatever form. "Words in
// quotes" stand beside each other in this order, and a -word is not there.
type Query struct {
	parts []part
	first string // the letters that their words begin with
}

// part is a word, or several beside each other.
type part struct {
	words [][]string // each by its forms
	not   bool
}

// Parse reads a query as a person writes it. A quote that does not end goes on to
// the end of the query.
func Parse(text string) (*Query, error) {
	if len(text) > MaxQuery || !utf8.ValidString(text) {
		return nil, ErrLong
	}
	q := &Query{}
	for rest := strings.TrimSpace(text); rest != ""; rest = strings.TrimSpace(rest) {
		var p part
		if rest[0] == '-' {
			p.not, rest = true, rest[1:]
		}
		var said string
		if quoted, ok := strings.CutPrefix(rest, `"`); ok {
			said, rest, _ = strings.Cut(quoted, `"`)
		} else if i := strings.IndexAny(rest, " \t\r\n\"\u00a0\u3000"); i >= 0 {
			said, rest = rest[:i], rest[i:]
			rest = strings.TrimLeft(rest, "\u00a0\u3000")
		} else {
			said, rest = rest, ""
		}
		for _, w := range wordsOf(said, "") { // "T-17" and "高速" are words beside each other
			p.words = append(p.words, w.forms)
			letter, _ := utf8.DecodeRuneInString(w.forms[0][1:])
			q.first += string(letter)
		}
		if len(p.words) > 0 {
			q.parts = append(q.parts, p)
		}
	}
	return q, q.check()
}

func (q *Query) check() error {
	words := 0
	for _, p := range q.parts {
		words += len(p.words)
	}
	switch {
	case len(q.parts) == 0:
		return ErrEmpty
	case words > maxParts*2 || len(q.parts) > maxParts:
		return ErrLong
	case !slices.ContainsFunc(q.parts, func(p part) bool { return !p.not }):
		return ErrNoWord
	}
	return nil
}

// Terms are what a text must have: of each list one at least. A text that has them
// need not match.
func (q *Query) Terms() (all [][]string) {
	for _, p := range q.parts {
		if p.not {
			continue
		}
		for i, forms := range p.words {
			if i > 0 && forms[0][0] == 'c' && p.words[i-1][0][0] == 'c' {
				all = append(all, []string{term(p.words[i-1][0] + forms[0])})
				continue
			}
			if forms[0][0] == 'c' && i+1 < len(p.words) && p.words[i+1][0][0] == 'c' {
				continue // the pair says it
			}
			any := make([]string, len(forms))
			for k, f := range forms {
				any[k] = term(f)
			}
			all = append(all, any)
		}
	}
	return all
}

// Matches says whether texts, taken together, are what is looked for.
func (q *Query) Matches(texts ...string) bool {
	all := make([][]word, len(texts))
	for i, text := range texts {
		all[i] = wordsOf(text, q.first)
	}
	for _, p := range q.parts {
		there := slices.ContainsFunc(all, func(words []word) bool { return p.in(words) >= 0 })
		if there == p.not {
			return false
		}
	}
	return true
}

// in is where the part's first word stands among words, or -1.
func (p *part) in(words []word) int {
	for i := range words {
		if p.at(words, i) {
			return i
		}
	}
	return -1
}

func (p *part) at(words []word, i int) bool {
	if i+len(p.words) > len(words) {
		return false
	}
	for k, forms := range p.words {
		if !slices.ContainsFunc(words[i+k].forms, func(f string) bool { return slices.Contains(forms, f) }) {
			return false
		}
	}
	return true
}

// Excerpt is a text, or some of it around the first word found, cut at every word
// that is looked for: what is at odd places was found. It is empty when nothing is.
// around is how many bytes of what goes before and after are shown, at most; the
// rest is "…". 0 shows all of it.
func (q *Query) Excerpt(text string, around int) []string {
	words := wordsOf(text, q.first)
	var found []word
	for i := range words {
		for k := range q.parts {
			if p := &q.parts[k]; !p.not && p.at(words, i) {
				found = append(found, word{start: words[i].start, end: words[i+len(p.words)-1].end})
			}
		}
	}
	if len(found) == 0 {
		return nil
	}
	from, to := 0, len(text)
	if around > 0 {
		from, to = cut(words, found[0].start-around, len(text)), cutEnd(words, found[0].end+around, len(text))
	}
	out := []string{""}
	if from > 0 {
		out[0] = "…"
	}
	at := from
	for _, f := range found {
		if f.start < at || f.end > to { // within the one before, or beyond what is shown
			continue
		}
		out[len(out)-1] += text[at:f.start]
		out = append(out, text[f.start:f.end], "")
		at = f.end
	}
	out[len(out)-1] += text[at:to]
	if to < len(text) {
		out[len(out)-1] += "…"
	}
	return out
}

// cut is the start of the first word from a place on.
func cut(words []word, at, end int) int {
	if at <= 0 {
		return 0
	}
	for i := range words {
		if words[i].start >= at {
			return words[i].start
		}
	}
	return end
}

// cutEnd is the end of the last word up to a place.
func cutEnd(words []word, at, end int) int {
	if at >= end {
		return end
	}
	for _, w := range slices.Backward(words) {
		if w.end <= at {
			return w.end
		}
	}
	return 0
}
