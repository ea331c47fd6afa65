package customer

import (
	"container/list"
	"reflect"
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

// What the parts of a record take without their texts, in bytes.
var (
	recordSize  = int(reflect.TypeFor[Record]().Size())
	contactSize = int(reflect.TypeFor[Interaction]().Size() + reflect.TypeFor[Colleague]().Size())
	ticketSize  = int(reflect.TypeFor[Ticket]().Size())
	productSize = int(reflect.TypeFor[Product]().Size())
)

const (
	shortTexts = 64  // of each part: ids, kinds, topics
	entrySize  = 512 // with a record's numbers, money and consent
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

func weighRecord(r *Record) int {
	n := recordSize + shortTexts
	for i := range r.Interactions {
		v := &r.Interactions[i]
		n += contactSize + shortTexts + len(v.Title) + len(v.Detail) + len(v.Note)
	}
	for i := range r.Tickets {
		n += ticketSize + shortTexts + len(r.Tickets[i].Title) + len(r.Tickets[i].Detail)
	}
	for i := range r.Products {
		n += productSize + shortTexts + len(r.Products[i].Name) + len(r.Products[i].Detail) + len(r.Products[i].Note)
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
	if m.Record != nil && m.Record.ID == id {
		return true
	}
	for i := range m.Candidates {
		if m.Candidates[i].ID == id {
			return true
		}
	}
	return false
}
