package agents

import (
	"slices"
	"strconv"
)

// Fits says whether someone with these skills in this team at this site meets the
// requirement. When not, code is the first reason, in the words of the explain
// record: lacks:SKILL>=n, above:SKILL<=n, excluded:SKILL, language, team, site.
func (r *Requirement) Fits(s Skills, team, site string) (ok bool, code string) {
	for _, want := range r.All {
		if code := want.misses(s); code != "" {
			return false, code
		}
	}
	if code := r.missesAny(s); code != "" {
		return false, code
	}
	for _, skill := range r.None {
		if s.Level(skill) > 0 {
			return false, "excluded:" + string(skill)
		}
	}
	if !r.speaks(s) {
		return false, "language"
	}
	if len(r.Team) > 0 && !slices.Contains(r.Team, team) {
		return false, "team"
	}
	if len(r.Site) > 0 && !slices.Contains(r.Site, site) {
		return false, "site"
	}
	return true, ""
}

// Excludes says whether someone is shut out whatever else is waived: None.
func (r *Requirement) Excludes(s Skills) bool {
	for _, skill := range r.None {
		if s.Level(skill) > 0 {
			return true
		}
	}
	return false
}

// Levels sums the levels held of the skills the requirement names: All, the
// best of the Any sets that are met, and the best language. It measures the
// most skilled.
func (r *Requirement) Levels(s Skills) int {
	sum := 0
	for _, want := range r.All {
		sum += int(s.Level(want.Skill))
	}
	best := 0
	for _, set := range r.Any {
		n, met := 0, true
		for _, want := range set {
			n += int(s.Level(want.Skill))
			met = met && want.misses(s) == ""
		}
		if met && n > best {
			best = n
		}
	}
	lang := 0
	for _, code := range r.Speak {
		lang = max(lang, int(s.Level(LanguagePrefix+Skill(code))))
	}
	return sum + best + lang
}

func (want Range) misses(s Skills) string {
	have := s.Level(want.Skill)
	if have < want.Min {
		return "lacks:" + string(want.Skill) + ">=" + strconv.Itoa(int(want.Min))
	}
	if want.Max > 0 && have > want.Max {
		return "above:" + string(want.Skill) + "<=" + strconv.Itoa(int(want.Max))
	}
	return ""
}

// missesAny is the first miss of the first set when no set is met.
func (r *Requirement) missesAny(s Skills) string {
	first := ""
	for _, set := range r.Any {
		miss := ""
		for _, want := range set {
			if miss = want.misses(s); miss != "" {
				break
			}
		}
		if miss == "" {
			return ""
		}
		if first == "" {
			first = miss
		}
	}
	return first
}

func (r *Requirement) speaks(s Skills) bool {
	if len(r.Speak) == 0 {
		return true
	}
	for _, code := range r.Speak {
		if s.Level(LanguagePrefix+Skill(code)) >= max(r.SpeakLevel, 1) {
			return true
		}
	}
	return false
}

// Busy says that the state is work with a call: an offer, a talk, or what
// follows it.
func (s State) Busy() bool {
	switch s {
	case Offered, Ringing, Talking, OnHold, WrapUp:
		return true
	}
	return false
}

// SignedIn says that the agent is at work, in whatever state.
func (s State) SignedIn() bool { return s != SignedOut && s != "" }
