package ladder

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"
)

// gap is how far two lines of the ladder are apart.
const gap = 26

// Print writes the ladder. The caller stands to the left of us, and to the right
// in their order the telephones that were called.
func (t *Trace) Print(w io.Writer) error {
	var b strings.Builder
	zero := time.Time{}
	if len(t.Steps) > 0 {
		zero = t.Steps[0].At
	}
	head := "dialog"
	if t.Call > 0 {
		head = fmt.Sprint("call ", t.Call)
	}
	if !zero.IsZero() {
		head += ", " + zero.Local().Format("Mon 2006-01-02 15:04:05.000 MST")
	}
	fmt.Fprintln(&b, head)
	for i, l := range t.Legs {
		who := plain(cmp.Or(l.Name, "caller"), 40)
		if l.Agent != "" {
			who += " " + plain(string(l.Agent), 64)
		}
		fmt.Fprintf(&b, "  %s: %s %s, Call-ID %s\n", mark(i), who, peer(l), plain(l.CallID, 200))
	}
	if t.Note != "" {
		fmt.Fprintln(&b, "  "+plain(t.Note, 400))
	}
	t.names(&b)
	for _, s := range t.Steps {
		t.step(&b, s, zero)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func peer(l Leg) string {
	if l.Peer == "" {
		return "(no message is kept)"
	}
	return plain(l.Transport, 4) + ":" + plain(l.Peer, 64)
}

// mark is the letter of a dialog.
func mark(i int) string {
	if i < 26 {
		return string(rune('A' + i))
	}
	return fmt.Sprint("A", i)
}

// column is where a dialog's other side stands: the first left of us.
func column(leg int) int {
	if leg == 1 {
		return 0
	}
	return leg
}

const margin = "                        " // before the ladder: two times

func (t *Trace) names(b *strings.Builder) {
	line := t.rails(' ')
	put := func(col int, name string) {
		at := max(col*gap-len(name)/2, 0)
		for i := range len(name) {
			if at+i < len(line) {
				line[at+i] = name[i]
			}
		}
	}
	for i := range t.Legs {
		put(column(i+1), mark(i))
	}
	put(1, "cordboard")
	fmt.Fprintln(b, margin+strings.TrimRight(string(line), " "))
}

// rails is a line of the ladder without anything on it.
func (t *Trace) rails(rail byte) []byte {
	cols := max(len(t.Legs), 1)
	line := []byte(strings.Repeat(" ", cols*gap+6))
	for c := 0; c <= cols; c++ {
		line[c*gap] = rail
	}
	return line
}

func (t *Trace) step(b *strings.Builder, s Step, zero time.Time) {
	since := s.At.Sub(zero).Round(time.Millisecond)
	fmt.Fprintf(b, "%s %+10.3f ", s.At.Local().Format("15:04:05.000"), since.Seconds())
	line := t.rails('|')
	if s.Leg < 1 || s.Leg > len(t.Legs) {
		fmt.Fprintf(b, "%s * %s\n", line[:gap+1], plain(s.What, 400))
		return
	}
	from, to := 1, column(s.Leg)
	if !s.Sent {
		from, to = to, from
	}
	arrow(line, from*gap, to*gap, label(s))
	fmt.Fprintf(b, "%s %s\n", strings.TrimRight(string(line), " "), details(s))
	for text := range strings.SplitSeq(s.Text, "\n") {
		if s.Text != "" {
			fmt.Fprintf(b, "%s  %s\n", margin, plain(text, 2000))
		}
	}
}

// arrow draws the label over the rails between two columns.
func arrow(line []byte, from, to int, label string) {
	left, right := min(from, to)+1, max(from, to)-1
	for i := left; i <= right; i++ {
		line[i] = '-'
	}
	if to > from {
		line[right] = '>'
	} else {
		line[left] = '<'
	}
	if room := right - left - 3; len(label) > room {
		label = label[:room]
	}
	copy(line[left+(right-left+1-len(label))/2:], label)
}

// label is what stands on the arrow: as many bytes as characters.
func label(s Step) string {
	ascii := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s.What)
	return " " + ascii + " "
}

func details(s Step) string {
	var out []string
	if s.Repeated {
		out = append(out, "(again)")
	}
	if method := s.CSeq; method != "" {
		out = append(out, "cseq "+method)
	}
	for _, more := range []string{s.Cause, s.Body} {
		if more != "" {
			out = append(out, more)
		}
	}
	return plain(strings.Join(out, "  "), 400)
}
