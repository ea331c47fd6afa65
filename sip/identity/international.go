package identity

import (
	"slices"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// stripped are, for the country codes that have any, beginnings of a number in
// full that the library may take for a national prefix or a carrier's code and
// leave out, besides 0, which it may do in every country but those of keepsZero.
var stripped = map[int][]string{
	1: {"1"}, 7: {"8"}, 44: {"18"}, 54: {"1", "2", "3", "4", "5", "6", "7", "8", "9"}, 55: {"90"}, 61: {"183"}, 86: {"1"},
	261: {"2", "4", "5", "6", "7", "8", "9"}, 298: {"10"}, 352: {"15"}, 370: {"8"}, 375: {"8"}, 378: {"8", "9"}, 423: {"100"},
	506: {"19"}, 672: {"1", "2", "5", "8"}, 692: {"1"}, 993: {"8"},
}

// keepsZero are country codes in which a number in full may begin with 0, as all
// of Italy's towns do, and the library leaves it there.
var keepsZero = []int{7, 39}

// international reads a number that is written in full, with the plus, where
// that is all there is to it; nil for any other, which is for the library to
// read. What trunks assert is of this kind, and the library tries a dozen regular
// expressions on it to find that nothing need be changed.
func international(dialled string) *phonenumbers.PhoneNumber {
	if len(dialled) < 1+8 || len(dialled) > 1+15 || dialled[0] != '+' || dialled[1] == '0' { // no country code begins with 0
		return nil
	}
	for n := 1; n <= 3; n++ {
		code, _ := strconv.Atoi(dialled[1 : 1+n])
		if phonenumbers.GetRegionCodeForCountryCode(code) == phonenumbers.UNKNOWN_REGION {
			continue
		}
		national := dialled[1+n:]
		zeros := len(national) - len(strings.TrimLeft(national, "0"))
		if zeros > 0 && (!slices.Contains(keepsZero, code) || zeros == len(national)) {
			return nil
		}
		for _, prefix := range stripped[code] {
			if strings.HasPrefix(national, prefix) {
				return nil
			}
		}
		digits, err := strconv.ParseUint(national, 10, 64)
		if err != nil {
			return nil
		}
		cc, source := int32(code), phonenumbers.PhoneNumber_FROM_NUMBER_WITH_PLUS_SIGN
		p := &phonenumbers.PhoneNumber{CountryCode: &cc, NationalNumber: &digits, CountryCodeSource: &source}
		if zeros > 0 { // "Italian" wherever they are
			leading, count := true, int32(zeros)
			p.ItalianLeadingZero, p.NumberOfLeadingZeros = &leading, &count
		}
		if !rightLength(p) {
			return nil
		}
		return p
	}
	return nil
}
