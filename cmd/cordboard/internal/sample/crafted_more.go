package sample

import (
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

func harbour(now time.Time) customer.Record {
	r := person("LW-900 010 02", "Harbour & Lowe Logistics",
		work("+442079460021"), work("+442079460022"), contact("+447700900023", "Ines Marlow"), contact("+447700900024", "Tom Ashdown"))
	r.Kind = "company"
	r.Numbers[3].ValidTo = date(now, -30)
	r.SubAccounts = []customer.SubAccount{
		{ID: "LW-900 010 10", Name: "Harbour & Lowe Cold Store", Detail: "Dock 4, own bill"},
		{ID: "LW-900 010 28", Name: "Harbour & Lowe Couriers", Detail: "140 lines"},
	}
	r.Version, r.Segment, r.KeyAccount, r.CustomerSince = 118, "key", true, date(now, -3320)
	r.YearlyValue, r.ChurnRisk, r.AccountManager = gbp(4_284_000), risk(24), colleague("owen")
	r.Heed = []string{"Dispatch desk: an open line is money, no small talk"}
	r.Consent = customer.Consent{Phone: yes(), Mail: yes(), SMS: no(), Recording: yes()}
	r.Billing = &customer.Billing{Balance: *gbp(-357_000), LastBill: gbp(357_000), LastBillOn: date(now, -6), NextBillOn: date(now, 24), Source: "billing", At: now.Add(-2 * time.Minute)}
	r.Products = []customer.Product{
		{ID: "P1", Kind: "fibre", Name: "Leased line 10 Gbit/s", Detail: "Dock 4 and head office", Status: "active", Price: gbp(189_000)},
		{ID: "P2", Kind: "mobile", Name: "Business Mobile, 140 lines", Detail: "drivers and dispatch", Status: "active", Price: gbp(154_000)},
		{ID: "P3", Kind: "other", Name: "Number block, 100 extensions", Status: "active", Price: gbp(14_000)},
	}
	call := back(now, 12, 9, 35)
	r.Tickets = []customer.Ticket{{ID: "T-48001", Title: "20 SIM cards for the winter drivers", Detail: "Courier tomorrow", Topic: "business_line", Kind: "request", Status: "open", OpenedAt: back(now, 4, 15, 0), DueAt: at(now.AddDate(0, 0, 1))}}
	r.Interactions = []customer.Interaction{
		{ID: "I212", At: back(now, 4, 14, 50), Channel: "mail", Title: "Order: 20 SIM cards for the winter drivers", Detail: "Ticket T-48001 opened", Topic: "business_line", Agent: colleague("owen")},
		{ID: "I211", At: call, Channel: "call", Title: "Roaming for the Calais run", Topic: "business_line", Agent: colleague("owen"), DurationS: 655, Note: "Wants one pool of data for all drivers. Quote by the end of the month.", Disposition: "call_back", PromisedBy: at(now.AddDate(0, 0, 6))},
		{ID: "I210", At: back(now, 40, 8, 0), Channel: "visit", Title: "Quarterly review at their office", Agent: colleague("owen"), Note: "Happy with the line. Second supplier is courting them on mobile."},
	}
	r.LastAgent, r.LastAgentAt, r.Contacts = colleague("owen"), at(call), 212
	r.Others = []customer.Other{
		{Name: "Ines Marlow", Detail: "head of dispatch, may order"}, {Name: "Night dispatch", Detail: "may report faults, may not order"},
		{Name: "Tom Ashdown", Detail: "has left"},
	}
	return r
}

func rub(minor int64) *customer.Money { return &customer.Money{Minor: minor, Currency: "RUB"} }

func tamara(now time.Time) customer.Record {
	r := person("LW-517 203 44", "Тамара Белова", mobile("+70001000007"))
	r.Language, r.Country, r.Zone = "ru", "RU", "Europe/Moscow"
	r.Version, r.Segment, r.CustomerSince, r.YearlyValue, r.ChurnRisk = 44, "gold", date(now, -2100), rub(1_680_000), risk(88)
	r.ChurnReasons = []string{"Сегодня читала «Перейти с сохранением номера»", "Обещание перезвонить не выполнено", "Договор кончается через 11 дней"}
	r.Heed = []string{"Просит обращаться по имени и отчеству: Тамара Ильинична"}
	r.Consent = customer.Consent{Phone: no(), Mail: yes(), SMS: yes(), Recording: yes()}
	r.AccountManager = colleague("dmitri")
	r.Billing = &customer.Billing{Balance: *rub(0), LastBill: rub(140_000), LastBillOn: date(now, -18), PaidOn: date(now, -16), NextBillOn: date(now, 12), WeOwe: rub(27_500), WeOweSince: date(now, -9), Source: "billing", At: now.Add(-time.Minute)}
	r.Products = []customer.Product{
		{ID: "P1", Kind: "fibre", Name: "Интернет 500", Status: "fault", Note: "5 обрывов за 7 дней", Price: rub(95_000)},
		{ID: "P2", Kind: "mobile", Name: "Мобильный 20 ГБ", Detail: "этот телефон", Status: "active", Price: rub(45_000)},
	}
	call := back(now, 5, 16, 20)
	r.Tickets = []customer.Ticket{
		{ID: "T-48177", Title: "Обрывы связи каждый вечер", Detail: "Сеть: перевод на запасной порт", Topic: "fibre_drops", Kind: "complaint", Status: "open", OpenedAt: back(now, 9, 10, 0), DueAt: at(now.Add(-20 * time.Hour))},
		{ID: "T-48178", Title: "Перерасчёт за дни без связи", Detail: "Расчёты, ждёт одобрения", Topic: "billing_question", Kind: "refund", Status: "open", OpenedAt: back(now, 9, 9, 50), DueAt: at(now.AddDate(0, 0, 2))},
	}
	r.Interactions = []customer.Interaction{
		{ID: "I19", At: now.Add(-55 * time.Minute), Channel: "web", Title: "Прочитано «Перейти с сохранением номера»", Detail: "Дважды за час"},
		{ID: "I18", At: call, Channel: "call", Title: "Обрывы с восьми до десяти вечера", Topic: "fibre_drops", Agent: colleague("dmitri"), DurationS: 540,
			Note: "Третье обращение. По вечерам работает из дома, связь нужна до одиннадцати. Обещан звонок до пятницы с датой перевода на запасной порт.", Disposition: "call_back", PromisedBy: at(back(now, 2, 15, 0)), Kept: no()},
		{ID: "I17", At: back(now, 9, 9, 55), Channel: "mail", Title: "Жалоба: платит за 500, вечером получает 60", Detail: "Открыта заявка T-48177", Topic: "fibre_drops", Agent: colleague("elena")},
		{ID: "I16", At: back(now, 12, 18, 5), Channel: "chat", Title: "«Когда починят интернет?»", Detail: "Помощник предложил перезагрузку", Topic: "fibre_drops"},
	}
	r.LastAgent, r.LastAgentAt, r.Contacts = colleague("dmitri"), at(call), 19
	return r
}

func chen(now time.Time) customer.Record {
	r := person("LW-620 331 09", "陈静怡", mobile("+861201000008"))
	r.Language, r.Country, r.Zone = "zh", "CN", "Asia/Shanghai"
	cny := func(minor int64) *customer.Money { return &customer.Money{Minor: minor, Currency: "CNY"} }
	r.Segment, r.CustomerSince, r.YearlyValue, r.ChurnRisk = "silver", date(now, -800), cny(189_600), risk(38)
	r.Consent = customer.Consent{Mail: yes(), SMS: yes()}
	r.Billing = &customer.Billing{Balance: *cny(-21_400), LastBill: cny(21_400), LastBillOn: date(now, -5), NextBillOn: date(now, 25), WeOwe: cny(5600), WeOweSince: date(now, -3), Source: "billing", At: now}
	r.Products = []customer.Product{
		{ID: "P1", Kind: "mobile", Name: "手机不限量", Detail: "本机", Status: "active", Price: cny(9900)},
		{ID: "P2", Kind: "tv", Name: "电视加强包", Status: "active", Price: cny(3500)},
	}
	call := back(now, 3, 6, 40)
	r.Tickets = []customer.Ticket{{ID: "T-48190", Title: "海上漫游退费", Detail: "账务，等待批准", Topic: "roaming_refund", Kind: "refund", Status: "open", OpenedAt: call, DueAt: at(now.AddDate(0, 0, 5))}}
	r.Interactions = []customer.Interaction{
		{ID: "I7", At: call, Channel: "call", Title: "轮渡上的漫游费", Topic: "roaming_refund", Agent: colleague("wu"), DurationS: 388, Note: "夜里手机连到船上网络。已申请退费 56 元，答应一周内答复。", Disposition: "ticket", PromisedBy: at(now.AddDate(0, 0, 4))},
		{ID: "I6", At: back(now, 6, 22, 10), Channel: "sms", Title: "漫游已达限额", Detail: "已送达", Topic: "roaming_refund"},
	}
	r.LastAgent, r.LastAgentAt, r.Contacts = colleague("wu"), at(call), 7
	return r
}

func radoslav(now time.Time) customer.Record {
	r := person("LW-703 118 90", "Радослав Тополов", mobile("+359101000009"))
	r.Language, r.Country, r.Zone = "bg", "BG", "Europe/Sofia"
	eur := func(minor int64) *customer.Money { return &customer.Money{Minor: minor, Currency: "EUR"} }
	r.Segment, r.CustomerSince, r.YearlyValue, r.ChurnRisk = "silver", date(now, -1260), eur(39_360), risk(29)
	r.Consent = customer.Consent{Phone: yes(), Mail: yes(), SMS: yes(), Recording: yes()}
	r.Billing = &customer.Billing{Balance: *eur(0), LastBill: eur(3280), LastBillOn: date(now, -11), PaidOn: date(now, -10), NextBillOn: date(now, 19), Source: "billing", At: now}
	r.Products = []customer.Product{
		{ID: "P1", Kind: "fibre", Name: "Оптика 300", Status: "fault", Note: "няма сигнал", Price: eur(1590)},
		{ID: "P2", Kind: "mobile", Name: "Мобилен без лимит", Detail: "този телефон", Status: "active", Price: eur(1690)},
	}
	call := back(now, 1, 8, 15)
	r.Tickets = []customer.Ticket{{ID: "T-48221", Title: "Няма връзка, червена лампа", Detail: "Техник утре, 9–12 ч.", Topic: "line_fault", Kind: "fault", Status: "open", OpenedAt: call, DueAt: at(now.AddDate(0, 0, 1))}}
	r.Interactions = []customer.Interaction{{ID: "I4", At: call, Channel: "call", Title: "Няма връзка от сутринта", Topic: "line_fault", Agent: colleague("petar"), DurationS: 305, Note: "Вкъщи е след четири. Записан е техник за утре сутрин, сестра му ще отвори.", Disposition: "ticket", PromisedBy: at(now.AddDate(0, 0, 1))}}
	r.LastAgent, r.LastAgentAt, r.Contacts = colleague("petar"), at(call), 4
	return r
}

func newcomer(now time.Time) customer.Record {
	r := person("LW-811 000 03", "Imogen Selwood", mobile("+447700900011"))
	r.Version, r.Segment, r.CustomerSince, r.YearlyValue = 1, "mass", date(now, -21), gbp(16_800)
	r.Products = []customer.Product{{ID: "P1", Kind: "mobile", Name: "Mobile 20 GB", Detail: "07700 900011", Status: "active", Price: gbp(1400)}}
	r.Billing = &customer.Billing{Balance: *gbp(0), NextBillOn: date(now, 9), Source: "billing", At: now}
	return r
}

func debtor(now time.Time) customer.Record {
	r := person("LW-411 950 28", "Callum Dunmore", mobile("+447700900012"))
	r.Segment, r.CustomerSince, r.YearlyValue, r.ChurnRisk = "mass", date(now, -950), gbp(52_800), risk(41)
	r.Heed = []string{"No reminder calls while the instalments come in"}
	r.Consent = customer.Consent{Phone: no(), SMS: yes(), Recording: yes()}
	r.Billing = &customer.Billing{Balance: *gbp(-13_240), Overdue: gbp(8_840), OverdueAge: 38, LastBill: gbp(4400), LastBillOn: date(now, -8), NextBillOn: date(now, 22), Source: "billing", At: now}
	r.Products = []customer.Product{{ID: "P1", Kind: "fibre", Name: "Fibre 500", Detail: "01632 960012", Status: "active", Price: gbp(4400)}}
	call := back(now, 10, 10, 30)
	r.Interactions = []customer.Interaction{
		{ID: "I9", At: back(now, 2, 9, 0), Channel: "sms", Title: "Second instalment is due", Detail: "Delivered", Topic: "payment_plan"},
		{ID: "I8", At: call, Channel: "call", Title: "Cannot pay the whole bill at once", Topic: "payment_plan", Agent: colleague("anna"), DurationS: 420, Note: "Between jobs, starts again next month. Three instalments agreed, the first is in.", Disposition: "solved"},
	}
	r.LastAgent, r.LastAgentAt, r.Contacts = colleague("anna"), at(call), 9
	return r
}
