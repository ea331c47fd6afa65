package main

import (
	"fmt"
	"math"

	"github.com/cordboard/cordboard/sip/media/internal/wav"
)

// messages is what a caller hears before leaving a message, by language.
var messages = []struct{ name, voice, text string }{
	{"voicemail", "en-gb", "Please leave a message after the tone. When you have finished, press hash, or hang up."},
	{"voicemail-ru", "ru", "Пожалуйста, оставьте сообщение после сигнала. Закончив, нажмите решётку или положите трубку."},
	{"voicemail-bg", "bg", "Моля, оставете съобщение след сигнала. Когато свършите, натиснете диез или затворете."},
	{"voicemail-zh", "cmn-latn-pinyin", "qing3 zai4 ti2 shi4 yin1 hou4 liu2 yan2. liu2 yan2 jie2 shu4 hou4 qing3 an4 jing3 hao4 jian4, huo4 gua4 ji1."},
}

func voicemail(speaker, folder string) error {
	for _, m := range messages {
		pcm, err := speak(speaker, m.voice, m.text)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		if err := writeULaw(folder, m.name, pad(pcm, 200, 250)); err != nil {
			return err
		}
	}
	return nil
}

// beep is the tone after which a message begins: a second of 1 kHz would be a
// long time, and less than a fifth no tone. Its edges rise and fall, so that
// nothing clicks.
func beep() []int16 {
	const n, edge = wav.Rate * 2 / 5, wav.Rate / 100
	pcm := make([]int16, n)
	for i := range pcm {
		part := min(1, float64(i)/edge, float64(n-1-i)/edge)
		pcm[i] = int16(part * 0.3 * 32767 * math.Sin(2*math.Pi*1000*float64(i)/wav.Rate))
	}
	return pcm
}
