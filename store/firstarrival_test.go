package store_test

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/store"
)

func TestFirstArrival(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		base := time.UnixMicro(1_795_000_000_000_000)
		for _, after := range []time.Duration{0, time.Hour} {
			s.Arrived(store.Arrival{Call: s.NextCall(), At: base.Add(after)})
		}
		if err := s.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		for since, want := range map[time.Duration]time.Time{
			-time.Hour: base, 0: base, time.Microsecond: base.Add(time.Hour), time.Hour + time.Microsecond: {},
		} {
			if got, err := s.FirstArrival(t.Context(), base.Add(since)); err != nil || !got.Equal(want) {
				t.Errorf("since %v: %v, %v", since, got, err)
			}
		}
	})
}
