package ladder

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/cordboard/cordboard/sip/trace"
)

var began = time.Date(2026, 11, 22, 9, 30, 0, 0, time.Local)

const offer = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 40000 RTP/AVP 0 8 101\r\n" +
	"a=rtpmap:101 telephone-event/8000\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:c2VjcmV0\r\na=key-mgmt:mikey c2VjcmV0\r\na=ice-pwd:c2VjcmV0c2VjcmV0c2VjcmV0\r\na=sendonly\r\nm=video 0 RTP/AVP 31\r\n"

func sip(first, callID, cseq, more, body string) []byte {
	if body != "" {
		more += "Content-Type: application/sdp\r\n"
	}
	return []byte(first + "\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK" + cseq[:1] + "\r\nFrom: \"Dana W\" <sip:+447700900417@trunk.example>;tag=a\r\n" +
		"Call-ID: " + callID + "\r\nCSeq: " + cseq + "\r\n" + more + "\r\n" + body)
}

// call is a call of two dialogs, with a message that came twice.
func call(whole bool) *Trace {
	trunk, phone := netip.MustParseAddrPort("192.0.2.9:5060"), netip.MustParseAddrPort("[2001:db8::7]:5071")
	at := func(ms int) time.Time { return began.Add(time.Duration(ms) * time.Millisecond) }
	invite := sip("INVITE sip:+442079460100@desk.example SIP/2.0", "one", "1 INVITE", "Proxy-Authorization: Digest response=\"beef\"\r\n nonce=\"feed\"\r\n", offer)
	return New(
		[]trace.Leg{{Call: 7, Name: "caller", CallID: "one"}, {Call: 7, Name: "agent/1", Agent: "ann", CallID: "two"}, {Call: 7, Name: "agent/1", Agent: "ann", CallID: "two"}},
		[]trace.Message{
			{At: at(0), Transport: "udp", Peer: trunk, CallID: "one", Data: invite},
			{At: at(500), Transport: "udp", Peer: trunk, CallID: "one", Data: invite},
			{At: at(501), Sent: true, Transport: "udp", Peer: trunk, CallID: "one", Data: sip("SIP/2.0 180 Ringing", "one", "1 INVITE", "", "")},
			{At: at(700), Sent: true, Transport: "tcp", Peer: phone, CallID: "two", Data: sip("INVITE sip:ann@phone.example SIP/2.0", "two", "1 INVITE", "", offer)},
			{At: at(720), Transport: "tcp", Peer: phone, CallID: "two", Data: sip("SIP/2.0 486 Dana W is busy", "two", "1 INVITE", "Reason: Q.850;cause=17;text=\"Dana W is busy\"\r\nWarning: 399 ann \"Dana W\"\r\nRetry-After: 30\r\n", "")},
			{At: at(900), Transport: "udp", Peer: trunk, CallID: "one", Data: sip("BYE sip:cordboard@desk.example SIP/2.0", "one", "2 BYE", "", "")},
			{At: at(900), Transport: "udp", Peer: trunk, CallID: "none of ours", Data: invite},
		},
		[]Decision{{at(1), "arrives"}, {at(600), "is offered to ann (#1)"}, {at(721), "the phone of ann fails with 486"}}, whole)
}

const golden = `call 7, Sun 2026-11-22 09:30:00.000 ZONE
  A: caller udp:192.0.2.9:5060, Call-ID one
  B: agent/1 ann tcp:[2001:db8::7]:5071, Call-ID two
                        A                     cordboard                     B
09:30:00.000     +0.000 |-------- INVITE -------->|                         | cseq 1 INVITE  audio 192.0.2.9:40000 PCMU,PCMA,telephone-event sendonly; video refused
09:30:00.001     +0.001 |                         | * arrives
09:30:00.500     +0.500 |-------- INVITE -------->|                         | (again)  cseq 1 INVITE  audio 192.0.2.9:40000 PCMU,PCMA,telephone-event sendonly; video refused
09:30:00.501     +0.501 |<----- 180 Ringing ------|                         | cseq 1 INVITE
09:30:00.600     +0.600 |                         | * is offered to ann (#1)
09:30:00.700     +0.700 |                         |-------- INVITE -------->| cseq 1 INVITE  audio 192.0.2.9:40000 PCMU,PCMA,telephone-event sendonly; video refused
09:30:00.720     +0.720 |                         |<---- 486 Busy Here -----| cseq 1 INVITE  Q.850 17, warning 399, retry after 30 s
09:30:00.721     +0.721 |                         | * the phone of ann fails with 486
09:30:00.900     +0.900 |---------- BYE --------->|                         | cseq 2 BYE
`

func printed(t *testing.T, x *Trace) string {
	t.Helper()
	var b strings.Builder
	if err := x.Print(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestLadder(t *testing.T) {
	t.Parallel()
	x := call(false)
	x.Call = 7
	got := printed(t, x)
	if want := strings.Replace(golden, "ZONE", began.Format("MST"), 1); got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
	kept, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"Dana", "900417", "946100", "beef", "c2Vjcm"} {
		if strings.Contains(got+string(kept), who) {
			t.Errorf("%s is told to who did not ask for it", who)
		}
	}
}

// The messages as they are have no credential and no key in them.
func TestWholeMessages(t *testing.T) {
	t.Parallel()
	got := printed(t, call(true))
	for _, is := range []string{"From: \"Dana W\" <sip:+447700900417@trunk.example>;tag=a\n", "Proxy-Authorization: (left out)\n", "a=crypto (left out)\n", "m=audio 40000"} {
		if !strings.Contains(got, is) {
			t.Errorf("%q is not in\n%s", is, got)
		}
	}
	for _, secret := range []string{"beef", "feed", "c2VjcmV0"} {
		if strings.Contains(got, secret) {
			t.Errorf("%s is told", secret)
		}
	}
}

// Nor has one the key that a caller has pressed, in either form of INFO.
func TestPressedKeys(t *testing.T) {
	t.Parallel()
	for kind, body := range map[string]string{"application/dtmf-relay": "Signal=7\r\nDuration=160\r\n", "application/dtmf": "7"} {
		got := text(append(sip("INFO sip:a@192.0.2.1 SIP/2.0", "x", "3 INFO", "Content-Type: "+kind+"\r\n", ""), body...))
		if !strings.Contains(got, "Content-Type: "+kind) || !strings.HasSuffix(got, "(left out)") || strings.Contains(got, "Signal") {
			t.Errorf("told\n%s", got)
		}
	}
}

// Whatever a message says, the terminal is told printable text and ends of lines.
func FuzzLadder(f *testing.F) {
	f.Add([]byte("SIP/2.0 200 \x1b[2J\r\nCSeq: 1 \x07\r\nReason: a;cause=\x1b]0;x\r\n\r\nbody"), "\x1b[31m", "ann\r\n")
	f.Add(sip("INVITE sip:a@b SIP/2.0", "one", "1 INVITE", "", offer), "one", "\u202e")
	f.Add([]byte("SIP/2.0 200 OK\nContent-Type: multipart/mixed\r\n\r\nv=0\nm=\nc=\na=rtpmap:"), "", "")
	f.Fuzz(func(t *testing.T, data []byte, callID, agent string) {
		legs := []trace.Leg{{Name: agent, Agent: agent, CallID: callID}, {Name: callID, CallID: agent}}
		x := New(legs, []trace.Message{
			{At: began, CallID: callID, Data: data, Transport: agent}, {At: began, CallID: agent, Data: data, Sent: true},
		}, []Decision{{began, agent}}, true)
		x.Note = callID
		kept, err := json.Marshal(x)
		if err != nil {
			t.Fatal(err)
		}
		var again Trace // as the command gets it, and from a server that is none of ours
		if err := json.Unmarshal(kept, &again); err != nil {
			t.Fatal(err)
		}
		again.Legs = append(again.Legs, Leg{Name: string(data), CallID: string(data), Peer: string(data), Transport: string(data)})
		again.Steps = append(again.Steps, Step{Leg: 99, What: string(data)}, Step{Leg: -1, What: string(data)}, Step{Leg: 1, What: string(data), Text: string(data), Cause: string(data)})
		for _, r := range printed(t, &again) {
			if r != '\n' && !unicode.IsPrint(r) {
				t.Fatalf("%q is printed", r)
			}
		}
	})
}
