package siptest

import (
	"context"
	"fmt"
)

// Ask sends a request in the call's dialog, also after the call is over, and
// returns the final response's code; 408 when none came. It changes nothing of
// the call: tests ask whether the peer still knows the dialog.
func (c *Call) Ask(ctx context.Context, method string) (int, error) { return c.ask(ctx, method) }

// Refer asks the peer to pass the call on (RFC 3515), and returns the final
// response's code. What it is told then is noted as Notified.
func (c *Call) Refer(ctx context.Context, to string, more ...Header) (int, error) {
	return c.ask(ctx, "REFER", append([]Header{{"Refer-To", to}, {"Contact", "<" + c.ua.contact() + ">"}}, more...)...)
}

func (c *Call) ask(ctx context.Context, method string, more ...Header) (int, error) {
	result := make(chan int, 1)
	c.ua.mu.Lock()
	c.cseq++
	m := c.build(method, c.cseq)
	m.Headers = append(m.Headers, more...)
	err := c.ua.send(m, func(r *Message) {
		switch {
		case r == nil:
			result <- 408
		case r.Status >= 200:
			result <- r.Status
		}
	})
	c.ua.mu.Unlock()
	if err != nil {
		return 0, err
	}
	select {
	case code := <-result:
		return code, nil
	case <-ctx.Done():
		return 0, fmt.Errorf("siptest: %s in the dialog: %w", method, ctx.Err())
	}
}
