package customer

import (
	"cmp"
	"slices"
)

// Join adds customers who were merged into this one: accounts has what is shown of
// each, and records theirs in the same order. What there can be one of (a name, a
// language, a segment) is this record's own, else the first that has it; what there
// can be several of is that of all, each with whose it is. A no and a warning hold,
// whoever has them.
func (r *Record) Join(accounts []Account, records []Record) {
	for i := range records {
		o := &records[i]
		a := accounts[i]
		a.Name, a.Segment, a.CustomerSince = o.Name, o.Segment, o.CustomerSince
		a.Billing, a.LastAgent, a.LastAgentAt = o.Billing, o.LastAgent, o.LastAgentAt
		r.Accounts = append(r.Accounts, a)
		r.joinHead(o)
		r.joinTraits(o)
		r.joinParts(o)
	}
	if len(records) > 0 {
		sortTickets(r.Tickets)
	}
}

// SpokeLast has the last agent be whoever talked last with any of the accounts.
func (r *Record) SpokeLast() {
	for _, a := range r.Accounts {
		if a.LastAgentAt != nil && (r.LastAgentAt == nil || a.LastAgentAt.After(*r.LastAgentAt)) {
			r.LastAgent, r.LastAgentAt = a.LastAgent, a.LastAgentAt
		}
	}
}

func (r *Record) joinHead(o *Record) {
	r.Language, r.Country, r.Zone = cmp.Or(r.Language, o.Language), cmp.Or(r.Country, o.Country), cmp.Or(r.Zone, o.Zone)
	r.Segment, r.Kind = cmp.Or(r.Segment, o.Segment), cmp.Or(r.Kind, o.Kind)
	r.KeyAccount = r.KeyAccount || o.KeyAccount
	r.CustomerSince = earlier(r.CustomerSince, o.CustomerSince)
	r.YearlyValue = sum(r.YearlyValue, o.YearlyValue)
	if o.ChurnRisk != nil && (r.ChurnRisk == nil || *o.ChurnRisk > *r.ChurnRisk) {
		r.ChurnRisk = o.ChurnRisk
	}
	r.ChurnReasons, r.Heed = union(r.ChurnReasons, o.ChurnReasons), union(r.Heed, o.Heed)
	r.Others, r.SubAccounts = union(r.Others, o.Others), union(r.SubAccounts, o.SubAccounts)
	if r.PartOf == nil {
		r.PartOf = o.PartOf
	}
	r.Consent = Consent{
		Phone: strict(r.Consent.Phone, o.Consent.Phone), Mail: strict(r.Consent.Mail, o.Consent.Mail),
		SMS: strict(r.Consent.SMS, o.Consent.SMS), Recording: strict(r.Consent.Recording, o.Consent.Recording),
	}
	if r.AccountManager == nil {
		r.AccountManager = o.AccountManager
	}
}

func (r *Record) joinTraits(o *Record) {
	r.ContractEnd, r.BirthDate = earlier(r.ContractEnd, o.ContractEnd), cmp.Or(r.BirthDate, o.BirthDate)
	if r.UsageTrend == nil {
		r.UsageTrend = o.UsageTrend
	}
	r.DoNotCall, r.FraudFlag = r.DoNotCall || o.DoNotCall, r.FraudFlag || o.FraudFlag
	for name, v := range o.Fields {
		if _, there := r.Fields[name]; there {
			continue
		}
		if r.Fields == nil {
			r.Fields = map[string]any{}
		}
		r.Fields[name] = v
	}
}

// joinParts adds what hangs on the other. Where two have the same id, the account's
// gets its account in front: each source counts from one.
func (r *Record) joinParts(o *Record) {
	for _, n := range o.Numbers {
		n.Account = o.ID
		if at := slices.IndexFunc(r.Numbers, func(m Number) bool { return m.E164 == n.E164 }); at >= 0 {
			r.Numbers[at].join(n)
		} else {
			r.Numbers = append(r.Numbers, n)
		}
	}
	r.Products = joined(r.Products, o.Products, o.ID, func(p *Product) (id, account *string) { return &p.ID, &p.Account })
	r.Tickets = joined(r.Tickets, o.Tickets, o.ID, func(t *Ticket) (id, account *string) { return &t.ID, &t.Account })
	r.Interactions = joined(r.Interactions, o.Interactions, o.ID, func(i *Interaction) (id, account *string) { return &i.ID, &i.Account })
	r.Contacts += o.Contacts
}

// join adds what another account says of the number: it is theirs for as long as either
// has it, and what the one does not say, the other may.
func (n *Number) join(o Number) {
	if n.ValidTo != "" && (o.ValidTo == "" || o.ValidTo > n.ValidTo) {
		n.ValidFrom, n.ValidTo, n.Account = min(n.ValidFrom, o.ValidFrom), o.ValidTo, o.Account // "" is since ever
	}
	n.Label, n.Person, n.Source = cmp.Or(n.Label, o.Label), cmp.Or(n.Person, o.Person), cmp.Or(n.Source, o.Source)
	if o.By != nil && (n.By == nil || o.ConfirmedAt.After(*n.ConfirmedAt)) {
		n.By, n.ConfirmedAt = o.By, o.ConfirmedAt
	}
}

func joined[T any](all, more []T, account string, of func(*T) (id, account *string)) []T {
	taken := make(map[string]bool, len(all))
	for i := range all {
		id, _ := of(&all[i])
		taken[*id] = true
	}
	for _, v := range more {
		id, whose := of(&v)
		*whose = account
		if taken[*id] {
			*id = account + "/" + *id
		}
		all = append(all, v)
	}
	return all
}

// sortTickets: open first, then newest first.
func sortTickets(all []Ticket) {
	slices.SortStableFunc(all, func(a, b Ticket) int {
		if x, y := a.Status == "open", b.Status == "open"; x != y {
			if x {
				return -1
			}
			return 1
		}
		return cmp.Or(b.OpenedAt.Compare(a.OpenedAt), cmp.Compare(a.ID, b.ID))
	})
}

// earlier of two dates, of which "" is not known.
func earlier(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

// sum of two amounts; of another currency it is the first alone.
func sum(a, b *Money) *Money {
	switch {
	case a == nil:
		return b
	case b == nil || a.Currency != b.Currency:
		return a
	}
	return &Money{a.Minor + b.Minor, a.Currency}
}

// strict of two answers: a no, else a yes, else not known.
func strict(a, b *bool) *bool {
	if a == nil || b != nil && *a && !*b {
		return b
	}
	return a
}

func union[T comparable](a, b []T) []T {
	for _, v := range b {
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}
