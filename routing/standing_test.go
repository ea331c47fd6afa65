package routing

import (
	"strings"
	"testing"
)

// What an explanation shows of a condition names nobody: neither a caller whose
// number it compares, nor a person.
func TestLiteralsAreHidden(t *testing.T) {
	p := &plan{Policy: &Policy{Fields: map[string]string{"contact": "person", "tariff": "text"}}}
	for source, want := range map[string]string{
		`call.ani == "+447700900001"`:                                 `call.ani == "…"`,
		`call.ani in ["+447700900001", '+447700900002', "+44"]`:       `call.ani in ["…", "…", "+44"]`,
		`call.ani startsWith "+4477"`:                                 `call.ani startsWith "+4477"`,
		`customer.id != "k\"7"`:                                       `customer.id != "…"`,
		"customer.contact contains `Ana`":                             `customer.contact contains "…"`,
		`has("customer.contact") and customer.contact == "Ana Petit"`: `has("customer.contact") and customer.contact == "…"`,
		`customer.tariff == "fibre 1000"`:                             `customer.tariff == "fibre 1000"`,
		`call.dnis == "+442079460100"`:                                `call.dnis == "+442079460100"`,
		`call.ani == "+447700900001`:                                  `call.ani == "…"`,
	} {
		if got := hideLiterals(p, source); got != want {
			t.Errorf("%s is shown as %s, want %s", source, got, want)
		}
	}
	if strings.Contains(hideLiterals(p, `call.ani == "07700900001"`), "7700") {
		t.Error("a number without + is shown")
	}
}
