package configs

import (
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer/permission"
)

// Contact is when customers may be contacted, by what for.
type Contact struct {
	Zone     *time.Location `key:"zone"` // of those whose own is not known; nil: the routing document's
	Holidays []string       `key:"holidays"`
	Service  ContactRule    `key:"service"`
	Callback ContactRule    `key:"callback"`
	Offer    ContactRule    `key:"offer"`
	Survey   ContactRule    `key:"survey"`
}

// ContactRule is what holds for one purpose.
type ContactRule struct {
	Consent permission.Need     `key:"consent"`
	Lists   bool                `key:"lists"`
	Hours   *permission.Hours   `key:"hours"` // nil: any
	Most    []permission.AtMost `key:"most"`
}

const (
	maxHolidays = 366
	maxMost     = 8
	longestSpan = 366 * 24 * time.Hour
)

// Rules are those of each purpose.
func (c *Contact) Rules() map[permission.Purpose]permission.Rule {
	out := map[permission.Purpose]permission.Rule{}
	for purpose, r := range c.byPurpose() {
		out[purpose] = permission.Rule(*r)
	}
	return out
}

func (c *Contact) byPurpose() map[permission.Purpose]*ContactRule {
	return map[permission.Purpose]*ContactRule{
		permission.Service: &c.Service, permission.Callback: &c.Callback, permission.Offer: &c.Offer, permission.Survey: &c.Survey,
	}
}

func (s *serverReader) contact(o *object) {
	c := &s.out.Contact
	if n := o.get("zone"); n != nil {
		c.Zone = s.zone(n, time.UTC)
	}
	days := &compiler{reader: s.reader}
	for _, item := range s.list(o.get("holidays"), maxHolidays) {
		day := days.date(item, time.DateOnly, "")
		switch {
		case day == "":
		case slices.Contains(c.Holidays, day):
			s.errorf(item, CodeDuplicate, "%s: %s is listed twice", item.label(), day)
		default:
			c.Holidays = append(c.Holidays, day)
		}
	}
	rules := c.byPurpose()
	for _, purpose := range permission.Purposes {
		*rules[purpose] = s.contactRule(purpose, s.object(o.get(string(purpose))))
	}
	o.close()
}

// contactRule reads the rule of a purpose. What nobody has asked for needs his consent,
// and keeps to the lists of those who want no calls.
func (s *serverReader) contactRule(purpose permission.Purpose, o *object) (r ContactRule) {
	unasked := purpose == permission.Offer || purpose == permission.Survey
	need := permission.NeedsNoNo
	if unasked {
		need = permission.NeedsWord
	}
	r.Consent = permission.Need(s.choice(o.get("consent"), string(need), []string{string(permission.NeedsWord), string(permission.NeedsNoNo)}))
	r.Lists = s.flag(o.get("lists"), unasked)
	if n := o.get("hours"); n != nil {
		r.Hours = s.contactHours(n)
	}
	for _, item := range s.list(o.get("most"), maxMost) {
		if m, ok := s.atMost(item); ok {
			r.Most = append(r.Most, m)
		}
	}
	o.close()
	return r
}

// contactHours reads a week, as a calendar of the routing document has it.
func (s *serverReader) contactHours(n *node) *permission.Hours {
	var week routing.Calendar
	(&compiler{reader: s.reader}).week(n, &week)
	out := &permission.Hours{}
	for day, hours := range week.Week {
		for _, h := range hours {
			if h.To < h.From {
				s.wrong(n, "nobody is called over midnight: end the hours at \"24:00\"")
				return out
			}
			out.Week[day] = append(out.Week[day], permission.Interval(h))
		}
	}
	return out
}

var mostForm = regexp.MustCompile(`^([1-9][0-9]{0,3}) in ([0-9a-z]+)$`)

// atMost reads "3 in 30d".
func (s *serverReader) atMost(n *node) (m permission.AtMost, ok bool) {
	text, ok := s.scalar(n, `how many within which time, such as "3 in 30d"`)
	if !ok {
		return m, false
	}
	parts := mostForm.FindStringSubmatch(text)
	if parts != nil {
		m.Contacts, _ = strconv.Atoi(parts[1])
		m.Within, ok = parseDuration(parts[2])
	}
	if parts == nil || !ok || m.Within < time.Minute || m.Within > longestSpan {
		s.wrong(n, `%s is not how many within which time, such as "3 in 30d": 1 to 9999 in 1m to 366d`, quote(text))
		return m, false
	}
	return m, true
}
