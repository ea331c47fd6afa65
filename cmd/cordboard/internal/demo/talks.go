package demo

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/siptest"
)

// plan is what one synthetic call is about.
type plan struct {
	number   string
	dialled  string
	topic    string        // the first agent passes the call on to this topic, "" for not
	talk     time.Duration // the caller hangs up so long after the last agent picked up; 0: the agent does
	patience time.Duration // the caller gives up after this
}

// talks tells the robots at the phones what the robot on the trunk is up to:
// one call a number at a time.
type talks struct {
	mu   sync.Mutex
	live map[string]*talk
}

type talk struct {
	plan
	passed bool          // the call has been passed on, under talks.mu
	picked chan struct{} // one token for each phone that picked up
}

// begin reserves the number; nil when it is on the phone already.
func (t *talks) begin(p plan) *talk {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.live == nil {
		t.live = map[string]*talk{}
	}
	if t.live[p.number] != nil {
		return nil
	}
	k := &talk{plan: p, picked: make(chan struct{}, 8)}
	t.live[p.number] = k
	return k
}

func (t *talks) end(number string) { t.mu.Lock(); delete(t.live, number); t.mu.Unlock() }

// passOn is the topic that the caller's question goes to, "" when it has none
// or has gone there: whoever gets the call then answers, be it the sender again
// because nobody else speaks the language.
func (t *talks) passOn(number string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.live[number]
	if k == nil || k.passed {
		return ""
	}
	k.passed = k.topic != ""
	return k.topic
}

func (t *talks) of(number string) *talk { t.mu.Lock(); defer t.mu.Unlock(); return t.live[number] }

// rang follows one call at an agent's phone and notes what the phone saw.
func (c *centre) rang(ctx context.Context, id agents.ID, call *siptest.Call) {
	number := userOf(call.Invite().Get("From"))
	ring := ringSeen{number: number, agent: id}
	ring.invited, _ = call.At(siptest.InviteReceived)
	if e, err := call.WaitFor(ctx, siptest.AckReceived); err == nil {
		ring.answered = e.At
		if k := c.talks.of(number); k != nil {
			select {
			case k.picked <- struct{}{}:
			default:
			}
		}
	}
	c.seen.ring(ring)
	if _, err := call.Wait(ctx); err == nil {
		c.phones[id].Forget()
	}
}

// userOf is the user part of a name-addr.
func userOf(nameAddr string) string {
	_, uri, found := strings.Cut(nameAddr, "sip:")
	if !found {
		return ""
	}
	user, _, _ := strings.Cut(uri, "@")
	return user
}

// trunkNumber stands in From, as a PBX's main number does; the caller is in
// P-Asserted-Identity.
const trunkNumber = "+442079460199"

// place makes one call and follows it to its end.
func (c *centre) place(ctx context.Context, p plan) {
	k := c.talks.begin(p)
	if k == nil {
		return // this customer is on the line
	}
	defer c.talks.end(p.number)
	call, err := c.trunk.Call(ctx, siptest.CallOptions{
		From: trunkNumber, PAI: "<sip:" + p.number + "@trunk.example.com;user=phone>", To: p.dialled,
		Behaviour: siptest.Behaviour{Tone: 300},
	})
	if err != nil {
		c.log.Sugar().Warnw("the trunk robot could not call", "error", err)
		return
	}
	over := make(chan struct{})
	go func() { defer close(over); c.callerActs(ctx, k, call) }()
	_, _ = call.Wait(ctx)
	<-over
	seen := callSeen{number: p.number}
	seen.invited, _ = call.At(siptest.InviteSent)
	seen.released, _ = call.At(siptest.Over)
	_, seen.failed = call.At(siptest.Failed)
	c.seen.call(seen)
}

// callerActs is the caller: waits, talks, hangs up.
func (c *centre) callerActs(ctx context.Context, k *talk, call *siptest.Call) {
	ended := make(chan struct{})
	go func() { defer close(ended); _, _ = call.Wait(ctx) }()
	talks := 1
	if k.topic != "" {
		talks = 2
	}
	for range talks {
		select {
		case <-k.picked:
		case <-time.After(k.patience):
			call.Hangup()
			<-ended
			return
		case <-ended:
			return
		}
	}
	stay := k.talk
	if stay == 0 {
		stay = k.patience // the agent is to end it; nobody stays for ever
	}
	select {
	case <-time.After(stay):
		call.Hangup()
	case <-ended:
	}
	<-ended
}
