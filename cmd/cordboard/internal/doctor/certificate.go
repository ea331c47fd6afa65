package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"time"
)

// soon is how many days before its end a certificate is warned of.
const soon = 21 * 24 * time.Hour

func certificates(_ context.Context, p Patient) (out []Line) {
	if w := p.Server.Web; w.TLSCert != "" {
		host, _, _ := net.SplitHostPort(w.Listen)
		out = append(out, certificate("web.tls", w.TLSCert, w.TLSKey, host))
	}
	if t := p.Server.SIP.TLS; t != nil {
		out = append(out, certificate("sip.tls", t.Certificate, t.Key, p.Server.SIP.Advertise))
		if t.CA != "" {
			out = append(out, roots("sip.tls.ca", t.CA))
		}
	}
	return out
}

// certificate looks at a certificate and its key; host is what peers ask it for,
// "" or an address that says nothing when that is not known.
func certificate(of, cert, key, host string) Line {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return bad(Fail, of, err.Error(), "The server does not start with it: both files must be readable PEM, and the key the certificate's")
	}
	leaf, now := pair.Leaf, time.Now()
	left := leaf.NotAfter.Sub(now)
	days := int(left / (24 * time.Hour))
	until := leaf.NotAfter.UTC().Format(time.DateOnly)
	switch {
	case left < 0:
		return bad(Fail, of, fmt.Sprintf("the certificate has expired on %s", until), "Renew it; the server reads the files again by itself")
	case now.Before(leaf.NotBefore):
		return bad(Fail, of, "the certificate is not valid before "+leaf.NotBefore.UTC().Format(time.RFC3339), "Look at this machine's clock")
	case len(leaf.DNSNames)+len(leaf.IPAddresses) == 0:
		return bad(Fail, of, "the certificate names no host: peers verify none of its other names", "Have one made with subjectAltName")
	}
	if a := net.ParseIP(host); host != "" && (a == nil || !a.IsUnspecified()) {
		if err := leaf.VerifyHostname(host); err != nil {
			return bad(Warn, of, err.Error(), "Peers that ask for that name will not connect")
		}
	}
	if left < soon {
		return bad(Warn, of, fmt.Sprintf("the certificate ends in %d days, on %s", days, until), "Renew it; the server reads the files again by itself")
	}
	chain := x509.NewCertPool()
	for _, der := range pair.Certificate[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			chain.AddCert(c)
		}
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Intermediates: chain}); err != nil {
		return bad(Warn, of, fmt.Sprintf("%d days left; this machine would not trust it: %v", days, err),
			"Peers must know its issuer; when it is a public one, put the issuer's certificates behind it in the file")
	}
	return ok(of, "%d days left, names %v", days, leaf.DNSNames)
}

func roots(of, path string) Line {
	pem, err := os.ReadFile(path)
	if err != nil {
		return bad(Fail, of, err.Error(), "")
	}
	if !x509.NewCertPool().AppendCertsFromPEM(pem) {
		return bad(Fail, of, path+" has no certificate in it", "")
	}
	return ok(of, "readable")
}
