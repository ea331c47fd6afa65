package app

import (
	"bufio"
	"context"
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
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/configs"
)

// writePair makes a certificate of its own authority and writes it down.
func writePair(t *testing.T, cert, key, name string) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	pkcs, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: pkcs}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// shown is the name in the certificate that an address shows.
func shown(t *testing.T, addr string) (string, *tls.Conn) {
	t.Helper()
	c, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true}) // whose it is is what we ask
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c.ConnectionState().PeerCertificates[0].Subject.CommonName, c
}

// alive asks by OPTIONS on a connection that is open.
func alive(t *testing.T, c *tls.Conn, cseq int) {
	t.Helper()
	_, err := fmt.Fprintf(c, "OPTIONS sip:x@localhost SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bKkeys%d\r\nMax-Forwards: 70\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:x@y>\r\nCall-ID: keys\r\nCSeq: %d OPTIONS\r\nContent-Length: 0\r\n\r\n", cseq, cseq)
	if err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	line, err := r.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "SIP/2.0 200") {
		t.Errorf("%q %v", line, err)
	}
	for line != "\r\n" && err == nil {
		line, err = r.ReadString('\n')
	}
}

// serving starts a server that speaks TLS, from a folder of its own.
func serving(t *testing.T, log *zap.Logger) *App { return servingFrom(t, t.TempDir(), log) }

func servingFrom(t *testing.T, folder string, log *zap.Logger) *App {
	t.Helper()
	writePair(t, filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem"), "first")
	server, findings := configs.ParseServer(filepath.Join(folder, "cordboard.yaml"), []byte(`cordboard: server/1
routing: routing.yaml
sip:
  listen: ["udp:127.0.0.1:0", "tls:127.0.0.1:0"]
  tls: {certificate: cert.pem, key: key.pem, ca: cert.pem}
  trunks:
    main: {from: [127.0.0.0/8]}
media: {address: 127.0.0.1, ports: 20400-22399}
web: {listen: "127.0.0.1:0", tls: {certificate: cert.pem, key: key.pem}}
admin: "127.0.0.1:0"
store: {path: cordboard.db, journal: journal}
`))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	policy, findings := configs.LoadRouting("../../../../configs/example/routing.yaml", configs.Sounds(func(string) bool { return true }))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	a, err := New(t.Context(), Options{Server: server, Policy: policy, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := a.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	return a
}

// One certificate for SIP and the desktop is exchanged while the server runs,
// by SIGHUP or by itself; one that can't be used changes nothing, and open
// connections stay.
func TestCertificatesAreReadAnew(t *testing.T) {
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	core, logs := observer.New(zap.InfoLevel)
	a := servingFrom(t, folder, zap.New(core))
	sip, web := a.stack.Addr("tls").String(), a.WebAddr().String()
	see := func(want string) *tls.Conn {
		t.Helper()
		got, c := shown(t, sip)
		if desk, _ := shown(t, web); got != want || desk != want {
			t.Errorf("shown: %q by SIP, %q by HTTPS, want %q", got, desk, want)
		}
		return c
	}
	open := see("first")
	alive(t, open, 1)

	writePair(t, cert, key, "second")
	a.ReloadCertificates() // as SIGHUP does
	see("second")

	if err := os.WriteFile(cert, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	a.ReloadCertificates()
	see("second")
	if logs.FilterMessage("not read, the one before stays").Len() == 0 {
		t.Error("nobody is told of a certificate that can't be used")
	}

	ctx, cancel := context.WithCancel(t.Context())
	watched := make(chan struct{})
	go func() { defer close(watched); a.keys.watch(ctx, time.Millisecond) }()
	writePair(t, cert, key, "third")
	deadline := time.Now().Add(patience)
	for got := ""; got != "third"; got, _ = shown(t, sip) {
		if time.Now().After(deadline) {
			t.Fatal("a change of the files is not seen")
		}
	}
	cancel()
	<-watched
	see("third")
	alive(t, open, 2) // made with the first certificate
	for _, e := range logs.All() {
		if e.Message == "panic" {
			t.Errorf("%v", e.ContextMap())
		}
	}
}

// A server whose certificate can't be read does not start.
func TestCertificateThatIsMissing(t *testing.T) {
	k := newKeyring(zap.NewNop())
	if _, err := k.sipTLS(&configs.TLS{Certificate: "/nowhere/cert.pem", Key: "/nowhere/key.pem"}); err == nil || !strings.HasPrefix(err.Error(), "sip.tls: ") {
		t.Errorf("%v", err)
	}
	folder := t.TempDir()
	cert, key := filepath.Join(folder, "cert.pem"), filepath.Join(folder, "key.pem")
	writePair(t, cert, key, "x")
	if _, err := k.sipTLS(&configs.TLS{Certificate: cert, Key: key, CA: key}); err == nil || !strings.HasPrefix(err.Error(), "sip.tls.ca: ") {
		t.Errorf("%v", err)
	}
}
