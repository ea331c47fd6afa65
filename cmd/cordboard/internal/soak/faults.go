package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cordboard/cordboard/sip/siptest"
)

// fault is one thing that goes wrong. strike does it and returns what mends it
// after a while; nil when it is over by then.
type fault struct {
	name   string
	lasts  time.Duration
	strike func(context.Context) (mend func(), err error)
}

// faults strike one after the other, drawn from the list by the seed.
type faults struct {
	o    *office
	rnd  *rand.Rand
	list []fault

	mu      sync.Mutex
	n       map[string]int
	latest  string
	strikes []strike
	wrong   []string
	mends   []*mending
	reloads int

	begun     time.Time
	restarted bool
}

// strike is one time that a fault was in force.
type strike struct {
	name     string
	from, to time.Time
}

type mending struct {
	once sync.Once
	do   func()
}

// Faults that a call may fail by.
const (
	lossyFault   = "lossy trunk"
	restartFault = "rolling restart"
)

// restartAt is the part of the run at which the server is restarted: early, so
// that one process lives through the rest and has the time to leak.
const restartAt = 0.15

func newFaults(o *office, rnd *rand.Rand) *faults {
	f := &faults{o: o, rnd: rnd, n: map[string]int{}, begun: time.Now()}
	f.list = []fault{
		{"desks cut", 0, func(context.Context) (func(), error) { o.toDesks.cut(3 + rnd.IntN(10)); return nil, nil }},
		{"all desks cut", 0, func(context.Context) (func(), error) { o.toDesks.cut(-1); return nil, nil }},
		{"desks half open", 45 * time.Second, func(context.Context) (func(), error) { return o.toDesks.freeze(5), nil }},
		{"phones dead", 15 * time.Second, f.phonesDead},
		{"server stopped for 2 s", 2 * time.Second, func(context.Context) (func(), error) {
			o.server.signal(syscall.SIGSTOP)
			return func() { o.server.signal(syscall.SIGCONT) }, nil
		}},
		{lossyFault, 15 * time.Second, f.lossyTrunk},
		{"reload", 0, f.reload},
		{"REGISTER storm", 0, f.storm},
		{"silent TCP connections", 30 * time.Second, f.silentTCP},
		{"strangers", 0, f.strangers},
		{"certificate exchanged", 0, f.certificate},
	}
	if o.server.cluster != nil {
		c := o.server.cluster
		f.list = append(f.list,
			fault{"database stopped", 10 * time.Second, func(context.Context) (func(), error) {
				return func() { f.must(c.Run()) }, c.Crash()
			}},
			fault{"database hung", 10 * time.Second, func(context.Context) (func(), error) {
				return func() { f.must(c.Thaw()) }, c.Freeze()
			}},
			fault{"database connections cut", 0, func(context.Context) (func(), error) { o.server.toDatabase.cut(-1); return nil, nil }},
		)
	}
	return f
}

// run strikes until the context ends. It may be run again.
func (f *faults) run(ctx context.Context) {
	for {
		pause(ctx, f.o.every)
		if ctx.Err() != nil {
			return
		}
		if !f.restarted && time.Since(f.begun) >= time.Duration(restartAt*float64(f.o.length)) {
			f.restarted = true
			f.mend() // a database that is away, say, keeps a server from starting
			f.strike(ctx, fault{restartFault, 0, f.restart})
			continue
		}
		f.strike(ctx, f.list[f.rnd.IntN(len(f.list))])
	}
}

func (f *faults) strike(ctx context.Context, x fault) {
	f.mu.Lock()
	f.n[x.name]++
	f.latest = x.name
	f.mu.Unlock()
	begun := time.Now()
	mend, err := x.strike(ctx)
	f.must(err)
	f.mu.Lock()
	f.strikes = append(f.strikes, strike{x.name, begun, time.Now().Add(x.lasts)})
	f.mu.Unlock()
	if mend == nil {
		return
	}
	m := &mending{do: mend}
	f.mu.Lock()
	f.mends = append(f.mends, m)
	f.mu.Unlock()
	time.AfterFunc(x.lasts, func() { m.once.Do(m.do) })
}

// mend ends what still lasts.
func (f *faults) mend() {
	f.mu.Lock()
	mends := f.mends
	f.mends = nil
	f.mu.Unlock()
	for _, m := range mends {
		m.once.Do(m.do)
	}
}

// must notes what a fault could not do, or the server would not.
func (f *faults) must(err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wrong = append(f.wrong, fmt.Sprintf("%s: %v", f.latest, err))
}

func (f *faults) bad() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.wrong)
}

func (f *faults) count() (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, k := range f.n {
		n += k
	}
	return n
}

func (f *faults) last() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.latest
}

func (f *faults) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for name, n := range f.n {
		all = append(all, fmt.Sprintf("%s %d", name, n))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// between are the faults that were in force at some time from one instant to
// another.
func (f *faults) between(from, to time.Time) (names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.strikes {
		if !s.from.After(to) && !s.to.Before(from) && !slices.Contains(names, s.name) {
			names = append(names, s.name)
		}
	}
	return names
}

// phonesDead takes three phones off the network without a word.
func (f *faults) phonesDead(context.Context) (func(), error) {
	var dead []*telephone
	for range 3 {
		p := f.o.phones[f.rnd.IntN(len(f.o.phones))]
		if !slices.Contains(dead, p) {
			p.unplug()
			dead = append(dead, p)
		}
	}
	return func() {
		for _, p := range dead {
			f.must(p.plugIn())
		}
	}, nil
}

func (f *faults) lossyTrunk(context.Context) (func(), error) {
	f.o.lossy.Set(siptest.Faults{Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Corrupt: 0.02, Delay: 50 * time.Millisecond})
	return func() { f.o.lossy.Set(siptest.Faults{}) }, nil
}

// reload changes the routing document under way.
func (f *faults) reload(context.Context) (func(), error) {
	f.reloads++
	if err := f.o.server.route(f.o.ids, f.o.contact, f.reloads); err != nil {
		return nil, err
	}
	f.o.server.signal(syscall.SIGHUP)
	return nil, nil
}

// storm sends a thousand REGISTERs of nobody in an instant.
func (f *faults) storm(context.Context) (func(), error) {
	c, err := net.Dial("udp", f.o.server.sip.String())
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	local := c.LocalAddr()
	for i := range 1000 {
		// What the kernel drops here is a storm that was a little smaller.
		_, _ = fmt.Fprintf(c, "REGISTER sip:%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bK%[3]d.%[4]d;rport\r\n"+
			"From: <sip:nobody%[3]d@%[1]s>;tag=%[3]d\r\nTo: <sip:nobody%[3]d@%[1]s>\r\nCall-ID: storm%[3]d.%[4]d\r\nCSeq: 1 REGISTER\r\n"+
			"Contact: <sip:nobody@%[2]s>\r\nMax-Forwards: 70\r\nExpires: 600\r\nContent-Length: 0\r\n\r\n", f.o.server.sip, local, i, f.count())
	}
	return nil, nil
}

// certificate puts a new certificate in the place of the old one. Connections
// of before go on with their calls; a new one is shown the new certificate.
func (f *faults) certificate(ctx context.Context) (func(), error) {
	if err := f.o.server.keys.issue(); err != nil {
		return nil, err
	}
	f.o.server.signal(syscall.SIGHUP)
	within, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	for {
		err := f.o.server.keys.shown(f.o.server.secure.String())
		if err == nil {
			return nil, f.o.callers.renew()
		}
		if within.Err() != nil {
			return nil, err
		}
		pause(within, 100*time.Millisecond)
	}
}

// silentTCP opens connections to the SIP port and says nothing.
func (f *faults) silentTCP(context.Context) (func(), error) {
	var conns []net.Conn
	for range 50 {
		c, err := net.Dial("tcp", f.o.server.sip.String())
		if err != nil {
			break // the server takes no more: its good right
		}
		conns = append(conns, c)
	}
	return func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}, nil
}

// restart ends the server as a new release does, with its calls, and starts it.
func (f *faults) restart(ctx context.Context) (func(), error) {
	// The callers' own context may end meanwhile; the server must be back.
	ctx = context.WithoutCancel(ctx)
	f.o.callers.away.Store(true)
	defer f.o.callers.away.Store(false)
	if err := f.o.server.stop(ctx); err != nil {
		return nil, err
	}
	return nil, f.o.server.start(ctx)
}
