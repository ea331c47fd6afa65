package sample

import (
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Crafted are the customers with a story to show, as of now:
//
//	+447700900417  Dana Whitcombe: fourth contact on evening drops, a promise not kept
//	+441632960007  two customers of one household
//	+442079460004  three customers behind one switchboard
//	+441632960118  Dana Whitcombe's line, which a second account of hers has too: duplicates
//	+442079460021  a key account: a company with contacts and accounts of its own
//	+447700900023  the telephone of one of that company's contacts
//	+70001000007   Тамара Белова: about to leave, in Russian
//	+861201000008  a roaming refund, in Chinese
//	+359101000009  a line fault, in Bulgarian
//	+447700900011  a customer of three weeks, never in contact
//	+861203000013  a company in Chinese, part of a group
//	+359101000014  asked not to be called, in Bulgarian
//	+447700900012  overdue, instalments agreed
func Crafted(now time.Time) []customer.Record {
	now = now.UTC().Truncate(time.Minute)
	return []customer.Record{
		dana(now), grace(now), martin(now), clinic(now), surveyors(now), chess(now),
		harbour(now), tamara(now), chen(now), radoslav(now), newcomer(now), debtor(now),
		secondDana(now), bay(now), vesela(now),
	}
}

func yes() *bool { v := true; return &v }
func no() *bool  { v := false; return &v }

func risk(n int) *int { return &n }

func gbp(minor int64) *customer.Money { return &customer.Money{Minor: minor, Currency: "GBP"} }

func at(t time.Time) *time.Time { return &t }

func date(now time.Time, days int) string { return now.AddDate(0, 0, days).Format(time.DateOnly) }

// back is so many days ago, at that hour and minute, in UTC.
func back(now time.Time, days, hour, minute int) time.Time {
	d := now.AddDate(0, 0, -days)
	return time.Date(d.Year(), d.Month(), d.Day(), hour, minute, 0, 0, time.UTC)
}

func person(id, name string, numbers ...customer.Number) customer.Record {
	return customer.Record{
		ID: id, Version: 3, Name: name, Language: "en", Country: "GB", Zone: "Europe/London", Numbers: numbers,
		Products: []customer.Product{}, Tickets: []customer.Ticket{}, Interactions: []customer.Interaction{},
	}
}

func mobile(e164 string) customer.Number { return customer.Number{E164: e164, Label: "mobile"} }
func home(e164 string) customer.Number   { return customer.Number{E164: e164, Label: "home"} }
func work(e164 string) customer.Number   { return customer.Number{E164: e164, Label: "work"} }

func dana(now time.Time) customer.Record {
	r := person("LW-204 118 63", "Dana Whitcombe", mobile("+447700900417"), home("+441632960118"))
	r.Version, r.Segment, r.CustomerSince, r.YearlyValue = 61, "gold", date(now, -2648), gbp(104_800)
	r.ChurnRisk = risk(72)
	r.ChurnReasons = []string{"Opened “Leave and keep number” today", "Data use down 38 % in 90 days", "Two complaints, both fibre, in 30 days", "Contract ends in 19 days"}
	r.Heed = []string{"Hard of hearing: speak clearly"}
	r.Consent = customer.Consent{Phone: no(), Mail: yes(), SMS: yes(), Recording: yes()}
	r.AccountManager = colleague("owen")
	r.Billing = &customer.Billing{
		Balance: *gbp(0), LastBill: gbp(6420), LastBillOn: date(now, -22), PaidOn: date(now, -22), NextBillOn: date(now, 9),
		WeOwe: gbp(1250), WeOweSince: date(now, -16), Source: "billing", At: now.Add(-time.Minute),
	}
	r.Products = []customer.Product{
		{ID: "P1", Kind: "fibre", Name: "Fibre 500", Detail: "01632 960118", Status: "fault", Note: "4 drops in 7 days", Price: gbp(4400)},
		{ID: "P2", Kind: "mobile", Name: "Mobile Unlimited", Detail: "07700 900417", Status: "active", Price: gbp(1800)},
		{ID: "P3", Kind: "mobile", Name: "Mobile 20 GB", Detail: "07700 900630, Leo", Status: "active", Price: gbp(220)},
		{ID: "P4", Kind: "tv", Name: "TV Plus", Detail: "box returned to the shop", Status: "paused", Price: gbp(0)},
	}
	r.Tickets = []customer.Ticket{
		{ID: "T-48213", Title: "Fibre drops every evening", Detail: "Network: engineer in two days, 9 to 12", Topic: "fibre_drops", Kind: "complaint", Status: "open", OpenedAt: back(now, 13, 9, 20), DueAt: at(now.Add(3 * time.Hour))},
		{ID: "T-47790", Title: "Refund for last month's outage", Detail: "Billing, waiting for approval", Topic: "billing_question", Kind: "refund", Status: "open", OpenedAt: back(now, 16, 11, 5), DueAt: at(now.Add(-26 * time.Hour))},
		{ID: "T-45102", Title: "Address of the second SIM", Topic: "sim_swap", Kind: "request", Status: "closed", OpenedAt: back(now, 210, 10, 0), DueAt: at(back(now, 207, 10, 0)), ClosedAt: at(back(now, 208, 15, 30))},
	}
	call := back(now, 7, 14, 12)
	r.LastAgent, r.LastAgentAt, r.Contacts = colleague("priya"), at(call), 31
	r.Interactions = []customer.Interaction{
		{ID: "I31", At: now.Add(-40 * time.Minute), Channel: "web", Title: "Read “Leave and keep your number” three times", Detail: "Then the fibre status page for 4 minutes"},
		{ID: "I30", At: back(now, 1, 19, 40), Channel: "chat", Title: "“How long is my contract?”", Detail: "Answered by the assistant: ends in 20 days. Chat closed without a reply", Topic: "contract_end"},
		{ID: "I29", At: call, Channel: "call", Title: "Fibre drops between eight and ten in the evening", Topic: "fibre_drops", Agent: colleague("priya"), DurationS: 492,
			Note: "Patient, works evenings. Promised a call back by Friday if no better.", Disposition: "call_back", PromisedBy: at(back(now, 3, 17, 0)), Kept: no()},
		{ID: "I28", At: back(now, 8, 9, 0), Channel: "sms", Title: "Planned work in the street, 22 to 24 h", Detail: "Delivered"},
		{ID: "I27", At: back(now, 13, 9, 15), Channel: "mail", Title: "Complaint: paid for 500, gets 80 in the evening", Detail: "Ticket T-48213 opened", Topic: "fibre_drops", Agent: colleague("sofia")},
		{ID: "I26", At: back(now, 17, 16, 50), Channel: "shop", Title: "TV box returned", Detail: "Harrow Street"},
		{ID: "I25", At: back(now, 22, 10, 30), Channel: "visit", Title: "Engineer visit: line measured, no fault found", Topic: "fibre_drops"},
		{ID: "I24", At: back(now, 35, 12, 20), Channel: "fax", Title: "Proof of address for the second SIM", Detail: "Filed"},
	}
	r.Others = []customer.Other{{Name: "Leo Whitcombe", Detail: "may ask about …630"}}
	return r
}

// grace and martin share the telephone of their house.
func grace(now time.Time) customer.Record {
	r := person("LW-118 402 17", "Grace Holloway", home("+441632960007"), mobile("+447700900018"))
	r.Segment, r.CustomerSince, r.ChurnRisk = "silver", date(now, -3900), risk(12)
	r.Consent = customer.Consent{Mail: yes(), Recording: yes()}
	r.Products = []customer.Product{{ID: "P1", Kind: "fibre", Name: "Fibre 100", Detail: "01632 960007", Status: "active", Price: gbp(2900)}}
	r.Billing = &customer.Billing{Balance: *gbp(-2900), LastBill: gbp(2900), LastBillOn: date(now, -4), NextBillOn: date(now, 26), Source: "billing", At: now}
	r.Interactions = []customer.Interaction{{ID: "I1", At: back(now, 48, 11, 10), Channel: "call", Title: "Bill by post instead of mail", Topic: "billing_question", Agent: colleague("james"), DurationS: 210, Note: "Wants paper bills again, large print.", Disposition: "solved"}}
	r.LastAgent, r.LastAgentAt, r.Contacts = colleague("james"), at(back(now, 48, 11, 10)), 6
	r.Kind, r.Others = "household", []customer.Other{{Name: "Martin Holloway", Detail: "an account of his own, LW-118 402 25"}}
	return r
}

func martin(now time.Time) customer.Record {
	r := person("LW-118 402 25", "Martin Holloway", home("+441632960007"))
	r.Segment, r.CustomerSince, r.ChurnRisk = "mass", date(now, -1100), risk(31)
	r.Consent = customer.Consent{Phone: no(), Recording: no()}
	r.Heed = []string{"Does not want calls recorded: switch recording off first"}
	r.Products = []customer.Product{{ID: "P1", Kind: "mobile", Name: "Mobile 5 GB", Detail: "07700 900019", Status: "active", Price: gbp(900)}}
	r.Billing = &customer.Billing{Balance: *gbp(310), LastBill: gbp(900), LastBillOn: date(now, -15), PaidOn: date(now, -13), NextBillOn: date(now, 15), Source: "billing", At: now}
	r.Tickets = []customer.Ticket{{ID: "T-46550", Title: "Charged twice in the shop", Topic: "billing_question", Kind: "refund", Status: "open", OpenedAt: back(now, 6, 13, 0), DueAt: at(now.AddDate(0, 0, 4))}}
	r.Interactions = []customer.Interaction{{ID: "I1", At: back(now, 6, 12, 55), Channel: "shop", Title: "Paid twice for one top-up", Topic: "billing_question", Agent: colleague("maria"), Note: "Has both receipts."}}
	r.Contacts = 3
	r.Kind, r.Others = "household", []customer.Other{{Name: "Grace Holloway", Detail: "an account of her own, LW-118 402 17"}}
	return r
}

// clinic, surveyors and chess are tenants of one house with one switchboard.
func clinic(now time.Time) customer.Record {
	r := person("LW-300 001 08", "Westbrook Clinic, reception", work("+442079460004"))
	r.Segment, r.CustomerSince, r.AccountManager = "gold", date(now, -1500), colleague("maria")
	r.Products = []customer.Product{{ID: "P1", Kind: "fibre", Name: "Business Fibre 900", Status: "active", Price: gbp(8900)}}
	r.Heed = []string{"Patients in the room: keep it short"}
	return r
}

func surveyors(now time.Time) customer.Record {
	r := person("LW-300 001 16", "Redgate Surveyors", work("+442079460004"))
	r.Segment, r.CustomerSince = "silver", date(now, -640)
	r.Products = []customer.Product{{ID: "P1", Kind: "mobile", Name: "Business Mobile, 6 lines", Status: "active", Price: gbp(7200)}}
	return r
}

func chess(now time.Time) customer.Record {
	r := person("LW-300 001 24", "Strand Chess Club", work("+442079460004"))
	r.Segment, r.CustomerSince = "mass", date(now, -220)
	r.Products = []customer.Product{{ID: "P1", Kind: "fibre", Name: "Fibre 100", Status: "active", Price: gbp(2900)}}
	return r
}
