package configs

import "time"

// Retention is how long things are kept that nobody removes before; 0: for ever.
type Retention struct {
	Calls     time.Duration `key:"calls"`     // who called, and whose the call was
	Consents  time.Duration `key:"consents"`  // what a customer has said, once he has said something else
	Decisions time.Duration `key:"decisions"` // whether somebody might be contacted
	Requests  time.Duration `key:"requests"`  // what customers have asked for, once it is closed
}

const (
	shortestKept = 30 * 24 * time.Hour
	longestKept  = 3650 * 24 * time.Hour
)

// retention is read behind contact, whose bounds count decisions.
func (s *serverReader) retention(o *object) {
	r := &s.out.Retention
	r.Calls = s.duration(o.get("calls"), shortestKept, longestKept, 0)
	r.Consents = s.duration(o.get("consents"), shortestKept, longestKept, 0)
	r.Requests = s.duration(o.get("requests"), shortestKept, longestKept, 0)
	decisions := o.get("decisions")
	r.Decisions = s.duration(decisions, shortestKept, longestKept, 0)
	for _, rule := range s.out.Contact.byPurpose() {
		for _, m := range rule.Most {
			if r.Decisions > 0 && r.Decisions < m.Within {
				s.errorf(decisions, CodeConflict, "retention.decisions: %s is shorter than a span of contact within which contacts are counted", durationText(r.Decisions))
				o.close()
				return
			}
		}
	}
	o.close()
}
