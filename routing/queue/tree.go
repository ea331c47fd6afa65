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

// Ordered is a key of a Tree. Equal keys must have equal hashes.
type Ordered[K any] interface {
	Compare(K) int
	Hash() uint64
}

// Tree is a set of values in order of their keys: a treap whose shape depends
// on the keys alone, so that equal inputs give equal runs. The zero Tree is
// empty and ready. All operations cost O(log n) but Ascend.
type Tree[K Ordered[K], V any] struct {
	root  *node[K, V]
	least *node[K, V]
	n     int
}

type node[K Ordered[K], V any] struct {
	key         K
	value       V
	rank        uint64
	size        int // of this and all below
	left, right *node[K, V]
}

func (n *node[K, V]) count() int {
	if n == nil {
		return 0
	}
	return n.size
}

func (n *node[K, V]) sized() *node[K, V] {
	n.size = 1 + n.left.count() + n.right.count()
	return n
}

// Len is how many values the tree holds.
func (t *Tree[K, V]) Len() int { return t.n }

// Put inserts a value; a key that is there already gets the new value.
func (t *Tree[K, V]) Put(k K, v V) {
	added := false
	t.root = put(t.root, k, v, &added)
	if added {
		t.n++
	}
	if t.least == nil || k.Compare(t.least.key) < 0 {
		t.least = t.root.first()
	}
}

// Delete removes a key and says whether it was there.
func (t *Tree[K, V]) Delete(k K) bool {
	found := false
	t.root = remove(t.root, k, &found)
	if found {
		t.n--
		if k.Compare(t.least.key) == 0 {
			t.least = t.root.first()
		}
	}
	return found
}

func (n *node[K, V]) first() *node[K, V] {
	for n != nil && n.left != nil {
		n = n.left
	}
	return n
}

// First is the value served first.
func (t *Tree[K, V]) First() (v V, ok bool) {
	if t.least == nil {
		return v, false
	}
	return t.least.value, true
}

// FirstKey is the key of the value served first.
func (t *Tree[K, V]) FirstKey() (k K, ok bool) {
	if t.least == nil {
		return k, false
	}
	return t.least.key, true
}

// Rank is how many keys come before one, which need not be in the tree.
func (t *Tree[K, V]) Rank(k K) int {
	before := 0
	for n := t.root; n != nil; {
		if k.Compare(n.key) <= 0 {
			n = n.left
			continue
		}
		before += 1 + n.left.count()
		n = n.right
	}
	return before
}

// At is the value with so many before it.
func (t *Tree[K, V]) At(place int) (v V, ok bool) {
	for n := t.root; n != nil && place >= 0; {
		switch before := n.left.count(); {
		case place < before:
			n = n.left
		case place == before:
			return n.value, true
		default:
			place -= before + 1
			n = n.right
		}
	}
	return v, false
}

// Last is the value served last.
func (t *Tree[K, V]) Last() (v V, ok bool) {
	n := t.root
	if n == nil {
		return v, false
	}
	for n.right != nil {
		n = n.right
	}
	return n.value, true
}

// Before is the last value before a key.
func (t *Tree[K, V]) Before(k K) (v V, ok bool) {
	for n := t.root; n != nil; {
		if n.key.Compare(k) < 0 {
			v, ok, n = n.value, true, n.right
		} else {
			n = n.left
		}
	}
	return v, ok
}

// Ascend calls yield for each value in order until it says false. The tree
// must not be changed meanwhile.
func (t *Tree[K, V]) Ascend(yield func(V) bool) { ascend(t.root, yield) }

func ascend[K Ordered[K], V any](n *node[K, V], yield func(V) bool) bool {
	return n == nil || ascend(n.left, yield) && yield(n.value) && ascend(n.right, yield)
}

func put[K Ordered[K], V any](n *node[K, V], k K, v V, added *bool) *node[K, V] {
	if n == nil {
		*added = true
		return &node[K, V]{key: k, value: v, rank: k.Hash(), size: 1}
	}
	switch c := k.Compare(n.key); {
	case c < 0:
		n.left = put(n.left, k, v, added)
		if n.left.rank > n.rank {
			l := n.left
			n.left, l.right = l.right, n
			n.sized()
			return l.sized()
		}
	case c > 0:
		n.right = put(n.right, k, v, added)
		if n.right.rank > n.rank {
			r := n.right
			n.right, r.left = r.left, n
			n.sized()
			return r.sized()
		}
	default:
		n.value = v
	}
	return n.sized()
}

func remove[K Ordered[K], V any](n *node[K, V], k K, found *bool) *node[K, V] {
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
	return n.sized()
}

func merge[K Ordered[K], V any](a, b *node[K, V]) *node[K, V] {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.rank > b.rank:
		a.right = merge(a.right, b)
		return a.sized()
	default:
		b.left = merge(a, b.left)
		return b.sized()
	}
}

// Hash spreads a key over 64 bits, which keeps a tree flat whatever the order
// of arrival.
func (k Key) Hash() uint64 {
	return Mix(uint64(k.Turn)*0x9e3779b97f4a7c15 ^ uint64(k.ID)*0xbf58476d1ce4e5b9 ^ uint64(k.Since))
}

// Mix is the finaliser of splitmix64.
func Mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
