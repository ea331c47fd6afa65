package sip

import (
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/sip/media"
)

// sound switches music, announcement and relay to what the legs' states ask.
func (c *call) sound() {
	l := c.caller
	if !l.hears() {
		return
	}
	talking := c.connected && !c.held()
	relay := talking && !c.goesDirect() && l.atOwnPort() && c.agent.atOwnPort()
	if relay && !l.codec.Is(c.agent.codec) {
		relay = false
		if !l.waits() && !c.agent.waits() && !c.joined {
			c.joinFailed("codec")
			talking = false
		}
	}
	if relay && c.asking != nil && c.asking.leg != nil {
		c.partAgents(c.asking.leg)
	}
	c.setRelay(relay)
	var now playing
	switch {
	case talking || !l.atOwnPort() || l.codec.Name == "": // no codec: a late offer, nobody to play to yet
	case c.treatment == "" && c.told.sounds != nil && (l.up || l.early):
		now = playing{told: c.told.number, codec: l.playCodec()}
	case c.message.listens():
	case c.treatment == "":
		now = playing{sound: c.tune, loop: true, codec: l.playCodec()}
	case (l.up || l.early) && !c.played: // its beginning must not be lost before the phone listens
		now = playing{sound: c.treatment, codec: l.playCodec()}
	}
	c.play(now)
}

func (c *call) setRelay(on bool) {
	if on == c.relaying {
		return
	}
	c.relaying = on
	if !on {
		c.gw.media.Unrelay(c.caller.port, c.agent.port)
		return
	}
	c.play(playing{}) // a port that plays sends the sound only
	if err := c.gw.media.Relay(c.caller.port, c.agent.port); err != nil {
		c.log.Error("relay", c.of(c.agent), zap.Error(err))
		c.relaying = false
	}
}

// playing is what the caller hears from us.
type playing struct {
	sound string
	loop  bool
	told  int // number of what the caller is told instead of a sound, 0 for none
	codec media.Codec
}

// play changes what the caller hears from us, if it changes.
func (c *call) play(now playing) {
	if now.sound == "" && now.told == 0 {
		now = playing{}
	}
	if c.playing == now {
		return
	}
	c.playing = now
	port := c.caller.port
	switch {
	case now.told != 0:
		c.tellCaller(now)
		return
	case now.sound == "":
		port.Stop()
		return
	}
	var done func()
	if !now.loop {
		done = func() { c.post(c.treatmentPlayed) }
	}
	if err := port.Play(now.sound, now.loop, noAddr, now.codec, done); err != nil {
		c.log.Warn("sound not played", zap.String("sound", now.sound), zap.Error(err))
		if done != nil {
			done()
		}
	}
}
