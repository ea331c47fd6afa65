package configs

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9_.]{1,64}$`)
	integerForm  = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)
	decimalForm  = regexp.MustCompile(`^(0|[1-9][0-9]*)(\.[0-9]+)?$`)
	durationForm = regexp.MustCompile(`^(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$`)
	durationUnit = []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second, time.Millisecond}
)

// scalar returns the text of a scalar of whatever style.
func (r *reader) scalar(n *node, want string) (string, bool) {
	if n == nil {
		return "", false
	}
	if n.kind != kindScalar {
		r.wrong(n, "want %s", want)
		return "", false
	}
	return n.text, true
}

// plainType says what YAML takes an unquoted scalar for, when it is not text.
func (n *node) plainType() string {
	if n.style != stylePlain {
		return ""
	}
	switch n.text {
	case "true", "false":
		return "a flag"
	case "null", "~", "":
		return "nothing"
	}
	if _, err := strconv.ParseFloat(strings.ReplaceAll(n.text, "_", ""), 64); err == nil {
		return "a number"
	}
	return ""
}

// text reads free text of 1 to limit characters.
func (r *reader) text(n *node, limit int) string {
	s, ok := r.scalar(n, "a text")
	if !ok {
		return ""
	}
	if kind := n.plainType(); kind != "" {
		r.wrong(n, "want a text, not %s; put it in quotes", kind)
		return ""
	}
	if c := utf8.RuneCountInString(s); c < 1 || c > limit {
		r.wrong(n, "want 1 to %d characters", limit)
		return ""
	}
	return s
}

// name reads a name of the document's own: lower case letters, digits, "_"
// and ".".
func (r *reader) name(n *node) string {
	s, ok := r.scalar(n, "a name")
	if !ok {
		return ""
	}
	if !nameForm.MatchString(s) {
		r.wrong(n, "%s is not a name: lower case letters, digits, _ and ., up to 64", quote(s))
		return ""
	}
	return s
}

// CheckName says that a text is no name as the documents have them.
func CheckName(text string) error {
	if nameForm.MatchString(text) {
		return nil
	}
	return fmt.Errorf("%s is not a name: lower case letters, digits, _ and ., up to 64", quote(text))
}

// checkName checks the name of a key.
func (r *reader) checkName(p pair, where string) bool {
	err := CheckName(p.key)
	if err != nil {
		r.add(p.line, p.col, CodeValue, where, "%v", err)
	}
	return err == nil
}

// flag reads true or false; otherwise is what a flag left out means.
func (r *reader) flag(n *node, otherwise bool) bool {
	s, ok := r.scalar(n, "true or false")
	if !ok {
		return otherwise
	}
	if n.style != stylePlain || s != "true" && s != "false" {
		r.wrong(n, "want true or false, not %s", quote(s))
		return otherwise
	}
	return s == "true"
}

// integer reads a whole number in decimal.
func (r *reader) integer(n *node, from, to, otherwise int) int {
	s, ok := r.scalar(n, fmt.Sprintf("a whole number %d to %d", from, to))
	if !ok {
		return otherwise
	}
	if n.style == stylePlain && integerForm.MatchString(s) {
		if v, err := strconv.Atoi(s); err == nil && v >= from && v <= to {
			return v
		}
	}
	r.wrong(n, "want a whole number %d to %d, not %s", from, to, quote(s))
	return otherwise
}

// share reads a whole percentage: 70%.
func (r *reader) share(n *node, otherwise int) int {
	s, ok := r.scalar(n, "a share, such as 70%")
	if !ok {
		return otherwise
	}
	if digits, percent := strings.CutSuffix(s, "%"); percent && integerForm.MatchString(digits) {
		if v, err := strconv.Atoi(digits); err == nil && v >= 0 && v <= 100 {
			return v
		}
	}
	r.wrong(n, "want a share from 0%% to 100%%, such as 70%%, not %s", quote(s))
	return otherwise
}

// duration reads 800ms, 20s, 1m30s, 7d.
func (r *reader) duration(n *node, from, to, otherwise time.Duration) time.Duration {
	s, ok := r.scalar(n, "a duration, such as 20s")
	if !ok {
		return otherwise
	}
	if integerForm.MatchString(s) {
		r.wrong(n, "a duration carries its unit, such as %ss", s)
		return otherwise
	}
	d, ok := parseDuration(s)
	if !ok {
		r.wrong(n, "%s is not a duration, such as 800ms, 20s, 5m or 1m30s", quote(s))
		return otherwise
	}
	if d < from || d > to {
		r.wrong(n, "%s is not within %s to %s", s, durationText(from), durationText(to))
		return otherwise
	}
	return d
}

// parseDuration reads whole numbers with the units d h m s ms, in this order,
// each at most once. Anything over ten years is refused.
func parseDuration(s string) (time.Duration, bool) {
	parts := durationForm.FindStringSubmatch(s)
	if s == "" || parts == nil {
		return 0, false
	}
	const limit = 3650 * 24 * time.Hour
	var total time.Duration
	for i, digits := range parts[1:] {
		if digits == "" {
			continue
		}
		v, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || v > int64(limit/durationUnit[i]) {
			return 0, false
		}
		total += time.Duration(v) * durationUnit[i]
	}
	return total, total <= limit
}

// durationText writes a duration as the documents do: 1m30s, 2h, 0s.
func durationText(d time.Duration) string {
	if d == 0 {
		return "0s"
	}
	var b strings.Builder
	for i, name := range []string{"d", "h", "m", "s", "ms"} {
		if v := d / durationUnit[i]; v > 0 {
			fmt.Fprintf(&b, "%d%s", v, name)
			d -= v * durationUnit[i]
		}
	}
	return b.String()
}

// choice reads one of a list of words; those of later are refused as not
// supported yet.
func (r *reader) choice(n *node, otherwise string, now []string, later ...string) string {
	all := append(slices.Clone(now), later...)
	s, ok := r.scalar(n, "one of "+strings.Join(all, ", "))
	switch {
	case !ok:
		return otherwise
	case slices.Contains(now, s):
		return s
	case slices.Contains(later, s):
		r.unsupported(n, s)
		return otherwise
	}
	if near := didYouMean(s, all); near != "" {
		r.wrong(n, "unknown value %s%s", quote(s), near)
	} else {
		r.wrong(n, "want %s, not %s", oneOf(all), quote(s))
	}
	return otherwise
}

// unsupported refuses a value of the language that is not built yet.
func (r *reader) unsupported(n *node, value string) {
	r.add(n.line, n.col, CodeUnsupported, "", "%s: %s is not supported yet", n.path, value)
}

func oneOf(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}

// quote shows a text of the file in a message, shortened.
func quote(s string) string {
	if r := []rune(s); len(r) > 40 {
		s = string(r[:40]) + "..."
	}
	return strconv.Quote(s)
}

// zone reads an IANA time zone.
func (r *reader) zone(n *node, otherwise *time.Location) *time.Location {
	s, ok := r.scalar(n, "an IANA time zone, such as Europe/London")
	if !ok {
		return otherwise
	}
	loc, err := time.LoadLocation(s)
	if s == "" || s == "Local" || err != nil {
		r.add(n.line, n.col, "T601", n.where, "%s: %s is not an IANA time zone, such as Europe/London", n.label(), quote(s))
		return otherwise
	}
	return loc
}

// clock reads "08:00" as minutes since midnight; "24:00" is the end of the day.
func clock(s string) (int, bool) {
	if len(s) != 5 || s[2] != ':' {
		return 0, false
	}
	h, err1 := strconv.ParseUint(s[:2], 10, 8)
	m, err2 := strconv.ParseUint(s[3:], 10, 8)
	if err1 != nil || err2 != nil || m > 59 || h > 24 || h == 24 && m > 0 {
		return 0, false
	}
	return int(h*60 + m), true
}
