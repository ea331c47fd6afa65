package journal

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/cordboard/cordboard/routing"
)

// sealClear seals what releases before format 2 wrote in clear: before that nobody
// can be erased from it. A segment is written anew whole, behind its keys, so that
// a crash leaves it as it was, to be done again.
func sealClear(dir string) error {
	names, err := segments(dir)
	if err != nil {
		return err
	}
	c := converter{subjects: map[routing.CallID]string{}}
	for _, name := range names {
		if err := c.segment(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// converter seals the segments of a folder in order.
type converter struct {
	subjects map[routing.CallID]string // of calls, as far as their events said by then
}

func (c *converter) segment(path string) error {
	if clear, err := isClear(path); err != nil || !clear {
		return err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, rest, _ := bytes.Cut(text, []byte{'\n'})
	sealer := Journal{keys: map[string]*key{}}
	out := append(make([]byte, 0, len(text)+len(text)/8), header...)
	for len(rest) > 0 {
		line, after, whole := bytes.Cut(rest, []byte{'\n'})
		if !whole {
			break // torn: it was promised to nobody
		}
		rest = after
		if out, err = c.line(&sealer, out, line); err != nil {
			return err
		}
	}
	keys := []byte(keysHeader)
	for _, k := range sealer.needed {
		keys = k.appendLine(keys)
	}
	if len(sealer.needed) > 0 {
		if err := replaceFile(keysBeside(path), keys); err != nil {
			return err
		}
	}
	return replaceFile(path, out)
}

// line seals a line that says something of a caller; others stay as they are.
func (c *converter) line(sealer *Journal, out, text []byte) ([]byte, error) {
	asItIs := func() ([]byte, error) { return append(append(out, text...), '\n'), nil }
	l, ok := parse(text)
	if !ok {
		return asItIs()
	}
	switch l.kind {
	case routing.CallArrived{}.Kind(), routing.CustomerResolved{}.Kind(), routing.RimRead{}.Kind():
	default:
		return asItIs()
	}
	ev, err := routing.DecodeEvent(l.kind, l.body)
	if err != nil {
		return out, fmt.Errorf("event %d: %w", l.seq, err)
	}
	switch ev := ev.(type) {
	case routing.CallArrived:
		c.subjects[ev.Call] = ev.Caller
		return asItIs()
	case routing.CustomerResolved:
		if ev.Key != "" {
			c.subjects[ev.Call] = ev.Key
		}
		ev.Subject = c.subjects[ev.Call]
		return sealer.appendLine(out, l.seq, l.at, ev)
	case routing.RimRead:
		ev.Subject = c.subjects[ev.Call]
		return sealer.appendLine(out, l.seq, l.at, ev)
	}
	return asItIs()
}

// isClear says whether a segment is of the format that seals nothing.
func isClear(path string) (clear bool, err error) {
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	want := []byte(magic + " " + clearVersion + "\n")
	got := make([]byte, len(want))
	n, _ := f.Read(got) // a shorter one holds no event
	return bytes.Equal(got[:n], want), nil
}
