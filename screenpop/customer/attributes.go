package customer

import (
	"slices"
	"time"
)

// Unknown stands for a number of days that nobody knows: never, or not in
// sight (the routing language's missing value).
const Unknown = 999999

// Attributes is what routing may know of a customer: no name, no number, no
// text. The fields are those of rule.Customer.
type Attributes struct {
	Known           bool
	Segment         string
	KeyAccount      bool
	Language        string
	Country         string
	ChurnRisk       int   // 0..100
	Value           int   // 0..100; 0 while no source ranks its customers
	Balance         int64 // minor units
	BalanceCurrency string
	OverdueDays     int
	OpenTickets     int
	OpenComplaints  int
	Products        []string // kinds of what the customer has, sorted
	AccountManager  string   // agent id
	LastAgent       string   // agent id
	LastTopic       string
	LastContactDays int      // whole days, Unknown without a contact
	Confidence      int      // 0..100: how sure the source is that it is this customer
	ContractEndDays int      // whole days, Unknown when no end is in sight
	UsageTrend      int      // percent over 90 days
	Consent         []string // to what: phone, mail, sms, recording
	DoNotCall       bool
	FraudFlag       bool
	Birthday        bool // today
	// Zeros names those of churn_risk and usage_trend that the record says are 0;
	// one that is 0 and not named here is missing.
	Zeros []string
	// The routing document's own fields by name; the rim fills them in, which
	// knows their types.
	Texts    map[string]string
	Integers map[string]int
	Flags    map[string]bool
	Lists    map[string][]string
}

// Attributes reads a match for routing. Only exactly one record is somebody
// known.
func (m Match) Attributes(now time.Time) Attributes {
	if m.Record == nil {
		return Attributes{LastContactDays: Unknown, ContractEndDays: Unknown}
	}
	return m.Record.Attributes(now)
}

// Attributes reads the record for routing, days counted back from now.
func (r *Record) Attributes(now time.Time) Attributes {
	a := Attributes{
		Known: true, Segment: r.Segment, KeyAccount: r.KeyAccount, Language: r.Language, Country: r.Country,
		LastContactDays: Unknown, ContractEndDays: Unknown, Confidence: 100, Consent: r.Consent.granted(),
	}
	a.DoNotCall, a.FraudFlag, a.Birthday = r.DoNotCall, r.FraudFlag, r.birthday(now)
	if r.UsageTrend != nil {
		a.UsageTrend = *r.UsageTrend
	}
	if end, err := time.Parse(time.DateOnly, r.ContractEnd); err == nil {
		y, m, d := now.Date()
		a.ContractEndDays = max(int(end.Sub(time.Date(y, m, d, 0, 0, 0, 0, time.UTC))/(24*time.Hour)), 0)
	}
	if r.ChurnRisk != nil {
		a.ChurnRisk = min(max(*r.ChurnRisk, 0), 100)
	}
	if r.ChurnRisk != nil && a.ChurnRisk == 0 {
		a.Zeros = append(a.Zeros, "churn_risk")
	}
	if r.UsageTrend != nil && a.UsageTrend == 0 {
		a.Zeros = append(a.Zeros, "usage_trend")
	}
	a.bills(r)
	for _, t := range r.Tickets {
		if t.Status != "open" {
			continue
		}
		a.OpenTickets++
		if t.Kind == "complaint" {
			a.OpenComplaints++
		}
	}
	for _, p := range r.Products {
		if p.Status != "ended" && p.Kind != "" {
			a.Products = append(a.Products, p.Kind)
		}
	}
	slices.Sort(a.Products)
	a.Products = slices.Compact(a.Products)
	if r.AccountManager != nil {
		a.AccountManager = r.AccountManager.Agent
	}
	if r.LastAgent != nil {
		a.LastAgent = r.LastAgent.Agent
	}
	a.LastTopic, a.LastContactDays = r.lastContact(now)
	return a
}

// bills adds up the balances of all accounts that are of the first one's currency, and
// takes the longest time overdue.
func (a *Attributes) bills(r *Record) {
	add := func(b *Billing) {
		if b == nil {
			return
		}
		if a.BalanceCurrency == "" {
			a.BalanceCurrency = b.Balance.Currency
		}
		if b.Balance.Currency == a.BalanceCurrency {
			a.Balance += b.Balance.Minor
		}
		a.OverdueDays = max(a.OverdueDays, b.OverdueAge)
	}
	add(r.Billing)
	for i := range r.Accounts {
		add(r.Accounts[i].Billing)
	}
}

// birthday says whether it is today where the customer lives, else here. Who was
// born on the last day of February of a leap year has it on the 28th in others.
func (r *Record) birthday(now time.Time) bool {
	born, err := time.Parse(time.DateOnly, r.BirthDate)
	if err != nil {
		return false
	}
	if zone, err := time.LoadLocation(r.Zone); err == nil && r.Zone != "" {
		now = now.In(zone)
	}
	_, month, day := now.Date()
	if born.Month() == time.February && born.Day() == 29 && time.Date(now.Year(), time.February, 29, 0, 0, 0, 0, time.UTC).Day() != 29 {
		return month == time.February && day == 28
	}
	return month == born.Month() && day == born.Day()
}

// granted lists what the customer has agreed to.
func (c Consent) granted() (out []string) {
	for _, k := range []struct {
		name string
		yes  *bool
	}{{"phone", c.Phone}, {"mail", c.Mail}, {"sms", c.SMS}, {"recording", c.Recording}} {
		if k.yes != nil && *k.yes {
			out = append(out, k.name)
		}
	}
	return out
}

// lastContact is the newest topic and the days since the newest contact,
// whatever the order of the interactions.
func (r *Record) lastContact(now time.Time) (topic string, days int) {
	var newest, newestTopic time.Time
	for i := range r.Interactions {
		c := &r.Interactions[i]
		if c.At.After(newest) {
			newest = c.At
		}
		if c.Topic != "" && c.At.After(newestTopic) {
			topic, newestTopic = c.Topic, c.At
		}
	}
	if newest.IsZero() {
		return topic, Unknown
	}
	return topic, max(int(now.Sub(newest)/(24*time.Hour)), 0)
}
