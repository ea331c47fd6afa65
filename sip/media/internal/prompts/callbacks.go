package main

import "fmt"

// calledBack is what a caller hears who may be called back, by language. The key
// that accepts follows offer as a digit, and the digits of a number follow to.
var calledBack = []struct {
	suffix, voice                                  string
	offer, taken, here, number, wrong, to, confirm string
}{
	{
		"", "en-gb",
		"To be called back, and keep your place in the queue, press",
		"Thank you. You keep your place, and we will call you back. Goodbye.",
		"Hello. This is the call that you asked us for. Please hold the line.",
		"Key in the number that we are to call, and then press hash. For the number you are calling from, press hash alone.",
		"That number cannot be called.",
		"We will call you back on",
		"If that is right, press one. To key in another number, press two.",
	},
	{
		"-ru", "ru",
		"Чтобы мы вам перезвонили, а ваше место в очереди сохранилось, нажмите",
		"Спасибо. Ваше место в очереди сохранено, мы вам перезвоним. До свидания.",
		"Здравствуйте. Вы просили нас перезвонить. Пожалуйста, оставайтесь на линии.",
		"Наберите номер, по которому вам перезвонить, и нажмите решётку. Если это номер, с которого вы звоните, нажмите только решётку.",
		"По этому номеру позвонить нельзя.",
		"Мы перезвоним вам по номеру",
		"Если всё верно, нажмите один. Чтобы набрать другой номер, нажмите два.",
	},
	{
		"-bg", "bg",
		"За да ви се обадим и да запазите мястото си на опашката, натиснете",
		"Благодарим. Мястото ви е запазено и ние ще ви се обадим. Дочуване.",
		"Здравейте. Помолихте ни да ви се обадим. Моля, останете на линията.",
		"Наберете номера, на който да ви се обадим, и натиснете диез. За номера, от който се обаждате, натиснете само диез.",
		"На този номер не можем да се обадим.",
		"Ще ви се обадим на номер",
		"Ако е вярно, натиснете едно. За да наберете друг номер, натиснете две.",
	},
	{
		"-zh", "cmn-latn-pinyin",
		"ru2 guo3 xi1 wang4 bao3 liu2 pai2 wei4 bing4 you2 wo3 men5 hui2 dian4 qing3 an4",
		"xie4 xie5 nin2 de5 wei4 zhi5 yi3 bao3 liu2 wo3 men5 hui4 gei3 nin2 hui2 dian4 zai4 jian4",
		"nin2 hao3 zhe4 shi4 nin2 yao1 qiu2 de5 hui2 dian4 qing3 bu2 yao4 gua4 ji1",
		"qing3 shu1 ru4 hui2 dian4 hao4 ma3 ran2 hou4 an4 jing3 hao4 jian4 ru2 guo3 shi4 nin2 xian4 zai4 shi3 yong4 de5 hao4 ma3 qing3 zhi2 jie1 an4 jing3 hao4 jian4",
		"zhe4 ge5 hao4 ma3 wu2 fa3 hu1 jiao4",
		"wo3 men5 jiang1 hui2 dian4 dao4",
		"que4 ren4 qing3 an4 yi1 chong2 xin1 shu1 ru4 qing3 an4 er4",
	},
}

// callbacks makes them. What others follow ends where these begin.
func callbacks(speaker, folder string) error {
	for _, s := range calledBack {
		for _, p := range []struct {
			name, text    string
			before, after int // ms of silence
		}{
			{"callback-offer", s.offer, 200, 60}, {"callback-taken", s.taken, 200, 400}, {"callback-here", s.here, 300, 400},
			{"callback-number", s.number, 200, 200}, {"callback-wrong", s.wrong, 200, 300}, {"callback-to", s.to, 200, 60},
			{"callback-confirm", s.confirm, 300, 200},
		} {
			pcm, err := speak(speaker, s.voice, p.text)
			if err != nil {
				return fmt.Errorf("%s%s: %w", p.name, s.suffix, err)
			}
			if err := writeULaw(folder, p.name+s.suffix, pad(pcm, p.before, p.after)); err != nil {
				return err
			}
		}
	}
	return nil
}
