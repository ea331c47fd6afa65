package stack

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Each leaves when its time has passed and at most a 64th of it later, in the
// order of coming, and one timer does for all.
func TestLingering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const life = 32 * time.Second
		l := &lingering{life: life}
		var mu sync.Mutex
		var order []int
		stay := map[int]time.Duration{}
		for i := range 1000 {
			came := time.Now()
			l.add(func() {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
				stay[i] = time.Since(came)
			})
			time.Sleep(time.Duration(i%7) * 13 * time.Millisecond)
			if i == 500 {
				time.Sleep(2 * life) // all have left
				synctest.Wait()
				mu.Lock()
				if len(order) != 501 || l.armed || l.queue != nil {
					t.Fatalf("%d of 501 have left; armed %t, %d wait", len(order), l.armed, len(l.queue))
				}
				mu.Unlock()
			}
		}
		time.Sleep(2 * life)
		synctest.Wait()
		for i := range 1000 {
			if order[i] != i || stay[i] < life || stay[i] > life+life/64 {
				t.Fatalf("%d: left as %d, after %v", i, order[i], stay[i])
			}
		}
	})
}
