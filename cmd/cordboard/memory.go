package main

import (
	"os"
	"runtime/debug"
)

// collectAt is how much the heap may grow between two garbage collections, in
// percent of what lives, where GOGC does not say otherwise. A call's SIP
// transactions live for half a minute after it (RFC 3261 timers), so that most
// of what a collection looks at is there to stay: with Go's own 100 the
// collector takes a fifth of the server.
const collectAt = 400

// tuneCollector sets the garbage collector up for a server.
func tuneCollector() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
}
