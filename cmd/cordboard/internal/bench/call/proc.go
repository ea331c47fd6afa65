package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// lookPath finds a program, also where daemons are.
func lookPath(name string) (string, error) {
	if p, err := exec.LookPath(name); err == nil {
		return p, nil
	}
	p := "/usr/sbin/" + name
	if _, err := os.Stat(p); err != nil {
		return "", fmt.Errorf("%s is needed: %w", name, err)
	}
	return p, nil
}

// process is one that the benchmark started.
type process struct {
	cmd  *exec.Cmd
	name string
	log  string
	done chan struct{}
	err  error
}

// start runs a program on a processor, its output in a file of the folder.
func (l *lab) start(cpu, name string, argv ...string) (*process, error) {
	taskset, err := lookPath("taskset")
	if err != nil {
		return nil, err
	}
	p := &process{name: name, log: filepath.Join(l.dir, name+".log"), done: make(chan struct{})}
	out, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = out.Close() }()
	p.cmd = exec.Command(taskset, append([]string{"-c", cpu}, argv...)...)
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Dir = out, out, l.dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// stop ends the process and its children: asks, then kills.
func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(15 * time.Second):
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.done
	}
}

// failure says how a process ended that should not have, with its last words.
func (p *process) failure() error {
	b, _ := os.ReadFile(p.log)
	if len(b) > 2000 {
		b = b[len(b)-2000:]
	}
	return fmt.Errorf("%s ended: %w: %s", p.name, errors.Join(p.err, errors.New("too early")), b)
}

// bound waits until the process's UDP address is bound.
func (p *process) bound(ctx context.Context, addr netip.AddrPort) error {
	a := addr.Addr().As4()
	want := fmt.Sprintf("%02X%02X%02X%02X:%04X", a[3], a[2], a[1], a[0], addr.Port())
	for {
		b, err := os.ReadFile("/proc/net/udp")
		if err != nil {
			return err
		}
		if strings.Contains(string(b), want) {
			return nil
		}
		select {
		case <-p.done:
			return p.failure()
		case <-ctx.Done():
			return fmt.Errorf("%s does not listen on %s: %w", p.name, addr, ctx.Err())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

const tick = 10 * time.Millisecond // USER_HZ is 100 on Linux

// cpu is what a process and its children have used, to the nanosecond: /proc
// tells it in hundredths of a second.
func cpu(pid int) time.Duration {
	// The clock of another process's CPU time, clock_getcpuclockid(3).
	const schedClock = 2
	var t unix.Timespec
	if unix.ClockGettime(int32(^pid<<3|schedClock), &t) != nil {
		return 0
	}
	sum := time.Duration(t.Nano())
	children, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, c := range children {
		b, _ := os.ReadFile(c)
		for _, f := range strings.Fields(string(b)) {
			child, _ := strconv.Atoi(f)
			sum += cpu(child)
		}
	}
	return sum
}

// busy is what the whole machine has used.
func busy() time.Duration {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(b), "\n")
	f := strings.Fields(line)
	sum := 0
	for _, i := range []int{1, 2, 3, 6, 7} { // user, nice, system, irq, softirq
		if i < len(f) {
			v, _ := strconv.Atoi(f[i])
			sum += v
		}
	}
	return time.Duration(sum) * tick
}

// pssKB is the process's share of memory, in kilobytes.
func pssKB(pid int) (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		if v, ok := strings.CutPrefix(s.Text(), "Pss:"); ok {
			return strconv.Atoi(strings.Fields(v)[0])
		}
	}
	return 0, fmt.Errorf("no Pss of process %d", pid)
}

// cpuSelf is what this process alone has used: its children are counted where
// they were started.
func cpuSelf() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
