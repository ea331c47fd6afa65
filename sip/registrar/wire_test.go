package registrar

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"net/textproto"
	"strconv"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/stack"
)

// engaged is call control that is busy to whoever may call.
type engaged struct{ r *Registrar }

func (e engaged) Invite(d *stack.Dialog, req *stack.Message) {
	d.Bind(func(stack.Event) {})
	agent, a, phone := e.r.Caller(req, false)
	if agent == "ann" && phone && a.Code == 0 {
		a = stack.Answer{Code: 486}
	}
	_ = d.Reject(a.Code, "", a.Headers)
}

func (engaged) Other(*stack.Message) (int, string) { return 405, "" }

// wire is a telephone on a TCP connection.
type wire struct {
	t    *testing.T
	conn net.Conn
	in   *textproto.Reader
	n    int
}

// ask sends a request and gives the final answer.
func (w *wire) ask(method string, headers ...string) stack.Answer {
	w.t.Helper()
	w.n++
	if len(headers) > 0 {
		headers = append(headers, "")
	}
	_, err := fmt.Fprintf(w.conn, "%s sip:desk.example SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bKw%d\r\nMax-Forwards: 70\r\n"+
		"From: <sip:ann@desk.example>;tag=1\r\nTo: <sip:ann@desk.example>\r\nCall-ID: w\r\nCSeq: %d %s\r\n"+
		"Contact: <sip:ann@192.0.2.77;transport=tcp>\r\n%sContent-Length: 0\r\n\r\n",
		method, w.conn.LocalAddr(), w.n, w.n, method, strings.Join(headers, "\r\n"))
	if err != nil {
		w.t.Fatal(err)
	}
	for {
		line, err := w.in.ReadLine()
		if err != nil {
			w.t.Fatal(method, err)
		}
		h, err := w.in.ReadMIMEHeader()
		if err != nil {
			w.t.Fatal(method, err)
		}
		code, _ := strconv.Atoi(strings.Fields(line)[1])
		if code < 200 {
			continue
		}
		a := stack.Answer{Code: code}
		for name, values := range h {
			for _, v := range values {
				if strings.EqualFold(name, "WWW-Authenticate") {
					name = "WWW-Authenticate"
				}
				a.Headers = append(a.Headers, stack.Header{Name: name, Value: v})
			}
		}
		return a
	}
}

// CVE-2021-37624, CVE-2021-41157: every method, without credentials, with bad
// ones and with good ones. Only REGISTER is for telephones, and OPTIONS and INVITE for
// one that is registered; what is not listed is refused.
func TestEveryMethodIsAuthenticated(t *testing.T) {
	w := newWorld(t)
	lo, phone := netip.MustParseAddr("127.0.0.1"), &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}
	s, err := stack.New(stack.Options{
		Listen: []stack.Listen{{Transport: "udp", Addr: netip.AddrPortFrom(lo, 0)}, {Transport: "tcp", Addr: netip.AddrPortFrom(lo, 0)}},
		Allow:  func(netip.Addr) bool { return false }, Handler: engaged{w.Registrar}, Phones: w.Registrar,
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Close()
	conn, err := (&net.Dialer{LocalAddr: phone}).DialContext(t.Context(), "tcp", s.Addr("tcp").String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	p := &wire{t: t, conn: conn, in: textproto.NewReader(bufio.NewReader(conn))}
	credentials := func(method, password string) string {
		challenge := challenged(t, p.ask("REGISTER"), digest.MD5)
		return "Authorization: " + authorize(challenge, "ann", password, 1, method, "sip:desk.example")
	}
	methods := []string{"INVITE", "MESSAGE", "SUBSCRIBE", "NOTIFY", "PUBLISH", "REFER", "INFO", "UPDATE", "PRACK", "BYE", "OPTIONS", "CANCEL", "FETCH", "REGISTER"}
	for _, method := range methods {
		for _, c := range []struct {
			name     string
			password string
			register int
		}{{"none", "", 401}, {"bad", "guess", 403}, {"good", "ann's secret", 200}} {
			want := 403
			if method == "REGISTER" {
				want = c.register
			}
			var h []string
			if c.password != "" {
				h = append(h, credentials(method, c.password))
			}
			if got := p.ask(method, h...).Code; got != want {
				t.Errorf("%s with %s credentials: %d, want %d", method, c.name, got, want)
			}
		}
	}
	for _, method := range methods[:len(methods)-1] {
		want := 403
		switch method {
		case "OPTIONS":
			want = 200
		case "CANCEL":
			want = 481 // of no INVITE
		case "INVITE":
			want = 486
			if none, bad := p.ask(method).Code, p.ask(method, credentials(method, "guess")).Code; none != 401 || bad != 403 {
				t.Errorf("INVITE of a registered telephone: %d without credentials, %d with bad ones", none, bad)
			}
		}
		if got := p.ask(method, credentials(method, "ann's secret")).Code; got != want {
			t.Errorf("%s of a registered telephone: %d, want %d", method, got, want)
		}
	}
}
