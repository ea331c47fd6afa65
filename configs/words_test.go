package configs

import (
	"strings"
	"testing"
)

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		"Billing opens at 8, see #12": "",
		"Две строки\r\nи \tотступ":       "",
		strings.Repeat("x", MostWords):   "",
		strings.Repeat("x", 1+MostWords): "1001 bytes are too many: 1000 at most",
		"so \x1b[2Jmuch":                 "byte 4 is a control character (U+001B)",
		"a\u202eb":                       "byte 2 is a control character (U+202E)",
		"a\xff":                          "not UTF-8",
	} {
		got := ""
		if err := Words(text); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%.20q: %q, want %q", text, got, want)
		}
	}
	if got, want := OneLine("a\nb\tc\x1b[2Jd\u202ee\xff"), "a b c\ufffd[2Jd\ufffde\ufffd"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
