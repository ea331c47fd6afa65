package sip

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// fakeMailboxes hands out tapes.
type fakeMailboxes struct {
	longest, silence time.Duration
	taken            chan *fakeTape
	gate             chan struct{} // writes wait for it; nil: they do not
	err              error         // of each write
}

type fakeTape struct {
	of    *fakeMailboxes
	who   Message
	mu    sync.Mutex
	got   []byte
	ended chan media.Recorded
}

func newMailboxes() *fakeMailboxes {
	return &fakeMailboxes{longest: time.Minute, silence: time.Minute, taken: make(chan *fakeTape, 10)}
}

func (f *fakeMailboxes) Limits() (longest, silence time.Duration) { return f.longest, f.silence }

func (f *fakeMailboxes) Take(m Message) Tape {
	t := &fakeTape{of: f, who: m, ended: make(chan media.Recorded, 2)}
	f.taken <- t
	return t
}

func (t *fakeTape) Write(b []byte) (int, error) {
	if t.of.gate != nil {
		<-t.of.gate
	}
	if t.of.err != nil {
		return 0, t.of.err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.got = append(t.got, b...)
	return len(b), nil
}

func (t *fakeTape) End(r media.Recorded) int {
	t.ended <- r
	if !Kept(r) {
		return 0
	}
	return (r.Samples + 7999) / 8000
}

// mailboxWorld is one whose greeting and beep are short tones; that of the mailbox
// long would never be heard out.
func mailboxWorld(t *testing.T, f *fakeMailboxes) *world {
	t.Helper()
	dir := tones(t)
	for name, s := range map[string]struct {
		freq   float64
		length time.Duration
	}{
		"voicemail": {placeTone, 300 * time.Millisecond}, "beep": {numberTone, 200 * time.Millisecond}, "sorry": {waitTone, 300 * time.Millisecond},
		"voicemail-ru": {welcomeTone, 300 * time.Millisecond}, "voicemail-long": {endTone, 40 * time.Second},
	} {
		pcm := make([]int16, int(s.length.Seconds()*8000))
		for i := range pcm {
			pcm[i] = int16(9000 * math.Sin(2*math.Pi*s.freq*float64(i)/8000))
		}
		if err := os.WriteFile(filepath.Join(dir, name+".wav"), media.WAV("PCMU", media.Encode("PCMU", pcm)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return newWorld(t, worldOptions{sounds: dir, tune: func(g *Gateway) {
		g.messageWait = 200 * time.Millisecond
		if f != nil {
			g.mailboxes = f
		}
	}})
}

func toMailbox(id routing.CallID, mailbox string) routing.Treat {
	return routing.Treat{Call: id, Why: "late", Voicemail: mailbox, Queue: "billing", Language: "en"}
}

// inMailbox brings a caller to where the beep was heard.
func (w *world) inMailbox(f *fakeMailboxes) (*peerCall, media.Audio, routing.CallID, *fakeTape) {
	w.t.Helper()
	caller, ours, id := w.queued(newPeer(w.t), 8, 101)
	w.do(toMailbox(id, "office"))
	caller.listens(placeTone, numberTone)
	return caller, ours, id, get(w.t, "the mailbox", f.taken)
}

// says sends so many packets, each unlike the one before, and waits until all are
// here.
func (w *world) says(c *peerCall, id routing.CallID, ours media.Audio, packets int) (said []byte) {
	w.t.Helper()
	heard := func() (n uint64) {
		w.inside(id, func(c *call) { n = c.caller.port.Heard() })
		return n
	}
	before := heard()
	for n := range packets {
		payload := bytes.Repeat([]byte{byte(n%80 + 1)}, 160)
		said = append(said, payload...)
		b := binary.BigEndian.AppendUint16([]byte{0x80, 8}, uint16(n))
		b = binary.BigEndian.AppendUint32(b, uint32(160*n))
		b = append(binary.BigEndian.AppendUint32(b, 99), payload...)
		if _, err := c.rtp.WriteToUDPAddrPort(b, ours.Addr); err != nil {
			w.t.Fatal(err)
		}
		if n%50 == 49 || n == packets-1 {
			for deadline := time.Now().Add(patience); heard() < before+uint64(n)+1; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					w.t.Fatalf("%d packets heard of %d", heard()-before, n+1)
				}
			}
		}
	}
	return said
}

// left checks the end of a message, and ends the call.
func (w *world) left(id routing.CallID, want routing.MessageLeft) {
	w.t.Helper()
	want.Call = id
	w.expect(want)
	w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer})
}

func (t *fakeTape) is(test *testing.T, want media.Recorded, said []byte) {
	test.Helper()
	if got := get(test, "the end of the tape", t.ended); got != want {
		test.Errorf("recorded %+v, want %+v", got, want)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !bytes.Equal(t.got, said) {
		test.Errorf("%d samples on the tape are not the %d said", len(t.got), len(said))
	}
}

// The caller is asked, hears the beep, and what is said from then on is taken
// until #; other keys are not heard.
func TestMessage(t *testing.T) {
	t.Parallel()
	f := newMailboxes()
	w := mailboxWorld(t, f)
	caller, ours, id, tape := w.inMailbox(f)
	if want := (Message{Call: id, Mailbox: "office", Queue: "billing", Language: "en", Codec: "PCMA"}); tape.who != want {
		t.Errorf("taken from %+v, want %+v", tape.who, want)
	}
	said := w.says(caller, id, ours, 125)
	caller.key(5, 1, ours)
	caller.key(11, 10, ours)
	w.left(id, routing.MessageLeft{Seconds: 3, Why: routing.MessageByKey})
	tape.is(t, media.Recorded{Why: media.RecordStopped, Codec: "PCMA", Samples: len(said), Said: true}, said)
	event[stack.Ended](caller)
}

// Who hangs up has left what was said: the engine hears of the message first.
func TestMessageHungUp(t *testing.T) {
	t.Parallel()
	f := newMailboxes()
	w := mailboxWorld(t, f)
	for packets, seconds := range map[int]int{100: 2, 99: 0} { // two seconds are a message, less is none
		caller, ours, id, tape := w.inMailbox(f)
		said := w.says(caller, id, ours, packets)
		caller.d.Bye(nil)
		w.expect(routing.MessageLeft{Call: id, Seconds: seconds, Why: routing.MessageHungUp})
		w.expect(routing.CallerGone{Call: id})
		w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByCaller})
		tape.is(t, media.Recorded{Why: media.RecordStopped, Codec: "PCMA", Samples: len(said), Said: true}, said)
	}
	// Before the beep there is nothing to be left.
	caller, _, id := w.queued(newPeer(t), 8, 101)
	w.do(toMailbox(id, "long"))
	caller.listens(endTone)
	w.hangUp(caller, id)
	if len(f.taken) > 0 {
		t.Error("a message before the beep")
	}
}

// # ends what is said before the beep, by telephone event or INFO; the language's
// own words are said.
func TestMessageSkipsToTheBeep(t *testing.T) {
	t.Parallel()
	f := newMailboxes()
	w := mailboxWorld(t, f)
	caller, ours, id := w.queued(newPeer(t), 8, 101)
	w.do(toMailbox(id, "long"))
	caller.listens(endTone)
	caller.key(11, 10, ours)
	caller.listens(numberTone)
	tape := get(t, "the mailbox", f.taken)
	if r := caller.asks("INFO", "application/dtmf-relay", []byte("Signal=#\r\nDuration=100\r\n")); r.Code != 200 {
		t.Errorf("INFO answered %d", r.Code)
	}
	w.left(id, routing.MessageLeft{Why: routing.MessageByKey})
	tape.is(t, media.Recorded{Why: media.RecordStopped, Codec: "PCMA"}, nil)

	caller, _, id = w.queued(newPeer(t), 8, 101)
	to := toMailbox(id, "office")
	to.Language = "ru"
	w.do(to)
	caller.listens(welcomeTone, numberTone)
	w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer})
	event[stack.Ended](caller)
}

// A caller of whom no sound comes is let go after the silence, and one who talks
// on after the longest time.
func TestMessageEndsByItself(t *testing.T) {
	t.Parallel()
	f := newMailboxes()
	f.silence = 300 * time.Millisecond
	w := mailboxWorld(t, f)
	_, _, id, tape := w.inMailbox(f)
	w.left(id, routing.MessageLeft{Why: routing.MessageSilence})
	tape.is(t, media.Recorded{Why: media.RecordSilence, Codec: "PCMA"}, nil)

	f = newMailboxes()
	f.longest = 2500 * time.Millisecond
	w = mailboxWorld(t, f)
	caller, ours, id, tape := w.inMailbox(f)
	said := w.says(caller, id, ours, 150)
	w.left(id, routing.MessageLeft{Seconds: 3, Why: routing.MessageLongest})
	tape.is(t, media.Recorded{Why: media.RecordLongest, Codec: "PCMA", Samples: 20000, Said: true}, said[:20000])
}

// A full disk is said to the caller and to the engine; so is a slow one, whose
// tape goes on without the call. Without mailboxes there is none.
func TestMessageCannotBeWritten(t *testing.T) {
	t.Parallel()
	f := newMailboxes()
	f.err = errors.New("no space left on device")
	w := mailboxWorld(t, f)
	caller, ours, id, tape := w.inMailbox(f)
	w.says(caller, id, ours, 100)
	caller.listens(waitTone)
	w.left(id, routing.MessageLeft{Why: routing.MessageFailed})
	tape.is(t, media.Recorded{Why: media.RecordFailed, Codec: "PCMA", Said: true, Err: f.err}, nil)

	f = newMailboxes()
	f.gate = make(chan struct{})
	w = mailboxWorld(t, f)
	caller, ours, id, tape = w.inMailbox(f)
	said := w.says(caller, id, ours, 150)
	caller.key(11, 10, ours)
	caller.listens(waitTone)
	w.left(id, routing.MessageLeft{Why: routing.MessageFailed})
	event[stack.Ended](caller)
	close(f.gate)
	tape.is(t, media.Recorded{Why: media.RecordStopped, Codec: "PCMA", Samples: len(said), Said: true}, said)

	w = mailboxWorld(t, nil)
	_, _, id = w.queued(newPeer(t), 8, 101)
	w.do(toMailbox(id, "office"))
	w.left(id, routing.MessageLeft{Why: routing.MessageFailed})
}

// Who hangs up while nothing can be written is not kept on the books.
func TestMessageHungUpOnASlowDisk(t *testing.T) {
	t.Parallel()
	f := newMailboxes()
	f.gate = make(chan struct{})
	w := mailboxWorld(t, f)
	caller, ours, id, tape := w.inMailbox(f)
	said := w.says(caller, id, ours, 150)
	caller.d.Bye(nil)
	w.expect(routing.MessageLeft{Call: id, Why: routing.MessageFailed})
	w.expect(routing.CallerGone{Call: id})
	w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByCaller})
	close(f.gate)
	tape.is(t, media.Recorded{Why: media.RecordStopped, Codec: "PCMA", Samples: len(said), Said: true}, said)
}

// A server that stops, and an engine that ends the call, end the message: what was
// said until then is on the tape.
func TestMessageCutOff(t *testing.T) {
	t.Parallel()
	f := newMailboxes()
	w := mailboxWorld(t, f)
	caller, ours, id, tape := w.inMailbox(f)
	said := w.says(caller, id, ours, 120)
	w.do(routing.EndCall{Call: id, Outcome: routing.Failed, By: routing.ByServer})
	tape.is(t, media.Recorded{Why: media.RecordStopped, Codec: "PCMA", Samples: len(said), Said: true}, said)
	event[stack.Ended](caller)
	if i := slices.IndexFunc(drained(w.router.events), func(ev routing.Event) bool { return ev.Kind() == "message_left" }); i >= 0 {
		t.Error("the engine is told of a message after the end of its call")
	}
}

func drained(events chan routing.Event) (out []routing.Event) {
	for len(events) > 0 {
		out = append(out, <-events)
	}
	return out
}
