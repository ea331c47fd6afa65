package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"time"
)

// agentsFor is how many agents a rate keeps busy, and some: each call takes
// one for the hold, the lead, and a moment.
func agentsFor(rate int) int { return rate*16/10 + 20 }

// spares is how often a run that is void may be repeated.
const spares = 2

// warmUp is how long Cordboard serves calls before the first run that counts.
const warmUp = 3 * time.Second

// compare measures the CPU time of a call at one rate: Kamailio with one and
// with four workers, of which the better one counts, the minimal B2BUA, and
// Cordboard, turn by turn. Kamailio is started anew for each run, as it keeps
// nothing; Cordboard's server stays, and has served calls before the first.
func (l *lab) compare(ctx context.Context) error {
	c, err := l.open(ctx, plan{agents: agentsFor(l.rate), desks: true, answer: "at_queue", lead: musicLead, phone: onePhone})
	if err != nil {
		return err
	}
	defer c.close()
	if slices.Contains(l.servers, "cordboard") {
		profile := l.profile // of the first run that counts
		l.profile = ""
		if _, err := c.board(ctx, l.rate, warmUp); err != nil {
			return fmt.Errorf("warm-up: %w", err)
		}
		l.profile = profile
	}
	kinds := []struct {
		of, name string
		run      func() (measured, error)
	}{
		{"kamailio", "kamailio1", func() (measured, error) {
			return l.yardstick(ctx, l.plain(proxyAddr, l.rate, l.length), func(ctx context.Context) (*process, error) { return l.proxy(ctx, 1) })
		}},
		{"kamailio", "kamailio4", func() (measured, error) {
			return l.yardstick(ctx, l.plain(proxyAddr, l.rate, l.length), func(ctx context.Context) (*process, error) { return l.proxy(ctx, 4) })
		}},
		{"b2bua", "sipgo_b2bua", func() (measured, error) { return l.yardstick(ctx, l.plain(b2buaAddr, l.rate, l.length), l.minimal) }},
		{"cordboard", "call", func() (measured, error) { return c.board(ctx, l.rate, l.length) }},
	}
	got := map[string][]measured{}
	for i := range l.runs {
		for _, k := range kinds {
			if !slices.Contains(l.servers, k.of) {
				continue
			}
			m, err := l.valid(k.name, i+1, k.run)
			if err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			got[k.name] = append(got[k.name], m)
		}
	}
	l.told(got)
	return nil
}

// valid repeats a run that is void. Calls that were not served as they must be
// are no accident of the machine: they end the benchmark.
func (l *lab) valid(name string, n int, run func() (measured, error)) (measured, error) {
	calls := l.rate * int(l.length/time.Second)
	for spare := range spares + 1 {
		m, err := run()
		if err != nil {
			return m, err
		}
		fmt.Fprintf(os.Stderr, "run %d %s: ok %d of %d, retransmissions %d, %.0f us a call, server %.0f %%, load %.0f %%, other %.0f %%, music missing %d of %.1f packets a call, rows %d, pops %d whole %d\n",
			n, name, m.ok, m.made, m.retransmissions, m.cpuUS, m.serverPC, m.loadPC, m.otherPC, m.silent, float64(m.packets)/float64(calls), m.booked, m.shown, m.whole)
		why := m.void(calls)
		if name == "call" {
			if lacks := m.complete(calls); lacks != "" {
				return m, fmt.Errorf("run %d: %s", n, lacks)
			}
		}
		if why == "" || l.disturbed {
			return m, nil
		}
		l.report.Note("run %d of %s is void: %s", n, name, why)
		if spare == spares {
			return m, fmt.Errorf("run %d stays void: %s", n, why)
		}
	}
	return measured{}, nil
}

// told prints the figures of the comparison.
func (l *lab) told(got map[string][]measured) {
	costs := func(name string) (us []float64) {
		for _, m := range got[name] {
			us = append(us, m.cpuUS)
		}
		return us
	}
	one, four, ours := costs("kamailio1"), costs("kamailio4"), costs("call")
	l.report.Runs("kamailio_1_child_cpu_us", "us", one)
	l.report.Runs("kamailio_4_children_cpu_us", "us", four)
	var best, ratio, whole, load []float64
	for i := range one {
		best = append(best, min(one[i], four[i]))
	}
	for i := range ours {
		if i < len(best) {
			ratio = append(ratio, ours[i]/best[i])
		}
		m := got["call"][i]
		whole = append(whole, float64(m.whole)/float64(max(m.shown, 1)))
		load = append(load, m.loadPC)
	}
	l.report.Runs("kamailio_cpu_us", "us", best)
	l.report.Runs("sipgo_b2bua_cpu_us", "us", costs("sipgo_b2bua"))
	l.report.Runs("call_cpu_us", "us", ours)
	l.report.Runs("call_cpu_ratio", "ratio", ratio)
	l.report.Runs("record_complete_ratio", "ratio", whole)
	l.report.Runs("load_core_percent", "%", load)
}
