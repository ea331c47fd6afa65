package main

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// jitterSleep is how long the thread sleeps that measures the machine's jitter.
const jitterSleep = 2 * time.Millisecond

// startJitter measures by how much a thread wakes up too late, until stop is
// called, which returns what it saw in microseconds. It is a thread of its own
// that the Go scheduler has no part in: what it has to wait for is a processor,
// and the machine lets the threads of a look-up wait as long.
func startJitter() (stop func() []float64) {
	var over atomic.Bool
	seen := make(chan []float64, 1)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var late []float64
		pause := syscall.NsecToTimespec(jitterSleep.Nanoseconds())
		for !over.Load() {
			begin := time.Now()
			if syscall.Nanosleep(&pause, nil) == nil { // else a signal has ended it
				late = append(late, since(begin.Add(jitterSleep)))
			}
		}
		seen <- late
	}()
	return func() []float64 {
		over.Store(true)
		return <-seen
	}
}
