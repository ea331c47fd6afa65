package configs

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
)

// What a queue's callers are told: the whole option replaces that of defaults,
// none switches it off, and what is left out is the product's.
func TestAnnounce(t *testing.T) {
	p := compile(t, `
defaults: {announce: {greeting: welcome, every: 45s, say: [wait, position], position_up_to: 5, wait: {from: 0s, to: 2h, round: 5m}}}
queues:
  all:
  own: {announce: {every: 1m}}
  off: {announce: none}
  early: {answer: early_media, announce: {greeting: hello}}
route: {queue: all}
`)
	base := routing.AnnouncePolicy{Say: []string{"position"}, PositionUpTo: 20, From: 30 * time.Second, To: 20 * time.Minute, Round: time.Minute}
	own, early := base, base
	own.Every, early.Greeting = time.Minute, "hello"
	all := routing.AnnouncePolicy{Greeting: "welcome", Every: 45 * time.Second, Say: []string{"wait", "position"}, PositionUpTo: 5, To: 2 * time.Hour, Round: 5 * time.Minute}
	for name, want := range map[string]routing.AnnouncePolicy{"all": all, "own": own, "off": base, "early": early} {
		equal(t, name, p.Queues[name].Announce, want)
		equal(t, name+" in early media", p.Queues[name].EarlyMedia, name == "early")
	}
}

// A greeting that is no sound is found, as other sounds are.
func TestGreetingIsASound(t *testing.T) {
	r := Check("routing.yaml", []byte(`cordboard: routing/1
name: Greets
zone: UTC
queues: {q: {announce: {greeting: hello}}}
route: {queue: q}
agents: {}
`), CheckInput{Today: checkDay, HasSound: func(name string) bool { return name != "hello" }})
	for _, f := range r.Findings {
		if f.Code == "Q704" && f.Path == "queues.q.announce" {
			return
		}
	}
	t.Errorf("not found: %+v", r.Findings)
}
