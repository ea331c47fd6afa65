package tracking

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"

	"github.com/wneessen/go-mail"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/store"
)

// mailer sends notices by a mail server.
type mailer struct {
	from, domain, desk string
	host               string
	options            []mail.Option
}

// newMailer reads what is needed for it.
func newMailer(c *configs.NotifyMail, desk string) (*mailer, error) {
	host, port, err := net.SplitHostPort(c.Server)
	if err != nil {
		return nil, err
	}
	n, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	password, err := c.Password()
	if err != nil {
		return nil, err
	}
	trust := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if c.CA != "" {
		pem, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, fmt.Errorf("notify.mail.ca: %w", err)
		}
		trust.RootCAs = x509.NewCertPool()
		if !trust.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("notify.mail.ca: %s holds no certificate", c.CA)
		}
	}
	options := []mail.Option{mail.WithPort(n), mail.WithTimeout(sendTime), mail.WithTLSConfig(trust)}
	switch c.TLS {
	case configs.MailImplicit:
		options = append(options, mail.WithSSL())
	case configs.MailPlain:
		options = append(options, mail.WithTLSPolicy(mail.NoTLS))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	}
	if c.User != "" {
		options = append(options, mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover), mail.WithUsername(c.User), mail.WithPassword(password))
	}
	return &mailer{from: c.From, domain: domainOf(c.From), desk: desk, host: host, options: options}, nil
}

func domainOf(address string) string {
	for i := len(address) - 1; i >= 0; i-- {
		if address[i] == '@' {
			return address[i+1:]
		}
	}
	return address
}

// Name implements Channel.
func (m *mailer) Name() string { return store.ByMail }

// Reaches implements Channel.
func (m *mailer) Reaches(r store.Reach) bool { return r.Mail != "" }

// Send implements Channel. A connection for each: there are few, and none is kept
// that the server would have closed meanwhile.
func (m *mailer) Send(ctx context.Context, to store.Reach, n Notice) error {
	msg := mail.NewMsg()
	if err := msg.From(m.from); err != nil {
		return err
	}
	if err := msg.To(to.Mail); err != nil {
		return errors.New("the user's address is none")
	}
	msg.SetMessageIDWithValue(n.ID + "@" + m.domain) // the same each time it is sent
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.Subject(n.Ref + ": " + n.Title)
	msg.SetBodyString(mail.TypeTextPlain, n.text()+"\n\n"+m.desk+"\n")
	client, err := mail.NewClient(m.host, m.options...)
	if err != nil {
		return err
	}
	return unnamed(client.DialAndSendWithContext(ctx, msg))
}

// unnamed is an error of sending without what the server said, which repeats to whom.
func unnamed(err error) error {
	var refused *mail.SendError
	if errors.As(err, &refused) {
		return fmt.Errorf("the mail server did not take it: %s (code %d)", refused.Reason, refused.ErrorCode())
	}
	return err
}
