package main

import (
	"encoding/json"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/ladder"
)

// seesLadder: the call that was just made is shown with its messages and what was
// decided between them, in their order, and names nobody unless it is asked to.
func seesLadder(t *testing.T, dir string) {
	t.Helper()
	trace := func(args ...string) (out string, ok bool) {
		c := command(t, append([]string{"trace"}, args...)...)
		c.Dir = dir
		text, err := c.CombinedOutput()
		if _, ended := err.(*exec.ExitError); err != nil && !ended { //nolint:errorlint // Run's own
			t.Fatal(err)
		}
		return string(text), err == nil
	}
	text, ok := trace("1")
	at := 0
	for _, want := range []string{
		`cordboard +B`,
		`\|-+ INVITE -+>\| +\| cseq 1 INVITE  audio 127\.0\.0\.1:\d+ PCMU`,
		`\* arrives`,
		`\* enters queue .*, by route `,
		`\* is offered to petar \(#1\), by `,
		`\* the record is painted on the screen of petar`,
		`\* the phone of petar is called`,
		`\| +\|-+ INVITE -+>\|`,
		`\|<-+ 180 Ringing -+\|`,
		`\|<-+ 200 OK -+\| cseq 1 INVITE  audio `,
		`\* talks to petar`,
		`\* ends: answered by agent`,
		`\|<-+ BYE -+\|`,
	} {
		m := regexp.MustCompile(want).FindStringIndex(text[at:])
		if m == nil {
			t.Fatalf("no %s after character %d of\n%s", want, at, text)
		}
		at += m[1]
	}
	if _, after, _ := strings.Cut(text, "cordboard  "); strings.Contains(after, "+44") || strings.Contains(after, "sip:") {
		t.Errorf("a number or an address of record is told:\n%s", text)
	}
	out, _ := trace("1", "--format", "json", "--messages")
	var x ladder.Trace
	if err := json.Unmarshal([]byte(out), &x); err != nil || len(x.Legs) != 2 || x.Since.IsZero() || !strings.Contains(x.Steps[0].Text, "\nFrom: ") {
		t.Fatalf("as JSON: %v\n%s", err, out)
	}
	if other, ok := trace(x.Legs[1].CallID); !ok || !strings.Contains(other, "call 1, ") || strings.Contains(other, "  B: ") {
		t.Errorf("by the Call-ID of its second dialog:\n%s", other)
	}
	for call, says := range map[string]string{"4711": "call 4711: no such call", "nobody@nowhere": "call nobody@nowhere: no such call"} {
		if out, ok := trace(call); ok || !strings.Contains(out, says) {
			t.Errorf("trace %s: %s", call, out)
		}
	}
	if !ok {
		t.Error("trace failed")
	}
}

func TestTraceWithoutAServer(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	if out, told, exit := run(t, "", "trace", "1", "-c", o.server); exit != 1 || out != "" || !strings.Contains(told, "no server is running with this server file") {
		t.Errorf("exit %d, %q %q", exit, out, told)
	}
	if _, told, exit := run(t, "", "trace", "1", "-c", o.server, "--format", "xml"); exit != 1 || !strings.Contains(told, "--format xml: it is text or json") {
		t.Errorf("exit %d, %q", exit, told)
	}
}
