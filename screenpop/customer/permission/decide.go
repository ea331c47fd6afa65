package permission

import (
	"slices"
	"strconv"
	"time"
)

// decision is one being made: each step gives the reason against it, "" for none.
type decision struct {
	policy  *Policy
	rule    Rule
	contact Contact
	facts   *Facts
	out     Decision
	given   bool // he has said yes to this
}

func (d *decision) weigh(what, is string) {
	d.out.Weighed = append(d.out.Weighed, Weighed{what, is})
}

// record: what his source says of calls holds for every purpose.
func (d *decision) record() string {
	if d.contact.Channel != Call {
		return ""
	}
	if d.facts.DoNotCall {
		d.weigh("record", "do_not_call")
		return DoNotCall
	}
	d.weigh("record", "may_be_called")
	return ""
}

// word: the last thing he said that covers the contact, else what his record says.
func (d *decision) word() string {
	s, there := d.said()
	switch {
	case there && s.State != Given:
		d.weigh("said", string(s.State))
		if s.Purpose == Any && d.contact.Channel == Call {
			return DoNotCall
		}
		return NotWanted
	case there && (s.Expires.IsZero() || d.contact.At.Before(s.Expires)):
		d.weigh("said", string(Given))
		d.given = true
		return ""
	case there:
		d.weigh("said", RanOut)
	case d.facts.Suppressed && unwanted(d.contact.Purpose):
		d.weigh("said", Objected)
		return Objected
	default:
		d.weigh("said", "nothing")
	}
	return d.unsaid(there)
}

// unsaid: nothing that he said is in force.
func (d *decision) unsaid(ranOut bool) string {
	if !unwanted(d.contact.Purpose) || ranOut || d.facts.Record == nil {
		if d.rule.Consent != NeedsWord {
			return ""
		}
		if ranOut {
			return RanOut
		}
		return NotAsked
	}
	if !*d.facts.Record {
		d.weigh("record_consent", "no")
		return NotWanted
	}
	d.weigh("record_consent", "yes")
	return ""
}

// unwanted are the purposes that a customer has not brought about himself.
func unwanted(p Purpose) bool { return p == Offer || p == Survey }

// said is the last thing he said by then that covers the contact. Of two of one
// instant a no counts.
func (d *decision) said() (last Said, there bool) {
	for _, s := range d.facts.Said {
		if s.Channel != d.contact.Channel || s.Purpose != Any && s.Purpose != d.contact.Purpose || s.At.After(d.contact.At) {
			continue
		}
		if !there || s.At.After(last.At) || s.At.Equal(last.At) && last.State == Given {
			last, there = s, true
		}
	}
	return last, there
}

// lists: who has said yes to us is called though his number is on one.
func (d *decision) lists() string {
	if d.contact.Channel != Call || !d.rule.Lists {
		return ""
	}
	switch {
	case d.facts.Listed == "":
		d.weigh("lists", "not_listed")
	case d.given:
		d.weigh("lists", "listed, consent given")
	default:
		d.weigh("lists", "listed: "+d.facts.Listed)
		return OnList
	}
	return ""
}

// hours: letters and mails wake nobody.
func (d *decision) hours() string {
	if d.rule.Hours == nil || d.contact.Channel != Call && d.contact.Channel != SMS {
		return ""
	}
	zone := d.facts.Zone
	if zone == nil {
		zone = d.policy.Zone
	}
	local := d.contact.At.In(zone)
	if d.rule.Hours.open(local, d.policy.Holidays) {
		d.weigh("hours", local.Format("Mon 15:04 ")+zone.String())
		return ""
	}
	d.weigh("hours", local.Format("Mon 15:04 ")+zone.String())
	d.out.NotBefore = d.rule.Hours.next(local, d.policy.Holidays)
	return QuietHours
}

// often: each bound is kept; where several are used up the last to be over is told.
func (d *decision) often() string {
	before := slices.SortedFunc(slices.Values(d.facts.Before), func(a, b time.Time) int { return b.Compare(a) })
	reason := ""
	for _, m := range d.rule.Most {
		since := d.contact.At.Add(-m.Within)
		n := 0
		for n < len(before) && before[n].After(since) {
			n++
		}
		d.weigh("most", strconv.Itoa(n)+" of "+strconv.Itoa(m.Contacts)+" in "+m.Within.String())
		if n < m.Contacts {
			continue
		}
		reason = TooOften
		if free := before[m.Contacts-1].Add(m.Within); free.After(d.out.NotBefore) {
			d.out.NotBefore = free
		}
	}
	return reason
}
