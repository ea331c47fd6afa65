package app

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"syscall"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/web"
)

// Check says what would keep a server with this file from starting, as far as
// that shows without starting: certificates and their keys, secrets, folders,
// addresses of this machine. It makes nothing, takes no port and asks no other
// machine. The errors name keys of the file, and no secret.
func Check(s *configs.Server) (found []error) {
	k := newKeyring(zap.NewNop())
	if s.Web.TLSCert != "" {
		found = add(found, second(k.certificate("web.tls", s.Web.TLSCert, s.Web.TLSKey)))
	}
	if t := s.SIP.TLS; t != nil {
		found = add(found, second(k.certificate("sip.tls", t.Certificate, t.Key)))
		if t.CA != "" {
			found = add(found, second(k.trust("sip.tls.ca", t.CA)))
		}
	}
	found = add(found, second(web.NewOrigins(s.Web.Origins)))
	found = add(found, second(s.PopTokens()))
	found = add(found, second(s.SenderTokens()))
	found = append(found, checkStore(s.Store)...)
	for _, l := range s.SIP.Listen {
		found = add(found, checkAddress("sip.listen", l.Addr.Addr().String()))
	}
	if s.Media.Addr.IsValid() {
		found = add(found, checkAddress("media.address", s.Media.Addr.String()))
	}
	for _, l := range []struct{ key, address string }{{"web.listen", s.Web.Listen}, {"admin", s.Admin}} {
		if host, _, err := net.SplitHostPort(l.address); err == nil && host != "" {
			found = add(found, checkAddress(l.key, host))
		}
	}
	return found
}

func second[T any](_ T, err error) error { return err }

func add(found []error, err error) []error {
	if err == nil {
		return found
	}
	for _, f := range found {
		if f.Error() == err.Error() { // two listeners on one wrong address
			return found
		}
	}
	return append(found, err)
}

func checkStore(s configs.Store) (found []error) {
	o, err := StoreOptions(s)
	if err == nil {
		if err = o.Check(); err != nil {
			err = fmt.Errorf("store.postgres: %w", err)
		}
	}
	found = add(found, err)
	if o.Path != "" {
		found = add(found, checkFolder("store.path", filepath.Dir(o.Path)))
		if st, err := os.Stat(o.Path); err == nil && st.IsDir() {
			found = add(found, fmt.Errorf("store.path: %s is a folder", o.Path))
		}
	}
	return add(found, checkFolder("store.journal", s.Journal))
}

// checkFolder says why no file can be made in a folder, which is made itself
// when it is not there.
func checkFolder(key, path string) error {
	for {
		st, err := os.Stat(path)
		switch {
		case err == nil && !st.IsDir():
			return fmt.Errorf("%s: %s is no folder", key, path)
		case err == nil:
			if err := syscall.Access(path, 0o3); err != nil { // W_OK, X_OK
				return fmt.Errorf("%s: %w", key, &os.PathError{Op: "write into", Path: path, Err: err})
			}
			return nil
		case !errors.Is(err, os.ErrNotExist) || path == filepath.Dir(path):
			return fmt.Errorf("%s: %w", key, err)
		}
		path = filepath.Dir(path)
	}
}

// checkAddress says that a host is no address of this machine. Names are not
// looked up.
func checkAddress(key, host string) error {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return nil
	}
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a, 0)))
	if err != nil {
		return fmt.Errorf("%s: %s is no address of this machine: %w", key, host, err)
	}
	return c.Close()
}
