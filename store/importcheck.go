package store

import (
	"errors"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/cordboard/cordboard/screenpop/customer"
)

const maxID = 64

// checkRecord makes a record from outside fit to be stored: numbers become
// E.164, what cannot be right is refused. Errors are *badLine. Numbers that cannot be
// read are left out and told by their places, from 1 on.
func checkRecord(r *customer.Record, region string) (unread []int, err error) {
	if err := checkHead(r); err != nil {
		return nil, err
	}
	if strings.TrimSpace(r.Name) == "" {
		r.Name = r.ID // somebody of whom there is a number and no more
	}
	if unread, err = checkNumbers(r, region); err != nil {
		return nil, err
	}
	if err := checkBilling(r.Billing); err != nil {
		return nil, err
	}
	if err := checkProducts(r.Products); err != nil {
		return nil, err
	}
	if err := checkTickets(r.Tickets); err != nil {
		return nil, err
	}
	return unread, checkInteractions(r.Interactions)
}

// checkHead checks what there is one of.
func checkHead(r *customer.Record) error {
	switch {
	case r.ID == "":
		return bad("no id")
	case len(r.ID) > maxID || strings.ContainsFunc(r.ID, unicode.IsControl):
		return &badLine{id: "?", reason: "id is longer than 64 bytes or holds control characters"}
	case strings.TrimSpace(r.Name) == "" && len(r.Numbers) == 0:
		return bad("no name")
	case r.Language != "" && !letters(r.Language, 2, 'a'):
		return bad("language is not two small letters (ISO 639-1)")
	case r.Country != "" && !letters(r.Country, 2, 'A'):
		return bad("country is not two capital letters (ISO 3166-1)")
	case r.ChurnRisk != nil && (*r.ChurnRisk < 0 || *r.ChurnRisk > 100):
		return bad("churn_risk is not 0 to 100")
	case len(r.BillingElse)+len(r.Facts) > 0:
		return bad("billing_else and facts are what other systems say at the time, and not a record's own")
	case r.Contacts < 0:
		return bad("contacts is negative")
	}
	if err := day("customer_since", r.CustomerSince); err != nil {
		return err
	}
	if err := checkTraits(r); err != nil {
		return err
	}
	if len(r.Accounts) > 0 {
		return bad("accounts are merged by cordboard merge (docs/merging.md), not by an import")
	}
	return amount("yearly_value", r.YearlyValue)
}

// checkNumbers brings numbers to E.164. One that cannot be read costs the customer
// nothing but itself: files are full of them. Without a region it does: then it is
// the import that is asked wrongly, and not a number or two that are wrong.
func checkNumbers(r *customer.Record, region string) (unread []int, err error) {
	seen := map[string]bool{}
	var out []customer.Number
	for i, n := range r.Numbers {
		if err := errors.Join(day("valid_from", n.ValidFrom), day("valid_to", n.ValidTo)); err != nil {
			return nil, bad("number %d: valid_from and valid_to are dates YYYY-MM-DD", i+1)
		}
		if n.ValidTo != "" && n.ValidTo < n.ValidFrom {
			return nil, bad("number %d: valid_to is before valid_from", i+1)
		}
		all := customer.ReadNumbers(n.E164, region, r.Country)
		gone := customer.OutOfUse(n.Label + " " + n.E164)
		if gone {
			all = nil
		}
		if len(all) == 0 {
			if !gone && region == "" && !strings.HasPrefix(strings.TrimSpace(n.E164), "+") {
				return nil, bad("number %d is not a telephone number: without a region it begins with +", i+1)
			}
			unread = append(unread, i+1)
		}
		for _, e164 := range all {
			if !seen[e164] {
				seen[e164] = true
				out = append(out, customer.Number{
					E164: e164, Label: n.Label, Person: n.Person, ValidFrom: n.ValidFrom, ValidTo: n.ValidTo, Source: n.Source,
				})
			}
		}
	}
	r.Numbers = out
	return unread, nil
}

func checkBilling(b *customer.Billing) error {
	if b == nil {
		return nil
	}
	if b.OverdueAge < 0 {
		return bad("overdue_days is negative")
	}
	for _, d := range []struct{ name, day string }{
		{"last_bill_on", b.LastBillOn}, {"paid_on", b.PaidOn}, {"next_bill_on", b.NextBillOn}, {"we_owe_since", b.WeOweSince},
	} {
		if err := day(d.name, d.day); err != nil {
			return err
		}
	}
	for _, m := range []struct {
		name string
		m    *customer.Money
	}{{"balance", &b.Balance}, {"overdue", b.Overdue}, {"last_bill", b.LastBill}, {"we_owe", b.WeOwe}} {
		if err := amount(m.name, m.m); err != nil {
			return err
		}
	}
	if b.Source == "" {
		b.Source = "import"
	}
	if b.At.IsZero() {
		b.At = time.Now()
	}
	return nil
}

func checkProducts(list []customer.Product) error {
	seen := map[string]bool{}
	for i, p := range list {
		if err := part("product", i, p.ID, seen); err != nil {
			return err
		}
		if !slices.Contains([]string{"active", "paused", "fault", "ended"}, p.Status) {
			return bad("product %d: status is not active, paused, fault or ended", i+1)
		}
		if p.Name == "" || p.Kind == "" {
			return bad("product %d: no name or no kind", i+1)
		}
		if p.Source != "" {
			return bad("product %d: source is of what other systems say at the time, and not a record's own", i+1)
		}
		if err := amount("price", p.Price); err != nil {
			return err
		}
	}
	return nil
}

func checkTickets(list []customer.Ticket) error {
	seen := map[string]bool{}
	for i, k := range list {
		if err := part("ticket", i, k.ID, seen); err != nil {
			return err
		}
		switch {
		case k.Status != "open" && k.Status != "closed":
			return bad("ticket %d: status is not open or closed", i+1)
		case k.Source != "":
			return bad("ticket %d: source is of what other systems say at the time, and not a record's own", i+1)
		case k.Title == "" || k.OpenedAt.IsZero():
			return bad("ticket %d: no title or no opened_at", i+1)
		case !slices.Contains([]string{"fault", "complaint", "request", "refund"}, k.Kind):
			return bad("ticket %d: kind is not fault, complaint, request or refund", i+1)
		}
	}
	return nil
}

func checkInteractions(list []customer.Interaction) error {
	seen := map[string]bool{}
	for i, c := range list {
		if err := part("interaction", i, c.ID, seen); err != nil {
			return err
		}
		switch {
		case c.At.IsZero():
			return bad("interaction %d: no at", i+1)
		case c.Source != "" || c.ChangedAt != nil || c.Links != nil:
			return bad("interaction %d: source, changed_at and links come by the API alone (docs/interactions.md)", i+1)
		case c.DurationS < 0:
			return bad("interaction %d: duration_s is negative", i+1)
		case !slices.Contains([]string{"call", "web", "chat", "mail", "sms", "shop", "visit", "fax"}, c.Channel):
			return bad("interaction %d: unknown channel", i+1)
		}
	}
	return nil
}

// part checks the id of the i-th product, ticket or interaction.
func part(what string, i int, id string, seen map[string]bool) error {
	switch {
	case id == "":
		return bad("%s %d: no id", what, i+1)
	case len(id) > maxID || strings.ContainsFunc(id, unicode.IsControl):
		return bad("%s %d: id is longer than 64 bytes or holds control characters", what, i+1)
	case seen[id]:
		return bad("%s %d: its id is there twice", what, i+1)
	}
	seen[id] = true
	return nil
}

func amount(name string, m *customer.Money) error {
	if m != nil && !letters(m.Currency, 3, 'A') {
		return bad("%s: currency is not three capital letters (ISO 4217)", name)
	}
	return nil
}

func day(name, text string) error {
	if text == "" {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return bad("%s is not a date YYYY-MM-DD", name)
	}
	return nil
}

// letters: n letters of the alphabet that begins with first.
func letters(text string, n int, first byte) bool {
	if len(text) != n {
		return false
	}
	for i := range n {
		if text[i] < first || text[i] > first+25 {
			return false
		}
	}
	return true
}
