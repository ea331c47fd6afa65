package jsontext

import (
	"encoding/json"
	"testing"
)

// FuzzAppend: byte for byte what encoding/json writes, behind what is there.
func FuzzAppend(f *testing.F) {
	for _, s := range []string{
		"", "care", "Größe 42, 光纤", `"Anna" <sip:07700900123@gw.example;x=1&y=2>;tag=1`, "a\\b", "line\nline\x00\x1f\x7f", "\u2028 \u2029", "\ufffd", "\xff<\xc3", "é<", "<\xf0\x9f", "\U0001F4DE>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		want, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		type text string
		if got := string(Append([]byte("<\""), text(s))); got != "<\""+string(want) {
			t.Errorf("%q: %s, want %s", s, got, want)
		}
	})
}

// What usually is written costs no memory.
func TestAppendCopies(t *testing.T) {
	room := make([]byte, 0, 256)
	for _, s := range []string{"care", "<sip:07700900123@gw.example>", "Zoë"} {
		if n := testing.AllocsPerRun(100, func() { room = Append(room[:0], s) }); n > 0 {
			t.Errorf("%q: %.0f allocations", s, n)
		}
	}
}
