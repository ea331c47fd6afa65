package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

// How the highest rate is looked for.
const (
	highSteps = 7
	highStep  = 1.2
	highNear  = 1.07 // near enough: the next try is not worth a run
)

// highest finds the highest rate at which 99.9 % of a run's calls are
// served, for Kamailio (the better of one and four workers) and for Cordboard.
func (l *lab) highest(ctx context.Context) error {
	one, err := l.climb("kamailio1", 1200, 1, func(rate int) (measured, error) {
		return l.yardstick(ctx, l.plain(proxyAddr, rate, l.high), func(ctx context.Context) (*process, error) { return l.proxy(ctx, 1) })
	})
	if err != nil {
		return err
	}
	four, err := l.climb("kamailio4", one, one, func(rate int) (measured, error) {
		return l.yardstick(ctx, l.plain(proxyAddr, rate, l.high), func(ctx context.Context) (*process, error) { return l.proxy(ctx, 4) })
	})
	if err != nil {
		return err
	}
	ours, err := l.climb("cordboard", max(one, four)/2, 1, func(rate int) (measured, error) {
		c, err := l.open(ctx, plan{agents: agentsFor(rate), desks: true, answer: "at_queue", lead: musicLead, phone: onePhone})
		if err != nil {
			return measured{}, err
		}
		defer c.close()
		return c.board(ctx, rate, l.high)
	})
	if err != nil {
		return err
	}
	if max(one, four) == 0 || ours == 0 {
		return fmt.Errorf("no rate was served: Kamailio %d, Cordboard %d calls/s", max(one, four), ours)
	}
	l.report.Line("kamailio_max_cps", float64(max(one, four)), "calls/s")
	l.report.Line("max_cps", float64(ours), "calls/s")
	l.report.Line("max_cps_ratio", float64(ours)/float64(max(one, four)), "ratio")
	return nil
}

// climb tries rates from the guess on, up or down, and then between. 0 says that
// no rate it tried, down to the floor, was served.
func (l *lab) climb(name string, guess, floor int, run func(rate int) (measured, error)) (int, error) {
	low, high, rate := 0, 0, guess
	for range highSteps {
		m, err := run(rate)
		if err != nil {
			fmt.Fprintf(os.Stderr, "max %s at %d: %v\n", name, rate, err)
		}
		calls := rate * int(l.high/time.Second)
		held := err == nil && float64(m.ok) >= served*float64(calls) && m.took < l.high+6*time.Second
		fmt.Fprintf(os.Stderr, "max %s at %d: held %v, ok %d of %d in %.1f s, retransmissions %d, server %.0f %%, load %.0f %%, other %.0f %%\n",
			name, rate, held, m.ok, calls, m.took.Seconds(), m.retransmissions, m.serverPC, m.loadPC, m.otherPC)
		if held {
			low = rate
		} else {
			high = rate
			if m.loadPC > 80 {
				l.report.Note("%s at %d calls/s: the load took %.0f %% of its processor, the limit may be its own", name, rate, m.loadPC)
			}
		}
		switch {
		case high == 0:
			rate = int(float64(low) * highStep)
		case low == 0:
			if rate = int(float64(high) / highStep); rate < floor {
				return 0, nil
			}
		case float64(high)/float64(low) < highNear:
			return low, nil
		default:
			rate = (low + high) / 2
		}
	}
	return low, nil
}
