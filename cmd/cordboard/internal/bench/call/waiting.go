package main

import (
	"context"
	"fmt"
	"time"
)

const (
	holdRate    = 400 // arrivals a second
	holdSettled = 6 * time.Second
)

// waiting measures the memory of callers who wait and hear no music of ours: a
// queue that answers with the agent, and no agent. It is what the process's
// share of memory grows by, a call, when many callers join those that wait
// already: what the first of them cost a fresh server is not theirs.
func (l *lab) waiting(ctx context.Context) error {
	var kb []float64
	for range l.runs {
		grown, err := l.hold(ctx)
		if err != nil {
			return err
		}
		kb = append(kb, grown)
	}
	l.report.Runs("held_call_kb", "kB", kb)
	return nil
}

// hold lets a quarter of the calls wait, then all the others too, and returns
// by how many kilobytes a call the server has grown between.
func (l *lab) hold(ctx context.Context) (float64, error) {
	c, err := l.open(ctx, plan{agents: 1, answer: "with_agent", phone: onePhone})
	if err != nil {
		return 0, err
	}
	defer c.close()
	some := l.held / 4
	until := time.Now().Add(arrival(some) + arrival(l.held) + 2*holdSettled + 5*time.Second)
	before, first, err := c.join(ctx, some, until, false)
	if err != nil {
		return 0, err
	}
	after, all, err := c.join(ctx, l.held, until, true)
	if err != nil {
		return 0, err
	}
	if 100*(all-first) < 95*l.held {
		return 0, fmt.Errorf("%d calls wait, and %d more came", all, l.held)
	}
	return float64(after-before) / float64(all-first), nil
}

func arrival(calls int) time.Duration { return time.Duration(calls/holdRate+1) * time.Second }

// join lets calls arrive that wait until then, and reads the server's memory in
// kilobytes, and how many wait, when things have settled.
func (c *centre) join(ctx context.Context, calls int, until time.Time, second bool) (kb, waiting int, err error) {
	uac, err := c.lab.callers(load{
		scenario: "uac_hold.xml", target: boardAddr, rate: holdRate, calls: calls, hold: time.Until(until), wait: 30 * time.Second, second: second,
	})
	if err != nil {
		return 0, 0, err
	}
	c.load = append(c.load, uac)
	settle(arrival(calls) + holdSettled)
	if kb, err = pssKB(c.cmd.Process.Pid); err != nil {
		return 0, 0, err
	}
	waiting, err = c.inHand(ctx)
	return kb, waiting, err
}

// inHand counts the calls that the ledger has as waiting.
func (c *centre) inHand(ctx context.Context) (n int, err error) {
	err = c.books.QueryRowContext(ctx, `SELECT count(*) FROM calls WHERE ended_at IS NULL`).Scan(&n)
	return n, err
}
