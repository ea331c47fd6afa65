package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	strangersFor  = 3 * time.Second
	strangerHosts = 60 // by UDP, and a sixth of them by TCP too
	strangerPace  = 60 * time.Millisecond
)

// strangers sends what an open SIP port hears from the internet, for a while and
// from many addresses that are in no trunk: calls abroad, scans, guesses at
// phones' secrets, garbage. None of it may be taken.
func (f *faults) strangers(ctx context.Context) (func(), error) {
	ctx, cancel := context.WithTimeout(ctx, strangersFor)
	defer cancel()
	var taken atomic.Int64
	var wg sync.WaitGroup
	defer wg.Wait()
	for i := range strangerHosts {
		from := netip.AddrFrom4([4]byte{127, byte(10 + f.rnd.IntN(240)), byte(f.rnd.IntN(256)), byte(1 + i)})
		networks := []string{"udp"}
		if i%6 == 0 {
			networks = append(networks, "tcp")
		}
		for _, network := range networks {
			c, err := (&net.Dialer{LocalAddr: localAddr(network, from)}).DialContext(ctx, network, f.o.server.sip.String())
			if err != nil {
				continue // the server takes no more of them: its good right
			}
			wg.Go(func() { hearStranger(c, &taken) })
			wg.Go(func() {
				defer func() { _ = c.Close() }()
				for n := 0; ctx.Err() == nil; n++ {
					if _, err := c.Write(strange(network, c.LocalAddr(), f.o.server.sip, n+i)); err != nil && network == "tcp" {
						return // sent away
					}
					pause(ctx, strangerPace)
				}
			})
		}
	}
	<-ctx.Done()
	wg.Wait()
	if n := taken.Load(); n > 0 {
		return nil, fmt.Errorf("%d requests of strangers were taken", n)
	}
	return nil, nil
}

func localAddr(network string, a netip.Addr) net.Addr {
	if network == "tcp" {
		return net.TCPAddrFromAddrPort(netip.AddrPortFrom(a, 0))
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0))
}

// hearStranger counts the answers that only a trunk or a phone may get.
func hearStranger(c net.Conn, taken *atomic.Int64) {
	buf := make([]byte, 64<<10)
	for {
		n, err := c.Read(buf)
		for line := range strings.SplitSeq(string(buf[:n]), "\r\n") {
			if strings.HasPrefix(line, "SIP/2.0 2") || strings.HasPrefix(line, "SIP/2.0 18") {
				taken.Add(1)
			}
		}
		if refused := errors.As(err, new(*net.OpError)); err != nil && (c.LocalAddr().Network() == "tcp" || refused && isClosed(c)) {
			return
		}
	}
}

// isClosed tells a socket that we closed from one that heard of a refusal.
func isClosed(c net.Conn) bool { return c.SetDeadline(time.Time{}) != nil }

// strange is the n-th thing that strangers say.
func strange(network string, from net.Addr, to netip.AddrPort, n int) []byte {
	method, extra, body := "INVITE", "", "v=0\r\no=- 1 1 IN IP4 127.9.9.9\r\ns=-\r\nc=IN IP4 127.9.9.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
	switch n % 6 {
	case 0:
	case 1:
		method, body = "OPTIONS", ""
	case 2:
		method, body = "REGISTER", ""
		extra = fmt.Sprintf("Contact: <sip:agent%03d@%s>\r\nExpires: 600\r\n", n%120, from)
	case 3:
		method, body = "REGISTER", ""
		extra = fmt.Sprintf("Contact: <sip:x@%s>\r\nAuthorization: Digest username=\"agent%03d\", realm=\"%s\", nonce=\"0\", uri=\"sip:%s\", response=\"%032d\"\r\n", from, n%120, realm, to, n)
	case 4:
		return []byte(strings.Repeat("\x00\xffspam\r\n", 1+n%40) + "\r\n")
	case 5:
		method, body, extra = "BYE", "", "Reason: "+strings.Repeat("a", 900)+"\r\n"
	}
	if body != "" {
		extra += fmt.Sprintf("Contact: <sip:x@%s>\r\nContent-Type: application/sdp\r\n", from)
	}
	return fmt.Appendf(nil, "%s sip:+4420794601%02d@%s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%[6]d.%[5]s;rport\r\n"+
		"From: <sip:agent%03[7]d@%[3]s>;tag=%[6]d\r\nTo: <sip:agent%03[7]d@%[3]s>\r\nCall-ID: %[6]d.%[5]s\r\nCSeq: 1 %[1]s\r\nMax-Forwards: 70\r\n%[8]sContent-Length: %[9]d\r\n\r\n%[10]s",
		method, n%100, to, strings.ToUpper(network), from, n, n%120, extra, len(body), body)
}
