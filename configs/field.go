package configs

import (
	"maps"
	"slices"

	"github.com/cordboard/cordboard/routing/rule"
)

// ownFields reads the document's own customer.NAME.
func (c *compiler) ownFields(n *node) {
	c.policy.Fields = map[string]string{}
	if n == nil {
		return
	}
	o := c.object(n)
	for i, p := range o.pairs {
		o.ask(p.key, true)
		o.adopt(p.value)
		o.used[p.key] = true
		if i == maxFields {
			c.add(p.line, p.col, CodeLimit, "", "fields: at most %d", maxFields)
			return
		}
		if !c.checkName(p, "") {
			continue
		}
		if rule.BuiltIn(p.key) {
			c.add(p.line, p.col, CodeDuplicate, "", "fields: customer.%s is there already, in the language itself", p.key)
			continue
		}
		if p.value.kind == kindScalar && p.value.text == "number" {
			c.wrong(p.value, "number is no type: want integer, and money in minor units")
			continue
		}
		if p.value.kind == kindNull {
			c.add(p.line, p.col, CodeMissing, "", "%s has no value", p.value.path)
			continue
		}
		if kind := c.choice(p.value, "", rule.FieldTypes); kind != "" {
			c.policy.Fields[p.key] = kind
		}
	}
}

// testFields reads the own fields of a test's customer.
func (c *compiler) testFields(o *object, t *docTest) {
	r := &t.customer
	own := rule.Own{
		Texts: map[string]string{}, Persons: map[string]string{}, Integers: map[string]int{}, Flags: map[string]bool{}, Lists: map[string][]string{},
	}
	for _, name := range slices.Sorted(maps.Keys(c.policy.Fields)) {
		n := o.get(name)
		if n == nil {
			continue
		}
		switch c.policy.Fields[name] {
		case rule.TextField:
			own.Texts[name] = c.optionalText(o, name)
		case rule.PersonField:
			own.Persons[name] = c.optionalText(o, name)
		case rule.IntegerField:
			own.Integers[name] = c.integer(n, -maxOwnInteger, maxOwnInteger, 0)
		case rule.FlagField:
			own.Flags[name] = c.flag(n, false)
		case rule.ListField:
			for _, item := range c.list(n, maxListItems) {
				own.Lists[name] = append(own.Lists[name], c.text(item, 200))
			}
		}
	}
	own.Customer(r)
	t.persons = own.Persons
}

const maxOwnInteger = 1_000_000_000
