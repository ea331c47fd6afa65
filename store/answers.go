package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Answer is one standard answer. It has the fields of screenpop.Answer, so
// that one converts to the other. The same id in several languages is one
// answer, translated.
type Answer struct {
	ID     string   `json:"id"`
	Topic  string   `json:"topic"`
	Lang   string   `json:"lang"`
	Title  string   `json:"title"`
	Say    string   `json:"say"`
	Steps  []string `json:"steps,omitempty"`
	Owner  string   `json:"owner,omitempty"`  // the agent who answers for it
	Review string   `json:"review,omitempty"` // YYYY-MM-DD: from this day on it has to be looked at again
}

const (
	fallbackLang = "en"
	answersFor   = 30 * time.Second // how long answers read stay in use
)

// answerBook keeps all answers in memory, folded for search.
type answerBook struct {
	mu   sync.Mutex
	read time.Time
	all  []folded
}

type folded struct {
	Answer
	title, topic, text []string // words
	whole              string   // for scripts without spaces
}

// SaveAnswers adds answers or changes those with the same id and language.
func (s *Store) SaveAnswers(ctx context.Context, answers ...Answer) error {
	if err := s.write.inTx(ctx, func(t *tx) error { return saveAnswers(t, answers) }); err != nil {
		return fmt.Errorf("store: save answers: %w", err)
	}
	s.answers.forget()
	return nil
}

// ReplaceAnswers makes answers all there are, in their order; it tells how many
// others were withdrawn.
func (s *Store) ReplaceAnswers(ctx context.Context, answers ...Answer) (int, error) {
	type key struct{ id, lang string }
	stay := map[key]bool{}
	for _, a := range answers {
		stay[key{a.ID, a.Lang}] = true
	}
	gone := 0
	err := s.write.inTx(ctx, func(t *tx) error {
		gone = 0
		before, err := readAnswers(ctx, t)
		if err != nil {
			return err
		}
		for _, a := range before {
			if !stay[key{a.ID, a.Lang}] {
				gone++
			}
		}
		if _, err := t.exec(qDeleteAnswers); err != nil {
			return err
		}
		return saveAnswers(t, answers)
	})
	if err != nil {
		return 0, fmt.Errorf("store: replace answers: %w", err)
	}
	s.answers.forget()
	return gone, nil
}

func saveAnswers(t *tx, answers []Answer) error {
	for _, a := range answers {
		steps, err := toList(a.Steps)
		if err != nil {
			return err
		}
		if _, err := t.exec(qSaveAnswer, a.ID, a.Lang, a.Topic, a.Title, a.Say, steps, a.Owner, a.Review); err != nil {
			return err
		}
	}
	return nil
}

// forget has the book read again when it is next asked.
func (b *answerBook) forget() {
	b.mu.Lock()
	b.read = time.Time{}
	b.mu.Unlock()
}

// Answers are all standard answers as they are stored, by their place.
func (s *Store) Answers(ctx context.Context) ([]Answer, error) {
	all, err := readAnswers(ctx, s.read)
	if err != nil {
		return nil, fmt.Errorf("store: answers: %w", err)
	}
	return all, nil
}

// FindAnswers finds standard answers, best first, at most limit: of one topic,
// or of all when it is ""; every one when query is "". Each comes in lang, else
// in English. Case, accents and е/ё make no difference, nor do word endings.
func (s *Store) FindAnswers(ctx context.Context, lang, topic, query string, limit int) ([]Answer, error) {
	all, err := s.allAnswers(ctx)
	if err != nil {
		return nil, fmt.Errorf("store: answers: %w", err)
	}
	type hit struct {
		a     *folded
		score int
	}
	var hits []hit
	words := wordsOf(query)
	for _, a := range inLanguage(all, lang, topic) {
		score := a.score(words)
		if len(words) > 0 && score == 0 {
			continue
		}
		hits = append(hits, hit{a, score})
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(b.score, a.score) })
	out := make([]Answer, 0, min(len(hits), max(limit, 0)))
	for _, h := range hits[:cap(out)] {
		out = append(out, h.a.Answer)
	}
	return out, nil
}

// inLanguage picks one version of each answer, in the book's order.
func inLanguage(all []folded, lang, topic string) []*folded {
	var out []*folded
	place := map[string]int{}
	for i := range all {
		a := &all[i]
		if topic != "" && a.Topic != topic || a.Lang != lang && a.Lang != fallbackLang {
			continue
		}
		if at, seen := place[a.ID]; !seen {
			place[a.ID] = len(out)
			out = append(out, a)
		} else if a.Lang == lang {
			out[at] = a
		}
	}
	return out
}

func (s *Store) allAnswers(ctx context.Context) ([]folded, error) {
	b := &s.answers
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.read.IsZero() && time.Since(b.read) < answersFor {
		return b.all, nil
	}
	list, err := readAnswers(ctx, s.read)
	if err != nil {
		return nil, err
	}
	all := make([]folded, len(list))
	for i, a := range list {
		all[i] = foldAnswer(a)
	}
	b.all, b.read = all, time.Now()
	return all, nil
}

func readAnswers(ctx context.Context, p querier) ([]Answer, error) {
	var all []Answer
	err := each(ctx, p, qAnswers, nil, func(row *sql.Rows) error {
		var a Answer
		var steps string
		if err := row.Scan(&a.ID, &a.Lang, &a.Topic, &a.Title, &a.Say, &steps, &a.Owner, &a.Review); err != nil {
			return err
		}
		if err := fromList(steps, &a.Steps); err != nil {
			return err
		}
		all = append(all, a)
		return nil
	})
	return all, err
}

func foldAnswer(a Answer) folded {
	text := a.Say + " " + strings.Join(a.Steps, " ")
	return folded{
		Answer: a, title: wordsOf(a.Title), topic: wordsOf(a.Topic), text: wordsOf(text),
		whole: fold(a.Title + " " + text),
	}
}

// score is 0 when no word of the query is found. A word more counts for more
// than any better place of another.
func (a *folded) score(query []string) int {
	found, places := 0, 0
	for _, q := range query {
		place := 8*likeness(q, a.title) + 4*likeness(q, a.topic) + likeness(q, a.text)
		if place == 0 && spaceless(q) && strings.Contains(a.whole, q) {
			place = 4
		}
		if place > 0 {
			found++
			places += place
		}
	}
	if found == 0 {
		return 0
	}
	return found*1000 + places
}

// likeness of a word to the nearest of words: 3 the same, 2 its beginning,
// 1 the same but for the ending, 0 none.
func likeness(q string, words []string) int {
	best := 0
	for _, w := range words {
		switch {
		case w == q:
			return 3
		case strings.HasPrefix(w, q):
			best = max(best, 2)
		case sameStem(w, q):
			best = max(best, 1)
		}
	}
	return best
}

// sameStem: four letters or more in common, and endings of at most three.
func sameStem(a, b string) bool {
	x, y := []rune(a), []rune(b)
	n := 0
	for n < len(x) && n < len(y) && x[n] == y[n] {
		n++
	}
	return n >= 4 && len(x)-n <= 3 && len(y)-n <= 3
}

// fold makes texts comparable: lower case, no accents, ё as е.
func fold(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFD.String(text))
}

func wordsOf(text string) []string {
	return strings.FieldsFunc(fold(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
}

// spaceless tells a word of a script that puts no spaces between words.
func spaceless(word string) bool {
	for _, r := range word {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Thai) {
			return true
		}
	}
	return false
}
