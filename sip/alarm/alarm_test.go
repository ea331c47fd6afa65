package alarm

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Each rings when its time has passed and at most a 64th of it later, in the
// order of setting, and nothing is left when all have.
func TestAlarms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const d = 32 * time.Second
		c := &Clock{}
		var mu sync.Mutex
		var order []int
		stay := map[int]time.Duration{}
		for i := range 1000 {
			set := time.Now()
			c.After(d, func() {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
				stay[i] = time.Since(set)
			})
			time.Sleep(time.Duration(i%7) * 13 * time.Millisecond)
			if i == 500 {
				time.Sleep(2 * d) // all have rung
				synctest.Wait()
				mu.Lock()
				if len(order) != 501 || len(c.queues) != 0 {
					t.Fatalf("%d of 501 have rung; %d queues", len(order), len(c.queues))
				}
				mu.Unlock()
			}
		}
		time.Sleep(2 * d)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		for i := range 1000 {
			if order[i] != i || stay[i] < d || stay[i] > d+d/64 {
				t.Fatalf("%d: rang as %d, after %v", i, order[i], stay[i])
			}
		}
	})
}

// One that is stopped does not ring, whatever its place in the queue, and the
// others do; Stop tells whether it was in time.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Clock{}
		var mu sync.Mutex
		rang := map[int]int{}
		var all []*Alarm
		for i := range 9 {
			all = append(all, c.After(time.Second, func() { mu.Lock(); defer mu.Unlock(); rang[i]++ }))
		}
		c.After(time.Minute, func() { mu.Lock(); defer mu.Unlock(); rang[9]++ })
		for _, i := range []int{0, 4, 8, 1} {
			if !all[i].Stop() || all[i].Stop() {
				t.Errorf("%d: the first Stop must be in time and the second not", i)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if (*Alarm)(nil).Stop() || all[2].Stop() {
			t.Error("Stop of none, or of one that has rung, was in time")
		}
		mu.Lock()
		for i := range 10 {
			want := 1
			if i == 0 || i == 1 || i == 4 || i == 8 || i == 9 {
				want = 0
			}
			if rang[i] != want {
				t.Errorf("%d rang %d times, want %d", i, rang[i], want)
			}
		}
		mu.Unlock()
		time.Sleep(time.Minute)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		if rang[9] != 1 || len(c.queues) != 0 {
			t.Errorf("the minute's alarm rang %d times; %d queues are left", rang[9], len(c.queues))
		}
	})
}

// An alarm set by one that rings, and one set while its queue stands empty, ring.
func TestSetAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Clock{}
		begin := time.Now()
		var times []time.Duration
		done := make(chan struct{})
		var again func()
		again = func() {
			times = append(times, time.Since(begin))
			if len(times) == 3 {
				close(done)
				return
			}
			c.After(time.Second, again)
		}
		c.After(time.Second, func() {}).Stop() // its timer still runs
		time.Sleep(time.Second / 2)
		c.After(time.Second, again)
		<-done
		for i, at := range times {
			due := time.Second/2 + time.Duration(i+1)*time.Second
			if late := at - due; late < 0 || late > time.Duration(i+1)*time.Second/64 {
				t.Errorf("ring %d after %v, want %v", i, at, due)
			}
		}
	})
}

// Of alarms that were stopped nothing is kept for long, however long they were
// set for; those that still stand in such queues ring, once each.
func TestStoppedAreForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Clock{}
		var mu sync.Mutex
		rang := map[int]int{}
		const first = 1000
		for i := range 10 * spare {
			d := time.Duration(first+i) * time.Second
			a := c.After(d, func() { t.Errorf("%v was stopped, and rang", d) })
			if i%spare == 0 { // this one is not alone
				c.After(d, func() { mu.Lock(); defer mu.Unlock(); rang[i]++ })
			}
			if !a.Stop() {
				t.Fatal("too late")
			}
			if i%(2*spare) == 0 { // and this one is set again
				c.After(d, func() { mu.Lock(); defer mu.Unlock(); rang[i]++ }).Stop()
			}
		}
		c.mu.Lock()
		if n := len(c.queues); n > spare+10 {
			t.Errorf("%d queues are kept", n)
		}
		c.mu.Unlock()
		time.Sleep(2 * (first + 10*spare) * time.Second)
		synctest.Wait()
		mu.Lock()
		defer mu.Unlock()
		for i := 0; i < 10*spare; i += spare {
			if rang[i] != 1 {
				t.Errorf("%d rang %d times", i, rang[i])
			}
		}
		if len(rang) != 10 || len(c.queues) != 0 {
			t.Errorf("%d rang; %d queues are left", len(rang), len(c.queues))
		}
	})
}

func BenchmarkAlarm(b *testing.B) {
	c := &Clock{}
	b.ReportAllocs()
	for b.Loop() {
		c.After(time.Minute, func() {}).Stop()
	}
}
