package doctor

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cordboard/cordboard/configs"
)

// trunks asks those that calls leave by for life. Of the others the file has no
// address to ask: they are known by where they come from.
func trunks(ctx context.Context, p Patient) []Line {
	lines := make([]Line, len(p.Server.SIP.Trunks))
	var asked sync.WaitGroup
	for i, t := range p.Server.SIP.Trunks {
		if t.Out != nil {
			asked.Go(func() { lines[i] = trunk(ctx, p.Server, t) })
		}
	}
	asked.Wait()
	return slices.DeleteFunc(lines, func(l Line) bool { return l.Of == "" })
}

func trunk(ctx context.Context, s *configs.Server, t configs.Trunk) Line {
	of, transport := "sip.trunks."+t.Name+".out", cmp.Or(t.Out.Transport, "udp")
	began := time.Now()
	a, err := ask(ctx, s, t.Out.Host, transport)
	switch {
	case err != nil:
		return bad(Fail, of, fmt.Sprintf("no answer to OPTIONS by %s from %s: %v", transport, t.Out.Host, err),
			"It is off, behind a firewall, or at another address, port or transport")
	case a.code < 300:
		return ok(of, "answers OPTIONS with %d by %s in %d ms; Allow: %s; Supported: %s", a.code, transport,
			time.Since(began).Milliseconds(), cmp.Or(a.allow, "not said"), cmp.Or(a.supported, "not said"))
	case a.code == 401 || a.code == 403 || a.code == 407:
		return bad(Warn, of, fmt.Sprintf("answers OPTIONS with %d %s by %s: it lives, and does not let this machine in", a.code, a.reason, transport),
			"Have this machine's address allowed there")
	}
	return bad(Warn, of, fmt.Sprintf("answers OPTIONS with %d %s by %s", a.code, a.reason, transport), "It lives; ask whoever runs it what that means there")
}

// answer is what came back.
type answer struct {
	code                     int
	reason, allow, supported string
}

var errSilent = errors.New("nothing came back")

// ask sends an OPTIONS from a port of its own, and over UDP again until an answer
// has come (RFC 3261 17.1.2).
func ask(ctx context.Context, s *configs.Server, host, transport string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	c, err := dial(ctx, s, host, transport)
	if err != nil {
		return answer{}, err
	}
	defer c.Close()
	end, _ := ctx.Deadline()
	if err := c.SetDeadline(end); err != nil {
		return answer{}, err
	}
	id := rand.Text()
	request := fmt.Appendf(nil, "OPTIONS sip:%s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\n"+
		"From: <sip:doctor@cordboard.invalid>;tag=%s\r\nTo: <sip:%s>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nAccept: application/sdp\r\nContent-Length: 0\r\n\r\n",
		host, strings.ToUpper(transport), c.LocalAddr(), id, id[:8], host, id)
	if transport != "udp" {
		if _, err := c.Write(request); err != nil {
			return answer{}, err
		}
		return read(c, id)
	}
	b := make([]byte, 65535)
	for wait := 500 * time.Millisecond; ; wait *= 2 {
		if _, err := c.Write(request); err != nil {
			return answer{}, err
		}
		next := time.Now().Add(wait)
		if next.After(end) {
			next = end
		}
		for {
			_ = c.SetReadDeadline(next)
			n, err := c.Read(b)
			if err == nil {
				if a, err := read(bytes.NewReader(b[:n]), id); err == nil {
					return a, nil
				}
				continue
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				return answer{}, err // refused by the machine
			}
			break
		}
		if !time.Now().Before(end) {
			return answer{}, errSilent
		}
	}
}

func dial(ctx context.Context, s *configs.Server, host, transport string) (net.Conn, error) {
	name, at := hostPort(host)
	if at == "" {
		at = "5060"
		if transport == "tls" {
			at = "5061"
		}
		if net.ParseIP(name) == nil {
			if _, all, err := net.DefaultResolver.LookupSRV(ctx, "sip", transport, name); err == nil && len(all) > 0 {
				name, at = strings.TrimSuffix(all[0].Target, "."), strconv.Itoa(int(all[0].Port))
			}
		}
	}
	network := "tcp"
	if transport == "udp" {
		network = "udp"
	}
	if transport != "tls" {
		var d net.Dialer
		return d.DialContext(ctx, network, net.JoinHostPort(name, at))
	}
	c := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}
	if t := s.SIP.TLS; t != nil && t.CA != "" {
		c.RootCAs = x509.NewCertPool()
		if pem, err := os.ReadFile(t.CA); err == nil {
			c.RootCAs.AppendCertsFromPEM(pem)
		}
	}
	d := tls.Dialer{Config: c}
	return d.DialContext(ctx, network, net.JoinHostPort(name, at))
}

// read reads a final response to our request.
func read(r interface{ Read([]byte) (int, error) }, id string) (answer, error) {
	in := textproto.NewReader(bufio.NewReader(r))
	for {
		first, err := in.ReadLine()
		if err != nil {
			return answer{}, err
		}
		if first == "" {
			continue
		}
		head, err := in.ReadMIMEHeader()
		if err != nil {
			return answer{}, err
		}
		version, rest, _ := strings.Cut(first, " ")
		code, reason, _ := strings.Cut(rest, " ")
		n, err := strconv.Atoi(code)
		if version != "SIP/2.0" || err != nil || cmp.Or(head.Get("Call-Id"), head.Get("I")) != id {
			return answer{}, errors.New("what came back is no answer to it")
		}
		if n >= 200 {
			return answer{n, reason, strings.Join(head["Allow"], ", "), strings.Join(append(head["Supported"], head["K"]...), ", ")}, nil
		}
	}
}
