package store

import "github.com/cordboard/cordboard/screenpop/customer"

// What a record is made of, as documentReader reads it: a method for each part, and
// for each a case for every key that it is written with.

func (r *documentReader) number(to *customer.Number) {
	r.object(func(key string) {
		switch key {
		case "e164":
			to.E164 = r.string()
		case "label":
			to.Label = r.string()
		case "person":
			to.Person = r.string()
		case "valid_from":
			to.ValidFrom = r.string()
		case "valid_to":
			to.ValidTo = r.string()
		case "source":
			to.Source = r.string()
		case "by":
			to.By = r.colleague(to.By)
		case "confirmed_at":
			to.ConfirmedAt = r.instantPtr()
		case "account":
			to.Account = r.string()
		default:
			r.odd = true
		}
	})
}

func (r *documentReader) consent(to *customer.Consent) {
	r.object(func(key string) {
		switch key {
		case "phone":
			to.Phone = r.maybe()
		case "mail":
			to.Mail = r.maybe()
		case "sms":
			to.SMS = r.maybe()
		case "recording":
			to.Recording = r.maybe()
		default:
			r.odd = true
		}
	})
}

func (r *documentReader) billing() *customer.Billing {
	var b customer.Billing
	r.object(func(key string) {
		switch key {
		case "balance":
			b.Balance = r.money()
		case "overdue":
			b.Overdue = r.moneyPtr(b.Overdue)
		case "overdue_days":
			b.OverdueAge = int(r.whole())
		case "last_bill":
			b.LastBill = r.moneyPtr(b.LastBill)
		case "last_bill_on":
			b.LastBillOn = r.string()
		case "paid_on":
			b.PaidOn = r.string()
		case "next_bill_on":
			b.NextBillOn = r.string()
		case "we_owe":
			b.WeOwe = r.moneyPtr(b.WeOwe)
		case "we_owe_since":
			b.WeOweSince = r.string()
		case "source":
			b.Source = r.string()
		case "at":
			b.At = r.instant()
		default:
			r.odd = true
		}
	})
	return &b
}

func (r *documentReader) product(to *customer.Product) {
	r.object(func(key string) {
		switch key {
		case "id":
			to.ID = r.string()
		case "kind":
			to.Kind = r.string()
		case "name":
			to.Name = r.string()
		case "detail":
			to.Detail = r.string()
		case "status":
			to.Status = r.string()
		case "note":
			to.Note = r.string()
		case "price":
			to.Price = r.moneyPtr(to.Price)
		case "account":
			to.Account = r.string()
		case "source":
			to.Source = r.string()
		default:
			r.odd = true
		}
	})
}

func (r *documentReader) ticket(to *customer.Ticket) {
	r.object(func(key string) {
		switch key {
		case "id":
			to.ID = r.string()
		case "title":
			to.Title = r.string()
		case "detail":
			to.Detail = r.string()
		case "topic":
			to.Topic = r.string()
		case "kind":
			to.Kind = r.string()
		case "status":
			to.Status = r.string()
		case "opened_at":
			to.OpenedAt = r.instant()
		case "due_at":
			to.DueAt = r.instantPtr()
		case "closed_at":
			to.ClosedAt = r.instantPtr()
		case "account":
			to.Account = r.string()
		case "source":
			to.Source = r.string()
		default:
			r.odd = true
		}
	})
}

func (r *documentReader) interaction(to *customer.Interaction) {
	r.object(func(key string) {
		switch key {
		case "id":
			to.ID = r.string()
		case "at":
			to.At = r.instant()
		case "channel":
			to.Channel = r.string()
		case "title":
			to.Title = r.string()
		case "detail":
			to.Detail = r.string()
		case "topic":
			to.Topic = r.string()
		case "agent":
			to.Agent = r.colleague(to.Agent)
		case "note":
			to.Note = r.string()
		case "disposition":
			to.Disposition = r.string()
		case "duration_s":
			to.DurationS = int(r.whole())
		case "call":
			to.Call = r.whole()
		case "promised_by":
			to.PromisedBy = r.instantPtr()
		case "kept":
			to.Kept = r.maybe()
		case "source":
			to.Source = r.string()
		case "changed_at":
			to.ChangedAt = r.instantPtr()
		case "links":
			to.Links = listOf(r, to.Links, r.link)
		case "account":
			to.Account = r.string()
		default:
			r.odd = true
		}
	})
}

func (r *documentReader) link(to *customer.Link) {
	r.object(func(key string) {
		switch key {
		case "title":
			to.Title = r.string()
		case "url":
			to.URL = r.string()
		default:
			r.odd = true
		}
	})
}

func (r *documentReader) fact(to *customer.Fact) {
	r.object(func(key string) {
		switch key {
		case "name":
			to.Name = r.string()
		case "value":
			to.Value = r.string()
		case "source":
			to.Source = r.string()
		case "at":
			to.At = r.instant()
		default:
			r.odd = true
		}
	})
}

func (r *documentReader) other(to *customer.Other) {
	r.object(func(key string) {
		switch key {
		case "name":
			to.Name = r.string()
		case "detail":
			to.Detail = r.string()
		default:
			r.odd = true
		}
	})
}

func (r *documentReader) account(to *customer.Account) {
	r.object(func(key string) {
		switch key {
		case "id":
			to.ID = r.string()
		case "name":
			to.Name = r.string()
		case "segment":
			to.Segment = r.string()
		case "customer_since":
			to.CustomerSince = r.string()
		case "billing":
			r.once(to.Billing == nil)
			to.Billing = r.billing()
		case "last_agent":
			to.LastAgent = r.colleague(to.LastAgent)
		case "last_agent_at":
			to.LastAgentAt = r.instantPtr()
		case "merge":
			to.Merge = r.whole()
		case "merged_by":
			to.MergedBy = *r.colleague(nil)
		case "merged_at":
			to.MergedAt = r.instant()
		default:
			r.odd = true
		}
	})
}
