package main

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// TestGoodput: calls that failed are no goodput, and nobody may be left without
// an answer.
func TestGoodput(t *testing.T) {
	sum := func(answered, abandoned, failed int64) store.Outcomes {
		return store.Outcomes{By: map[routing.Outcome]int64{routing.Answered: answered, routing.Abandoned: abandoned, routing.Failed: failed}}
	}
	for _, c := range []struct {
		sum    store.Outcomes
		silent int64
		bad    int
	}{
		{sum(2000, 700, 0), 0, 0},
		{sum(2000, 699, 5000), 0, 1},
		{sum(2000, 1000, 0), 1, 1},
	} {
		if bad := goodput(c.sum, c.silent, 50, time.Minute); len(bad) != c.bad {
			t.Errorf("%+v: %q", c, bad)
		}
	}
}
