package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/sip/registrar"
	"github.com/cordboard/cordboard/store"
)

// Telephones that register.
const (
	registered    = 10_000 // telephones whose registrations are refreshed each minute
	refreshRate   = registered / 60
	registerFast  = 1_000 // a second: to begin with
	stormPhones   = 5_000 // that begin to register within a second
	stormCalls    = 100   // calls a second beside them
	stormLength   = 15 * time.Second
	phonesRealm   = "bench.example"
	phonesSecret  = "invented-for-the-bench"
	registerAddr  = "127.0.0.11"
	registerPort  = 5090
	stormDeadline = time.Minute
)

func phoneID(i int) string { return fmt.Sprintf("phone%05d", i) }

// secretOf is what the store has of a telephone's password.
func secretOf(user string) store.PhoneSecret {
	return store.PhoneSecret(registrar.NewSecret(user, phonesRealm, phonesSecret))
}

// registrations measures what ten thousand telephones cost that register anew each
// minute: with the nonce that they have, as most do; challenged each time; and with
// the questions for life that go out by default. Then how long a storm of them takes
// to be over, with calls beside it.
func (l *lab) registrations(ctx context.Context) error {
	for _, part := range []struct {
		figure, qualify string
		refresh         func(context.Context, *process) (float64, error)
	}{
		{"register_core_percent", "1h", l.refreshed},
		{"register_challenged_core_percent", "1h", l.challenged},
		{"phones_10000_core_percent", "30s", l.refreshed},
	} {
		var core []float64
		for range min(l.runs, 3) { // a minute each
			one, err := l.refreshing(ctx, part.qualify, part.refresh)
			if err != nil {
				return err
			}
			core = append(core, one)
		}
		l.report.Runs(part.figure, "%", core)
	}
	return l.storm(ctx)
}

// refreshing is the share of a core, in percent, that a server takes whose telephones
// register anew.
func (l *lab) refreshing(ctx context.Context, qualify string, refresh func(context.Context, *process) (float64, error)) (float64, error) {
	c, err := l.open(ctx, plan{agents: 1, phones: registered, qualify: qualify, answer: "at_queue", phone: onePhone})
	if err != nil {
		return 0, err
	}
	defer c.close()
	return refresh(ctx, c.process)
}

// challenged lets telephones register anew that forget their nonce.
func (l *lab) challenged(ctx context.Context, server *process) (float64, error) {
	if _, err := l.register(ctx, registered, registerFast); err != nil {
		return 0, err
	}
	profile := l.profiled(ctx, 3*l.length)
	before := cpu(server.cmd.Process.Pid)
	took, err := l.register(ctx, refreshRate*int(3*l.length/time.Second), refreshRate)
	if err = errors.Join(err, <-profile); err != nil {
		return 0, err
	}
	return 100 * (cpu(server.cmd.Process.Pid) - before).Seconds() / took.Seconds(), nil
}

// refreshed lets telephones register anew that count on with their nonce. Each has
// its own time within the minute: they come evenly from evenFrom after they began.
func (l *lab) refreshed(ctx context.Context, server *process) (float64, error) {
	p, err := l.telephones("refresh.xml", registered, 2*registerFast)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	settle(evenFrom)
	before, err := l.counted("register", "registered", "refreshed")
	if err == nil && before[0] != registered {
		err = fmt.Errorf("%d of %d telephones registered", before[0], registered)
	}
	if err != nil {
		return 0, err
	}
	profile := l.profiled(ctx, evenFor)
	began, used := time.Now(), cpu(server.cmd.Process.Pid)
	settle(evenFor)
	took, used := time.Since(began), cpu(server.cmd.Process.Pid)-used
	after, err := l.counted("register", "registered", "refreshed")
	if err = errors.Join(err, <-profile); err != nil {
		return 0, err
	}
	if n, want := after[1]-before[1], int(took.Seconds()*refreshRate); n < want*9/10 || n > want*11/10 {
		return 0, fmt.Errorf("%d telephones registered anew in %v, and should have been %d", n, took, want)
	}
	return 100 * used.Seconds() / took.Seconds(), nil
}

// They begin within 5 s and wait for 6 to 66 s: what comes from 11 s to 66 s after the
// first is even.
const evenFrom, evenFor = 13 * time.Second, 30 * time.Second

// storm lets telephones begin to register all at once.
func (l *lab) storm(ctx context.Context) error {
	c, err := l.open(ctx, plan{agents: agentsFor(stormCalls), desks: true, phones: stormPhones, qualify: "30s", answer: "at_queue", lead: musicLead, phone: onePhone})
	if err != nil {
		return err
	}
	defer c.close()
	type storm struct {
		took time.Duration
		err  error
	}
	over := make(chan storm, 1)
	go func() {
		settle(3 * time.Second)
		took, err := l.register(ctx, stormPhones, stormPhones)
		over <- storm{took, err}
	}()
	calls := stormCalls * int(stormLength/time.Second)
	file, _, err := l.draw(calls)
	if err != nil {
		return err
	}
	m, err := l.measure(ctx, c.process, load{
		scenario: "uac_cordboard.xml", target: boardAddr, rate: stormCalls, calls: calls, hold: holdTime, inject: file, wait: 10 * time.Second,
	})
	s := <-over
	if err = errors.Join(err, s.err); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "storm: ok %d of %d, retransmissions %d, server %.0f %%, load %.0f %%, other %.0f %%\n", m.ok, m.made, m.retransmissions, m.serverPC, m.loadPC, m.otherPC)
	l.report.Line("register_storm_seconds", s.took.Seconds(), "s")
	l.report.Line("register_storm_calls_unharmed", float64(m.ok)/float64(calls), "ratio")
	return nil
}

// register lets the first telephones register at a rate, and returns how long it
// took until all had.
func (l *lab) register(ctx context.Context, phones, rate int) (time.Duration, error) {
	begin := time.Now()
	p, err := l.telephones("register.xml", phones, rate, "-recv_timeout", "10000")
	if err != nil {
		return 0, err
	}
	defer p.stop()
	select {
	case <-p.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-time.After(time.Duration(phones/rate)*time.Second + stormDeadline):
		return 0, fmt.Errorf("%d telephones did not register in time", phones)
	}
	took := time.Since(begin)
	o, err := l.result("register")
	if err == nil && o.ok != phones {
		err = fmt.Errorf("%d of %d telephones registered", o.ok, phones)
	}
	return took, err
}

// telephones starts so many, each with credentials of its own, at a rate.
func (l *lab) telephones(scenario string, phones, rate int, more ...string) (*process, error) {
	var b strings.Builder
	b.WriteString("SEQUENTIAL\n")
	for i := range phones {
		fmt.Fprintf(&b, "%s;[authentication username=%s password=%s]\n", phoneID(i), phoneID(i), phonesSecret)
	}
	file := filepath.Join(l.dir, "phones.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return nil, err
	}
	at := netip.AddrPortFrom(netip.MustParseAddr(registerAddr), registerPort)
	return l.sipp("register", scenario, at, append([]string{
		boardAddr.String(), "-r", strconv.Itoa(rate), "-rp", "1000", "-m", strconv.Itoa(phones),
		"-l", strconv.Itoa(phones + 100), "-inf", file, "-oocsf", filepath.Join(l.dir, "options.xml"),
	}, more...)...)
}
