package media

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/cordboard/cordboard/sip/media/internal/wav"
)

//go:embed sounds/*.wav
var builtIn embed.FS

// Library holds the sounds by name, encoded once for every caller. It is
// immutable.
type Library struct {
	sounds map[string]encoded
}

type encoded struct{ ulaw, alaw []byte }

// DefaultMusic is the built-in hold music.
const DefaultMusic = "default"

// LoadLibrary reads the built-in sounds and, when folder is not "", every .wav
// file in it; the file's name without .wav is the sound's, and one of the same
// name as a built-in sound takes its place. All bad files are named in the
// error.
func LoadLibrary(folder string) (*Library, error) {
	l := &Library{sounds: map[string]encoded{}}
	sub, err := fs.Sub(builtIn, "sounds")
	if err != nil {
		return nil, fmt.Errorf("media: built-in sounds: %w", err)
	}
	if err := l.add(sub); err != nil {
		return nil, fmt.Errorf("media: built-in sounds: %w", err)
	}
	if folder != "" {
		if err := l.add(os.DirFS(folder)); err != nil {
			return nil, fmt.Errorf("media: sounds in %s: %w", folder, err)
		}
	}
	return l, nil
}

func (l *Library) add(dir fs.FS) error {
	entries, err := fs.ReadDir(dir, ".")
	if err != nil {
		return err
	}
	var bad []error
	for _, f := range entries {
		name, ok := strings.CutSuffix(f.Name(), path.Ext(f.Name()))
		if f.IsDir() || !ok || !strings.EqualFold(path.Ext(f.Name()), ".wav") {
			continue
		}
		data, err := fs.ReadFile(dir, f.Name())
		if err == nil {
			err = l.put(name, data)
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("%s: %w", f.Name(), err))
		}
	}
	return errors.Join(bad...)
}

func (l *Library) put(name string, file []byte) error {
	pcm, err := wav.Read(file)
	if err != nil {
		return err
	}
	l.sounds[name] = encoded{ulaw: Encode("PCMU", pcm), alaw: Encode("PCMA", pcm)}
	return nil
}

// Has reports whether there is such a sound.
func (l *Library) Has(sound string) bool {
	_, ok := l.sounds[sound]
	return ok
}

// Names lists the sounds in alphabetical order.
func (l *Library) Names() []string {
	names := make([]string, 0, len(l.sounds))
	for n := range l.sounds {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// encoded gives a sound in a codec, and the codec's silence.
func (l *Library) encoded(sound, codec string) (data []byte, silence byte, err error) {
	e, ok := l.sounds[sound]
	if !ok {
		return nil, 0, fmt.Errorf("media: there is no sound %q", sound)
	}
	switch codec {
	case "PCMU":
		return e.ulaw, silenceULaw, nil
	case "PCMA":
		return e.alaw, silenceALaw, nil
	}
	return nil, 0, errUnknownCodec(codec)
}

// sequence gives several sounds in a codec, and the codec's silence.
func (l *Library) sequence(sounds []string, codec string) (parts [][]byte, silence byte, err error) {
	if len(sounds) == 0 {
		return nil, 0, ErrNothing
	}
	parts = make([][]byte, len(sounds))
	for i, sound := range sounds {
		if parts[i], silence, err = l.encoded(sound, codec); err != nil {
			return nil, 0, err
		}
	}
	return parts, silence, nil
}
