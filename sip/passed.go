package sip

import (
	"strings"

	"github.com/cordboard/cordboard/sip/stack"
)

// What of a caller's own headers goes on to a telephone: so many of one name, so long.
const (
	maxPassed     = 4
	longestPassed = 512
)

// passed are the headers of the caller's INVITE that his trunk lets the agents'
// telephones see. Nothing of it leaves by a trunk: outgoingBy writes our own alone.
func (c *call) passed() (out []stack.Header) {
	if c.invited == nil {
		return nil // nobody called: a customer is called back
	}
	for _, name := range c.trunk.Pass {
		n := 0
		for _, h := range c.invited.Headers {
			if strings.EqualFold(h.Name, name) && len(h.Value) <= longestPassed && n < maxPassed {
				out = append(out, stack.Header{Name: name, Value: h.Value})
				n++
			}
		}
	}
	return out
}
