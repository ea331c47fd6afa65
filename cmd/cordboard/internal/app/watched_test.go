package app

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

// notifier is SIPp as a PBX that tells of its telephones' calls.
type notifier struct {
	w    *world
	tell *net.UDPConn // to SIPp: what it is to tell
	cseq int

	mu      sync.Mutex
	changed chan struct{}
	log     [][]string // Call-ID, word, value
	ids     map[string]string
	ended   bool
	out     strings.Builder
}

// notifies starts the notifier, where extensions are watched, and gives its trunk.
func (w *world) notifies() string {
	w.Helper()
	if len(w.setup.watched) == 0 {
		return ""
	}
	port := w.freePorts()
	n := &notifier{w: w, changed: make(chan struct{}), ids: map[string]string{}}
	w.notifier = n
	var err error
	n.tell, err = net.DialUDP("udp", nil, &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
	w.must(err)
	read, write, err := os.Pipe()
	w.must(err)
	errors := filepath.Join(w.TempDir(), "notifier.errors")
	cmd := exec.Command("sipp", "-sf", filepath.Join("testdata", "notifier.xml"), "-i", "127.0.0.1", "-p", strconv.Itoa(port),
		"-m", strconv.Itoa(len(w.setup.watched)), "-nostdin", "-timeout", "175s", "-timeout_error",
		"-trace_err", "-error_file", errors, "-trace_logs", "-log_file", "/dev/fd/3")
	cmd.ExtraFiles = []*os.File{write}
	cmd.Stdout, cmd.Stderr = &n.out, &n.out
	w.must(cmd.Start())
	w.must(write.Close())
	var follow sync.WaitGroup
	follow.Go(func() {
		n.follow(read)
		_ = cmd.Wait()
		n.note(func() { n.ended = true })
	})
	w.Cleanup(func() { // after the server has taken its subscriptions back
		_ = cmd.Process.Kill()
		follow.Wait()
		_ = n.tell.Close()
		if w.Failed() {
			why, _ := os.ReadFile(errors)
			w.Logf("the notifier: %s\n%s", n.log, why)
		}
	})
	return fmt.Sprintf("    office: {from: [127.0.0.1], headers: [pai], region: GB, out: {to: \"sip:127.0.0.1:%d\", caller: caller}}\n", port)
}

func (n *notifier) follow(log *os.File) {
	defer log.Close()
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 3 {
			continue
		}
		n.note(func() {
			n.log = append(n.log, words)
			if words[1] == "subscribed" {
				n.ids[words[2]] = words[0]
			}
		})
	}
}

func (n *notifier) note(change func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	change()
	close(n.changed)
	n.changed = make(chan struct{})
}

func (n *notifier) wait(what string, holds func() bool) {
	n.w.Helper()
	for {
		n.mu.Lock()
		changed, ok, ended := n.changed, holds(), n.ended
		n.mu.Unlock()
		switch {
		case ok:
			return
		case ended:
			n.w.Fatalf("the notifier ended without %s: %s", what, n.out.String())
		}
		select {
		case <-changed:
		case <-n.w.ctx.Done():
			n.w.Fatalf("the notifier saw no %s; log %v", what, n.log)
		}
	}
}

// count is how often a telephone's subscription has logged the words; n.mu is held.
func (n *notifier) count(extension string, words ...string) (times int) {
	for _, l := range n.log {
		if l[0] == n.ids[extension] && slices.Equal(l[1:], words) {
			times++
		}
	}
	return times
}

// subscribed waits until we have subscribed to the telephone.
func (n *notifier) subscribed(extension string) {
	n.w.Helper()
	n.wait("subscription to "+extension, func() bool { return n.ids[extension] != "" })
}

// tells has a document told of a telephone, which must be answered so.
func (n *notifier) tells(extension, state, event, document string, code int) {
	n.w.Helper()
	n.cseq++
	answer := []string{"answered", strconv.Itoa(code)}
	n.mu.Lock()
	before, id := n.count(extension, answer...), n.ids[extension]
	n.mu.Unlock()
	_, err := fmt.Fprintf(n.tell, "MESSAGE sip:pbx@%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bKtell%[3]d\r\nFrom: <sip:test@%[2]s>;tag=test\r\nTo: <sip:pbx@%[1]s>\r\n"+
		"Call-ID: %[4]s\r\nCSeq: %[3]d MESSAGE\r\nMax-Forwards: %[3]d\r\nSubscription-State: %[5]s\r\nEvent: %[6]s\r\nContent-Type: text/plain\r\nContent-Length: %[7]d\r\n\r\n%[8]s",
		n.tell.RemoteAddr(), n.tell.LocalAddr(), n.cseq, id, state, event, len(document), document)
	n.w.must(err)
	n.wait(fmt.Sprintf("%d to NOTIFY %d", code, n.cseq), func() bool { return n.count(extension, answer...) > before })
}

// dialogs tells of a telephone's dialogs as of version.
func (n *notifier) dialogs(extension string, version int, full bool, dialogs ...string) {
	n.w.Helper()
	n.tells(extension, "active;expires=300", "dialog", dialogInfo(version, full, dialogs...), 200)
}

func dialogInfo(version int, full bool, dialogs ...string) string {
	state := map[bool]string{true: "full", false: "partial"}[full]
	return fmt.Sprintf(`<?xml version="1.0"?><dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="%d" state="%s" entity="sip:anna@pbx.example">%s</dialog-info>`,
		version, state, strings.Join(dialogs, ""))
}

// incoming is a dialog of somebody's who calls.
func incoming(id, state, number string) string {
	return fmt.Sprintf(`<dialog id="%s" call-id="%s-of-the-telephone" direction="recipient"><state>%s</state><remote><identity>sip:%s@pbx.example</identity></remote></dialog>`, id, id, state, number)
}

// A PBX tells of its telephones by dialog events: the record is on the desk of whom a
// call rings, and goes with it to its end; what it tells by HTTP as well is the same
// call, whichever is first.
func TestDialogEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna, boris}, pops: true, watched: []string{"anna", "boris", "reception"}})
	n := w.notifier
	for _, extension := range w.setup.watched {
		n.subscribed(extension)
		n.dialogs(extension, 0, true)
	}
	n.dialogs("anna", 1, false, incoming("d1", "early", "07700900417"))
	card := w.phase(anna, "ringing")
	if !card.PBX || card.Caller.Number != dana || card.Record == nil || card.Record.Name != record().Name || card.Queue != "" {
		t.Errorf("card: %+v", card)
	}
	w.reason(anna, "not_ready", "pbx_call")
	if a := w.tellsOf("newCall", "w1", "user", "anna"); a.Call != routing.CallID(card.Call) || len(a.Ignored) != 1 || a.Ignored[0].Why != "repeated" {
		t.Errorf("told by HTTP too: %+v", a)
	}
	n.dialogs("anna", 2, false, incoming("d1", "confirmed", "07700900417"))
	w.phase(anna, "talking")
	n.dialogs("anna", 3, false, incoming("d1", "terminated", "07700900417"))
	w.do(anna, "wrap_up", w.phase(anna, "wrap_up"), map[string]any{"disposition": "", "note": "asks for a fitter"})
	w.state(anna, "available")
	if a := w.tellsOf("hangup", "w1"); a.Call != 0 || a.Ignored[0].Why != "call_over" {
		t.Errorf("its end by HTTP too: %+v", a)
	}

	told := w.tellsOf("newCall", "w2", "user", "anna", "from", "+447700900499")
	n.dialogs("anna", 4, false, incoming("d2", "early", "07700900499"))
	n.dialogs("anna", 5, false, incoming("d2", "confirmed", "07700900499"))
	w.phase(anna, "talking")
	w.tellsOf("hangup", "w2", "cause", "normalClearing")
	n.dialogs("anna", 6, false, incoming("d2", "terminated", "07700900499"))
	w.do(anna, "wrap_up", w.phase(anna, "wrap_up"), map[string]any{"disposition": "", "note": ""})
	w.empty(anna)

	w.group(n)
	w.notUnderstood(n)
	w.must(w.app.Store().Flush(w.ctx))
	for id, want := range map[routing.CallID]string{
		routing.CallID(card.Call): "answered anna 1", told.Call: "answered anna 1", told.Call + 1: "answered boris 2", told.Call + 2: "",
	} {
		r, err := w.app.Store().LedgerRow(w.ctx, id)
		if want == "" {
			if err == nil {
				t.Errorf("one call too many: %+v", r)
			}
			continue
		}
		w.must(err)
		if got := fmt.Sprintf("%s %s %d", r.Outcome, r.Agent, r.Offers); got != want || r.Trunk != "pbx:office" || r.EndedAt.IsZero() {
			t.Errorf("ledger: %s, want %s: %+v", got, want, r)
		}
	}
	for _, e := range w.logs.All() {
		if text := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(text, "900417") || strings.Contains(text, "900499") {
			t.Errorf("the log names a number: %s", text)
		}
	}
}

// group: two telephones ring, and one of them is no agent's that rings as well.
func (w *world) group(n *notifier) {
	w.Helper()
	n.dialogs("reception", 1, false, incoming("g0", "early", "07700900417"))
	n.dialogs("anna", 7, false, incoming("g1", "early", "07700900417"))
	n.dialogs("boris", 1, false, incoming("g2", "early", "07700900417"))
	first, second := w.phase(anna, "ringing"), w.phase(boris, "ringing")
	if first.Call != second.Call {
		w.Errorf("a group's call is two: %d, %d", first.Call, second.Call)
	}
	n.dialogs("boris", 2, false, incoming("g2", "confirmed", "07700900417"))
	w.phase(boris, "talking")
	n.dialogs("anna", 8, false, incoming("g1", "terminated", "07700900417"))
	w.withdrawn(anna, "answered_elsewhere")
	n.dialogs("boris", 3, true) // a full state without it
	w.do(boris, "wrap_up", w.phase(boris, "wrap_up"), map[string]any{"disposition": "", "note": ""})
	w.state(boris, "available")
}

// notUnderstood: what cannot be read, is of something else, or was not asked for, is
// refused, and what anna dials herself is no call to her.
func (w *world) notUnderstood(n *notifier) {
	w.Helper()
	rings := dialogInfo(9, false, incoming("x", "early", "07700900417"))
	n.tells("anna", "active", "dialog", "<!DOCTYPE x [<!ENTITY e 'x'>]>"+strings.TrimPrefix(rings, `<?xml version="1.0"?>`), 400)
	n.tells("anna", "active", "dialog", rings[:len(rings)-1], 400)
	n.tells("anna", "active", "presence", rings, 489)
	n.tells("anna", "", "dialog", rings, 400)
	n.dialogs("anna", 9, false, strings.Replace(incoming("y", "early", "07700900417"), "recipient", "initiator", 1))
	n.dialogs("anna", 99, false, incoming("z", "terminated", "07700900417")) // states are missing: it is asked for all
	n.wait("question for all", func() bool { return n.count("anna", "renewed", "300") == 1 })
	n.dialogs("anna", 100, true)
	w.screen(anna, "empty desk", func(s desktest.State) bool { return len(s.Cards) == 0 && s.Status.State == "available" })
}

// comesBy has SIPp send a call by that its PBX has chosen the telephone for, and gives
// where it was sent back.
func (w *world) comesBy(extension string) (to string) {
	w.Helper()
	port := w.freePorts()
	log := filepath.Join(w.TempDir(), "comesby.log")
	out, err := exec.CommandContext(w.ctx, "sipp", w.app.SIPAddr().String(), "-sf", filepath.Join("testdata", "comesby.xml"), "-s", toCare, "-key", "agent", extension,
		"-key", "pai", "sip:"+dana+"@pbx.example", "-i", "127.0.0.1", "-p", strconv.Itoa(port), "-m", "1", "-nostdin", "-timeout", "60s", "-timeout_error",
		"-trace_logs", "-log_file", log).CombinedOutput()
	if err != nil {
		w.Fatalf("a call that comes by: %v: %s", err, out)
	}
	text, err := os.ReadFile(log)
	w.must(err)
	_, to, _ = strings.Cut(strings.TrimSpace(string(text)), " sent to ")
	return to
}

// A PBX that has chosen the agent sends its call by: it has it back when the record is
// painted, rings her telephone, and tells the rest by dialog events. One for nobody we
// know goes on like any other.
func TestCallComesBy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna}, pops: true, watched: []string{"anna"}})
	n := w.notifier
	n.subscribed("anna")
	n.dialogs("anna", 0, true)
	at := n.tell.RemoteAddr().String()
	if to := w.comesBy("anna"); to != "sip:anna@"+at {
		t.Errorf("sent to %q", to)
	}
	seen := w.desks[anna].Seen()
	if len(seen) != 1 || seen[0].AckAt.IsZero() || !seen[0].Complete || seen[0].Card.Record == nil || seen[0].Card.Caller.Number != dana {
		t.Errorf("when the PBX had its call back the desk had %+v", seen)
	}
	card := w.phase(anna, "ringing")
	n.dialogs("anna", 1, false, incoming("b1", "early", "07700900417"))
	n.dialogs("anna", 2, false, incoming("b1", "confirmed", "07700900417"))
	w.phase(anna, "talking")
	n.dialogs("anna", 3, false, incoming("b1", "terminated", "07700900417"))
	w.do(anna, "wrap_up", w.phase(anna, "wrap_up"), map[string]any{"disposition": "", "note": ""})
	w.state(anna, "available")
	if to := w.comesBy("reception"); to != "sip:reception@"+at {
		t.Errorf("sent to %q", to)
	}
	w.empty(anna)
	w.must(w.app.Store().Flush(w.ctx))
	r, err := w.app.Store().LedgerRow(w.ctx, routing.CallID(card.Call))
	w.must(err)
	if r.Outcome != routing.Answered || r.Agent != anna || r.Offers != 1 || r.Trunk != "pbx:office" || r.Dialled != toCare || r.Number != dana {
		t.Errorf("ledger: %+v", r)
	}
	if w.app.LiveCalls() != 0 || w.app.pops.Live() != 0 {
		t.Errorf("%d and %d calls are left", w.app.LiveCalls(), w.app.pops.Live())
	}
}
