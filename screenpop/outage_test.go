package screenpop

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/routing"
)

// An outage of the customers' source is told once and then by numbers, a line a
// minute, however many calls it meets; the next outage is told at once again.
func TestOutageIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zapcore.WarnLevel)
		h := New(Options{Log: zap.New(core)})
		defer func() { _ = h.Close(t.Context()) }()
		call := routing.CallID(0)
		fail := func(n int) {
			for range n {
				call++
				c := &card{new: NewCall{Call: call}}
				h.post(func() { h.lookupFailed(c, errors.New("no route to +447700900417")) })
			}
			synctest.Wait()
		}
		said := func(when string, calls ...int64) { // of each line since the last look, 0 for one of a single call
			t.Helper()
			synctest.Wait()
			all := logs.TakeAll()
			if len(all) != len(calls) {
				t.Fatalf("%s: %d lines, want %d: %v", when, len(all), len(calls), all)
			}
			for i, line := range all {
				if n, _ := line.ContextMap()["calls"].(int64); n != calls[i] {
					t.Errorf("%s: %q of %d calls, want %d", when, line.Message, n, calls[i])
				}
			}
		}
		fail(1500)
		said("at first", 0)
		time.Sleep(failingEvery)
		said("after a minute", 1499)
		fail(20)
		said("in the next")
		time.Sleep(failingEvery)
		said("after two", 20)
		time.Sleep(failingEvery)
		said("when it is over")
		fail(3)
		said("the next outage", 0)
	})
}
