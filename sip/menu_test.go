package sip

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/stack"
)

// menuWorld is one whose prompts are tones. That of the menu long is never heard out.
func menuWorld(t *testing.T) *world {
	t.Helper()
	return newWorld(t, worldOptions{sounds: toneFolder(t, map[string]tone{
		"default": {musicTone, 1000}, "main": {welcomeTone, 300}, "main-ru": {numberTone, 300}, "main-bg": {placeTone, 300}, "main-zh": {endTone, 300},
		"long": {placeTone, 30_000}, "menu-wrong": {endTone, 200}, "menu-silent": {waitTone, 200},
		"menu-silent-ru": {waitTone, 200}, "menu-silent-bg": {numberTone, 200}, "menu-silent-zh": {welcomeTone, 200},
	})})
}

// asksFor is a question that told's silence answers, unless the test says so.
func asksFor(id routing.CallID, ask int, language string, say ...string) routing.AskMenu {
	return routing.AskMenu{Call: id, Menu: "main", Ask: ask, Say: say, Language: language, Wait: patience, Afresh: len(say) > 1}
}

// inMenu brings a caller to the music of told.
func (w *world) inMenu(pts ...uint8) (*peerCall, media.Audio, routing.CallID) {
	w.t.Helper()
	caller, ours, id := w.queued(newPeer(w.t), pts...)
	w.inside(id, func(c *call) { c.tune = "" })
	return caller, ours, id
}

// The prompt is heard, and a key counts from its first word on: what was being said
// is over. After the menus the music begins, and keys mean nothing.
func TestMenuKey(t *testing.T) {
	t.Parallel()
	w := menuWorld(t)
	caller, ours, id := w.inMenu(8, 101)
	w.do(asksFor(id, 1, "en", "long"))
	caller.listens(placeTone)
	caller.key(12, 1, ours) // A: no key of a telephone
	caller.key(7, 10, ours)
	w.expect(routing.MenuKeyed{Call: id, Ask: 1, Key: "7"})
	w.do(asksFor(id, 2, "en", "menu-wrong", "main"))
	caller.listens(endTone, welcomeTone)
	caller.key(11, 20, ours)
	w.expect(routing.MenuKeyed{Call: id, Ask: 2, Key: "#"})
	w.do(routing.Wait{Call: id, Music: "default"})
	caller.listens(musicTone)
	caller.key(1, 30, ours)
	caller.d.Bye(nil)
	w.expect(routing.CallerGone{Call: id})
	w.do(routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller})
	w.gone()
}

// Silence is told once the prompt was said and the time is over, also of a caller
// whose telephone has no keys. The prompts come in his language and in their order.
func TestMenuSilence(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		language string
		pts      []uint8
		first    float64
		then     []float64
	}{
		{"en", []uint8{8}, welcomeTone, []float64{waitTone, welcomeTone}},
		{"ru", []uint8{8, 101}, numberTone, []float64{waitTone, numberTone}},
		{"bg", []uint8{8, 101}, placeTone, []float64{numberTone, placeTone}},
		{"zh", []uint8{8}, endTone, []float64{welcomeTone, endTone}},
	} {
		t.Run(c.language, func(t *testing.T) {
			t.Parallel()
			w := menuWorld(t)
			caller, _, id := w.inMenu(c.pts...)
			ask := asksFor(id, 1, c.language, "main")
			ask.Wait = time.Millisecond
			w.do(ask)
			caller.listens(c.first)
			w.expect(routing.MenuKeyed{Call: id, Ask: 1})
			ask = asksFor(id, 2, c.language, "menu-silent", "main")
			ask.Wait = time.Millisecond
			w.do(ask)
			caller.listens(c.then...)
			w.expect(routing.MenuKeyed{Call: id, Ask: 2})
			w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer})
			w.gone()
		})
	}
}

// Who knows the menus presses ahead: the keys are kept for the next questions, so
// many and no more, but not for one that is asked again.
func TestMenuPressedAhead(t *testing.T) {
	t.Parallel()
	w := menuWorld(t)
	caller, ours, id := w.inMenu(8, 101)
	w.do(asksFor(id, 1, "en", "long"))
	caller.listens(placeTone)
	for i := range 40 {
		caller.key(byte(i%9+1), byte(5*i), ours)
	}
	w.expect(routing.MenuKeyed{Call: id, Ask: 1, Key: "1"})
	_, _ = caller.rtp.WriteToUDPAddrPort(rtpPacket(8, 1), ours.Addr) // counted when the keys before it were told
	var heard uint64
	var typed int
	for deadline := time.Now().Add(patience); heard < 3*40+1; time.Sleep(time.Millisecond) {
		w.inside(id, func(c *call) { heard = c.caller.port.Heard() })
		if time.Now().After(deadline) {
			t.Fatalf("%d packets are here", heard)
		}
	}
	w.inside(id, func(c *call) { typed = len(c.menu.typed) })
	if typed != maxTyped {
		t.Errorf("%d keys are kept", typed)
	}
	for i := range 3 {
		w.do(asksFor(id, i+2, "en", "long"))
		w.expect(routing.MenuKeyed{Call: id, Ask: i + 2, Key: strconv.Itoa(i + 2)})
	}
	w.do(asksFor(id, 5, "en", "menu-wrong", "main"))
	caller.listens(endTone, welcomeTone)
	if _, err := caller.d.Request("INFO", nil, "application/dtmf-relay", []byte("Signal=*\r\nDuration=160\r\n")); err != nil {
		t.Fatal(err)
	}
	w.expect(routing.MenuKeyed{Call: id, Ask: 5, Key: "*"})
	w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer})
	w.gone()
}

// Keys by INFO are answered 200 and count, those before the engine's word too; one
// of an unknown form is none.
func TestMenuByInfo(t *testing.T) {
	t.Parallel()
	w := menuWorld(t)
	caller, _, id := w.inMenu(8)
	w.do(asksFor(id, 1, "en", "long"))
	caller.listens(placeTone)
	for _, m := range [][2]string{{"application/dtmf-relay", "Signal=12\r\n"}, {"text/plain", "1"}, {"application/dtmf", "3"}, {"application/dtmf-relay", "Signal= 4\r\n"}} {
		if _, err := caller.d.Request("INFO", nil, m[0], []byte(m[1])); err != nil {
			t.Fatal(err)
		}
		if r := event[stack.Replied](caller); r.Response.Status != 200 {
			t.Errorf("%s: %d", m[0], r.Response.Status)
		}
	}
	w.expect(routing.MenuKeyed{Call: id, Ask: 1, Key: "3"})
	w.do(asksFor(id, 2, "en", "long"))
	w.expect(routing.MenuKeyed{Call: id, Ask: 2, Key: "4"})
	caller.d.Bye(nil)
	w.expect(routing.CallerGone{Call: id})
	w.do(asksFor(id, 3, "en", "main")) // crosses the end of the call
	w.do(routing.EndCall{Call: id, Outcome: routing.Abandoned, By: routing.ByCaller})
	w.gone()
}

// lossy sends the packets of keys as a bad network would bring them: one in twenty
// is lost, some come twice, some after the next.
type lossy struct {
	c    *peerCall
	to   media.Audio
	rnd  *rand.Rand
	seq  uint16
	ts   uint32
	held [][]byte
	lost int
}

func (l *lossy) send(b []byte) {
	_, _ = l.c.rtp.WriteToUDPAddrPort(b, l.to.Addr)
}

// packet is one packet of a telephone event.
func (l *lossy) packet(event byte, end bool, duration int) {
	l.seq++
	b := binary.BigEndian.AppendUint16([]byte{0x80, 101}, l.seq)
	b = binary.BigEndian.AppendUint32(b, l.ts)
	b = append(b, 9, 9, 9, 9, event, 10)
	if end {
		b[13] |= 0x80
	}
	b = binary.BigEndian.AppendUint16(b, uint16(duration))
	switch {
	case l.rnd.IntN(100) < 5:
		l.lost++
		return
	case l.rnd.IntN(100) < 3:
		l.send(b)
	case l.rnd.IntN(100) < 3:
		l.held = append(l.held, b)
		return
	}
	l.send(b)
	for _, h := range l.held {
		l.send(h)
	}
	l.held = nil
}

// key presses one for 100 ms; noEnd has all three packets of its end lost.
func (l *lossy) key(event byte, noEnd bool) {
	l.ts += 8000
	for i := range 5 {
		l.packet(event, false, 160*(i+1))
	}
	for range 3 {
		if noEnd {
			l.seq++
			l.lost++
			continue
		}
		l.packet(event, true, 800)
	}
}

// At five percent loss every key is understood once, in its place; so is one whose
// end is lost altogether.
func TestMenuKeysAtLoss(t *testing.T) {
	t.Parallel()
	w := menuWorld(t)
	caller, ours, id := w.inMenu(8, 101)
	net := &lossy{c: caller, to: ours, rnd: rand.New(rand.NewPCG(5, 20))}
	var pressed, understood []string
	for ask := range 120 {
		w.do(asksFor(id, ask+1, "en", "long"))
		if ask == 0 {
			caller.listens(placeTone) // the port listens for keys from its first sound on
		}
		w.inside(id, func(*call) {})
		n := net.rnd.IntN(12)
		net.key(byte(n), ask%20 == 19)
		pressed = append(pressed, menuKeys[:10][min(n, 9):min(n, 9)+1])
		if n > 9 {
			pressed[ask] = string("*#"[n-10])
		}
		ev, ok := get(t, "the key "+pressed[ask], w.router.events).(routing.MenuKeyed)
		if !ok || ev.Ask != ask+1 {
			t.Fatalf("told %+v", ev)
		}
		understood = append(understood, ev.Key)
	}
	if !slices.Equal(understood, pressed) {
		t.Errorf("pressed %s, understood %s", strings.Join(pressed, ""), strings.Join(understood, ""))
	}
	if net.lost < 40 {
		t.Errorf("only %d packets were lost", net.lost)
	}
	w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer})
	w.gone()
}

// asksNumber is a question for a number, of 3 to 6 digits.
func asksNumber(id routing.CallID, ask int, say ...string) routing.AskMenu {
	a := asksFor(id, ask, "en", say...)
	a.Enter = &routing.Digits{Least: 3, Most: 6, Pause: patience}
	return a
}

// A number ends with #, its last possible digit or a pause, and begins anew with *. The
// first digit ends the prompt. What is none is not looked up; # alone is silence.
func TestNumberKeyedIn(t *testing.T) {
	t.Parallel()
	w := menuWorld(t)
	caller, ours, id := w.inMenu(8, 101)
	told := func(ask int, got string) {
		t.Helper()
		w.expect(routing.NumberKeyed{Call: id, Ask: ask, Got: got})
	}
	n := 0
	keys := func(keys string) {
		for _, k := range keys {
			caller.key(byte(strings.IndexRune(menuKeys, k)), byte(n), ours)
			n += 5
		}
	}
	w.do(asksNumber(id, 1, "long"))
	caller.listens(placeTone)
	keys("9*47")
	var keyed string
	for deadline := time.Now().Add(patience); keyed != "47"; time.Sleep(time.Millisecond) {
		w.inside(id, func(c *call) {
			if keyed = string(c.menu.digits); keyed != "" && c.told.sounds != nil {
				t.Error("the prompt goes on")
			}
		})
		if time.Now().After(deadline) {
			t.Fatalf("%q is keyed in", keyed)
		}
	}
	keys("11#")
	told(1, "looked up 4711")
	w.do(asksNumber(id, 2, "long"))
	keys("0000004711#")
	told(2, "looked up 000000")
	w.do(asksNumber(id, 3, "long")) // pressed ahead
	told(3, "looked up 4711")
	w.do(asksNumber(id, 4, "long"))
	keys("12#")
	told(4, routing.GotWrong)
	w.do(asksNumber(id, 5, "long"))
	keys("#")
	told(5, routing.GotNothing)
	ask := asksNumber(id, 6, "long")
	ask.Enter.Pause, ask.Enter.Luhn = time.Millisecond, true
	w.do(ask)
	keys("4")
	told(6, routing.GotWrong)
	ask = asksNumber(id, 7, "main")
	ask.Wait = time.Millisecond
	w.do(ask)
	caller.listens(welcomeTone)
	told(7, routing.GotNothing)
	w.do(asksNumber(id, 8, "long"))
	keys(strings.Repeat("4*", maxAnew+1)) // begun anew without end: no line is held so
	told(8, routing.GotNothing)
	w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer})
	w.gone()
}

// At five percent loss every digit of every number counts once and in its place.
func TestNumberKeyedInAtLoss(t *testing.T) {
	t.Parallel()
	w := menuWorld(t)
	caller, ours, id := w.inMenu(8, 101)
	net := &lossy{c: caller, to: ours, rnd: rand.New(rand.NewPCG(7, 11))}
	for ask := 1; ask <= 30; ask++ {
		w.do(asksNumber(id, ask, "long"))
		if ask == 1 {
			caller.listens(placeTone)
		}
		number := strconv.Itoa(100_000 + net.rnd.IntN(900_000))
		for _, d := range number {
			net.key(byte(d-'0'), net.rnd.IntN(20) == 0)
		}
		w.expect(routing.NumberKeyed{Call: id, Ask: ask, Got: "looked up " + number})
	}
	if net.lost < 60 {
		t.Errorf("only %d packets were lost", net.lost)
	}
	w.do(routing.EndCall{Call: id, Outcome: routing.Treated, By: routing.ByServer})
	w.gone()
}
