package tracking

import (
	"crypto/rand"
	"strings"
)

// A reference is R- and ten letters of Crockford's base 32, in two groups: nine by
// chance, so that one in 35 million million is a request where there is one, and a
// check character, so that one that was misheard is none. There is no I, L, O or U.
const (
	refLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	refRandom  = 9
)

// newRef makes a reference.
func newRef() string {
	b := make([]byte, refRandom)
	_, _ = rand.Read(b) // never fails
	for i := range b {
		b[i] = refLetters[b[i]%32]
	}
	return written(string(b) + string(refCheck(string(b))))
}

func written(letters string) string { return "R-" + letters[:5] + "-" + letters[5:] }

// readRef reads one as people write it: in small letters, without lines or with
// blanks, and with letters that look alike.
func readRef(text string) (ref string, ok bool) {
	text = strings.ToUpper(strings.NewReplacer("-", "", " ", "").Replace(text))
	if len(text) == refRandom+2 {
		text = strings.TrimPrefix(text, "R")
	}
	if len(text) != refRandom+1 {
		return "", false
	}
	text = strings.NewReplacer("O", "0", "I", "1", "L", "1").Replace(text)
	for _, c := range text {
		if !strings.ContainsRune(refLetters, c) {
			return "", false
		}
	}
	if refCheck(text[:refRandom]) != text[refRandom] {
		return "", false
	}
	return written(text), true
}

// refCheck is the check character by the rule of Luhn, modulo 32: it finds each
// wrong letter, and all but one of the pairs that were turned round.
func refCheck(letters string) byte {
	sum, factor := 0, 2
	for i := len(letters) - 1; i >= 0; i-- {
		n := factor * strings.IndexByte(refLetters, letters[i])
		sum += n/32 + n%32
		factor = 3 - factor
	}
	return refLetters[(32-sum%32)%32]
}
