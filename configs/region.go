package configs

import (
	"fmt"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// CheckRegion says that a text is no country code (ISO 3166) that telephone
// numbers can be read in, and which one is meant where that is clear.
func CheckRegion(text string) error {
	if phonenumbers.GetCountryCodeForRegion(text) != 0 {
		return nil
	}
	meant := strings.ToUpper(text)
	switch meant {
	case "UK":
		meant = "GB"
	case "EL":
		meant = "GR"
	}
	if phonenumbers.GetCountryCodeForRegion(meant) != 0 {
		return fmt.Errorf("%s is not a country code of ISO 3166 with telephone numbers, do you mean %s?", quote(text), meant)
	}
	return fmt.Errorf("%s is not a country code of ISO 3166 with telephone numbers, such as GB", quote(text))
}

// region reads an ISO 3166 code that numbers can be read in.
func (r *reader) region(n *node) string {
	text, ok := r.scalar(n, "a country code, such as GB")
	if !ok {
		return ""
	}
	if err := CheckRegion(text); err != nil {
		r.wrong(n, "%v", err)
		return ""
	}
	return text
}
