package app

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
)

const (
	providerRealm    = "sip.provider.example"
	providerPassword = "open \"sesame\""
)

// provider is Kamailio as a carrier that wants a password.
type provider struct {
	asks      string // www (401) or proxy (407)
	algorithm string
	shown     string // our password; the right one when ""
	register  bool
	at        string // HOST:PORT, once it runs
}

// start runs the provider until the case ends; it gives the trunk's out.to.
func (p *provider) start(w *world, far string) string {
	w.Helper()
	quoted := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(providerPassword)
	p.at = w.kamailio("provider.cfg", "ALGORITHM", p.algorithm, "ASKS", p.asks, "REALM", providerRealm, "PASSWORD", quoted, "FAR", far, "OURS", toCare)
	return "sip:" + p.at
}

// kamailio runs Kamailio until the case ends, with a configuration of testdata in
// which words are replaced, and LISTEN by its address. It gives that.
func (w *world) kamailio(file string, words ...string) string {
	w.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", file))
	w.must(err)
	folder := w.TempDir()
	var out strings.Builder
	for range 5 { // somebody else may take the port
		at := freeAddr(w)
		cfg := filepath.Join(folder, file)
		w.must(os.WriteFile(cfg, []byte(strings.NewReplacer(append([]string{"LISTEN", at}, words...)...).Replace(string(text))), 0o600))
		cmd := exec.Command("kamailio", "-f", cfg, "-DD", "-E", "-m", "32", "-M", "4", "-Y", folder)
		cmd.Stdout, cmd.Stderr = &out, &out
		w.must(cmd.Start())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = cmd.Wait() }()
		w.Cleanup(func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			<-ended
			if w.Failed() {
				w.Log(out.String())
			}
		})
		if answersOptions(w, at, ended) {
			return at
		}
	}
	w.Fatalf("Kamailio does not start: %s", out.String())
	return ""
}

// login is the trunk's part of the server file.
func (p *provider) login(w *world) string {
	w.Helper()
	shown := p.shown
	if shown == "" {
		shown = providerPassword
	}
	file := filepath.Join(w.TempDir(), "password")
	w.must(os.WriteFile(file, []byte(shown+"\n"), 0o600))
	more := ""
	if p.register {
		more = ", register: 10m"
	}
	return fmt.Sprintf(", user: office, realm: %s, password_file: %q%s", providerRealm, file, more)
}

func freeAddr(w *world) string {
	w.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	w.must(err)
	defer c.Close()
	return c.LocalAddr().String()
}

// answersOptions waits until SIP is answered at the address: it is passed on, and
// answered by what is behind.
func answersOptions(w *world, at string, ended <-chan struct{}) bool {
	w.Helper()
	c, err := net.Dial("udp", at)
	w.must(err)
	defer c.Close()
	for i := range 600 {
		_, _ = fmt.Fprintf(c, "OPTIONS sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bKup%[3]d\r\nFrom: <sip:up@%[2]s>;tag=up\r\n"+
			"To: <sip:%[1]s>\r\nCall-ID: up%[3]d\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 0\r\nContent-Length: 0\r\n\r\n", at, c.LocalAddr(), i)
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := c.Read(make([]byte, 2000)); err == nil {
			return true
		}
		select {
		case <-ended:
			return false
		case <-time.After(10 * time.Millisecond):
		}
	}
	return false
}

// passwordRefused: the trunk takes no password of ours. The caller goes on
// waiting, the agent is away, and the log says why.
func passwordRefused(w *world) row {
	c := w.dial(dial{to: toRoad})
	w.eventually("gustav is away", func() bool {
		snap, err := w.app.rim.driver.Snapshot(w.ctx)
		w.must(err)
		for _, a := range snap.Agents {
			if a.Agent == gustav {
				return a.State == agents.NotReady && a.Reason == agents.ReasonUnreachable
			}
		}
		return false
	})
	if logged := w.logs.FilterMessage("a trunk refuses our password").All(); len(logged) != 1 || logged[0].ContextMap()["trunk"] != "main" {
		w.Errorf("the log says %v", logged)
	}
	if got := w.health(); !strings.Contains(got, "trunk main refuses our password") {
		w.Errorf("health: %q", got)
	}
	for _, e := range w.logs.All() {
		if s := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(s, "sesame") || strings.Contains(s, "forgotten") {
			w.Errorf("the log holds a password: %s", s)
		}
	}
	c.hearsMusic()
	c.hangsUp()
	return abandoned(1)
}

// calledAtContact: the provider knows us by our registration alone, and sends a
// call there; what was dialled stands in To.
func calledAtContact(w *world) row {
	const registered = `cordboard_trunk_registered{trunk="main"} 1`
	w.eventually("the trunk is registered", func() bool { return strings.Contains(w.get("/metrics"), registered) })
	c := w.dial(dial{through: w.setup.provider.at})
	w.phase(anna, "talking")
	c.sees(1, "up")
	c.hears(agentTone[anna])
	c.hangsUp()
	if r := w.settled(answeredByCaller)[0]; r.Number != dana || r.Customer != record().ID || r.Dialled != toCare {
		w.Errorf("the ledger says %q %q %q", r.Number, r.Customer, r.Dialled)
	}
	return answeredByCaller
}

// notRegistered: the provider takes no password of ours, and that is told.
func notRegistered(w *world) row {
	w.eventually("health is degraded", func() bool { return strings.Contains(w.health(), "trunk main is not registered") })
	if text := w.get("/metrics"); !strings.Contains(text, `cordboard_trunk_registered{trunk="main"} 0`) {
		w.Error("the metrics call it registered")
	}
	c := w.dial(dial{}) // the trunk's calls are taken all the same
	w.phase(anna, "talking")
	c.sees(1, "up")
	c.hangsUp()
	return answeredByCaller
}

// TestProvider has calls leave by Kamailio as a provider that asks for a password,
// of each request anew: to a number and to a mobile, ended from either side.
func TestProvider(t *testing.T) {
	if _, err := exec.LookPath("kamailio"); err != nil {
		t.Fatal("The tests of trunks need Kamailio. Install it with:  sudo apt-get install --no-install-recommends kamailio")
	}
	for _, c := range []struct {
		name   string
		setup  setup
		run    func(*world) row
		counts string
	}{
		{"407, MD5, we hang up", setup{provider: &provider{asks: "proxy", algorithm: "MD5"}}, sentToNumber, `cordboard_trunk_setups_total{code="200",trunk="main"} 1`},
		{"401, SHA-256, the number hangs up", setup{provider: &provider{asks: "www", algorithm: "SHA-256"}}, numberHangsUp, `cordboard_trunk_setup_delay_seconds_count{result="established",trunk="main"} 1`},
		{"401, SHA-256, a mobile", setup{provider: &provider{asks: "www", algorithm: "SHA-256"}}, mobileTakes, `cordboard_trunk_setups_total{code="200",trunk="main"} 1`},
		{"401, MD5, registered", setup{provider: &provider{asks: "www", algorithm: "MD5", register: true}}, calledAtContact, `cordboard_trunk_registered{trunk="main"} 1`},
		{"registered in vain", setup{provider: &provider{asks: "www", algorithm: "SHA-256", register: true, shown: "forgotten"}, logs: "trunk"}, notRegistered, ""},
		{"wrong password", setup{provider: &provider{asks: "www", algorithm: "MD5", shown: "forgotten"}, logs: "a trunk refuses our password"}, passwordRefused, `cordboard_trunk_setups_total{code="401",trunk="main"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.setup.at = []agents.ID{anna}
			w := newWorld(t, c.setup)
			w.settled(c.run(w))
			if c.counts != "" && !strings.Contains(w.get("/metrics"), c.counts) {
				w.Errorf("the metrics lack %s", c.counts)
			}
		})
	}
}
