package main

import (
	"fmt"
	"strconv"

	"github.com/cordboard/cordboard/sip/media/internal/wav"
)

// asked is what the agent of a mobile hears, by language; the digits are 0 to 9.
var asked = []struct {
	suffix, voice          string
	from, withheld, accept string
	digits                 [10]string
}{
	{
		"", "en-gb", "A call from", "A call from a withheld number.", "To take it, press one.",
		[10]string{"zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"},
	},
	{
		"-ru", "ru", "Звонок с номера", "Звонок со скрытого номера.", "Чтобы принять его, нажмите один.",
		[10]string{"ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"},
	},
	{
		"-bg", "bg", "Обаждане от номер", "Обаждане от скрит номер.", "За да го приемете, натиснете едно.",
		[10]string{"нула", "едно", "две", "три", "четири", "пет", "шест", "седем", "осем", "девет"},
	},
	{
		"-zh", "cmn-latn-pinyin", "lai2 zi4 hao4 ma3", "lai2 zi4 yin3 cang2 hao4 ma3", "jie1 ting1 qing3 an4 yi1",
		[10]string{"ling2", "yi1", "er4", "san1", "si4", "wu3", "liu4", "qi1", "ba1", "jiu3"},
	},
}

// questions makes them. They follow each other as they are, with silence inside.
func questions(speaker, folder string) error {
	for _, a := range asked {
		words := map[string]string{"call-from": a.from, "call-withheld": a.withheld, "call-accept": a.accept}
		for i, d := range a.digits {
			words["digit-"+strconv.Itoa(i)] = d
		}
		for name, text := range words {
			pcm, err := speak(speaker, a.voice, text)
			if err != nil {
				return fmt.Errorf("%s%s: %w", name, a.suffix, err)
			}
			if err := write(folder, name+a.suffix, word(pcm)); err != nil {
				return err
			}
		}
	}
	return nil
}

// word is one with just the silence that sets it off from the next.
func word(pcm []int16) []int16 {
	out := make([]int16, wav.Rate/50)
	out = append(out, trim(pcm)...)
	return append(out, make([]int16, wav.Rate/16)...)
}
