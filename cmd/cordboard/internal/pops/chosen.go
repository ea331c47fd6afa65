package pops

import (
	"context"
	"time"

	"github.com/cordboard/cordboard/screenpop"
)

// goesBack is how long the PBX may take to ring the telephone of a call that came by.
const goesBack = 30 * time.Second

// Chosen is told of a call that comes by before its PBX rings a telephone. It returns
// when her desk has painted the record, or had the time for it. That the telephone
// rings, and all that follows, its dialog events tell.
func (c *Calls) Chosen(ctx context.Context, source, extension string, from screenpop.CallerInfo, dialled string) {
	l := c.comesBy(source, extension, from, dialled)
	if l == nil {
		return
	}
	patience := time.NewTimer(c.opt.AckWithin)
	defer patience.Stop()
	select {
	case <-l.acked:
	case <-patience.C:
	case <-ctx.Done():
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if k := c.byID[l.Call]; ctx.Err() == nil {
		c.rings(l)
	} else if k != nil && l.phase == ringing && l.dialog == 0 { // the caller gave up
		c.dialogOver(l, "")
	}
}

// comesBy offers the call to the agent; nil: there is none to wait for.
func (c *Calls) comesBy(source, extension string, from screenpop.CallerInfo, dialled string) *leg {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.sources[source]; c.closed || !known {
		return nil
	}
	who, _ := c.whom([]string{extension}, "")
	if len(who) == 0 {
		return nil
	}
	k := c.ringingAt(source, who[0], from)
	if k == nil {
		if c.full(source) {
			return nil
		}
		k = c.open(source, from, dialled)
		c.endIn(k, goesBack)
	}
	if k.leg(who[0]) != nil {
		return nil // it rings her already
	}
	return c.offer(k, who[0])
}
