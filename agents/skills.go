package agents

import "slices"

// SkillLevel is one skill held, with its level.
type SkillLevel struct {
	Skill Skill `json:"skill"`
	Level Level `json:"level"`
}

// Skills is what an agent holds, sorted by skill, no skill twice.
type Skills []SkillLevel

// NewSkills makes a sorted set of levels; skills at level 0 are left out.
func NewSkills(levels map[Skill]Level) Skills {
	s := make(Skills, 0, len(levels))
	for name, level := range levels {
		if level > 0 {
			s = append(s, SkillLevel{name, level})
		}
	}
	slices.SortFunc(s, func(a, b SkillLevel) int {
		if a.Skill < b.Skill {
			return -1
		}
		return 1
	})
	return s
}

// Level returns the level held, 0 for a skill that is not.
func (s Skills) Level(skill Skill) Level {
	i, ok := slices.BinarySearchFunc(s, skill, func(h SkillLevel, want Skill) int {
		switch {
		case h.Skill < want:
			return -1
		case h.Skill > want:
			return 1
		}
		return 0
	})
	if !ok {
		return 0
	}
	return s[i].Level
}

// Range is a level asked of one skill: Min or more, and Max or less when Max
// is not 0.
type Range struct {
	Skill    Skill
	Min, Max Level
}

// Requirement is what a call asks of an agent (routing document, section 4).
// The zero Requirement fits everybody.
type Requirement struct {
	All  []Range   // each of these
	Any  [][]Range // at least one of these sets, when there are any
	None []Skill   // nobody who holds one of these
	Team []string  // one of these teams, when there are any
	Site []string  // at one of these sites, when there are any
	// Speak lists language codes, any of which will do at SpeakLevel or more.
	// Empty: no language is asked.
	Speak      []string
	SpeakLevel Level
}
