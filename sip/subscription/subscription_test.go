package subscription

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/sip/stack"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 30 * time.Second

type nobody struct{ stack.Handler }

// pbx is one that the test plays: it reads every message and writes every one.
type pbx struct {
	*testing.T
	udp  *net.UDPConn
	to   netip.AddrPort
	in   chan string
	cseq int

	keeper *Keeper
	calls  chan Call
	logs   *observer.ObservedLogs
}

// newPBX starts a keeper of so many telephones at it: 101, 102, ...
func newPBX(t *testing.T, telephones int, change func(*Keeper)) *pbx {
	t.Helper()
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	core, logs := observer.New(zap.DebugLevel)
	p := &pbx{T: t, udp: udp, in: make(chan string, 1000), calls: make(chan Call, 1000), logs: logs}
	var read sync.WaitGroup
	read.Go(p.read)
	s, err := stack.New(stack.Options{
		Listen:  []stack.Listen{{Transport: "udp", Addr: netip.MustParseAddrPort("127.0.0.1:0")}},
		Handler: nobody{}, MaxCalls: 1, Rate: 1, Allow: func(netip.Addr) bool { return false }, Logger: zap.NewNop(),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.to = s.Addr("udp")
	s.Start()
	p.keeper = New(func(c Call) { p.calls <- c }, zap.New(core))
	p.keeper.pause = 4 * time.Millisecond
	if change != nil {
		change(p.keeper)
	}
	var phones []Phone
	for i := range telephones {
		phones = append(phones, Phone{Source: "office", Extension: fmt.Sprint(101 + i), Expires: 5 * time.Minute, Subscribing: stack.Subscribing{
			URI: fmt.Sprintf("sip:%d@%s", 101+i, udp.LocalAddr()), From: "sip:cordboard@pbx.example",
		}})
	}
	p.keeper.Start(s, phones)
	t.Cleanup(func() {
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		p.keeper.Close(gone)
		_ = s.Close()
		_ = udp.Close()
		read.Wait()
	})
	return p
}

// read passes messages on, once each.
func (p *pbx) read() {
	seen := map[string]bool{}
	buf := make([]byte, 65535)
	for {
		n, _, err := p.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		if text := string(buf[:n]); !seen[text] {
			seen[text] = true
			p.in <- text
		}
	}
}

func header(text, name string) string {
	m := regexp.MustCompile(`(?m)^` + name + `: (.*)\r$`).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

// expects takes the next message, which must begin with the words.
func (p *pbx) expects(begin string) string {
	p.Helper()
	select {
	case text := <-p.in:
		if !strings.HasPrefix(text, begin) {
			p.Fatalf("got %s\nwant %s", text, begin)
		}
		return text
	case <-time.After(patience):
		p.Fatalf("no %s came; the log: %v", begin, p.logs.All())
	}
	return ""
}

func (p *pbx) sends(text string) {
	p.Helper()
	if _, err := p.udp.WriteToUDPAddrPort([]byte(text), p.to); err != nil {
		p.Fatal(err)
	}
}

// answers answers a SUBSCRIBE; more are headers.
func (p *pbx) answers(request, status string, more ...string) {
	p.Helper()
	to := header(request, "To")
	if !strings.Contains(to, ";tag=") {
		to += ";tag=n"
	}
	p.sends(fmt.Sprintf("SIP/2.0 %s\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <sip:pbx@%s>\r\n%sContent-Length: 0\r\n\r\n",
		status, header(request, "Via"), header(request, "From"), to, header(request, "Call-ID"), header(request, "CSeq"), p.udp.LocalAddr(),
		strings.Join(append(more, ""), "\r\n")))
}

// tells sends a NOTIFY in the subscription of a SUBSCRIBE, which must be answered so.
func (p *pbx) tells(request, state, body, want string) {
	p.Helper()
	p.cseq++
	to := header(request, "From")
	p.sends(fmt.Sprintf("NOTIFY sip:cordboard@%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bKn%[3]d\r\nMax-Forwards: 70\r\nFrom: <sip:101@pbx.example>;tag=n\r\nTo: %[4]s\r\n"+
		"Call-ID: %[5]s\r\nCSeq: %[3]d NOTIFY\r\nContact: <sip:pbx@%[2]s>\r\nEvent: dialog\r\nSubscription-State: %[6]s\r\nContent-Type: application/dialog-info+xml\r\nContent-Length: %[7]d\r\n\r\n%[8]s",
		p.to, p.udp.LocalAddr(), p.cseq, to, header(request, "Call-ID"), state, len(body), body))
	p.expects("SIP/2.0 " + want)
}

// stands answers a SUBSCRIBE and tells of no calls.
func (p *pbx) stands(request string) {
	p.Helper()
	p.answers(request, "200 OK", "Expires: 300")
	p.tells(request, "active;expires=300", rootOf+endOf, "200")
}

func (p *pbx) call(want string) Call {
	p.Helper()
	select {
	case c := <-p.calls:
		if got := []string{"rings", "talks", "over"}[c.State]; got != want || c.Source != "office" || c.Extension != "101" {
			p.Fatalf("told %+v, want it %s", c, want)
		}
		return c
	case <-time.After(patience):
		p.Fatalf("never told that it %s", want)
	}
	return Call{}
}

// becomes waits until the first telephone's status is as wanted.
func (p *pbx) becomes(what string, ok func(Status) bool) {
	p.Helper()
	late := time.Now().Add(patience)
	for ; !ok(p.keeper.States()[0]); time.Sleep(time.Millisecond) {
		if time.Now().After(late) {
			p.Fatalf("never %s: %+v", what, p.keeper.States())
		}
	}
}

func ringing(version int, state, more string) string {
	return strings.Replace(strings.Replace(rootOf, `"full"`, `"partial"`, 1), `"7"`, fmt.Sprintf(`"%d"`, version), 1) +
		`<dialog id="1" direction="recipient"><state>` + state + `</state><remote><identity>sip:07700900417@x</identity></remote></dialog>` + more + endOf
}

// A call is told of as it goes on; what cannot be read is refused and changes nothing;
// where a state was missed the whole is asked for; the subscription is taken back at
// the end.
func TestTold(t *testing.T) {
	t.Parallel()
	p := newPBX(t, 1, nil)
	first := p.expects("SUBSCRIBE sip:101@")
	if header(first, "Expires") != "300" || header(first, "Event") != "dialog" {
		t.Fatalf("%s", first)
	}
	p.tells(first, "active;expires=300", rootOf+endOf, "200") // before the answer
	p.answers(first, "200 OK", "Expires: 300")
	p.becomes("told", func(s Status) bool { return time.Until(s.Until) > 4*time.Minute })
	p.tells(first, "active;expires=300", ringing(8, "early", ""), "200")
	if c := p.call("rings"); c.From != "07700900417" {
		t.Errorf("%+v", c)
	}
	p.tells(first, "active;expires=300", `<!DOCTYPE x [<!ENTITY e "07700900417">]>`+ringing(9, "terminated", ""), "400")
	if n := p.logs.FilterMessage("what a PBX tells of a telephone cannot be read").Len(); n != 1 {
		t.Errorf("logged %d times", n)
	}
	p.tells(first, "active;expires=300", ringing(10, "confirmed", ""), "200")
	whole := p.expects("SUBSCRIBE ")
	if header(whole, "Call-ID") != header(first, "Call-ID") || !strings.Contains(header(whole, "To"), ";tag=n") {
		t.Fatalf("%s", whole)
	}
	p.answers(whole, "200 OK", "Expires: 300")
	p.tells(first, "active;expires=300", strings.Replace(ringing(11, "confirmed", ""), "partial", "full", 1), "200")
	p.call("talks")
	p.tells(first, "active;expires=300", ringing(12, "terminated", ""), "200")
	p.call("over")
	for _, e := range p.logs.All() {
		if strings.Contains(fmt.Sprint(e.Message, e.ContextMap()), "900417") {
			t.Errorf("the log names a caller: %s %v", e.Message, e.ContextMap())
		}
	}
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		p.keeper.Close(ctx)
	}()
	if back := p.expects("SUBSCRIBE "); header(back, "Expires") != "0" || header(back, "Call-ID") != header(first, "Call-ID") {
		t.Errorf("taken back by %s", back)
	} else {
		p.answers(back, "200 OK", "Expires: 0")
	}
}

// It is renewed before it runs out, and a PBX that may shorten it is asked sooner.
func TestRenewed(t *testing.T) {
	t.Parallel()
	p := newPBX(t, 1, func(k *Keeper) { k.least = 0 })
	first := p.expects("SUBSCRIBE ")
	p.answers(first, "200 OK", "Expires: 300")
	p.tells(first, "active;expires=1", rootOf+endOf, "200")
	again := p.expects("SUBSCRIBE ")
	if header(again, "Call-ID") != header(first, "Call-ID") || !strings.HasPrefix(header(again, "CSeq"), "2 ") || header(again, "Expires") != "300" {
		t.Errorf("%s", again)
	}
}

// A PBX that has started anew knows the subscription no more, one that ends it says
// so, one that wants longer is asked for longer: another begins, and what it tells
// first is held against what was known.
func TestBegunAnew(t *testing.T) {
	t.Parallel()
	p := newPBX(t, 1, nil)
	first := p.expects("SUBSCRIBE ")
	p.answers(first, "423 Interval Too Brief", "Min-Expires: 3600")
	longer := p.expects("SUBSCRIBE ")
	if header(longer, "Expires") != "3600" || header(longer, "Call-ID") != header(first, "Call-ID") {
		t.Fatalf("%s", longer)
	}
	p.stands(longer)
	p.tells(longer, "active;expires=300", ringing(8, "early", ""), "200")
	p.call("rings")
	p.tells(longer, "active;expires=300", ringing(99, "early", ""), "200") // a gap, and it is asked
	p.answers(p.expects("SUBSCRIBE "), "481 Subscription Does Not Exist")
	second := p.expects("SUBSCRIBE ")
	if header(second, "Call-ID") == header(first, "Call-ID") || strings.Contains(header(second, "To"), "tag=") {
		t.Fatalf("not anew: %s", second)
	}
	p.stands(second)
	p.call("over")
	p.becomes("told", func(s Status) bool { return s.Code == 0 && !s.Until.IsZero() })
	p.tells(second, "terminated;reason=deactivated", "", "200")
	third := p.expects("SUBSCRIBE ")
	if header(third, "Call-ID") == header(second, "Call-ID") {
		t.Fatalf("not anew: %s", third)
	}
	p.tells(second, "active", rootOf+endOf, "481") // the one that is over
	p.stands(third)
	for message, want := range map[string]int{"a PBX does not tell of a telephone's calls": 2, "a PBX tells of its telephones' calls again": 2} {
		late := time.Now().Add(patience)
		for p.logs.FilterMessage(message).Len() < want && time.Now().Before(late) {
			time.Sleep(time.Millisecond)
		}
		if n := p.logs.FilterMessage(message).Len(); n != want {
			t.Errorf("%q is logged %d times, want %d", message, n, want)
		}
	}
}

// A PBX without dialog events is told as such, once for all its telephones, and not
// asked again for a while; nor is one that takes the subscription and tells nothing.
func TestRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer, why string
		code        int
	}{
		"489":    {"489 Bad Event", "489 Bad Event", 489},
		"404":    {"404 Not Found", "no hint", 404},
		"403":    {"403 Forbidden", "does not let us", 403},
		"501":    {"501 Not Implemented", "takes no SUBSCRIBE", 501},
		"0":      {"200 OK\r\nExpires: 0", "no time at all", 200},
		"silent": {"200 OK\r\nExpires: 300", "tells no state", 408},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPBX(t, 2, func(k *Keeper) {
				k.first = 50 * time.Millisecond
				if c.code == 408 {
					k.pause = time.Hour
				}
			})
			for range 2 {
				p.answers(p.expects("SUBSCRIBE "), c.answer)
			}
			p.becomes("refused", func(s Status) bool { return s.Code == c.code && p.keeper.States()[1].Code == c.code })
			logged := p.logs.FilterMessage("a PBX does not tell of a telephone's calls").All()
			if len(logged) != 1 || !strings.Contains(logged[0].ContextMap()["reason"].(string), c.why) || logged[0].ContextMap()["source"] != "office" {
				t.Errorf("%+v", logged)
			}
			if len(p.in) > 0 {
				t.Errorf("asked again at once: %s", <-p.in)
			}
		})
	}
}
