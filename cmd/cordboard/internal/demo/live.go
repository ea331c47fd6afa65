package demo

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/desktest"
)

// The desks left to people: who takes the first call, and the specialist.
var people = []agents.ID{"priya", "petar"}

// unhurried is the pace at which people can watch.
var unhurried = manners{
	paint: 40 * time.Millisecond, accept: 1500 * time.Millisecond, talk: 22 * time.Second, wrapUp: 4 * time.Second, hop: 9 * time.Second,
}

const (
	storyNumber = "+447700900417" // Dana Whitcombe, of the sample's crafted customers
	liveGap     = 4 * time.Second
	storyTopic  = "line_fault" // its specialist's desk is left to a person
	storyGap    = 45 * time.Second
	storyTalk   = 4 * time.Minute // the caller stays so long, unless the agent ends it
)

// Live runs the demo until the context ends.
func Live(ctx context.Context, o Options) (err error) {
	began := time.Now()
	c, err := open(ctx, o)
	if err != nil {
		return err
	}
	defer func() {
		if e := c.close(); err == nil {
			err = e
		}
	}()
	robots := slices.DeleteFunc(slices.Clone(c.roster), func(id agents.ID) bool { return slices.Contains(people, id) })
	m := unhurried
	m.paint += o.DeskDelay
	desks, err := c.sitAll(ctx, robots, m)
	if err != nil {
		return err
	}
	c.greet(o)
	first := sync.OnceFunc(func() { fmt.Fprintf(o.Out, "first pop in %.1f s\n", time.Since(began).Seconds()) })
	for _, d := range desks {
		go func() {
			if d.Wait(ctx, func(s desktest.State) bool { return len(s.Cards) > 0 }) == nil {
				first()
			}
		}()
	}
	c.keepCalling(ctx, o.Out)
	return nil
}

func (c *centre) greet(o Options) {
	base := "http://" + c.app.WebAddr().String()
	link := func(id agents.ID) string { return base + "/in#" + c.links[id] }
	fmt.Fprintf(o.Out, `
Cordboard demo: %[1]d invented customers, %[2]d agents, live synthetic calls,
and half a year of invented ones in the ledger.
Open two windows side by side, press Ready in both, and wait for a call:

  first agent, %-15[3]s %[4]s
  specialist, %-16[5]s %[6]s
  supervisor                   %[7]s

Among the callers of %[3]s is Dana Whitcombe, every 45 seconds, with a hard
question. Answer her (Ctrl Enter), then F2 T, choose "Line fault" and Ctrl Enter:
%[5]s has the record, the note and the way so far before that phone rings.

serving on %[8]s
call me: point any softphone at sip:+442079460100@%[9]s
Ctrl C ends it; everything it kept is removed.

`, len(c.records), len(c.roster), c.policy.Agents[people[0]].Name, link(people[0]),
		c.policy.Agents[people[1]].Name, link(people[1]), link(supervisor), base, c.app.SIPAddr())
}

// keepCalling places calls at an even pace; every so often the one customer
// whose story the demo tells.
func (c *centre) keepCalling(ctx context.Context, out io.Writer) {
	r := rand.New(rand.NewPCG(seed, uint64(time.Now().UnixNano())))
	next, story := time.NewTicker(liveGap), time.NewTicker(storyGap)
	defer next.Stop()
	defer story.Stop()
	var calls sync.WaitGroup
	defer calls.Wait()
	place := func(p plan) { calls.Go(func() { c.place(ctx, p) }) }
	place(c.pickLive(r))
	for {
		select {
		case <-ctx.Done():
			fmt.Fprintf(out, "\nending %d live calls\n", c.app.LiveCalls())
			return
		case <-next.C:
			place(c.pickLive(r))
		case <-story.C:
			place(plan{number: storyNumber, dialled: lines[0].dialled, talk: storyTalk, patience: time.Minute})
		}
	}
}

func (c *centre) pickLive(r *rand.Rand) plan {
	p := c.pick(r, hardShare)
	if p.topic == storyTopic {
		p.topic = "" // whoever sits at the specialist's desk waits for what the first agent passes on
	}
	p.patience = 40*time.Second + time.Duration(r.IntN(40))*time.Second
	if r.IntN(2) == 0 {
		p.talk = 8*time.Second + time.Duration(r.IntN(12))*time.Second
	}
	return p
}
