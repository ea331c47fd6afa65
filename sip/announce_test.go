package sip

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/sip/stack"
)

// What is heard in these tests, in hertz.
const (
	musicTone   = 300
	welcomeTone = 500
	placeTone   = 800
	numberTone  = 1100
	waitTone    = 1500
	endTone     = 1900
)

// tones makes a folder of sounds that can be told apart by ear.
func tones(t *testing.T) string {
	t.Helper()
	return toneFolder(t, map[string]tone{
		"default": {musicTone, 1000}, "welcome": {welcomeTone, 300}, "say-en-position": {placeTone, 200}, "say-en-2": {numberTone, 200},
		"say-en-shortly": {waitTone, 200}, "notice": {endTone, 300}, "say-ru-shortly": {endTone, 200},
	})
}

type tone struct {
	freq   float64
	length int // milliseconds
}

func toneFolder(t *testing.T, sounds map[string]tone) string {
	t.Helper()
	dir := t.TempDir()
	for name, s := range sounds {
		pcm := make([]byte, 0, 16*s.length)
		for i := range 8 * s.length {
			pcm = binary.LittleEndian.AppendUint16(pcm, uint16(int16(9000*math.Sin(2*math.Pi*s.freq*float64(i)/8000))))
		}
		b := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(36+len(pcm)))
		b = append(b, "WAVEfmt "...)
		for _, v := range []uint16{16, 0, 1, 1, 8000, 0, 16000, 0, 2, 16} { // PCM, mono, 8 kHz, 16 bits
			b = binary.LittleEndian.AppendUint16(b, v)
		}
		b = binary.LittleEndian.AppendUint32(append(b, "data"...), uint32(len(pcm)))
		if err := os.WriteFile(filepath.Join(dir, name+".wav"), append(b, pcm...), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// listens waits until the peer has heard these tones, one after another and no
// other between them.
func (c *peerCall) listens(freqs ...float64) {
	c.t.Helper()
	for _, want := range freqs {
		for other := 0; ; {
			b := get(c.t, "sound", c.heard)
			if len(b) != 172 {
				continue
			}
			pcm := media.Decode("PCMA", b[12:])
			switch {
			case siptest.RMS(pcm) < 500: // silence
			case siptest.Share(pcm, want) > 0.8:
				other = -1
			default:
				// The sound before goes on for what is under way.
				if other++; other > 500 {
					c.t.Fatalf("%g Hz is not heard", want)
				}
			}
			if other < 0 {
				break
			}
		}
	}
}

// greeting and place are what a caller is told.
func greeting(id routing.CallID) routing.Announce {
	return routing.Announce{Call: id, Greeting: "welcome", Language: "en"}
}

func place(id routing.CallID) routing.Announce {
	return routing.Announce{Call: id, Language: "de", Say: []routing.Said{{Position: 2}, {Wait: &routing.Band{Shortly: true}}}}
}

// The greeting is heard, then what is said, each in place of the music, which is
// back between them. With the agent's answer it is over, said or not.
func TestAnnouncements(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{sounds: tones(t)})
	caller, a := w.arrives(newPeer(t))
	w.do(routing.AnswerCaller{Call: a.Call, Music: "default"}, greeting(a.Call))
	caller.answered(nil)
	caller.listens(welcomeTone, musicTone)
	w.do(place(a.Call))
	caller.listens(placeTone, numberTone, waitTone, musicTone)

	// What comes meanwhile is said after it, and of several the latest.
	w.do(greeting(a.Call), place(a.Call), routing.Announce{Call: a.Call, Language: "ru", Say: []routing.Said{{Wait: &routing.Band{Shortly: true}}}})
	caller.listens(welcomeTone, endTone, musicTone)
	w.do(routing.Announce{Call: a.Call, Greeting: "no such sound"})

	o := offerOf(a.Call, 1)
	agent := w.ringing(newPeer(t), o)
	w.do(place(a.Call), place(a.Call))
	w.accepts(agent, o, 8, 101)
	caller.listens(placeTone)
	w.do(routing.Connect{Offer: o, Music: "default"})
	w.expect(routing.Joined{Offer: o, Media: "relay"})
	w.inside(a.Call, func(c *call) {
		if c.told.sounds != nil || c.told.next != nil || c.playing != (playing{}) {
			t.Errorf("with the agent the caller still hears %+v, %+v", c.told, c.playing)
		}
	})
	w.do(greeting(a.Call)) // too late
	w.do(routing.Hold{Offer: o, On: true})
	caller.listens(musicTone)
	w.hangUp(caller, a.Call)
	event[stack.Ended](agent)
}

// In early media the caller hears music and announcements in a 183 that is
// repeated; the agent's answer is his 200, with the same description.
func TestEarlyMedia(t *testing.T) {
	t.Parallel()
	for _, way := range []string{MediaRelay, MediaDirect} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, worldOptions{media: way, sounds: tones(t), tune: func(g *Gateway) { g.ringbackAfter, g.ringbackEvery = time.Minute, 100*time.Millisecond }})
			caller := newPeerCall(t)
			w.call(newPeer(t), caller.side.Offer(caller.audio(media.SendRecv, 8, 101)), caller)
			a := get(t, "arrival", w.router.arrivals)
			w.do(routing.EarlyMedia{Call: a.Call, Music: "default"}, greeting(a.Call))
			var told []byte
			for range 3 {
				p := event183(caller)
				if told != nil && !bytes.Equal(told, p.Body) || p.Get("Content-Type") != "application/sdp" {
					t.Errorf("183 says %q\n%s\nbefore it said\n%s", p.Get("Content-Type"), p.Body, told)
				}
				told = p.Body
			}
			caller.listens(welcomeTone, musicTone)
			o := offerOf(a.Call, 1)
			agent := w.ringing(newPeer(t), o)
			w.do(place(a.Call))
			caller.listens(placeTone, numberTone, waitTone, musicTone)
			w.accepts(agent, o, 8, 101)
			w.do(routing.Connect{Offer: o, Music: "default"})
			ok := event[stack.Answered](caller)
			if !bytes.Equal(ok.Response.Body, told) {
				t.Errorf("200 says\n%s\nthe 183 said\n%s", ok.Response.Body, told)
			}
			if err := caller.d.Ack(nil); err != nil {
				t.Fatal(err)
			}
			if way == MediaDirect {
				req, offer := reasked(caller)
				if offer.Addr != agent.addr() {
					t.Errorf("told %v, want the phone's own address", offer.Addr)
				}
				agrees(caller, req, caller.audio(media.SendRecv, 8, 101))
			}
			w.expect(routing.Joined{Offer: o, Media: way})
			w.hangUp(caller, a.Call)
			event[stack.Ended](agent)
		})
	}
}

// event183 is the next 183.
func event183(c *peerCall) *stack.Message {
	c.t.Helper()
	for {
		if p := event[stack.Progress](c); p.Response.Status == 183 {
			return p.Response
		}
	}
}

// What is played before the answer costs the caller nothing: he can still be
// refused after it. The next queue may answer him.
func TestPlayedInEarlyMedia(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{sounds: tones(t)})
	caller, a := w.arrives(newPeer(t))
	w.do(routing.EarlyMedia{Call: a.Call, Music: "default"}, routing.Treat{Call: a.Call, Why: "closed", Play: "notice"})
	caller.listens(endTone)
	w.expect(routing.TreatmentPlayed{Call: a.Call})
	w.do(routing.Treat{Call: a.Call, Why: "closed", Reject: 480})
	if f := event[stack.Failed](caller); f.Code != 480 {
		t.Errorf("refused with %d", f.Code)
	}
	w.do(routing.EndCall{Call: a.Call, Outcome: routing.Rejected, By: routing.ByServer, Code: 480})

	caller, a = w.arrives(newPeer(t))
	w.do(routing.EarlyMedia{Call: a.Call, Music: "default"}, routing.Treat{Call: a.Call, Why: "late", Play: "notice"})
	w.expect(routing.TreatmentPlayed{Call: a.Call})
	w.do(routing.AnswerCaller{Call: a.Call, Music: "default"}, greeting(a.Call))
	caller.answered(nil)
	caller.listens(welcomeTone, musicTone)
	w.hangUp(caller, a.Call)
}

// Without an offer there is no early media to give: the network rings, nothing is
// played, and the agent's answer answers him.
func TestEarlyMediaWithoutAnOffer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, worldOptions{sounds: tones(t)})
	caller := newPeerCall(t)
	w.call(newPeer(t), nil, caller)
	id := get(t, "arrival", w.router.arrivals).Call
	w.do(routing.EarlyMedia{Call: id, Music: "default"}, greeting(id))
	if p := event[stack.Progress](caller); p.Response.Status != 180 || len(p.Response.Body) != 0 {
		t.Errorf("progress %d with %d octets", p.Response.Status, len(p.Response.Body))
	}
	w.do(routing.Treat{Call: id, Why: "late", Play: "notice"})
	w.expect(routing.TreatmentPlayed{Call: id})
	w.do(routing.AnswerCaller{Call: id, Music: "default"})
	caller.answered(func(offer []byte) []byte {
		return caller.answerTo(offer, caller.audio(media.SendRecv, 8, 101))
	})
	caller.listens(musicTone)
	w.hangUp(caller, id)
}
