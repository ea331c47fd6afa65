package sip

import (
	"context"
	"encoding/binary"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"go.uber.org/zap/zaptest"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/sip/stack"
)

// The network of the test: the server and the outside of the NAT in one
// network namespace, the telephone behind it in another.
const (
	natServer  = "203.0.113.1"
	natOutside = "203.0.113.9"
	natInside  = "192.168.55.2"
	natTest    = "CORDBOARD_NAT_TEST"
)

// TestSymmetricNAT calls from behind a symmetric NAT: one outside port for each
// pair of inside port and destination, none of them the one that SDP, Via and
// Contact name. Audio passes both ways by our relay, and our BYE arrives.
func TestSymmetricNAT(t *testing.T) {
	t.Parallel()
	if os.Getenv(natTest) == "" {
		inNamespace(t)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	w := natWorld(t)
	phone, err := siptest.NewPhone(ctx, siptest.Options{Name: "anna", Addr: natServer + ":0", Behaviour: siptest.Behaviour{Ring: true, Tone: 1000}})
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	w.phones.set(anna, phone.URI())

	var trunk *siptest.Trunk
	var call *siptest.Call
	nat := newNAT(t, func() {
		trunk, err = siptest.NewTrunk(ctx, siptest.TrunkOptions{Addr: natInside + ":5060", Target: w.stack.Addr("udp").String()})
		if err == nil {
			call, err = trunk.Call(ctx, siptest.CallOptions{From: "07700900123", To: "02079460000", Behaviour: siptest.Behaviour{Tone: 440}})
		}
	})
	defer nat.close()
	if err != nil {
		t.Fatal(err)
	}
	defer trunk.Close()

	id := get(t, "arrival", w.router.arrivals).Call
	o := offerOf(id, 1)
	w.do(routing.AnswerCaller{Call: id, Music: media.DefaultMusic})
	if err := call.Audio().WaitFor(ctx, call.Audio().Music); err != nil {
		t.Fatalf("the caller hears no music: %v", err)
	}
	w.do(routing.Ring{Offer: o})
	w.expect(routing.PhoneRinging{Offer: o})
	w.expect(routing.PhoneAnswered{Offer: o})
	w.do(routing.Connect{Offer: o})
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	agent, err := phone.WaitCall(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := agent.Audio().WaitHeard(ctx, 440); err != nil {
		t.Errorf("the agent does not hear the caller: %v", err)
	}
	if err := call.Audio().WaitHeard(ctx, 1000); err != nil {
		t.Errorf("the caller does not hear the agent: %v", err)
	}
	if nat.sameAsInside() {
		t.Error("the NAT has kept a port: it tests nothing")
	}
	agent.Hangup()
	w.expect(routing.AgentGone{Offer: o})
	w.do(routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByAgent})
	if _, err := call.WaitFor(ctx, siptest.ByeReceived); err != nil {
		t.Errorf("our BYE does not reach the caller: %v", err)
	}
}

// inNamespace runs this test again in a network namespace of its own.
func inNamespace(t *testing.T) {
	t.Helper()
	unshare := []string{"--net"}
	if os.Getuid() != 0 {
		unshare = append(unshare, "--map-root-user")
	}
	script := "set -e; ip link set lo up; ip addr add " + natServer + "/32 dev lo; ip addr add " + natOutside + `/32 dev lo; exec "$@"`
	args := append(unshare, "sh", "-c", script, "sh", os.Args[0], "-test.run=^TestSymmetricNAT$", "-test.timeout=2m")
	cmd := exec.CommandContext(t.Context(), "unshare", args...)
	cmd.Env = append(os.Environ(), natTest+"=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// natWorld is a world at the server's public address.
func natWorld(t *testing.T) *world {
	t.Helper()
	log, host := zaptest.NewLogger(t), netip.MustParseAddr(natServer)
	lib, err := media.LoadLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := media.New(media.Options{Addr: host, PortMin: 24000, PortMax: 24999, Library: lib, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, router: newFakeRouter(), media: engine,
		phones:  &fakePhones{m: map[agents.ID]agents.Phone{}},
		dialogs: &fakeDialogs{rows: map[string]DialogRow{}},
	}
	w.gw, err = New(Options{
		Trunks: []Trunk{{Name: "carrier", Trust: identity.Trust{Trunk: "carrier", Sources: []netip.Prefix{netip.MustParsePrefix(natOutside + "/32")}, Region: "GB"}}},
		Router: w.router, Phones: w.phones, Dialogs: w.dialogs, Media: engine, Host: host, Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.stack, err = stack.New(stack.Options{
		Listen: []stack.Listen{{Transport: "udp", Addr: netip.AddrPortFrom(host, 0)}},
		Allow:  w.gw.Knows, Handler: w.gw, Logger: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	w.gw.Attach(w.stack)
	w.stack.Start()
	t.Cleanup(w.close)
	return w
}

// nat is a symmetric NAT in user space: packets of the inside come by a TUN
// device, each flow gets a socket of its own outside.
type nat struct {
	t    *testing.T
	tun  *os.File
	wg   sync.WaitGroup
	mu   sync.Mutex
	out  map[natFlow]*net.UDPConn
	kept bool
}

// natFlow is one way through: a mapping is for one destination only, and so is
// what comes back by it (RFC 4787: address and port-dependent).
type natFlow struct {
	inside uint16
	to     netip.AddrPort
}

// newNAT makes the inside, a namespace with the TUN device as its only way
// out, and runs f there.
func newNAT(t *testing.T, f func()) *nat {
	t.Helper()
	n := &nat{t: t, out: map[natFlow]*net.UDPConn{}}
	ready := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with its namespace
		err := n.enter()
		if err == nil {
			n.wg.Go(n.fromInside)
			f()
		}
		ready <- err
	}()
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	return n
}

// enter takes the thread into a new namespace and opens its TUN device.
func (n *nat) enter() error {
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		return err
	}
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	var req struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], "nat0")
	req.flags = syscall.IFF_TUN | syscall.IFF_NO_PI
	if _, _, no := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TUNSETIFF, uintptr(unsafe.Pointer(&req))); no != 0 {
		return no
	}
	if err := syscall.SetNonblock(fd, true); err != nil {
		return err
	}
	n.tun = os.NewFile(uintptr(fd), "nat0")
	for _, args := range [][]string{
		{"link", "set", "lo", "up"}, {"addr", "add", natInside + "/24", "dev", "nat0"},
		{"link", "set", "nat0", "up"}, {"route", "add", "default", "dev", "nat0"},
	} {
		if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
			return &exec.Error{Name: string(out), Err: err}
		}
	}
	return nil
}

// fromInside sends each UDP packet of the inside from the socket of its flow.
func (n *nat) fromInside() {
	buf := make([]byte, 2048)
	for {
		size, err := n.tun.Read(buf)
		if err != nil {
			return
		}
		p := buf[:size]
		if size < 28 || p[0] != 0x45 || p[9] != 17 {
			continue // IPv6 of the kernel's own, fragments' options: not the telephone
		}
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte(p[16:20])), binary.BigEndian.Uint16(p[22:]))
		if conn := n.outside(natFlow{binary.BigEndian.Uint16(p[20:]), to}); conn != nil {
			_, _ = conn.Write(p[28:])
		}
	}
}

func (n *nat) outside(f natFlow) *net.UDPConn {
	n.mu.Lock()
	defer n.mu.Unlock()
	if conn := n.out[f]; conn != nil {
		return conn
	}
	conn, err := net.DialUDP("udp4", &net.UDPAddr{IP: net.ParseIP(natOutside)}, net.UDPAddrFromAddrPort(f.to))
	if err != nil {
		n.t.Errorf("NAT: %v", err)
		return nil
	}
	n.kept = n.kept || conn.LocalAddr().(*net.UDPAddr).Port == int(f.inside)
	n.out[f] = conn
	n.wg.Go(func() { n.fromOutside(conn, f) })
	return conn
}

// fromOutside gives what comes back to the inside, as from where it went.
func (n *nat) fromOutside(conn *net.UDPConn, f natFlow) {
	buf := make([]byte, 2048)
	for {
		size, err := conn.Read(buf)
		if err != nil {
			if n.gone(conn) {
				return
			}
			continue // an ICMP answer
		}
		_, _ = n.tun.Write(udpPacket(f, buf[:size]))
	}
}

func (n *nat) gone(conn *net.UDPConn) bool {
	return conn.SetReadDeadline(time.Time{}) != nil
}

// udpPacket writes IPv4 and UDP headers (no UDP checksum) before a payload.
func udpPacket(f natFlow, payload []byte) []byte {
	p := make([]byte, 28, 28+len(payload))
	p[0], p[8], p[9] = 0x45, 64, 17
	binary.BigEndian.PutUint16(p[2:], uint16(28+len(payload)))
	from, to := f.to.Addr().As4(), netip.MustParseAddr(natInside).As4()
	copy(p[12:], from[:])
	copy(p[16:], to[:])
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum))
	binary.BigEndian.PutUint16(p[20:], f.to.Port())
	binary.BigEndian.PutUint16(p[22:], f.inside)
	binary.BigEndian.PutUint16(p[24:], uint16(8+len(payload)))
	return append(p, payload...)
}

func (n *nat) sameAsInside() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.kept
}

func (n *nat) close() {
	_ = n.tun.Close()
	n.mu.Lock()
	for _, c := range n.out {
		_ = c.Close()
	}
	n.mu.Unlock()
	n.wg.Wait()
}
