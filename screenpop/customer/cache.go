package customer

import (
	"container/list"
	"time"
)

// cache keeps the latest matches by number, least recently used out first. The
// resolver's lock guards it.
type cache struct {
	size  int
	by    map[string]*list.Element
	order *list.List // of *cached, newest use in front
}

type cached struct {
	number string
	match  Match
	at     time.Time
	ttl    time.Duration // fresh for so long
}

func newCache(size int) *cache {
	return &cache{size: size, by: map[string]*list.Element{}, order: list.New()}
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
		e.Value = entry
		c.order.MoveToFront(e)
		return
	}
	c.by[entry.number] = c.order.PushFront(entry)
	for c.order.Len() > c.size {
		c.drop(c.order.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	delete(c.by, e.Value.(*cached).number)
	c.order.Remove(e)
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
