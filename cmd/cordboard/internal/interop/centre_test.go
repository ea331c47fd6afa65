package interop

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/baresip"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/store"
)

const (
	dana       = "+447700900417" // a customer of testdata/customers.jsonl
	service    = "+442079460100"
	password   = "correct horse battery"
	callerTone = 350.0
	annTone    = 620.0
	bobTone    = 910.0
	loudEnough = 0.5 // of the energy in a half second
)

// centre is the built binary with its agents: robots at the desks, baresip
// phones.
type centre struct {
	t     *testing.T
	dir   string
	log   *output
	db    *store.Store
	desks map[string]*desktest.Desk
	phone map[string]*baresip.Phone
	calls int // placed so far
}

// plan is how a test departs from the guide.
type plan struct {
	routing func(string) string // changes the routing document
	server  func(string) string // and the server file
	desk    func(agent string, o *desktest.Options)
}

func same(s string) string { return s }

// replace makes a change to a file; the text must be there.
func replace(t *testing.T, old, with string) func(string) string {
	return func(s string) string {
		t.Helper()
		if !strings.Contains(s, old) {
			t.Fatalf("the file has no %q any more", old)
		}
		return strings.ReplaceAll(s, old, with)
	}
}

// open runs the server on the guide's files and sits robots at both desks. The
// phones must be there before.
func open(t *testing.T, phones map[string]*baresip.Phone, p plan) *centre {
	t.Helper()
	c := &centre{t: t, dir: t.TempDir(), desks: map[string]*desktest.Desk{}, phone: phones}
	if p.routing == nil {
		p.routing = same
	}
	if p.server == nil {
		p.server = same
	}
	for name, change := range map[string]func(string) string{"routing.yaml": p.routing, "cordboard.yaml": p.server, "customers.jsonl": same} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		must(t, err)
		must(t, os.WriteFile(filepath.Join(c.dir, name), []byte(change(string(b))), 0o600))
	}
	c.command("", "import", "customers", "-c", "cordboard.yaml", "customers.jsonl")
	for _, id := range []string{"ann", "bob"} {
		c.command(password+"\n", "user", "add", id, "-c", "cordboard.yaml")
	}
	cmd := exec.Command(program(t), "serve", "-c", filepath.Join(c.dir, "cordboard.yaml"))
	c.log = newOutput(t, "cordboard")
	cmd.Stdout, cmd.Stderr = c.log, c.log
	must(t, cmd.Start())
	t.Cleanup(func() { end(cmd) })
	eventually(t, "the server to be ready", func() bool {
		r, err := http.Get("http://127.0.0.1:9090/-/ready")
		if err != nil {
			return false
		}
		r.Body.Close()
		return r.StatusCode == http.StatusOK
	})
	var err error
	c.db, err = store.Open(context.Background(), store.Options{Path: filepath.Join(c.dir, "cordboard.db"), Tool: true})
	must(t, err)
	t.Cleanup(func() { c.db.Close() })
	for _, id := range []string{"ann", "bob"} {
		o := desktest.Options{
			BaseURL: "http://" + cordboardHost + ":8080", User: id, Password: password, AutoReady: true,
			WrapUp: &desktest.WrapUp{Disposition: "solved"},
		}
		if p.desk != nil {
			p.desk(id, &o)
		}
		d, err := desktest.Dial(within(t), o)
		must(t, err)
		t.Cleanup(d.Close)
		c.desks[id] = d
	}
	return c
}

func program(t *testing.T) string {
	t.Helper()
	path := filepath.Join(repo(t), "bin", "cordboard")
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make build first", err)
	}
	return path
}

// command runs the binary in the server's folder to its end.
func (c *centre) command(stdin string, args ...string) {
	c.t.Helper()
	cmd := exec.Command(program(c.t), args...)
	cmd.Dir, cmd.Stdin = c.dir, strings.NewReader(stdin)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("cordboard %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// phonesAt starts both agents' phones, registered at Asterisk, or as static
// contacts when registrar is empty.
func phonesAt(t *testing.T, registrar string) map[string]*baresip.Phone {
	t.Helper()
	return map[string]*baresip.Phone{
		"ann": startPhone(t, "ann", annHost, annTone, registrar, newOutput(t, "baresip ann")),
		"bob": startPhone(t, "bob", bobHost, bobTone, registrar, newOutput(t, "baresip bob")),
	}
}

func startPhone(t *testing.T, id, host string, tone float64, registrar string, prints *output) *baresip.Phone {
	t.Helper()
	listen := netip.AddrPortFrom(netip.MustParseAddr(host), 5060)
	control := 7000
	if id == "bob" {
		control = 7010
	}
	phone, err := baresip.Start(within(t), baresip.Options{
		Dir: t.TempDir(), User: id, Listen: listen, Control: control, Interface: id, RTP: [2]int{20000, 20098}, Tone: tone,
		Registrar: registrar, Password: "the-telephone-of-" + id, Output: prints,
	})
	must(t, err)
	t.Cleanup(phone.Close)
	return phone
}

// carrier is the trunk that callers come from.
func carrier(t *testing.T, target string) *siptest.Trunk {
	t.Helper()
	trunk, err := siptest.NewTrunk(t.Context(), siptest.TrunkOptions{Addr: carrierHost + ":5060", Target: target})
	must(t, err)
	t.Cleanup(trunk.Close)
	return trunk
}

// call places a call of Dana's to the service number.
func (c *centre) call(trunk *siptest.Trunk, o siptest.CallOptions) *siptest.Call {
	c.t.Helper()
	if o.From == "" {
		o.From, o.PAI = "+442079460199", "<sip:"+dana+"@carrier.example>"
	}
	if o.To == "" {
		o.To = service
	}
	o.Tone = callerTone
	call, err := trunk.Call(c.t.Context(), o)
	must(c.t, err)
	c.calls++
	return call
}

// phase waits until the agent's desk shows its only call in the phase and
// returns the card.
func (c *centre) phase(agent, phase string) desktest.Card {
	c.t.Helper()
	var card desktest.Card
	err := c.desks[agent].Wait(within(c.t), func(s desktest.State) bool {
		for _, k := range s.Cards {
			if k.Phase == phase {
				card = k
				return true
			}
		}
		return false
	})
	if err != nil {
		c.t.Fatalf("%s's desk: no call %s: %v; it shows %+v", agent, phase, err, c.desks[agent].State().Status)
	}
	return card
}

// status waits until the agent is in the state.
func (c *centre) status(agent, state, reason string) {
	c.t.Helper()
	err := c.desks[agent].Wait(within(c.t), func(s desktest.State) bool { return s.Status.State == state && s.Status.Reason == reason })
	if err != nil {
		c.t.Fatalf("%s is not %s %s: %v; but %+v", agent, state, reason, err, c.desks[agent].State().Status)
	}
}

// rings waits for the n-th call at the agent's phone, and holds it against the
// desk: the record was painted before.
func (c *centre) rings(agent string, n int) {
	c.t.Helper()
	rang, err := c.phone[agent].Wait(within(c.t), "CALL_INCOMING", n)
	must(c.t, err)
	seen := c.desks[agent].Seen()
	if len(seen) == 0 || seen[len(seen)-1].AckAt.IsZero() {
		c.t.Fatalf("%s's phone rang and the desk shows nothing", agent)
	}
	if ack := seen[len(seen)-1].AckAt; !ack.Before(rang) {
		c.t.Errorf("%s: painted at %v, the phone rang at %v", agent, ack, rang)
	}
}

func (c *centre) press(agent, key string) {
	c.t.Helper()
	must(c.t, c.phone[agent].Do(key))
}

// do asks for something at the agent's desk.
func (c *centre) do(agent, request string, card desktest.Card, more map[string]any) {
	c.t.Helper()
	body := map[string]any{"call": card.Call, "attempt": card.Attempt}
	for k, v := range more {
		body[k] = v
	}
	if _, err := c.desks[agent].Do(within(c.t), request, body); err != nil {
		c.t.Fatalf("%s: %s: %v", agent, request, err)
	}
}

// callerHears waits until the caller hears the tone.
func (c *centre) callerHears(call *siptest.Call, hz float64) {
	c.t.Helper()
	if err := call.Audio().WaitHeard(within(c.t), hz); err != nil {
		c.t.Fatalf("the caller does not hear %.0f Hz: %v (%d packets)", hz, err, call.Audio().Received())
	}
}

// phoneHears waits until what the agent's phone records holds the caller's tone.
func (c *centre) phoneHears(agent string) {
	c.t.Helper()
	eventually(c.t, agent+"'s phone to hear the caller", func() bool {
		s, err := c.phone[agent].Heard()
		return err == nil && baresip.Loudest(s, callerTone) > loudEnough
	})
}

// talk answers the call that rings at the agent's phone for the n-th time and
// waits until both hear each other.
func (c *centre) talk(agent string, n int, call *siptest.Call) desktest.Card {
	c.t.Helper()
	c.rings(agent, n)
	c.press(agent, "accept")
	card := c.phase(agent, "talking")
	c.callerHears(call, map[string]float64{"ann": annTone, "bob": bobTone}[agent])
	c.phoneHears(agent)
	return card
}

// closed waits until the last call has ended in the ledger.
func (c *centre) closed() store.LedgerRow {
	c.t.Helper()
	var row store.LedgerRow
	eventually(c.t, fmt.Sprintf("call %d to end in the ledger", c.calls), func() bool {
		rows, err := c.db.Calls(context.Background(), time.Now().Add(-time.Hour), time.Now(), 100)
		must(c.t, err)
		for _, r := range rows {
			if int(r.Call) == c.calls {
				row = r
			}
		}
		return row.Outcome != ""
	})
	return row
}

// over waits for the caller's end of the call and returns its code.
func (c *centre) over(call *siptest.Call) int {
	c.t.Helper()
	code, err := call.Wait(within(c.t))
	must(c.t, err)
	return code
}

func (c *centre) outcome(want routing.Outcome, by routing.Party, agent string) store.LedgerRow {
	c.t.Helper()
	row := c.closed()
	if row.Outcome != want || row.EndedBy != by || string(row.Agent) != agent {
		c.t.Errorf("the ledger: %s by %s, agent %s; want %s by %s, %s", row.Outcome, row.EndedBy, row.Agent, want, by, agent)
	}
	return row
}

// joinedBy is the way in which the legs of the call were joined last: relay or
// direct.
func (c *centre) joinedBy(row store.LedgerRow) string {
	c.t.Helper()
	events, err := c.db.Events(context.Background(), row.Call)
	must(c.t, err)
	way := ""
	for _, e := range events {
		var data struct{ Media string }
		if e.Kind == (routing.Joined{}).Kind() {
			must(c.t, json.Unmarshal(e.Data, &data))
			way = data.Media
		}
	}
	return way
}
