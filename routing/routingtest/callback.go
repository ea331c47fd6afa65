package routingtest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/rule"
)

// callbackOption reads "callback=at_turn|ahead|none" and "callback.KEY=VALUE".
func (c *Case) callbackOption(q *routing.Queue, key, v string) error {
	if v == "none" && key == "callback" {
		q.Callback = nil
		return nil
	}
	if q.Callback == nil {
		q.Callback = newCallback()
	}
	return c.callbackTerm(q.Callback, key, v)
}

// newCallback is a callback as the product offers it.
func newCallback() *rule.Callback {
	return &rule.Callback{FirstOffer: 30 * time.Second, Key: "1", Attempts: 3, Retry: 5 * time.Minute, Expires: 24 * time.Hour}
}

func (c *Case) callbackTerm(b *rule.Callback, key, v string) (err error) {
	switch key {
	case "callback", "callback.dial":
		if v == "ahead" && b.Ahead == 0 {
			b.Ahead = 20 * time.Second
		}
		if v != "ahead" && v != "at_turn" {
			return fmt.Errorf("%q is not understood", v)
		}
	case "callback.when":
		c.offers = append(c.offers, offered{b, v})
	case "callback.first_offer":
		b.FirstOffer, err = time.ParseDuration(v)
	case "callback.again":
		b.Again, err = time.ParseDuration(v)
	case "callback.key":
		b.Key = v
	case "callback.number":
		b.Entered = v == "entered"
	case "callback.ahead":
		b.Ahead, err = time.ParseDuration(v)
	case "callback.attempts":
		b.Attempts, err = strconv.Atoi(v)
	case "callback.retry":
		b.Retry, err = time.ParseDuration(v)
	case "callback.expires":
		if days, ok := strings.CutSuffix(v, "d"); ok {
			n, err := strconv.Atoi(days)
			b.Expires = time.Duration(n) * 24 * time.Hour
			return err
		}
		b.Expires, err = time.ParseDuration(v)
	default:
		return fmt.Errorf("unknown option")
	}
	return err
}

// offered is a condition of a callback, compiled once everything is named.
type offered struct {
	callback *rule.Callback
	when     string
}

func (c *Case) compileOffers(o rule.CompileOptions) error {
	for _, a := range c.offers {
		cond, err := rule.Compile(a.when, o)
		if err != nil {
			return fmt.Errorf("callback.when: %w", err)
		}
		a.callback.When = cond
	}
	c.offers = nil
	return nil
}

// routeCallback reads the callback of a route.
func (c *Case) routeCallback(n *rule.Node, opts map[string]string) error {
	for _, key := range slices.Sorted(maps.Keys(opts)) {
		if key != "callback" && !strings.HasPrefix(key, "callback.") {
			continue
		}
		if opts[key] == "none" {
			n.NoCallback = true
			continue
		}
		if n.Callback == nil {
			n.Callback = newCallback()
		}
		if err := c.callbackTerm(n.Callback, key, opts[key]); err != nil {
			return fmt.Errorf("route %s: %s: %w", n.Name, key, err)
		}
	}
	return nil
}

// offersCallbacks says that callers of the case have a number unless it is said
// to be withheld: they could not be called back otherwise.
func (c *Case) offersCallbacks() bool {
	for _, q := range c.policy.Queues {
		if q.Callback != nil {
			return true
		}
	}
	return false
}

// customer plays "customer answers|noanswer|busy|refuses|fails CALL [CODE]".
func (r *runner) customer(word func(int) string) error {
	id, ok := r.names[word(2)]
	if !ok {
		return fmt.Errorf("unknown call")
	}
	code := map[string]int{"noanswer": 480, "busy": 486, "refuses": 603, "fails": 503}
	if word(1) == "answers" {
		return r.step(routing.CustomerAnswered{Call: id, Try: r.tries[id]})
	}
	n, ok := code[word(1)]
	if !ok {
		return fmt.Errorf("a customer answers, noanswer, busy, refuses or fails")
	}
	if given, err := strconv.Atoi(word(3)); err == nil {
		n = given
	}
	return r.step(routing.CustomerMissed{Call: id, Try: r.tries[id], Code: n})
}

// back remembers what later events and a restart need of callbacks.
func (r *runner) back(a routing.Action) {
	about, ok := routing.About(a)
	if !ok {
		return
	}
	if call, ok := a.(routing.CallCustomer); ok {
		r.tries[call.Call] = call.Try
	}
	k := r.kept[about.Call]
	if _, taken := a.(routing.CallbackTaken); taken && k == nil {
		k = &routing.Kept{}
		r.kept[about.Call] = k
	}
	if k != nil && !k.Follow(a) {
		delete(r.kept, about.Call)
		if _, reached := a.(routing.CallbackReached); reached {
			r.reached[about.Call] = true
		}
	}
	if ring, ok := a.(routing.Ring); ok && r.reached[ring.Call] && !r.apart {
		delete(r.reached, ring.Call)
		r.picks = append(r.picks, ring.Offer)
	}
}

// callback says what an action about a callback means.
func (r *runner) callback(a routing.Action) string {
	switch a := a.(type) {
	case routing.OfferCallback:
		return fmt.Sprintf("callback offered to %s (key %s)", r.name(a.Call), a.Key)
	case routing.CallbackTaken:
		return fmt.Sprintf("%s line released, place kept since=%s", r.name(a.Call), r.since(a.Kept.Since))
	case routing.CallCustomer:
		return fmt.Sprintf("call customer of %s (try %d)", r.name(a.Call), a.Try)
	case routing.DropCustomer:
		return fmt.Sprintf("drop customer of %s (%s)", r.name(a.Call), a.Why)
	case routing.CallbackReached:
		return fmt.Sprintf("customer of %s on the line", r.name(a.Call))
	case routing.CallbackMissed:
		s := fmt.Sprintf("customer of %s not reached (%s)", r.name(a.Call), a.Why)
		if !a.Again.IsZero() {
			s += ", again at " + r.since(a.Again)
		}
		return s
	}
	return ""
}

// request plays "request callback CALL [queue=|topic=] [ani=] [at=+T]": a customer who
// is on no line asks to be called, at an hour or at once.
func (r *runner) request(l line, name string) error {
	who, err := r.caller(l.opts, "customer.")
	if err != nil {
		return err
	}
	who.Call.Kind = "callback"
	alone := &rule.Env{Call: who.Call, ANI: who.ANI}
	id := r.number(name)
	r.hashes[id], r.callers[id] = who.ANI, alone
	ev := routing.CallbackRequested{Call: id, Caller: who.ANI, Attrs: who.Call, Rim: r.rim(alone), Queue: l.opts["queue"], Topic: l.opts["topic"]}
	if at := l.opts["not_before"]; at != "" {
		d, err := time.ParseDuration(strings.TrimPrefix(at, "+"))
		if err != nil {
			return err
		}
		ev.NotBefore = r.t0.Add(d)
	}
	return r.step(ev)
}

// restart is a server that stops and begins anew: those signed in sign in
// again, callbacks are given back their places, and all other calls are gone.
func (r *runner) restart() error {
	before := r.engine.Snapshot(r.now)
	r.begin(r.policy)
	r.decide(true)
	for _, id := range slices.Sorted(maps.Keys(r.kept)) {
		if err := r.step(routing.CallbackRestored{Call: id, Caller: r.hashes[id], Kept: *r.kept[id]}); err != nil {
			return err
		}
	}
	for _, a := range before.Agents {
		if !a.State.SignedIn() {
			continue
		}
		state := agents.Available
		if a.State == agents.NotReady {
			state = a.State
		}
		for _, ev := range []routing.Event{routing.DeskChanged{Agent: a.Agent, Up: a.Desk}, routing.AgentSignedIn{Agent: a.Agent, State: state, Reason: a.Reason}} {
			if err := r.step(ev); err != nil {
				return err
			}
		}
	}
	return nil
}
