package configs

import (
	"fmt"
	"slices"
	"strings"
)

// maxEdits bounds the search for the shortest difference: two documents further
// apart are shown as one block out and one block in.
const maxEdits = 1500

// contextLines stand before and after each change.
const contextLines = 3

// TextDiff is the difference of two documents by lines, in the unified form of
// diff and patch; "" when there is none.
func TextDiff(fromName, toName string, from, to []byte) string {
	a, b := lines(from), lines(to)
	if slices.Equal(a, b) {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "--- %s\n+++ %s\n", fromName, toName)
	for _, h := range hunks(edits(a, b)) {
		h.print(&out)
	}
	return out.String()
}

func lines(b []byte) []string {
	text := strings.TrimSuffix(string(b), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// edit is one line of a difference: ' ' stays, '-' goes, '+' comes.
type edit struct {
	op   byte
	text string
}

// edits is the shortest way from a to b (Myers, "An O(ND) difference algorithm
// and its variations", 1986).
func edits(a, b []string) []edit {
	first := 0
	for first < len(a) && first < len(b) && a[first] == b[first] {
		first++
	}
	last := 0
	for last < len(a)-first && last < len(b)-first && a[len(a)-1-last] == b[len(b)-1-last] {
		last++
	}
	var out []edit
	add := func(op byte, list []string) {
		for _, l := range list {
			out = append(out, edit{op, l})
		}
	}
	add(' ', a[:first])
	out = append(out, middle(a[first:len(a)-last], b[first:len(b)-last])...)
	add(' ', a[len(a)-last:])
	return out
}

func middle(a, b []string) []edit {
	most := min(len(a)+len(b), maxEdits)
	// By diagonal, how far in a. Diagonal k stands at k+most+1.
	at := make([]int32, 2*most+3)
	from := most + 1
	var trace [][]int32 // of the diagonals -d-1 to d+1 after d edits
	for d := 0; d <= most; d++ {
		for k := -d; k <= d; k += 2 {
			x := int(at[from+k-1]) + 1
			if k == -d || k != d && at[from+k-1] < at[from+k+1] {
				x = int(at[from+k+1])
			}
			for x < len(a) && x-k < len(b) && x-k >= 0 && a[x] == b[x-k] {
				x++
			}
			at[from+k] = int32(x)
			if x >= len(a) && x-k >= len(b) {
				return walkBack(trace, d, a, b)
			}
		}
		trace = append(trace, slices.Clone(at[from-d-1:from+d+2]))
	}
	out := make([]edit, 0, len(a)+len(b))
	for _, l := range a {
		out = append(out, edit{'-', l})
	}
	for _, l := range b {
		out = append(out, edit{'+', l})
	}
	return out
}

// walkBack finds the way that reached the end, from the end.
func walkBack(trace [][]int32, edits int, a, b []string) []edit {
	var out []edit
	x, y := len(a), len(b)
	for d := edits; d > 0; d-- {
		at := func(k int) int { return int(trace[d-1][k+d]) }
		k := x - y
		before := k - 1
		if k == -d || k != d && at(k-1) < at(k+1) {
			before = k + 1
		}
		toX := at(before)
		toY := toX - before
		for x > toX && y > toY && (x > toX+1 || before == k+1) && (y > toY+1 || before == k-1) {
			x, y = x-1, y-1
			out = append(out, edit{' ', a[x]})
		}
		if before == k+1 {
			y--
			out = append(out, edit{'+', b[y]})
		} else {
			x--
			out = append(out, edit{'-', a[x]})
		}
	}
	for x > 0 && y > 0 {
		x, y = x-1, y-1
		out = append(out, edit{' ', a[x]})
	}
	slices.Reverse(out)
	return out
}

// hunk is a run of changes with the lines around.
type hunk struct {
	from, to int // first lines, from 1
	edits    []edit
}

func hunks(all []edit) (out []hunk) {
	x, y, quiet := 1, 1, 0
	var now *hunk
	for i, e := range all {
		if e.op != ' ' {
			if now == nil {
				before := min(contextLines, i)
				out = append(out, hunk{x - before, y - before, slices.Clone(all[i-before : i])})
				now = &out[len(out)-1]
			}
			quiet = 0
		} else {
			quiet++
		}
		if now != nil {
			now.edits = append(now.edits, e)
			if quiet > 2*contextLines {
				now.edits = now.edits[:len(now.edits)-quiet+contextLines]
				now = nil
			}
		}
		if e.op != '+' {
			x++
		}
		if e.op != '-' {
			y++
		}
	}
	if now != nil && quiet > contextLines {
		now.edits = now.edits[:len(now.edits)-quiet+contextLines]
	}
	return out
}

func (h hunk) print(out *strings.Builder) {
	gone, come := 0, 0
	for _, e := range h.edits {
		if e.op != '+' {
			gone++
		}
		if e.op != '-' {
			come++
		}
	}
	fmt.Fprintf(out, "@@ -%s +%s @@\n", part(h.from, gone), part(h.to, come))
	for _, e := range h.edits {
		fmt.Fprintf(out, "%c%s\n", e.op, e.text)
	}
}

// part is first,count as patch reads it: of none, the line before.
func part(first, n int) string {
	if n == 0 {
		first--
	}
	return fmt.Sprintf("%d,%d", first, n)
}
