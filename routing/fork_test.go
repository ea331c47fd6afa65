package routing

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cordboard/cordboard/routing/rule"
)

// TestFork: whatever children a route has, those that are looked up by a field
// are, in order, all that can hold.
func TestFork(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	for range 60 {
		r := &route{}
		for i := range 1 + rng.IntN(40) {
			src := []string{
				fmt.Sprintf("call.dnis == %q", fmt.Sprint(100+rng.IntN(6))), fmt.Sprintf("call.trunk == %q and call.dnis == %q", fmt.Sprint("t", rng.IntN(3)), fmt.Sprint(100+rng.IntN(6))),
				"call.waited >= 0", fmt.Sprintf("call.dnis != %q", fmt.Sprint(100+rng.IntN(6))), fmt.Sprintf("call.trunk == %q or call.dnis == \"101\"", fmt.Sprint("t", rng.IntN(3))),
			}[rng.IntN(5)]
			when, err := rule.Compile(src, rule.CompileOptions{ShortCodes: []string{"100", "101", "102", "103", "104", "105"}})
			if err != nil {
				t.Fatal(err)
			}
			r.children = append(r.children, &route{node: &rule.Node{When: when}, path: fmt.Sprint(i)})
		}
		r.fork = newFork(r.children)
		for range 40 {
			env := rule.Env{Call: rule.Call{DNIS: fmt.Sprint(100 + rng.IntN(7)), Trunk: fmt.Sprint("t", rng.IntN(4))}}
			hold := func(children func(func(*route) bool)) (paths []string) {
				children(func(c *route) bool {
					if c.node.When.Eval(&env) {
						paths = append(paths, c.path)
					}
					return true
				})
				return paths
			}
			want := hold(slices.Values(r.children))
			if got := hold(func(yield func(*route) bool) { r.try(&env.Call, yield) }); !slices.Equal(got, want) {
				t.Fatalf("%+v: %v hold, want %v", env.Call, got, want)
			}
		}
	}
}
