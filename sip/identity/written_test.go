package identity

import (
	"slices"
	"strings"
	"testing"
)

// What people write into a customer file is read as they meant it, and what nobody
// can be sure of is no number.
func TestReadWritten(t *testing.T) {
	for _, c := range []struct {
		text, region string
		want         []string
	}{
		{"07700 900417", "GB", []string{"+447700900417"}},
		{"+44 (0)7700/900417 ext. 12", "", []string{"+447700900417"}},
		{"7700900417", "GB", []string{"+447700900417"}}, // a spreadsheet took the 0
		{"447700900417.0", "GB", []string{"+447700900417"}},
		{"491713920010.0", "DE", []string{"+491713920010"}},
		{"4.47701E+11", "GB", nil},
		{"=" + `"07700 900417"`, "GB", []string{"+447700900417"}},
		{"8 (495) 001-00-12, доб. 12", "RU", []string{"+74950010012"}},
		{"021 1234 5678 转 12", "CN", []string{"+862112345678"}},
		{"０７７００ ９００４１７", "GB", []string{"+447700900417"}},
		{"+39 (0)6 12345678", "", []string{"+390612345678"}},
		{"07700 900417 / 01632 960118", "GB", []string{"+447700900417", "+441632960118"}},
		{"07700 900417 or 07700 900417", "GB", []string{"+447700900417"}},
		{"07700 900417/8", "GB", []string{"+447700900417"}},
		{"0711/123456", "DE", []string{"+49711123456"}},
		{"0711/123456, 0171/3920010", "DE", []string{"+49711123456", "+491713920010"}},
		{"030 1234/030 1235", "DE", []string{"+49301234", "+49301235"}},
		{"020 7946 0100-0199", "GB", nil},
		{"49711123456", "DE", []string{"+49711123456"}},
		{"011 44 7700 900417", "GB", []string{"+447700900417"}},
		{"0044 7700 900417", "US", []string{"+447700900417"}},
		{"(M) 07700 900417", "GB", []string{"+447700900417"}},
		{"mobile-07700900417", "GB", []string{"+447700900417"}},
		{"☎ 07700 900417*", "GB", []string{"+447700900417"}},
		{"07700 900417 (old), 07700 900418", "GB", []string{"+447700900418"}},
		{"07700 900417 - no longer valid", "GB", nil},
		{"старый номер 8 (495) 001-00-12", "RU", nil},
		{"07700 900417 (Old Kent Road)", "GB", []string{"+447700900417"}},
		{"12", "GB", nil},
		{"112", "GB", nil},
		{"ext. 12", "GB", nil},
		{"0800 FLOWERS", "GB", nil},
		{"bob07700900417", "GB", nil},
		{"O7700 9OO417", "GB", nil},
		{"", "GB", nil},
		{"/", "GB", nil},
		{"+", "", nil},
		{strings.Repeat("07700900417/", 40), "GB", nil},
	} {
		var got []string
		for _, n := range ReadWritten(c.text, c.region) {
			got = append(got, n.E164())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q in %s: %q, want %q", c.text, c.region, got, c.want)
		}
	}
}

// FuzzReadWritten: no text of a file costs the import more than itself, and whatever
// is read is a number that reads as itself.
func FuzzReadWritten(f *testing.F) {
	for _, text := range []string{"+44 (0)7700/900417 ext. 12", "8 (495) 001-00-12, доб. 12", "+ + (0) ( 0 ) x1", "()(0)+", ";ext=1"} {
		f.Add(text, "GB")
	}
	f.Fuzz(func(t *testing.T, text, region string) {
		for _, n := range ReadWritten(text, region) {
			if again, err := ParseNumber(n.E164(), "", nil); err != nil || again != n {
				t.Errorf("%q gives %s, which reads as %s, %v", text, n.E164(), again.E164(), err)
			}
		}
	})
}
