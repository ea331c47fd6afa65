package queue

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestTreeAgainstSlice(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var tree Tree[Key, int64]
	model := map[Key]int64{}
	for i := range int64(5000) {
		k := Key{rng.Int64N(50), rng.Int64N(5), rng.Int64N(20)}
		if rng.IntN(3) == 0 {
			_, there := model[k]
			if tree.Delete(k) != there {
				t.Fatalf("delete %v: said %v", k, !there)
			}
			delete(model, k)
		} else {
			tree.Put(k, i)
			model[k] = i
		}
		if tree.Len() != len(model) {
			t.Fatalf("%d values, want %d", tree.Len(), len(model))
		}
	}
	keys := make([]Key, 0, len(model))
	for k := range model {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, Key.Compare)
	var got []int64
	tree.Ascend(func(v int64) bool { got = append(got, v); return true })
	for i, k := range keys {
		if got[i] != model[k] {
			t.Fatalf("place %d: got %d, want %d", i, got[i], model[k])
		}
		if rank := tree.Rank(k); rank != i {
			t.Fatalf("%d keys come before place %d", rank, i)
		}
		if v, ok := tree.At(i); !ok || v != model[k] {
			t.Fatalf("at place %d: %d, want %d", i, v, model[k])
		}
	}
	for _, nowhere := range []int{-1, len(keys)} {
		if v, ok := tree.At(nowhere); ok {
			t.Fatalf("at place %d of %d: %d", nowhere, len(keys), v)
		}
	}
	if first, ok := tree.First(); !ok || first != got[0] {
		t.Fatalf("first is %d, want %d", first, got[0])
	}
	if last, ok := tree.Last(); !ok || last != got[len(got)-1] {
		t.Fatalf("last is %d, want %d", last, got[len(got)-1])
	}
	for i, k := range keys {
		after := Key{k.Turn, k.Since, k.ID + 1}
		if tree.Rank(k) != i || tree.Rank(after) != i+1 {
			t.Fatalf("rank of place %d is %d, and %d behind it", i, tree.Rank(k), tree.Rank(after))
		}
		if before, ok := tree.Before(k); ok != (i > 0) || ok && before != got[i-1] {
			t.Fatalf("before place %d stands %d", i, before)
		}
	}
}

func TestKey(t *testing.T) {
	const s = int64(1e6)
	for _, c := range []struct {
		name   string
		a, b   Key
		before bool
	}{
		{"60 points are a minute", NewKey(50*s, 60, 1000, 2), NewKey(0, 0, 1000, 1), true},
		{"and no more", NewKey(70*s, 60, 1000, 2), NewKey(0, 0, 1000, 1), false},
		{"equal turns: the longer wait", NewKey(60*s, 60, 1000, 1), NewKey(0, 0, 1000, 2), false},
		{"equal in all: the lower number", NewKey(0, 0, 1000, 1), NewKey(0, 0, 1000, 2), true},
		{"half a point a second", NewKey(100*s, 60, 500, 2), NewKey(0, 0, 500, 1), true},
		{"strict priority", NewKey(9999*s, 1, 0, 2), NewKey(0, 0, 0, 1), true},
	} {
		if (c.a.Compare(c.b) < 0) != c.before {
			t.Errorf("%s: %v against %v", c.name, c.a, c.b)
		}
	}
	if k := NewKey(0, 1, 3, 0); k.Turn != -333333333 {
		t.Errorf("rounded down: %d", k.Turn)
	}
}

func BenchmarkTree(b *testing.B) {
	var tree Tree[Key, int64]
	for i := range int64(100_000) {
		tree.Put(Key{i * 7919 % 100_000, 0, i}, i)
	}
	b.ReportAllocs()
	i := int64(100_000)
	for b.Loop() {
		k := Key{i * 7919 % 100_000, 1, i}
		tree.Put(k, i)
		tree.Delete(k)
		i++
	}
}
