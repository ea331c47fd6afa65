// Package queue keeps waiting calls in the order in which they are served. It
// holds no calls of its own and knows no states: the routing engine puts calls
// into trees, one tree per class of need, and takes them out. It is pure.
package queue

import "cmp"

// Key orders calls: the earliest turn first, then the call whose waiting began
// first, then the lower number. Times are microseconds since 1970.
type Key struct {
	Turn, Since, ID int64
}

// NewKey computes a call's place. The turn is the instant waiting began less
// the head start of its priority; milliPoints is points per second in
// thousandths, 0 for strict priority, where the higher priority always leads.
func NewKey(since int64, priority int, milliPoints int64, id int64) Key {
	if milliPoints == 0 {
		return Key{-int64(priority), since, id}
	}
	head := int64(priority) * 1e9
	// Rounded down, as the routing document says of every division.
	q := head / milliPoints
	if head < 0 && head%milliPoints != 0 {
		q--
	}
	return Key{since - q, since, id}
}

// Compare is negative when k is served before o.
func (k Key) Compare(o Key) int {
	if c := cmp.Compare(k.Turn, o.Turn); c != 0 {
		return c
	}
	if c := cmp.Compare(k.Since, o.Since); c != 0 {
		return c
	}
	return cmp.Compare(k.ID, o.ID)
}

// Tree is a set of values in order of their keys: a treap whose shape depends
// on the keys alone, so that equal inputs give equal runs. The zero Tree is
// empty and ready. All operations cost O(log n) but Ascend.
type Tree[V any] struct {
	root *node[V]
	n    int
}

type node[V any] struct {
	key         Key
	value       V
	rank        uint64
	left, right *node[V]
}

// Len is how many values the tree holds.
func (t *Tree[V]) Len() int { return t.n }

// Put inserts a value; a key that is there already gets the new value.
func (t *Tree[V]) Put(k Key, v V) {
	added := false
	t.root = put(t.root, k, v, &added)
	if added {
		t.n++
	}
}

// Delete removes a key and says whether it was there.
func (t *Tree[V]) Delete(k Key) bool {
	found := false
	t.root = remove(t.root, k, &found)
	if found {
		t.n--
	}
	return found
}

// First is the value served first.
func (t *Tree[V]) First() (v V, ok bool) {
	n := t.root
	if n == nil {
		return v, false
	}
	for n.left != nil {
		n = n.left
	}
	return n.value, true
}

// Ascend calls yield for each value in order until it says false. The tree
// must not be changed meanwhile.
func (t *Tree[V]) Ascend(yield func(V) bool) { ascend(t.root, yield) }

func ascend[V any](n *node[V], yield func(V) bool) bool {
	return n == nil || ascend(n.left, yield) && yield(n.value) && ascend(n.right, yield)
}

func put[V any](n *node[V], k Key, v V, added *bool) *node[V] {
	if n == nil {
		*added = true
		return &node[V]{key: k, value: v, rank: mix(k)}
	}
	switch c := k.Compare(n.key); {
	case c < 0:
		n.left = put(n.left, k, v, added)
		if n.left.rank > n.rank {
			l := n.left
			n.left, l.right = l.right, n
			return l
		}
	case c > 0:
		n.right = put(n.right, k, v, added)
		if n.right.rank > n.rank {
			r := n.right
			n.right, r.left = r.left, n
			return r
		}
	default:
		n.value = v
	}
	return n
}

func remove[V any](n *node[V], k Key, found *bool) *node[V] {
	if n == nil {
		return nil
	}
	switch c := k.Compare(n.key); {
	case c < 0:
		n.left = remove(n.left, k, found)
	case c > 0:
		n.right = remove(n.right, k, found)
	default:
		*found = true
		return merge(n.left, n.right)
	}
	return n
}

func merge[V any](a, b *node[V]) *node[V] {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.rank > b.rank:
		a.right = merge(a.right, b)
		return a
	default:
		b.left = merge(a, b.left)
		return b
	}
}

// mix spreads a key over 64 bits (the finaliser of splitmix64), which keeps
// the tree flat whatever the order of arrival.
func mix(k Key) uint64 {
	x := uint64(k.Turn)*0x9e3779b97f4a7c15 ^ uint64(k.ID)*0xbf58476d1ce4e5b9 ^ uint64(k.Since)
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
