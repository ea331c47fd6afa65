package customer

import (
	"container/list"
	"reflect"
	"slices"
	"time"
)

// cache keeps the latest matches by number, least recently used out first, as
// many as allowed and no more memory than allowed: a customer of ten years weighs
// a hundred times what a new one does. The resolver's lock guards it.
type cache struct {
	size  int // matches
	room  int // bytes left
	by    map[string]*list.Element
	order *list.List // of *cached, newest use in front
}

type cached struct {
	number string
	match  Match
	at     time.Time
	ttl    time.Duration // fresh for so long
	weight int
}

func newCache(size, bytes int) *cache {
	return &cache{size: size, room: bytes, by: map[string]*list.Element{}, order: list.New()}
}

func (c *cache) get(number string) *cached {
	e := c.by[number]
	if e == nil {
		return nil
	}
	c.order.MoveToFront(e)
	return e.Value.(*cached)
}

func (c *cache) put(entry *cached) {
	if e := c.by[entry.number]; e != nil {
		c.drop(e)
	}
	entry.weight = weigh(entry.match)
	c.room -= entry.weight
	c.by[entry.number] = c.order.PushFront(entry)
	for c.order.Len() > c.size || c.room < 0 && c.order.Len() > 1 {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	old := c.order.Remove(e).(*cached)
	delete(c.by, old.number)
	c.room += old.weight
}

// erase drops the matches of a customer, one of several even, and of numbers.
func (c *cache) erase(id string, numbers []string) {
	his := func(r *Record) bool { return id != "" && r.has(id) }
	for e := c.order.Front(); e != nil; {
		entry, next := e.Value.(*cached), e.Next()
		m := &entry.match
		of := slices.Contains(numbers, entry.number) || m.Record != nil && his(m.Record)
		for i := range m.Candidates {
			of = of || his(&m.Candidates[i])
		}
		if of {
			c.drop(e)
		}
		e = next
	}
}

// What the parts of a record take without their texts, in bytes.
var (
	recordSize  = int(reflect.TypeFor[Record]().Size())
	contactSize = int(reflect.TypeFor[Interaction]().Size() + reflect.TypeFor[Colleague]().Size())
	ticketSize  = int(reflect.TypeFor[Ticket]().Size())
	productSize = int(reflect.TypeFor[Product]().Size())
	accountSize = int(reflect.TypeFor[Account]().Size() + reflect.TypeFor[Billing]().Size())
)

const (
	around    = 128 // of each part: the document that its texts are pieces of is kept whole
	textSize  = 16
	entrySize = 512 // with a record's money and consent
)

// weigh is about what a match takes in memory, in bytes.
func weigh(m Match) int {
	n := entrySize
	if m.Record != nil {
		n += weighRecord(m.Record)
	}
	for i := range m.Candidates {
		n += weighRecord(&m.Candidates[i])
	}
	return n
}

// weighRecord counts every text that a source may give, of whatever length:
// nothing else bounds what is kept.
func weighRecord(r *Record) int {
	n := recordSize + around + texts(r.ID, r.Name, r.Zone, r.Kind, r.Segment, r.CustomerSince, r.ContractEnd, r.BirthDate)
	for name, v := range r.Fields {
		n += around + 2*textSize + len(name) + weighField(v)
	}
	for i := range r.Interactions {
		v := &r.Interactions[i]
		n += contactSize + around + texts(v.ID, v.Channel, v.Title, v.Detail, v.Topic, v.Note, v.Disposition, v.Source, v.Account)
		for _, l := range v.Links {
			n += texts(l.Title, l.URL)
		}
		if v.Agent != nil {
			n += texts(v.Agent.Agent, v.Agent.Name)
		}
	}
	for i := range r.Tickets {
		v := &r.Tickets[i]
		n += ticketSize + around + texts(v.ID, v.Title, v.Detail, v.Topic, v.Kind, v.Status, v.Account, v.Source)
	}
	for i := range r.Products {
		v := &r.Products[i]
		n += productSize + around + texts(v.ID, v.Kind, v.Name, v.Detail, v.Status, v.Note, v.Account, v.Source)
	}
	for i := range r.Numbers {
		n += 2*textSize + around + texts(r.Numbers[i].E164, r.Numbers[i].Label, r.Numbers[i].Account, r.Numbers[i].Person, r.Numbers[i].Source, r.Numbers[i].ValidFrom, r.Numbers[i].ValidTo)
		if by := r.Numbers[i].By; by != nil {
			n += around + texts(by.Agent, by.Name)
		}
	}
	for i := range r.Others {
		n += 2*textSize + around + texts(r.Others[i].Name, r.Others[i].Detail)
	}
	for _, s := range append(r.SubAccounts[:len(r.SubAccounts):len(r.SubAccounts)], orNone(r.PartOf)...) {
		n += 3*textSize + around + texts(s.ID, s.Name, s.Detail)
	}
	for i := range r.Accounts {
		n += weighAccount(&r.Accounts[i])
	}
	n += textSize*(len(r.Heed)+len(r.ChurnReasons)) + texts(r.Heed...) + texts(r.ChurnReasons...)
	for _, c := range []*Colleague{r.AccountManager, r.LastAgent} {
		if c != nil {
			n += texts(c.Agent, c.Name)
		}
	}
	if b := r.Billing; b != nil {
		n += texts(b.Source)
	}
	for i := range r.BillingElse {
		n += entrySize + texts(r.BillingElse[i].Source)
	}
	for _, f := range r.Facts {
		n += 3*textSize + around + texts(f.Name, f.Value, f.Source)
	}
	return n
}

func orNone(s *SubAccount) []SubAccount {
	if s == nil {
		return nil
	}
	return []SubAccount{*s}
}

func weighAccount(a *Account) int {
	n := accountSize + around + texts(a.ID, a.Name, a.Segment, a.CustomerSince, a.MergedBy.Agent, a.MergedBy.Name)
	if a.Billing != nil {
		n += texts(a.Billing.Source)
	}
	if a.LastAgent != nil {
		n += texts(a.LastAgent.Agent, a.LastAgent.Name)
	}
	return n
}

// weighField counts the texts of an own field.
func weighField(v any) (n int) {
	switch v := v.(type) {
	case string:
		n = len(v)
	case []any:
		for _, item := range v {
			n += 2*textSize + weighField(item)
		}
	}
	return n
}

func texts(all ...string) (n int) {
	for i := range all {
		n += len(all[i])
	}
	return n
}

// outdate makes every entry that shows the customer old.
func (c *cache) outdate(id string) {
	for e := c.order.Front(); e != nil; e = e.Next() {
		if entry := e.Value.(*cached); entry.match.shows(id) {
			entry.ttl = 0
		}
	}
}

func (m Match) shows(id string) bool {
	if m.Record != nil && m.Record.has(id) {
		return true
	}
	for i := range m.Candidates {
		if m.Candidates[i].has(id) {
			return true
		}
	}
	return false
}

// has says whether the record is a customer's, or he was merged into it.
func (r *Record) has(id string) bool {
	return r.ID == id || slices.ContainsFunc(r.Accounts, func(a Account) bool { return a.ID == id })
}
