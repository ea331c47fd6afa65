package main

import (
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// TestFailures: a failed call counts against the server unless a fault that it
// follows from was in force while it lasted.
func TestFailures(t *testing.T) {
	begin := time.UnixMicro(1_795_302_000_000_000)
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	f := &faults{strikes: []strike{{restartFault, at(10), at(12)}, {lossyFault, at(100), at(115)}, {"desks cut", at(200), at(200)}}}
	for _, c := range []struct {
		outcome  routing.Outcome
		reason   string
		from, to int
		bad      bool
	}{
		{routing.Failed, "shutdown", 5, 11, false},
		{routing.Failed, "shutdown", 1, 9, true},
		{routing.Failed, "shutdown", 13, 20, true},
		{routing.Failed, "restart", 12, 12, false},
		{routing.Failed, "no_ack", 90, 130, false},
		{routing.Failed, "no_ack", 116, 150, true},
		{routing.Failed, "no_ack", 199, 240, true},
		{routing.Failed, "internal", 9, 116, true},
		{routing.Answered, "", 150, 160, false},
	} {
		calls := &failures{during: f.between}
		calls.add(store.LedgerRow{Call: 7, Outcome: c.outcome, Reason: c.reason, ArrivedAt: at(c.from), EndedAt: at(c.to)}, nil)
		bad := calls.verdict()
		if (len(bad) == 1) != c.bad || c.bad && !strings.Contains(bad[0], "call 7") {
			t.Errorf("%+v: %q", c, bad)
		}
	}
}
