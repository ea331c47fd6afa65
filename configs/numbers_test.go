package configs

import (
	"strings"
	"testing"
)

// What is refused below transfers.numbers, all at once: who may have any number
// called would have us pay.
func TestNumbersKeysRefused(t *testing.T) {
	for text, want := range map[string][]string{
		"{to: [GB], teams: [field]}":        nil,
		"{to: [GB], teams: []}":             nil,
		"{}":                                {"transfers.numbers.to"},
		"{to: GB}":                          {"transfers.numbers.to"},
		"{to: [UK]}":                        {`"UK" is not a country code of ISO 3166 with telephone numbers, do you mean GB?`},
		"{to: [GB, GB]}":                    {"GB is named twice"},
		"{to: [GB], teams: [fields]}":       {"team fields is not declared, did you mean field?"},
		"{to: [GB], premium: true}":         {"unknown key transfers.numbers.premium"},
		"{to: [ZZ, \"*\"], teams: [field]}": {`"ZZ" is not`, `"*" is not`},
	} {
		p, findings := ParseRouting("x.yaml", []byte(asking+"teams: [field]\ntransfers: {numbers: "+text+"}\n"))
		if (p != nil) != (len(want) == 0) || len(findings) != len(want) {
			t.Errorf("%s: loaded %v, %v", text, p != nil, findings)
			continue
		}
		for i, f := range findings {
			if !strings.Contains(f.String(), want[i]) {
				t.Errorf("%s: %s, want %s", text, f.String(), want[i])
			}
		}
		if p != nil && (p.Transfers.Numbers.Allows("desk", "GB") || p.Transfers.Numbers.Allows("field", "FR")) {
			t.Errorf("%s: allows %+v", text, p.Transfers.Numbers)
		}
	}
}
