package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// musicLead is how long the record stands before the phone rings in the runs
// that check that each caller heard music: three frames of it.
const musicLead = 60 * time.Millisecond

// run is what one measured run gave.
type measured struct {
	outcome
	cpuUS    float64 // of the server, a call
	serverPC float64 // of its processor
	loadPC   float64
	otherPC  float64
	took     time.Duration
	silent   int // calls without music
	packets  int // of music, of all calls
	booked   int // rows of calls that were answered, talked to, ended
	rows     int
	shown    int // pops acked
	whole    int // of them, with the whole record
}

// served is the share of a yardstick's calls that must be. Of Cordboard's, all.
const served = 0.999

// void says why a run does not count, "" when it does.
func (m measured) void(calls int) string {
	switch {
	case float64(m.ok) < served*float64(calls):
		return fmt.Sprintf("%d of %d calls failed", calls-m.ok, calls)
	case m.loadPC > 80:
		return fmt.Sprintf("the load took %.0f %% of its processor", m.loadPC)
	case m.otherPC > 10:
		return fmt.Sprintf("something else took %.0f %% of a processor", m.otherPC)
	}
	return ""
}

// measure runs callers against a server and reads what it cost.
func (l *lab) measure(ctx context.Context, server *process, d load) (m measured, err error) {
	uas, err := l.phones(ctx)
	if err != nil {
		return m, err
	}
	defer uas.stop()
	cpu0, busy0, begin := cpu(server.cmd.Process.Pid), busy(), time.Now()
	own0 := cpuSelf()
	uac, err := l.callers(d)
	if err != nil {
		return m, err
	}
	defer uac.stop()
	var uacCPU time.Duration
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for over := false; !over; {
		select {
		case <-uac.done:
			over = true
		case <-server.done:
			return m, server.failure()
		case <-ctx.Done():
			return m, ctx.Err()
		case <-look.C:
			uacCPU = max(uacCPU, cpu(uac.cmd.Process.Pid))
			if d.failures > 0 {
				sofar, err := l.result("uac") // of the last second
				over = err == nil && sofar.failed > d.failures
			}
		}
	}
	m.took = time.Since(begin)
	settle(200 * time.Millisecond)
	whole := time.Since(begin).Seconds()
	used := cpu(server.cmd.Process.Pid) - cpu0
	load := uacCPU + cpu(uas.cmd.Process.Pid) + cpuSelf() - own0
	other := busy() - busy0 - used - load
	if m.outcome, err = l.result("uac"); err != nil {
		return m, err
	}
	m.cpuUS = float64(used.Microseconds()) / float64(max(m.ok, 1))
	m.serverPC, m.loadPC, m.otherPC = used.Seconds()/whole*100, load.Seconds()/whole*100, other.Seconds()/whole*100
	return m, nil
}

// settle lets the last messages of a run reach their ends.
func settle(d time.Duration) { time.Sleep(d) }

// proxy starts Kamailio with so many workers.
func (l *lab) proxy(ctx context.Context, children int) (*process, error) {
	text, err := os.ReadFile(filepath.Join(l.dir, "kamailio.cfg"))
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("kamailio%d", children)
	cfg := filepath.Join(l.dir, name+".cfg")
	changed := strings.Replace(string(text), "children=1\n", fmt.Sprintf("children=%d\n", children), 1)
	if err := os.WriteFile(cfg, []byte(changed), 0o644); err != nil {
		return nil, err
	}
	program, err := lookPath("kamailio")
	if err != nil {
		return nil, err
	}
	p, err := l.start(serverCPU, name, program, "-f", cfg, "-DD", "-E", "-m", "512", "-M", "16", "-Y", l.dir, "-P", filepath.Join(l.dir, name+".pid"))
	if err != nil {
		return nil, err
	}
	if err := p.bound(ctx, proxyAddr); err != nil {
		p.stop()
		return nil, err
	}
	settle(500 * time.Millisecond) // its timer and worker processes
	return p, nil
}

func (l *lab) minimal(ctx context.Context) (*process, error) {
	binary, err := filepath.Abs(l.b2bua)
	if err != nil {
		return nil, err
	}
	p, err := l.start(serverCPU, "b2bua", binary, "-listen", b2buaAddr.String(), "-phone", phonesAddr.String())
	if err != nil {
		return nil, err
	}
	if err := p.bound(ctx, b2buaAddr); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// plainCaller is the scenario of the yardstick's own callers.
const plainCaller = "uac_queue.xml"

// plain is a run of the yardstick's own callers.
func (l *lab) plain(target netip.AddrPort, rate int, length time.Duration) load {
	return load{scenario: plainCaller, target: target, rate: rate, calls: rate * int(length/time.Second), hold: holdTime, wait: 10 * time.Second}
}

// yardstick measures a server that is started for this one run.
func (l *lab) yardstick(ctx context.Context, d load, start func(context.Context) (*process, error)) (measured, error) {
	p, err := start(ctx)
	if err != nil {
		return measured{}, err
	}
	defer p.stop()
	return l.measure(ctx, p, d)
}

// board measures a run of Cordboard's callers, and what came of each call.
func (c *centre) board(ctx context.Context, rate int, length time.Duration) (m measured, err error) {
	l, calls := c.lab, rate*int(length/time.Second)
	file, first, err := l.draw(calls)
	if err != nil {
		return m, err
	}
	begin := time.Now()
	d := load{
		scenario: "uac_cordboard.xml", target: boardAddr, rate: rate, calls: calls, hold: holdTime, inject: file, wait: 10 * time.Second,
		failures: unserved(calls),
	}
	profile := l.profiled(ctx, length)
	if m, err = l.measure(ctx, c.process, d); err != nil {
		return m, err
	}
	if err := <-profile; err != nil || m.failed > d.failures {
		return m, err
	}
	m.silent, m.packets = l.music.silent(first, calls)
	if m.booked, m.rows, err = c.booked(ctx, begin, calls); err != nil {
		return m, err
	}
	m.shown, m.whole = c.pops(begin)
	free, cancel := context.WithTimeout(ctx, 40*time.Second)
	defer cancel()
	return m, c.free(free)
}

// complete says what is missing of Cordboard's calls, "" when nothing is.
func (m measured) complete(calls int) string {
	switch {
	case m.ok != calls:
		return fmt.Sprintf("%d of %d calls failed", calls-m.ok, calls)
	case m.silent > 0:
		return fmt.Sprintf("%d callers heard no music", m.silent)
	case m.booked != calls || m.rows != calls:
		return fmt.Sprintf("%d rows in the ledger, %d of answered calls", m.rows, m.booked)
	case m.shown < calls:
		return fmt.Sprintf("%d pops were acked", m.shown)
	}
	return ""
}
