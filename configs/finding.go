package configs

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// Codes of findings about the file itself. Findings about what the routing
// document says carry the codes of its lint table (X101, N301, ...).
const (
	CodeSyntax      = "Y001" // cannot be read, or is not YAML
	CodeForbidden   = "Y002" // YAML that is not allowed: anchors, tags, several documents
	CodeDuplicate   = "Y003" // the same key twice
	CodeUnknown     = "Y004" // no such key
	CodeMissing     = "Y005" // a key that must be there
	CodeValue       = "Y006" // wrong type, form or range, or not in the list
	CodeConflict    = "Y007" // two things that cannot stand together
	CodeLimit       = "Y008" // more than the limits allow
	CodeUntrue      = "Y009" // a test of the document that does not hold
	CodeUnsupported = "U001" // known, but not built yet
)

// Severity says what a finding does to a document. The zero value is an error.
type Severity string

const (
	Error   Severity = ""  // refuses the document
	Warning Severity = "W" // wants a tick, or a reason under lint.allow
	Note    Severity = "N" // informs
)

// Letter is E, W or N.
func (s Severity) Letter() string {
	if s == Error {
		return "E"
	}
	return string(s)
}

// maxFindings bounds what one file can report, so that a file of garbage
// cannot fill the memory or the screen.
const maxFindings = 500

// Finding is one thing wrong with a file, at the place where it stands.
type Finding struct {
	File      string
	Line, Col int    // from 1; columns count characters, not bytes
	Code      string // U001, Y004, X101, ...
	Msg       string
	Where     string // what it belongs to: "route gold", "queue billing"; may be empty
	Source    string // the line of the file, without its indentation; may be empty
	Caret     int    // how many characters of Source stand before the place

	Severity Severity
	// Path is the thing in the document, for findings of Check: "queues.billing",
	// "route.key/leaving"; may be empty.
	Path string
	// Shows is the call, place or timeline that shows the finding; may be empty.
	Shows string
	// Accepted is the reason given under lint.allow; "" for none.
	Accepted string
}

// String is the finding as it is printed: one line that editors can jump to,
// then the source with a caret under the place.
func (f Finding) String() string {
	if f.Source == "" {
		return f.Brief()
	}
	return fmt.Sprintf("%s\n | %s\n | %s^", f.Brief(), f.Source, strings.Repeat(".", f.Caret))
}

// Brief is the finding on one line, without the source, which may name people:
// the form for logs.
func (f Finding) Brief() string {
	msg, where := f.Msg, ""
	if at := cmp.Or(f.Where, f.Path); at != "" {
		where = " (" + at + ")"
	}
	if f.Shows != "" {
		msg += " | " + f.Shows
	}
	return fmt.Sprintf("%s:%d:%d: %s%s [%s]", f.File, f.Line, f.Col, msg, where, f.Code)
}

// Text is the finding as check prints it: place, severity, code, path, what is
// found, and what shows it.
func (f Finding) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d %s %s ", f.File, f.Line, f.Col, f.Severity.Letter(), f.Code)
	if path := f.path(); path != "" {
		b.WriteString(path + ": ")
	}
	b.WriteString(f.Msg)
	if f.Shows != "" {
		b.WriteString(" | " + f.Shows)
	}
	if f.Accepted != "" {
		b.WriteString("; accepted: " + f.Accepted)
	}
	return b.String()
}

// path is Path, or Where written as one.
func (f Finding) path() string {
	if f.Path != "" || f.Where == "" {
		return f.Path
	}
	kind, name, named := strings.Cut(f.Where, " ")
	switch kind {
	case "queue", "topic", "calendar", "agent", "skill", "test", "region", "site":
		kind += "s"
	case "route":
		named = named && name != "root"
	}
	if !named {
		return kind
	}
	return kind + "." + name
}

// Print writes the findings one below the other.
func Print(w io.Writer, findings []Finding) error {
	for _, f := range findings {
		if _, err := fmt.Fprintln(w, f); err != nil {
			return fmt.Errorf("print findings: %w", err)
		}
	}
	return nil
}

// sortFindings orders by place, then code, and drops exact repetitions.
func sortFindings(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col),
			cmp.Compare(a.Code, b.Code), cmp.Compare(a.Msg, b.Msg))
	})
	return slices.Compact(findings)
}

// maxSuggestions bounds the names that a mistyped one is compared with.
const maxSuggestions = 5000

// excerptWidth is how much of a long line a finding shows.
const excerptWidth = 110

// excerpt cuts the source line for printing and moves the caret along.
func excerpt(line string, col int) (source string, caret int) {
	text := strings.TrimLeft(line, " ")
	caret = col - 1 - (len(line) - len(text))
	if caret < 0 {
		caret = 0
	}
	if len(text) > longLine { // one line may be the whole file
		text, caret = nearby(text, caret)
	}
	runes := []rune(strings.ReplaceAll(text, "\t", " "))
	if caret > len(runes) {
		caret = len(runes)
	}
	if len(runes) <= excerptWidth {
		return string(runes), caret
	}
	from := max(0, min(caret-excerptWidth/2, len(runes)-excerptWidth))
	cut := string(runes[from : from+excerptWidth])
	caret -= from
	if from > 0 {
		cut, caret = "..."+cut, caret+3
	}
	if from+excerptWidth < len(runes) {
		cut += "..."
	}
	return cut, caret
}

// longLine is how many bytes of a line are cut before they are read as characters.
const longLine = 16 * excerptWidth

// nearby is the part of a long text about a character, and the caret in it. Three
// dots stand for what is left out, as excerpt has them.
func nearby(text string, caret int) (string, int) {
	at, n := 0, 0
	for at = range text {
		if n == caret {
			break
		}
		n++
	}
	from := at
	for back := 0; back < 2*excerptWidth && from > 0; back++ {
		_, size := utf8.DecodeLastRuneInString(text[:from])
		from -= size
	}
	to := at
	for ahead := 0; ahead < 2*excerptWidth && to < len(text); ahead++ {
		_, size := utf8.DecodeRuneInString(text[to:])
		to += size
	}
	return text[from:to], utf8.RuneCountInString(text[from:at])
}

// suggest finds the known word nearest to a mistyped one, or "".
func suggest(word string, known []string) string {
	if len(known) > maxSuggestions {
		return ""
	}
	limit := max(1, utf8.RuneCountInString(word)/3)
	best, bestDistance := "", limit+1
	for _, k := range known {
		if d := distance(word, k, bestDistance); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// didYouMean is the tail of a message about a mistyped word.
func didYouMean(word string, known []string) string {
	if s := suggest(word, known); s != "" {
		return ", did you mean " + s + "?"
	}
	return ""
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment); it gives up and
// returns limit when the answer is not under it.
func distance(a, b string, limit int) int {
	x, y := []rune(a), []rune(b)
	if d := len(x) - len(y); d >= limit || -d >= limit || len(x) > 64 {
		return limit
	}
	older, prev, cur := make([]int, len(y)+1), make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(x); i++ {
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], older[j-2]+1)
			}
		}
		older, prev, cur = prev, cur, older
	}
	return min(prev[len(y)], limit)
}
