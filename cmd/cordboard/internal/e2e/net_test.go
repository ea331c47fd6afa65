// Package e2e drives the built binary as its users do: SIPp is the trunk,
// baresip and linphone the phones, headless Chromium the desktops. All of it runs in
// a network namespace of the test's own, because baresip will not speak media
// on the loopback interface.
package e2e

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cordboard/cordboard/store/storetest/pgtest"
)

const (
	testInterface = "cb0"
	testHost      = "10.77.0.1"
	inNamespace   = "CORDBOARD_E2E_NAMESPACE"
	postgresDir   = "CORDBOARD_E2E_POSTGRES"
)

// TestMain runs the tests again inside a network namespace with one interface.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(inNamespace) != "" {
		os.Exit(m.Run())
	}
	script := fmt.Sprintf(`set -e
ip link set lo up
ip link add %[1]s type veth peer name %[1]sp
ip addr add %[2]s/24 dev %[1]s
ip link set %[1]s up
ip link set %[1]sp up
exec "$@"`, testInterface, testHost)
	unshare := []string{"--net"}
	if os.Getuid() != 0 {
		unshare = append(unshare, "--map-root-user")
	}
	cmd := exec.Command("unshare", append(append(unshare, "sh", "-c", script, "sh"), os.Args...)...)
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	// Postgres refuses to run as the namespace's root. Its socket is a file, which
	// is the same inside.
	pg, err := pgtest.Start(pgtest.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	cmd.Env = append(cmd.Env, postgresDir+"="+pg.Dir())
	err = errors.Join(cmd.Run(), pg.Stop())
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() > 0 {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "the end-to-end tests need a network namespace (unshare --net):", err)
		os.Exit(1)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// repo is the top of the checkout.
func repo(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../..")
	must(t, err)
	return dir
}

// eventually asks until the answer is yes, for a minute at most.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(time.Minute)
	for tick := time.NewTicker(20 * time.Millisecond); ; <-tick.C {
		if ok() {
			tick.Stop()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// endProcess asks a process we started to end, and insists after 5 s.
func endProcess(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(syscall.SIGTERM)
	done := make(chan struct{})
	go func() { _ = cmd.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		<-done
	}
}

// testLog keeps what a process printed and shows it when the test failed.
type testLog struct {
	t    *testing.T
	name string
	once sync.Once
	mu   sync.Mutex
	buf  bytes.Buffer
}

func (l *testLog) Write(b []byte) (int, error) {
	l.once.Do(func() {
		l.t.Cleanup(func() {
			if l.t.Failed() {
				l.t.Logf("%s printed:\n%s", l.name, tail(l.String(), 6000))
			}
		})
	})
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(b)
}

func (l *testLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func tail(s string, n int) string {
	s = strings.TrimSpace(s)
	if len(s) > n {
		return "..." + s[len(s)-n:]
	}
	return s
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	must(t, err)
	return string(b)
}

// screenshot keeps a picture of the page in the folder named by
// CORDBOARD_SCREENSHOTS, or nowhere.
func screenshot(t *testing.T, b *browser, page, name string) {
	t.Helper()
	if dir := os.Getenv("CORDBOARD_SCREENSHOTS"); dir != "" {
		b.do("screenshot", page, args{"path": filepath.Join(dir, name)})
	}
}
