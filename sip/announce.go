package sip

import (
	"slices"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/media/speech"
)

// telling is what the caller is told in place of the music. What comes meanwhile
// is said after it, the latest only: by then the one before would not be true.
type telling struct {
	sounds, next   []string
	then, nextThen func() // runs at its end; nil: an announcement
	number         int    // of the announcements begun
}

// announce tells the waiting caller something. Who does not hear us is told
// nothing.
func (c *call) announce(a routing.Announce) {
	l := c.caller
	if l.ended || !l.hears() || c.connected || c.message != nil || c.treatment != "" && !c.played {
		return
	}
	sounds := spoken(a)
	for _, s := range sounds {
		if !c.gw.media.Has(s) { // the sounds folder is another than when the document was read
			c.log.Warn("unknown announcement", zap.String("sound", s))
			return
		}
	}
	c.treatment = ""
	if c.told.then == nil && c.told.nextThen == nil && (c.offering == nil || c.offering.stage == offerMade) {
		c.speak(sounds, nil) // else he is being offered a callback: that matters more
	}
}

// speak has the caller told something, after what is being said; then runs at its
// end.
func (c *call) speak(sounds []string, then func()) {
	switch {
	case len(sounds) == 0:
	case c.told.sounds == nil:
		c.told.sounds, c.told.then = sounds, then
		c.told.number++
	default:
		c.told.next, c.told.nextThen = sounds, then
	}
}

// spoken is the sounds of an announcement.
func spoken(a routing.Announce) []string {
	if a.Greeting != "" {
		return []string{a.Greeting}
	}
	var out []string
	for _, s := range a.Say {
		if len(out) > 0 {
			out = append(out, speech.Pause)
		}
		if w := s.Wait; w != nil {
			out = append(out, speech.Waiting(a.Language, speech.Wait{Shortly: w.Shortly, Least: w.Least, Most: w.Most})...)
		} else {
			out = append(out, speech.Position(a.Language, s.Position)...)
		}
	}
	return out
}

// said is the end of an announcement: the next one, or music again.
func (c *call) said(number int) {
	if c.told.number != number || c.told.sounds == nil {
		return
	}
	then := c.told.then
	c.told.sounds, c.told.then, c.told.next, c.told.nextThen = c.told.next, c.told.nextThen, nil, nil
	c.told.number++
	if then != nil {
		then()
	}
}

// hush ends what the caller is being told, offered and asked.
func (c *call) hush() {
	c.quiet()
	c.noOffer()
	c.endMenu()
}

// quiet ends what the caller is being told.
func (c *call) quiet() { c.told = telling{number: c.told.number + 1} }

// tellCaller plays what is being said.
func (c *call) tellCaller(now playing) {
	n := c.told.number
	port := c.caller.port
	if err := port.PlayAll(slices.Clone(c.told.sounds), noAddr, now.codec, func() { c.post(func() { c.said(n) }) }); err != nil {
		c.log.Warn("announcement not played", zap.Error(err))
		c.post(func() { c.said(n) })
	}
}

// hears reports whether our sounds reach the peer.
func (l *leg) hears() bool { return l.answered || l.early }

// earlyMedia lets the caller hear us without being answered: 183 with the answer
// to his offer, which the 200 repeats. Where he has offered nothing yet
// and acknowledges no provisional response, he goes on hearing the network's ringing.
func (c *call) earlyMedia(a routing.EarlyMedia) {
	c.tune = a.Music
	l := c.caller
	if l.hears() || l.ended {
		return
	}
	if c.first == nil {
		switch {
		case l.agreed:
			l.early = true
			c.progress()
		case c.acknowledges("Require") || c.acknowledges("Supported"):
			c.earlyDue = true // he hears us from his PRACK on
			c.progress()
		default:
			c.deaf = true
			c.log.Info("no early media", zap.String("reason", "no_offer"))
		}
		return
	}
	if !c.openPort(l) {
		c.fail("no_media_port")
		return
	}
	body, err := c.agree(l, c.first, l.ownAudio())
	if err != nil {
		c.log.Error("caller's offer could not be answered", zap.Error(err))
		c.fail("no_codec")
		return
	}
	l.localSDP, l.early = body, true
	c.progress()
}

// progress sends the caller the provisional response that is due: 183 with early
// media, else 180, so that the network rings. It is repeated, or proxies would give
// the call up (RFC 3261 13.3.1.1).
func (c *call) progress() {
	l := c.caller
	if l.answered || l.ended {
		return
	}
	c.ringTimer.Stop()
	code, body := 180, []byte(nil)
	if l.early || c.earlyDue {
		code = 183
	}
	if l.early || c.owesOffer() && c.offerEarly() {
		body = l.localSDP
	}
	if c.over {
		return
	}
	c.try(l, "progress", l.dlg.Progress(code, "", nil, body))
	c.ringTimer = c.after(c.gw.ringbackEvery, c.progress)
}
