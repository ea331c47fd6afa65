package registrar

import (
	"container/heap"
	"time"
)

// turn is when a binding is to be looked at: its phone is to be asked, or it has run
// out. One that was replaced, or asked meanwhile, has none; what stands here of it is
// passed over when its time comes.
type turn struct {
	at time.Time
	b  *binding
}

// turns is a heap of them, the next one first: thousands of phones are looked at four
// times a second.
type turns []turn

// Len, Less, Swap, Push and Pop implement heap.Interface.
func (t turns) Len() int           { return len(t) }
func (t turns) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t turns) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *turns) Push(x any)        { *t = append(*t, x.(turn)) }
func (t *turns) Pop() any {
	last := len(*t) - 1
	x := (*t)[last]
	(*t)[last] = turn{}
	*t = (*t)[:last]
	return x
}

// await gives a binding its next turn. r.mu is held.
func (r *Registrar) await(b *binding) {
	at := b.due
	if b.Expires.Before(at) {
		at = b.Expires
	}
	heap.Push(&r.turns, turn{at, b})
}

// next takes the binding whose turn it is, nil when there is none. r.mu is held.
func (r *Registrar) next(now time.Time) *binding {
	if len(r.turns) == 0 || r.turns[0].at.After(now) {
		return nil
	}
	return heap.Pop(&r.turns).(turn).b
}
