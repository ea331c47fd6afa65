package rule

import (
	"fmt"
	"slices"
	"strings"
)

// Case is one way a call can be, as far as some conditions can tell: a value
// for each name they read.
type Case struct {
	names  []string
	values []any
	own    map[string]string
	env    Env
}

// field is how a name is filled in: its kind, its bounds, and where it goes.
type field struct {
	low, high int // of numbers; both 0 for the other kinds
	closed    []string
	text      func(*Env) *string
	number    func(*Env) *int
	flag      func(*Env) *bool
	list      func(*Env) *[]string
	put       func(*Env, any) // of own fields, in the place of the four above
	yesNo     bool            // put takes true or false
	listed    bool            // put takes a list, with \x00 between
	ago       bool            // "how long ago" or "days until": Missing when it is not known
}

const many = 1_000_000

var studied = map[string]field{
	"call.kind":                  {closed: callKinds, text: func(e *Env) *string { return &e.Call.Kind }},
	"call.ani_known":             {flag: func(e *Env) *bool { return &e.Call.ANIKnown }},
	"call.ani":                   {text: func(e *Env) *string { return &e.ANI }},
	"customer.id":                {text: func(e *Env) *string { return &e.CustomerID }},
	"call.dnis":                  {text: func(e *Env) *string { return &e.Call.DNIS }},
	"call.trunk":                 {text: func(e *Env) *string { return &e.Call.Trunk }},
	"call.country":               {text: func(e *Env) *string { return &e.Call.Country }},
	"call.language":              {text: func(e *Env) *string { return &e.Call.Language }},
	"call.topic":                 {text: func(e *Env) *string { return &e.Call.Topic }},
	"call.waited":                {high: many, number: func(e *Env) *int { return &e.Call.WaitedS }},
	"call.transfers":             {high: 5, number: func(e *Env) *int { return &e.Call.Transfers }},
	"call.region":                {text: func(e *Env) *string { return &e.Call.Region }},
	"call.choice":                {text: func(e *Env) *string { return &e.Call.Choice }},
	"call.verified":              {flag: func(e *Env) *bool { return &e.Call.Verified }},
	"call.attestation":           {closed: append([]string{""}, attestations...), text: func(e *Env) *string { return &e.Call.Attestation }},
	"call.from_queue":            {text: func(e *Env) *string { return &e.Call.FromQueue }},
	"call.offers":                {high: many, number: func(e *Env) *int { return &e.Call.Offers }},
	"call.calls_today":           {high: many, number: func(e *Env) *int { return &e.Call.CallsToday }},
	"call.abandoned_today":       {high: many, number: func(e *Env) *int { return &e.Call.AbandonedToday }},
	"call.abandoned_ago":         {low: 1, high: Missing, ago: true, number: func(e *Env) *int { return &e.Call.AbandonedAgo }},
	"call.answered_ago":          {low: 1, high: Missing, ago: true, number: func(e *Env) *int { return &e.Call.AnsweredAgo }},
	"customer.known":             {flag: func(e *Env) *bool { return &e.Customer.Known }},
	"customer.segment":           {text: func(e *Env) *string { return &e.Customer.Segment }},
	"customer.key_account":       {flag: func(e *Env) *bool { return &e.Customer.KeyAccount }},
	"customer.language":          {text: func(e *Env) *string { return &e.Customer.Language }},
	"customer.country":           {text: func(e *Env) *string { return &e.Customer.Country }},
	"customer.churn_risk":        {high: 100, number: func(e *Env) *int { return &e.Customer.ChurnRisk }},
	"customer.value":             {high: 100, number: func(e *Env) *int { return &e.Customer.Value }},
	"customer.balance":           {low: -1000 * many, high: 1000 * many},
	"customer.balance_currency":  {text: func(e *Env) *string { return &e.Customer.BalanceCurrency }},
	"customer.overdue_days":      {high: Missing, number: func(e *Env) *int { return &e.Customer.OverdueDays }},
	"customer.open_tickets":      {high: many, number: func(e *Env) *int { return &e.Customer.OpenTickets }},
	"customer.open_complaints":   {high: many, number: func(e *Env) *int { return &e.Customer.OpenComplaints }},
	"customer.products":          {list: func(e *Env) *[]string { return &e.Customer.Products }},
	"customer.account_manager":   {text: func(e *Env) *string { return &e.Customer.AccountManager }},
	"customer.last_agent":        {text: func(e *Env) *string { return &e.Customer.LastAgent }},
	"customer.last_topic":        {text: func(e *Env) *string { return &e.Customer.LastTopic }},
	"customer.last_contact_days": {high: Missing, ago: true, number: func(e *Env) *int { return &e.Customer.LastContactDays }},
	"customer.confidence":        {high: 100, number: func(e *Env) *int { return &e.Customer.Confidence }},
	"customer.contract_end_days": {high: Missing, ago: true, number: func(e *Env) *int { return &e.Customer.ContractEndDays }},
	"customer.usage_trend":       {low: -100, high: many, number: func(e *Env) *int { return &e.Customer.UsageTrend }},
	"customer.consent":           {list: func(e *Env) *[]string { return &e.Customer.Consent }},
	"customer.do_not_call":       {flag: func(e *Env) *bool { return &e.Customer.DoNotCall }},
	"customer.fraud_flag":        {flag: func(e *Env) *bool { return &e.Customer.FraudFlag }},
	"customer.birthday":          {flag: func(e *Env) *bool { return &e.Customer.Birthday }},
	"clock":                      {high: 24*60 - 1},
	"time.hour":                  {high: 23, number: func(e *Env) *int { return &e.Clock.Hour }},
	"time.minute":                {high: 59, number: func(e *Env) *int { return &e.Clock.Minute }},
	"time.weekday":               {closed: weekdays, text: func(e *Env) *string { return &e.Clock.Weekday }},
	"time.day":                   {low: 1, high: 31, number: func(e *Env) *int { return &e.Clock.Day }},
	"time.month":                 {low: 1, high: 12, number: func(e *Env) *int { return &e.Clock.Month }},
	"time.date":                  {text: func(e *Env) *string { return &e.Clock.Date }},
	"time.holiday":               {text: func(e *Env) *string { return &e.Clock.Holiday }},
}

// maxPretended bounds the values that are tried in the place of missing ones.
const maxPretended = 4096

// otherText stands for every text that no condition names.
const otherText = "other"

// otherNumber stands for every dialled number that no condition names.
const otherNumber = "+15550100000"

// Cases goes through every way a call can be, as far as the conditions can
// tell, until yield says enough. complete says that there are no others: false
// when there are more than limit, or when a condition is too clever.
func Cases(studies []*Study, limit int, yield func(*Case) bool) (complete bool) {
	c := &Case{}
	domains, exact := domains(studies)
	c.own = domains.own
	total := 1
	for _, name := range domains.names {
		c.names = append(c.names, name)
		if total *= len(domains.by[name]); total > limit {
			exact = false
			total = limit
		}
	}
	c.values = make([]any, len(c.names))
	c.env.IsOpen = func(calendar string) bool {
		i := slices.Index(c.names, "open:"+calendar)
		return i >= 0 && c.values[i] == true
	}
	at := make([]int, len(c.names))
	for range limit {
		if c.set(domains, at) && !yield(c) {
			return exact
		}
		i := 0
		for ; i < len(at); i++ {
			if at[i]++; at[i] < len(domains.by[c.names[i]]) {
				break
			}
			at[i] = 0
		}
		if i == len(at) {
			return exact
		}
	}
	return false
}

type domain struct {
	names []string
	by    map[string][]any
	own   map[string]string
}

// domains are the telling values of all names the studies read, the plainest
// first.
func domains(studies []*Study) (d domain, exact bool) {
	d.by, exact = map[string][]any{}, true
	all := map[string]*values{}
	hours := false
	for _, s := range studies {
		exact = exact && s.Exact
		if s.Condition != nil && d.own == nil {
			d.own = s.Condition.fields
		}
		for _, name := range s.Reads {
			v := all[name]
			if v == nil {
				v = &values{}
				all[name] = v
				d.names = append(d.names, name)
			}
			of := s.values[name]
			v.texts, v.numbers = append(v.texts, of.texts...), append(v.numbers, of.numbers...)
			v.has, v.listed = v.has || of.has, v.listed || of.listed
			hours = hours || name == "time.hour" || name == "time.minute"
		}
	}
	if hours && all["clock"] != nil {
		exact = false // two names for one thing
	}
	if slices.ContainsFunc(d.names, func(name string) bool { return strings.HasPrefix(name, "customer.") }) && all["customer.known"] == nil {
		d.names, all["customer.known"] = append(d.names, "customer.known"), &values{}
	}
	for _, name := range d.names {
		list, ok := telling(name, d.own, all[name])
		d.by[name] = list
		exact = exact && ok
	}
	return d, exact
}

// telling are the values of one name that make a difference.
func telling(name string, own map[string]string, v *values) (out []any, exact bool) {
	add := func(x any) {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	f := fieldOf(name, own)
	if q, ok := strings.CutPrefix(name, "queues."); ok {
		switch {
		case strings.HasSuffix(q, ".open"), strings.HasSuffix(q, ".ewt_known"):
			f = field{flag: func(*Env) *bool { return nil }}
		case strings.HasSuffix(q, ".sl"):
			f = field{high: 100}
		default:
			f = field{high: many}
		}
	}
	switch {
	case f.list != nil || f.listed:
		return lists(v)
	case f.flag != nil || f.yesNo || strings.HasPrefix(name, "open:"):
		return []any{false, true}, true
	case len(f.closed) > 0:
		for _, t := range f.closed {
			add(t)
		}
	case f.high > 0:
		if f.low <= 0 {
			add(0)
		}
		if f.ago {
			out = []any{Missing}
		}
		for _, n := range v.numbers {
			for _, x := range []int{n - 1, n, n + 1} {
				if x >= f.low && x <= f.high {
					add(x)
				}
			}
		}
		add(f.low)
		add(f.high)
	default:
		if name == "call.dnis" {
			add(otherNumber)
		} else {
			add("")
		}
		for _, t := range v.texts {
			add(t)
		}
		if name != "call.dnis" {
			add(otherText)
		}
	}
	return out, true
}

// lists are the ways a list can hold the entries that are asked for.
func lists(v *values) (out []any, exact bool) {
	texts := slices.Clone(v.texts)
	slices.Sort(texts)
	texts = slices.Compact(texts)
	if len(texts) > 4 {
		texts = texts[:4]
	}
	for set := range 1 << len(texts) {
		var list []string
		for i, t := range texts {
			if set&(1<<i) != 0 {
				list = append(list, t)
			}
		}
		out = append(out, strings.Join(list, "\x00"))
	}
	return append(out, otherText), len(v.texts) <= 4
}

// set fills the environment with one value of each name. It says false for a
// case that is no other than one before: the record of an unknown customer.
func (c *Case) set(d domain, at []int) bool {
	known := true
	for i, name := range c.names {
		c.values[i] = d.by[name][at[i]]
		if name == "customer.known" {
			known = c.values[i] == true
		}
	}
	c.env.ANI, c.env.CustomerID, c.env.Persons = "", "", nil
	c.env.Call, c.env.Customer, c.env.Clock, c.env.Queues = Call{Kind: "inbound", DNIS: otherNumber}, Customer{}, Clock{Weekday: "mon", Day: 1, Month: 1, Hour: 12}, nil
	if known {
		c.env.Customer.LastContactDays, c.env.Customer.ContractEndDays = Missing, Missing
	}
	for i, name := range c.names {
		if !known && strings.HasPrefix(name, "customer.") && name != "customer.known" {
			if at[i] != 0 {
				return false
			}
			continue
		}
		c.fill(name, c.values[i])
	}
	return true
}

func (c *Case) fill(name string, v any) {
	f := fieldOf(name, c.own)
	switch {
	case f.put != nil:
		f.put(&c.env, v)
	case f.text != nil:
		*f.text(&c.env) = v.(string)
	case f.number != nil:
		*f.number(&c.env) = v.(int)
	case f.flag != nil:
		*f.flag(&c.env) = v.(bool)
	case name == "customer.balance":
		c.env.Customer.Balance = int64(v.(int))
	case f.list != nil:
		*f.list(&c.env) = nil
		if v != "" {
			*f.list(&c.env) = strings.Split(v.(string), "\x00")
		}
	case name == "clock":
		c.env.Clock.Hour, c.env.Clock.Minute = v.(int)/60, v.(int)%60
	case strings.HasPrefix(name, "queues."):
		c.figure(strings.Split(strings.TrimPrefix(name, "queues."), "."), v)
	}
}

// figure sets a figure of a queue, whose name may hold dots.
func (c *Case) figure(parts []string, v any) {
	queue := strings.Join(parts[:len(parts)-1], ".")
	if c.env.Queues == nil {
		c.env.Queues = map[string]QueueFigures{}
	}
	q := c.env.Queues[queue]
	n, _ := v.(int)
	switch parts[len(parts)-1] {
	case "waiting":
		q.Waiting = n
	case "oldest":
		q.Oldest = n
	case "available":
		q.Available = n
	case "staffed":
		q.Staffed = n
	case "talking":
		q.Talking = n
	case "open":
		q.Open = v == true
	case "sl":
		q.SL = n
	case "ewt":
		q.EWT = n
	case "ewt_known":
		q.EWTKnown = v == true
	}
	c.env.Queues[queue] = q
}

// Holds answers a condition for the case; nil holds always.
func (c *Case) Holds(cond *Condition) bool { return cond == nil || cond.Eval(&c.env) }

// Known says whether the case is a customer who is known.
func (c *Case) Known() bool { return c.env.Customer.Known }

// Equal says whether the case has the value for a name that Study.Field gives.
func (c *Case) Equal(name, value string) bool {
	f := studied[name]
	return f.text != nil && *f.text(&c.env) == value
}

// Text is the case's value of such a name.
func (c *Case) Text(name string) string {
	if f := studied[name]; f.text != nil {
		return *f.text(&c.env)
	}
	return ""
}

// With is the same call with another text under a name.
func (c *Case) With(name, value string) *Case {
	out := &Case{names: c.names, values: c.values, env: Env{Call: c.env.Call, Customer: c.env.Customer, Queues: c.env.Queues, Clock: c.env.Clock, IsOpen: c.env.IsOpen}}
	if f := studied[name]; f.text != nil {
		*f.text(&out.env) = value
	}
	return out
}

// HoldsByMissing says that a condition which holds for an unknown customer
// would not, were one of the values that are missing another.
func (c *Case) HoldsByMissing(s *Study) bool {
	if c.env.Customer.Known || !c.Holds(s.Condition) {
		return false
	}
	names := slices.DeleteFunc(slices.Clone(s.Reads), func(name string) bool {
		return !strings.HasPrefix(name, "customer.") || name == "customer.known"
	})
	if len(names) == 0 {
		return false
	}
	pretend := &Case{own: c.own}
	lists := make([][]any, len(names))
	total := 1
	for i, name := range names {
		lists[i], _ = telling(name, s.Condition.fields, s.values[name])
		total *= len(lists[i])
	}
	view := *c.env.scope() // open, between and has answer as for nobody known
	for n := range min(total, maxPretended) {
		for i, name := range names {
			pretend.fill(name, lists[i][n%len(lists[i])])
			n /= len(lists[i])
		}
		changed := view
		changed.Customer = pretend.env.Customer
		changed.Texts, changed.Integers = pretend.env.Customer.Texts, pretend.env.Customer.Integers
		changed.Flags, changed.Lists = pretend.env.Customer.Flags, pretend.env.Customer.Lists
		pretend.env.Call, pretend.env.ANI, pretend.env.rims = c.env.Call, c.env.ANI, s.Condition.rims
		changed.Rim = pretend.env.rim
		if out, err := c.env.machine.Run(s.Condition.program, &changed); err == nil && out == false {
			return true
		}
	}
	return false
}

// String writes the case as a test of a document does, without what is as
// usual.
func (c *Case) String() string {
	var call, customer, rest []string
	for i, name := range c.names {
		v := c.values[i]
		kind, word, _ := strings.Cut(name, ".")
		switch {
		case kind == "call" && c.usual(name, v) || kind == "customer" && (!c.Known() || name == "customer.known" || c.usual(name, v)):
		case kind == "call":
			call = append(call, word+": "+written(v))
		case kind == "customer":
			if text := written(v); c.isList(name) && text[0] != '[' {
				v = v.(string) + "\x00"
			}
			customer = append(customer, word+": "+strings.Replace(written(v), ", ]", "]", 1))
		case strings.HasPrefix(name, "open:"):
			rest = append(rest, fmt.Sprintf("%s %s", strings.TrimPrefix(name, "open:"), map[bool]string{true: "open", false: "closed"}[v == true]))
		case name == "clock":
			rest = append(rest, fmt.Sprintf("at %02d:%02d", v.(int)/60, v.(int)%60))
		default:
			rest = append(rest, name+" "+written(v))
		}
	}
	parts := []string{"call: {" + strings.Join(call, ", ") + "}"}
	switch {
	case !slices.Contains(c.names, "customer.known"):
	case !c.Known():
		parts = append(parts, "customer: unknown")
	default:
		parts = append(parts, "customer: {"+strings.Join(customer, ", ")+"}")
	}
	return strings.Join(append(parts, rest...), ", ")
}

func (c *Case) isList(name string) bool {
	f := fieldOf(name, c.own)
	return f.list != nil || f.listed
}

func (c *Case) usual(name string, v any) bool {
	switch v {
	case "", 0, false, otherText, otherNumber:
		return true
	case Missing:
		return studied[name].ago
	}
	return name == "call.kind" && v == "inbound"
}

func written(v any) string {
	s, ok := v.(string)
	switch {
	case !ok:
		return fmt.Sprint(v)
	case strings.Contains(s, "\x00"):
		return "[" + strings.ReplaceAll(s, "\x00", ", ") + "]"
	case strings.HasPrefix(s, "+") || s == "" || s[0] >= '0' && s[0] <= '9':
		return fmt.Sprintf("%q", s)
	}
	return s
}
