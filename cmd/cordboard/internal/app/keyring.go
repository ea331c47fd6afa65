package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/sip/stack"
)

// keyring holds what the server shows and whom it trusts in TLS, for SIP and
// for HTTPS. Files are read anew when they change and on a reload; files that
// can't be used leave what was read before.
type keyring struct {
	log *zap.Logger

	mu    sync.Mutex
	items map[string]*keyItem // by paths: two listeners may show one certificate
}

// keyItem is what one set of files gives.
type keyItem struct {
	setting string // of the server file, for the log
	paths   []string
	stamp   string // of the files as they were last read
	load    func() (until time.Time, err error)

	certificate atomic.Pointer[tls.Certificate]
	roots       atomic.Pointer[x509.CertPool]
}

func newKeyring(log *zap.Logger) *keyring {
	return &keyring{log: log.Named("tls"), items: map[string]*keyItem{}}
}

// certificate reads a certificate and its key, and gives what shows the latest.
func (k *keyring) certificate(setting, cert, key string) (*keyItem, error) {
	i := &keyItem{setting: setting, paths: []string{cert, key}}
	i.load = func() (time.Time, error) {
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			return time.Time{}, err
		}
		i.certificate.Store(&pair)
		return pair.Leaf.NotAfter, nil
	}
	return k.add(i)
}

// trust reads a file of roots.
func (k *keyring) trust(setting, path string) (*keyItem, error) {
	i := &keyItem{setting: setting, paths: []string{path}}
	i.load = func() (time.Time, error) {
		pem, err := os.ReadFile(path)
		if err != nil {
			return time.Time{}, err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return time.Time{}, errors.New("no certificate in it")
		}
		i.roots.Store(pool)
		return time.Time{}, nil
	}
	return k.add(i)
}

func (k *keyring) add(i *keyItem) (*keyItem, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	name := strings.Join(i.paths, "\x00")
	if had := k.items[name]; had != nil {
		return had, nil
	}
	i.stamp = stampOf(i.paths)
	until, err := i.load()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", i.setting, err)
	}
	if !until.IsZero() && time.Now().After(until) {
		k.log.Warn("the certificate has expired", zap.String("setting", i.setting), zap.Time("not_after", until))
	}
	k.items[name] = i
	return i, nil
}

// stampOf tells two states of files apart. A missing one has a stamp too.
func stampOf(paths []string) string {
	var b strings.Builder
	for _, p := range paths {
		if st, err := os.Stat(p); err == nil {
			fmt.Fprintf(&b, "%d %d\n", st.ModTime().UnixNano(), st.Size())
		} else {
			b.WriteString("none\n")
		}
	}
	return b.String()
}

// reload reads the files that have changed, or all of them.
func (k *keyring) reload(all bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, i := range k.items {
		stamp := stampOf(i.paths)
		if !all && stamp == i.stamp {
			continue
		}
		i.stamp = stamp
		until, err := i.load()
		if err != nil {
			// Half of a new pair is such a case: the other half is a change too.
			k.log.Error("not read, the one before stays", zap.String("setting", i.setting), zap.Error(err))
			continue
		}
		k.log.Info("read anew", zap.String("setting", i.setting), zap.Time("not_after", until))
	}
}

// lookEvery is how often files are looked at for a change.
const lookEvery = 5 * time.Second

// watch reads files anew when they change, until ctx ends.
func (k *keyring) watch(ctx context.Context, every time.Duration) {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			k.reload(false)
		case <-ctx.Done():
			return
		}
	}
}

// server is a listener's side.
func (i *keyItem) server() *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return i.certificate.Load(), nil },
	}
}

// sipTLS is what the stack needs of it, nil without sip.tls.
func (k *keyring) sipTLS(c *configs.TLS) (*stack.TLS, error) {
	if c == nil {
		return nil, nil
	}
	own, err := k.certificate("sip.tls", c.Certificate, c.Key)
	if err != nil {
		return nil, err
	}
	var roots *keyItem
	if c.CA != "" {
		if roots, err = k.trust("sip.tls.ca", c.CA); err != nil {
			return nil, err
		}
	}
	return &stack.TLS{
		Server: own.server(),
		Client: func() *tls.Config {
			client := &tls.Config{
				MinVersion: tls.VersionTLS12,
				GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
					return own.certificate.Load(), nil
				},
			}
			if roots != nil {
				client.RootCAs = roots.roots.Load()
			}
			return client
		},
	}, nil
}
