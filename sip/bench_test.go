package sip

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
	"github.com/cordboard/cordboard/sip/trace"
)

// benchRobots, when set, makes this test binary the callers and the phone of
// BenchmarkCall: a process of their own, whose work is not counted.
const benchRobots = "CORDBOARD_BENCH_ROBOTS"

// benchAtOnce is how many calls BenchmarkCall has under way.
const benchAtOnce = 4

// BenchmarkCall is a whole call through gateway and stack over UDP: INVITE,
// 180, 200, music, the agent's phone, the join by re-INVITE, the caller's BYE.
// cpu-us/op is user and system time of this process.
func BenchmarkCall(b *testing.B) {
	lib, err := media.LoadLibrary("")
	if err != nil {
		b.Fatal(err)
	}
	engine, err := media.New(media.Options{Addr: loopback, PortMin: 24000, PortMax: 29999, Library: lib, Log: zap.NewNop()})
	if err != nil {
		b.Fatal(err)
	}
	kept := trace.New(4<<20, 24*time.Hour) // as the server does
	router := &benchRouter{}
	phones := &fakePhones{m: map[agents.ID]agents.Phone{}}
	router.gw, err = New(Options{
		Trunks: []Trunk{{
			Name: "carrier", Media: MediaDirect,
			Trust: identity.Trust{
				Trunk: "carrier", Sources: []netip.Prefix{netip.PrefixFrom(loopback, 32)},
				Headers: []identity.Source{identity.FromPAI}, Region: "GB",
			},
		}},
		Router: router, Phones: phones, Media: engine, Host: loopback, Trace: kept,
	})
	if err != nil {
		b.Fatal(err)
	}
	st, err := stack.New(stack.Options{
		Listen:  []stack.Listen{{Transport: "udp", Addr: netip.AddrPortFrom(loopback, 0)}},
		Allow:   func(netip.Addr) bool { return true },
		Handler: router.gw, UserAgent: "Cordboard",
		Rate:  10_000, // the robots are one neighbour
		Trace: kept,
	})
	if err != nil {
		b.Fatal(err)
	}
	router.gw.Attach(st)
	st.Start()
	defer func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		_ = router.gw.Close(ctx)
		_ = st.Close()
		_ = engine.Close()
	}()
	robots := exec.Command(os.Args[0], "-test.run=^$")
	robots.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d", benchRobots, st.Addr("udp"), b.N))
	robots.Stderr = os.Stderr
	in, err := robots.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := robots.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := robots.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	phones.set("desk", "sip:agent@"+lines.Text())

	b.ReportAllocs()
	runtime.GC()
	b.ResetTimer()
	before := cpuTime(b)
	_, _ = in.Write([]byte("go\n"))
	lines.Scan()
	b.StopTimer()
	b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N)/1e3, "cpu-us/op")
	if lines.Text() != "done" {
		b.Errorf("the robots said %q", lines.Text())
	}
	_ = robots.Wait()
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchRouter is an engine that knows one agent.
type benchRouter struct {
	gw   *Gateway
	next atomic.Int64
}

func (r *benchRouter) NextCall() routing.CallID {
	return routing.CallID(r.next.Add(1)) // calls arrive on goroutines of their own: two of one number would hang
}

func (r *benchRouter) Arrive(a Arrival) bool {
	r.gw.Do(time.Time{}, []routing.Action{
		routing.AnswerCaller{Call: a.Call, Music: media.DefaultMusic},
		routing.Ring{Offer: routing.Offer{Call: a.Call, Attempt: 1, Agent: "desk"}, Until: time.Now().Add(time.Minute)},
	})
	return true
}

func (r *benchRouter) Submit(ev routing.Event) {
	switch ev := ev.(type) {
	case routing.PhoneAnswered:
		r.gw.Do(time.Time{}, []routing.Action{routing.Connect{Offer: ev.Offer}})
	case routing.CallerGone:
		r.gw.Do(time.Time{}, []routing.Action{routing.EndCall{Call: ev.Call, Outcome: routing.Answered, By: routing.ByCaller}})
	}
}

// runBenchRobots plays callers and phone, and says "done" after so many calls.
func runBenchRobots(task string) {
	target, count, _ := strings.Cut(task, " ")
	n, _ := strconv.Atoi(count)
	to := netip.MustParseAddrPort(target)
	caller, phone := newBenchRobot(to), newBenchRobot(to)
	fmt.Println(phone.at)
	_, _ = os.Stdin.Read(make([]byte, 1))
	go phone.work(phone.phone)
	started, done := 0, 0
	start := func() {
		if started < n {
			started++
			caller.invite(started)
		}
	}
	for range benchAtOnce {
		start()
	}
	caller.work(func(m []byte) bool {
		if caller.caller(m) {
			done++
			start()
		}
		return done < n
	})
	fmt.Println("done")
}

// benchRobot is a telephone that knows one call by heart.
type benchRobot struct {
	conn *net.UDPConn
	at   netip.AddrPort
	to   netip.AddrPort
	sdp  string
	out  bytes.Buffer
}

func newBenchRobot(to netip.AddrPort) *benchRobot {
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(loopback, 0)))
	if err != nil {
		panic(err)
	}
	return &benchRobot{
		conn: conn, to: to, at: conn.LocalAddr().(*net.UDPAddr).AddrPort(),
		sdp: "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 8 101\r\n" +
			"a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n",
	}
}

// work gives each datagram to do until that has enough.
func (r *benchRobot) work(do func([]byte) bool) {
	buf := make([]byte, 65535)
	for {
		n, _, err := r.conn.ReadFromUDPAddrPort(buf)
		if err != nil || !do(buf[:n]) {
			return
		}
	}
}

func (r *benchRobot) send(body bool) {
	if body {
		fmt.Fprintf(&r.out, "Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", len(r.sdp), r.sdp)
	} else {
		r.out.WriteString("Content-Length: 0\r\n\r\n")
	}
	_, _ = r.conn.WriteToUDPAddrPort(r.out.Bytes(), r.to)
	r.out.Reset()
}

// request writes a request of the caller's; to is the value of To.
func (r *benchRobot) request(method, callID string, cseq int, to string) {
	fmt.Fprintf(&r.out, "%s sip:02079460000@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;rport;branch=z9hG4bK%s-%s-%d\r\n"+
		"Max-Forwards: 70\r\nFrom: \"A Caller\" <sip:07700900%s@carrier.example>;tag=a%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n"+
		"Contact: <sip:caller@%s>\r\nP-Asserted-Identity: <sip:+447700900%s@carrier.example>\r\n",
		method, r.to, r.at, callID, method, cseq, digits(callID), callID, to, callID, cseq, method, r.at, digits(callID))
}

func digits(callID string) string { return fmt.Sprintf("%03s", callID[max(0, len(callID)-3):]) }

func (r *benchRobot) invite(n int) {
	r.request("INVITE", fmt.Sprintf("%06d", n), 1, "<sip:02079460000@cordboard.example>")
	r.send(true)
}

// respond answers a request with what a response copies of it.
func (r *benchRobot) respond(m []byte, status, tag string, body bool) {
	r.out.WriteString("SIP/2.0 " + status + "\r\n")
	for line := range bytes.SplitSeq(m, []byte("\r\n")) {
		switch name, _, _ := bytes.Cut(line, []byte(":")); string(name) {
		case "":
			fmt.Fprintf(&r.out, "Contact: <sip:robot@%s>\r\n", r.at)
			r.send(body)
			return
		case "To":
			r.out.Write(line)
			if !bytes.Contains(line, []byte("tag=")) {
				r.out.WriteString(";tag=" + tag)
			}
			r.out.WriteString("\r\n")
		case "Via", "From", "Call-ID", "CSeq":
			r.out.Write(line)
			r.out.WriteString("\r\n")
		}
	}
}

func benchHeader(m []byte, name string) string {
	_, rest, _ := bytes.Cut(m, []byte("\r\n"+name+": "))
	v, _, _ := bytes.Cut(rest, []byte("\r\n"))
	return string(v)
}

// caller is told true when a call has ended.
func (r *benchRobot) caller(m []byte) bool {
	id := benchHeader(m, "Call-ID")
	cseq := benchHeader(m, "CSeq")
	switch {
	case bytes.HasPrefix(m, []byte("SIP/2.0 200")) && cseq == "1 INVITE":
		r.request("ACK", id, 1, benchHeader(m, "To"))
		r.send(false)
	case bytes.HasPrefix(m, []byte("SIP/2.0 200")) && cseq == "2 BYE":
		return true
	case bytes.HasPrefix(m, []byte("INVITE")):
		r.respond(m, "200 OK", "", true)
	case bytes.HasPrefix(m, []byte("ACK")):
		r.request("BYE", id, 2, benchHeader(m, "From")) // their From is our To
		r.send(false)
	case bytes.HasPrefix(m, []byte("SIP/2.0 1")):
	case bytes.Contains(m, []byte("SIP/2.0")): // else it is what somebody else's socket was sent a moment ago
		panic(fmt.Sprintf("the caller did not expect\n%s", m))
	}
	return false
}

func (r *benchRobot) phone(m []byte) bool {
	switch {
	case bytes.HasPrefix(m, []byte("INVITE")):
		r.respond(m, "180 Ringing", "p", false)
		r.respond(m, "200 OK", "p", true)
	case bytes.HasPrefix(m, []byte("BYE")):
		r.respond(m, "200 OK", "p", false)
	}
	return true
}
