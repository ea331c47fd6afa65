package subscription

import (
	"context"
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/stack"
)

// telephone is one whose calls we are told of.
type telephone struct {
	Phone
	keeper *Keeper
	i      int
	log    *zap.Logger
	ask    time.Duration // to be told for so long; a PBX may want more
	known  *phone
	until  time.Time // the subscription runs out
	bound  time.Time // when it does by the last NOTIFY since it was asked for; zero: none has said
	whole  time.Time // when a full state was asked for last
	gone   bool      // the PBX has ended the subscription
}

// wholeEvery bounds how often a full state is asked for: there are PBXs that do not
// count, and some that tell no more when asked.
const wholeEvery = 5 * time.Second

// end is why a subscription is over.
type end struct {
	code  int
	why   string // in words
	err   error
	stood bool          // it has stood
	after time.Duration // the PBX wants to be left alone for so long
	slow  bool          // asking again soon is of no use
}

// subscribe keeps one subscription until it is over, or Close.
func (t *telephone) subscribe(s *stack.Stack) (out end) {
	notified := make(chan *stack.Message, 64)
	sub, err := s.NewSubscription(t.Subscribing, func(m *stack.Message) {
		select {
		case notified <- m:
		default: // answered by the stack when its time is up
		}
	})
	if err != nil {
		return end{code: 503, why: "nothing can be sent", err: err, slow: true}
	}
	defer sub.Close()
	t.known.begin()
	t.until, t.whole, t.gone = time.Time{}, time.Time{}, false
	raised := false
	for {
		got := t.asks(sub, notified, &out)
		switch {
		case t.keeper.ctx.Err() != nil:
			t.leave(sub)
			return out
		case got.Code == 423 && got.Least > t.ask && got.Least <= 24*time.Hour && !raised:
			t.ask, raised = got.Least, true // RFC 6665 4.1.2.1
			continue
		case got.Code/100 != 2:
			out.refused(got)
			return out
		case t.gone:
			return out
		case got.Expires <= 0:
			out.code, out.why, out.slow = 200, "it grants no time at all", true
			return out
		}
		t.until = time.Now().Add(max(got.Expires, t.keeper.least))
		if !t.bound.IsZero() && t.bound.Before(t.until) {
			t.until = t.bound
		}
		if t.known.known {
			out.stood = true
			t.keeper.stands(t, t.until)
		}
		if t.listen(sub, notified, &out) {
			continue
		}
		if t.keeper.ctx.Err() != nil {
			t.leave(sub)
		}
		return out
	}
}

// asks sends a SUBSCRIBE and listens until its answer is there.
func (t *telephone) asks(sub *stack.Subscription, notified <-chan *stack.Message, out *end) stack.Subscribed {
	ctx, cancel := context.WithTimeout(t.keeper.ctx, tryFor)
	defer cancel()
	t.bound = time.Time{}
	answered := make(chan stack.Subscribed, 1)
	go func() { answered <- sub.Subscribe(ctx, t.ask) }()
	for {
		select {
		case got := <-answered:
			return got
		case m := <-notified: // it may be faster than the answer (RFC 6665 4.1.2.4)
			t.told(sub, m, out)
		}
	}
}

// listen takes what is told until the subscription is to be renewed: true, or is over.
func (t *telephone) listen(sub *stack.Subscription, notified <-chan *stack.Message, out *end) (renew bool) {
	wait := time.NewTimer(t.renewIn())
	defer wait.Stop()
	silent := time.NewTimer(t.keeper.first)
	defer silent.Stop()
	for {
		select {
		case <-t.keeper.ctx.Done():
			return false
		case <-wait.C:
			return true
		case <-silent.C:
			if !t.known.known { // RFC 6665 4.1.2.4, Timer N
				out.code, out.why = 408, "it takes the subscription, and tells no state"
				return false
			}
		case m := <-notified:
			switch t.told(sub, m, out) {
			case over:
				return false
			case again:
				return true
			case shorter:
				wait.Reset(t.renewIn())
			}
		}
	}
}

// renewIn is when the next SUBSCRIBE is due: before the time is up, and not with all
// the others.
func (t *telephone) renewIn() time.Duration {
	left := max(time.Until(t.until), 0)
	return left*4/5 - time.Duration(rand.Int64N(int64(left)/10+1))
}

// What a NOTIFY asks for.
type asked int

const (
	nothing asked = iota
	over          // the subscription is
	again         // a SUBSCRIBE, for a full state
	shorter       // the time has changed
)

// told reads a NOTIFY, answers it, and gives on what has changed.
func (t *telephone) told(sub *stack.Subscription, m *stack.Message, out *end) asked {
	state, params := parameters(m.Get("Subscription-State"))
	var changed []Call
	var err error
	if len(m.Body) > 0 {
		var d document
		if d, err = read(m.Body); err == nil {
			changed, err = t.known.told(d)
		}
	}
	code := 200
	if errors.Is(err, errDocument) {
		code = 400
		t.log.Warn("what a PBX tells of a telephone cannot be read", zap.Error(err))
	}
	if e := sub.Reply(m, code); e != nil {
		t.log.Debug("a NOTIFY was not answered", zap.Error(e))
	}
	for _, c := range changed {
		t.keeper.told(c)
	}
	if s, e := strconv.ParseUint(params["expires"], 10, 31); e == nil {
		t.bound = time.Now().Add(max(time.Duration(s)*time.Second, t.keeper.least))
	}
	switch {
	case state == "terminated":
		t.gone = true
		out.terminated(params)
		return over
	case errors.Is(err, errGap) && !t.until.IsZero() && time.Since(t.whole) > wholeEvery:
		t.whole = time.Now()
		return again
	case err != nil || t.until.IsZero():
		return nothing
	}
	if t.known.known && state == "active" {
		out.stood = true
		t.keeper.stands(t, t.until)
	}
	// It may shorten the time, and no more (RFC 6665 4.1.2.4).
	if !t.bound.IsZero() && t.bound.Before(t.until.Add(-time.Second)) {
		t.until = t.bound
		return shorter
	}
	return nothing
}

// leave takes the subscription back.
func (t *telephone) leave(sub *stack.Subscription) {
	if t.until.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(t.keeper.leave, tryFor)
	defer cancel()
	if got := sub.Subscribe(ctx, 0); got.Code/100 != 2 && got.Code != 481 {
		t.log.Debug("a subscription was not taken back", zap.Int("code", got.Code))
	}
}

// refused says what a PBX's answer means.
func (e *end) refused(got stack.Subscribed) {
	e.code, e.err, e.after = got.Code, got.Err, got.After
	switch got.Code {
	case 481:
		e.why = "it has forgotten the subscription"
	case 489:
		e.why, e.slow = "it knows no dialog events (489 Bad Event): switch them on there, or have it tell by HTTP", true
	case 404, 410, 604:
		e.why, e.slow = "it has no such extension, or no hint for it", true
	case 401, 403, 407:
		e.why, e.slow = "it does not let us", true
	case 405, 501:
		e.why, e.slow = "it takes no SUBSCRIBE", true
	case 408:
		e.why = "no answer"
	case 423:
		e.why, e.slow = "it wants to be asked for longer than can be", true
	case 503:
		e.why = "it can't be reached, or has too much to do"
	default:
		e.why = stack.Phrase(got.Code)
	}
}

// terminated says why the PBX has ended a subscription (RFC 6665 4.1.3).
func (e *end) terminated(params map[string]string) {
	e.code, e.why = 200, "it has ended the subscription"
	switch reason := params["reason"]; reason {
	case "rejected", "noresource", "invariant":
		e.why, e.slow = e.why+": "+reason, true
	case "deactivated", "probation", "giveup", "timeout":
		e.why += ": " + reason
	}
	if s, err := strconv.ParseUint(params["retry-after"], 10, 31); err == nil {
		e.after = time.Duration(s) * time.Second
	}
}

// parameters takes a value and its parameters apart, in lower case.
func parameters(v string) (value string, params map[string]string) {
	parts := strings.Split(strings.ToLower(v), ";")
	params = map[string]string{}
	for _, p := range parts[1:] {
		name, value, _ := strings.Cut(p, "=")
		params[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), `"`)
	}
	return strings.TrimSpace(parts[0]), params
}
