package convert_test

import (
	"strings"
	"testing"

	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/configs/convert"
)

// What callers are told of place and wait, by the keys of a queue.
func TestAnnouncements(t *testing.T) {
	for keys, want := range map[string]string{
		"":                        "",
		"announce-frequency = 0":  "",
		"announce-holdtime = yes": "; announce-holdtime: left out: without announce-frequency nothing is announced",
		"announce-frequency = 45": "{every: 45s, say: [position, wait], position_up_to: 1000}",
		"announce-frequency = 45\nannounce-holdtime = no":                                               "{every: 45s, say: [position], position_up_to: 1000}",
		"announce-frequency = 45\nannounce-position = no":                                               "{every: 45s, say: [wait]}",
		"announce-frequency = 45\nannounce-holdtime = once":                                             "{every: 45s, say: [position, wait], position_up_to: 1000}; announce-holdtime: once: said each time",
		"announce-frequency = 45\nannounce-position = no\nannounce-holdtime = no":                       "; announce-frequency: left out: neither place nor wait is to be said",
		"announce-frequency = 45\nannounce-position = limit":                                            "{every: 45s, say: [position, wait], position_up_to: 10}",
		"announce-frequency = 45\nannounce-position = limit\nannounce-position-limit = 5":               "{every: 45s, say: [position, wait], position_up_to: 5}",
		"announce-frequency = 45\nannounce-position = more\nannounce-position-limit = 4":                "{every: 45s, say: [position, wait], position_up_to: 4}; announce-position: more: further back than 4 the place is not said",
		"announce-frequency = 45\nannounce-position-limit = 4":                                          "{every: 45s, say: [position, wait], position_up_to: 1000}; announce-position-limit: left out: announce-position is neither limit nor more",
		"announce-frequency = 5":                                                                        "{every: 15s, say: [position, wait], position_up_to: 1000}; announce-frequency: 5s: every 15s, as is allowed from 15s to 10m",
		"announce-frequency = 900":                                                                      "{every: 10m, say: [position, wait], position_up_to: 1000}; announce-frequency: 15m: every 10m, as is allowed from 15s to 10m",
		"announce-frequency = 45\nannounce-round-seconds = 10":                                          "{every: 45s, say: [position, wait], position_up_to: 1000}; announce-round-seconds: left out: a wait is rounded up to whole minutes; announce.wait.round says otherwise",
		"announce-frequency = 45\nannounce-position = no\nannounce-holdtime = yes\nannounce-to-nobody=": "{every: 45s, say: [wait]}; announce-to-nobody: not known here: left out",
	} {
		file := convert.File{Name: "queues.conf", Data: []byte("[q]\nstrategy = leastrecent\nmember => PJSIP/2001\n" + keys + "\n")}
		r, err := convert.Asterisk(file, nil, convert.Options{Zone: "UTC"})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for line := range strings.Lines(string(r.Document)) {
			if _, said, ok := strings.Cut(line, "announce: "); ok {
				got = strings.TrimSpace(said)
			}
		}
		for _, n := range r.Notes {
			got += "; " + strings.TrimPrefix(n.Path, "q.") + ": " + n.Text
		}
		if got != want {
			t.Errorf("%q:\n got %s\nwant %s", keys, got, want)
		}
		for _, f := range configs.Check("made.yaml", r.Document, configs.CheckInput{Today: today}).Findings {
			if f.Severity == configs.Error {
				t.Errorf("%q: %s", keys, f)
			}
		}
	}
}
