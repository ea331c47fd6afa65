package routing

import "github.com/cordboard/cordboard/routing/rule"

// minFork is how many routes must hang on one field before they are looked up
// by its value.
const minFork = 8

// fork finds the children of a route that can hold for a call: most are told
// apart by what was dialled, or by the trunk. These fields do not change while
// the routes are read.
type fork struct {
	field string
	by    map[string][]int // children that ask the field for this value
	rest  []int            // those that do not ask it
}

func newFork(children []*route) *fork {
	best, most := "", minFork-1
	for _, field := range []string{"dnis", "trunk", "country", "kind"} {
		n := 0
		for _, r := range children {
			if _, ok := r.node.When.Asks(field); ok {
				n++
			}
		}
		if n > most {
			best, most = field, n
		}
	}
	if best == "" {
		return nil
	}
	f := &fork{field: best, by: map[string][]int{}}
	for i, r := range children {
		if want, ok := r.node.When.Asks(best); ok {
			f.by[want] = append(f.by[want], i)
		} else {
			f.rest = append(f.rest, i)
		}
	}
	return f
}

// try calls yield for each child that may hold, in order, until it says false.
func (r *route) try(c *rule.Call, yield func(*route) bool) {
	if r.fork == nil {
		for _, child := range r.children {
			if !yield(child) {
				return
			}
		}
		return
	}
	some, rest := r.fork.by[rule.Field(c, r.fork.field)], r.fork.rest
	for len(some)+len(rest) > 0 {
		next := 0
		if len(rest) == 0 || len(some) > 0 && some[0] < rest[0] {
			next, some = some[0], some[1:]
		} else {
			next, rest = rest[0], rest[1:]
		}
		if !yield(r.children[next]) {
			return
		}
	}
}
