// Command music measures 500 callers who hear music: what it costs of a core,
// beside a bare loop that sends as many packets, and how far from its instant a
// packet arrives. The player, the product's own media engine, is a process of its
// own on one core; the ear is on the other and takes the kernel's time of arrival,
// so that its own slowness does not count. `make bench-call` runs it.
package main

import (
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
	"github.com/cordboard/cordboard/sip/media"
)

const (
	streams = 500
	warmUp  = 2 * time.Second
	window  = 8 * time.Second
	clock   = 8000 // of G.711
	frame   = 20 * time.Millisecond
)

func main() {
	runs := flag.Int("runs", 5, "runs of which the median counts")
	file := flag.String("json", "", "write the figures to this file as well")
	to := flag.String("play", "", "play to this address (the bench's own use)")
	loop := flag.String("bare", "", "send as many packets to this address in a bare loop (the bench's own use)")
	flag.Parse()
	var err error
	switch {
	case *to != "":
		err = play(*to)
	case *loop != "":
		err = bare(*loop)
	default:
		err = run(*runs, *file)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench-music:", err)
		os.Exit(1)
	}
}

func run(runs int, file string) error {
	r := bench.New(os.Stdout, "music")
	var core, jitter, lost, packet, calib, ratio, loop, beside []float64
	for range runs {
		m, err := measure("-play")
		if err != nil {
			return err
		}
		b, err := measure("-bare")
		if err != nil {
			return err
		}
		if b.lost > 1 {
			return fmt.Errorf("the bare loop lost %.1f %% of its packets", b.lost)
		}
		loop, beside = append(loop, b.core), append(beside, m.core/b.core)
		core, jitter, lost = append(core, m.core), append(jitter, m.jitter), append(lost, m.lost)
		us := m.core / 100 * 1e6 / (streams * float64(time.Second/frame))
		packet, calib, ratio = append(packet, us), append(calib, m.calib), append(ratio, us/m.calib)
	}
	r.Runs("music_500_core_percent", "%", core)
	r.Runs("music_packet_us", "us", packet)
	r.Runs("calib_sendto_us", "us", calib)
	r.Runs("music_packet_ratio", "ratio", ratio)
	r.Runs("bare_500_core_percent", "%", loop)
	r.Runs("music_ratio", "ratio", beside)
	r.Runs("music_jitter_ms_p99", "ms", jitter)
	r.Runs("music_lost_percent", "%", lost)
	if file == "" {
		return nil
	}
	return r.WriteFile(file)
}

// figures of one run.
type figures struct{ core, jitter, lost, calib float64 }

// measure lets a player play, "-play" the product's or "-bare" the loop.
func measure(how string) (figures, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 6*(warmUp+window))
	defer cancel()
	e, err := newEar()
	if err != nil {
		return figures{}, err
	}
	defer e.close()
	p, err := startPlayer(ctx, how, e.addr.String())
	if err != nil {
		return figures{}, err
	}
	defer p.end()
	if err := e.listen(warmUp, nil); err != nil {
		return figures{}, err
	}
	before, start := p.cpu(), time.Now()
	heard := map[int]*stream{}
	if err := e.listen(window, heard); err != nil {
		return figures{}, err
	}
	spent, took := p.cpu()-before, time.Since(start)
	if spent <= 0 {
		return figures{}, errors.New("the player's time can't be read")
	}
	return figures{
		core:   100 * spent.Seconds() / took.Seconds(),
		jitter: lateness(heard),
		lost:   lost(heard),
		calib:  p.calib,
	}, nil
}

// player is the process that plays.
type player struct {
	cmd   *exec.Cmd
	stop  func() error
	calib float64 // what a datagram takes at the least, in us, just before it plays
}

// startPlayer runs this program again on the first core, and keeps the ear off it.
func startPlayer(ctx context.Context, how, to string) (*player, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, "taskset", "-c", "0", self, how, to)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &player{cmd: cmd, stop: in.Close}
	if _, err := fmt.Fscanf(out, "playing, calib %f\n", &p.calib); err != nil {
		return nil, errors.Join(fmt.Errorf("the player did not start: %w", err), in.Close(), cmd.Wait())
	}
	return p, nil
}

func (p *player) end() {
	_ = p.stop()
	_ = p.cmd.Wait()
}

// cpu is the processor time that the player has used (/proc/PID/stat, in
// hundredths of a second); 0 when it can't be read.
func (p *player) cpu() time.Duration {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// play is the player: one port a stream, as callers in a queue have. First it
// measures what a datagram takes this machine: what a packet of music costs
// beside that is the program's doing, the rest the machine's.
func play(to string) error {
	addr, err := netip.ParseAddrPort(to)
	if err != nil {
		return err
	}
	calib, err := bench.SendTo()
	if err != nil {
		return err
	}
	lib, err := media.LoadLibrary("")
	if err != nil {
		return err
	}
	e, err := media.New(media.Options{Addr: addr.Addr(), PortMin: 44000, PortMax: 46999, Library: lib})
	if err != nil {
		return err
	}
	defer e.Close()
	for range streams {
		p, err := e.Open()
		if err != nil {
			return err
		}
		if err := p.Play(media.DefaultMusic, true, addr, media.Codec{Name: "PCMA", PT: 8}, nil); err != nil {
			return err
		}
	}
	fmt.Printf("playing, calib %f\n", calib)
	_, _ = os.Stdin.Read(make([]byte, 1)) // until the bench lets go
	return nil
}

// ear receives all streams on one socket. It looks every few milliseconds and
// sleeps in between: waking it for each packet would be paid by the player, and
// the times are the kernel's.
type ear struct {
	fd   int
	addr netip.AddrPort
	oob  []byte
}

const earEvery = 2 * time.Millisecond

func newEar() (*ear, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	e := &ear{fd: fd, oob: make([]byte, 128)}
	var at syscall.Sockaddr
	err = errors.Join(
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_TIMESTAMPNS, 1),
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, 8<<20),
		syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}),
	)
	if err == nil {
		at, err = syscall.Getsockname(fd)
	}
	in, ok := at.(*syscall.SockaddrInet4)
	if err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("the ear's socket: %w", err), syscall.Close(fd))
	}
	e.addr = netip.AddrPortFrom(netip.AddrFrom4(in.Addr), uint16(in.Port))
	return e, nil
}

func (e *ear) close() { _ = syscall.Close(e.fd) }

// listen receives for a while; heard may be nil.
func (e *ear) listen(d time.Duration, heard map[int]*stream) error {
	buf := make([]byte, 2048)
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(earEvery) {
		for {
			n, oobn, _, from, err := syscall.Recvmsg(e.fd, buf, e.oob, 0)
			if errors.Is(err, syscall.EAGAIN) {
				break
			}
			if err != nil {
				return fmt.Errorf("the ear: %w", err)
			}
			in, ok := from.(*syscall.SockaddrInet4)
			if heard == nil || n < 12 || !ok {
				continue
			}
			at, ok := stamp(e.oob[:oobn])
			if !ok {
				return errors.New("no time of arrival from the kernel")
			}
			s := heard[in.Port]
			if s == nil {
				s = &stream{first: true}
				heard[in.Port] = s
			}
			s.take(buf[:n], at)
		}
	}
	return nil
}

// stamp reads SCM_TIMESTAMPNS.
func stamp(oob []byte) (time.Duration, bool) {
	msgs, err := syscall.ParseSocketControlMessage(oob)
	if err != nil {
		return 0, false
	}
	for _, m := range msgs {
		if m.Header.Level == syscall.SOL_SOCKET && m.Header.Type == syscall.SO_TIMESTAMPNS && len(m.Data) >= int(unsafe.Sizeof(syscall.Timespec{})) {
			return time.Duration((*syscall.Timespec)(unsafe.Pointer(&m.Data[0])).Nano()), true
		}
	}
	return 0, false
}

// stream is what came of one: when each packet arrived beside when the
// stream's own clock says it was due.
type stream struct {
	ts    uint32
	first bool
	clock int64 // timestamps since the first packet, unwrapped
	late  []time.Duration
}

func (s *stream) take(pkt []byte, at time.Duration) {
	ts := binary.BigEndian.Uint32(pkt[4:])
	if s.first {
		s.first = false
	} else {
		s.clock += int64(int32(ts - s.ts))
	}
	s.ts = ts
	s.late = append(s.late, at-time.Duration(s.clock)*time.Second/clock)
}

// lateness is the p99, in milliseconds, of how much later than the earliest
// packet of its stream, by the stream's own clock, a packet came.
func lateness(heard map[int]*stream) float64 {
	var all []float64
	for _, s := range heard {
		least := s.late[0]
		for _, l := range s.late {
			least = min(least, l)
		}
		for _, l := range s.late {
			all = append(all, float64(l-least)/float64(time.Millisecond))
		}
	}
	return bench.Quantile(all, 0.99)
}

// lost is the share of packets that were due and did not come.
func lost(heard map[int]*stream) float64 {
	due := float64(streams) * float64(window/frame)
	got := 0
	for _, s := range heard {
		got += len(s.late)
	}
	return max(0, 100*(due-float64(got))/due)
}
