package pbx

import (
	"strings"
	"testing"
)

// Every dialect must write header values that cannot break out of their line
// and must ask for auto-answer in at least one way.
func TestDialects(t *testing.T) {
	for name, d := range map[string]Dialect{"generic": Generic{}} {
		hs := d.AutoAnswer("192.0.2.7:5060")
		if len(hs) == 0 {
			t.Errorf("%s: no auto-answer", name)
		}
		for _, h := range hs {
			if h.Name == "" || h.Value == "" || strings.ContainsAny(h.Name+h.Value, "\r\n\x00") {
				t.Errorf("%s: header %q", name, h)
			}
		}
	}
}

func TestGenericAsksInBothForms(t *testing.T) {
	got := map[string]string{}
	for _, h := range (Generic{}).AutoAnswer("192.0.2.7") {
		got[h.Name] = h.Value
	}
	want := map[string]string{
		"Call-Info":   "<sip:192.0.2.7>;answer-after=0",
		"Alert-Info":  "<http://127.0.0.1>;info=alert-autoanswer",
		"Answer-Mode": "Auto",
	}
	for name, value := range want {
		if got[name] != value {
			t.Errorf("%s: %q, want %q", name, got[name], value)
		}
	}
}
