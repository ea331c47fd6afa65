package customer

import (
	"reflect"
	"testing"
	"time"
)

func answer(yes bool) *bool { return &yes }

// TestJoin: what there can be one of is the first one's, a no and a warning hold
// whoever has them, and what both have the same is told apart.
func TestJoin(t *testing.T) {
	t.Parallel()
	gbp, eur := func(n int64) *Money { return &Money{n, "GBP"} }, func(n int64) *Money { return &Money{n, "EUR"} }
	low, high := 10, 70
	first, then := time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC), time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC)
	r := Record{
		ID: "A", Name: "Dana", Segment: "gold", CustomerSince: "2021-01-01", YearlyValue: gbp(100), ChurnRisk: &low, Heed: []string{"slow"},
		Consent: Consent{Phone: answer(true), Mail: answer(false)}, Fields: map[string]any{"tariff": "XL"}, Contacts: 2,
		Numbers:      []Number{{E164: "+1", ValidFrom: "2020-01-01", ValidTo: "2025-01-01", By: &Colleague{Agent: "ann"}, ConfirmedAt: &first}, {E164: "+2", Person: "Leo"}},
		Interactions: []Interaction{{ID: "I1", At: first}}, Tickets: []Ticket{{ID: "T1", Status: "closed", OpenedAt: then}},
		LastAgent: &Colleague{Agent: "ann"}, LastAgentAt: &first, Billing: &Billing{Balance: *gbp(-5), OverdueAge: 3},
	}
	o := Record{
		ID: "B", Name: "D.", Language: "en", Segment: "mass", CustomerSince: "2019-01-01", YearlyValue: gbp(50), ChurnRisk: &high, Heed: []string{"slow", "deaf"},
		Consent: Consent{Phone: answer(false), Mail: answer(true), SMS: answer(true)}, DoNotCall: true, Fields: map[string]any{"tariff": "S", "seats": 2.0}, Contacts: 3,
		Numbers:      []Number{{E164: "+1", Source: "crm"}, {E164: "+2", Person: "Dana", By: &Colleague{Agent: "bob"}, ConfirmedAt: &then}, {E164: "+3"}},
		Interactions: []Interaction{{ID: "I1", At: then}}, Tickets: []Ticket{{ID: "T2", Status: "open", OpenedAt: first}},
		LastAgent: &Colleague{Agent: "bob"}, LastAgentAt: &then, Billing: &Billing{Balance: *gbp(-7), OverdueAge: 9},
	}
	c := Record{ID: "C", YearlyValue: eur(9), Billing: &Billing{Balance: *eur(-1), OverdueAge: 1}}
	r.Join([]Account{{ID: "B", Merge: 4}, {ID: "C", Merge: 5}}, []Record{o, c})
	r.SpokeLast()
	same := func(what string, got, want any) {
		t.Helper()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", what, got, want)
		}
	}
	same("head", []any{r.Name, r.Language, r.Segment, r.CustomerSince, *r.ChurnRisk, r.Heed, r.DoNotCall, r.Contacts, *r.YearlyValue},
		[]any{"Dana", "en", "gold", "2019-01-01", 70, []string{"slow", "deaf"}, true, 5, *gbp(150)})
	same("consent", []bool{*r.Consent.Phone, *r.Consent.Mail, *r.Consent.SMS, r.Consent.Recording == nil}, []bool{false, false, true, true})
	same("fields", r.Fields, map[string]any{"tariff": "XL", "seats": 2.0})
	same("numbers", r.Numbers, []Number{
		{E164: "+1", Source: "crm", Account: "B", By: &Colleague{Agent: "ann"}, ConfirmedAt: &first},
		{E164: "+2", Person: "Leo", By: &Colleague{Agent: "bob"}, ConfirmedAt: &then}, {E164: "+3", Account: "B"},
	})
	same("interactions", []string{r.Interactions[0].ID, r.Interactions[1].ID, r.Interactions[1].Account}, []string{"I1", "B/I1", "B"})
	same("tickets", []string{r.Tickets[0].ID, r.Tickets[1].ID}, []string{"T2", "T1"})
	same("last agent", r.LastAgent.Agent, "bob")
	a := r.Attributes(then)
	same("for routing", []any{a.Balance, a.BalanceCurrency, a.OverdueDays, a.OpenTickets, a.LastAgent, a.DoNotCall}, []any{int64(-12), "GBP", 9, 1, "bob", true})
}
