package rule

import (
	"slices"
	"strconv"
	"strings"

	"github.com/expr-lang/expr/vm"
)

// Env is what a condition reads at one instant. One Env serves one goroutine
// and may be filled anew for each call.
type Env struct {
	Call     Call
	Customer Customer
	Queues   map[string]QueueFigures // those that Condition.Queues lists
	Own      OwnQueue                // for conditions that say ReadsOwn
	Clock    Clock
	// IsOpen answers open("calendar").
	IsOpen func(calendar string) bool
	// Rim answers the predicates of the version, behind the rim; nil: they are
	// answered from ANI, CustomerID and Persons (own fields of type person), as at
	// the rim.
	Rim             func(predicate int) bool
	ANI, CustomerID string
	Persons         map[string]string
	// Fields are the types of own fields, for Set.
	Fields map[string]string
	// Errors counts conditions that the machine refused; it stays 0.
	Errors int

	machine    vm.VM
	view       scope
	rims       *Predicates // of the condition asked
	rimMachine vm.VM
}

// scope is the environment as expressions see it.
type scope struct {
	Call     Call                      `expr:"call"`
	Customer Customer                  `expr:"customer"`
	Queues   map[string]QueueFigures   `expr:"queues"`
	Queue    OwnQueue                  `expr:"queue"`
	Time     Clock                     `expr:"time"`
	Open     func(string) bool         `expr:"open"`
	Between  func(string, string) bool `expr:"between"`
	Has      func(string) bool         `expr:"has"`
	Rim      func(int) bool            `expr:"rim"`
	Texts    map[string]string         `expr:"own_text"`
	Integers map[string]int            `expr:"own_integer"`
	Flags    map[string]bool           `expr:"own_flag"`
	Lists    map[string][]string       `expr:"own_list"`
}

func (e *Env) scope() *scope {
	if e.view.Open == nil {
		e.machine.MemoryBudget, e.rimMachine.MemoryBudget = 100_000, 100_000
		e.view.Rim = e.rim
		e.view.Open = func(name string) bool { return e.IsOpen != nil && e.IsOpen(name) }
		e.view.Between = e.between
		e.view.Has = e.has
	}
	e.view.Call, e.view.Customer, e.view.Queues, e.view.Queue, e.view.Time = e.Call, e.Customer, e.Queues, e.Own, e.Clock
	if e.Call.AbandonedAgo == 0 {
		e.view.Call.AbandonedAgo = Missing
	}
	if e.Call.AnsweredAgo == 0 {
		e.view.Call.AnsweredAgo = Missing
	}
	if !e.Customer.Known {
		e.view.Customer.LastContactDays, e.view.Customer.ContractEndDays = Missing, Missing
	}
	e.view.Texts, e.view.Integers, e.view.Flags, e.view.Lists = e.Customer.Texts, e.Customer.Integers, e.Customer.Flags, e.Customer.Lists
	return &e.view
}

// rim answers one predicate.
func (e *Env) rim(i int) bool {
	if e.Rim != nil {
		return e.Rim(i)
	}
	list := e.rims.List()
	return i < len(list) && list[i].Eval(e)
}

// between says whether the clock stands from one time of day until another,
// the start included and the end not; it may pass midnight. The texts were
// checked when the condition was compiled.
func (e *Env) between(from, to string) bool {
	a, _ := clockMinutes(from)
	b, _ := clockMinutes(to)
	now := e.Clock.Hour*60 + e.Clock.Minute
	if a <= b {
		return a <= now && now < b
	}
	return now >= a || now < b
}

// clockMinutes reads "08:30"; "24:00" is the end of the day.
func clockMinutes(s string) (int, bool) {
	h, m, ok := strings.Cut(s, ":")
	if !ok || len(h) != 2 || len(m) != 2 {
		return 0, false
	}
	hour, err1 := strconv.ParseUint(h, 10, 8)
	minute, err2 := strconv.ParseUint(m, 10, 8)
	if err1 != nil || err2 != nil || minute > 59 || hour > 24 || hour == 24 && minute > 0 {
		return 0, false
	}
	return int(hour*60 + minute), true
}

// hasField tells missing from zero, for every attribute of a call and a
// customer: what is always told is always there.
var hasField = map[string]func(*Env) bool{
	"call.kind":                  always,
	"call.ani":                   func(e *Env) bool { return e.Call.ANIKnown },
	"call.ani_known":             always,
	"call.dnis":                  func(e *Env) bool { return e.Call.DNIS != "" },
	"call.trunk":                 func(e *Env) bool { return e.Call.Trunk != "" },
	"call.verified":              func(e *Env) bool { return e.Call.Verified || e.Call.Attestation != "" },
	"call.attestation":           func(e *Env) bool { return e.Call.Attestation != "" },
	"call.country":               func(e *Env) bool { return e.Call.Country != "" },
	"call.region":                func(e *Env) bool { return e.Call.Region != "" },
	"call.language":              func(e *Env) bool { return e.Call.Language != "" },
	"call.topic":                 func(e *Env) bool { return e.Call.Topic != "" },
	"call.choice":                func(e *Env) bool { return e.Call.Choice != "" },
	"call.waited":                always,
	"call.transfers":             always,
	"call.from_queue":            func(e *Env) bool { return e.Call.FromQueue != "" },
	"call.offers":                always,
	"call.calls_today":           func(e *Env) bool { return e.Call.ANIKnown },
	"call.abandoned_today":       func(e *Env) bool { return e.Call.ANIKnown },
	"call.abandoned_ago":         func(e *Env) bool { return e.view.Call.AbandonedAgo != Missing },
	"call.answered_ago":          func(e *Env) bool { return e.view.Call.AnsweredAgo != Missing },
	"customer.known":             always,
	"customer.id":                known,
	"customer.confidence":        known,
	"customer.segment":           func(e *Env) bool { return e.Customer.Segment != "" },
	"customer.key_account":       known,
	"customer.language":          func(e *Env) bool { return e.Customer.Language != "" },
	"customer.country":           func(e *Env) bool { return e.Customer.Country != "" },
	"customer.churn_risk":        func(e *Env) bool { return e.Customer.told("churn_risk", e.Customer.ChurnRisk) },
	"customer.value":             func(e *Env) bool { return e.Customer.told("value", e.Customer.Value) },
	"customer.balance":           func(e *Env) bool { return e.Customer.BalanceCurrency != "" },
	"customer.balance_currency":  func(e *Env) bool { return e.Customer.BalanceCurrency != "" },
	"customer.overdue_days":      func(e *Env) bool { return e.Customer.BalanceCurrency != "" || e.Customer.OverdueDays != 0 },
	"customer.open_tickets":      known,
	"customer.open_complaints":   known,
	"customer.products":          func(e *Env) bool { return len(e.Customer.Products) > 0 },
	"customer.account_manager":   func(e *Env) bool { return e.Customer.AccountManager != "" },
	"customer.last_agent":        func(e *Env) bool { return e.Customer.LastAgent != "" },
	"customer.last_topic":        func(e *Env) bool { return e.Customer.LastTopic != "" },
	"customer.last_contact_days": func(e *Env) bool { return e.Customer.Known && e.Customer.LastContactDays != Missing },
	"customer.contract_end_days": func(e *Env) bool { return e.Customer.Known && e.Customer.ContractEndDays != Missing },
	"customer.usage_trend":       func(e *Env) bool { return e.Customer.told("usage_trend", e.Customer.UsageTrend) },
	"customer.consent":           func(e *Env) bool { return len(e.Customer.Consent) > 0 },
	"customer.do_not_call":       known,
	"customer.fraud_flag":        known,
	"customer.birthday":          known,
}

func always(*Env) bool  { return true }
func known(e *Env) bool { return e.Customer.Known }

// Zero names attributes whose 0 is not what is missing, where the record says
// it.
var Zero = []string{"churn_risk", "value", "usage_trend"}

// told says whether the record says what a number is.
func (c *Customer) told(name string, v int) bool {
	return c.Known && (v != 0 || slices.Contains(c.Zeros, name))
}

func (e *Env) has(field string) bool {
	if f := hasField[field]; f != nil {
		return f(e)
	}
	name, own := strings.CutPrefix(field, "customer.")
	return own && e.hasOwn(name)
}
