package sample

import (
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// contact is a number of somebody in a company.
func contact(e164, person string) customer.Number {
	return customer.Number{E164: e164, Label: "mobile", Person: person, Source: "crm"}
}

// secondDana is the account that a shop opened for Dana Whitcombe once more.
func secondDana(now time.Time) customer.Record {
	r := person("LW-931 006 44", "WHITCOMBE, Dana", home("+441632960118"))
	r.Segment, r.CustomerSince = "mass", date(now, -120)
	r.Products = []customer.Product{{ID: "P1", Kind: "mobile", Name: "Mobile 5 GB, second SIM", Detail: "bought in the shop", Status: "active", Price: gbp(900)}}
	r.Billing = &customer.Billing{Balance: *gbp(-900), LastBill: gbp(900), LastBillOn: date(now, -9), NextBillOn: date(now, 21), Source: "billing", At: now}
	r.Interactions = []customer.Interaction{{ID: "I1", At: back(now, 120, 15, 20), Channel: "shop", Title: "New account for a second SIM", Detail: "Harrow Street"}}
	r.Contacts = 1
	return r
}

func bay(now time.Time) customer.Record {
	r := person("LW-620 400 17", "海湾冷链物流有限公司", work("+861203000013"), contact("+861201000015", "林晓梅"))
	r.Language, r.Country, r.Zone, r.Kind = "zh", "CN", "Asia/Shanghai", "company"
	cny := func(minor int64) *customer.Money { return &customer.Money{Minor: minor, Currency: "CNY"} }
	r.Segment, r.CustomerSince, r.YearlyValue, r.ChurnRisk = "gold", date(now, -1430), cny(4_860_000), risk(18)
	r.Consent = customer.Consent{Phone: yes(), Mail: yes(), Recording: yes()}
	r.PartOf = &customer.SubAccount{ID: "LW-620 400 01", Name: "海湾集团"}
	r.SubAccounts = []customer.SubAccount{{ID: "LW-620 400 25", Name: "海湾冷链 北仓", Detail: "单独结算"}, {ID: "LW-620 400 33", Name: "海湾冷链 车队", Detail: "手机 36 部"}}
	r.Others = []customer.Other{{Name: "林晓梅", Detail: "行政，可以下单"}, {Name: "夜班调度", Detail: "只能报故障"}}
	r.Billing = &customer.Billing{Balance: *cny(0), LastBill: cny(405_000), LastBillOn: date(now, -7), PaidOn: date(now, -3), NextBillOn: date(now, 23), Source: "billing", At: now}
	r.Products = []customer.Product{{ID: "P1", Kind: "fibre", Name: "企业专线 1 Gbit/s", Detail: "南仓", Status: "active", Price: cny(280_000)}, {ID: "P2", Kind: "mobile", Name: "企业手机 36 部", Status: "active", Price: cny(125_000)}}
	call := back(now, 9, 7, 25)
	r.Interactions = []customer.Interaction{{ID: "I5", At: call, Channel: "call", Title: "北仓加一条备用线路", Topic: "business_line", Agent: colleague("wu"), DurationS: 412, Note: "月底前给报价，联系林晓梅。", Disposition: "call_back", PromisedBy: at(now.AddDate(0, 0, 7))}}
	r.LastAgent, r.LastAgentAt, r.Contacts = colleague("wu"), at(call), 22
	return r
}

func vesela(now time.Time) customer.Record {
	r := person("LW-703 240 51", "Весела Дренска", mobile("+359101000014"))
	r.Language, r.Country, r.Zone, r.DoNotCall = "bg", "BG", "Europe/Sofia", true
	eur := func(minor int64) *customer.Money { return &customer.Money{Minor: minor, Currency: "EUR"} }
	r.Segment, r.CustomerSince, r.YearlyValue, r.ChurnRisk = "mass", date(now, -2010), eur(22_680), risk(35)
	r.Heed = []string{"Не иска да ѝ се звони: само писма и SMS"}
	r.Consent = customer.Consent{Phone: no(), Mail: yes(), SMS: yes(), Recording: no()}
	r.Billing = &customer.Billing{Balance: *eur(0), LastBill: eur(1890), LastBillOn: date(now, -14), PaidOn: date(now, -12), NextBillOn: date(now, 16), Source: "billing", At: now}
	r.Products = []customer.Product{{ID: "P1", Kind: "mobile", Name: "Мобилен 10 GB", Detail: "този телефон", Status: "active", Price: eur(1890)}}
	call := back(now, 26, 12, 5)
	r.Interactions = []customer.Interaction{
		{ID: "I3", At: back(now, 25, 9, 0), Channel: "mail", Title: "Потвърждение: няма да ви звъним", Detail: "Изпратено"},
		{ID: "I2", At: call, Channel: "call", Title: "Оплакване от рекламно обаждане", Topic: "billing_question", Agent: colleague("petar"), DurationS: 188, Note: "Звънели са ѝ през почивните дни. Отбелязано: не се звъни.", Disposition: "solved"},
	}
	r.LastAgent, r.LastAgentAt, r.Contacts = colleague("petar"), at(call), 3
	return r
}
