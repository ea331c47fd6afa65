package queue

// From calls yield for each value whose key is not before k, in order, until
// it says false. The tree must not be changed meanwhile.
func (t *Tree[K, V]) From(k K, yield func(V) bool) { from(t.root, k, yield) }

func from[K Ordered[K], V any](n *node[K, V], k K, yield func(V) bool) bool {
	if n == nil {
		return true
	}
	if n.key.Compare(k) < 0 {
		return from(n.right, k, yield)
	}
	return from(n.left, k, yield) && yield(n.value) && ascend(n.right, yield)
}
