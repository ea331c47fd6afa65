package main

import (
	"strings"
	"testing"
	"unicode"

	"github.com/cordboard/cordboard/sip/media/speech"
)

// There is a voice for every word, and no character is left that the synthesiser
// would spell.
func TestEveryWordCanBeRead(t *testing.T) {
	for _, s := range speech.Sounds() {
		v, ok := voices[s.Language]
		if !ok {
			t.Fatalf("no voice for %s", s.Language)
		}
		if v.read != nil && strings.ContainsFunc(v.read(s.Text), func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			t.Errorf("%s: %s", s.Name, v.read(s.Text))
		}
	}
}
