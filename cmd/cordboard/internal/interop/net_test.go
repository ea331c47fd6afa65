// Package interop drives the built binary beside a PBX that real offices run:
// Asterisk 16 in a folder of its own (a Debian 11), entered with chroot. `make
// interop` makes the folder and names it in CORDBOARD_ASTERISK; without it
// these tests are skipped. The configuration files in testdata are those that
// the integration guide prints, addresses and all: the tests run in a network
// namespace in which the guide's addresses are this machine's, and Asterisk in
// another, a wire apart.
package interop

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	cordboardHost = "192.0.2.20"
	asteriskHost  = "192.0.2.10"
	carrierHost   = "198.51.100.7"
	annHost       = "192.0.2.31"
	bobHost       = "192.0.2.32"

	inNamespace    = "CORDBOARD_INTEROP_NAMESPACE"
	asteriskFolder = "CORDBOARD_ASTERISK"
)

// TestMain runs the tests again inside a network namespace that has the
// guide's addresses. The phones have an interface each, since baresip takes its
// media address from one.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(asteriskFolder) == "" || os.Getenv(inNamespace) != "" {
		os.Exit(m.Run())
	}
	script := fmt.Sprintf(`set -e
ip link set lo up
link() { ip link add $1 type veth peer name $1p; ip link set $1 up; ip link set $1p up; }
link lan; ip addr add %s/32 dev lan
link wan; ip addr add %s/32 dev wan
link ann; ip addr add %s/32 dev ann
link bob; ip addr add %s/32 dev bob
exec "$@"`, cordboardHost, carrierHost, annHost, bobHost)
	cmd := exec.Command("unshare", append([]string{"--net", "sh", "-c", script, "sh"}, os.Args...)...)
	cmd.Env = append(os.Environ(), inNamespace+"=1")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() > 0 {
		os.Exit(exit.ExitCode())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "a network namespace is needed (unshare --net, as root):", err)
		os.Exit(1)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// patience bounds every single wait.
const patience = 30 * time.Second

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// eventually asks until the answer is yes.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx := within(t)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func repo(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../..")
	must(t, err)
	return dir
}

// output keeps what a program printed and shows it when the test failed.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func newOutput(t *testing.T, name string) *output {
	o := &output{}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s printed:\n%s", name, tail(o.String()))
		}
	})
	return o
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

func tail(s string) string {
	s = strings.TrimSpace(s)
	if n := 6000; len(s) > n {
		return "..." + s[len(s)-n:]
	}
	return s
}
