package stack

import (
	"context"
	"net"
	"net/netip"
	"os/exec"
	"strconv"
	"sync/atomic"
	"testing"
	"time"
)

// sipp runs SIPp to its end: it must count every call as successful.
func sipp(t *testing.T, args ...string) {
	t.Helper()
	path, err := exec.LookPath("sipp")
	if err != nil {
		t.Fatal("SIPp is missing. Install it with:  sudo apt-get install --no-install-recommends sip-tester")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, append(args, "-i", "127.0.0.1", "-nostdin", "-timeout", "30s", "-timeout_error")...)
	cmd.Dir = t.TempDir()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("sipp: %v\n%.3000s", err, out)
	}
}

// sippPorts counts the ports given out.
var sippPorts atomic.Int32

// freePort is a UDP port for SIPp, below those that the system gives to others
// between our look and its bind.
func freePort(t *testing.T) int {
	t.Helper()
	const first, ports = 7000, 900
	for range ports {
		port := first + int(sippPorts.Add(1))%ports
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err != nil {
			continue
		}
		c.Close()
		return port
	}
	t.Fatal("no free port for SIPp")
	return 0
}

// With SIPp the timers are those of the RFC, for this is not our script.
func rfcTimers(o *Options) { o.timers = timers{quiet: 300 * time.Millisecond} }

func TestSIPpCallsUs(t *testing.T) {
	t.Parallel()
	for transport, flag := range map[string]string{"udp": "u1", "tcp": "t1"} {
		t.Run(transport, func(t *testing.T) {
			l := newLab(t, rfcTimers)
			ended := make(chan struct{}, 100)
			l.h.onNew.Store(new(func(d *Dialog, _ *Message) {
				d.Bind(func(e Event) {
					if _, ok := e.(Ended); ok {
						ended <- struct{}{}
					}
				})
				_ = d.Progress(180, "", nil, nil)
				_ = d.Accept(nil, []byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 9 RTP/AVP 0\r\n"))
			}))
			const n = 50
			sipp(t, l.Addr(transport).String(), "-sn", "uac", "-t", flag, "-m", strconv.Itoa(n), "-r", "50")
			for range n {
				take(t, ended, "Ended")
			}
			if l.Calls() != 0 {
				t.Errorf("%d calls left", l.Calls())
			}
		})
	}
}

func TestWeCallSIPp(t *testing.T) {
	t.Parallel()
	l := newLab(t, rfcTimers)
	port := freePort(t)
	const n = 20
	done := make(chan struct{})
	go func() {
		defer close(done)
		sipp(t, "-sn", "uas", "-m", strconv.Itoa(n), "-p", strconv.Itoa(port))
	}()
	target := "sip:agent@" + netip.AddrPortFrom(netip.MustParseAddr("127.0.0.1"), uint16(port)).String()
	for range n {
		c := &call{events: make(chan Event, 10)}
		d, err := l.Invite(Outgoing{URI: target, From: "<sip:a@b.example>", To: "<sip:agent@b.example>", Body: []byte("v=0\r\n")}, func(e Event) { c.events <- e })
		if err != nil {
			t.Fatal(err)
		}
		c.Dialog = d
		event[Progress](t, c)
		event[Answered](t, c)
		if err := d.Ack(nil); err != nil {
			t.Fatal(err)
		}
		d.Bye(nil)
		if r := event[Replied](t, c); r.Code != 200 {
			t.Errorf("%+v", r)
		}
	}
	<-done
}
