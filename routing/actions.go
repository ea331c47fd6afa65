package routing

import (
	"time"

	"github.com/cordboard/cordboard/agents"
)

// Action is something the engine wants done. Actions go to every port in the
// order returned; each port does those it knows and passes over the others.
type Action interface{ Kind() string }

// ResolveCustomer: look the caller up; the answer is CustomerResolved. The
// record itself goes to the desk hub, never to the engine. Sent for every call.
type ResolveCustomer struct {
	Call CallID `json:"call"`
	// Deadline is when routing goes on without the answer; zero when routing
	// does not wait for it (the route does not ask).
	Deadline time.Time `json:"deadline,omitzero"`
}

// AnswerCaller: answer the caller (200) and play music. Sent once a call at
// most, on entering the first queue that answers at once; Connect answers who
// has waited in others only.
type AnswerCaller struct {
	Call  CallID `json:"call"`
	Music string `json:"music"`
}

// EarlyMedia: play music to a caller who is not answered (183 with a session
// description), until AnswerCaller or Connect does. Sent once a call at most.
type EarlyMedia struct {
	Call  CallID `json:"call"`
	Music string `json:"music"`
}

// Announce: tell the waiting caller something in place of the music, which goes
// on after it: either a greeting, a sound, or what Say lists in its order. It is
// over, said or not, when an agent answers or the call goes elsewhere.
type Announce struct {
	Call     CallID `json:"call"`
	Greeting string `json:"greeting,omitempty"`
	// Language is the caller's, "" where the document names none.
	Language string `json:"language,omitempty"`
	Say      []Said `json:"say,omitempty"`
}

// Said is one thing that a caller is told: the place in line, or the wait.
type Said struct {
	Position int   `json:"position,omitempty"`
	Wait     *Band `json:"wait,omitempty"`
}

// Wait: the (answered) caller waits again, with music; sent when a connected
// call is passed on.
type Wait struct {
	Call  CallID `json:"call"`
	Music string `json:"music"`
	// Why says what became of the number that the call was passed on to; "" in all
	// other cases.
	Why string `json:"why,omitempty"`
}

// PassOut: call the telephone number that the rim keeps for the call under Ref, and connect the caller to it (NumberAnswered, then NumberGone, or NumberFailed
// follows). An agent has passed the call on to it.
type PassOut struct {
	Call  CallID    `json:"call"`
	Ref   int64     `json:"ref"`
	Until time.Time `json:"until"` // how long it may ring
	Music string    `json:"music"`
}

// Enqueued: the call has entered a queue.
type Enqueued struct {
	Call     CallID    `json:"call"`
	Queue    string    `json:"queue"`
	Rule     string    `json:"rule"` // route path without root; "root" for the root itself
	Topic    string    `json:"topic,omitempty"`
	Region   string    `json:"region,omitempty"`   // the caller's
	Tag      string    `json:"tag,omitempty"`      // set by a route, for reports
	Language string    `json:"language,omitempty"` // the caller's, as resolved
	Priority int       `json:"priority"`
	Since    time.Time `json:"since"` // when its waiting began
	Entered  time.Time `json:"entered"`
	Version  int       `json:"version"` // of the policy
	// Within is the queue's answer_within as this call was promised it; zero
	// for figures.DefaultWithin. Figures count by it once the queue is gone.
	Within time.Duration `json:"answer_within,omitzero"`
	Reason Reason        `json:"reason"`
	// Consult is the call that an agent's question is about; 0 for a caller's call.
	// Figures leave questions out.
	Consult CallID `json:"consult,omitempty"`
}

// TurnedAway: the queue is closed or full, and the call does not wait in it.
// What becomes of it follows: another queue, or its end.
type TurnedAway struct {
	Call  CallID    `json:"call"`
	Queue string    `json:"queue"`
	Since time.Time `json:"since"` // when its waiting began
	Why   string    `json:"why"`   // closed, full
	// Within and those after it are as in Enqueued.
	Within   time.Duration `json:"answer_within,omitzero"`
	Rule     string        `json:"rule,omitempty"`
	Topic    string        `json:"topic,omitempty"`
	Tag      string        `json:"tag,omitempty"`
	Language string        `json:"language,omitempty"`
}

// StepReached: more agents may take the call from now on.
type StepReached struct {
	Call CallID `json:"call"`
	Step int    `json:"step"` // 1 is the queue's own need
	// Due is when a step fell due that only a reload made one; else zero.
	Due time.Time `json:"due,omitzero"`
}

// StepSkipped: the condition of a step did not hold at its moment; this visit
// goes on without it.
type StepSkipped struct {
	Call CallID `json:"call"`
	Step int    `json:"step"` // 1 is the queue's own need
}

// Held: the call waits for a preferred agent and for nobody else, until the
// given instant at most. Agent is the first of those it waits for.
type Held struct {
	Call   CallID    `json:"call"`
	Agent  agents.ID `json:"agent"`
	Prefer string    `json:"prefer"` // account_manager, last_agent, topic, agent
	Until  time.Time `json:"until"`
	Reason Reason    `json:"reason"`
}

// Modes of OfferCall.
const (
	RingAuto     = "auto"
	RingOnAccept = "on_accept"
)

// OfferCall: push the record to the agent's desk. The phone stays silent until
// Ring. NoDesk says that the agent has no desk, so that no ack is awaited.
type OfferCall struct {
	Offer
	Queue  string `json:"queue"`
	Topic  string `json:"topic,omitempty"`
	Mode   string `json:"mode"` // RingAuto or RingOnAccept, as the queue asks
	NoDesk bool   `json:"no_desk,omitempty"`
	// AckBy is when routing goes on without the desk's ack, Lead how long the
	// record stands on screen before the phone rings.
	AckBy  time.Time     `json:"ack_by,omitzero"`
	Lead   time.Duration `json:"lead"`
	Ring   time.Duration `json:"ring"` // ring.timeout
	Reason Reason        `json:"reason"`
	// Callback says that the customer is, or was, to be called back; else nil.
	Callback *CalledBack `json:"callback,omitempty"`
	// Consult is the call that the agent is asked about; 0 for a caller's call.
	Consult CallID `json:"consult,omitempty"`
}

// MayAccept: the desk may show Answer until the given instant (on_accept).
type MayAccept struct {
	Offer
	Until time.Time `json:"until"`
}

// Ring: send the INVITE to the agent's phone. Unacked says that the pop-ack
// was not there (deadline passed, or no desk).
type Ring struct {
	Offer
	AutoAnswer bool   `json:"auto_answer"`
	Why        string `json:"why,omitempty"` // "phone_cannot", "no_ack" when on_accept fell back to auto
	Unacked    bool   `json:"unacked,omitempty"`
	// Group says that other phones are called beside this one.
	Group bool      `json:"group,omitempty"`
	Until time.Time `json:"until"` // no answer after this
}

// Withdraw: the offer is over and the call was not taken: clear the pop, stop
// the phone. Why is a code: rona, refused, phone_busy, phone_unreachable,
// abandoned, desk_silent, join_failed, call_failed, closed,
// answered_elsewhere (another of a ring group has it), taken_over, or
// customer_no_answer, customer_busy, customer_refused, customer_failed (the
// customer of a callback was not reached).
type Withdraw struct {
	Offer
	Why string `json:"why"`
}

// Connect: the agent's 200 counts: ACK it and join the legs. A caller who has
// not been answered yet is answered with the agent.
type Connect struct {
	Offer
	// Answered is when the agent's 200 was seen.
	Answered time.Time `json:"answered"`
	Music    string    `json:"music,omitempty"` // on hold
}

// Release: end the agent's leg only: a 200 that came too late, or the sender's
// leg when a call is passed on.
type Release struct {
	Offer
	Why string `json:"why"` // "stale", "transferred"
}

// Hold: put the caller on hold (music) or join again.
type Hold struct {
	Offer
	On bool `json:"on"`
	// ByPhone: the phone has done it already; only others need to be told.
	ByPhone bool `json:"by_phone,omitempty"`
}

// Transferred: the agent has passed the call on.
type Transferred struct {
	Offer
	Topic   string    `json:"topic,omitempty"`
	Queue   string    `json:"queue"`
	ToAgent agents.ID `json:"to_agent,omitempty"`
	Outside string    `json:"outside,omitempty"` // the country of a telephone number
}

// Treat: closed, full, late or nobody: play the sound to its end if there is
// one (TreatmentPlayed follows), then hang up; or refuse with a code; or call
// the number and connect the caller to it (NumberAnswered, then NumberGone, or
// NumberFailed follows). A caller who has not been answered is so by the number.
// Or take a message for a mailbox (MessageLeft follows).
type Treat struct {
	Call   CallID `json:"call"`
	Why    string `json:"why"` // closed, full, late, nobody, then
	Play   string `json:"play,omitempty"`
	Reject int    `json:"reject,omitempty"` // SIP code, before the answer
	Number string `json:"number,omitempty"` // E.164, from the document
	// Until is how long the number may ring, Music what an answered caller hears
	// meanwhile.
	Until time.Time `json:"until,omitzero"`
	Music string    `json:"music,omitempty"`
	// Voicemail is the mailbox, and Queue the one the caller was in.
	Voicemail string `json:"voicemail,omitempty"`
	Queue     string `json:"queue,omitempty"`
	// Language and those after it are as in Enqueued.
	Language string `json:"language,omitempty"`
	Rule     string `json:"rule,omitempty"`
	Topic    string `json:"topic,omitempty"`
	Tag      string `json:"tag,omitempty"`
}

// EndCall: the call is over. Call control ends whatever legs are left. Sent
// exactly once for each call.
type EndCall struct {
	Call    CallID    `json:"call"`
	Outcome Outcome   `json:"outcome"`
	By      Party     `json:"by"`
	Reason  string    `json:"reason,omitempty"`
	Queue   string    `json:"queue,omitempty"`
	Agent   agents.ID `json:"agent,omitempty"` // who talked last
	Attempt Attempt   `json:"attempt,omitempty"`
	Code    int       `json:"code,omitempty"`    // SIP code for a caller not yet answered
	Into    CallID    `json:"into,omitempty"`    // the call that has taken the place over
	Consult CallID    `json:"consult,omitempty"` // as in Enqueued
}

// ReserveChanged: a reserve has joined its queue, or left it. Why is a value of
// its join (oldest, waiting, ewt, sl_below), or quiet.
type ReserveChanged struct {
	Queue  string    `json:"queue"`
	Team   string    `json:"team"`
	Joined bool      `json:"joined"`
	Why    string    `json:"why"`
	Since  time.Time `json:"since"`          // when it joined
	Quiet  time.Time `json:"quiet,omitzero"` // leaving: since when things were quiet
}

// AgentChanged: the agent's state changed.
type AgentChanged struct {
	agents.Status
}

// WrapUpStarted: the agent's after-call work for the call begins.
type WrapUpStarted struct {
	Offer
	Until       time.Time `json:"until,omitzero"`
	Disposition string    `json:"disposition"` // off, optional, required
	Set         string    `json:"set,omitempty"`
}

// WrapUpFinished: after-call work ended, by the agent or by time.
type WrapUpFinished struct {
	Offer
	Disposition string `json:"disposition,omitempty"` // "" = none given
}

// Probe: send OPTIONS to the agent's phone; the answer is PhoneProbed.
type Probe struct {
	Agent agents.ID `json:"agent"`
}

// Refused: what an agent's desk asked was not done. Code is one of
// "stale" (the offer is over), "not_now", "unknown_target", "closed",
// "too_many_transfers", "disposition_required", "number_not_allowed".
type Refused struct {
	Offer
	Asked string `json:"asked"` // the event's Kind
	Code  string `json:"code"`
}

func (ResolveCustomer) Kind() string { return "resolve_customer" }
func (AnswerCaller) Kind() string    { return "answer_caller" }
func (EarlyMedia) Kind() string      { return "early_media" }
func (Announce) Kind() string        { return "announce" }
func (Wait) Kind() string            { return "wait" }
func (PassOut) Kind() string         { return "pass_out" }
func (Enqueued) Kind() string        { return "enqueued" }
func (TurnedAway) Kind() string      { return "turned_away" }
func (StepReached) Kind() string     { return "step_reached" }
func (StepSkipped) Kind() string     { return "step_skipped" }
func (Held) Kind() string            { return "held" }
func (OfferCall) Kind() string       { return "offer_call" }
func (MayAccept) Kind() string       { return "may_accept" }
func (Ring) Kind() string            { return "ring" }
func (Withdraw) Kind() string        { return "withdraw" }
func (Connect) Kind() string         { return "connect" }
func (Release) Kind() string         { return "release" }
func (Hold) Kind() string            { return "hold" }
func (Transferred) Kind() string     { return "transferred" }
func (Treat) Kind() string           { return "treat" }
func (EndCall) Kind() string         { return "end_call" }
func (ReserveChanged) Kind() string  { return "reserve_changed" }
func (AgentChanged) Kind() string    { return "agent_changed" }
func (WrapUpStarted) Kind() string   { return "wrap_up_started" }
func (WrapUpFinished) Kind() string  { return "wrap_up_finished" }
func (Probe) Kind() string           { return "probe" }
func (Refused) Kind() string         { return "refused" }

// Reason says why a decision came out as it did, in codes and values: pages
// make sentences of it, logs keep it as it is.
type Reason struct {
	Rule     string    `json:"rule,omitempty"`          // route path
	Step     int       `json:"step,omitempty"`          // step that admitted the agent
	Skipped  []int     `json:"steps_skipped,omitempty"` // whose condition did not hold
	Policy   string    `json:"policy,omitempty"`        // longest_idle, most_skilled, ...
	Trigger  string    `json:"trigger,omitempty"`       // arrived, agent_free, step, came_back, late_record, hold_ended, bar_ended, room, group
	Prefer   string    `json:"prefer,omitempty"`        // account_manager, last_agent, topic, agent
	Ceiling  time.Time `json:"ceiling,omitzero"`        // since when the call was at the ceiling of points and age
	CameBack int       `json:"came_back,omitempty"`
	// Group is who else is offered the call at once; HeldFor a call that waits for
	// one of those who would have been.
	Group   []agents.ID `json:"group,omitempty"`
	HeldFor CallID      `json:"held_for,omitempty"`
	Terms   []Term      `json:"terms,omitempty"` // what decided between candidates
	LeftOut LeftOuts    `json:"left_out,omitempty"`
	Version int         `json:"version,omitempty"`
}

// Term is one measured value of a candidate.
type Term struct {
	Agent agents.ID `json:"agent"`
	// Name is idle_s, levels, skills (held), busy_share (hundredths of a percent),
	// calls, or offered_s: seconds since the queue last asked, -1 for never.
	Name  string `json:"name"`
	Value int64  `json:"value"`
}
