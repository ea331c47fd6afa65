package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer/permission"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// requests has customers called for whom an outside system asks. What callers are
// held to who take a callback on the line holds for them: where we may call, who does
// not want to be called, one callback of a customer, the queue's hours, and its turn.
type requests struct {
	app     *App
	regions map[string]string // by source
	log     *zap.Logger
}

func newRequests(a *App, askers []configs.Sender) *requests {
	out := &requests{a, map[string]string{}, a.log.Named("callbacks")}
	for _, p := range askers {
		out.regions[p.Name] = p.Region
	}
	return out
}

// Ask implements web.CallbackRequests.
func (r *requests) Ask(ctx context.Context, in web.CallbackRequest) (routing.CallID, error) {
	n, err := identity.ParseNumber(in.Number, r.regions[in.Source], nil)
	if err != nil {
		return 0, notAsked("bad_callback", "number: is none; a national one is read where callbacks.%s.region is set", in.Source)
	}
	if why := r.nowhere(&in); why != "" {
		return 0, notAsked("bad_callback", "%s", why)
	}
	if !r.app.gateway.CallsBack(n) {
		return 0, notAsked("not_callable", "no trunk calls it back: ours, paid by the minute, or in a country of no trunk's out.callback")
	}
	if call := r.app.rim.callers.promisedAt(n.E164()); call != 0 {
		return 0, notAsked("promised", "call %d keeps the place", call)
	}
	if err := r.mayBeCalled(ctx, n, in); err != nil {
		return 0, err
	}
	call, why := r.app.rim.request(ctx, n, in)
	switch why {
	case "":
		r.log.Info("a callback was asked for", zap.String("source", in.Source), zap.Int64("call", int64(call)))
		return call, nil
	case "promised":
		return 0, notAsked("promised", "another request keeps the place")
	case "no_queue", "no_callback":
		return 0, notAsked("bad_callback", "the queue has gone, or calls nobody back any more")
	}
	return 0, notAsked("unavailable", "routing has too much to do: ask again")
}

// reasonWithdrawn is the end of a place that nobody needs any more.
const reasonWithdrawn = "withdrawn"

// Withdraw implements web.CallbackRequests. A customer who is on the line stays there.
func (r *requests) Withdraw(ctx context.Context, source string, call routing.CallID) error {
	said := r.app.rim.answers.await(call) // first: the end may come at any moment
	defer r.app.rim.answers.forget(call, said)
	none := notAsked("not_found", "no call of this number is to be made for this system")
	if !r.app.rim.callers.keepsPlace(call, askedBy(source)) {
		return none
	}
	r.app.rim.driver.Submit(routing.CallbackCancelled{Call: call, Reason: reasonWithdrawn})
	select {
	case why := <-said:
		if why != reasonWithdrawn { // the customer was on the line, or had rung in
			return none
		}
		return nil
	case <-ctx.Done():
		return notAsked("unavailable", "routing has not answered: the customer may be on the line by now")
	}
}

// askedBy stands in the place of a trunk for calls that a system asks for: no trunk has
// such a name.
func askedBy(source string) string { return "callbacks/" + source }

func notAsked(code, why string, args ...any) error {
	return &web.CallbackRefused{Code: code, Why: fmt.Sprintf(why, args...)}
}

// nowhere is why the live document has no place for a request, "" when it has.
func (r *requests) nowhere(in *web.CallbackRequest) string {
	p := r.app.rim.policy.Load()
	name := in.Queue
	if in.Topic != "" {
		t := p.Topics[in.Topic]
		if t == nil || t.Queue == "" {
			return "topic: is none of the routing document's, or leads to no queue"
		}
		name = t.Queue
	}
	q := p.Queues[name]
	switch {
	case q == nil:
		return "queue: is none of the routing document's"
	case q.Callback == nil:
		return "the queue has no callback in the routing document"
	case in.Language != "" && len(p.Languages) > 0 && !slices.Contains(p.Languages, in.Language):
		return "language: is none of the routing document's"
	}
	return ""
}

// mayBeCalled asks the contact policy. One of several who share the number is enough to
// say no.
func (r *requests) mayBeCalled(ctx context.Context, n identity.Number, in web.CallbackRequest) error {
	at := in.NotBefore
	if at.IsZero() {
		at = time.Now()
	}
	d, err := r.app.contacts.decide(ctx, store.ContactDecision{
		Source: askedBy(in.Source), Number: n.E164(), Contact: permission.Contact{Purpose: permission.Callback, Channel: permission.Call, At: at},
	})
	switch {
	case err != nil:
		r.log.Warn("a callback was refused", zap.String("source", in.Source), zap.Error(err))
		return notAsked("unavailable", "nobody knows whether the customer may be called: the customer source or the database does not answer")
	case d.Allowed:
		return nil
	case d.Reason == permission.QuietHours, d.Reason == permission.TooOften:
		later := "at no hour of the next weeks"
		if !d.NotBefore.IsZero() {
			later = "from " + d.NotBefore.UTC().Format(time.RFC3339)
		}
		return notAsked(d.Reason, "%s", later)
	case d.Reason == permission.DoNotCall && d.Weighed[len(d.Weighed)-1].What == "record":
		return notAsked("do_not_call", "the record says so")
	}
	return notAsked("do_not_call", "%s", d.Reason)
}

// request opens the call that keeps the place, and waits for what routing says: why
// there is none, "" when there is.
func (r *rim) request(ctx context.Context, n identity.Number, in web.CallbackRequest) (call routing.CallID, why string) {
	number, country, now := n.E164(), identity.Country(n), time.Now()
	call = r.store.NextCall()
	r.hub.OpenCard(screenpop.NewCall{Call: call, Caller: screenpop.CallerInfo{Number: number, Country: country}, Lookup: number, Trunk: askedBy(in.Source), At: now})
	r.store.Arrived(store.Arrival{Call: call, Trunk: askedBy(in.Source), Number: number, At: now})
	said := r.answers.await(call)
	defer r.answers.forget(call, said)
	if !r.requested(call, n, country, in) {
		over := []routing.Action{routing.EndCall{Call: call, Outcome: routing.Failed, By: routing.ByServer, Reason: "overload"}}
		r.hub.Do(now, over)
		r.store.Do(now, over)
		return 0, "overload"
	}
	select {
	case why = <-said:
	case <-ctx.Done():
		why = "overload" // it may be kept all the same: who asks again is told so
	}
	return call, why
}

func (r *rim) requested(call routing.CallID, n identity.Number, country string, in web.CallbackRequest) bool {
	r.turning.RLock()
	defer r.turning.RUnlock()
	p := r.policy.Load()
	number, trunk := n.E164(), askedBy(in.Source)
	who := &known{number: number, trunk: trunk, versions: []*routing.Policy{p}, caller: identity.Caller{Number: n, Country: country}, attrs: rule.Call{
		Kind: "callback", ANIKnown: true, Trunk: trunk, Country: country, Region: p.Regions.Of(number, trunk), Language: in.Language,
	}}
	r.callers.put(call, who)
	ok := r.driver.TrySubmit(routing.CallbackRequested{
		Call: call, Caller: r.hash(number), Attrs: who.attrs, Rim: who.read(p), Queue: in.Queue, Topic: in.Topic, NotBefore: in.NotBefore,
	})
	if !ok {
		r.callers.forget(call)
	}
	return ok
}

// promised notes that a call keeps the place of a callback, or no longer: its customer
// is on the line.
func (c *knownCalls) promised(call routing.CallID, on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.by[call]; p != nil {
		p.awaits = on
	}
}

// promisedAt is the call that keeps the place of a callback to the number, 0 for none.
func (c *knownCalls) promisedAt(number string) routing.CallID {
	c.mu.Lock()
	defer c.mu.Unlock()
	for call, p := range c.by {
		if p.awaits && (p.back == number || p.back == "" && p.number == number) {
			return call
		}
	}
	return 0
}

// keepsPlace says that a call came that way, and keeps the place of a callback.
func (c *knownCalls) keepsPlace(call routing.CallID, trunk string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.by[call]
	return p != nil && p.awaits && p.trunk == trunk
}

// requestAnswers are what routing says to requests that are waited for: why there is no
// place, "" when there is one. Several may wait for one call: who withdraws it asks again.
type requestAnswers struct {
	mu sync.Mutex
	by map[routing.CallID][]chan string
}

func (a *requestAnswers) await(call routing.CallID) chan string {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by == nil {
		a.by = map[routing.CallID][]chan string{}
	}
	said := make(chan string, 1)
	a.by[call] = append(a.by[call], said)
	return said
}

func (a *requestAnswers) forget(call routing.CallID, said chan string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.by[call] = slices.DeleteFunc(a.by[call], func(x chan string) bool { return x == said })
	if len(a.by[call]) == 0 {
		delete(a.by, call)
	}
}

// say answers who waits; there may be nobody.
func (a *requestAnswers) say(call routing.CallID, why string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, said := range a.by[call] {
		said <- why
	}
	delete(a.by, call)
}
