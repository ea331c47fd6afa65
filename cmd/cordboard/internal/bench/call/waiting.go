package main

import (
	"context"
	"fmt"
	"time"
)

// waiting measures the memory of callers who wait and hear no music of ours: a
// queue that answers with the agent, and no agent. It is what the process's
// share of memory grows by, from a server that has served and forgotten as
// many calls before to one with all of them in hand, settled.
func (l *lab) waiting(ctx context.Context) error {
	c, err := l.open(ctx, plan{agents: 1, answer: "with_agent", phone: onePhone})
	if err != nil {
		return err
	}
	defer c.close()
	var kb []float64
	for range min(l.runs, 3) {
		grown, err := c.hold(ctx, l.held)
		if err != nil {
			return err
		}
		kb = append(kb, grown)
	}
	l.report.Runs("held_call_kb", "kB", kb)
	return nil
}

// hold lets so many callers wait, and returns by how many kilobytes a call the
// server has grown.
func (c *centre) hold(ctx context.Context, calls int) (float64, error) {
	const rate, settled = 400, 6 * time.Second
	before, err := pssKB(c.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	arrive := time.Duration(calls/rate+1) * time.Second
	uac, err := c.lab.callers(load{
		scenario: "uac_hold.xml", target: boardAddr, rate: rate, calls: calls, hold: arrive + settled, wait: 30 * time.Second,
	})
	if err != nil {
		return 0, err
	}
	defer uac.stop()
	settle(arrive + settled - time.Second)
	during, err := pssKB(c.cmd.Process.Pid)
	if err != nil {
		return 0, err
	}
	open, err := c.inHand(ctx)
	if err != nil {
		return 0, err
	}
	if open != calls {
		return 0, fmt.Errorf("%d calls wait, not %d", open, calls)
	}
	select {
	case <-uac.done:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	return float64(during-before) / float64(calls), nil
}

// inHand counts the calls that the ledger has as waiting.
func (c *centre) inHand(ctx context.Context) (n int, err error) {
	err = c.books.QueryRowContext(ctx, `SELECT count(*) FROM calls WHERE ended_at IS NULL`).Scan(&n)
	return n, err
}
