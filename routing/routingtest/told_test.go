package routingtest

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// given matches the lines by which an agent is given a call: offered, popped,
// rung, or reserved for a callback.
var given = regexp.MustCompile(`^(offer|pop|ring) (\S+) -> (\S+) (#\d+)|^(reserve) (\S+) for (\S+) (#\d+)`)

// said matches what else a case may tell that the engine says in the same words.
var said = regexp.MustCompile(`^(?:withdraw \S+ \S+ #\d+|talk \S+ \S+|step \S+ \d|hold \S+ for \S+ until \S+|overflow \S+ \S+ -> \S+)`)

// deeds takes the lines below the line apart: who was given which call when, and
// what else was said then. One line may tell of several things.
func deeds(t *testing.T, text string) (offers, others []string) {
	t.Helper()
	for raw := range strings.SplitSeq(text, "\n") {
		when, what, ok := strings.Cut(strings.TrimSpace(raw), " ")
		if !ok || !instantShown.MatchString(when+" ") {
			continue
		}
		for part := range strings.SplitSeq(withoutRemarks(what), ";") {
			part = strings.TrimSpace(part)
			if m := given.FindString(part); m != "" {
				offers = append(offers, when+" "+m)
			} else if m := said.FindString(part); m != "" {
				others = append(others, when+" "+strings.TrimSuffix(m, ";"))
			}
		}
	}
	slices.Sort(offers)
	return offers, others
}

var remarks = regexp.MustCompile(`\([^()]*\)`)

func withoutRemarks(s string) string { return remarks.ReplaceAllString(s, "") }

// Cases told in plain words are understood as they stand, and of each comes what
// they say: nobody else is given a call, nor at another time.
func TestToldCases(t *testing.T) {
	raw, err := os.ReadFile("testdata/told.txt")
	if err != nil {
		t.Fatal(err)
	}
	cases := regexp.MustCompile(`(?m)^# (\d\d) `).FindAllStringSubmatchIndex(string(raw), -1)
	if len(cases) != 42 {
		t.Fatalf("%d cases", len(cases))
	}
	for i, at := range cases {
		end := len(raw)
		if i+1 < len(cases) {
			end = cases[i+1][0]
		}
		t.Run(string(raw[at[2]:at[3]]), func(t *testing.T) {
			above, below, ok := strings.Cut(string(raw[at[0]:end]), divider+"\n")
			if !ok {
				t.Fatalf("no line %q", divider)
			}
			lines := play(t, above, below)
			got, all := deeds(t, strings.Join(lines, "\n"))
			want, others := deeds(t, below)
			if !slices.Equal(got, want) {
				t.Errorf("calls given:\n%s\nwant:\n%s\nof:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"), strings.Join(lines, "\n"))
			}
			for _, o := range others {
				if !slices.Contains(all, o) {
					t.Errorf("%q is not said:\n%s", o, strings.Join(lines, "\n"))
				}
			}
		})
	}
}

// play runs a case until the last instant that its lines name.
func play(t *testing.T, above, below string) []string {
	t.Helper()
	c, err := Parse(above)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Until(below); err != nil {
		t.Fatal(err)
	}
	lines, err := c.Run()
	if err != nil {
		t.Fatal(err)
	}
	return lines
}
