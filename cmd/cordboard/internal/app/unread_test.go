package app

import (
	"errors"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// An outage of the store is a line a minute, which says how often it was asked in
// vain.
func TestUnreadVersionsOnceAMinute(t *testing.T) {
	t.Parallel()
	core, logs := observer.New(zap.WarnLevel)
	var u unread
	began := time.Now()
	for i := range 121 { // each second
		u.tell(zap.New(core), errors.New("no connection"), began.Add(time.Duration(i)*time.Second))
	}
	told := logs.All()
	if len(told) != 3 {
		t.Fatalf("%d lines", len(told))
	}
	for i, want := range []int64{1, 60, 60} {
		if got := told[i].ContextMap()["times"]; got != want {
			t.Errorf("line %d: %v times", i, got)
		}
	}
}
