package routing

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing/match"
)

// levelSum is what most_skilled and least_skilled add up of a step, by the numbers
// of the skills: thousands of profiles are held against it for one call, and the
// names of skills lie all over the memory.
type levelSum struct {
	all, speak []uint32
	any        [][]term
}

// sumOf is that of a requirement.
func (x *index) sumOf(r *agents.Requirement) levelSum {
	var s levelSum
	for _, w := range r.All {
		s.all = append(s.all, x.skill(w.Skill))
	}
	for _, set := range r.Any {
		terms := make([]term, 0, len(set))
		for _, w := range set {
			terms = append(terms, term{x.skill(w.Skill), w.Min, w.Max})
		}
		s.any = append(s.any, terms)
	}
	for _, code := range r.Speak {
		s.speak = append(s.speak, x.skill(agents.LanguagePrefix+agents.Skill(code)))
	}
	return s
}

// level is the profile's level of a skill.
func (p *profile) level(skill uint32) agents.Level {
	i, _ := slices.BinarySearch(p.held, skill<<4)
	if i == len(p.held) || p.held[i]>>4 != skill {
		return 0
	}
	return agents.Level(p.held[i] & 15)
}

// levels is Requirement.Levels of a step for a profile.
func (d *demand) levels(step int, p *profile) int {
	if d.sums == nil {
		d.sums = make([]levelSum, len(d.reqs))
		for i := range d.reqs {
			d.sums[i] = d.all.sumOf(&d.reqs[i])
		}
	}
	s := &d.sums[step]
	sum, best, lang := 0, 0, agents.Level(0)
	for _, skill := range s.all {
		sum += int(p.level(skill))
	}
	for _, set := range s.any {
		n, met := 0, true
		for _, t := range set {
			has := p.level(t.skill)
			n += int(has)
			met = met && t.met(has)
		}
		if met {
			best = max(best, n)
		}
	}
	for _, skill := range s.speak {
		lang = max(lang, p.level(skill))
	}
	return sum + best + int(lang)
}

// outdone says that an agent of a profile with so many levels comes after one with
// others, whatever else is true of the two.
func outdone(policy string, levels, others int) bool {
	return policy == match.MostSkilled && levels < others || policy == match.LeastSkilled && levels > others
}

// asksLevels says that a policy adds up levels.
func asksLevels(policy string) bool {
	return policy == match.MostSkilled || policy == match.LeastSkilled
}
