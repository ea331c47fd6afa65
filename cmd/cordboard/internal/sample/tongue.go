package sample

import "math/rand/v2"

// tongue is what the generator says in one language.
type tongue struct {
	lang, country, zone, currency string
	women, men                    []string
	family                        []string
	feminine                      string // ending of a woman's family name
	familyFirst                   bool
	companies                     []string
	products                      map[string][]offer
	paused                        string
	heed, churn, others           []string
	episodes                      map[string]words
}

// offer is a product in the price list; the price is per month, minor units.
type offer struct {
	name  string
	price int64
}

func (t *tongue) person(r *rand.Rand) string {
	given, family := pick(r, t.men), pick(r, t.family)
	if r.IntN(2) == 0 {
		given = pick(r, t.women)
		family += t.feminine
	}
	if t.familyFirst {
		return family + given
	}
	return given + " " + family
}
