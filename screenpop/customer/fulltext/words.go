// Package fulltext says what words a text has and a query asks for, in English,
// Russian, Bulgarian and Chinese: whatever form of a word was written, and however
// it was spelt. Both stores keep the same terms of a text and ask for them, so that
// both find the same. No clock, no IO.
package fulltext

import (
	"hash/fnv"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/kljensen/snowball/english"
	"github.com/kljensen/snowball/russian"
	"golang.org/x/text/unicode/norm"
)

// word is a word of a text: the forms that it is known by, each with a letter for
// its kind, and where it stands (bytes).
type word struct {
	forms      []string
	start, end int
}

// longest is how many letters of a word count. What is longer is no word: a key,
// an address.
const longest = 40

// wordsOf cuts a text into its words. Letters and digits make a word; Chinese,
// Japanese and Korean writing has no blanks, so there each character is one. Words
// that begin with none of the letters in first have no forms; "" is all letters.
func wordsOf(text, first string) []word {
	var out []word
	start := -1
	end := func(at int) {
		if start >= 0 {
			out = append(out, word{formsOf(text[start:at], first), start, at})
		}
		start = -1
	}
	for i, r := range text {
		switch {
		case unbroken(r):
			end(i)
			n := utf8.RuneLen(r)
			out = append(out, word{[]string{"c" + norm.NFKC.String(text[i:i+n])}, i, i + n})
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r) && start >= 0:
			if start < 0 {
				start = i
			}
		default:
			end(i)
		}
	}
	end(len(text))
	return out
}

// unbroken says whether a character is of a writing without blanks.
func unbroken(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul)
}

// formsOf are what a word is known by: its stem, for each language that it may be
// of. A Cyrillic word is Russian or Bulgarian, which nothing in a text tells. A stem
// begins as its word does: one that begins otherwise than in first has none.
func formsOf(w, first string) []string {
	w = folded(w)
	r, _ := utf8.DecodeRuneInString(w)
	if first != "" && !strings.ContainsRune(first, r) {
		return nil
	}
	if n := 0; len(w) > longest {
		for i := range w {
			if n++; n > longest {
				w = w[:i]
				break
			}
		}
	}
	switch {
	case unicode.Is(unicode.Cyrillic, r):
		return []string{"r" + russian.Stem(w, true), "b" + bulgarianStem(w)}
	case unicode.Is(unicode.Latin, r):
		return []string{"e" + english.Stem(w, true)}
	default:
		return []string{"w" + w}
	}
}

// folded is a word without what may be written or not: capitals, wide forms, marks
// on Latin and Greek letters (Müller, Muller), ё for е. й is a letter of its own.
func folded(w string) string {
	w = strings.ToLower(norm.NFKC.String(w))
	ascii := true
	for i := range len(w) {
		ascii = ascii && w[i] < utf8.RuneSelf
	}
	if ascii {
		return w
	}
	var b strings.Builder
	base := rune(0)
	for _, r := range norm.NFD.String(w) {
		if !unicode.IsMark(r) {
			base = r
			b.WriteRune(r)
			continue
		}
		if !unicode.In(base, unicode.Latin, unicode.Greek) && (base != 'е' || r != '\u0308') {
			b.WriteRune(r)
		}
	}
	return norm.NFC.String(b.String())
}

// Terms are what a text is found by: short, in order, each once. They are hashes, so
// that an index holds no word of anybody's.
func Terms(texts ...string) []string {
	var out []string
	for _, text := range texts {
		words := wordsOf(text, "")
		for i := range words {
			for _, f := range words[i].forms {
				out = append(out, term(f))
			}
			if i > 0 && pair(&words[i-1], &words[i]) {
				out = append(out, term(words[i-1].forms[0]+words[i].forms[0]))
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// pair says whether two words are characters beside each other: single ones are in
// half of all texts, so that two together are a term of their own.
func pair(a, b *word) bool {
	return a.end == b.start && a.forms[0][0] == 'c' && b.forms[0][0] == 'c'
}

const digits = "abcdefghijklmnopqrstuvwxyz234567"

// term is a hash of 40 bits. Two words may share one: whoever finds a text by it
// asks Query.Matches.
func term(form string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(form)) // never fails
	sum := h.Sum64()
	sum ^= sum >> 40
	var b [8]byte
	for i := range b {
		b[i] = digits[sum&31]
		sum >>= 5
	}
	return string(b[:])
}
