package store

import (
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// documentReader reads the JSON of records as we write it: each call waits for
// one, a million stand in a file to import, and the general decoder takes four
// times as long. What is written otherwise (by a later release, by hand, with a
// key twice) is odd, and left to that. Texts are parts of the document's own.
type documentReader struct {
	text string
	at   int
	odd  bool
}

// readRecord reads a record; false when it is odd, and what was read is void.
func readRecord(text string, to *customer.Record) bool {
	r := documentReader{text: text, odd: !utf8.ValidString(text)}
	r.record(to)
	return r.ends()
}

// readHistory reads a document's history; false when it is odd.
func readHistory(text string, to *[]customer.Interaction) bool {
	r := documentReader{text: text, odd: !utf8.ValidString(text)}
	all := make([]customer.Interaction, 0, strings.Count(text, `{"id":`))
	for r.at < len(text) && !r.odd {
		all = append(all, customer.Interaction{})
		r.interaction(&all[len(all)-1])
		r.want(',')
	}
	*to = all
	return r.ends()
}

func (r *documentReader) ends() bool {
	r.next()
	return !r.odd && r.at == len(r.text)
}

// next is the byte that comes next behind white space, 0 at the end.
func (r *documentReader) next() byte {
	for ; r.at < len(r.text); r.at++ {
		switch c := r.text[r.at]; c {
		case ' ', '\t', '\r', '\n':
		default:
			if r.odd {
				return 0
			}
			return c
		}
	}
	return 0
}

// once makes a value odd that was read before.
func (r *documentReader) once(first bool) {
	r.odd = r.odd || !first
}

func (r *documentReader) want(c byte) {
	if r.next() != c {
		r.odd = true
		return
	}
	r.at++
}

func (r *documentReader) word(w string) {
	r.next()
	if r.odd || !strings.HasPrefix(r.text[r.at:], w) {
		r.odd = true
		return
	}
	r.at += len(w)
}

// object reads an object; field reads the value of a key.
func (r *documentReader) object(field func(key string)) {
	r.want('{')
	for first := true; !r.odd; first = false {
		if r.next() == '}' {
			r.at++
			return
		}
		if !first {
			r.want(',')
		}
		key := r.string()
		r.want(':')
		if !r.odd {
			field(key)
		}
	}
}

// listOf reads an array.
func listOf[T any](r *documentReader, before []T, one func(*T)) []T {
	all := []T{}
	r.once(before == nil)
	r.want('[')
	for !r.odd {
		if r.next() == ']' {
			r.at++
			return all
		}
		if len(all) > 0 {
			r.want(',')
		}
		var v T
		one(&v)
		all = append(all, v)
	}
	return nil
}

// string reads a text. One with escapes is read by the general decoder.
func (r *documentReader) string() string {
	r.want('"')
	if r.odd {
		return ""
	}
	begin, escaped := r.at, false
	for i := begin; i < len(r.text); i++ {
		switch c := r.text[i]; {
		case c == '"':
			r.at = i + 1
			if escaped {
				return r.unescaped(r.text[begin-1 : r.at])
			}
			return r.text[begin:i]
		case c == '\\':
			escaped = true
			i++
		case c < ' ':
			i = len(r.text)
		}
	}
	r.odd = true
	return ""
}

func (r *documentReader) unescaped(quoted string) (text string) {
	if json.Unmarshal([]byte(quoted), &text) != nil {
		r.odd = true
	}
	return text
}

// whole reads an integer.
func (r *documentReader) whole() (n int64) {
	minus := r.next() == '-'
	if minus {
		r.at++
	}
	const most = 18 // digits of which none overflows
	begin := r.at
	for ; r.at < len(r.text) && r.text[r.at] >= '0' && r.text[r.at] <= '9'; r.at++ {
		n = n*10 + int64(r.text[r.at]-'0')
	}
	digits := r.at - begin
	r.odd = r.odd || digits == 0 || digits > most || digits > 1 && r.text[begin] == '0'
	if minus {
		return -n
	}
	return n
}

func (r *documentReader) yes() bool {
	if r.next() == 't' {
		r.word("true")
		return true
	}
	r.word("false")
	return false
}

func (r *documentReader) maybe() *bool {
	yes := r.yes()
	return &yes
}

// instant reads a time (RFC 3339), in which nothing may be escaped.
func (r *documentReader) instant() (t time.Time) {
	begin := r.at
	if t.UnmarshalText([]byte(r.string())) != nil || strings.Contains(r.text[begin:r.at], `\`) {
		r.odd = true
	}
	return t
}

func (r *documentReader) instantPtr() *time.Time {
	t := r.instant()
	return &t
}

func (r *documentReader) money() (m customer.Money) {
	r.object(func(key string) {
		switch key {
		case "minor":
			m.Minor = r.whole()
		case "currency":
			m.Currency = r.string()
		default:
			r.odd = true
		}
	})
	return m
}

func (r *documentReader) moneyPtr(before *customer.Money) *customer.Money {
	r.once(before == nil)
	m := r.money()
	return &m
}

func (r *documentReader) colleague(before *customer.Colleague) *customer.Colleague {
	r.once(before == nil)
	var c customer.Colleague
	r.object(func(key string) {
		switch key {
		case "agent":
			c.Agent = r.string()
		case "name":
			c.Name = r.string()
		default:
			r.odd = true
		}
	})
	return &c
}

func (r *documentReader) strings(before []string) []string {
	return listOf(r, before, func(s *string) { *s = r.string() })
}

func (r *documentReader) record(to *customer.Record) {
	r.object(func(key string) {
		switch key {
		case "id":
			to.ID = r.string()
		case "version":
			to.Version = r.whole()
		case "name":
			to.Name = r.string()
		case "language":
			to.Language = r.string()
		case "country":
			to.Country = r.string()
		case "zone":
			to.Zone = r.string()
		case "segment":
			to.Segment = r.string()
		case "key_account":
			to.KeyAccount = r.yes()
		case "customer_since":
			to.CustomerSince = r.string()
		case "yearly_value":
			to.YearlyValue = r.moneyPtr(to.YearlyValue)
		case "churn_risk":
			risk := int(r.whole())
			to.ChurnRisk = &risk
		case "churn_reasons":
			to.ChurnReasons = r.strings(to.ChurnReasons)
		case "heed":
			to.Heed = r.strings(to.Heed)
		case "account_manager":
			to.AccountManager = r.colleague(to.AccountManager)
		case "contacts":
			to.Contacts = int(r.whole())
		case "last_agent":
			to.LastAgent = r.colleague(to.LastAgent)
		case "last_agent_at":
			to.LastAgentAt = r.instantPtr()
		default:
			r.part(key, to)
		}
	})
}

// part reads what hangs on a record.
func (r *documentReader) part(key string, to *customer.Record) {
	switch key {
	case "numbers":
		to.Numbers = listOf(r, to.Numbers, r.number)
	case "consent":
		r.consent(&to.Consent)
	case "billing":
		r.once(to.Billing == nil)
		to.Billing = r.billing()
	case "products":
		to.Products = listOf(r, to.Products, r.product)
	case "tickets":
		to.Tickets = listOf(r, to.Tickets, r.ticket)
	case "interactions":
		r.once(to.Interactions == nil)
		if r.next() == 'n' { // of a document: its history has them
			r.word("null")
			return
		}
		to.Interactions = listOf(r, to.Interactions, r.interaction)
	case "others":
		to.Others = listOf(r, to.Others, r.other)
	case "accounts":
		to.Accounts = listOf(r, to.Accounts, r.account)
	case "billing_else":
		to.BillingElse = listOf(r, to.BillingElse, func(b *customer.Billing) { *b = *r.billing() })
	case "facts":
		to.Facts = listOf(r, to.Facts, r.fact)
	default:
		if !r.trait(key, to) {
			r.odd = true
		}
	}
}
