package interop

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/baresip"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/siptest"
)

// TestCallsThroughAsterisk goes through what happens in a day, with the phones
// registered at Asterisk and the carrier behind it.
func TestCallsThroughAsterisk(t *testing.T) {
	pbx := startAsterisk(t, nil)
	phones := phonesAt(t, asteriskHost)
	pbx.reachable(t, "ann")
	pbx.reachable(t, "bob")
	c := open(t, phones, plan{})
	trunk := carrier(t, asteriskHost+":5060")
	rung := map[string]int{}
	rings := func(agent string) int { rung[agent]++; return rung[agent] }

	t.Run("hold at the phone", func(t *testing.T) {
		c.t = t
		call := c.call(trunk, siptest.CallOptions{})
		c.talk("ann", rings("ann"), call)
		c.press("ann", "hold")
		c.phase("ann", "hold")
		if err := call.Audio().WaitFor(within(t), call.Audio().Music); err != nil {
			t.Fatalf("the caller hears no music: %v", err)
		}
		c.press("ann", "resume")
		c.phase("ann", "talking")
		c.callerHears(call, annTone)
		call.Hangup()
		c.outcome(routing.Answered, routing.ByCaller, "ann")
	})

	t.Run("hold at the desk", func(t *testing.T) {
		c.t = t
		call := c.call(trunk, siptest.CallOptions{})
		card := c.talk("ann", rings("ann"), call)
		c.do("ann", "hold", card, map[string]any{"on": true})
		c.phase("ann", "hold")
		if err := call.Audio().WaitFor(within(t), call.Audio().Music); err != nil {
			t.Fatalf("the caller hears no music: %v", err)
		}
		c.do("ann", "hold", card, map[string]any{"on": false})
		c.phase("ann", "talking")
		c.callerHears(call, annTone)
		c.do("ann", "hangup", card, nil)
		c.over(call)
		c.outcome(routing.Answered, routing.ByAgent, "ann")
	})

	t.Run("passed on at the desk", func(t *testing.T) {
		c.t = t
		call := c.call(trunk, siptest.CallOptions{})
		card := c.talk("ann", rings("ann"), call)
		c.do("ann", "transfer", card, map[string]any{"topic": "line_fault", "note": "Drops in the evening."})
		c.rings("bob", rings("bob"))
		got := c.phase("bob", "ringing")
		if got.From == nil || got.From.Note != "Drops in the evening." || got.Record == nil {
			t.Errorf("Bob's desk: from %+v, record %v", got.From, got.Record)
		}
		c.talk("bob", rung["bob"], call)
		c.press("bob", "hangup")
		c.over(call)
		if row := c.outcome(routing.Answered, routing.ByAgent, "bob"); row.Transfers != 1 {
			t.Errorf("%d transfers", row.Transfers)
		}
	})

	t.Run("withheld number", func(t *testing.T) {
		c.t = t
		call := c.call(trunk, siptest.CallOptions{
			From: "anonymous", PAI: "<sip:" + dana + "@carrier.example>", Privacy: "id",
		})
		c.rings("ann", rings("ann"))
		card := c.phase("ann", "ringing")
		if card.Caller.Number != "" || card.Record == nil || card.Record.Name != "Dana Whitcombe" {
			t.Errorf("Ann's desk: number %q, record %v", card.Caller.Number, card.Record)
		}
		call.Hangup()
		c.over(call)
		c.outcome(routing.Abandoned, routing.ByCaller, "")
	})

	t.Run("only Remote-Party-ID", func(t *testing.T) {
		c.t = t
		call := c.call(trunk, siptest.CallOptions{
			From: "+442079460199", RPID: "<sip:" + dana + "@carrier.example>;party=calling;screen=yes;privacy=off",
		})
		c.rings("ann", rings("ann"))
		if card := c.phase("ann", "ringing"); card.Caller.Number != dana {
			t.Errorf("Ann's desk: number %q", card.Caller.Number)
		}
		call.Hangup()
		c.over(call)
		c.outcome(routing.Abandoned, routing.ByCaller, "")
	})
}

// TestPhoneWillNot goes through the ways in which a phone at Asterisk does not
// take a call, and what Asterisk makes of them.
func TestPhoneWillNot(t *testing.T) {
	pbx := startAsterisk(t, nil)
	phones := phonesAt(t, asteriskHost)
	pbx.reachable(t, "ann")
	c := open(t, phones, plan{})
	trunk := carrier(t, asteriskHost+":5060")

	t.Run("no answer", func(t *testing.T) {
		c.t = t
		call := c.call(trunk, siptest.CallOptions{})
		c.rings("ann", 1)
		c.status("ann", "not_ready", "rona")
		if _, err := phones["ann"].Wait(within(t), "CALL_CLOSED", 1); err != nil {
			t.Fatalf("Ann's phone still rings: %v", err)
		}
		call.Hangup()
		c.over(call)
		c.outcome(routing.Abandoned, routing.ByCaller, "")
		c.ready("ann")
	})

	t.Run("declined at the phone", func(t *testing.T) {
		c.t = t
		c.status("ann", "available", "")
		call := c.call(trunk, siptest.CallOptions{})
		c.rings("ann", 2)
		c.press("ann", "hangup")
		failed := c.phoneFailed()
		t.Logf("Asterisk says %d for a call declined at the phone", failed)
		if failed != 486 {
			t.Errorf("%d, not 486", failed)
		}
		call.Hangup()
		c.over(call)
		c.outcome(routing.Abandoned, routing.ByCaller, "")
	})

	t.Run("gone", func(t *testing.T) {
		c.t = t
		c.ready("ann")
		phones["ann"].Close() // unregisters
		call := c.call(trunk, siptest.CallOptions{})
		if code := c.phoneFailed(); code != 404 {
			t.Errorf("Asterisk says %d for a phone that is not registered, not 404", code)
		}
		c.status("ann", "not_ready", "phone_unreachable")
		if code := options(t, "ann"); code != 404 {
			t.Errorf("Asterisk says %d to OPTIONS for a phone that is not registered, not 404", code)
		}
		// Asterisk answers 404 to the OPTIONS as well, until the phone is back.
		c.phone["ann"] = startPhone(t, "ann", annHost, annTone, asteriskHost, newOutput(t, "baresip ann, again"))
		pbx.reachable(t, "ann")
		if code := options(t, "ann"); code != 200 {
			t.Errorf("Asterisk says %d to OPTIONS for a phone that is back, not 200", code)
		}
		c.talk("ann", 1, call)
		call.Hangup()
		c.outcome(routing.Answered, routing.ByCaller, "ann")
	})
}

// TestAutoAnswer: Answer at the desk rings the phone with the wish that it
// opens by itself, and Asterisk's dialplan passes the wish on. (This baresip
// does not grant it; the test presses the key.)
func TestAutoAnswer(t *testing.T) {
	pbx := startAsterisk(t, nil)
	prints := newOutput(t, "baresip ann")
	phones := map[string]*baresip.Phone{"ann": startPhone(t, "ann", annHost, annTone, asteriskHost, prints)}
	pbx.reachable(t, "ann")
	c := open(t, phones, plan{routing: func(s string) string {
		s = replace(t, "pop: {deadline: 3s, late: hold}", "pop: {deadline: 3s, late: hold, ring: on_accept}")(s)
		return replace(t, `phone: "sip:ann@192.0.2.10",`, `phone: "sip:ann@192.0.2.10", auto_answer: true,`)(s)
	}})
	call := c.call(carrier(t, asteriskHost+":5060"), siptest.CallOptions{})
	c.rings("ann", 1) // the desk's robot has pressed Answer
	want := "Call-Info: <sip:" + cordboardHost + ">;answer-after=0"
	// What the phone prints comes by another way than its events.
	eventually(t, "the phone's INVITE with "+want, func() bool { return strings.Contains(prints.String(), want) })
	c.talk("ann", 1, call)
	call.Hangup()
	c.outcome(routing.Answered, routing.ByCaller, "ann")
}

// TestPBXInFront: callers come through Asterisk, the phones are static contacts
// of Cordboard's. The caller is SIPp.
func TestPBXInFront(t *testing.T) {
	startAsterisk(t, nil)
	phones := phonesAt(t, "")
	c := open(t, phones, plan{routing: func(s string) string {
		return replace(t, "sip:ann@192.0.2.10", phones["ann"].URI())(s)
	}})
	scenario, err := filepath.Abs("../e2e/testdata/caller.xml")
	must(t, err)
	sipp := exec.Command("sipp", "-sf", scenario, asteriskHost+":5060", "-s", service, "-key", "pai", dana,
		"-i", carrierHost, "-mi", carrierHost, "-p", "5060", "-m", "1", "-nostdin", "-timeout", "60s", "-timeout_error")
	sipp.Dir = t.TempDir()
	must(t, os.WriteFile(filepath.Join(sipp.Dir, "tone.ul"), squareUlaw(callerTone), 0o600))
	out := newOutput(t, "sipp")
	sipp.Stdout, sipp.Stderr = out, out
	must(t, sipp.Start())
	done := make(chan error, 1)
	go func() { done <- sipp.Wait() }()
	t.Cleanup(func() { _ = sipp.Process.Kill() })
	c.calls++
	c.rings("ann", 1)
	if card := c.phase("ann", "ringing"); card.Caller.Number != dana || card.Record == nil {
		t.Errorf("Ann's desk: number %q, record %v", card.Caller.Number, card.Record)
	}
	c.press("ann", "accept")
	c.phase("ann", "talking")
	c.phoneHears("ann")
	c.press("ann", "hangup")
	select {
	case err := <-done:
		must(t, err)
	case <-within(t).Done():
		t.Fatal("the caller's call was not ended")
	}
	c.outcome(routing.Answered, routing.ByAgent, "ann")
}

// TestRegistrar: the carrier calls Cordboard itself, only the phones are
// Asterisk's.
func TestRegistrar(t *testing.T) {
	pbx := startAsterisk(t, nil)
	phones := phonesAt(t, asteriskHost)
	pbx.reachable(t, "ann")
	c := open(t, phones, plan{server: replace(t, "from: [192.0.2.10]", "from: ["+carrierHost+"]")})
	call := c.call(carrier(t, cordboardHost+":5060"), siptest.CallOptions{})
	c.talk("ann", 1, call)
	c.press("ann", "hangup")
	c.over(call)
	c.outcome(routing.Answered, routing.ByAgent, "ann")
}

// options asks Asterisk for the phone as Cordboard does, from its address.
func options(t *testing.T, user string) int {
	t.Helper()
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(cordboardHost)}, &net.UDPAddr{IP: net.ParseIP(asteriskHost), Port: 5060})
	must(t, err)
	defer conn.Close()
	_, err = fmt.Fprintf(conn, "OPTIONS sip:%[1]s@%[2]s SIP/2.0\r\nVia: SIP/2.0/UDP %[3]s;branch=z9hG4bK%[4]s;rport\r\n"+
		"From: <sip:%[5]s>;tag=%[4]s\r\nTo: <sip:%[1]s@%[2]s>\r\nCall-ID: %[4]s\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		user, asteriskHost, conn.LocalAddr(), rand.Text(), cordboardHost)
	must(t, err)
	must(t, conn.SetReadDeadline(time.Now().Add(patience)))
	answer := make([]byte, 4096)
	n, err := conn.Read(answer)
	must(t, err)
	var code int
	if _, err := fmt.Sscanf(string(answer[:n]), "SIP/2.0 %d", &code); err != nil {
		t.Fatalf("%v: %.100q", err, answer[:n])
	}
	return code
}

// ready makes the agent ready again.
func (c *centre) ready(agent string) {
	c.t.Helper()
	if _, err := c.desks[agent].Do(within(c.t), "state", map[string]any{"state": "available", "reason": ""}); err != nil {
		c.t.Fatalf("%s is not ready: %v", agent, err)
	}
	c.status(agent, "available", "")
}

// phoneFailed waits until the ledger has the phone's refusal in the last call
// and returns its code.
func (c *centre) phoneFailed() int {
	c.t.Helper()
	var data struct{ Code int }
	eventually(c.t, "the phone's refusal", func() bool {
		events, err := c.db.Events(context.Background(), routing.CallID(c.calls))
		must(c.t, err)
		for _, e := range events {
			if e.Kind == (routing.PhoneFailed{}).Kind() {
				must(c.t, json.Unmarshal(e.Data, &data))
				return true
			}
		}
		return false
	})
	return data.Code
}

// squareUlaw is ten seconds of a square wave of hz as raw G.711 mu-law: of its
// energy four fifths lie at hz.
func squareUlaw(hz float64) []byte {
	b := make([]byte, 10*8000)
	for i := range b {
		b[i] = 0x9f // +7 k or so
		if int(2*hz*float64(i)/8000)%2 == 1 {
			b[i] = 0x1f
		}
	}
	return b
}

// TestGivenBack: Asterisk has its calls back, by REFER from the music and by 302
// before the answer, and rings Ann's phone itself.
func TestGivenBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		queue string
	}{{"REFER", "care: {need: {all: {care: 3}}}"}, {"302", "care: {need: {all: {care: 3}}, answer: with_agent}"}} {
		t.Run(c.name, func(t *testing.T) {
			pbx := startAsterisk(t, nil)
			phones := phonesAt(t, asteriskHost)
			pbx.reachable(t, "ann")
			back := open(t, phones, plan{
				server:  replace(t, "media: auto", "media: auto\n      redirect: true"),
				routing: replace(t, "care: {need: {all: {care: 3}}}", c.queue),
			})
			call := back.call(carrier(t, asteriskHost+":5060"), siptest.CallOptions{})
			card := back.talk("ann", 1, call)
			if card.Record == nil {
				t.Error("Ann's desk has no record")
			}
			call.Hangup()
			if _, err := phones["ann"].Wait(within(t), "CALL_CLOSED", 1); err != nil {
				t.Fatalf("Ann's phone: %v", err)
			}
			back.do("ann", "hangup", card, nil)
			if row := back.outcome(routing.Answered, routing.ByAgent, "ann"); back.joinedBy(row) != "redirected" {
				t.Errorf("joined by %s", back.joinedBy(row))
			}
		})
	}
}
