package sip

import (
	"io"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/alarm"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// Mailboxes keeps what callers leave in mailboxes.
type Mailboxes interface {
	// Take begins a message. It must not block: what takes its time is done by the
	// Tape, which the caller does not wait for.
	Take(Message) Tape
	// Limits are how long a message may be, and after how much silence it ends.
	Limits() (longest, silence time.Duration)
}

// Message is who leaves a message, and where.
type Message struct {
	Call     routing.CallID
	Mailbox  string
	Queue    string // in which the caller was, "" for none
	Language string
	Codec    string // of the samples: PCMU or PCMA
}

// Tape takes one message. Write is told the samples in order (G.711 of one
// codec), on a goroutine of the message's own.
type Tape interface {
	io.Writer
	// End is the message's end, on the same goroutine. Nothing follows it. It says
	// how many seconds long what is kept is, rounded up; 0 when nothing is.
	End(media.Recorded) (seconds int)
}

// shortestMessage is what is kept at least: less is a receiver that was put down.
const shortestMessage = 2 * time.Second

// Kept says whether a recording is a message: long enough, and not silent.
func Kept(r media.Recorded) bool {
	return r.Said && r.Samples >= int(shortestMessage/time.Second)*8000
}

// messageWait is how long a call waits, when its message is over, for what is
// being written of it. The tape goes on without the call.
const messageWait = 5 * time.Second

// dictation is what a caller leaves in a mailbox: first the greeting, then the
// beep, then the recording, which starts when the beep was heard.
type dictation struct {
	order     routing.Treat
	recording *media.Recording // nil before the beep is over
	why       string           // it is to end so, "" while it goes on
	over      bool             // the engine was told
	failed    bool             // the caller is told that it was not taken
	seconds   int
	wait      *alarm.Alarm
}

// takeMessage asks the caller for a message.
func (c *call) takeMessage(a routing.Treat) {
	if c.gw.mailboxes == nil || c.message != nil {
		c.submit(routing.MessageLeft{Call: c.id, Why: routing.MessageFailed})
		return
	}
	c.answerCaller()
	if c.over || c.caller.ended {
		return // told already
	}
	c.hush()
	c.treatment, c.message = "", &dictation{order: a}
	c.caller.port.OnDTMF(func(key byte) { c.post(func() { c.messageKey(key) }) })
	c.sayNow(c.record, c.inLanguage("voicemail-"+a.Voicemail, "voicemail"), beep)
}

// beep is the sound after which a message begins.
const beep = "beep"

// inLanguage is the first of these sounds that there is, in the caller's language
// where there is one; the last has to be there.
func (c *call) inLanguage(sounds ...string) string {
	for _, s := range sounds {
		if in := s + "-" + c.message.order.Language; c.gw.media.Has(in) {
			return in
		}
		if c.gw.media.Has(s) {
			return s
		}
	}
	return sounds[len(sounds)-1]
}

// sayNow says this in place of whatever is being said.
func (c *call) sayNow(then func(), sounds ...string) {
	c.quiet()
	c.speak(sounds, then)
}

// record begins the recording.
func (c *call) record() {
	m, l := c.message, c.caller
	if l.ended || m.why != "" {
		return
	}
	tape := c.gw.mailboxes.Take(Message{Call: c.id, Mailbox: m.order.Voicemail, Queue: m.order.Queue, Language: m.order.Language, Codec: l.codec.Name})
	longest, silence := c.gw.mailboxes.Limits()
	r, err := l.port.Record(media.RecordOptions{
		To: tape, Codec: l.codec.Name, Longest: longest, Silence: silence,
		Ended: func(got media.Recorded) {
			seconds := tape.End(got)
			c.post(func() { c.recorded(got, seconds) })
		},
	})
	if err != nil {
		tape.End(media.Recorded{Why: media.RecordFailed, Err: err})
		c.endMessage(routing.MessageFailed)
		return
	}
	m.recording = r
	m.wait = c.after(longest+c.gw.messageWait, func() { c.endMessage(routing.MessageFailed) })
}

// messageKey is a key that the caller has pressed: # ends the message, or what is
// said before it.
func (c *call) messageKey(key byte) {
	m := c.message
	switch {
	case key != '#' || m == nil || m.why != "":
	case m.recording != nil:
		c.endMessage(routing.MessageByKey)
	case len(c.told.sounds) > 1:
		c.sayNow(c.record, beep)
	}
}

// messageInfo takes a key that came by INFO, as PBXs send them; false for every
// other event.
func (c *call) messageInfo(l *leg, ev stack.Event) bool {
	r, ok := ev.(stack.Requested)
	if !ok || l != c.caller || l.ended || c.message == nil || r.Request.Method != "INFO" {
		return false
	}
	key, ok := keyOf(r.Request)
	if !ok {
		return false
	}
	c.reply(l, r.Request, 200, nil, nil)
	c.messageKey(key)
	return true
}

// endMessage ends the message for a reason of the call's own. The engine is told
// once it is written, or when that takes too long.
func (c *call) endMessage(why string) {
	m := c.message
	if m.why != "" {
		return
	}
	m.why = why
	m.wait.Stop()
	if m.recording == nil {
		c.messageOver(0)
		return
	}
	m.recording.Stop()
	m.wait = c.after(c.gw.messageWait, func() {
		c.log.Warn("message not written in time", zap.String("reason", "slow_disk"))
		m.why = routing.MessageFailed
		c.messageOver(0)
	})
}

// recorded is the recording's own end.
func (c *call) recorded(got media.Recorded, seconds int) {
	m := c.message
	if m.why == "" {
		m.why = map[string]string{
			media.RecordSilence: routing.MessageSilence, media.RecordLongest: routing.MessageLongest,
		}[got.Why]
	}
	if got.Why == media.RecordFailed {
		m.why = routing.MessageFailed
		c.log.Error("message cannot be written", zap.Error(got.Err))
	}
	c.messageOver(seconds)
}

// messageOver tells the engine, and first the caller if nothing is kept that he
// has said.
func (c *call) messageOver(seconds int) {
	m := c.message
	m.wait.Stop()
	if m.over || m.failed {
		return
	}
	m.seconds = seconds
	if m.why == routing.MessageFailed && !c.caller.ended {
		m.failed = true
		c.sayNow(func() { c.tellMessage(routing.MessageFailed) }, c.inLanguage("sorry"))
		return
	}
	c.tellMessage(m.why)
}

func (c *call) tellMessage(why string) {
	m := c.message
	if m.over {
		return
	}
	m.over = true
	c.submit(routing.MessageLeft{Call: c.id, Seconds: m.seconds, Why: why})
	if c.caller.ended {
		c.submit(routing.CallerGone{Call: c.id})
	}
}

// hungUpOn ends the message of a caller who has hung up; false where there is
// none, or it is over. What the engine is told of his going follows it.
func (c *call) hungUpOn() bool {
	m := c.message
	if m == nil || m.over || m.recording == nil {
		return false
	}
	if m.failed {
		c.tellMessage(routing.MessageFailed)
		return true
	}
	if m.why == "" {
		c.endMessage(routing.MessageHungUp)
	}
	return true
}

// dropMessage ends a message with its call. What was said so far is kept.
func (c *call) dropMessage() {
	if m := c.message; m != nil {
		m.wait.Stop()
		if m.recording != nil {
			m.recording.Stop()
		}
	}
}

// listens says that the caller is heard by a mailbox, and hears nothing.
func (m *dictation) listens() bool { return m != nil && m.recording != nil && !m.failed }
