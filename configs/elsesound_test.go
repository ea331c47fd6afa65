package configs

import (
	"slices"
	"strings"
	"testing"
)

// A sound that is played when a callback is declined is looked for as any other,
// of a queue and of a route, and is named by its file.
func TestSoundsOfElse(t *testing.T) {
	const text = `cordboard: routing/1
name: One desk
zone: Europe/London
defaults:
  nobody: {for: 0s, then: {callback: true, else: {play: sory, hangup: true}}}
queues:
  desk:
    callback: {}
    full: {waiting: 9, then: {play: sorry, callback: true, else: {callback: true, else: {play: bussy, hangup: true}}}}
    late: {after: 10m, then: {callback: true, else: {play: sorry, hangup: true}}}
route:
  queue: desk
  routes:
    - {name: shut, when: not call.ani_known, then: {play: closd, hangup: true}}
agents:
  ann: {name: Ann Field, phone: "sip:ann@192.0.2.1"}
`
	r := Check("r.yaml", []byte(text), CheckInput{Today: checkDay, HasSound: func(name string) bool { return name == "sorry" }, Sounds: "own"})
	var got []string
	for _, f := range r.Findings {
		if f.Code == "Q704" {
			got = append(got, f.Path+": "+f.Shows)
		}
	}
	slices.Sort(got)
	want := "defaults.nobody: own/sory.wav; queues.desk.full: own/bussy.wav; route.shut: own/closd.wav"
	if strings.Join(got, "; ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "; "), want)
	}
}
