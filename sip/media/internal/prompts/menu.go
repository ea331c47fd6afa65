package main

import "fmt"

// menus is what a caller hears in menus, by language. The sentences of a sound are
// said one after another.
var menus = []struct {
	name string
	said [][2]string // voice, text
}{
	{"menu-wrong", [][2]string{{"en-gb", "That key has no meaning here."}}},
	{"menu-wrong-ru", [][2]string{{"ru", "Такой кнопки в этом меню нет."}}},
	{"menu-wrong-bg", [][2]string{{"bg", "Този бутон не се използва тук."}}},
	{"menu-wrong-zh", [][2]string{{"cmn-latn-pinyin", "zhe4 ge4 an4 jian4 wu2 xiao4."}}},
	{"menu-silent", [][2]string{{"en-gb", "We have not heard a key."}}},
	{"menu-silent-ru", [][2]string{{"ru", "Вы ничего не нажали."}}},
	{"menu-silent-bg", [][2]string{{"bg", "Не натиснахте бутон."}}},
	{"menu-silent-zh", [][2]string{{"cmn-latn-pinyin", "mei2 you3 shou1 dao4 an4 jian4."}}},
	{"menu-number-wrong", [][2]string{{"en-gb", "We do not know this number."}}},
	{"menu-number-wrong-ru", [][2]string{{"ru", "Такой номер нам не известен."}}},
	{"menu-number-wrong-bg", [][2]string{{"bg", "Този номер не ни е познат."}}},
	{"menu-number-wrong-zh", [][2]string{{"cmn-latn-pinyin", "wo3 men5 mei2 you3 zhao3 dao4 zhe4 ge4 hao4 ma3."}}},
	{"menu_account", [][2]string{{"en-gb", "Please enter your customer number, and then press the hash key."}}},
	{"menu_account-ru", [][2]string{{"ru", "Введите номер клиента и нажмите решётку."}}},
	{"menu_account-bg", [][2]string{{"bg", "Въведете клиентския си номер и натиснете диез."}}},
	{"menu_account-zh", [][2]string{{"cmn-latn-pinyin", "qing3 shu1 ru4 nin2 de5 ke4 hu4 hao4 ma3, ran2 hou4 an4 jing3 hao4 jian4."}}},
	{"menu_languages", [][2]string{
		{"en-gb", "For English, press 1."}, {"ru", "Для русского языка нажмите 2."},
		{"bg", "За български език натиснете 3."}, {"cmn-latn-pinyin", "zhong1 wen2 fu2 wu4 qing3 an4 si4."},
	}},
	{"menu_topics", [][2]string{{"en-gb", "About a bill, press 1. About a fault, press 2. For everything else, press 0."}}},
	{"menu_topics-ru", [][2]string{{"ru", "По вопросам счетов нажмите 1. О неисправности нажмите 2. По всем остальным вопросам нажмите 0."}}},
	{"menu_topics-bg", [][2]string{{"bg", "За сметки натиснете 1. За повреда натиснете 2. За всичко останало натиснете 0."}}},
	{"menu_topics-zh", [][2]string{{"cmn-latn-pinyin", "zhang4 dan1 wen4 ti2 qing3 an4 yi1. gu4 zhang4 bao4 xiu1 qing3 an4 er4. qi2 ta1 wen4 ti2 qing3 an4 ling2."}}},
}

func inMenus(speaker, folder string) error {
	for _, m := range menus {
		var all []int16
		for _, s := range m.said {
			pcm, err := speak(speaker, s[0], s[1])
			if err != nil {
				return fmt.Errorf("%s: %w", m.name, err)
			}
			all = append(all, pad(pcm, 200, 250)...)
		}
		if err := writeULaw(folder, m.name, all); err != nil {
			return err
		}
	}
	return nil
}
