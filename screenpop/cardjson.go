package screenpop

import (
	"encoding/json"
	"slices"

	"github.com/cordboard/cordboard/screenpop/customer"
)

func (v *cardView) appendJSON(to []byte) []byte {
	to = appendOffer(to, v.Call, v.Attempt)
	to = appendField(to, `,"agent":`, v.Agent)
	to = appendField(to, `,"phase":`, v.Phase)
	to = appendInt(to, `,"since":`, v.Since)
	to = appendInt(to, `,"until":`, v.Until)
	to = appendField(to, `,"ring_why":`, v.RingWhy)
	to = appendField(to, `,"disposition":`, v.Disposition)
	to = appendInt(to, `,"talk_since":`, v.TalkSince)
	to = appendInt(to, `,"talk_s":`, v.TalkS)
	to = appendField(to, `,"mode":`, v.Mode)
	to = appendField(to, `,"queue":`, v.Queue)
	to = appendField(to, `,"topic":`, v.Topic)
	to = appendField(to, `,"set":`, v.Set)
	to = appendCaller(append(to, `,"caller":`...), &v.Caller)
	to = appendField(to, `,"dialled":`, v.Dialled)
	to = appendField(to, `,"trunk":`, v.Trunk)
	to = appendInt(to, `,"arrived":`, v.Arrived)
	to = appendInt(to, `,"answer_within_s":`, v.AnswerWithin)
	to = appendInt(to, `,"waited_s":`, v.Waited)
	to = appendInt(to, `,"waited_before_s":`, v.WaitedBefore)
	if b := v.Callback; b != nil {
		to = appendInt(to, `,"callback":{"accepted":`, b.Accepted)
		to = append(appendInt(to, `,"try":`, b.Try), '}')
	}
	to = appendField(to, `,"match":`, v.Match)
	to = append(to, `,"record":`...)
	if v.Record == nil {
		to = append(to, "null"...)
	} else {
		to = appendRecord(to, v.Record)
	}
	to = appendInt(to, `,"record_at":`, v.RecordAt)
	to = appendBool(to, `,"stale":`, v.Stale)
	if len(v.Candidates) > 0 {
		to = appendList(to, `,"candidates":`, v.Candidates, appendRecord)
	}
	to = optionalInt(to, `,"shared":`, v.Shared)
	if v.Entered != nil {
		to = appendEntered(append(to, `,"entered":`...), v.Entered)
	}
	if len(v.Sources) > 0 {
		to = appendList(to, `,"sources":`, v.Sources, appendSource)
	}
	return append(v.appendStory(to), '}')
}

func appendSource(to []byte, v *sourceView) []byte {
	to = appendField(to, `{"name":`, v.Name)
	to = appendField(to, `,"state":`, v.State)
	to = appendInt(to, `,"at":`, v.At)
	return append(appendTexts(to, `,"panels":`, v.Panels), '}')
}

func appendEntered(to []byte, v *enteredView) []byte {
	to = appendField(to, `{"number":`, v.Number)
	to = appendBool(to, `,"found":`, v.Found)
	if i := v.Instead; i != nil {
		to = appendField(to, `,"instead":{"id":`, i.ID)
		to = append(appendField(to, `,"name":`, i.Name), '}')
	}
	return append(to, '}')
}

// appendStory appends what stands beside the record.
func (v *cardView) appendStory(to []byte) []byte {
	to = appendList(to, `,"story":`, v.Story, appendStoryLine)
	to = appendWhy(append(to, `,"why":`...), &v.Why)
	to = appendList(to, `,"path":`, v.Path, appendStep)
	to = optionalField(to, `,"back":`, v.Back)
	to = append(to, `,"from":`...)
	if v.From == nil {
		to = append(to, "null"...)
	} else {
		to = appendFrom(to, v.From)
	}
	to = appendBool(to, `,"question":`, v.Question)
	to = appendConsult(append(to, `,"consult":`...), v.Consult)
	if v.PBX {
		to = append(to, `,"pbx":true`...)
	}
	to = appendList(to, `,"notes":`, v.Notes, appendNote)
	to = appendField(to, `,"note":`, v.Note)
	to = appendList(to, `,"used":`, v.Used, appendUsed)
	to = appendList(to, `,"answers":`, v.Answers, appendAnswer)
	return appendTexts(to, `,"facts":`, v.Facts)
}

func appendCaller(to []byte, v *callerView) []byte {
	to = appendField(to, `{"number":`, v.Number)
	to = appendField(to, `,"display":`, v.Display)
	to = appendField(to, `,"country":`, v.Country)
	to = appendField(to, `,"source":`, v.Source)
	to = appendBool(to, `,"trusted":`, v.Trusted)
	return append(appendBool(to, `,"restricted":`, v.Restricted), '}')
}

func appendWhy(to []byte, v *whyView) []byte {
	to = appendField(to, `{"rule":`, v.Rule)
	to = appendInt(to, `,"step":`, v.Step)
	to = appendField(to, `,"policy":`, v.Policy)
	to = appendField(to, `,"trigger":`, v.Trigger)
	to = appendField(to, `,"prefer":`, v.Prefer)
	to = appendInt(to, `,"came_back":`, v.CameBack)
	return append(appendList(to, `,"left_out":`, v.LeftOut, appendLeftOut), '}')
}

func appendFrom(to []byte, v *fromView) []byte {
	to = appendPerson(to, v.Agent, v.Name)
	to = appendField(to, `,"note":`, v.Note)
	to = appendInt(to, `,"at":`, v.At)
	to = appendField(to, `,"topic":`, v.Topic)
	return append(appendInt(to, `,"talk_s":`, v.TalkS), '}')
}

func appendStoryLine(to []byte, v *StoryLine) []byte {
	to = appendField(to, `{"code":`, v.Code)
	to = optionalInt(to, `,"n":`, v.N)
	if v.Days != nil {
		to = appendInt(to, `,"days":`, *v.Days)
	}
	to = optionalField(to, `,"topic":`, v.Topic)
	to = optionalInt(to, `,"by":`, v.By)
	to = optionalField(to, `,"id":`, v.ID)
	to = optionalField(to, `,"title":`, v.Title)
	to = optionalMoney(to, `,"money":`, v.Money)
	to = optionalField(to, `,"name":`, v.Name)
	to = optionalField(to, `,"text":`, v.Text)
	to = optionalInt(to, `,"at":`, v.At)
	return append(optionalField(to, `,"since":`, v.Since), '}')
}

func appendRecord(to []byte, r *customer.Record) []byte {
	to = appendField(to, `{"id":`, r.ID)
	to = appendInt(to, `,"version":`, r.Version)
	to = appendField(to, `,"name":`, r.Name)
	to = optionalField(to, `,"language":`, r.Language)
	to = optionalField(to, `,"country":`, r.Country)
	to = optionalField(to, `,"zone":`, r.Zone)
	to = appendList(to, `,"numbers":`, r.Numbers, appendNumber)
	to = optionalField(to, `,"kind":`, r.Kind)
	to = optionalField(to, `,"segment":`, r.Segment)
	if r.KeyAccount {
		to = append(to, `,"key_account":true`...)
	}
	to = optionalField(to, `,"customer_since":`, r.CustomerSince)
	to = optionalMoney(to, `,"yearly_value":`, r.YearlyValue)
	if r.ChurnRisk != nil {
		to = appendInt(to, `,"churn_risk":`, *r.ChurnRisk)
	}
	if len(r.ChurnReasons) > 0 {
		to = appendTexts(to, `,"churn_reasons":`, r.ChurnReasons)
	}
	if len(r.Heed) > 0 {
		to = appendTexts(to, `,"heed":`, r.Heed)
	}
	to = appendConsent(append(to, `,"consent":`...), r.Consent)
	to = appendTraits(to, r)
	to = optionalColleague(to, `,"account_manager":`, r.AccountManager)
	to = optionalColleague(to, `,"last_agent":`, r.LastAgent)
	to = optionalTime(to, `,"last_agent_at":`, r.LastAgentAt)
	if r.Billing != nil {
		to = appendBilling(append(to, `,"billing":`...), r.Billing)
	}
	to = appendList(to, `,"products":`, r.Products, appendProduct)
	to = appendList(to, `,"tickets":`, r.Tickets, appendTicket)
	to = appendList(to, `,"interactions":`, r.Interactions, appendInteraction)
	to = appendInt(to, `,"contacts":`, r.Contacts)
	if len(r.Others) > 0 {
		to = appendList(to, `,"others":`, r.Others, appendOther)
	}
	if r.PartOf != nil {
		to = appendSubAccount(append(to, `,"part_of":`...), r.PartOf)
	}
	if len(r.SubAccounts) > 0 {
		to = appendList(to, `,"sub_accounts":`, r.SubAccounts, appendSubAccount)
	}
	if len(r.Accounts) > 0 {
		to = appendList(to, `,"accounts":`, r.Accounts, appendAccount)
	}
	if len(r.BillingElse) > 0 {
		to = appendList(to, `,"billing_else":`, r.BillingElse, appendBilling)
	}
	if len(r.Facts) > 0 {
		to = appendList(to, `,"facts":`, r.Facts, appendFact)
	}
	return append(to, '}')
}

// appendTraits writes what routes ask for beside the rest. Own fields are few and
// of any type: these are left to encoding/json.
func appendTraits(to []byte, r *customer.Record) []byte {
	to = optionalField(to, `,"contract_end":`, r.ContractEnd)
	if r.UsageTrend != nil {
		to = appendInt(to, `,"usage_trend":`, *r.UsageTrend)
	}
	if r.DoNotCall {
		to = append(to, `,"do_not_call":true`...)
	}
	if r.FraudFlag {
		to = append(to, `,"fraud_flag":true`...)
	}
	to = optionalField(to, `,"birth_date":`, r.BirthDate)
	if len(r.Fields) == 0 {
		return to
	}
	b, err := json.Marshal(r.Fields)
	if err != nil {
		return to // a value without a JSON form costs the agent no card
	}
	return append(append(to, `,"fields":`...), b...)
}

func appendMoney(to []byte, key string, m customer.Money) []byte {
	return append(appendField(appendInt(append(to, key...), `{"minor":`, m.Minor), `,"currency":`, m.Currency), '}')
}

func optionalMoney(to []byte, key string, m *customer.Money) []byte {
	if m == nil {
		return to
	}
	return appendMoney(to, key, *m)
}

func optionalColleague(to []byte, key string, c *customer.Colleague) []byte {
	if c == nil {
		return to
	}
	return append(appendField(appendField(append(to, key...), `{"agent":`, c.Agent), `,"name":`, c.Name), '}')
}

func appendNumber(to []byte, n *customer.Number) []byte {
	to = optionalField(appendField(to, `{"e164":`, n.E164), `,"label":`, n.Label)
	to = optionalField(optionalField(to, `,"person":`, n.Person), `,"valid_from":`, n.ValidFrom)
	to = optionalField(optionalField(to, `,"valid_to":`, n.ValidTo), `,"source":`, n.Source)
	to = optionalColleague(to, `,"by":`, n.By)
	to = optionalTime(to, `,"confirmed_at":`, n.ConfirmedAt)
	return append(optionalField(to, `,"account":`, n.Account), '}')
}

func appendConsent(to []byte, c customer.Consent) []byte {
	from := len(to)
	to = optionalBool(to, `,"phone":`, c.Phone)
	to = optionalBool(to, `,"mail":`, c.Mail)
	to = optionalBool(to, `,"sms":`, c.SMS)
	to = optionalBool(to, `,"recording":`, c.Recording)
	if len(to) == from {
		return append(to, "{}"...)
	}
	to[from] = '{' // the first comma
	return append(to, '}')
}

func appendBilling(to []byte, b *customer.Billing) []byte {
	to = appendMoney(to, `{"balance":`, b.Balance)
	to = optionalMoney(to, `,"overdue":`, b.Overdue)
	to = optionalInt(to, `,"overdue_days":`, b.OverdueAge)
	to = optionalMoney(to, `,"last_bill":`, b.LastBill)
	to = optionalField(to, `,"last_bill_on":`, b.LastBillOn)
	to = optionalField(to, `,"paid_on":`, b.PaidOn)
	to = optionalField(to, `,"next_bill_on":`, b.NextBillOn)
	to = optionalMoney(to, `,"we_owe":`, b.WeOwe)
	to = optionalField(to, `,"we_owe_since":`, b.WeOweSince)
	to = appendField(to, `,"source":`, b.Source)
	return append(appendTime(to, `,"at":`, b.At), '}')
}

func appendProduct(to []byte, p *customer.Product) []byte {
	to = appendField(to, `{"id":`, p.ID)
	to = appendField(to, `,"kind":`, p.Kind)
	to = appendField(to, `,"name":`, p.Name)
	to = optionalField(to, `,"detail":`, p.Detail)
	to = appendField(to, `,"status":`, p.Status)
	to = optionalField(to, `,"note":`, p.Note)
	to = optionalMoney(to, `,"price":`, p.Price)
	to = optionalField(to, `,"account":`, p.Account)
	return append(optionalField(to, `,"source":`, p.Source), '}')
}

func appendTicket(to []byte, t *customer.Ticket) []byte {
	to = appendField(to, `{"id":`, t.ID)
	to = appendField(to, `,"title":`, t.Title)
	to = optionalField(to, `,"detail":`, t.Detail)
	to = optionalField(to, `,"topic":`, t.Topic)
	to = appendField(to, `,"kind":`, t.Kind)
	to = appendField(to, `,"status":`, t.Status)
	to = appendTime(to, `,"opened_at":`, t.OpenedAt)
	to = optionalTime(to, `,"due_at":`, t.DueAt)
	to = optionalTime(to, `,"closed_at":`, t.ClosedAt)
	to = optionalField(to, `,"account":`, t.Account)
	return append(optionalField(to, `,"source":`, t.Source), '}')
}

func appendFact(to []byte, f *customer.Fact) []byte {
	to = appendField(to, `{"name":`, f.Name)
	to = appendField(to, `,"value":`, f.Value)
	to = appendField(to, `,"source":`, f.Source)
	return append(appendTime(to, `,"at":`, f.At), '}')
}

func appendInteraction(to []byte, i *customer.Interaction) []byte {
	to = appendField(to, `{"id":`, i.ID)
	to = appendTime(to, `,"at":`, i.At)
	to = appendField(to, `,"channel":`, i.Channel)
	to = appendField(to, `,"title":`, i.Title)
	to = optionalField(to, `,"detail":`, i.Detail)
	to = optionalField(to, `,"topic":`, i.Topic)
	to = optionalColleague(to, `,"agent":`, i.Agent)
	to = optionalField(to, `,"note":`, i.Note)
	to = optionalField(to, `,"disposition":`, i.Disposition)
	to = optionalInt(to, `,"duration_s":`, i.DurationS)
	to = optionalInt(to, `,"call":`, i.Call)
	to = optionalTime(to, `,"promised_by":`, i.PromisedBy)
	to = optionalBool(to, `,"kept":`, i.Kept)
	to = optionalField(to, `,"source":`, i.Source)
	to = optionalTime(to, `,"changed_at":`, i.ChangedAt)
	if len(i.Links) > 0 {
		to = appendList(to, `,"links":`, i.Links, appendLink)
	}
	return append(optionalField(to, `,"account":`, i.Account), '}')
}

func appendLink(to []byte, l *customer.Link) []byte {
	from := len(to) + 1
	to = appendField(optionalField(append(to, '{'), `,"title":`, l.Title), `,"url":`, l.URL)
	return append(slices.Delete(to, from, from+1), '}') // the first comma
}

func appendOther(to []byte, o *customer.Other) []byte {
	return append(optionalField(appendField(to, `{"name":`, o.Name), `,"detail":`, o.Detail), '}')
}

func appendSubAccount(to []byte, s *customer.SubAccount) []byte {
	to = appendField(appendField(to, `{"id":`, s.ID), `,"name":`, s.Name)
	return append(optionalField(to, `,"detail":`, s.Detail), '}')
}

func appendAccount(to []byte, a *customer.Account) []byte {
	to = appendField(to, `{"id":`, a.ID)
	to = appendField(to, `,"name":`, a.Name)
	to = optionalField(to, `,"segment":`, a.Segment)
	to = optionalField(to, `,"customer_since":`, a.CustomerSince)
	if a.Billing != nil {
		to = appendBilling(append(to, `,"billing":`...), a.Billing)
	}
	to = optionalColleague(to, `,"last_agent":`, a.LastAgent)
	to = optionalTime(to, `,"last_agent_at":`, a.LastAgentAt)
	to = appendInt(to, `,"merge":`, a.Merge)
	to = optionalColleague(to, `,"merged_by":`, &a.MergedBy)
	return append(appendTime(to, `,"merged_at":`, a.MergedAt), '}')
}
