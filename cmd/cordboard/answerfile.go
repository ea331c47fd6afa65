package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/store"
)

// A standard answer as a file, ID.LANG.md: a head of lines "key: value"
// between two lines "---", what to say, and the steps as a list numbered from 1 (docs/import.md).
var (
	answerName = regexp.MustCompile(`^([A-Za-z0-9_-]{1,64})\.([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})?)\.md$`)
	ownerForm  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	stepLine   = regexp.MustCompile(`^(\d{1,3})\. +(.*)$`)
)

const (
	headEdge   = "---"
	stepIndent = "   "
	maxAnswer  = 64 << 10 // bytes of a file
)

type answerHead struct {
	title, topic  string
	owner, review string
	place         int // from 1, the best first; those without come last
}

// lineError is what is wrong at a line of an answer's file.
type lineError struct {
	line int
	what string
}

func (e *lineError) Error() string { return fmt.Sprintf("%d: %s", e.line, e.what) }

// readAnswerFolder reads every *.md of a folder, by place and name; README.md is
// the team's own. Every bad place is named, and with one nothing is taken.
func readAnswerFolder(dir string) ([]store.Answer, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	type placed struct {
		store.Answer
		place int
	}
	var found []placed
	var bad []error
	for _, e := range entries {
		if e.IsDir() || filepath.Ext(e.Name()) != ".md" || e.Name() == "README.md" {
			continue
		}
		path := filepath.Join(dir, e.Name())
		text, err := os.ReadFile(path)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		a, place, err := parseAnswer(e.Name(), text)
		if err != nil {
			bad = append(bad, fmt.Errorf("%s:%w", path, err))
			continue
		}
		found = append(found, placed{a, cmp.Or(place, math.MaxInt)})
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: no answers: they are files named ID.LANG.md", dir)
	}
	slices.SortStableFunc(found, func(a, b placed) int { return cmp.Compare(a.place, b.place) })
	out := make([]store.Answer, len(found))
	for i, a := range found {
		out[i] = a.Answer
	}
	return out, nil
}

func parseAnswer(name string, text []byte) (a store.Answer, place int, err error) {
	named := answerName.FindStringSubmatch(name)
	if named == nil {
		return a, 0, &lineError{1, "the name is not ID.LANG.md, such as higher-bill.en.md"}
	}
	if len(text) > maxAnswer {
		return a, 0, &lineError{1, fmt.Sprintf("longer than %d bytes", maxAnswer)}
	}
	lines := strings.Split(strings.ReplaceAll(string(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))), "\r\n", "\n"), "\n")
	head, end, err := parseHead(lines)
	if err != nil {
		return a, 0, err
	}
	say, steps, err := parseBody(lines[end:], end+1)
	if err != nil {
		return a, 0, err
	}
	return store.Answer{ID: named[1], Lang: named[2], Topic: head.topic, Title: head.title, Say: say, Steps: steps, Owner: head.owner, Review: head.review}, head.place, nil
}

// parseHead also tells how many lines the head takes.
func parseHead(lines []string) (answerHead, int, error) {
	var head answerHead
	if strings.TrimRight(lines[0], " ") != headEdge {
		return head, 0, &lineError{1, `no head: the first line is "---", then title and topic, then "---"`}
	}
	seen := map[string]bool{}
	for n := 1; n < len(lines); n++ {
		line := strings.TrimSpace(lines[n])
		if line == headEdge && head.title == "" {
			return head, 0, &lineError{n + 1, "the head has no title"}
		}
		if line == headEdge {
			return head, n + 1, nil
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok {
			return head, 0, &lineError{n + 1, "no line of the head: they are key: value, up to a line \"---\""}
		}
		if seen[key] {
			return head, 0, &lineError{n + 1, key + " is there twice"}
		}
		seen[key] = true
		if err := head.set(key, strings.TrimSpace(value)); err != nil {
			return head, 0, &lineError{n + 1, err.Error()}
		}
	}
	return head, 0, &lineError{len(lines), `the head has no end: a line "---"`}
}

func (h *answerHead) set(key, value string) (err error) {
	switch key {
	case "title":
		h.title = value
	case "topic":
		h.topic = value
	case "owner":
		h.owner = value
		return checkOwner(value)
	case "review":
		h.review = value
		return checkReview(value)
	case "place":
		if h.place, err = strconv.Atoi(value); err != nil || h.place < 1 {
			return errors.New("place is a whole number from 1")
		}
	default:
		return fmt.Errorf("unknown field %q", key)
	}
	return nil
}

func checkOwner(id string) error {
	if !ownerForm.MatchString(id) {
		return errors.New("owner is an agent's id: letters, digits, _ and -")
	}
	return nil
}

func checkReview(day string) error {
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return errors.New("review is a day such as 2027-03-31")
	}
	return nil
}

// parseBody reads what to say and the steps; first is the number of its first line.
func parseBody(lines []string, first int) (string, []string, error) {
	var say, steps []string
	for i, line := range lines {
		line = strings.TrimRight(line, " \t")
		step := stepLine.FindStringSubmatch(line)
		switch {
		case step != nil:
			if step[1] != strconv.Itoa(len(steps)+1) {
				return "", nil, &lineError{first + i, fmt.Sprintf("step %s where step %d is expected", step[1], len(steps)+1)}
			}
			steps = append(steps, step[2])
		case len(steps) == 0:
			say = append(say, line)
		case line == "":
		case strings.HasPrefix(line, stepIndent):
			steps[len(steps)-1] += "\n" + strings.TrimSpace(line)
		default:
			return "", nil, &lineError{first + i, "text after the steps: what to say stands before them, and a step's further lines are indented by three spaces"}
		}
	}
	text := strings.Trim(strings.Join(say, "\n"), "\n")
	if text == "" {
		return "", nil, &lineError{first, "nothing to say: the text to read out follows the head"}
	}
	return text, steps, nil
}

// formatAnswer is the file of an answer at a place, with its name. What would not be read
// back as it was is refused.
func formatAnswer(a store.Answer, place int) (string, []byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\ntitle: %s\n", headEdge, a.Title)
	if a.Topic != "" {
		fmt.Fprintf(&b, "topic: %s\n", a.Topic)
	}
	if a.Owner != "" {
		fmt.Fprintf(&b, "owner: %s\n", a.Owner)
	}
	if a.Review != "" {
		fmt.Fprintf(&b, "review: %s\n", a.Review)
	}
	fmt.Fprintf(&b, "place: %d\n%s\n\n%s\n", place, headEdge, a.Say)
	for i, s := range a.Steps {
		if i == 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%d. %s\n", i+1, strings.ReplaceAll(s, "\n", "\n"+stepIndent))
	}
	name := a.ID + "." + a.Lang + ".md"
	back, at, err := parseAnswer(name, b.Bytes())
	if err == nil && (at != place || !reflect.DeepEqual(back, a)) {
		err = errors.New("its text would not be read back as it is: look for blanks at the ends of lines, and for lines of the text that look like numbered steps")
	}
	if err != nil {
		return "", nil, fmt.Errorf("answer %s (%s) can't be written as a file: %w", a.ID, a.Lang, err)
	}
	return name, b.Bytes(), nil
}
