package media

import (
	"testing"

	"github.com/cordboard/cordboard/sip/media/internal/wav"
	spoken "github.com/cordboard/cordboard/sip/media/speech"
)

// Every word that an announcement can have is built in, long enough to be one and
// short enough to be no other's.
func TestEveryWordIsThere(t *testing.T) {
	l, err := LoadLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range append(spoken.Sounds(), spoken.Sound{Name: spoken.Pause}) {
		if n := len(l.sounds[s.Name].ulaw); n < wav.Rate/10 || n > 5*wav.Rate {
			t.Errorf("%s: %d samples", s.Name, n)
		}
	}
}

// G.711 in a file is what it is on the line.
func TestSoundsInG711(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for codec, kind := range map[string]byte{"PCMU": 7, "PCMA": 6} {
		file := wav.AppendULaw(nil, all)
		file[20] = kind
		got, err := wav.Read(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range Decode(codec, all) {
			if got[i] != want {
				t.Fatalf("%s: octet %d is %d, want %d", codec, i, got[i], want)
			}
		}
	}
}
