package rule

import (
	"errors"
	"strings"
	"testing"
)

// A condition about a waiting call may ask the figures of its queue.
func TestOwnQueue(t *testing.T) {
	o := testOptions
	o.OwnQueue = true
	env := fullEnv()
	env.Own = OwnQueue{QueueFigures{Waiting: 5, Oldest: 90, Available: 1, Staffed: 3, Talking: 2, Open: true}, 4}
	for src, want := range map[string]bool{
		`queue.waiting == 5 and queue.oldest == 90 and queue.talking == 2`: true,
		`queue.available == 1 and queue.staffed == 3 and queue.open`:       true,
		`queue.position == 4`:                                                true,
		`queue.position > queue.waiting`:                                     false,
		`queue.waiting > 3 and queues.billing.waiting < 100`:                 true,
		`not queue.open or call.trunk == "nowhere"`:                          false,
		`any(customer.products, # == "dsl") and min(queue.waiting, 4) == 40`: false,
	} {
		c, err := Compile(src, o)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if got := c.Eval(env); got != want || !c.ReadsOwn() {
			t.Errorf("%s: %v, reads the own queue: %v", src, got, c.ReadsOwn())
		}
	}
	if env.Errors != 0 {
		t.Errorf("%d conditions failed while running", env.Errors)
	}
	for src, want := range map[string]string{
		`queue.wating > 1`:  "1:7: unknown field wating, did you mean waiting?",
		`queue > 1`:         "1:1: queue needs a field",
		`queue.waiting`:     "expected bool",
		`has("queue.open")`: "unknown field queue.open",
	} {
		_, err := Compile(src, o)
		var se *SyntaxError
		if !errors.As(err, &se) || !strings.Contains(se.Error(), want) {
			t.Errorf("%s: got %v, want %q in it", src, err, want)
		}
	}
	if c, err := Compile(`queues.billing.waiting > 1`, o); err != nil || c.ReadsOwn() {
		t.Errorf("another queue is not the own: %v", err)
	}
}
