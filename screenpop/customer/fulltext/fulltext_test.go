package fulltext

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// What is written, what is looked for, and whether it is found: in four languages.
var labelled = []struct {
	text, query string
	found       bool
}{
	// English
	{"Router restarted twice, drops since 3 Nov", "restart router", true},
	{"Router restarted twice, drops since 3 Nov", "RESTARTING", true},
	{"Router restarted twice, drops since 3 Nov", "dropped", true},
	{"Router restarted twice", "modem", false},
	{"Router restarted twice", "router modem", false},
	{"She asked about invoices of March", "invoice", true},
	{"Ticket T-1734 was closed", "t-1734", true},
	{"Ticket T-1734 was closed", "1734", true},
	{"Ticket T-1735 was closed", "T-1734", false},
	{"Calls from +44 7700 900417", "7700 900417", true},
	{"Customer's fibre line", "customers", true},
	{"promised a call back by Friday", `"call back"`, true},
	{"back office will call", `"call back"`, false},
	{"back office will call", `call back`, true},
	{"fibre is down", "fibre -down", false},
	{"fibre is up", "fibre -down", true},
	{"fibre is up", `fibre -"is down"`, true},
	{"Café Müller moved", "cafe muller", true},
	{"Cafe Muller moved", "café Müller", true},
	{"ＷＩＤＥ letters", "wide", true},
	// Russian
	{"Неверный счёт за октябрь", "счета", true},
	{"Выставлены счета", "счёт", true},
	{"Выставлены счета", "счет", true},
	{"Просила перезвонить после переезда", "переезд", true},
	{"Обрывы связи вечером", "обрыв", true},
	{"Обрывы связи вечером", "связь", true},
	{"Договор расторгнут", "договоры", true},
	{"Договор расторгнут", "счёт", false},
	{"Письмо о тарифах", "тариф", true},
	{"наш район", "раион", false}, // й is a letter, not и with a mark
	// Bulgarian
	{"Сметката за ноември е грешна", "сметка", true},
	{"Изпратени са две сметки", "сметката", true},
	{"Изпратени са две сметки", "сметка", true},
	{"Рутерът спира вечер", "рутер", true},
	{"Смени рутера", "рутерът", true},
	{"Договорите са подписани", "договор", true},
	{"Договорът е подписан", "договори", true},
	{"Два града без интернет", "градът", true},
	{"Кабелът е скъсан", "рутер", false},
	{"Техниците идват утре", "техник", true},
	// Chinese
	{"客户的账单有错误", "账单", true},
	{"客户的账单有错误", "错误 账单", true},
	{"客户的账单有错误", "账", true},
	{"客户的账单有错误", "单账", false},
	{"宽带晚上经常掉线", "宽带", true},
	{"宽带晚上经常掉线", "掉线", true},
	{"宽带晚上经常掉线", "经掉", false},
	{"宽带500M套餐", "套餐", true},
	{"宽带500M套餐", "500m", true},
	{"宽带晚上经常掉线", "手机", false},
}

func TestLabelled(t *testing.T) {
	for _, c := range labelled {
		q, err := Parse(c.query)
		if err != nil {
			t.Errorf("%q: %v", c.query, err)
			continue
		}
		if got := q.Matches("", c.text); got != c.found {
			t.Errorf("%q in %q: found %v", c.query, c.text, got)
		}
		terms := Terms("", c.text)
		has := !slices.ContainsFunc(q.Terms(), func(any []string) bool {
			return !slices.ContainsFunc(any, func(term string) bool { return slices.Contains(terms, term) })
		})
		if c.found && !has {
			t.Errorf("%q in %q: an index would miss it", c.query, c.text)
		}
	}
}

func TestExcerpt(t *testing.T) {
	long := strings.Repeat("lorem ipsum ", 30) + "the routers stopped" + strings.Repeat(" dolor sit", 30)
	for _, c := range []struct {
		query, text string
		around      int
		want        string
	}{
		{"router", "Router and routers.", 0, "[Router] and [routers]."},
		{`"call back" call`, "a call back, a call", 0, "a [call back], a [call]"},
		{"账单", "客户的账单有错误", 0, "客户的[账单]有错误"},
		{"router", long, 15, "…ipsum the [routers] stopped dolor…"},
		{"nothing", "Router", 0, ""},
		{"-x router", "x Router", 0, "x [Router]"},
	} {
		q, err := Parse(c.query)
		if err != nil {
			t.Fatal(err)
		}
		var got strings.Builder
		for i, s := range q.Excerpt(c.text, c.around) {
			if i%2 == 1 {
				s = "[" + s + "]"
			}
			got.WriteString(s)
		}
		if got.String() != c.want {
			t.Errorf("%s: %s, want %s", c.query, got.String(), c.want)
		}
	}
}

func TestBadQueries(t *testing.T) {
	for text, want := range map[string]error{
		"": ErrEmpty, "  ": ErrEmpty, `"`: ErrEmpty, "-": ErrEmpty, "?!": ErrEmpty, "-word": ErrNoWord,
		strings.Repeat("a", 201): ErrLong, strings.Repeat("a ", 11): ErrLong, "\xff": ErrLong,
	} {
		if _, err := Parse(text); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
}

// FuzzExcerpt: an excerpt of all of a text is that text, and what matches is marked.
func FuzzExcerpt(f *testing.F) {
	for _, c := range labelled {
		f.Add(c.text, c.query, 10)
	}
	f.Fuzz(func(t *testing.T, text, query string, around int) {
		q, err := Parse(query)
		if err != nil {
			return
		}
		Terms(text)
		all := q.Excerpt(text, 0)
		if all != nil && strings.Join(all, "") != text {
			t.Fatalf("%q", all)
		}
		if some := q.Excerpt(text, around); (some == nil) != (all == nil) {
			t.Fatalf("%q and %q", some, all)
		}
		if q.Matches(text) && all == nil {
			t.Fatal("it matches, and nothing is marked")
		}
	})
}

func BenchmarkMatches(b *testing.B) {
	q, err := Parse("router restarted")
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat("The customer says that his router restarted twice since Monday. ", 4)
	b.ReportAllocs()
	for b.Loop() {
		if !q.Matches("", text) {
			b.Fatal("not found")
		}
	}
}
