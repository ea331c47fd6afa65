package interop

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
)

// The server file's part for a PBX that tells by dialog events, as the guide has it.
const (
	askedTrunk = "media: auto\n      out: {to: \"sip:192.0.2.10\", caller: caller}"
	askedPops  = "pops:\n  office: {trunk: asterisk, extensions: [ann, bob], region: GB}\n"
)

// TestDialogEvents: Asterisk keeps its calls and rings the phones itself; what its
// hints tell puts the record on the desks, and goes with the call to its end.
func TestDialogEvents(t *testing.T) {
	startAsteriskOn(t, "pop-only", nil)
	phones := phonesAt(t, asteriskHost)
	c := open(t, phones, plan{
		server: func(s string) string { return replace(t, "media: auto", askedTrunk)(s) + askedPops },
		desk:   func(_ string, o *desktest.Options) { o.WrapUp = &desktest.WrapUp{} },
	})
	eventually(t, "Asterisk to tell of both telephones", func() bool {
		return strings.Contains(scrape(t), `cordboard_pbx_telephones{source="office",told="1"} 2`)
	})
	doctor := exec.Command(program(t), "doctor", filepath.Join(c.dir, "cordboard.yaml"))
	if out, _ := doctor.CombinedOutput(); !bytes.Contains(out, []byte("ok   pops.office.extensions: of 2 of 2 telephones the PBX tells")) {
		t.Errorf("doctor: %s", out)
	}
	trunk := carrier(t, asteriskHost+":5060")

	call := c.call(trunk, siptest.CallOptions{To: "+442079460101"})
	card := c.phase("ann", "ringing")
	if !card.PBX || card.Caller.Number != dana || card.Record == nil || card.Record.Name != "Dana Whitcombe" {
		t.Errorf("Ann's desk: %+v", card)
	}
	if _, err := phones["ann"].Wait(within(t), "CALL_INCOMING", 1); err != nil {
		t.Fatal(err)
	}
	c.press("ann", "accept")
	c.phase("ann", "talking")
	c.status("ann", "not_ready", "pbx_call")
	c.callerHears(call, annTone)
	c.phoneHears("ann")
	c.press("ann", "hangup")
	c.over(call)
	c.outcome(routing.Answered, routing.ByServer, "ann")
	c.status("ann", "available", "")

	call = c.call(trunk, siptest.CallOptions{To: "+442079460101"}) // given up
	c.phase("ann", "ringing")
	call.Hangup()
	c.outcome(routing.Abandoned, routing.ByCaller, "")

	call = c.call(trunk, siptest.CallOptions{To: service}) // both ring, Bob answers
	first, second := c.phase("ann", "ringing"), c.phase("bob", "ringing")
	if first.Call != second.Call {
		t.Errorf("one call is two: %d, %d", first.Call, second.Call)
	}
	if _, err := phones["bob"].Wait(within(t), "CALL_INCOMING", 1); err != nil {
		t.Fatal(err)
	}
	c.press("bob", "accept")
	c.phase("bob", "talking")
	if err := c.desks["ann"].Wait(within(t), func(s desktest.State) bool { return len(s.Cards) == 0 && s.Status.State == "available" }); err != nil {
		t.Errorf("Ann's desk: %v", err)
	}
	call.Hangup()
	c.outcome(routing.Answered, routing.ByServer, "bob")
}

// TestDialogEventsGuide: what the guide prints of Asterisk's files is what ran.
func TestDialogEventsGuide(t *testing.T) {
	guide, err := os.ReadFile(filepath.Join(repo(t), "docs/integrations/pop-only.md"))
	must(t, err)
	for _, name := range []string{"pjsip.conf", "extensions.conf"} {
		file, err := os.ReadFile(filepath.Join("testdata/pop-only", name))
		must(t, err)
		printed := 0
		for _, b := range block.FindAllStringSubmatch(string(guide), -1) {
			if b[1] == name {
				printed++
				if !strings.Contains(string(file), b[2]) {
					t.Errorf("the guide's %s is not what ran:\n%s", name, b[2])
				}
			}
		}
		if printed == 0 {
			t.Errorf("the guide does not print %s", name)
		}
	}
	if !strings.Contains(string(guide), askedPops) {
		t.Errorf("the guide does not print %q", askedPops)
	}
}

// scrape reads the server's metrics.
func scrape(t *testing.T) string {
	t.Helper()
	r, err := http.Get("http://127.0.0.1:9090/metrics")
	must(t, err)
	defer func() { _ = r.Body.Close() }()
	b, err := io.ReadAll(r.Body)
	must(t, err)
	if r.StatusCode != http.StatusOK {
		t.Fatal(fmt.Errorf("metrics: HTTP %d", r.StatusCode))
	}
	return string(b)
}
