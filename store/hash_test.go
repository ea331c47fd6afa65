package store

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// TestHashStays: what the first release stored is known again, so that the first
// import after an upgrade does not write every customer anew.
func TestHashStays(t *testing.T) {
	at := time.Date(2026, 11, 19, 14, 0, 0, 0, time.UTC)
	e, err := entryOf(&customer.Record{
		ID: "LW-1", Name: "Dana Whitcombe", Numbers: []customer.Number{{E164: "+447700900417", Label: "mobile"}}, Contacts: 3,
		Billing:      &customer.Billing{Balance: customer.Money{Minor: -6420, Currency: "GBP"}, Source: "billing", At: at},
		Products:     []customer.Product{{ID: "P", Kind: "fibre", Name: "Fibre 500", Status: "active"}},
		Tickets:      []customer.Ticket{{ID: "T", Title: "Drops", Kind: "fault", Status: "open", OpenedAt: at}},
		Interactions: []customer.Interaction{{ID: "I", At: at, Channel: "call", Title: "Drops", Agent: &customer.Colleague{Agent: "priya"}}},
	})
	if err != nil || e.hash != "0a37caaf7fc1465cd82cf2023209ef7c" {
		t.Errorf("%s, %v", e.hash, err)
	}
}
