package agents

import "testing"

func TestFits(t *testing.T) {
	r := func(skill Skill, levels ...Level) Range {
		out := Range{Skill: skill, Min: levels[0]}
		if len(levels) > 1 {
			out.Max = levels[1]
		}
		return out
	}
	ann := NewSkills(map[Skill]Level{"billing": 5, "roaming": 2, "lang_ru": 8, "gone": 0})
	for _, c := range []struct {
		name   string
		req    Requirement
		code   string
		levels int
	}{
		{"nothing asked", Requirement{}, "", 0},
		{"enough", Requirement{All: []Range{r("billing", 5)}}, "", 5},
		{"too little", Requirement{All: []Range{r("billing", 6)}}, "lacks:billing>=6", 5},
		{"not held", Requirement{All: []Range{r("billing", 1), r("gone", 1)}}, "lacks:gone>=1", 5},
		{"experts kept free", Requirement{All: []Range{r("billing", 3, 4)}}, "above:billing<=4", 5},
		{"range met", Requirement{All: []Range{r("billing", 3, 6)}}, "", 5},
		{"one set is enough", Requirement{Any: [][]Range{{r("roaming", 5)}, {r("billing", 3)}}}, "", 5},
		{"best met set counts", Requirement{Any: [][]Range{{r("roaming", 1)}, {r("billing", 3)}}}, "", 5},
		{"no set met", Requirement{Any: [][]Range{{r("roaming", 5)}, {r("billing", 8)}}}, "lacks:roaming>=5", 0},
		{"whole set", Requirement{Any: [][]Range{{r("billing", 3), r("roaming", 3)}}}, "lacks:roaming>=3", 0},
		{"shut out", Requirement{None: []Skill{"roaming"}}, "excluded:roaming", 0},
		{"language", Requirement{Speak: []string{"en", "ru"}, SpeakLevel: 5}, "", 8},
		{"language too weak", Requirement{Speak: []string{"ru"}, SpeakLevel: 9}, "language", 8},
		{"language unknown", Requirement{Speak: []string{"bg"}}, "language", 0},
		{"team", Requirement{Team: []string{"varna", "sofia"}}, "", 0},
		{"other team", Requirement{Team: []string{"varna"}}, "team", 0},
		{"site", Requirement{Team: []string{"sofia"}, Site: []string{"plovdiv", "varna"}}, "", 0},
		{"other site", Requirement{Site: []string{"sofia"}}, "site", 0},
	} {
		ok, code := c.req.Fits(ann, "sofia", "varna")
		if ok != (c.code == "") || code != c.code {
			t.Errorf("%s: got %v %q, want %q", c.name, ok, code, c.code)
		}
		if got := c.req.Levels(ann); got != c.levels {
			t.Errorf("%s: levels %d, want %d", c.name, got, c.levels)
		}
	}
}
