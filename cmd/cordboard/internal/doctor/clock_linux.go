package doctor

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// notKept is the kernel's word that nobody keeps its clock (STA_UNSYNC).
const notKept = 0x40

func clock(context.Context, Patient) []Line {
	var t syscall.Timex
	if _, err := syscall.Adjtimex(&t); err != nil {
		return []Line{bad(Warn, "clock", "the kernel does not say whether it is kept: "+err.Error(), "")}
	}
	return []Line{kept(t.Status&notKept == 0, time.Duration(t.Esterror)*time.Microsecond)}
}

func kept(synced bool, off time.Duration) Line {
	switch {
	case !synced:
		return bad(Warn, "clock", "nobody keeps this machine's clock", "Run chrony or systemd-timesyncd: opening hours and reports go by it")
	case off > time.Second:
		return bad(Warn, "clock", fmt.Sprintf("it may be %v off", off), "Look at chrony or systemd-timesyncd")
	}
	return ok("clock", "kept by NTP, at most %v off", off)
}
