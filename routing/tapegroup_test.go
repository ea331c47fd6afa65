package routing

import "slices"

// offer is one of the offers of a call that are out.
func (p *tape) offer(id CallID) Offer {
	o, list := p.offers[id], p.beside[id]
	if len(list) == 0 {
		return o
	}
	if n := p.byte() % (len(list) + 1); n > 0 {
		return list[n-1]
	}
	return o
}

func (p *tape) out(o Offer) bool {
	return p.offers[o.Call] == o || slices.Contains(p.beside[o.Call], o)
}

// ends takes an offer off those that are out; false when it was not.
func (p *tape) ends(o Offer) bool {
	list := p.beside[o.Call]
	if i := slices.Index(list, o); i >= 0 {
		p.beside[o.Call] = slices.Delete(list, i, i+1)
		return true
	}
	if p.offers[o.Call] != o {
		return false
	}
	delete(p.offers, o.Call)
	if n := len(list); n > 0 {
		p.offers[o.Call], p.beside[o.Call] = list[n-1], list[:n-1]
	}
	return true
}

// all says that the engine has just the offers of a call that its actions say;
// a call that talks has one.
func (p *tape) all(c *call, o Offer) bool {
	want := append([]Offer{o}, p.beside[c.id]...)
	got := []Offer{c.offer()}
	for _, t := range c.also {
		got = append(got, Offer{c.id, t.attempt, t.agent.id})
	}
	byAttempt := func(a, b Offer) int { return int(a.Attempt - b.Attempt) }
	slices.SortFunc(want, byAttempt)
	slices.SortFunc(got, byAttempt)
	return slices.Equal(want, got) && (c.phase != talking || len(got) == 1)
}
