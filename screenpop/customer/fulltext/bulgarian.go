package fulltext

import (
	"strings"
	"unicode/utf8"
)

// Endings of Bulgarian nouns and adjectives, the longest first: the article, then
// the plural, after J. Savoy, "Searching Strategies for the Bulgarian Language",
// Information Retrieval 10 (2007), which finds that this light way does as well as
// heavy ones.
var (
	bulgarianArticles = []string{"ият", "ът", "то", "те", "та", "ия", "ят"}
	bulgarianPlurals  = []struct{ end, by string }{
		{"овци", "о"}, {"ове", ""}, {"еве", "й"}, {"ища", ""}, {"зи", "г"}, {"ци", "к"}, {"си", "х"}, {"та", ""},
	}
)

// bulgarianStem takes article and plural off a folded word.
func bulgarianStem(w string) string {
	n := utf8.RuneCountInString(w)
	if n < 4 {
		return w
	}
	for _, end := range bulgarianArticles {
		if m := utf8.RuneCountInString(end); n > m+2 && strings.HasSuffix(w, end) {
			w, n = strings.TrimSuffix(w, end), n-m
			break
		}
	}
	for _, p := range bulgarianPlurals {
		if m := utf8.RuneCountInString(p.end); n > m+2 && strings.HasSuffix(w, p.end) {
			return strings.TrimSuffix(w, p.end) + p.by
		}
	}
	if n > 3 { // ы and ь are Russian: what the Russian stem takes for a verb's ending (обрыв) is found by this one
		for _, end := range []string{"а", "е", "и", "о", "я", "й", "ъ", "ы", "ь"} {
			if strings.HasSuffix(w, end) {
				w = strings.TrimSuffix(w, end)
				break
			}
		}
	}
	// The ъ that comes and goes: метър, метри.
	if i := strings.LastIndex(w, "ъ"); i > 0 && utf8.RuneCountInString(w[i:]) == 2 {
		w = w[:i] + w[i+len("ъ"):]
	}
	return w
}
