// Package rule holds the routes: a tree of nodes with conditions, and the
// environment that conditions read (routing document, sections 5 and 14).
// It is pure; conditions are expr-lang expressions that cannot fail and
// cannot loop.
package rule

import "time"

// Missing is the value of every "how long ago" and "days until" that is not
// known: never, not in sight.
const Missing = 999999

// Call is what a condition sees as call. It carries no number and no name.
type Call struct {
	Kind     string `json:"kind" expr:"kind"` // inbound, transfer
	ANIKnown bool   `json:"ani_known" expr:"ani_known"`
	DNIS     string `json:"dnis" expr:"dnis"` // E.164 or a short code
	Trunk    string `json:"trunk" expr:"trunk"`
	Country  string `json:"country" expr:"country"`         // ISO 3166 of the caller's number, or ""
	Region   string `json:"region,omitempty" expr:"region"` // of the document, or ""
	Language string `json:"language" expr:"language"`       // set by a route, or ""
	Topic    string `json:"topic" expr:"topic"`
	// WaitedS and Transfers change while the call lives; the engine fills them.
	WaitedS   int `json:"waited" expr:"waited"`
	Transfers int `json:"transfers" expr:"transfers"`
	// Verified and Attestation (A, B, C or "") are what the network says of the
	// caller's number (RFC 8224).
	Verified    bool   `json:"verified,omitempty" expr:"verified"`
	Attestation string `json:"attestation,omitempty" expr:"attestation"`
	// Choice is the digits that the caller chose in a menu.
	Choice string `json:"choice,omitempty" expr:"choice"`
	// FromQueue is the queue before this one, Offers how many there were; the
	// engine fills them.
	FromQueue string `json:"from_queue,omitempty" expr:"from_queue"`
	Offers    int    `json:"offers,omitempty" expr:"offers"`
	Past
}

// Past is what the ledger says of the caller's other calls: how many since the
// day began, and how many whole seconds ago the last was abandoned and answered,
// 1 at least; 0 stands for never, which conditions see as Missing.
type Past struct {
	CallsToday     int `json:"calls_today,omitempty" expr:"calls_today"`
	AbandonedToday int `json:"abandoned_today,omitempty" expr:"abandoned_today"`
	AbandonedAgo   int `json:"abandoned_ago,omitempty" expr:"abandoned_ago"`
	AnsweredAgo    int `json:"answered_ago,omitempty" expr:"answered_ago"`
}

// Customer is what a condition sees as customer: routing attributes only.
// Several candidates for one number, none, or a failed look-up: the zero
// Customer with Known false.
type Customer struct {
	Known           bool     `json:"known" expr:"known"`
	Segment         string   `json:"segment,omitempty" expr:"segment"`
	KeyAccount      bool     `json:"key_account,omitempty" expr:"key_account"`
	Language        string   `json:"language,omitempty" expr:"language"`
	Country         string   `json:"country,omitempty" expr:"country"`
	ChurnRisk       int      `json:"churn_risk,omitempty" expr:"churn_risk"` // 0..100
	Value           int      `json:"value,omitempty" expr:"value"`           // 0..100
	Balance         int64    `json:"balance,omitempty" expr:"balance"`       // minor units
	BalanceCurrency string   `json:"balance_currency,omitempty" expr:"balance_currency"`
	OverdueDays     int      `json:"overdue_days,omitempty" expr:"overdue_days"`
	OpenTickets     int      `json:"open_tickets,omitempty" expr:"open_tickets"`
	OpenComplaints  int      `json:"open_complaints,omitempty" expr:"open_complaints"`
	Products        []string `json:"products,omitempty" expr:"products"`
	AccountManager  string   `json:"account_manager,omitempty" expr:"account_manager"` // agent id
	LastAgent       string   `json:"last_agent,omitempty" expr:"last_agent"`           // agent id
	LastTopic       string   `json:"last_topic,omitempty" expr:"last_topic"`
	LastContactDays int      `json:"last_contact_days,omitempty" expr:"last_contact_days"`
	Confidence      int      `json:"confidence,omitempty" expr:"confidence"`               // 0..100
	ContractEndDays int      `json:"contract_end_days,omitempty" expr:"contract_end_days"` // Missing: no end in sight
	UsageTrend      int      `json:"usage_trend,omitempty" expr:"usage_trend"`             // percent over 90 days
	Consent         []string `json:"consent,omitempty" expr:"consent"`                     // phone, mail, sms, recording
	DoNotCall       bool     `json:"do_not_call,omitempty" expr:"do_not_call"`
	FraudFlag       bool     `json:"fraud_flag,omitempty" expr:"fraud_flag"`
	Birthday        bool     `json:"birthday,omitempty" expr:"birthday"` // today
	// Zeros names those of churn_risk, value and usage_trend that the record says
	// are 0; one that is 0 and not named here is missing.
	Zeros []string `json:"zeros,omitempty" expr:"-"`
	// The document's own fields by name, other than those that name a person.
	Texts    map[string]string   `json:"texts,omitempty" expr:"-"`
	Integers map[string]int      `json:"integers,omitempty" expr:"-"`
	Flags    map[string]bool     `json:"flags,omitempty" expr:"-"`
	Lists    map[string][]string `json:"lists,omitempty" expr:"-"`
}

// QueueFigures is what a condition sees as queues.NAME.
type QueueFigures struct {
	Waiting   int  `expr:"waiting"`
	Oldest    int  `expr:"oldest"` // seconds
	Available int  `expr:"available"`
	Staffed   int  `expr:"staffed"`
	Talking   int  `expr:"talking"`
	Open      bool `expr:"open"`
	SL        int  `expr:"sl"`  // percent
	EWT       int  `expr:"ewt"` // seconds, 0 when not known
	EWTKnown  bool `expr:"ewt_known"`
}

// OwnQueue is what a condition about a waiting call sees as queue: the figures
// of the queue it waits in. Available and Staffed are those who fit the steps
// reached, for this very call.
type OwnQueue struct {
	QueueFigures
	Position int `expr:"position"` // 1: next in line
}

// Clock is what a condition sees as time, in the document's zone.
type Clock struct {
	Hour    int    `expr:"hour"`
	Minute  int    `expr:"minute"`
	Weekday string `expr:"weekday"` // mon..sun
	Day     int    `expr:"day"`
	Month   int    `expr:"month"`
	Date    string `expr:"date"` // 2026-12-24
	Holiday string `expr:"holiday"`
}

// NewClock reads the wall clock of at in zone.
func NewClock(at time.Time, zone *time.Location) Clock {
	t := at.In(zone)
	days := [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
	return Clock{
		Hour: t.Hour(), Minute: t.Minute(), Weekday: days[t.Weekday()],
		Day: t.Day(), Month: int(t.Month()), Date: t.Format(time.DateOnly),
	}
}
