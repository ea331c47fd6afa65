package speech

import (
	"strings"
	"testing"
)

// A place in line, as it is said.
func TestPosition(t *testing.T) {
	for _, c := range []struct {
		language string
		n        int
		want     string
	}{
		{"en", 1, "You are caller number one"},
		{"en", 21, "You are caller number twenty one"},
		{"en", 40, "You are caller number forty"},
		{"en", 100, "You are caller number one hundred"},
		{"en", 112, "You are caller number one hundred and twelve"},
		{"en", 999, "You are caller number nine hundred and ninety nine"},
		{"en", 1000, "You are caller number one thousand"},
		{"de", 2, "You are caller number two"}, // no German here
		{"", 3, "You are caller number three"},
		{"ru", 1, "Ваш номер в очереди один"},
		{"ru", 2, "Ваш номер в очереди два"},
		{"ru", 21, "Ваш номер в очереди двадцать один"},
		{"ru", 119, "Ваш номер в очереди сто девятнадцать"},
		{"ru", 342, "Ваш номер в очереди триста сорок два"},
		{"bg", 1, "Вие сте номер едно"},
		{"bg", 2, "Вие сте номер две"},
		{"bg", 12, "Вие сте номер дванадесет"},
		{"bg", 21, "Вие сте номер двадесет и едно"},
		{"bg", 105, "Вие сте номер сто и пет"},
		{"bg", 120, "Вие сте номер сто и двадесет"},
		{"bg", 121, "Вие сте номер сто двадесет и едно"},
		{"zh", 2, "您现在排在第 二 位"},
		{"zh", 10, "您现在排在第 十 位"},
		{"zh", 21, "您现在排在第 二十 一 位"},
		{"zh", 101, "您现在排在第 一百 零 一 位"},
		{"zh", 110, "您现在排在第 一百 一 十 位"},
		{"zh", 222, "您现在排在第 二百 二十 二 位"},
		{"zh", 1000, "您现在排在第 一千 位"},
	} {
		if got := Text(Position(c.language, c.n)); got != c.want {
			t.Errorf("%s %d: %s, want %s", c.language, c.n, got, c.want)
		}
	}
	for _, n := range []int{-1, 0, 1001} {
		if got := Position("en", n); got != nil {
			t.Errorf("place %d: %q", n, got)
		}
	}
}

// A wait, with the cases, genders and measure words of each language.
func TestWaiting(t *testing.T) {
	const m, h = 60, 3600
	for _, c := range []struct {
		language string
		wait     Wait
		want     string
	}{
		{"en", Wait{Shortly: true}, "Someone will be with you shortly."},
		{"en", Wait{Least: m, Most: m}, "Your expected wait is about one minute"},
		{"en", Wait{Least: 7 * m, Most: 7 * m}, "Your expected wait is about seven minutes"},
		{"en", Wait{Least: 5 * m, Most: 8 * m}, "Your expected wait is between five and eight minutes"},
		{"en", Wait{Least: 90, Most: 2 * m}, "Your expected wait is between one minute thirty seconds and two minutes"},
		{"en", Wait{Least: 50 * m, Most: h + 10*m}, "Your expected wait is between fifty minutes and one hour ten minutes"},
		{"en", Wait{Most: 1}, "Your expected wait is up to one second"},
		{"en", Wait{Least: 2 * h}, "Your expected wait is more than two hours"},
		{"ru", Wait{Shortly: true}, "Вам скоро ответят."},
		{"ru", Wait{Least: m, Most: m}, "Время ожидания около одной минуты"},
		{"ru", Wait{Least: 2 * m, Most: 2 * m}, "Время ожидания около двух минут"},
		{"ru", Wait{Least: 11 * m, Most: 11 * m}, "Время ожидания около одиннадцати минут"},
		{"ru", Wait{Least: 21 * m, Most: 21 * m}, "Время ожидания около двадцати одной минуты"},
		{"ru", Wait{Least: 5 * m, Most: 8 * m}, "Время ожидания от пяти до восьми минут"},
		{"ru", Wait{Least: m, Most: 2 * m}, "Время ожидания от одной до двух минут"},
		{"ru", Wait{Most: 41}, "Время ожидания до сорока одной секунды"},
		{"ru", Wait{Least: h + 20*m}, "Время ожидания более одного часа двадцати минут"},
		{"ru", Wait{Least: 2 * h}, "Время ожидания более двух часов"},
		{"bg", Wait{Least: m, Most: m}, "Очакваното време е около една минута"},
		{"bg", Wait{Least: 2 * m, Most: 2 * m}, "Очакваното време е около две минути"},
		{"bg", Wait{Least: 21 * m, Most: 21 * m}, "Очакваното време е около двадесет и една минути"},
		{"bg", Wait{Least: 5 * m, Most: 8 * m}, "Очакваното време е между пет и осем минути"},
		{"bg", Wait{Most: 30}, "Очакваното време е до тридесет секунди"},
		{"bg", Wait{Least: h + 20*m}, "Очакваното време е повече от един час и двадесет минути"},
		{"bg", Wait{Least: 2 * h}, "Очакваното време е повече от два часа"},
		{"zh", Wait{Shortly: true}, "很快会有人为您服务。"},
		{"zh", Wait{Least: 7 * m, Most: 7 * m}, "预计等待时间大约 七 分钟"},
		{"zh", Wait{Least: 2 * m, Most: 12 * m}, "预计等待时间 两 到 十二 分钟"},
		{"zh", Wait{Least: 22 * m, Most: 22 * m}, "预计等待时间大约 二十 二 分钟"},
		{"zh", Wait{Most: 2}, "预计等待时间不超过 两 秒"},
		{"zh", Wait{Least: 2 * h}, "预计等待时间超过 两 个小时"},
	} {
		if got := Text(Waiting(c.language, c.wait)); got != c.want {
			t.Errorf("%s %+v: %s, want %s", c.language, c.wait, got, c.want)
		}
	}
}

// Whatever can be said is made of sounds that are there, and every sound is used.
func TestEverySound(t *testing.T) {
	unused := map[string]bool{}
	for _, s := range Sounds() {
		if s.Text == "" || unused[s.Name] {
			t.Errorf("%s: %q, or twice", s.Name, s.Text)
		}
		unused[s.Name] = true
	}
	there := map[string]bool{}
	for name := range unused {
		there[name] = true
	}
	say := func(sounds []string) {
		for _, s := range sounds {
			if !there[s] {
				t.Fatalf("%q is no sound: %v", s, sounds)
			}
			delete(unused, s)
		}
	}
	for _, l := range []string{"en", "ru", "bg", "zh"} {
		for n := 1; n <= MostPosition; n++ {
			say(Position(l, n))
		}
		for s := 1; s <= 2*3600; s++ {
			say(Waiting(l, Wait{Least: s, Most: s}))
		}
		say(Waiting(l, Wait{Shortly: true}))
		say(Waiting(l, Wait{Least: 1}))
		say(Waiting(l, Wait{Most: 1}))
		say(Waiting(l, Wait{Least: 1, Most: 2}))
	}
	if len(unused) > 0 {
		t.Errorf("never said: %v", unused)
	}
}

// Sounds are files: their names are those a document may use.
func TestNamesAreFiles(t *testing.T) {
	for _, s := range append(Sounds(), Sound{Name: Pause}) {
		if strings.Trim(s.Name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			t.Errorf("%q", s.Name)
		}
	}
}
