package sip

import (
	"runtime/debug"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/alarm"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
	"github.com/cordboard/cordboard/sip/trace"
)

// call is the actor of one call: all its fields belong to whoever does the work
// of its mailbox. What may happen, by the state of the legs (E: told to the engine):
//
//	caller's leg  | new (180 sent soon) | answered (200 sent)  | up (ACK came)
//	AnswerCaller  | 200, music          | -                    | -
//	EarlyMedia    | 183, music          | -                    | -
//	Announce      | said in early media | once up              | said, then music
//	Connect       | 200 with the agent  | join                 | join
//	AskMenu       | -                   | asked once up        | asked; E MenuKeyed
//	a minute      | 180 or 183 again    | -                    | -
//	Expires       | 487; E CallerGone   | -                    | -
//	Treat         | 200, or refuse      | play once up         | play; E TreatmentPlayed
//	... voicemail | 200                 | ask once up          | ask, record; E MessageLeft
//	CANCEL        | gone; E CallerGone  | the stack says BYE   | -
//	ACK           | -                   | up; settle           | late offer's answer; settle
//	no ACK        | -                   | BYE; E CallFailed    | the same, after a re-INVITE
//	BYE           | gone; E CallerGone  | gone; E CallerGone   | gone; E CallerGone
//	re-INVITE     | -                   | answer               | answer, or pass on (direct)
//	PassOut       | -                   | as Treat to a number, with music until it answers
//	EndCall       | final response      | BYE                  | BYE
//
//	agent's leg   | none       | inviting/ringing      | answered              | connected
//	Ring          | INVITE     | end it, INVITE        | end it, INVITE        | end it, INVITE
//	... redirect  | 302 or REFER to the caller's leg, and when that is taken E PhoneAnswered (redirect.go)
//	180           | -          | E PhoneRinging (once) | -                     | -
//	200           | ACK, BYE   | ACK; E PhoneAnswered  | (stack)               | (stack)
//	3xx-6xx       | -          | gone; E PhoneFailed   | -                     | -
//	Withdraw      | -          | CANCEL                | BYE                   | BYE
//	Connect       | -          | noted                 | join                  | -
//	Release       | -          | CANCEL                | BYE                   | BYE; caller waits
//	Wait          | music      | music                 | music                 | part; music
//	BYE           | -          | -                     | gone; E AgentGone     | gone; E AgentGone
//	re-INVITE     | 481        | -                     | answer                | answer or pass on; E PhoneHeld
//	REFER         | 481        | -                     | E TransferRequested   | E TransferRequested (refer.go)
//	Hold          | -          | -                     | -                     | music, or join again
//	caller gone   | -          | CANCEL                | BYE                   | BYE
//	EndCall       | -          | CANCEL                | BYE                   | BYE
//
// What an agent asks somebody else has a leg of its own beside these (consult.go), and
// another where her phone asks by a second call (second.go).
// With Group set Ring ends nothing: the phones of a group ring side by side
// (group.go), each as the table says, until one is connected.
// "None" is also what any leg but the present attempts' is taken for. A panic
// anywhere ends both legs and is told as CallFailed.
type call struct {
	id      routing.CallID
	gw      *Gateway
	log     *zap.Logger
	box     *mailbox
	trunk   Trunk
	arrival Arrival
	invited *stack.Message
	first   *request // the offer of the INVITE, nil when it had none

	caller *leg
	agent  *leg        // of the present attempt, nil when there is none
	others []*leg      // of its group, ringing beside it
	second *secondCall // by which the agent's phone asks; nil: there is none
	asking *asking     // what the agent asks somebody else meanwhile; nil: nothing
	away   *redirect   // an offer by which the trunk has the call back; nil: none
	keeps  bool        // the trunk does not take it back

	tune      string // music while waiting and on hold
	treatment string // announcement instead of the music
	played    bool   // to its end
	told      telling
	message   *dictation // nil: none is left
	menu      *menu      // nil: he is in none
	deaf      bool       // he cannot hear early media, which he should
	earlyDue  bool       // he will, once he has answered our offer
	deskHold  bool
	ringLater []routing.Ring // wait until the caller's codecs are known
	sendLater func()         // likewise, to a number
	connected bool           // the engine wants caller and agent joined
	joined    bool           // and was told that they are
	direct    bool           // media of this attempt: direct, or by our relay
	lateJoin  bool           // the join has run out of time once
	rounds    int            // re-INVITEs since something last changed
	playing   playing
	relaying  bool
	undecided bool // AgentGone was told, and the engine has not spoken since

	offering  *offering             // to be called back
	parting   bool                  // his line is being released: he will be called back
	dialLater *routing.CallCustomer // once it is
	dialTry   int                   // of the present call to the customer
	awaited   string                // the number that it goes to, until it is answered
	language  string                // that the customer is spoken to in

	joinTimer   *alarm.Alarm
	ringTimer   *alarm.Alarm  // the next 180
	expires     time.Duration // of the INVITE, 0 for never
	spent       int           // of its Max-Forwards
	expireTimer *alarm.Alarm
	resume      *alarm.Alarm // the music after an announcement
	orphanTimer *alarm.Alarm
	lookTimer   *alarm.Alarm // the next look after the legs
	over        bool
}

// item is one piece of work for a call: an event of a leg, an action, or a
// step of its own.
type item struct {
	leg *leg
	ev  stack.Event
	act routing.Action
	fn  func()
	// lost is done in place of fn when the call is over before; nil: nothing.
	lost func()
}

// work does one batch of the mailbox's, and gives back what is left of it when
// the call is over.
func (c *call) work(items []item) {
	for i, it := range items {
		c.step(it)
		if c.over {
			c.gw.retire(c, items[i+1:])
			return
		}
	}
}

// step handles one item. A panic ends this call and no other.
func (c *call) step(it item) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("call failed", zap.String("reason", "panic"), zap.Any("panic", p), zap.ByteString("stack", debug.Stack()))
			c.abandonShip("panic")
		}
	}()
	switch {
	case it.ev != nil:
		c.event(it.leg, it.ev)
	case it.act != nil:
		c.action(it.act)
	default:
		it.fn()
	}
	if !c.over {
		c.settle()
	}
}

// event sorts a leg's event to its owner's file.
func (c *call) event(l *leg, ev stack.Event) {
	if r, ok := ev.(stack.Replied); !ok || r.Response != nil {
		l.vigil.seen(time.Now())
	}
	if m := bodyOf(ev); m != nil && len(m.Body) > 0 {
		unwrap(m)
	}
	switch {
	case c.keyed(l, ev), c.messageInfo(l, ev):
	case c.isOther(l):
		c.otherEvent(l, ev)
	case c.asks(l) && !l.ended:
		c.askedEvent(l, ev)
	case c.isSecond(l) && !l.ended:
		c.secondEvent(l, ev)
	case l.ended || (l != c.caller && l != c.agent):
		c.stray(l, ev)
	case l == c.caller:
		c.callerEvent(l, ev)
	default:
		c.agentEvent(l, ev)
	}
}

// stray answers for a leg that was given up already.
func (c *call) stray(l *leg, ev stack.Event) {
	switch ev := ev.(type) {
	case stack.Answered: // a 200 of an older attempt
		_ = l.dlg.Ack(nil) // not due when our BYE has seen to it
		l.dlg.Bye(reasonHeader(routing.ByServer, "completed_elsewhere"))
	case stack.Requested:
		c.try(l, "reply", l.dlg.Reply(ev.Request, 481, "", nil, nil))
	}
}

// action does one of the engine's orders.
func (c *call) action(a routing.Action) {
	if id, _ := callOf(a); id != c.id {
		c.ofQuestion(a)
		return
	}
	if c.answersRefer(a) {
		return
	}
	c.undecided = false
	if c.isRedirected() {
		c.orderRedirected(a)
		return
	}
	switch a := a.(type) {
	case routing.ConsultStarted:
		c.dropAsked(reasonHeader(routing.ByServer, "superseded"))
		c.asking = &asking{id: a.Consult}
		c.secondTaken(a.Consult)
	case routing.HandedOver:
		c.handedOver(a)
	case routing.AnswerCaller:
		c.tune = a.Music
		c.answerCaller()
	case routing.EarlyMedia:
		c.earlyMedia(a)
	case routing.Announce:
		c.announce(a)
	case routing.Wait:
		c.wait(a)
	case routing.Treat:
		c.treat(a)
	case routing.PassOut:
		c.passOut(a)
	case routing.Ring:
		c.ring(a)
	case routing.Withdraw:
		c.letGo(a.Offer, a.Why)
	case routing.Release:
		c.letGo(a.Offer, a.Why)
	case routing.Connect:
		c.connect(a)
	case routing.Hold:
		c.hold(a)
	case routing.OfferCallback:
		c.offerCallback(a)
	case routing.AskMenu:
		c.askMenu(a)
	case routing.CallbackTaken:
		c.released(a)
	case routing.CallCustomer:
		c.callCustomer(a)
	case routing.DropCustomer:
		c.dropCustomer(a)
	case routing.EndCall:
		c.end(a)
	}
}

// post gives the call work from any goroutine.
func (c *call) post(fn func()) { c.box.put(item{fn: fn}) }

// after has fn done as work of the call's when d has passed.
func (c *call) after(d time.Duration, fn func()) *alarm.Alarm {
	return c.gw.alarms.After(d, func() { c.post(fn) })
}

// try logs what an order to the stack came to. Nothing is to be done about
// it: when a dialog cannot take an order its end is on the way as an event.
func (c *call) try(l *leg, what string, err error) {
	if err != nil {
		c.log.Info("dialog order failed", zap.String("leg", l.name), zap.String("order", what), zap.Error(err))
	}
}

func (c *call) submit(ev routing.Event) { c.gw.router.Submit(ev) }

// end is the engine's last word: whatever legs are left are ended.
func (c *call) end(a routing.EndCall) {
	c.dropAgents(reasonHeader(a.By, a.Reason))
	c.endCaller(a)
	c.finish()
}

// fail gives the call up for a reason of our own.
func (c *call) fail(reason string) {
	c.log.Warn("call failed", zap.String("reason", reason))
	c.abandonShip(reason)
}

// abandonShip ends every leg, each on its own so that one that panics does not
// save the other, and tells the engine.
func (c *call) abandonShip(reason string) {
	c.guarded(func() { c.dropAgents(reasonHeader(routing.ByServer, reason)) })
	c.guarded(func() {
		c.endCaller(routing.EndCall{Outcome: routing.Failed, By: routing.ByServer, Reason: reason, Code: failCode(reason)})
	})
	c.guarded(func() {
		if ev := c.failure(reason); ev != nil {
			c.submit(ev)
		}
	})
	c.guarded(c.finish)
	c.over = true // whatever finish came to
}

// failure is what the engine is told of a call that was given up.
func (c *call) failure(reason string) routing.Event {
	if c.isRedirected() {
		return routing.AgentGone{Offer: c.away.order.Offer}
	}
	if c.caller.out != nil && !c.caller.answered { // the place of a callback stays
		if reason == "shutdown" {
			return nil // it is kept, and no try of the customer's
		}
		return routing.CustomerMissed{Call: c.id, Try: c.dialTry}
	}
	return routing.CallFailed{Call: c.id, Reason: reason, Unanswered: !c.caller.answered}
}

// failCode is the final response to a caller whose call we could not carry on.
func failCode(reason string) int {
	switch reason {
	case "no_media_port", "shutdown":
		return 503
	case "no_codec":
		return 488
	}
	return 500
}

func (c *call) guarded(fn func()) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("clearing a failed call", zap.Any("panic", p))
		}
	}()
	fn()
}

// finish frees what the call holds. It ends run.
func (c *call) finish() {
	c.over = true
	c.noOffer()
	c.endMenu()
	c.dropMessage()
	if c.awaited != "" {
		c.awaits("")
	}
	for _, a := range []*alarm.Alarm{c.joinTimer, c.ringTimer, c.expireTimer, c.resume, c.orphanTimer, c.lookTimer} {
		a.Stop()
	}
	if c.away != nil {
		c.away.limit.Stop()
		c.gw.forgetRedirected(c)
	}
	c.closeLeg(c.caller)
}

// closeLeg frees what a leg holds. The dialog has had its last order.
func (c *call) closeLeg(l *leg) {
	if l.ended {
		return
	}
	l.ended = true
	if l.faced {
		c.gw.turn(l.offer.Agent, nil, c)
	}
	l.asked, l.request = nil, nil
	l.unheard.Stop()
	l.askTimer.Stop()
	l.setup.over()
	l.out.leave(c.gw)
	if l.port != nil {
		l.port.Close()
	}
	if l.answered {
		c.gw.dialogs.RemoveDialog(c.idOf(l), l.name)
	}
}

// save stores the leg's dialog.
func (c *call) save(l *leg) { c.gw.dialogs.SaveDialog(l.row(c.idOf(l))) }

// traced tells the trace that a dialog is this call's, and of a leg that somebody
// is asked by, the question's too.
func (c *call) traced(l *leg) {
	if c.gw.trace == nil {
		return
	}
	note := trace.Leg{Call: int64(c.id), Name: l.name, Agent: string(l.offer.Agent), CallID: l.dlg.State().CallID}
	c.gw.trace.Leg(time.Now(), note)
	if id := c.idOf(l); id != c.id {
		note.Call = int64(id)
		c.gw.trace.Leg(time.Now(), note)
	}
}

// idOf is the call that a leg is of to the engine: its own, or the question.
func (c *call) idOf(l *leg) routing.CallID {
	if c.asks(l) {
		return c.asking.id
	}
	return c.id
}

const (
	// orphanAfter is how long a call whose caller has gone waits for the
	// engine's EndCall. It comes at once; the clock is there so that nothing can
	// be kept by an engine that has lost the call.
	orphanAfter = 30 * time.Second
	// unheardAfter is how long a phone may be silent to our INVITE. Over UDP
	// that is four of them: at 0, 0.5, 1.5 and 3.5 s.
	unheardAfter = 4 * time.Second
	// ringbackAfter is how long a caller may wait for the first 180: most are
	// answered before it and need none.
	ringbackAfter = 100 * time.Millisecond
	// ringbackEvery is how often the 180 is repeated to a caller who waits for
	// it (RFC 3261 13.3.1.1).
	ringbackEvery = time.Minute
)

// newSide begins the descriptions of one dialog.
func (c *call) newSide() *media.Side { return media.NewSide(c.gw.randomID(), c.gw.sdpHost) }

func legName(o routing.Offer) string { return "agent/" + strconv.Itoa(int(o.Attempt)) }
