package figures

import "time"

// Ring is the counts of the last minutes, one slot a minute: what the live
// service level is worked out from in the same time however long the window.
// The zero Ring is empty.
type Ring struct {
	slots []Counts
	last  int64 // the newest minute since 1970 that has a slot
	sum   Counts
}

const minute = int64(time.Minute / time.Microsecond)

// Add counts, or takes back, what counts into an instant. What is older than
// the window is no longer counted.
func (r *Ring) Add(window time.Duration, now, at int64, c Counts, times int) {
	r.reach(window, now)
	age := r.last - at/minute
	if age < 0 || age >= int64(len(r.slots)) {
		return
	}
	r.slot(at/minute).Add(c, times)
	r.sum.Add(c, times)
}

// Sum is what counts into the window that ends now: this minute, and as many
// whole ones before it as make up the window.
func (r *Ring) Sum(window time.Duration, now int64) Counts {
	n := int64(len(r.slots))
	if n == 0 {
		return Counts{}
	}
	sum := r.sum
	for m := r.last - n + 1; m <= min(now/minute-minutes(window), r.last); m++ {
		sum.Add(*r.slot(m), -1)
	}
	return sum
}

// Begins is the instant the window that ends now begins.
func Begins(window time.Duration, now int64) int64 {
	return (now/minute + 1 - minutes(window)) * minute
}

func minutes(window time.Duration) int64 { return max(int64(window/time.Minute), 1) }

func (r *Ring) slot(m int64) *Counts {
	n := int64(len(r.slots))
	return &r.slots[(m%n+n)%n]
}

// reach forgets the minutes that have left the window.
func (r *Ring) reach(window time.Duration, now int64) {
	n, to := minutes(window), now/minute
	if int64(len(r.slots)) != n {
		r.resize(n)
	}
	if to <= r.last {
		return
	}
	if to-r.last >= n {
		clear(r.slots)
		r.sum = Counts{}
		r.last = to
		return
	}
	for r.last < to {
		r.last++
		s := r.slot(r.last)
		r.sum.Add(*s, -1)
		*s = Counts{}
	}
}

// resize keeps the newest minutes.
func (r *Ring) resize(n int64) {
	old := *r
	r.slots, r.sum = make([]Counts, n), Counts{}
	for m := r.last; m > r.last-min(n, int64(len(old.slots))); m-- {
		*r.slot(m) = *old.slot(m)
		r.sum.Add(*old.slot(m), 1)
	}
}
