// Package permission decides whether a customer may be contacted: what he has said,
// the lists of those who want no calls, the hours, and how often he was contacted
// already. It is pure: whoever asks brings what is known, and writes down what was
// decided.
package permission

import (
	"slices"
	"time"
)

// Purpose is what a customer is to be contacted for.
type Purpose string

// Purposes. Any is none of a contact's: what is said of it covers all of them.
const (
	Service  Purpose = "service"  // what he has from us: a fault, an appointment, a bill
	Callback Purpose = "callback" // he has asked for it
	Offer    Purpose = "offer"    // something to sell
	Survey   Purpose = "survey"   // how he liked it
	Any      Purpose = "any"
)

// Purposes are those that a contact may have.
var Purposes = []Purpose{Service, Callback, Offer, Survey}

// Channel is the way of a contact.
type Channel string

// Channels.
const (
	Call Channel = "call"
	SMS  Channel = "sms"
	Mail Channel = "mail"
	Post Channel = "post"
)

// Channels are all there are.
var Channels = []Channel{Call, SMS, Mail, Post}

// State is what a customer has said to being contacted.
type State string

// States.
const (
	Given     State = "given"
	Refused   State = "refused"   // he was asked and said no
	Withdrawn State = "withdrawn" // what he gave before, or never was asked for
)

// States are all there are.
var States = []State{Given, Refused, Withdrawn}

// Said is one thing that a customer has said. Of two that cover the same contact the
// later one counts.
type Said struct {
	Purpose Purpose
	Channel Channel
	State   State
	At      time.Time
	Expires time.Time // of one that was given; zero: never
}

// Need is what a purpose asks of the customer's word.
type Need string

// Needs.
const (
	NeedsWord Need = "given"   // nothing without his consent
	NeedsNoNo Need = "unasked" // unless he has refused
)

// Rule is what holds for contacts of one purpose.
type Rule struct {
	Consent Need     `json:"consent"`
	Lists   bool     `json:"lists"`           // do-not-call lists are obeyed
	Hours   *Hours   `json:"hours,omitempty"` // of calls and texts; nil: any
	Most    []AtMost `json:"most,omitempty"`
}

// AtMost is how many contacts there may be within a span of time.
type AtMost struct {
	Contacts int           `json:"contacts"`
	Within   time.Duration `json:"within"`
}

// Policy is what holds for all purposes.
type Policy struct {
	Version  string // names the rules in what was decided by them
	Zone     *time.Location
	Holidays []string // YYYY-MM-DD, on which there are no hours
	Rules    map[Purpose]Rule
}

// Remembers is how far back contacts for a purpose count.
func (p *Policy) Remembers(purpose Purpose) (longest time.Duration) {
	for _, m := range p.Rules[purpose].Most {
		longest = max(longest, m.Within)
	}
	return longest
}

// Contact is one that somebody wants to make.
type Contact struct {
	Purpose Purpose
	Channel Channel
	At      time.Time
}

// Facts are what is known of whom it would reach.
type Facts struct {
	DoNotCall  bool           // his record says so
	Record     *bool          // what his record says of the channel; nil: nothing
	Said       []Said         // his own words, in any order
	Listed     string         // the do-not-call list that has his number; "": none
	Suppressed bool           // whoever had the number objected, and was erased since
	Zone       *time.Location // his clock; nil: not known
	Before     []time.Time    // contacts for the purpose, in any order
}

// Reasons of a decision.
const (
	Allowed    = "allowed"
	DoNotCall  = "do_not_call" // his record says so, or he said it of all purposes
	NotWanted  = "refused"     // he refused this, or took back what he gave
	Objected   = "suppressed"  // he objected before he was erased
	NotAsked   = "no_consent"  // there is none
	RanOut     = "expired"     // there was one
	OnList     = "listed"      // a do-not-call list has the number
	QuietHours = "quiet_hours" // not at this time of his day
	TooOften   = "too_often"   // he was contacted enough
)

// Decision is whether a contact may be made. Reason is Allowed, or the first thing that
// stands against it.
type Decision struct {
	Allowed   bool
	Reason    string
	NotBefore time.Time // with QuietHours and TooOften: when that is over; zero: not told
	Weighed   []Weighed // in order, the last one being the reason
}

// Weighed is one thing that was looked at, and what it was, in codes.
type Weighed struct {
	What string `json:"what"`
	Is   string `json:"is"`
}

// Decide says whether a contact may be made.
func (p *Policy) Decide(c Contact, f Facts) Decision {
	d := decision{policy: p, rule: p.Rules[c.Purpose], contact: c, facts: &f}
	for _, step := range []func() string{d.record, d.word, d.lists, d.hours, d.often} {
		if d.out.Reason = step(); d.out.Reason != "" {
			return d.out
		}
	}
	d.out.Allowed, d.out.Reason = true, Allowed
	return d.out
}

// Standing are the words that count now: of each purpose and channel the last, sorted.
func Standing(all []Said) []Said {
	out := slices.Clone(all)
	slices.SortStableFunc(out, func(a, b Said) int { return b.At.Compare(a.At) })
	seen := map[[2]string]bool{}
	return slices.DeleteFunc(out, func(s Said) bool {
		key := [2]string{string(s.Purpose), string(s.Channel)}
		old := seen[key]
		seen[key] = true
		return old
	})
}
