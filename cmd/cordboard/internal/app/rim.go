package app

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/pops"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/live"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// rim is where numbers and records stop: it opens the card and the ledger row
// of an arriving call, and lets only routing attributes and a keyed hash of
// the caller's number pass on to the engine.
type rim struct {
	driver  *live.Driver
	hub     *screenpop.Hub
	store   *store.Store
	metrics *web.Metrics
	calls   *callLog
	pops    *pops.Calls
	policy  atomic.Pointer[routing.Policy]
	// turning is held while a new version goes live: no call comes in between what
	// is read of the calls in hand and the version itself.
	turning sync.RWMutex
	callers knownCalls
	answers requestAnswers
	hashKey []byte
	past    pastCalls
	numbers []string // our own, E.164, which calls leave with
	log     *zap.Logger
}

// use has the rim read by a version from now on.
func (r *rim) use(p *routing.Policy) {
	r.policy.Store(p)
	r.past.read(p)
}

// NextCall implements sip.Router.
func (r *rim) NextCall() routing.CallID { return r.store.NextCall() }

// Arrive implements sip.Router.
func (r *rim) Arrive(a sip.Arrival) bool {
	spin()
	number := a.Caller.Number.E164()
	shown := number
	if a.Caller.Restricted {
		shown = ""
	}
	r.hub.OpenCard(screenpop.NewCall{
		Call: a.Call,
		Caller: screenpop.CallerInfo{
			Number: shown, Display: display(a), Country: a.Caller.Country,
			Source: string(a.Caller.Source), Trusted: a.Caller.Trusted, Restricted: a.Caller.Restricted,
		},
		Lookup: number, Dialled: a.Dialled.Number, Trunk: a.Trunk, At: a.At,
	})
	r.store.Arrived(store.Arrival{Call: a.Call, Trunk: a.Trunk, Number: shown, Dialled: a.Dialled.Number, At: a.At})
	if !r.arrived(a, number) {
		// The caller gets 503; the row says why, so that no call goes unaccounted.
		over := []routing.Action{routing.EndCall{
			Call: a.Call, Outcome: routing.Failed, By: routing.ByServer, Reason: "overload", Code: 503,
		}}
		r.hub.Do(a.At, over)
		r.store.Do(a.At, over)
		r.calls.ended(store.LedgerRow{Call: a.Call, Outcome: routing.Failed, EndedBy: routing.ByServer, Reason: "overload", ArrivedAt: a.At, EndedAt: a.At})
		return false
	}
	return true
}

// arrived hands a call to the engine, unless it has too many to do.
func (r *rim) arrived(a sip.Arrival, number string) bool {
	r.turning.RLock()
	defer r.turning.RUnlock()
	p := r.policy.Load()
	who := &known{number: number, trunk: a.Trunk, caller: a.Caller, dialled: a.Dialled, versions: []*routing.Policy{p}, attrs: rule.Call{
		Kind: "inbound", ANIKnown: number != "", DNIS: a.Dialled.Number, Trunk: a.Trunk, Country: a.Caller.Country,
		Region: p.Regions.Of(number, a.Trunk),
	}}
	r.callers.put(a.Call, who)
	r.lookBack(a, p)
	ok := r.driver.TrySubmit(routing.CallArrived{Call: a.Call, Caller: r.hash(number), Attrs: who.attrs, Rim: who.read(p)})
	if !ok {
		r.callers.forget(a.Call)
		r.past.forget(a.Call)
	}
	return ok
}

// reload makes a version live: first the engine learns what the rim reads of
// the calls in hand for it.
func (r *rim) reload(ev routing.PolicyChanged) {
	ev.Policy = ev.Policy.Keyed(r.key)
	r.turning.Lock()
	defer r.turning.Unlock()
	for call, who := range r.callers.turn(ev.Policy) {
		if rim := who.read(ev.Policy); len(rim) > 0 {
			r.driver.Submit(routing.RimRead{Call: call, Rim: rim, Subject: r.subject(&who)})
		}
	}
	r.use(ev.Policy)
	r.driver.Submit(ev)
}

// Do implements live.Port: what is known of a call is forgotten with its end.
func (r *rim) Do(_ time.Time, actions []routing.Action) {
	for _, a := range actions {
		switch a := a.(type) {
		case routing.CallbackTaken:
			r.callers.promised(a.Call, true)
			r.answers.say(a.Call, "")
		case routing.CallbackReached:
			r.callers.promised(a.Call, false)
			r.answers.say(a.Call, "reached")
		case routing.EndCall:
			r.callers.forget(a.Call)
			r.past.forget(a.Call)
			r.answers.say(a.Call, a.Reason)
		}
	}
}

func display(a sip.Arrival) string {
	if a.Caller.Restricted {
		return ""
	}
	return a.Caller.Display
}

// hash is the keyed hash that stands for a number behind the rim, "" for none.
func (r *rim) hash(number string) string {
	if number == "" {
		return ""
	}
	mac := hmac.New(sha256.New, r.hashKey)
	mac.Write([]byte(number))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// key is the keyed hash of a caller's number, or of a customer's id, as
// conditions compare it.
func (r *rim) key(field, literal string) string {
	if field == "call.ani" || literal == "" {
		return r.hash(literal)
	}
	return r.hash("customer " + literal)
}

// subject is under whose key the journal seals what is known of a caller: the
// customer's, or his number's; "" of one who withholds it.
func (r *rim) subject(who *known) string {
	if who.id != "" {
		return r.key("customer.id", who.id)
	}
	return r.hash(who.number)
}

// Submit implements sip.Router and screenpop.Engine. What the ledger wants to
// know of the engine's inputs is noted here, in passing.
func (r *rim) Submit(ev routing.Event) {
	switch e := ev.(type) {
	case routing.ConsultRequested: // a question is a call of its own
		if e.Consult == 0 { // a telephone's has one already
			e.Consult = r.store.NextCall()
		}
		ev = e
	case routing.PhoneRinging:
		r.observe(e.Call, e.Kind(), e.Agent, e.Attempt, time.Now(), nil)
	case routing.Joined:
		r.observe(e.Call, e.Kind(), e.Agent, e.Attempt, time.Now(), map[string]any{"media": e.Media})
		if e.Media == sip.MediaRedirected {
			r.hub.GivenBack(e.Offer)
		}
	case routing.PhoneFailed:
		data := map[string]any{"code": e.Code}
		if e.Unconfirmed {
			data = map[string]any{"unconfirmed": true}
		}
		r.observe(e.Call, e.Kind(), e.Agent, e.Attempt, time.Now(), data)
	case routing.NumberAnswered:
		r.observe(e.Call, e.Kind(), "", 0, time.Now(), nil)
	case routing.NumberFailed:
		r.observe(e.Call, e.Kind(), "", 0, time.Now(), map[string]any{"code": e.Code})
	case routing.NumberGone:
		r.observe(e.Call, e.Kind(), "", 0, time.Now(), nil)
	}
	r.driver.Submit(ev)
}

// resolved hands the routing attributes of a look-up to the engine, together with
// what the ledger says of the caller's other calls.
func (r *rim) resolved(call routing.CallID, m customer.Match) {
	if r.pops.Has(call) { // a PBX's: routing knows nothing of it
		if m.Record != nil {
			r.store.Identified(call, m.Record.ID)
		}
		return
	}
	r.past.then(call, func(past rule.Past) { r.lookedUp(call, 0, m, past) })
}

// lookedUp does so for a look-up by telephone number, or by the number that was keyed
// in for a question (ask): what the telephone number tells after that counts no more.
func (r *rim) lookedUp(call routing.CallID, ask int, m customer.Match, past rule.Past) {
	var attrs rule.Customer
	ev := routing.CustomerResolved{Call: call, Ask: ask, Past: past}
	r.turning.RLock()
	defer r.turning.RUnlock()
	if !r.callers.counts(call, ask) {
		return
	}
	p := r.policy.Load()
	if m.Record != nil {
		attrs = rule.Customer(m.Record.Attributes(time.Now()))
		rule.ReadOwn(p.Fields, m.Record.Fields).Customer(&attrs)
		ev.Key = r.key("customer.id", m.Record.ID)
		r.store.Identified(call, m.Record.ID)
	}
	ev.Customer = attrs
	if who, there := r.callers.know(call, attrs, m.Record); there {
		ev.Rim, ev.Subject = who.read(who.versions...), r.subject(&who)
	}
	r.driver.Submit(ev)
}

// dataRoom holds nearly everything that is told of an event.
const dataRoom = 192

// observe notes in the ledger what happened at a desk.
func (r *rim) observe(call routing.CallID, kind string, agent agents.ID, attempt routing.Attempt, at time.Time, data map[string]any) {
	r.metrics.Observe(call, kind, agent, attempt, at, data)
	e := store.Event{Call: call, At: at, Kind: kind, Agent: agent, Attempt: attempt}
	if len(data) > 0 {
		b, err := appendData(make([]byte, 0, dataRoom), data)
		if err != nil {
			r.log.Error("an event's data has no JSON form", zap.Int64("call", int64(call)), zap.String("kind", kind), zap.Error(err))
		}
		e.Data = b
	}
	r.store.Event(e)
}

// Agent implements screenpop.Directory over the live policy.
func (r *rim) Agent(id agents.ID) (agents.Agent, bool) {
	a, ok := r.policy.Load().Agents[id]
	return a, ok
}
