package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"time"
)

const certificateFile, keyFile = "sip.crt", "sip.key"

// authority issues the certificates of the server's TLS listener, one after the
// other, for its address. The callers trust it.
type authority struct {
	dir    string
	server netip.Addr
	key    *ecdsa.PrivateKey
	cert   *x509.Certificate
	trust  *x509.CertPool
	serial int64
}

func newAuthority(dir string, server netip.Addr) (*authority, error) {
	a := &authority{dir: dir, server: server, trust: x509.NewCertPool()}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return nil, err
	}
	own := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "soak"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, own, own, a.key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	a.trust.AddCert(a.cert)
	a.serial = 1
	return a, a.issue()
}

// issue writes a new certificate and its key in place of the last ones, the key
// first, as whoever renews certificates does: for a moment they do not fit.
func (a *authority) issue() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(a.serial + 1), Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IPAddresses: []net.IP{a.server.AsSlice()}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, a.cert, key.Public(), a.key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name  string
		block pem.Block
	}{{keyFile, pem.Block{Type: "PRIVATE KEY", Bytes: secret}}, {certificateFile, pem.Block{Type: "CERTIFICATE", Bytes: der}}} {
		if err := os.WriteFile(filepath.Join(a.dir, f.name), pem.EncodeToMemory(&f.block), 0o600); err != nil {
			return err
		}
	}
	a.serial++
	return nil
}

// client is how a caller dials.
func (a *authority) client() *tls.Config {
	return &tls.Config{RootCAs: a.trust, ServerName: a.server.String()}
}

// shown is an error unless a new connection to addr is shown the certificate
// that was issued last.
func (a *authority) shown(addr string) error {
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 2 * time.Second}, "tcp", addr, a.client())
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	if n := c.ConnectionState().PeerCertificates[0].SerialNumber.Int64(); n != a.serial {
		return fmt.Errorf("a new connection is shown certificate %d, the last one is %d", n, a.serial)
	}
	return nil
}
