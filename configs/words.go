package configs

import (
	"errors"
	"fmt"
	"unicode"
	"unicode/utf8"
)

// MostWords is how many bytes a comment of a version, or the reason of an
// activation, may have.
const MostWords = 1000

// Words says what is wrong with such a text. It is kept for good and shown in
// terminals: what would move a cursor there has no place in it.
func Words(text string) error {
	if len(text) > MostWords {
		return fmt.Errorf("%d bytes are too many: %d at most", len(text), MostWords)
	}
	if !utf8.ValidString(text) {
		return errors.New("not UTF-8")
	}
	for at, r := range text {
		if unsafe(r) {
			return fmt.Errorf("byte %d is a control character (U+%04X)", at+1, r)
		}
	}
	return nil
}

// OneLine is a text as it may stand in a line of a terminal, whoever wrote it and
// when.
func OneLine(text string) string {
	out := make([]rune, 0, len(text))
	for _, r := range text {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			r = ' '
		case unsafe(r):
			r = unicode.ReplacementChar
		}
		out = append(out, r)
	}
	return string(out)
}

// unsafe says that a character is not one that is read: lines and tabs apart, the
// control characters, and what turns the order of the others (Unicode TR 36, 3.2).
func unsafe(r rune) bool {
	return r != '\n' && r != '\r' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}
