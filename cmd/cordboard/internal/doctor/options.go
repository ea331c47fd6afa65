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
	"net/netip"
	"net/textproto"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/sip/locate"
	"github.com/cordboard/cordboard/sip/stack"
)

// trunks asks those that calls leave by for life. Of the others the file has no
// address to ask: they are known by where they come from.
func trunks(ctx context.Context, p Patient) []Line {
	lines := make([][]Line, len(p.Server.SIP.Trunks))
	var asked sync.WaitGroup
	for i, t := range p.Server.SIP.Trunks {
		if t.Out != nil {
			asked.Go(func() { lines[i] = trunk(ctx, p.Server, t) })
		}
	}
	asked.Wait()
	return slices.Concat(lines...)
}

// trunk asks each of a trunk's servers. While one answers, the others are no end of
// its calls.
func trunk(ctx context.Context, s *configs.Server, t configs.Trunk) []Line {
	to, err := servers(ctx, s, t.Out)
	if err != nil {
		return nil // names has said it
	}
	lines := make([]Line, len(to))
	var asked sync.WaitGroup
	for i := range to {
		asked.Go(func() { lines[i] = server(ctx, s, t, to[i]) })
	}
	asked.Wait()
	if slices.ContainsFunc(lines, func(l Line) bool { return l.Verdict != Fail }) {
		for i, l := range lines {
			if l.Verdict == Fail {
				lines[i].Verdict, lines[i].Do = Warn, "Calls take the next server. "+l.Do
			}
		}
	}
	return lines
}

// servers are those that a trunk's calls go to.
func servers(ctx context.Context, s *configs.Server, o *configs.Out) ([]locate.Server, error) {
	q := query(s, o)
	a, err := netip.ParseAddr(q.Host)
	if err != nil {
		return finder(s).Find(ctx, q)
	}
	transport, port := cmp.Or(o.Transport, "udp"), 5060
	if transport == "tls" {
		port = 5061
	}
	return []locate.Server{{Transport: transport, Addr: netip.AddrPortFrom(a.Unmap(), uint16(cmp.Or(q.Port, port)))}}, nil
}

func server(ctx context.Context, s *configs.Server, t configs.Trunk, to locate.Server) Line {
	of, transport, began := "sip.trunks."+t.Name+".out", to.Transport, time.Now()
	if net.ParseIP(t.Host()) == nil {
		transport += " at " + to.Addr.String()
	}
	login, err := loginOf(t)
	if err != nil {
		return bad(Fail, of, err.Error(), "The server does not start without it")
	}
	a, err := ask(ctx, s, ping, t.Out.Host, to, login)
	switch {
	case errors.Is(err, stack.ErrPassword):
		return bad(Fail, of, fmt.Sprintf("answers OPTIONS with %d by %s, and is not shown our password: %v", a.code, transport, err),
			"Set realm to what it asks for, if it is the provider's")
	case err != nil:
		return bad(Fail, of, fmt.Sprintf("no answer to OPTIONS by %s from %s: %v", transport, t.Out.Host, err),
			"It is off, behind a firewall, or at another address, port or transport")
	case a.shown && (a.code == 401 || a.code == 403 || a.code == 407): // many say 403 to a wrong password
		return bad(Fail, of, fmt.Sprintf("refuses our password: it answers OPTIONS with %d %s by %s", a.code, a.reason, transport),
			"Ask whoever runs it for user, password and realm")
	case a.shown && a.code < 300:
		return ok(of, "takes our password, and answers OPTIONS with %d by %s in %d ms", a.code, transport, time.Since(began).Milliseconds())
	case a.code < 300:
		return ok(of, "answers OPTIONS with %d by %s in %d ms; Allow: %s; Supported: %s", a.code, transport,
			time.Since(began).Milliseconds(), cmp.Or(a.allow, "not said"), cmp.Or(a.supported, "not said"))
	case a.code == 401 || a.code == 403 || a.code == 407:
		return bad(Warn, of, fmt.Sprintf("answers OPTIONS with %d %s by %s: it lives, and does not let this machine in", a.code, a.reason, transport),
			"Have this machine's address allowed there")
	}
	return bad(Warn, of, fmt.Sprintf("answers OPTIONS with %d %s by %s", a.code, a.reason, transport), "It lives; ask whoever runs it what that means there")
}

// loginOf is what a trunk is shown; nil: nothing.
func loginOf(t configs.Trunk) (*stack.Login, error) {
	if t.Login.User == "" {
		return nil, nil
	}
	password, err := t.Secret()
	if err != nil {
		return nil, err
	}
	return stack.NewLogin(t.Name, t.Login.User, t.Login.Realm, password), nil
}

// answer is what came back.
type answer struct {
	code                     int
	reason, allow, supported string
	to                       string
	asked                    stack.Message // with 401 and 407: its challenges
	shown                    bool          // our password has been
}

var errSilent = errors.New("nothing came back")

// kind is what is asked: a method, and the headers that are its own.
type kind struct{ method, headers string }

var ping = kind{"OPTIONS", "Accept: application/sdp\r\n"}

// ask sends a request from a port of its own, and once more with our password where
// it is met by a challenge and there is a login. host may have a user before it.
func ask(ctx context.Context, s *configs.Server, what kind, host string, to locate.Server, login *stack.Login) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	c, err := dial(ctx, s, host, to)
	if err != nil {
		return answer{}, err
	}
	defer c.Close()
	end, _ := ctx.Deadline()
	if err := c.SetDeadline(end); err != nil {
		return answer{}, err
	}
	q := question{Conn: c, kind: what, to: "<sip:" + host + ">", in: textproto.NewReader(bufio.NewReader(c)), host: host, transport: to.Transport, id: rand.Text(), end: end}
	a, err := q.put(1, "")
	if err != nil || login == nil || a.code != 401 && a.code != 407 {
		q.takeBack(a)
		return a, err
	}
	shown, err := login.Answer(&a.asked, what.method, "sip:"+host)
	if err != nil {
		return a, err
	}
	q.shown = shown.Name + ": " + shown.Value + "\r\n"
	a, err = q.put(2, q.shown)
	a.shown = true
	q.takeBack(a)
	return a, err
}

// takeBack ends a subscription that was given, as far as the PBX hears of it.
func (c question) takeBack(a answer) {
	if c.method != "SUBSCRIBE" || a.code/100 != 2 {
		return
	}
	c.to, c.headers = a.to, subscribing(0)
	_, _ = c.put(3, c.shown)
}

// question is a request on its way.
type question struct {
	net.Conn
	kind
	in                  *textproto.Reader // of a stream
	host, transport, id string
	to                  string
	end                 time.Time
	shown               string // our password
}

// put sends it, over UDP again until an answer has come (RFC 3261 17.1.2).
func (c question) put(cseq int, more string) (answer, error) {
	request := fmt.Appendf(nil, "%s sip:%s SIP/2.0\r\nVia: SIP/2.0/%s %s;rport;branch=z9hG4bK%s%d\r\nMax-Forwards: 70\r\n"+
		"From: <sip:doctor@cordboard.invalid>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:doctor@%s>\r\n%s%sContent-Length: 0\r\n\r\n",
		c.method, c.host, strings.ToUpper(c.transport), c.LocalAddr(), c.id, cseq, c.id[:8], c.to, c.id, cseq, c.method, c.LocalAddr(), c.headers, more)
	if c.transport != "udp" {
		if _, err := c.Write(request); err != nil {
			return answer{}, err
		}
		return c.read(c.in, cseq)
	}
	b := make([]byte, 65535)
	for wait := 500 * time.Millisecond; ; wait *= 2 {
		if _, err := c.Write(request); err != nil {
			return answer{}, err
		}
		next := time.Now().Add(wait)
		if next.After(c.end) {
			next = c.end
		}
		for {
			_ = c.SetReadDeadline(next)
			n, err := c.Read(b)
			if err == nil {
				if a, err := c.read(textproto.NewReader(bufio.NewReader(bytes.NewReader(b[:n]))), cseq); err == nil {
					return a, nil
				}
				continue
			}
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				return answer{}, err // refused by the machine
			}
			break
		}
		if !time.Now().Before(c.end) {
			return answer{}, errSilent
		}
	}
}

// dial makes the connection to one server; over TLS it must be the name's.
func dial(ctx context.Context, s *configs.Server, host string, to locate.Server) (net.Conn, error) {
	network := "tcp"
	if to.Transport == "udp" {
		network = "udp"
	}
	if to.Transport != "tls" {
		var d net.Dialer
		return d.DialContext(ctx, network, to.Addr.String())
	}
	_, name, isUser := strings.Cut(host, "@")
	if !isUser {
		name = host
	}
	name, _ = hostPort(name)
	c := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}
	if t := s.SIP.TLS; t != nil && t.CA != "" {
		c.RootCAs = x509.NewCertPool()
		if pem, err := os.ReadFile(t.CA); err == nil {
			c.RootCAs.AppendCertsFromPEM(pem)
		}
	}
	d := tls.Dialer{Config: c}
	return d.DialContext(ctx, network, to.Addr.String())
}

// read reads a final response to our request.
func (c question) read(in *textproto.Reader, cseq int) (answer, error) {
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
		if count, _, _ := strings.Cut(head.Get("Cseq"), " "); version != "SIP/2.0" || err != nil ||
			cmp.Or(head.Get("Call-Id"), head.Get("I")) != c.id || count != strconv.Itoa(cseq) {
			return answer{}, errors.New("what came back is no answer to it")
		}
		if c.transport != "udp" { // the body, which the next answer stands behind
			length, _ := strconv.Atoi(cmp.Or(head.Get("Content-Length"), head.Get("L")))
			if _, err := in.R.Discard(max(length, 0)); err != nil {
				return answer{}, err
			}
		}
		if n < 200 {
			continue
		}
		a := answer{code: n, reason: reason, allow: strings.Join(head["Allow"], ", "), supported: strings.Join(append(head["Supported"], head["K"]...), ", ")}
		a.to, a.asked.Status = head.Get("To"), n
		for _, name := range []string{"Www-Authenticate", "Proxy-Authenticate"} {
			for _, v := range head[name] {
				a.asked.Headers = append(a.asked.Headers, stack.Header{Name: name, Value: v})
			}
		}
		return a, nil
	}
}
