package screenpop

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return noon.Add(-d) }

func at(t time.Time) *time.Time { return &t }

func TestStory(t *testing.T) {
	yes, no := true, false
	drops := func(d time.Duration) customer.Interaction { return customer.Interaction{At: ago(d), Topic: "drops"} }
	for name, c := range map[string]struct {
		rec   *customer.Record
		topic string
		from  *fromView
		want  []string
	}{
		"nobody":          {nil, "", nil, nil},
		"first contact":   {&customer.Record{}, "", nil, []string{"first_contact"}},
		"new customer":    {&customer.Record{CustomerSince: "2026-11-01", Contacts: 3}, "", nil, []string{"new_customer"}},
		"nothing to tell": {&customer.Record{CustomerSince: "2019-11-01", Contacts: 3}, "", nil, nil},
		"second on topic": {&customer.Record{Contacts: 1, Interactions: []customer.Interaction{drops(day)}}, "drops", nil, []string{"repeat_contact"}},
		"one is no guess": {&customer.Record{Contacts: 1, Interactions: []customer.Interaction{drops(day)}}, "", nil, nil},
		"two are":         {&customer.Record{Contacts: 2, Interactions: []customer.Interaction{drops(day), drops(2 * day)}}, "", nil, []string{"repeat_contact"}},
		"another topic":   {&customer.Record{Contacts: 2, Interactions: []customer.Interaction{drops(day), drops(2 * day)}}, "bill", nil, nil},
		"long ago":        {&customer.Record{Contacts: 2, Interactions: []customer.Interaction{drops(31 * day), drops(32 * day)}}, "drops", nil, nil},
		"promise kept":    {&customer.Record{Contacts: 1, Interactions: []customer.Interaction{{At: ago(day), PromisedBy: at(ago(time.Hour)), Kept: &yes}}}, "", nil, nil},
		"promise broken":  {&customer.Record{Contacts: 1, Interactions: []customer.Interaction{{At: ago(day), PromisedBy: at(ago(time.Hour))}}}, "", nil, []string{"promise_broken"}},
		"given up early":  {&customer.Record{Contacts: 1, Interactions: []customer.Interaction{{At: ago(day), PromisedBy: at(noon.Add(time.Hour)), Kept: &no}}}, "", nil, []string{"promise_broken"}},
		"promise due":     {&customer.Record{Contacts: 1, Interactions: []customer.Interaction{{At: ago(day), PromisedBy: at(noon.Add(time.Hour))}}}, "", nil, []string{"promise_due"}},
		"ticket late":     {&customer.Record{Contacts: 1, Tickets: []customer.Ticket{{ID: "T", Status: "open", DueAt: at(ago(30 * time.Hour))}}}, "", nil, []string{"ticket_late"}},
		"ticket closed":   {&customer.Record{Contacts: 1, Tickets: []customer.Ticket{{ID: "T", Status: "closed", DueAt: at(ago(30 * time.Hour))}}}, "", nil, nil},
		"ticket due":      {&customer.Record{Contacts: 1, Tickets: []customer.Ticket{{ID: "T", Status: "open", DueAt: at(noon.Add(day))}}}, "", nil, []string{"ticket_due"}},
		"ticket far off":  {&customer.Record{Contacts: 1, Tickets: []customer.Ticket{{ID: "T", Status: "open", DueAt: at(noon.Add(8 * day))}}}, "", nil, nil},
		"overdue":         {&customer.Record{Contacts: 1, Billing: &customer.Billing{Overdue: &customer.Money{Minor: 900, Currency: "GBP"}}}, "", nil, []string{"overdue"}},
		"nothing overdue": {&customer.Record{Contacts: 1, Billing: &customer.Billing{Overdue: &customer.Money{Currency: "GBP"}}}, "", nil, nil},
		"passed on":       {nil, "", &fromView{Name: "Priya", Note: "Port 12"}, []string{"passed_on"}},
		"three at most": {&customer.Record{
			Contacts: 3, Billing: &customer.Billing{Overdue: &customer.Money{Minor: 900}},
			Interactions: []customer.Interaction{drops(day), {At: ago(2 * day), Topic: "drops", PromisedBy: at(ago(day)), Note: "n"}},
			Tickets:      []customer.Ticket{{ID: "T", Status: "open", DueAt: at(ago(day))}},
		}, "drops", &fromView{Name: "Priya"}, []string{"passed_on", "repeat_contact", "promise_broken"}},
	} {
		var got []string
		for _, l := range Story(c.rec, c.topic, c.from, noon) {
			got = append(got, l.Code)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestStoryValues(t *testing.T) {
	rec := &customer.Record{
		Contacts: 2,
		Interactions: []customer.Interaction{
			{At: ago(day), Topic: "drops", Note: strings.Repeat("ж", 300)}, {At: ago(5 * day), Topic: "drops"},
		},
		Tickets: []customer.Ticket{{ID: "T2", Status: "open", DueAt: at(ago(2 * day))}, {ID: "T1", Title: "Drops", Status: "open", DueAt: at(ago(3*day + time.Hour))}},
	}
	s := Story(rec, "", nil, noon)
	if s[0].N != 3 || *s[0].Days != 6 || s[0].Topic != "drops" {
		t.Errorf("repeat contact: %+v", s[0])
	}
	if s[1].ID != "T1" || *s[1].Days != 3 || s[1].Title != "Drops" {
		t.Errorf("late ticket: %+v", s[1])
	}
	if n := len([]rune(s[2].Text)); s[2].Code != "last_note" || n != storyText || s[2].At != ago(day).UnixMicro() {
		t.Errorf("last note: %s of %d characters", s[2].Code, n)
	}
}

func TestFactsReAsked(t *testing.T) {
	all := map[string]string{}
	for _, p := range panelNames {
		all[p] = "shown"
	}
	without := func(names ...string) map[string]string {
		m := map[string]string{}
		for k, v := range all {
			m[k] = v
		}
		for i, n := range names {
			m[n] = []string{"late", "failed", "empty"}[i%3]
		}
		return m
	}
	sender := Known{Version: 7, Facts: []string{"name", "number", "balance", "products", "draft", "handover_note", "answers_used", "path"}}
	for name, c := range map[string]struct {
		version int64
		panels  map[string]string
		want    []string
	}{
		"all shown":         {7, all, nil},
		"newer record":      {8, all, nil},
		"older record":      {6, all, []string{"name", "balance", "products"}},
		"no record":         {0, all, []string{"name", "balance", "products"}},
		"no money":          {7, without("money"), []string{"balance"}},
		"name in the bar":   {7, without("who"), nil},
		"neither":           {7, without("who", "bar"), []string{"name", "number"}},
		"notes but no from": {7, without("from"), []string{"handover_note"}},
		"from but no notes": {7, without("notes"), nil},
		"nothing painted":   {7, nil, sender.Facts},
	} {
		if got := FactsReAsked(sender, c.version, c.panels); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	// Every fact there is has a panel, or it would count as asked again always.
	full := &customer.Record{
		ID: "1", Name: "n", Language: "en", Segment: "s", CustomerSince: "x", ChurnRisk: new(int), Heed: []string{"h"},
		Numbers: []customer.Number{{}}, Consent: customer.Consent{Phone: new(bool)}, AccountManager: &customer.Colleague{},
		LastAgent: &customer.Colleague{}, Others: []customer.Other{{}}, Accounts: []customer.Account{{}}, Products: []customer.Product{{}}, Tickets: []customer.Ticket{{}},
		Interactions: []customer.Interaction{{}}, Billing: &customer.Billing{Overdue: &customer.Money{}, LastBill: &customer.Money{}, WeOwe: &customer.Money{}},
	}
	if got := FactsReAsked(Known{Facts: append(recordFacts(full), notOfRecord...)}, 0, all); got != nil {
		t.Errorf("facts without a panel: %v", got)
	}
	if n := len(recordFacts(full)); n != 20 {
		t.Errorf("%d facts of a full record", n)
	}
}
