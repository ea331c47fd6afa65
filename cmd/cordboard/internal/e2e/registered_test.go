package e2e

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/baresip"
	"github.com/cordboard/cordboard/routing"
)

// TestRegisteredPhones: the agents' phones register here with a secret of their
// own. Nobody is offered a call before; then the record is on the screen before
// the phone rings; and a phone that takes its registration back takes its agent
// away.
func TestRegisteredPhones(t *testing.T) {
	file := readFile(t, "testdata/routing.yaml")
	file = strings.Replace(file, `phone: "sip:anna@10.77.0.1:5081",`, "phone: registered,", 1)
	file = strings.Replace(file, `phone: "sip:petar@10.77.0.1:5091",`, "login: desk,", 1) // registered is the default
	s := newServer(t, file, "sqlite", "  registrar: {realm: e2e.example, from: ["+testHost+"]}")
	secret := strings.TrimSpace(s.command("", "user", "phone", "anna", "--generate", "-c", "cordboard.yaml"))
	b := newBrowser(t)
	heard := newWire(t)

	// Signed in and Ready, but without a phone: away, and told why.
	b.do("open", "anna", args{"url": "http://" + webAddress + "/"})
	b.do("fill", "anna", args{"selector": "input[name=username]", "text": "anna"})
	b.do("fill", "anna", args{"selector": "input[name=password]", "text": password})
	b.do("click", "anna", args{"selector": "[data-testid=login] button[type=submit]"})
	b.do("click", "anna", args{"selector": "[data-testid=ready]"})
	b.do("waitText", "anna", args{"text": "Phone not reachable"})

	// A wrong secret does not help, nor does the desk's password any more.
	newRegistered(t, "anna", "guess work", "udp", 5101, annaTone)
	metric(t, `cordboard_registers_total{result="failed"}`, "1")
	metric(t, "cordboard_phones_registered", "0")

	anna := newRegistered(t, "anna", secret, "udp", 5081, annaTone)
	b.do("wait", "anna", args{"selector": "[data-testid=not-ready]"}) // that is, she is available
	metric(t, "cordboard_phones_reachable", "1")

	c := call(t, sipAddress, callerNumber, "+442079460100", 5070, callerTone)
	b.do("wait", "anna", args{"selector": "[data-testid=caller-name]"})
	paintedBefore(t, "anna", b.acked("anna", c.at), anna.wait("CALL_INCOMING", 1))
	anna.answer()
	b.do("waitText", "anna", args{"text": "Talking"})
	joined := time.Now()
	eventually(t, "the caller to hear Anna", func() bool { return baresip.Loudest(heard.toCaller(joined), annaTone) > loudEnough })
	rtp := uint16(rtpFrom(5081))
	eventually(t, "Anna to hear the caller", func() bool { return baresip.Loudest(heard.to(rtp, rtp+8, joined), callerTone) > loudEnough })
	anna.hangup()
	c.ended()
	b.do("click", "anna", args{"selector": "[data-testid=save]"})
	if row := s.closed(s.ledger(), 1); row.Outcome != routing.Answered || row.Agent != "anna" || row.EndedBy != routing.ByAgent {
		t.Errorf("the ledger row: %+v", row)
	}

	// Petar's desk password is his phone's too, over TCP: he is called over the
	// connection that his phone made.
	petar := newRegistered(t, "petar", password, "tcp", 5091, petarTone)
	metric(t, "cordboard_phones_reachable", "2")
	signIn(b, "petar")
	second := call(t, sipAddress, callerNumber, "+442079460100", 5072, callerTone)
	b.do("wait", "anna", args{"selector": "[data-testid=caller-name]"})
	anna.wait("CALL_INCOMING", 2)
	anna.answer()
	b.do("waitText", "anna", args{"text": "Talking"})
	b.do("click", "anna", args{"selector": "[data-testid=transfer]"})
	b.do("fill", "anna", args{"selector": "[data-testid=transfer-search]", "text": "line"})
	b.do("press", "anna", args{"key": "1"})
	passed := time.Now() // the pop may be painted before the click returns
	b.do("click", "anna", args{"selector": "[data-testid=transfer-go]"})
	b.do("wait", "petar", args{"selector": "[data-testid=caller-name]"})
	paintedBefore(t, "petar", b.acked("petar", passed), petar.wait("CALL_INCOMING", 1))
	petar.answer()
	b.do("waitText", "petar", args{"text": "Talking"})
	b.do("click", "anna", args{"selector": "[data-testid=save]"})

	// And back, with the telephone's own key: Anna has the record again.
	passed = time.Now()
	must(t, petar.Do("transfer", "sip:anna@"+sipAddress))
	b.do("wait", "anna", args{"selector": "[data-testid=caller-name]"})
	paintedBefore(t, "anna", b.acked("anna", passed), anna.wait("CALL_INCOMING", 3))
	petar.wait("CALL_CLOSED", 1)
	anna.answer()
	b.do("waitText", "anna", args{"text": "Talking"})
	metric(t, `cordboard_phone_transfers_total{result="passed_on"}`, "1")
	if n := petar.Count("TRANSFER_FAILED"); n != 0 {
		t.Errorf("petar's phone was told %d times that it failed", n)
	}
	anna.hangup()
	second.ended()
	b.do("click", "anna", args{"selector": "[data-testid=save]"})

	// Switched off: away again.
	anna.quit()
	b.do("waitText", "anna", args{"text": "Phone not reachable"})
	metric(t, "cordboard_phones_registered", "1")
	if strings.Contains(s.log.String(), secret) || strings.Contains(s.log.String(), password) {
		t.Error("the server's log holds a secret")
	}
}

// metric waits until the server's gauge has the value.
func metric(t *testing.T, name, value string) {
	t.Helper()
	eventually(t, name+" to be "+value, func() bool {
		r, err := http.Get("http://" + adminAddress + "/metrics")
		must(t, err)
		defer r.Body.Close()
		text, err := io.ReadAll(r.Body)
		must(t, err)
		return strings.Contains(string(text), "\n"+name+" "+value+"\n")
	})
}
