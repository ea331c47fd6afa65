package routing

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/cordboard/cordboard/agents"
)

// TestIndexMeets: the sets of profiles that meet a requirement are those that
// Requirement.Fits gives, whatever is asked, while profiles come and go.
func TestIndexMeets(t *testing.T) {
	if n := reflect.TypeFor[agents.Requirement]().NumField(); n != requirementFields {
		t.Fatalf("a requirement has %d parts: index.meets must know each, and this test must ask it", n)
	}
	rng := rand.New(rand.NewPCG(4, 21))
	e := New(massPolicy(0, nil))
	pick := func() agents.Skill { return anySkill(rng) }
	var demands []*demand
	open := func(reqs ...agents.Requirement) *demand {
		if len(demands) > 40 {
			i := rng.IntN(len(demands))
			e.index.close(demands[i])
			demands = append(demands[:i], demands[i+1:]...)
		}
		d := &demand{reqs: reqs, numbers: make([]int, len(reqs)), queue: &Queue{}}
		demands = append(demands, d)
		e.index.open(d)
		return d
	}
	var live []agents.Agent
	for range 4000 {
		if len(live) > 150 || len(live) > 0 && rng.IntN(3) == 0 {
			i := rng.IntN(len(live))
			e.dropProfile(e.index.by[profileKey(live[i])], live[i])
			live = append(live[:i], live[i+1:]...)
		} else {
			levels := map[agents.Skill]agents.Level{}
			for range rng.IntN(4) {
				levels[pick()] = agents.Level(1 + rng.IntN(10))
			}
			a := agents.Agent{Skills: agents.NewSkills(levels), Team: fmt.Sprint("t", rng.IntN(3)), Site: fmt.Sprint("s", rng.IntN(2))}
			live = append(live, a)
			e.profileFor(live[len(live)-1])
		}
		r := anyRequirement(rng)
		asked := open(r, anyRequirement(rng))
		met := e.index.meets(&r)
		for _, p := range e.index.profiles {
			if p == nil {
				continue
			}
			want := fitsAlone(&r, p)
			if met.has(p.slot) != want {
				t.Fatalf("%+v of %+v in %s: %v, want %v", r, p.skills, p.team, met.has(p.slot), want)
			}
			for i := range asked.reqs {
				if got, want := asked.levels(i, p), asked.reqs[i].Levels(p.skills); got != want {
					t.Fatalf("levels of %+v for %+v: %d, want %d", p.skills, asked.reqs[i], got, want)
				}
			}
			e.index.hold(p)
			if got := e.index.asks.fitting(asked.slot); got != (asked.firstFit(p) >= 0) {
				t.Fatalf("%+v of %+v in %s and %s: %v by the words", asked.reqs, p.skills, p.team, p.site, got)
			}
			e.index.release(p)
		}
	}
	if n := len(e.index.by); n != len(e.index.profiles)-len(e.index.vacant) || len(e.index.profiles) > 200 {
		t.Fatalf("%d profiles of %d slots, %d vacant", n, len(e.index.profiles), len(e.index.vacant))
	}
}

func anySkill(rng *rand.Rand) agents.Skill {
	return []agents.Skill{"a", "b", "c", "lang_en", "lang_ru", "unheld"}[rng.IntN(6)]
}

// anyRequirement is one of any shape.
func anyRequirement(rng *rand.Rand) agents.Requirement {
	ranges := func(n int) (out []agents.Range) {
		for range n {
			low := agents.Level(rng.IntN(11))
			out = append(out, agents.Range{Skill: anySkill(rng), Min: low, Max: []agents.Level{0, low + 2}[rng.IntN(2)]})
		}
		return out
	}
	pick := func() agents.Skill { return anySkill(rng) }
	r := agents.Requirement{All: ranges(rng.IntN(3)), SpeakLevel: agents.Level(rng.IntN(8))}
	for range rng.IntN(3) {
		r.Any = append(r.Any, ranges(1+rng.IntN(2)))
	}
	for range rng.IntN(2) {
		r.None = append(r.None, pick())
	}
	for range rng.IntN(3) {
		r.Speak = append(r.Speak, []string{"en", "ru", "xx"}[rng.IntN(3)])
	}
	for range rng.IntN(3) {
		r.Team = append(r.Team, fmt.Sprint("t", rng.IntN(4)))
	}
	for range rng.IntN(2) {
		r.Site = append(r.Site, fmt.Sprint("s", rng.IntN(3)))
	}
	return r
}

const requirementFields = 7

func fitsAlone(r *agents.Requirement, p *profile) bool {
	ok, _ := r.Fits(p.skills, p.team, p.site)
	return ok
}
