package interop

import (
	"testing"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/siptest"
)

// TestThroughAsterisk has Asterisk on both sides, between carrier and server
// and between server and phones, in every combination of who stays in the
// media: Asterisk (direct_media) and Cordboard (relay, or a join by re-INVITE
// through Asterisk).
func TestThroughAsterisk(t *testing.T) {
	for _, v := range []struct{ name, direct, mutual string }{
		{"relay", "no", ""},
		{"join", "no", asteriskHost + "/32"},
		{"relay_direct_media", "yes", ""},
		{"join_direct_media", "yes", "192.0.2.0/24, " + carrierHost + "/32"},
	} {
		t.Run(v.name, func(t *testing.T) {
			pbx := startAsterisk(t, replace(t, "direct_media=no", "direct_media="+v.direct))
			phones := phonesAt(t, asteriskHost)
			pbx.reachable(t, "ann")
			c := open(t, phones, plan{server: func(s string) string {
				return replace(t, "ports: 40000-43999", "ports: 40000-43999\n  mutual: ["+v.mutual+"]")(s)
			}})
			trunk := carrier(t, asteriskHost+":5060")

			call := c.call(trunk, siptest.CallOptions{})
			card := c.phase("ann", "ringing")
			if card.Caller.Number != dana || card.Record == nil || card.Record.Name != "Dana Whitcombe" {
				t.Errorf("Ann's desk: %q by %s, record %v", card.Caller.Number, card.Caller.Source, card.Record)
			}
			c.talk("ann", 1, call)
			c.press("ann", "hangup")
			if code := c.over(call); code != 0 {
				t.Errorf("the caller's call ended with %d", code)
			}
			row := c.outcome(routing.Answered, routing.ByAgent, "ann")
			want := "relay"
			if v.mutual != "" {
				want = "direct"
			}
			if got := c.joinedBy(row); got != want {
				t.Errorf("joined by %s, want %s", got, want)
			}

			second := c.call(trunk, siptest.CallOptions{})
			c.talk("ann", 2, second)
			second.Hangup()
			c.outcome(routing.Answered, routing.ByCaller, "ann")
		})
	}
}
