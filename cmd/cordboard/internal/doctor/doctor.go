// Package doctor looks at what a server needs of its machine and its neighbours,
// and says of each thing in one line whether it is as it should be, and if not
// what to do. It works beside a running server and without one: it takes no port
// that is in use, writes nothing but one small file that it removes, and asks
// trunks for life as any peer may. The command doctor is its caller.
package doctor

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
)

// Verdicts.
const (
	OK   = "ok"
	Warn = "warn" // the server serves, and something will hurt
	Fail = "FAIL" // it does not serve, or not all
)

// Line is what one look came to.
type Line struct {
	Verdict string `json:"verdict"`
	Of      string `json:"of"`           // the key of the server file, or a part of the machine
	Says    string `json:"says"`         // what is
	Do      string `json:"do,omitempty"` // what to do about it
}

// Patient is what is looked at.
type Patient struct {
	Server  *configs.Server
	Running bool // a server runs with this file
	// Store gives the options of its store; no error repeats a secret.
	Store func() (store.Options, error)
}

// patience is how long one look may take.
const patience = 5 * time.Second

// Examine looks at everything, in the order in which it is told.
func Examine(ctx context.Context, p Patient) (out []Line) {
	for _, look := range []func(context.Context, Patient) []Line{
		certificates, names, ports, trunks, telephones, phones, sources, sounds, database, disk, aside, limits, clock,
	} {
		ctx, cancel := context.WithTimeout(ctx, patience)
		out = append(out, look(ctx, p)...)
		cancel()
	}
	return out
}

// Worst is the worst verdict there is.
func Worst(lines []Line) string {
	worst := OK
	for _, l := range lines {
		if l.Verdict == Fail || l.Verdict == Warn && worst == OK {
			worst = l.Verdict
		}
	}
	return worst
}

// Print writes one line each. What others sent is printed as text alone.
func Print(w io.Writer, lines []Line) error {
	for _, l := range lines {
		text := fmt.Sprintf("%-4s %s: %s", l.Verdict, l.Of, l.Says)
		if l.Do != "" {
			text += ". " + l.Do
		}
		if _, err := fmt.Fprintln(w, plain(text)); err != nil {
			return err
		}
	}
	return nil
}

func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

func ok(of, format string, args ...any) Line {
	return Line{Verdict: OK, Of: of, Says: fmt.Sprintf(format, args...)}
}

func bad(verdict, of, says, do string) Line { return Line{verdict, of, says, cmp.Or(do, "")} }
