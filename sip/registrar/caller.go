package registrar

import (
	"slices"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/stack"
)

// Caller says whose telephone an INVITE comes from. It is challenged as a REGISTER is,
// and must be registered from where it calls: neither an address nor a secret is enough
// alone. What it answers does not show who is registered there. An answer with a Code
// is the caller's, who is nobody yet.
//
// trunk: the address is a trunk's as well. There a call is a telephone's only when the
// user in its From is registered from that very port; phone is false of every other.
func (r *Registrar) Caller(req *stack.Message, trunk bool) (agent agents.ID, a stack.Answer, phone bool) {
	from := userOf(req.Get("From"))
	if trunk && !r.isAt(from, func(b *binding) bool { return b.Source == req.Source }) {
		return "", stack.Answer{}, false
	}
	c, verdict := r.authenticate(req, r.now())
	if a, _, away := r.turnedAway(req, from, verdict, r.now()); away {
		return "", a, true
	}
	here := func(b *binding) bool { return b.Source.Addr() == req.Source.Addr() }
	if from != c.user || !r.listens(agents.ID(c.user)) || !r.isAt(c.user, here) {
		r.refused.Warn("a call was refused with 403: its user has no telephone registered from there, or its From is another's", zapSource(req.Source.Addr()))
		return "", answer(403), true
	}
	return agents.ID(c.user), stack.Answer{}, true
}

// Challenge implements stack.Phones.
func (r *Registrar) Challenge(req *stack.Message) stack.Answer {
	if _, found := r.ours(req); found {
		return stack.Answer{}
	}
	now := r.now()
	if !r.mayBegin(req.Source.Addr(), now) {
		return unavailable()
	}
	return r.challenge(req, userOf(req.Get("From")), now, false)
}

// isAt reports whether a telephone of the user's is registered that is like that.
func (r *Registrar) isAt(user string, like func(*binding) bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	return slices.ContainsFunc(r.at[agents.ID(user)], func(b *binding) bool { return b.Expires.After(now) && like(b) })
}
