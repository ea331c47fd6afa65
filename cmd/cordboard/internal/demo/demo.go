// Package demo runs a whole call centre in one process: the real server with
// invented customers, a robot trunk, robot phones and robot desktops that
// speak the same SIP, RTP and WebSocket as real ones. Interactive, it leaves
// two desks to whoever opens them; headless, it runs a number of calls and
// reports what the robots saw. Command cordboard is its caller.
package demo

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

// Options of a demo.
type Options struct {
	Web, SIP string // addresses wanted; a free port is taken when one is in use
	Calls    int    // headless: how many
	// DeskDelay is how long the robots' desks take to paint.
	DeskDelay time.Duration
	Out       io.Writer
	Log       *zap.Logger
}

// The dialled numbers of the demo's routing document, with how often each is
// called out of ten, and the topic that hard questions there go to.
var lines = []struct {
	dialled, topic string
	share          int
}{
	{"+442079460100", storyTopic, 3},
	{"+442079460101", "billing_question", 3},
	{"+442079460102", "", 2},
	{"+442079460103", "roaming_refund", 1},
	{"+442079460120", "contract_end", 1},
}

// pick draws what a call is about.
func (c *centre) pick(r *rand.Rand, hardShare float64) plan {
	p := plan{number: c.numbers[r.IntN(len(c.numbers))]}
	n := r.IntN(10)
	for _, l := range lines {
		if n -= l.share; n < 0 {
			p.dialled = l.dialled
			if r.Float64() < hardShare {
				p.topic = l.topic
			}
			break
		}
	}
	return p
}

// headless is the pace of a counted run.
var headless = manners{
	accept: 50 * time.Millisecond, talk: 700 * time.Millisecond, wrapUp: 50 * time.Millisecond, hop: 250 * time.Millisecond,
}

const (
	headlessGap  = 160 * time.Millisecond // between two calls
	headlessLine = 24                     // calls at once
	hardShare    = 0.12
)

// Run places o.Calls calls with a robot at every desk and reports.
func Run(ctx context.Context, o Options) (report Report, err error) {
	c, err := open(ctx, o)
	if err != nil {
		return report, err
	}
	defer func() {
		if e := c.close(); err == nil {
			err = e
		}
	}()
	m := headless
	m.paint = o.DeskDelay
	desks, err := c.sitAll(ctx, c.roster, m)
	if err != nil {
		return report, err
	}
	r := rand.New(rand.NewPCG(seed, uint64(o.Calls)))
	var calls sync.WaitGroup
	places := make(chan struct{}, headlessLine)
	// Each customer calls once at most, so that the number names the call.
	r.Shuffle(len(c.numbers), func(i, j int) { c.numbers[i], c.numbers[j] = c.numbers[j], c.numbers[i] })
	if o.Calls > len(c.numbers) {
		return report, fmt.Errorf("at most %d calls: one for each sample customer", len(c.numbers))
	}
	for i := range o.Calls {
		p := c.pick(r, hardShare)
		p.number, p.patience = c.numbers[i], 60*time.Second
		if i%2 == 0 {
			p.talk = 350 * time.Millisecond // the caller hangs up first
		}
		places <- struct{}{}
		calls.Go(func() { defer func() { <-places }(); c.place(ctx, p) })
		select {
		case <-ctx.Done():
			calls.Wait()
			return report, ctx.Err()
		case <-time.After(headlessGap):
		}
	}
	calls.Wait()
	return c.settle(ctx, desks)
}

func (c *centre) sitAll(ctx context.Context, ids []agents.ID, m manners) (map[agents.ID]*desktest.Desk, error) {
	desks := map[agents.ID]*desktest.Desk{}
	for _, id := range ids {
		d, err := c.sit(ctx, id, m)
		if err != nil {
			return desks, err
		}
		desks[id] = d
	}
	return desks, nil
}

// settleTime bounds the end of a run: the last wrap-ups, the last ledger rows.
const settleTime = 15 * time.Second

// settle lets the centre come to rest, then joins what everybody saw.
func (c *centre) settle(ctx context.Context, desks map[agents.ID]*desktest.Desk) (Report, error) {
	rest, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for id, d := range desks {
		if err := d.Wait(rest, func(s desktest.State) bool { return len(s.Cards) == 0 }); err != nil {
			c.log.Error("a desk did not come to rest", zap.String("agent", string(id)), zap.Any("state", d.State().Status), zap.Error(err))
		}
		c.collect(d)
		d.Close()
	}
	report := c.seen.report()
	s := c.app.Store()
	if err := s.Flush(ctx); err != nil {
		return report, err
	}
	outcomes, err := s.CountOutcomes(ctx)
	if err != nil {
		return report, err
	}
	report.LedgerRows, report.LedgerOpen = int(outcomes.Total), int(outcomes.Open)
	return report, nil
}
