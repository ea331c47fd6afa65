//go:build linux

package stack

import (
	"bytes"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"testing"
)

// Neighbours that are switched off hold up nobody: what waits for them fills the
// socket's buffer, and what finds no room is lost and not waited for. In a network
// of its own, where nobody answers to ARP.
func TestDeadNeighboursHoldUpNobody(t *testing.T) {
	const inside = "CORDBOARD_TEST_DEAD_NEIGHBOURS"
	if os.Getenv(inside) == "" {
		own := []string{"--net"}
		if os.Geteuid() != 0 {
			own = append(own, "--map-root-user")
		}
		cmd := exec.CommandContext(t.Context(), "unshare", append(own, "sh", "-c",
			"ip link add v0 type veth peer name v1 && ip addr add 10.9.0.1/24 dev v0 && ip link set v0 up && ip link set v1 up && exec \"$0\" \"$@\"",
			os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")...)
		cmd.Env = append(os.Environ(), inside+"=1")
		out, err := cmd.CombinedOutput()
		var failed *exec.ExitError
		switch {
		case err == nil:
		case errors.As(err, &failed) && failed.ExitCode() == 1 && bytes.Contains(out, []byte("--- FAIL")):
			t.Errorf("%s", out)
		default:
			t.Fatalf("a network of our own (unshare --net): %v %s", err, out)
		}
		return
	}
	c, err := net.ListenUDP("udp4", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetWriteBuffer(64 << 10); err != nil {
		t.Fatal(err)
	}
	s, err := newSender(c, true)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 1000 {
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 9, 0, byte(2 + n%10)}), 5060)
		if err := s.send(make([]byte, 1000), to); errors.Is(err, errFull) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("a thousand datagrams to nobody found room: somebody waited for it")
}
