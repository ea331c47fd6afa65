package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/store"
)

// The versions by hand, beside no server: what is asked waits for one.
func TestRoutingCommand(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	folder := filepath.Dir(o.server)
	document, err := os.ReadFile(filepath.Join(folder, "routing.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	does := func(exit int, want string, args ...string) string {
		t.Helper()
		out, told, code := run(t, "", append([]string{"routing", args[0], "-c", o.server, "--who", "ines"}, args[1:]...)...)
		if code != exit || !strings.Contains(out+told, want) {
			t.Errorf("routing %v: exit %d, %q %q; want exit %d, %q", args, code, out, told, exit, want)
		}
		return out
	}
	does(1, "no version has gone live yet", "show", "live")
	does(1, "no other version was live before this one", "rollback")
	does(0, "saved as version 1", "save", filepath.Join(folder, "routing.yaml"), "--comment", "as it was")
	changed := strings.Replace(string(document), "queues:", "transfers: {unanswered: {after: 30s}}\nqueues:", 1)
	does(0, "saved as version 2", "save", write("other.yaml", changed))
	does(1, "somebody has saved another version meanwhile", "save", write("third.yaml", changed+"\n"), "--parent", "1")
	does(1, "has errors and is not saved", "save", write("bad.yaml", changed+"nonsense: 1\n"))
	does(1, "--comment: byte 4 is a control character (U+001B)", "save", write("third.yaml", changed+"\n"), "--comment", "so \x1b[2Jmuch")
	does(1, "--reason: 1001 bytes are too many: 1000 at most", "activate", "2", "--tick", "--reason", strings.Repeat("x", 1001))
	does(1, "--who: byte 1 is a control character (U+0007)", "list", "--who", "\a")
	does(1, "there is no version 3", "diff", "1", "3")
	if out := does(0, "", "diff", "1"); out != "transfers unanswered_after 45s -> 30s\n" {
		t.Errorf("diff: %q", out)
	}
	does(0, "+transfers: {unanswered: {after: 30s}}", "diff", "1", "2", "--text")
	if out := does(0, "", "show", "1"); out != string(document) {
		t.Errorf("show: %q", out)
	}
	does(1, "a move leads from a queue that is gone", "activate", "2", "--tick", "--move", "care=other")
	does(1, "--waiting is keep or apply", "activate", "2", "--waiting", "later")
	does(1, "--at yesterday is no time to come", "activate", "2", "--tick", "--at", "yesterday")
	does(0, "no server has answered yet: version 2 goes live when one does (activation 1)", "activate", "2", "--tick", "--wait", "300ms", "--reason", "evening")
	does(0, "version 1 goes live at ", "activate", "1", "--tick", "--at", "2h", "--waiting", "apply")
	list := does(0, "activation 2: version 1 at ", "list")
	if !regexp.MustCompile(`(?m)^ +2 .* ines .*\n +1 .* ines .* as it was$`).MatchString(list) {
		t.Errorf("list: %s", list)
	}
	does(0, "activation 2 is taken back", "cancel", "2", "--who", "ivo")
	does(1, "decided already", "cancel", "2")
	audit := does(0, "", "audit")
	if !regexp.MustCompile(`ines +cancelled for .* by ivo +1 +apply .*\n.* ines +scheduled for .* 2 +keep +evening\n.* ines +saved +2 .*\n.* ines +saved +1 .* as it was\n`).MatchString(audit) {
		t.Errorf("audit: %s", audit)
	}

	// A server has done them since: what was live before is where a rollback goes.
	s, err := store.Open(t.Context(), store.Options{Path: o.db, Tool: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 2} {
		if _, err := s.AddActivation(t.Context(), store.Activation{Version: n, Waiting: "keep", State: store.ActivationLive}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	does(0, "version 1 goes live when one does", "rollback", "--wait", "100ms")
	does(0, "version 1 goes live when one does", "rollback", "1", "--wait", "100ms")
	does(1, "there is no version 7", "rollback", "7")
}
