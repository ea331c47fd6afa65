package screenpop

import (
	"slices"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Known is what one agent has on screen about a call: the record's version and
// the names of the facts.
type Known struct {
	Version int64
	Facts   []string // sorted
}

// factPanels says on which panels of a desk a fact stands; one of them is
// enough. "handover_note" is the sender's sentence, "draft" the sender's notes.
var factPanels = map[string][]string{
	"name": {"who", "bar"}, "number": {"bar", "who"}, "customer": {"who"}, "numbers": {"who"},
	"language": {"who"}, "segment": {"who"}, "customer_since": {"who"}, "churn_risk": {"who"},
	"heed": {"bar", "who"}, "consent": {"who"}, "account_manager": {"who"}, "last_agent": {"who", "timeline"},
	"others": {"who"}, "accounts": {"who"},
	"balance": {"money"}, "overdue": {"money"}, "last_bill": {"money"}, "we_owe": {"money"},
	"products": {"products"}, "tickets": {"tickets"}, "interactions": {"timeline"},
	"answers_used": {"answers"}, "notes": {"notes", "from"}, "draft": {"notes", "from"},
	"from": {"from", "notes"}, "handover_note": {"from"}, "path": {"path", "bar"},
}

// notOfRecord are the facts that do not come from the customer's record, so
// that the record's version says nothing about them.
var notOfRecord = []string{"number", "answers_used", "notes", "draft", "from", "handover_note", "path"}

// recordFacts names what a record says; nil for no record.
func recordFacts(r *customer.Record) []string {
	if r == nil {
		return nil
	}
	f := make([]string, 0, len(factPanels))
	add := func(has bool, name string) {
		if has {
			f = append(f, name)
		}
	}
	add(r.Name != "", "name")
	add(r.ID != "", "customer")
	add(len(r.Numbers) > 0, "numbers")
	add(r.Language != "", "language")
	add(r.Segment != "" || r.KeyAccount, "segment")
	add(r.CustomerSince != "", "customer_since")
	add(r.ChurnRisk != nil, "churn_risk")
	add(len(r.Heed) > 0, "heed")
	add(r.Consent != customer.Consent{}, "consent")
	add(r.AccountManager != nil, "account_manager")
	add(r.LastAgent != nil, "last_agent")
	add(len(r.Others) > 0, "others")
	add(len(r.Accounts)+len(r.SubAccounts) > 0 || r.PartOf != nil, "accounts")
	if b := r.Billing; b != nil {
		f = append(f, "balance")
		add(b.Overdue != nil, "overdue")
		add(b.LastBill != nil, "last_bill")
		add(b.WeOwe != nil, "we_owe")
	}
	add(len(r.Products) > 0, "products")
	add(len(r.Tickets) > 0, "tickets")
	add(len(r.Interactions) > 0, "interactions")
	return f
}

// FactsReAsked names the facts that the sender of a call knew and the
// receiver's desk, by its ack, does not show: what the caller would be asked
// again. A fact counts as shown when one of its panels is, and, if it stands
// in the customer's record, when the version shown is not older than the one
// the sender saw.
func FactsReAsked(sender Known, version int64, panels map[string]string) []string {
	var missing []string
	for _, fact := range sender.Facts {
		shown := slices.ContainsFunc(factPanels[fact], func(p string) bool { return panels[p] == "shown" })
		if version < sender.Version && !slices.Contains(notOfRecord, fact) {
			shown = false
		}
		if !shown {
			missing = append(missing, fact)
		}
	}
	return missing
}
