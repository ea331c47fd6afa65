// Package smtptest runs a real mail server for tests: Debian's aiosmtpd, with STARTTLS
// and a password, which keeps what it takes.
package smtptest

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	_ "embed"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/mail"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

//go:embed server.py
var script string

// User is who may send, and Password is shown.
const (
	User     = "desk"
	Password = "a-password-of-the-desk"
)

// Server is one mail server.
type Server struct {
	Port   string
	folder string
	t      testing.TB
	cmd    *exec.Cmd
}

// Start runs a server until the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath("aiosmtpd"); err != nil {
		t.Fatal("The tests send mail to aiosmtpd. Install it with:  sudo apt-get install --no-install-recommends python3-aiosmtpd")
	}
	s := &Server{folder: t.TempDir(), t: t, Port: "0"}
	s.certify()
	s.write("password", Password+"\n")
	t.Cleanup(s.Stop)
	s.Restart()
	return s
}

// Restart runs it again, where it was.
func (s *Server) Restart() {
	s.t.Helper()
	// Debian's own, which has Debian's modules.
	s.cmd = exec.Command("/usr/bin/python3", "-c", script, s.folder, User, Password, s.Port)
	s.cmd.Stderr = os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		s.t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.t.Fatalf("the mail server did not start: %v", err)
	}
	s.Port = strings.TrimSpace(line)
}

// Stop ends it.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait() // killed
	s.cmd = nil
}

// Section is notify.mail of a server file that sends by it.
func (s *Server) Section() string {
	return fmt.Sprintf(`{server: "127.0.0.1:%s", from: desk@example.com, user: %s, password_file: %q, ca: %q}`,
		s.Port, User, filepath.Join(s.folder, "password"), filepath.Join(s.folder, "cert.pem"))
}

// Messages are what it has taken so far, in no order.
func (s *Server) Messages() (out []*mail.Message) {
	s.t.Helper()
	files, err := filepath.Glob(filepath.Join(s.folder, "mail", "new", "*"))
	if err != nil {
		s.t.Fatal(err)
	}
	slices.Sort(files)
	for _, path := range files {
		f, err := os.ReadFile(path)
		if err != nil {
			s.t.Fatal(err)
		}
		m, err := mail.ReadMessage(strings.NewReader(string(f)))
		if err != nil {
			s.t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

func (s *Server) write(name, text string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.folder, name), []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// certify makes a certificate of its own for 127.0.0.1.
func (s *Server) certify() {
	s.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mail.example.com"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		s.t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		s.t.Fatal(err)
	}
	s.write("cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert})))
	s.write("key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
}
