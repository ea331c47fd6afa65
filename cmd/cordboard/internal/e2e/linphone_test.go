package e2e

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/baresip"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/linphone"
	"github.com/cordboard/cordboard/routing"
)

const (
	phoneRealm = "e2e.example"
	hotline    = "+442079460100"
)

// softphone is a linphone of the test's, which fails when the phone does not do
// what it is told.
type softphone struct {
	t   *testing.T
	rtp int
	*linphone.Phone
}

func newLinphone(t *testing.T, s *server, port int, hz float64) *softphone {
	t.Helper()
	p := &softphone{t: t, rtp: rtpFrom(port)}
	p.within(func(ctx context.Context) (err error) {
		p.Phone, err = linphone.Start(ctx, linphone.Options{
			Dir: t.TempDir(), Port: port, RTP: p.rtp, Sound: baresip.ToneWAV(hz, 30*time.Second), Roots: s.roots(),
		})
		return err
	})
	t.Cleanup(func() {
		p.Close()
		if t.Failed() {
			t.Logf("linphone at %d logged:\n%s", port, tail(p.Log(), 6000))
		}
	})
	return p
}

func (p *softphone) within(f func(context.Context) error) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), phonePatience)
	defer cancel()
	must(p.t, f(ctx))
}

func (p *softphone) do(command string) {
	p.t.Helper()
	p.within(func(ctx context.Context) error { return p.Do(ctx, command) })
}

func (p *softphone) wait(state string, n int) {
	p.t.Helper()
	p.within(func(ctx context.Context) error { return p.Wait(ctx, state, n) })
}

func (p *softphone) register(user, secret, by string) {
	p.t.Helper()
	at := sipAddress
	if by == "tls" {
		at = tlsAddress
	}
	p.within(func(ctx context.Context) error {
		return p.Register(ctx, user, "sip:"+at+";transport="+by, secret, phoneRealm)
	})
}

// phonesAlone is the routing document with agents who are there while their
// telephones are: no desk is opened.
func phonesAlone(t *testing.T) string {
	file := strings.Replace(readFile(t, "testdata/routing.yaml"), `phone: "sip:anna@10.77.0.1:5081",`, "login: phone,", 1)
	file = strings.Replace(file, `phone: "sip:petar@10.77.0.1:5091",`, "login: phone,", 1)
	file = strings.Replace(file, "pop: {deadline: 10s, late: hold}", "pop: {deadline: 200ms, late: ring_anyway}", 1)
	file = strings.Replace(file, "skills: {internet: 9}", "skills: {care: 5}", 1)
	return strings.Replace(file, "wrap_up: {time: 60s, disposition: optional}", "wrap_up: {time: 0s, disposition: off}", 1)
}

// TestLinphone: another maker's telephone, in both parts. It registers over TLS,
// UDP and TCP, by MD5, of which it makes use though SHA-256 stands in front; is
// called over what it registered by, and calls. All that is heard is tones.
func TestLinphone(t *testing.T) {
	s := prepareServer(t, phonesAlone(t), "sqlite", "  registrar: {realm: "+phoneRealm+", from: ["+testHost+"]}")
	secret := map[string]string{"anna": s.secret("anna"), "petar": s.secret("petar")}
	s.serve()
	db, heard := s.ledger(), newWire(t)
	caller := startPhone(t, baresip.Options{User: "+447700900123", Tone: callerTone}, 5070)

	for i, by := range []struct{ transport, agent string }{{"tls", "anna"}, {"udp", "petar"}, {"tcp", "anna"}} {
		t.Run(by.transport+"/"+by.agent, func(t *testing.T) {
			p := newLinphone(t, s, 5081+2*i, annaTone)
			p.register(by.agent, secret[by.agent], by.transport)
			metric(t, "cordboard_phones_reachable", "1")
			if answers := regexp.MustCompile(`(?m)^Authorization: .* algorithm=([^,]*)`).FindAllStringSubmatch(p.Log(), -1); len(answers) == 0 || answers[0][1] != "MD5" {
				t.Errorf("it answered %v, want by MD5", answers)
			}
			must(t, caller.Do("dial", "sip:"+hotline+"@"+sipAddress))
			p.wait("IncomingReceived", 1)
			p.do("answer")
			p.wait("StreamsRunning", 1)
			p.within(p.Speak)
			from, rtp, talking := uint16(rtpFrom(5070)), uint16(p.rtp), time.Now()
			eventually(t, "the telephone to hear the caller", func() bool { return baresip.Loudest(heard.to(rtp, rtp, talking), callerTone) > loudEnough })
			eventually(t, "the caller to hear the telephone", func() bool { return baresip.Loudest(heard.to(from, from+8, talking), annaTone) > loudEnough })
			p.do("terminate")
			caller.wait("CALL_CLOSED", i+1)
			if row := s.closed(db, i+1); row.Outcome != routing.Answered || string(row.Agent) != by.agent || row.EndedBy != routing.ByAgent {
				t.Errorf("the ledger row: %+v", row)
			}
			p.do("unregister ALL")
			metric(t, "cordboard_phones_registered", "0")
		})
	}

	petar := newRegistered(t, "petar", secret["petar"], "udp", 5091, petarTone)
	metric(t, "cordboard_phones_reachable", "1")
	calls := newLinphone(t, s, 5111, callerTone)
	calls.do(fmt.Sprintf("call sip:%s@%s", hotline, sipAddress))
	petar.wait("CALL_INCOMING", 1)
	petar.answer()
	calls.wait("StreamsRunning", 1)
	calls.within(calls.Speak)
	from, rtp, talking := uint16(calls.rtp), uint16(rtpFrom(5091)), time.Now()
	eventually(t, "the caller to hear Petar", func() bool { return baresip.Loudest(heard.to(from, from, talking), petarTone) > loudEnough })
	eventually(t, "Petar to hear the caller", func() bool { return baresip.Loudest(heard.to(rtp, rtp+8, talking), callerTone) > loudEnough })
	calls.do("terminate")
	petar.wait("CALL_CLOSED", 1)
	if row := s.closed(db, 4); row.Outcome != routing.Answered || row.Agent != "petar" || row.EndedBy != routing.ByCaller {
		t.Errorf("the ledger row: %+v", row)
	}
	for _, x := range secret {
		if strings.Contains(s.log.String(), x) {
			t.Error("the server's log holds a secret")
		}
	}
}
