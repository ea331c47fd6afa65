package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// browser is headless Chromium, driven through browser.mjs.
type browser struct {
	t   *testing.T
	in  io.WriteCloser
	out *bufio.Scanner
	id  int
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	cmd := exec.Command("node", "browser.mjs", repo(t)+"/web/ui/node_modules", "/usr/bin/chromium")
	in, err := cmd.StdinPipe()
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	cmd.Stderr = &testLog{t: t, name: "chromium"}
	must(t, cmd.Start())
	b := &browser{t: t, in: in, out: bufio.NewScanner(out)}
	b.out.Buffer(nil, 16<<20)
	t.Cleanup(func() {
		in.Close()
		endProcess(cmd)
	})
	return b
}

type args map[string]any

// do runs one command and fails the test when the page did.
func (b *browser) do(cmd string, page string, a args) json.RawMessage {
	b.t.Helper()
	v, err := b.try(cmd, page, a)
	if err != nil {
		text, _ := b.try("text", page, args{})
		b.t.Fatalf("%s %s %v: %v\nThe page says:\n%s", cmd, page, a, err, text)
	}
	return v
}

func (b *browser) try(cmd string, page string, a args) (json.RawMessage, error) {
	b.t.Helper()
	b.id++
	m := args{"id": b.id, "cmd": cmd, "page": page}
	for k, v := range a {
		m[k] = v
	}
	line, err := json.Marshal(m)
	must(b.t, err)
	if _, err := b.in.Write(append(line, '\n')); err != nil {
		return nil, err
	}
	if !b.out.Scan() {
		return nil, fmt.Errorf("the browser is gone: %w", b.out.Err())
	}
	var r struct {
		OK    bool            `json:"ok"`
		Error string          `json:"error"`
		Value json.RawMessage `json:"value"`
	}
	must(b.t, json.Unmarshal(b.out.Bytes(), &r))
	if !r.OK {
		return nil, fmt.Errorf("%s", r.Error)
	}
	return r.Value, nil
}

// text is the visible text under the selector.
func (b *browser) text(page, selector string) string {
	b.t.Helper()
	var s string
	must(b.t, json.Unmarshal(b.do("text", page, args{"selector": selector}), &s))
	return s
}

// sent is one frame the page sent over its desk socket, with the time it left.
type sent struct {
	T string `json:"t"`
	D struct {
		Call    int64             `json:"call"`
		Attempt int               `json:"attempt"`
		Mode    string            `json:"mode"`
		Version int64             `json:"version"`
		Panels  map[string]string `json:"panels"`
	} `json:"d"`
	At float64 `json:"at"` // milliseconds since 1970, by the page's clock
}

// acked waits for the first painted ack the page sent after the given instant.
func (b *browser) acked(page string, after time.Time) (first sent) {
	b.t.Helper()
	eventually(b.t, page+"'s ack", func() bool {
		var all []sent
		must(b.t, json.Unmarshal(b.do("sent", page, args{}), &all))
		for _, s := range all {
			if s.T == "pop_ack" && s.D.Mode == "painted" && s.At >= float64(after.UnixMilli()) {
				first = s
				return true
			}
		}
		return false
	})
	return first
}

// quiet fails when the page logged an error of its own.
func (b *browser) quiet(page string) {
	b.t.Helper()
	var all []string
	must(b.t, json.Unmarshal(b.do("errors", page, args{}), &all))
	for _, e := range all {
		if !strings.Contains(e, "401") { // the first question who one is, before signing in
			b.t.Errorf("%s: %s", page, e)
		}
	}
}
