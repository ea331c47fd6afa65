package sip

import (
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/sip/stack"
)

// A customer who has diverted his telephone to us, for as long as he is called back,
// sends us our own call. It is no caller's: left alone it would wait in the queue for
// the agent whom the callback has reserved, and answer the call to the customer.

// awaits notes the number that the call's customer is called at; "": he is not called
// any more.
func (c *call) awaits(number string) {
	g := c.gw
	g.mu.Lock()
	defer g.mu.Unlock()
	if old := c.awaited; old != "" && g.awaited[old] == c {
		delete(g.awaited, old)
	}
	if c.awaited = number; number != "" {
		g.awaited[number] = c
	}
}

// ourOwn is the call to a customer that comes back as a new one: it was diverted
// from the number that is being called.
func (g *Gateway) ourOwn(req *stack.Message, t Trunk) *call {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.awaited) == 0 {
		return nil
	}
	for _, number := range identity.Diverted(identityHeaders(req), t.Trust) {
		if c := g.awaited[number]; c != nil {
			return c
		}
	}
	return nil
}

// divertedBack ends the call to a customer whose telephone leads to us: no later
// trunk would ring it either. One that was refused only because somebody said so who
// is not believed about diversions is left to its trunk.
func (c *call) divertedBack() {
	if l := c.caller; c.isCustomer(l) {
		c.log.Info("customer not reached", zap.String("reason", "diverted_to_us"))
		l.dlg.Bye(nil)
		c.customerMissed(482)
	}
}
