package store

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// fullRecord has something in every field.
func fullRecord() customer.Record {
	at := time.UnixMicro(1_790_000_000_000_123).UTC()
	risk, trend, yes, no := 42, -20, true, false
	money := func(minor int64) *customer.Money { return &customer.Money{Minor: minor, Currency: "GBP"} }
	by := func(id, name string) *customer.Colleague { return &customer.Colleague{Agent: id, Name: name} }
	return customer.Record{
		ID: "LW-1", Version: 7, Name: "Dana Whitcombe", Language: "en", Country: "GB", Zone: "Europe/London",
		Numbers: []customer.Number{{E164: "+447700900417", Label: "mobile", By: by("priya", "Priya Lund"), ConfirmedAt: &at, Account: "LW-2", Person: "Leo", ValidFrom: "2020-01-02", ValidTo: "2039-12-31", Source: "crm"}},
		Kind:    "company", PartOf: &customer.SubAccount{ID: "LW-9", Name: "Holding", Detail: "group"}, SubAccounts: []customer.SubAccount{{ID: "LW-7", Name: "Shop", Detail: "Harrow Street"}},
		Segment: "gold", KeyAccount: true, CustomerSince: "2019-04-01", YearlyValue: money(98_000), ChurnRisk: &risk,
		ChurnReasons: []string{"price"}, Heed: []string{"Speak slowly"},
		Consent:     customer.Consent{Phone: &yes, Mail: &no, SMS: &yes, Recording: &no},
		ContractEnd: "2027-01-31", UsageTrend: &trend, DoNotCall: true, FraudFlag: true, BirthDate: "1990-02-28",
		Fields:         map[string]any{"tariff": "XL", "seats": 60.0, "outage": true, "tags": []any{"a", "b"}},
		AccountManager: by("marc", "Marc Aspen"), LastAgent: by("priya", "Priya Lund"), LastAgentAt: &at,
		Billing: &customer.Billing{
			Balance: *money(-4200), Overdue: money(4200), OverdueAge: 9, LastBill: money(4100), LastBillOn: "2026-11-01", PaidOn: "2026-10-03",
			NextBillOn: "2026-12-01", WeOwe: money(500), WeOweSince: "2026-09-09", Source: "billing", At: at,
		},
		Products: []customer.Product{{ID: "p1", Kind: "fibre", Name: "Fibre 500", Detail: "line 3", Status: "fault", Note: "4 drops in 7 days", Price: money(3900), Account: "LW-2", Source: "orders"}},
		Tickets: []customer.Ticket{{
			ID: "t1", Title: "Drops", Detail: "at night", Topic: "line_fault", Kind: "fault", Status: "closed", OpenedAt: at, DueAt: &at, ClosedAt: &at, Account: "LW-2", Source: "crm",
		}},
		Interactions: []customer.Interaction{{
			ID: "i1", At: at, Channel: "call", Title: "Drops", Detail: "again", Topic: "line_fault", Agent: by("priya", "Priya Lund"), Note: "sends an engineer",
			Disposition: "fixed", DurationS: 61, Call: 12, PromisedBy: &at, Kept: &no,
			Source: "web", ChangedAt: &at, Links: []customer.Link{{Title: "letter", URL: "https://files.example.com/7"}}, Account: "LW-2",
		}},
		Contacts: 3, Others: []customer.Other{{Name: "Leo", Detail: "may ask"}},
		Facts: []customer.Fact{{Name: "Dunning", Value: "2", Source: "billing", At: at}},
		BillingElse: []customer.Billing{{
			Balance: *money(-40), Overdue: money(40), OverdueAge: 2, LastBill: money(39), LastBillOn: "2026-11-03", PaidOn: "2026-10-05",
			NextBillOn: "2026-12-03", WeOwe: money(4), WeOweSince: "2026-09-11", Source: "crm", At: at,
		}},
		Accounts: []customer.Account{{
			ID: "LW-2", Name: "D. Whitcombe", Segment: "silver", CustomerSince: "2021-04-01", LastAgent: by("priya", "Priya Lund"), LastAgentAt: &at,
			Merge: 7, MergedBy: *by("sue", "Sue Marsh"), MergedAt: at,
			Billing: &customer.Billing{
				Balance: *money(-42), Overdue: money(42), OverdueAge: 3, LastBill: money(41), LastBillOn: "2026-11-02", PaidOn: "2026-10-04",
				NextBillOn: "2026-12-02", WeOwe: money(5), WeOweSince: "2026-09-10", Source: "billing", At: at,
			},
		}},
	}
}

// TestDocumentForm: documents that an earlier release wrote are read as they were
// meant. When this fails, the record's JSON has changed: that takes a migration
// that sets record to NULL (look-ups make them anew), then this file.
func TestDocumentForm(t *testing.T) {
	t.Parallel()
	r := fullRecord()
	d, err := documentOf(&r, 1)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "document.txt")
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := []byte(d.record + d.history + "\n"); !bytes.Equal(got, want) {
		t.Errorf("a document is written as\n%s\nwas\n%s", got, want)
	}
	record, history, _ := bytes.Cut(want, []byte("\n"))
	old := document{customer: r.ID, version: r.Version, contacts: r.Contacts, record: string(record), history: string(bytes.TrimSpace(history))}
	read, err := old.read()
	if err != nil {
		t.Fatal(err)
	}
	// These come with the row.
	read.LastAgent, read.LastAgentAt, read.Billing.At = r.LastAgent, r.LastAgentAt, r.Billing.At
	if !reflect.DeepEqual(read, r) {
		t.Errorf("read\n%+v\nwant\n%+v", read, r)
	}
	if empty := emptyField(reflect.ValueOf(r)); empty != "" {
		t.Errorf("the record of this test has nothing in %s", empty)
	}
}

// TestNamesHoldNobodyUp: a look-up ends in time, whoever is reading the users'
// names of a database that says nothing.
func TestNamesHoldNobodyUp(t *testing.T) {
	t.Parallel()
	s := opened(t, Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	r := fullRecord()
	if err := s.SaveCustomers(t.Context(), []customer.Record{r}); err != nil {
		t.Fatal(err)
	}
	s.names.turn <- struct{}{} // somebody reads them
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := s.Lookup(ctx, r.Numbers[0].E164); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a look-up beside it: %v", err)
	}
	<-s.names.turn
	if m, err := s.Lookup(t.Context(), r.Numbers[0].E164); err != nil || m.Record == nil {
		t.Errorf("after it: %+v, %v", m, err)
	}
}

// emptyField is the first field in which nothing stands.
func emptyField(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "it"
		}
		return emptyField(v.Elem())
	case reflect.Slice:
		if v.Len() == 0 {
			return "it"
		}
		return emptyField(v.Index(0))
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return ""
		}
		for i := range v.NumField() {
			if v.Field(i).Kind() != reflect.Bool && v.Field(i).IsZero() || emptyField(v.Field(i)) != "" {
				return v.Type().Field(i).Name + " of " + v.Type().Name()
			}
		}
	}
	return ""
}
