package routing

import (
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// Enter is a number that a menu asks for in place of one key: the caller's customer
// number. What is keyed in stays at the rim, as telephone numbers do.
type Enter struct {
	Digits
	Choice // where it leads; its Key is ""
}

// Digits is what may be keyed in. A # ends it sooner, a * begins it anew.
type Digits struct {
	Least int           `json:"least"`
	Most  int           `json:"most"`
	Pause time.Duration `json:"pause"` // for the next digit; then it is all
	Luhn  bool          `json:"luhn,omitempty"`
}

// Takes says whether a number has as many digits as it should, and its check digit.
func (d Digits) Takes(number string) bool {
	return len(number) >= d.Least && len(number) <= d.Most && (!d.Luhn || luhn(number))
}

// luhn checks the last digit (ISO/IEC 7812-1, annex B).
func luhn(number string) bool {
	sum := 0
	for i := range len(number) {
		n := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			n *= 2
		}
		sum += n/10 + n%10
	}
	return sum%10 == 0
}

// NumberKeyed: the caller has not keyed in a number by which anybody is known. Who
// has is told by CustomerResolved, with its Ask.
type NumberKeyed struct {
	Call CallID `json:"call"`
	Ask  int    `json:"ask"` // its number; that of a former one is stale
	Got  string `json:"got"` // GotNothing, GotWrong, GotUnknown, GotNoAnswer
}

// How a caller has answered a menu that asks for a number (MenuAnswered.Got), beside
// GotNothing, GotWrong (not so many digits, or not that check digit) and GotNeither.
const (
	GotCustomer = "customer"  // whose number it is
	GotUnknown  = "unknown"   // nobody's
	GotNoAnswer = "no_answer" // the customers could not be asked
)

// SayWrongNumber is said before a number is asked for again.
const SayWrongNumber = "menu-number-wrong"

// Kind implements Event.
func (NumberKeyed) Kind() string { return "number_keyed" }

// numberKeyed: nobody is known by what the caller has keyed in. While customers
// cannot be asked, keying it in again would not help.
func (e *Engine) numberKeyed(ev NumberKeyed) {
	c := e.calls[ev.Call]
	if !c.keysIn(ev.Ask) {
		return
	}
	m := c.menu.menu
	first := SayWrongNumber
	switch ev.Got {
	case GotWrong, GotUnknown, GotNoAnswer:
	default:
		ev.Got, first = GotNothing, SayNoKey
	}
	e.tellAnswer(c, MenuAnswered{Got: ev.Got, Number: true})
	if ev.Got == GotNoAnswer || c.menu.tries >= m.Tries {
		e.choose(c, &m.Otherwise, GotNeither)
		return
	}
	e.askMenu(c, first)
}

// identified: the caller has keyed in the number of a customer, who counts from now
// on, whoever was known by the telephone number.
func (e *Engine) identified(c *call, ev CustomerResolved) {
	if !c.keysIn(ev.Ask) {
		return
	}
	c.resolved, c.customerKey, c.customer = true, ev.Key, nil
	e.give(c, ev.Recorded)
	c.know(ev.Customer)
	if ev.Past != (rule.Past{}) {
		c.past = new(ev.Past)
	}
	e.learn(c, ev.Rim)
	e.choose(c, &c.menu.menu.Enter.Choice, GotCustomer)
}

// keysIn says whether a call is asked for a number, by this question.
func (c *call) keysIn(ask int) bool {
	return c != nil && c.phase == choosing && c.menu.asks == ask && c.menu.menu.Enter != nil
}
