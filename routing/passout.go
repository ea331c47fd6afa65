package routing

import "slices"

// Outside is a telephone number that no agent has. The rim keeps the number itself
// under Ref, which is one of the call's, and says which country it lies in.
type Outside struct {
	Ref     int64  `json:"ref,omitempty"`
	Country string `json:"country,omitempty"` // ISO 3166
}

// NumberPolicy says who may pass calls on to telephone numbers, and in which
// countries. The zero value is nobody.
type NumberPolicy struct {
	To    []string // countries (ISO 3166)
	Teams []string // nil: every agent may
}

// Allows reports whether an agent of the team may.
func (p NumberPolicy) Allows(team, country string) bool {
	return slices.Contains(p.Countries(team), country)
}

// Countries are those that an agent of the team may pass calls on to.
func (p NumberPolicy) Countries(team string) []string {
	if p.Teams != nil && !slices.Contains(p.Teams, team) {
		return []string{}
	}
	return append([]string{}, p.To...)
}

// numberNotAllowed refuses a number: who may have any called would have us pay.
const numberNotAllowed = "number_not_allowed"

// passOut passes a connected call on to a telephone number. The caller hears music
// until it answers; the agent who has passed the call on has it back when it does not.
func (e *Engine) passOut(c *call, d destination) {
	due := e.now + e.plan.Transfers.UnansweredAfter.Microseconds()
	music := c.music()
	e.act(Transferred{Offer: c.offer(), Outside: d.number.Country})
	e.act(Release{c.offer(), "transferred"})
	e.act(Wait{Call: c.id, Music: music})
	c.demands(e.passOn(c))
	c.askFirst(nil)
	c.phase, c.trigger, c.entered = dialled, "transferred", e.now
	c.outside, c.blind = true, true
	e.arm(c, numberDue, due)
	e.act(PassOut{Call: c.id, Ref: d.number.Ref, Until: instant(due), Music: music})
}

// backFrom gives a call back whose number did not take it: to the sender if he can
// have it, else to the sender's queue in front, open or not. No call is lost.
func (e *Engine) backFrom(c *call, why string) {
	e.disarm(c, numberDue)
	c.outside, c.blind = false, false
	q := c.plan.Queues[e.refresh(c, c.backTo)]
	if q == nil { // a reload took it away: it serves the call still
		q = c.queue
	}
	e.act(Wait{Call: c.id, Music: q.Music, Why: why})
	e.giveBack(c, q, c.passedBy)
}
