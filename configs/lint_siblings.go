package configs

import (
	"slices"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// siblings are the routes below one, made ready to find who claims a call.
type siblings struct {
	parent *routing.Routed
	list   []*routing.Routed
	study  []*rule.Study // nil for a route without a condition
	plain  []int         // without an indexed term
	by     map[string]map[string][]int
	others map[string][]int // by field: those that do not ask it first, made when wanted
}

// together are the siblings after one that a call may meet together with it, as far
// as the indexed terms tell, in order. In a list of thousands that ask for one
// number each there are few.
func (f *siblings) together(i int) []int {
	s := f.study[i]
	if s == nil || s.Field == "" {
		out := make([]int, 0, len(f.list)-i-1)
		for j := i + 1; j < len(f.list); j++ {
			out = append(out, j)
		}
		return out
	}
	others, made := f.others[s.Field]
	if !made {
		for j, o := range f.study {
			if o == nil || o.Field != s.Field {
				others = append(others, j)
			}
		}
		if f.others == nil {
			f.others = map[string][]int{}
		}
		f.others[s.Field] = others
	}
	same := f.by[s.Field][s.Value]
	after := func(list []int) []int {
		k, _ := slices.BinarySearch(list, i+1)
		return list[k:]
	}
	out := slices.Concat(after(others), after(same))
	slices.Sort(out)
	return out
}

// families are the lists of siblings of the whole tree, from the top.
func (l *linter) families() []*siblings {
	if l.kin != nil {
		return l.kin
	}
	l.kin, l.family = []*siblings{}, map[*routing.Routed]*siblings{}
	l.eachRoute(func(r *routing.Routed) {
		if len(r.Children) == 0 {
			return
		}
		f := &siblings{parent: r, list: r.Children, study: make([]*rule.Study, len(r.Children)), by: map[string]map[string][]int{}}
		for i, c := range f.list {
			if c.Node.When != nil {
				f.study[i] = c.Node.When.Study()
			}
			if s := f.study[i]; s != nil && s.Field != "" {
				if f.by[s.Field] == nil {
					f.by[s.Field] = map[string][]int{}
				}
				f.by[s.Field][s.Value] = append(f.by[s.Field][s.Value], i)
			} else {
				f.plain = append(f.plain, i)
			}
		}
		l.kin, l.family[r] = append(l.kin, f), f
	})
	return l.kin
}

// among are the siblings in [from, to) that can claim a case, in order.
func (f *siblings) among(c *rule.Case, from, to int) []int {
	var out []int
	add := func(list []int) {
		i, _ := slices.BinarySearch(list, from)
		for ; i < len(list) && list[i] < to; i++ {
			out = append(out, list[i])
		}
	}
	add(f.plain)
	for field, values := range f.by {
		add(values[c.Text(field)])
	}
	slices.Sort(out)
	return out
}

// claims finds the first sibling in [from, to) that claims the case, -1 for
// none.
func (l *linter) claims(f *siblings, c *rule.Case, from, to int) int {
	for _, i := range f.among(c, from, to) {
		l.work--
		if !f.list[i].Node.GoOn && c.Holds(f.list[i].Node.When) {
			return i
		}
	}
	return -1
}
