package siptest

import (
	"context"
	"fmt"
)

// Ask sends a request in the call's dialog, also after the call is over, and
// returns the final response's code; 408 when none came. It changes nothing of
// the call: tests ask whether the peer still knows the dialog.
func (c *Call) Ask(ctx context.Context, method string) (int, error) {
	result := make(chan int, 1)
	c.ua.mu.Lock()
	c.cseq++
	err := c.ua.send(c.build(method, c.cseq), func(r *Message) {
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
