package speech

import (
	"maps"
	"strconv"
	"strings"
)

// language is the grammar of one language, and the words of its sounds.
type language struct {
	code string
	// Sentences, in words; # is a number or a duration, #1 and #2 the ends of a
	// band.
	position, about, between, upTo, over, shortly string

	place       []string // forms of the number of a place
	units       map[string]unit
	single      func(n int) bool // the noun is as after one
	join        string           // between hours and minutes
	hundredAnd  string           // after hundreds
	andIfLast   bool             // only before a rest of one word
	tensAnd     string           // between tens and ones
	zero        string           // after hundreds, for the tens that are not there
	beforeTeens string           // after hundreds, before 10 to 19
	formAlone   bool             // the form is that of numbers of one word only
	texts       map[string]string
}

// unit is a measure: its noun after one and after many, and which forms a number
// before it has.
type unit struct {
	one, many string
	form      []string
}

var plainUnits = map[string]unit{
	"hour": {"hour", "hours", nil}, "minute": {"minute", "minutes", nil}, "second": {"second", "seconds", nil},
}

var languages = []language{english, russian, bulgarian, chinese}

var english = language{
	code:     "en",
	position: "position #", about: "about #", between: "between #1 to #2", upTo: "up_to #", over: "over #", shortly: "shortly",
	units: plainUnits, single: isOne, hundredAnd: "and",
	texts: words(
		numbers("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen",
			"twenty thirty forty fifty sixty seventy eighty ninety"),
		hundreds("one hundred", "two hundred", "three hundred", "four hundred", "five hundred", "six hundred", "seven hundred", "eight hundred", "nine hundred", "one thousand"),
		map[string]string{
			"and": "and", "hour": "hour", "hours": "hours", "minute": "minute", "minutes": "minutes", "second": "second", "seconds": "seconds",
			"position": "You are caller number", "shortly": "Someone will be with you shortly.", "about": "Your expected wait is about",
			"between": "Your expected wait is between", "to": "and", "up_to": "Your expected wait is up to", "over": "Your expected wait is more than",
		}),
}

// Places are named as they are counted; what is waited stands in the genitive, and
// minutes and seconds are feminine.
var russian = language{
	code:     "ru",
	position: "position #", about: "about #", between: "between #1 to #2", upTo: "up_to #", over: "over #", shortly: "shortly",
	units: map[string]unit{
		"hour": {"hour", "hours", []string{"gm", "g"}}, "minute": {"minute", "minutes", []string{"gf", "g"}}, "second": {"second", "seconds", []string{"gf", "g"}},
	},
	single: func(n int) bool { return n%10 == 1 && n%100 != 11 },
	texts: words(
		numbers("один два три четыре пять шесть семь восемь девять десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать",
			"двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто"),
		hundreds("сто", "двести", "триста", "четыреста", "пятьсот", "шестьсот", "семьсот", "восемьсот", "девятьсот", "тысяча"),
		inForm("g", numbers("- двух трёх четырёх пяти шести семи восьми девяти десяти одиннадцати двенадцати тринадцати четырнадцати пятнадцати шестнадцати семнадцати восемнадцати девятнадцати",
			"двадцати тридцати сорока пятидесяти")),
		map[string]string{
			"1gm": "одного", "1gf": "одной",
			"hour": "часа", "hours": "часов", "minute": "минуты", "minutes": "минут", "second": "секунды", "seconds": "секунд",
			"position": "Ваш номер в очереди", "shortly": "Вам скоро ответят.", "about": "Время ожидания около",
			"between": "Время ожидания от", "to": "до", "up_to": "Время ожидания до", "over": "Время ожидания более",
		}),
}

// A place is neuter ("номер едно"), minutes and seconds are feminine, hours
// masculine.
var bulgarian = language{
	code:     "bg",
	position: "position #", about: "about #", between: "between #1 to #2", upTo: "up_to #", over: "over #", shortly: "shortly",
	place: []string{"n", "f"},
	units: map[string]unit{
		"hour": {"hour", "hours", nil}, "minute": {"minute", "minutes", []string{"f"}}, "second": {"second", "seconds", []string{"f"}},
	},
	single: isOne, join: "and", hundredAnd: "and", andIfLast: true, tensAnd: "and",
	texts: words(
		numbers("един два три четири пет шест седем осем девет десет единадесет дванадесет тринадесет четиринадесет петнадесет шестнадесет седемнадесет осемнадесет деветнадесет",
			"двадесет тридесет четиридесет петдесет шестдесет седемдесет осемдесет деветдесет"),
		hundreds("сто", "двеста", "триста", "четиристотин", "петстотин", "шестстотин", "седемстотин", "осемстотин", "деветстотин", "хиляда"),
		map[string]string{
			"1f": "една", "1n": "едно", "2f": "две", "and": "и",
			"hour": "час", "hours": "часа", "minute": "минута", "minutes": "минути", "second": "секунда", "seconds": "секунди",
			"position": "Вие сте номер", "shortly": "Ще ви отговорим след малко.", "about": "Очакваното време е около",
			"between": "Очакваното време е между", "to": "и", "up_to": "Очакваното време е до", "over": "Очакваното време е повече от",
		}),
}

// Places are counted with 位; before a measure word two is 两, but not in 十二 or
// 二十二. Tens that are not there are said (一百零一), and ten is 一十 after hundreds.
var chinese = language{
	code:     "zh",
	position: "position # place", about: "about #", between: "between #1 to #2", upTo: "up_to #", over: "over #", shortly: "shortly",
	units: map[string]unit{
		"hour": {"hours", "hours", []string{"m"}}, "minute": {"minutes", "minutes", []string{"m"}}, "second": {"seconds", "seconds", []string{"m"}},
	},
	single: isOne, zero: "0", beforeTeens: "1", formAlone: true,
	texts: words(
		numbers("一 二 三 四 五 六 七 八 九 十 十一 十二 十三 十四 十五 十六 十七 十八 十九", "二十 三十 四十 五十 六十 七十 八十 九十"),
		hundreds("一百", "二百", "三百", "四百", "五百", "六百", "七百", "八百", "九百", "一千"),
		map[string]string{
			"0": "零", "2m": "两", "hours": "个小时", "minutes": "分钟", "seconds": "秒",
			"position": "您现在排在第", "place": "位", "shortly": "很快会有人为您服务。", "about": "预计等待时间大约",
			"between": "预计等待时间", "to": "到", "up_to": "预计等待时间不超过", "over": "预计等待时间超过",
		}),
}

func isOne(n int) bool { return n == 1 }

func words(parts ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, p := range parts {
		maps.Copy(out, p)
	}
	return out
}

// numbers are 1 to 19, and the tens from 20; "-" for one that is not there.
func numbers(ones, tens string) map[string]string {
	out := map[string]string{}
	n := 1
	for text := range strings.FieldsSeq(ones) {
		out[strconv.Itoa(n)] = text
		n++
	}
	for text := range strings.FieldsSeq(tens) {
		out[strconv.Itoa(n)] = text
		n += 10
	}
	maps.DeleteFunc(out, func(_, text string) bool { return text == "-" })
	return out
}

// inForm are the same numbers in another form.
func inForm(ending string, plain map[string]string) map[string]string {
	out := map[string]string{}
	for n, text := range plain {
		out[n+ending] = text
	}
	return out
}

// hundreds are 100 to 1000.
func hundreds(list ...string) map[string]string {
	out := map[string]string{}
	for i, text := range list {
		out[strconv.Itoa(100*(i+1))] = text
	}
	return out
}
