package siptest_test

import (
	"context"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/sip/siptest"
)

// bad is one datagram in ten lost, one twice, one overtaken.
var bad = siptest.Faults{Loss: 0.1, Duplicate: 0.1, Reorder: 0.1, Delay: 30 * time.Millisecond}

// lossyCalls is how many calls the tests of bad networks make: some tens, or
// as many as LOSSY_CALLS says for a longer run.
func lossyCalls(t *testing.T) int {
	if v := os.Getenv("LOSSY_CALLS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			t.Fatalf("LOSSY_CALLS is %q", v)
		}
		return n
	}
	return 40
}

// number is the call a phone's INVITE is for, "7/1".
func number(c *siptest.Call) string { return c.Invite().Get("X-Cordboard-Call") }

// Calls over networks that lose, repeat and reorder on both legs all come
// about and all end, each once, by the timers of RFC 3261 alone.
func TestLossyNetwork(t *testing.T) {
	t.Parallel()
	calls := lossyCalls(t)
	w := newLossyWorld(t, time.Minute+time.Duration(calls)*200*time.Millisecond,
		siptest.Behaviour{Ring: true, AnswerAfter: 2 * shortT1}, func(ctx context.Context, c *siptest.Call) {
			// Of every second call the agent hangs up, in the middle of the join.
			id, _, _ := strings.Cut(number(c), "/")
			if n, err := strconv.Atoi(id); err == nil && n%2 == 1 {
				if _, err := c.WaitFor(ctx, siptest.AckReceived); err == nil {
					c.Hangup()
				}
			}
		})
	w.set(bad)
	var placed []*siptest.Call
	every := time.NewTicker(time.Second / 20)
	defer every.Stop()
	for range calls {
		<-every.C
		placed = append(placed, w.place(siptest.Behaviour{HangupAfter: 25 * shortT1}))
	}
	answered := 0
	for _, c := range placed {
		w.waits(c, siptest.Over)
		if _, ok := c.At(siptest.Answered); ok {
			answered++
		}
	}
	outcomes := w.ended(calls)
	// RFC 6076 4.7: the share of sessions that came about or ended as the
	// called side wished.
	if missed := calls - answered; missed > calls/1000 {
		t.Errorf("%d of %d calls were not answered", missed, calls)
	}
	w.office.mu.Lock()
	n, joined := len(w.office.ledger), 0
	for _, e := range w.office.ledger {
		joined += e.joined
	}
	w.office.mu.Unlock()
	if n != calls {
		t.Errorf("%d calls placed, %d arrived", calls, n)
	}
	seen := map[string]bool{}
	for _, c := range w.phone.Calls() {
		if seen[number(c)] {
			t.Errorf("attempt %s rang twice", number(c))
		}
		seen[number(c)] = true
	}
	t.Logf("%d calls, %d answered, %d joined, outcomes %v; trunk %+v, phone %+v", calls, answered, joined, outcomes, w.toTrunk.Counts(), w.toPhone.Counts())
	for _, c := range []siptest.Counts{w.toTrunk.Counts(), w.toPhone.Counts()} {
		if c.Lost == 0 || c.Duplicated == 0 || c.Reordered == 0 {
			t.Errorf("that was no bad network: %+v", c)
		}
	}
}

// A network that is gone for a while when somebody hangs up: the BYE gets
// through when it is back.
func TestByeOutlastsABlackout(t *testing.T) {
	t.Parallel()
	w := newLossyWorld(t, time.Minute, siptest.Behaviour{}, nil)
	c := w.place(siptest.Behaviour{})
	agent, err := w.phone.WaitCall(w.ctx, 1)
	w.must(err)
	w.waits(agent, siptest.AckReceived)
	w.must(w.office.until(w.ctx, func() bool { return w.office.ledger[1].joined == 1 }))
	w.set(siptest.Faults{Loss: 1})
	c.Hangup()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for w.toTrunk.Counts().Lost < 4 {
		<-tick.C
	}
	w.set(siptest.Faults{})
	w.waits(agent, siptest.ByeReceived)
	w.ended(1)
}

// Damaged datagrams, beside the good ones: nothing falls over, and calls that
// stand are not touched.
func TestCorruptedNetwork(t *testing.T) {
	t.Parallel()
	calls := lossyCalls(t)
	w := newLossyWorld(t, time.Minute+time.Duration(calls)*200*time.Millisecond, siptest.Behaviour{Ring: true}, nil)
	const live = 10
	var standing []*siptest.Call
	for range live {
		standing = append(standing, w.place(siptest.Behaviour{}))
	}
	for _, c := range standing {
		w.waits(c, siptest.AckSent)
	}
	var agents []*siptest.Call
	for n := range live {
		a, err := w.phone.WaitCall(w.ctx, n+1)
		w.must(err)
		w.waits(a, siptest.AckReceived)
		agents = append(agents, a)
	}
	w.must(w.office.until(w.ctx, func() bool {
		for _, e := range w.office.ledger {
			if e.joined != 1 {
				return false
			}
		}
		return true
	}))

	w.set(siptest.Faults{Corrupt: 0.5})
	var placed []*siptest.Call
	every := time.NewTicker(time.Second / 40)
	defer every.Stop()
	for range calls {
		<-every.C
		placed = append(placed, w.place(siptest.Behaviour{HangupAfter: 4 * shortT1}))
	}
	ends := map[int]int{}
	for _, c := range placed {
		code, err := c.Wait(w.ctx)
		w.must(err)
		ends[code]++
	}
	w.set(siptest.Faults{})
	for _, c := range append(standing, agents...) {
		if code, err := c.Ask(w.ctx, "OPTIONS"); err != nil || code != 200 {
			t.Errorf("a call that stood is asked: %d, %v", code, err)
		}
	}
	for _, c := range standing {
		c.Hangup()
	}
	for _, a := range agents {
		w.waits(a, siptest.ByeReceived)
	}
	w.office.mu.Lock()
	n := len(w.office.ledger)
	w.office.mu.Unlock()
	t.Logf("%d calls placed, %d arrived; trunk %+v, phone %+v", live+calls, n, w.toTrunk.Counts(), w.toPhone.Counts())
	t.Logf("ends at the caller %v, at the engine %v", ends, w.ended(live+calls))
	if w.toTrunk.Counts().Corrupted == 0 || w.toPhone.Counts().Corrupted == 0 {
		t.Error("nothing was damaged")
	}
}
