// Package speech puts announcements together of short sounds: "you are caller
// number 21", "your expected wait is between 5 and 8 minutes", each language by
// its own grammar of numbers, cases and measure words. The grammars are tables
// (languages.go): what a sound is called, what is spoken on it, and in which order
// they follow. It plays nothing and does no IO; the sounds are package media's,
// made by its program prompts from the texts here.
package speech

import (
	"slices"
	"strconv"
	"strings"
)

// Fallback is the language of callers whose own has no grammar here.
const Fallback = "en"

// Pause is the sound between two announcements: silence.
const Pause = "say-pause"

// Wait is what a caller is told of the expected wait, in seconds: between Least
// and Most; about Most where they are the same, up to Most without a Least, more
// than Least without a Most.
type Wait struct {
	Shortly     bool
	Least, Most int
}

// MostPosition is the last place in line that can be said.
const MostPosition = 1000

// Position is the sounds of a place in line, 1 to MostPosition; none for others.
func Position(language string, n int) []string {
	if n < 1 || n > MostPosition {
		return nil
	}
	l := find(language)
	return l.sounds(l.fill(l.position, map[string][]string{"#": l.number(n, l.place)}))
}

// Waiting is the sounds of an expected wait.
func Waiting(language string, w Wait) []string {
	l := find(language)
	least, most := l.duration(w.Least), l.duration(w.Most)
	var said []string
	switch {
	case w.Shortly:
		said = l.fill(l.shortly, nil)
	case w.Most <= 0:
		said = l.fill(l.over, map[string][]string{"#": least.words()})
	case w.Least <= 0:
		said = l.fill(l.upTo, map[string][]string{"#": most.words()})
	case w.Least == w.Most:
		said = l.fill(l.about, map[string][]string{"#": most.words()})
	default:
		from := least.words()
		if len(least) == 1 && len(most) == 1 && least[0].unit == most[0].unit {
			from = least[0].number // "between 5 and 8 minutes"
		}
		said = l.fill(l.between, map[string][]string{"#1": from, "#2": most.words()})
	}
	return l.sounds(said)
}

// Text is what is spoken on a sequence of sounds, for whoever reads along.
func Text(sounds []string) string {
	var words []string
	for _, s := range sounds {
		code, word, said := strings.Cut(strings.TrimPrefix(s, "say-"), "-")
		if said {
			words = append(words, find(code).texts[word])
		}
	}
	return strings.Join(words, " ")
}

// Sound is one of those that announcements are made of.
type Sound struct{ Name, Language, Text string }

// Sounds are all of them, in order of language and name.
func Sounds() []Sound {
	var out []Sound
	for _, l := range languages {
		words := make([]string, 0, len(l.texts))
		for word := range l.texts {
			words = append(words, word)
		}
		slices.Sort(words)
		for _, word := range words {
			out = append(out, Sound{l.sound(word), l.code, l.texts[word]})
		}
	}
	return out
}

func find(code string) *language {
	for i := range languages {
		if languages[i].code == code {
			return &languages[i]
		}
	}
	return find(Fallback)
}

func (l *language) sound(word string) string { return "say-" + l.code + "-" + word }

func (l *language) sounds(words []string) []string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = l.sound(w)
	}
	return out
}

// fill puts numbers where a sentence has them.
func (l *language) fill(sentence string, with map[string][]string) []string {
	var out []string
	for word := range strings.FieldsSeq(sentence) {
		if numbers, ok := with[word]; ok {
			out = append(out, numbers...)
		} else {
			out = append(out, word)
		}
	}
	return out
}

// spoken is one part of a duration: "7 minutes".
type spoken struct {
	number []string
	unit   string // hour, minute, second
	noun   string // in the number it has here
	after  string // said before the next part, "" for nothing
}

type duration []spoken

func (d duration) words() []string {
	var out []string
	for i, p := range d {
		out = append(append(out, p.number...), p.noun)
		if p.after != "" && i < len(d)-1 {
			out = append(out, p.after)
		}
	}
	return out
}

// duration is so many seconds in hours, minutes and seconds; what is zero is not
// said.
func (l *language) duration(s int) duration {
	var out duration
	for _, part := range []struct {
		unit string
		n    int
	}{{"hour", s / 3600}, {"minute", s / 60 % 60}, {"second", s % 60}} {
		if part.n <= 0 {
			continue
		}
		u := l.units[part.unit]
		noun := u.many
		if l.single(part.n) {
			noun = u.one
		}
		out = append(out, spoken{l.number(part.n, u.form), part.unit, noun, l.join})
	}
	return out
}

// number is 1 to 1000 in words. form lists endings of sounds: the first for which
// the number has a sound is used, and without one the plain sound.
func (l *language) number(n int, form []string) []string {
	if n == 1000 {
		return []string{"1000"}
	}
	var out []string
	if h := n / 100 * 100; h > 0 {
		out = append(out, l.word(h, nil))
		if n %= 100; n == 0 {
			return out
		}
		switch {
		case n < 10 && l.zero != "":
			out = append(out, l.zero)
		case n < 20 && l.beforeTeens != "":
			out = append(out, l.beforeTeens)
		case l.hundredAnd != "" && (!l.andIfLast || alone(n)):
			out = append(out, l.hundredAnd)
		}
		if l.formAlone {
			form = nil
		}
	}
	if alone(n) {
		return append(out, l.word(n, form))
	}
	out = append(out, l.word(n/10*10, form))
	if l.tensAnd != "" {
		out = append(out, l.tensAnd)
	}
	if l.formAlone {
		form = nil
	}
	return append(out, l.word(n%10, form))
}

// alone says that a number under a hundred is one word.
func alone(n int) bool { return n <= 20 || n%10 == 0 }

func (l *language) word(n int, form []string) string {
	plain := strconv.Itoa(n)
	for _, ending := range form {
		if _, ok := l.texts[plain+ending]; ok {
			return plain + ending
		}
	}
	return plain
}
