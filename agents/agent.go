// Package agents says who can take a call: an agent's profile (skills with
// levels, languages, team, phone), the states an agent can be in, and what a
// call can require of an agent. It is pure: it reads no clock, starts nothing
// and does no IO. The routing engine is its main caller.
package agents

import (
	"net/netip"
	"time"
)

// ID names an agent: one and the same in the routing document, the directory,
// the SIP user and the web login. Lower case letters, digits, "_" and ".".
type ID string

// Skill names something an agent can do. A language is a skill named
// LanguagePrefix + code.
type Skill string

// LanguagePrefix begins the name of every language skill ("lang_en").
const LanguagePrefix = "lang_"

// Level is how well: 1 (learning) to 10 (expert). Level 0 means not held.
type Level uint8

// Agent is one person who takes calls, as the routing document or the
// directory describes her. It is a value and is never changed in place.
type Agent struct {
	ID     ID
	Name   string
	Skills Skills
	Team   string
	// Site is where the agent works, "" for nowhere in particular.
	Site  string
	Phone Phone
	// Desk says that the agent signs in and out at the desk (login: desk). When
	// false the agent is signed in while the phone is reachable (login: phone).
	Desk bool
	// CSAT is how content this agent's callers were, 0 to 100 (50: not known). It
	// is kept for the policy score, which no queue can ask for yet.
	CSAT int
}

// Phone is how the agent's telephone is reached.
type Phone struct {
	// URI is the contact, "sip:user@host[:port][;transport=tcp]": the static one,
	// or where a registered phone is now. It is "" for one that is not registered.
	URI string
	// Number is a mobile's, in E.164, called through a trunk; URI is "" then. The
	// agent hears who calls and accepts by key, so that no mailbox takes a call.
	Number string
	// Language is what the agent of a mobile is spoken to in, "" for English.
	Language string
	// Registered says that the phone registers here, under the agent's id.
	Registered bool
	// Digest is which challenge a registered phone gets: "" by its transport.
	Digest Digest
	// Next and Transport are the way to a registered phone where the URI is not
	// it: the connection it made, or its address as seen from here.
	Next      netip.AddrPort
	Transport string
	// AutoAnswer says that the phone picks up by itself when the INVITE asks it
	// to (Call-Info answer-after, Alert-Info; RFC 5373 for the intent).
	AutoAnswer bool
}

// Digest says how a phone that registers is challenged (RFC 8760).
type Digest string

const (
	// DigestMD5 offers MD5 first, for phones that end at a challenge they do not
	// know in front.
	DigestMD5 Digest = "md5"
	// DigestSHA256 offers and takes SHA-256 only.
	DigestSHA256 Digest = "sha256"
)

// State is what an agent is doing.
type State string

const (
	SignedOut State = "signed_out"
	Available State = "available"
	NotReady  State = "not_ready"
	Offered   State = "offered" // the pop is out, the phone is still silent
	Ringing   State = "ringing"
	Talking   State = "talking"
	OnHold    State = "hold" // talking, with the caller on hold
	WrapUp    State = "wrap_up"
)

// Reasons why an agent is NotReady. An agent's own reasons (break, lunch,
// meeting, training, other) travel as they are.
const (
	ReasonRONA        = "rona"              // did not answer the ringing phone
	ReasonRefusing    = "refusing"          // three refusals in ten minutes
	ReasonPhoneBusy   = "phone_busy"        // 486 without 180
	ReasonUnreachable = "phone_unreachable" // 408, 480, 5xx, no route
	ReasonDeskLost    = "desk_lost"         // the desk did not come back in time
)

// Status is an agent's state at an instant, as others are told of it.
type Status struct {
	Agent  ID        `json:"agent"`
	State  State     `json:"state"`
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
	// Until is when the state ends by itself (wrap-up, phone_busy), else zero.
	Until time.Time `json:"until,omitzero"`
	Call  int64     `json:"call,omitempty"`
}
