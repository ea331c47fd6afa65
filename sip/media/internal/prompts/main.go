// Command prompts makes the built-in sounds of package media: the hold music,
// which it computes, and the spoken announcements and the words that others are
// put together of (package speech), which the speech synthesiser espeak-ng speaks. Run it from the repository's root:
//
//	go run ./sip/media/internal/prompts [folder]
//
// Without espeak-ng the announcements that are there stay as they are.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/cordboard/cordboard/sip/media"
	"github.com/cordboard/cordboard/sip/media/internal/wav"
	"github.com/cordboard/cordboard/sip/media/speech"
)

// spoken are the announcements: file name, voice, text.
var spoken = []struct{ name, voice, text string }{
	{"greeting", "en-gb", "Thank you for calling. Please hold the line. The right person will be with you shortly."},
	{"closed", "en-gb", "Thank you for calling. We are closed at the moment. Please call again during opening hours. Goodbye."},
	{"busy", "en-gb", "All our lines are busy at the moment. Please call again a little later. Goodbye."},
	{"sorry", "en-gb", "We are sorry. Nobody can take your call at the moment. Please try again later. Goodbye."},
	{"greeting-ru", "ru", "Спасибо за звонок. Пожалуйста, оставайтесь на линии. Нужный специалист скоро ответит вам."},
	{"closed-ru", "ru", "Спасибо за звонок. Сейчас мы не работаем. Пожалуйста, позвоните нам в рабочее время. До свидания."},
	{"busy-ru", "ru", "Сейчас все линии заняты. Пожалуйста, позвоните немного позже. До свидания."},
	{"sorry-ru", "ru", "Приносим извинения. Сейчас никто не может ответить на ваш звонок. Пожалуйста, попробуйте позже. До свидания."},
}

func main() {
	folder := filepath.Join("sip", "media", "sounds")
	if len(os.Args) > 1 {
		folder = os.Args[1]
	}
	if err := run(folder); err != nil {
		fmt.Fprintln(os.Stderr, "prompts:", err)
		os.Exit(1)
	}
}

func run(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := write(folder, "default", music()); err != nil {
		return err
	}
	if err := writeULaw(folder, "beep", beep()); err != nil {
		return err
	}
	speaker, err := exec.LookPath("espeak-ng")
	if err != nil {
		fmt.Fprintln(os.Stderr, "prompts: espeak-ng is not installed; the announcements stay as they are")
		return nil
	}
	for _, s := range spoken {
		pcm, err := speak(speaker, s.voice, s.text)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		// Silence before: the phone's audio path opens. After: the last word is
		// heard out before the line is cut.
		if err := write(folder, s.name, pad(pcm, 200, 400)); err != nil {
			return err
		}
	}
	if err := questions(speaker, folder); err != nil {
		return err
	}
	if err := callbacks(speaker, folder); err != nil {
		return err
	}
	if err := voicemail(speaker, folder); err != nil {
		return err
	}
	if err := inMenus(speaker, folder); err != nil {
		return err
	}
	return vocabulary(speaker, folder)
}

// vocabulary makes the words of announcements. They follow each other as they
// are: what silence there is between them is in the sounds.
func vocabulary(speaker, folder string) error {
	for _, s := range speech.Sounds() {
		v, ok := voices[s.Language]
		if !ok {
			return fmt.Errorf("%s: no voice for %s", s.Name, s.Language)
		}
		text := s.Text
		if v.read != nil {
			text = v.read(text)
		}
		pcm, err := speak(speaker, v.name, text)
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		if err := writeULaw(folder, s.Name, pad(pcm, 20, 50)); err != nil {
			return err
		}
	}
	return writeULaw(folder, speech.Pause, pad(nil, 300, 0))
}

// voices speak the words of announcements; read turns them into what the voice
// can read.
var voices = map[string]struct {
	name string
	read func(string) string
}{
	"en": {"en-gb", nil}, "ru": {"ru", nil}, "bg": {"bg", nil}, "zh": {"cmn-latn-pinyin", inPinyin},
}

func speak(speaker, voice, text string) ([]int16, error) {
	out, err := exec.Command(speaker, "-v", voice, "-s", "145", "-p", "42", "-g", "3", "--stdout", text).Output()
	if err != nil {
		return nil, fmt.Errorf("espeak-ng: %w", err)
	}
	pcm, err := wav.Read(out)
	if err != nil {
		return nil, fmt.Errorf("espeak-ng: %w", err)
	}
	pcm = trim(pcm)
	if len(pcm) == 0 {
		return nil, errors.New("espeak-ng said nothing")
	}
	level(pcm, 0.5)
	return pcm, nil
}

// pad puts silence before and after, in milliseconds.
func pad(pcm []int16, before, after int) []int16 {
	out := make([]int16, before*wav.Rate/1000, len(pcm)+(before+after)*wav.Rate/1000)
	out = append(out, pcm...)
	return append(out, make([]int16, after*wav.Rate/1000)...)
}

// trim cuts silence off both ends.
func trim(pcm []int16) []int16 {
	const quiet = 100
	loud := func(s int16) bool { return s > quiet || s < -quiet }
	for len(pcm) > 0 && !loud(pcm[0]) {
		pcm = pcm[1:]
	}
	for len(pcm) > 0 && !loud(pcm[len(pcm)-1]) {
		pcm = pcm[:len(pcm)-1]
	}
	return pcm
}

// level brings the loudest sample to the given part of full scale.
func level(pcm []int16, part float64) {
	var top float64
	for _, s := range pcm {
		top = max(top, max(float64(s), -float64(s)))
	}
	for i, s := range pcm {
		pcm[i] = int16(float64(s) * part * 32767 / top)
	}
}

func write(folder, name string, pcm []int16) error {
	return os.WriteFile(filepath.Join(folder, name+".wav"), wav.Append(nil, pcm), 0o644)
}

func writeULaw(folder, name string, pcm []int16) error {
	return os.WriteFile(filepath.Join(folder, name+".wav"), wav.AppendULaw(nil, media.Encode("PCMU", pcm)), 0o644)
}
