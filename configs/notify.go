package configs

import (
	"fmt"
	"net"
	"net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// Notify says how users are told of what waits for them. A channel that is nil is
// not there.
type Notify struct {
	Desk    string         `key:"desk"` // where they find it: https://desk.example.com
	Mail    *NotifyMail    `key:"mail"`
	Webhook *NotifyWebhook `key:"webhook"`
	SMS     *NotifySMS     `key:"sms"`
}

// NotifyMail is the mail server that takes notices.
type NotifyMail struct {
	Server       string `key:"server"` // HOST:PORT
	From         string `key:"from"`
	User         string `key:"user"`          // "": nobody signs in
	PasswordFile string `key:"password_file"` // holds it on its first line
	TLS          string `key:"tls"`           // of MailTLS
	CA           string `key:"ca"`            // certificates that the server's is checked by; "": the machine's
}

// Ways to reach a mail server.
const (
	MailStartTLS = "starttls" // and not without
	MailImplicit = "implicit" // TLS from the first byte
	MailPlain    = "none"     // of a server on this machine alone
)

// Password is that of the mail server's user; "" without one. Its errors don't
// repeat it.
func (m *NotifyMail) Password() (string, error) {
	return secretOf("notify.mail.password_file", m.PasswordFile)
}

// NotifyWebhook is an address that every notice is sent to.
type NotifyWebhook struct {
	URL        string `key:"url"`
	SecretFile string `key:"secret_file"` // notices are signed with its first line
}

// Secret is what notices are signed with.
func (w *NotifyWebhook) Secret() (string, error) {
	secret, err := secretOf("notify.webhook.secret_file", w.SecretFile)
	if err == nil && len(secret) < leastToken {
		err = fmt.Errorf("notify.webhook.secret_file: a secret has %d characters at least", leastToken)
	}
	return secret, err
}

// NotifySMS is a gateway that sends short messages for an HTTP request.
type NotifySMS struct {
	URL       string `key:"url"`
	Form      string `key:"form"`       // of SMSForms
	Body      string `key:"body"`       // with {to}, {text} and {id} in it
	TokenFile string `key:"token_file"` // sent as a bearer's; "": none
}

// SMSForms are the forms of a gateway's request.
var SMSForms = []string{"json", "urlencoded"}

// Token is what the gateway is shown; "" for nothing.
func (g *NotifySMS) Token() (string, error) { return secretOf("notify.sms.token_file", g.TokenFile) }

func secretOf(key, file string) (string, error) {
	if file == "" {
		return "", nil
	}
	secret, err := firstLine(file)
	if err == nil && secret == "" {
		err = fmt.Errorf("%s: its first line is empty", file)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", key, err)
	}
	return secret, nil
}

func (s *serverReader) notify(n *node) *Notify {
	if n == nil {
		return nil
	}
	o := s.object(n)
	out := &Notify{}
	if k := o.must("desk"); k != nil {
		out.Desk = s.origin(k)
	}
	if k := o.get("mail"); k != nil {
		out.Mail = s.notifyMail(k)
	}
	if k := o.get("webhook"); k != nil {
		w := s.object(k)
		out.Webhook = &NotifyWebhook{URL: s.notifyURL(w.must("url")), SecretFile: s.path(w.must("secret_file"), "")}
		w.close()
	}
	if k := o.get("sms"); k != nil {
		out.SMS = s.notifySMS(k)
	}
	if !o.bad && out.Mail == nil && out.Webhook == nil && out.SMS == nil {
		s.errorf(n, CodeMissing, "notify: say how: mail, webhook or sms")
	}
	o.close()
	return out
}

func (s *serverReader) notifyMail(n *node) *NotifyMail {
	o := s.object(n)
	m := &NotifyMail{}
	server := o.must("server")
	if server != nil {
		m.Server = s.hostPort(server)
	}
	if k := o.must("from"); k != nil {
		m.From = s.text(k, 250)
		if a, err := mail.ParseAddress(m.From); m.From != "" && (err != nil || a.Address != m.From) {
			s.wrong(k, "%s is not an address, such as desk@example.com", quote(m.From))
		}
	}
	if k := o.get("user"); k != nil {
		m.User = s.text(k, 250)
	}
	password := o.get("password_file")
	m.PasswordFile = s.path(password, "")
	if (m.User == "") != (password == nil) {
		s.errorf(n, CodeMissing, "notify.mail: user and password_file go together")
	}
	way := o.get("tls")
	m.TLS = s.choice(way, MailStartTLS, []string{MailStartTLS, MailImplicit, MailPlain})
	if m.TLS == MailPlain && !loopback(m.Server) {
		s.wrong(way, "without TLS notices go to a mail server on this machine alone")
	}
	m.CA = s.path(o.get("ca"), "")
	o.close()
	return m
}

func (s *serverReader) notifySMS(n *node) *NotifySMS {
	o := s.object(n)
	g := &NotifySMS{URL: s.notifyURL(o.must("url"))}
	g.Form = s.choice(o.get("form"), SMSForms[0], SMSForms)
	if k := o.must("body"); k != nil {
		g.Body = s.text(k, 2000)
		for _, place := range []string{"{to}", "{text}"} {
			if g.Body != "" && !strings.Contains(g.Body, place) {
				s.wrong(k, "%s is not in it", place)
			}
		}
	}
	g.TokenFile = s.path(o.get("token_file"), "")
	o.close()
	return g
}

// notifyURL reads an address that notices are sent to: over TLS, unless it is of this
// machine.
func (s *serverReader) notifyURL(n *node) string {
	if n == nil {
		return ""
	}
	text := s.text(n, 1000)
	u, err := url.Parse(text)
	switch {
	case text == "":
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http":
		s.wrong(n, "%s is not an address, such as https://gateway.example.com/send", quote(text))
	case u.Scheme == "http" && !loopback(u.Host):
		s.wrong(n, "without TLS notices go to this machine alone: want https")
	}
	return text
}

// hostPort reads HOST:PORT.
func (s *serverReader) hostPort(n *node) string {
	text := s.text(n, 260)
	host, port, err := net.SplitHostPort(text)
	if p, bad := strconv.ParseUint(port, 10, 16); text != "" && (err != nil || bad != nil || p == 0 || !hostname.MatchString(host) && !isAddress(host)) {
		s.wrong(n, "%s is not a host and port, such as mail.example.com:587", quote(text))
	}
	return text
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// loopback says whether HOST or HOST:PORT is this machine.
func loopback(at string) bool {
	if host, _, err := net.SplitHostPort(at); err == nil {
		at = host
	}
	if at == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(at, "[]"))
	return err == nil && a.IsLoopback()
}
