package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// failures are the calls of the ledger with the outcome "failed". Each needs a
// fault of ours that was in force during the call and that such an end follows
// from; any other is the server's.
type failures struct {
	during func(from, to time.Time) []string // the faults in force
	by     map[string]int                    // how many, by reason and faults
	bad    []string
}

// explains are the faults that a call may fail by, by the reason in the ledger.
var explains = map[string][]string{
	"shutdown": {restartFault},
	"restart":  {restartFault},
	"no_ack":   {lossyFault}, // none in 64*T1
}

// add notes a call if it failed.
func (f *failures) add(row store.LedgerRow, events []store.Event) {
	if row.Outcome != routing.Failed {
		return
	}
	faults := f.during(row.ArrivedAt, row.EndedAt)
	if f.by == nil {
		f.by = map[string]int{}
	}
	f.by[row.Reason+", "+strings.Join(faults, " + ")]++
	if slices.ContainsFunc(explains[row.Reason], func(fault string) bool { return slices.Contains(faults, fault) }) {
		return
	}
	var story strings.Builder
	for _, e := range events {
		fmt.Fprintf(&story, " %.3f %s;", e.At.Sub(row.ArrivedAt).Seconds(), e.Kind)
	}
	f.bad = append(f.bad, fmt.Sprintf("call %d of %s failed by %q, and no fault explains it:%s",
		row.Call, row.ArrivedAt.Format("15:04:05.000"), row.Reason, story.String()))
}

// verdict prints what there was, and tells of the calls that nothing explains.
func (f *failures) verdict() []string {
	for _, why := range slices.Sorted(maps.Keys(f.by)) {
		fmt.Printf("soak: failed calls: %s: %d\n", why, f.by[why])
	}
	if n := len(f.bad); n > 20 {
		return append(f.bad[:20], fmt.Sprintf("and %d more", n-20))
	}
	return f.bad
}
