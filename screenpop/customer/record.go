// Package customer owns who is calling: the customer's record, the sources it
// comes from, and the resolver that finds it by number under one deadline. It
// knows nothing of calls, desks or queues; package screenpop is its caller.
package customer

import "time"

// Money is an amount in minor units of an ISO 4217 currency.
type Money struct {
	Minor    int64  `json:"minor"`
	Currency string `json:"currency"`
}

// Record is everything known of one customer, as a desk shows it. Version
// grows with every change; a desk's ack names the version it painted.
// Dates without a time of day are YYYY-MM-DD strings; "" is not known.
type Record struct {
	ID            string   `json:"id"` // the customer number people see
	Version       int64    `json:"version"`
	Name          string   `json:"name"`
	Language      string   `json:"language,omitempty"` // ISO 639-1
	Country       string   `json:"country,omitempty"`  // ISO 3166-1 alpha-2
	Zone          string   `json:"zone,omitempty"`     // IANA
	Numbers       []Number `json:"numbers"`
	Kind          string   `json:"kind,omitempty"` // person, household, company; "": not said
	Segment       string   `json:"segment,omitempty"`
	KeyAccount    bool     `json:"key_account,omitempty"`
	CustomerSince string   `json:"customer_since,omitempty"`
	YearlyValue   *Money   `json:"yearly_value,omitempty"`
	ChurnRisk     *int     `json:"churn_risk,omitempty"` // 0..100
	ChurnReasons  []string `json:"churn_reasons,omitempty"`
	Heed          []string `json:"heed,omitempty"` // how to speak ("Hard of hearing: speak clearly")
	Consent       Consent  `json:"consent"`
	ContractEnd   string   `json:"contract_end,omitempty"` // the first date on which a contract may end
	UsageTrend    *int     `json:"usage_trend,omitempty"`  // percent over 90 days
	DoNotCall     bool     `json:"do_not_call,omitempty"`  // asked not to be called
	FraudFlag     bool     `json:"fraud_flag,omitempty"`
	BirthDate     string   `json:"birth_date,omitempty"`
	// Fields are the source's own: texts, whole numbers (as float64), flags and
	// lists of texts ([]any). The routing document gives them types.
	Fields         map[string]any `json:"fields,omitempty"`
	AccountManager *Colleague     `json:"account_manager,omitempty"`
	LastAgent      *Colleague     `json:"last_agent,omitempty"`
	LastAgentAt    *time.Time     `json:"last_agent_at,omitempty"`
	Billing        *Billing       `json:"billing,omitempty"`
	Products       []Product      `json:"products"`
	Tickets        []Ticket       `json:"tickets"`      // open first, then newest first
	Interactions   []Interaction  `json:"interactions"` // newest first, at most 50
	Contacts       int            `json:"contacts"`     // interactions in all
	Others         []Other        `json:"others,omitempty"`
	// PartOf is the customer whose sub-account this is, SubAccounts are its own: each
	// a customer too, or an account in the source alone.
	PartOf      *SubAccount  `json:"part_of,omitempty"`
	SubAccounts []SubAccount `json:"sub_accounts,omitempty"`
	// Accounts are the customers who were merged into this one, in that order. What
	// comes of one of them has its id as Account.
	Accounts []Account `json:"accounts,omitempty"`
	// What outside systems say beside it (With): bills that are not as Billing is, and
	// what the record has no place for.
	BillingElse []Billing `json:"billing_else,omitempty"`
	Facts       []Fact    `json:"facts,omitempty"`
}

// Account is what a record shows of a customer who was merged into it, beside what
// he brought.
type Account struct {
	ID            string     `json:"id"`
	Name          string     `json:"name"`
	Segment       string     `json:"segment,omitempty"`
	CustomerSince string     `json:"customer_since,omitempty"`
	Billing       *Billing   `json:"billing,omitempty"`
	LastAgent     *Colleague `json:"last_agent,omitempty"`
	LastAgentAt   *time.Time `json:"last_agent_at,omitempty"`
	Merge         int64      `json:"merge"` // its number, by which it is undone
	MergedBy      Colleague  `json:"merged_by"`
	MergedAt      time.Time  `json:"merged_at"`
}

// Number is one telephone number of a customer.
type Number struct {
	E164  string `json:"e164"`
	Label string `json:"label,omitempty"` // mobile, home, work
	// Person is whose it is within the customer: a company's contact, one of a
	// household. ValidFrom and ValidTo are the first and the last day on which it is
	// his, Source the system that says so.
	Person    string `json:"person,omitempty"`
	ValidFrom string `json:"valid_from,omitempty"`
	ValidTo   string `json:"valid_to,omitempty"`
	Source    string `json:"source,omitempty"`
	// By is the agent who said last that the number is this customer's, and
	// ConfirmedAt when; nil: nobody did, the source alone says so.
	By          *Colleague `json:"by,omitempty"`
	ConfirmedAt *time.Time `json:"confirmed_at,omitempty"`
	Account     string     `json:"account,omitempty"` // whose it is of Record.Accounts; "": the record's own
}

// Consent: nil is not known.
type Consent struct {
	Phone     *bool `json:"phone,omitempty"`
	Mail      *bool `json:"mail,omitempty"`
	SMS       *bool `json:"sms,omitempty"`
	Recording *bool `json:"recording,omitempty"`
}

// Colleague is an agent named on a record.
type Colleague struct {
	Agent string `json:"agent"` // agents.ID
	Name  string `json:"name"`
}

// Billing is the money of a customer. Source and At say where it comes from
// and how old it is.
type Billing struct {
	Balance    Money     `json:"balance"` // negative: the customer owes
	Overdue    *Money    `json:"overdue,omitempty"`
	OverdueAge int       `json:"overdue_days,omitempty"`
	LastBill   *Money    `json:"last_bill,omitempty"`
	LastBillOn string    `json:"last_bill_on,omitempty"`
	PaidOn     string    `json:"paid_on,omitempty"`
	NextBillOn string    `json:"next_bill_on,omitempty"`
	WeOwe      *Money    `json:"we_owe,omitempty"`
	WeOweSince string    `json:"we_owe_since,omitempty"`
	Source     string    `json:"source"`
	At         time.Time `json:"at"`
}

// Product is one thing the customer has.
type Product struct {
	ID     string `json:"id"`
	Kind   string `json:"kind"` // fibre, mobile, tv, insurance, account, other
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"` // its number, who uses it
	Status string `json:"status"`           // active, paused, fault, ended
	Note   string `json:"note,omitempty"`   // "4 drops in 7 days"
	Price  *Money `json:"price,omitempty"`  // per month
	// Account says whose it is of Record.Accounts; "": the record's own.
	Account string `json:"account,omitempty"`
	Source  string `json:"source,omitempty"` // the outside system that says so, "" for the record's own
}

// Ticket is a request that is tracked to its end.
type Ticket struct {
	ID       string     `json:"id"`
	Title    string     `json:"title"`
	Detail   string     `json:"detail,omitempty"`
	Topic    string     `json:"topic,omitempty"`
	Kind     string     `json:"kind"`   // fault, complaint, request, refund
	Status   string     `json:"status"` // open, closed
	OpenedAt time.Time  `json:"opened_at"`
	DueAt    *time.Time `json:"due_at,omitempty"`
	ClosedAt *time.Time `json:"closed_at,omitempty"`
	Account  string     `json:"account,omitempty"` // whose it is of Record.Accounts; "": the record's own
	Source   string     `json:"source,omitempty"`  // as of Product
}

// Interaction is one contact, over whatever channel.
type Interaction struct {
	ID          string     `json:"id"`
	At          time.Time  `json:"at"`
	Channel     string     `json:"channel"` // call, web, chat, mail, sms, shop, visit, fax
	Title       string     `json:"title"`
	Detail      string     `json:"detail,omitempty"`
	Topic       string     `json:"topic,omitempty"`
	Agent       *Colleague `json:"agent,omitempty"`
	Note        string     `json:"note,omitempty"`
	Disposition string     `json:"disposition,omitempty"`
	DurationS   int        `json:"duration_s,omitempty"`
	Call        int64      `json:"call,omitempty"`
	// PromisedBy is set when we promised something by then; Kept tells whether
	// it was done.
	PromisedBy *time.Time `json:"promised_by,omitempty"`
	Kept       *bool      `json:"kept,omitempty"`
	// Source is the outside system that has written it, "" for the record's own and
	// for ours; ChangedAt is when that system last put something else in its place.
	Source    string     `json:"source,omitempty"`
	ChangedAt *time.Time `json:"changed_at,omitempty"`
	Links     []Link     `json:"links,omitempty"`
	Account   string     `json:"account,omitempty"` // whose it is of Record.Accounts; "": the record's own
}

// Link is where something that belongs to an interaction lies: a letter, a photo.
type Link struct {
	Title string `json:"title,omitempty"`
	URL   string `json:"url"` // https
}

// SubAccount is a customer's account within another's: a branch, a department.
type SubAccount struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
}

// Other is another person on the same account: who else lives in the household, whom
// one speaks with in the company.
type Other struct {
	Name   string `json:"name"`
	Detail string `json:"detail,omitempty"`
}
