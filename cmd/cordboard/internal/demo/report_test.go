package demo

import (
	"testing"
	"time"
)

// at is an instant of the test's own day, in milliseconds.
func at(ms int) time.Time { return time.UnixMilli(int64(1_000_000 + ms)) }

func run(edit func(*observer)) Report {
	o := &observer{}
	o.call(callSeen{number: "+447700900001", invited: at(0), released: at(900)})
	o.pop(popSeen{number: "+447700900001", agent: "priya", received: at(5), acked: at(10), complete: true})
	o.ring(ringSeen{number: "+447700900001", agent: "priya", invited: at(12), answered: at(20)})
	if edit != nil {
		edit(o)
	}
	r := o.report()
	r.LedgerRows = r.Offered
	return r
}

func TestReportOfACleanRun(t *testing.T) {
	r := run(nil)
	if !r.OK() || r.Offered != 1 || r.Answered != 1 || r.Pops != 1 || r.PopsBeforeRing != 1 {
		t.Fatalf("%+v", r)
	}
	if r.InviteToPopMS.P99 != 5 || r.InviteToRingMS.P50 != 12 {
		t.Fatalf("%+v", r)
	}
}

func TestReportRefusesARun(t *testing.T) {
	for name, edit := range map[string]func(*observer){
		"the phone rang before the ack":       func(o *observer) { o.pops[0].acked = at(13) },
		"the phone rang without a pop":        func(o *observer) { o.pops = nil },
		"the pop was at another agent's desk": func(o *observer) { o.pops[0].agent = "petar" },
		"the record was not complete":         func(o *observer) { o.pops[0].complete = false },
		"the call failed":                     func(o *observer) { o.rings[0].answered = time.Time{}; o.calls[0].failed = true },
		"a caller in twenty gave up":          func(o *observer) { o.call(callSeen{number: "+447700900002", invited: at(1), released: at(2)}) },
		"the specialist's phone had no record": func(o *observer) {
			o.ring(ringSeen{number: "+447700900001", agent: "petar", invited: at(30), answered: at(31)})
		},
	} {
		t.Run(name, func(t *testing.T) {
			if r := run(edit); r.OK() {
				t.Fatalf("was let pass: %+v", r)
			}
		})
	}
	r := run(nil)
	r.LedgerOpen = 1
	if r.OK() {
		t.Fatal("an open ledger row was let pass")
	}
}

func TestReportCountsTheHop(t *testing.T) {
	r := run(func(o *observer) {
		o.pop(popSeen{number: "+447700900001", agent: "petar", received: at(25), acked: at(28), complete: true})
		o.ring(ringSeen{number: "+447700900001", agent: "petar", invited: at(30), answered: at(31)})
	})
	if !r.OK() || r.Transfers != 1 || r.Answered != 1 || r.Pops != 2 || r.PopsBeforeRing != 2 {
		t.Fatalf("%+v", r)
	}
}
