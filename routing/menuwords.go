package routing

import (
	"time"

	"github.com/cordboard/cordboard/routing/rule"
)

// Line is what a dialled number says of the calls that come by it.
type Line struct {
	Language string // "" for none
	Menu     string // that they go through first, "" for none
	// When says whether they do, asked as the call arrives; nil: always.
	When *rule.Condition
}

// Menu is what callers are asked before the routes are read. They answer by key,
// or with a number, during the prompt or after it.
type Menu struct {
	Name   string
	Prompt string // a sound
	Keys   []Choice
	Enter  *Enter        // in place of Keys; nil for none
	Wait   time.Duration // for a key, from the end of the prompt
	Tries  int           // how often it is asked
	// Otherwise is for who has pressed no key of it, or keyed in no number by which
	// he is known, in all tries; its Key is "".
	Otherwise Choice
}

// Choice is one key of a menu and where it leads: to another menu, to an action,
// or, with neither, to the routes.
type Choice struct {
	Key      string // one of 0-9, * and #
	Title    string // as desks show it
	Language string // that it sets, "" for none
	Topic    string // likewise
	Menu     string
	Then     *rule.Treatment
}

// key is the choice of a key, nil for none.
func (m *Menu) key(key string) *Choice {
	for i := range m.Keys {
		if key != "" && m.Keys[i].Key == key {
			return &m.Keys[i]
		}
	}
	return nil
}

// MenuKeyed: the caller has answered an AskMenu, or has not.
type MenuKeyed struct {
	Call CallID `json:"call"`
	Ask  int    `json:"ask"`           // its number; that of a former one is stale
	Key  string `json:"key,omitempty"` // "": none in time
}

// Sounds that are said before a menu is asked again.
const (
	SayWrongKey = "menu-wrong"
	SayNoKey    = "menu-silent"
)

// AskMenu: say this to the caller, who is answered, and take one key, from the
// first word on. MenuKeyed follows. With Enter a number is taken, and looked up:
// CustomerResolved or NumberKeyed follows.
type AskMenu struct {
	Call CallID `json:"call"`
	Menu string `json:"menu"`
	Ask  int    `json:"ask"` // counts what the caller is asked, from 1
	// Say is sounds one after another; in the language, as far as there are such.
	Say      []string      `json:"say"`
	Language string        `json:"language,omitempty"`
	Wait     time.Duration `json:"wait"` // from the end of what is said
	Enter    *Digits       `json:"enter,omitempty"`
	// Afresh: keys that were pressed before are not meant for it.
	Afresh bool `json:"afresh,omitempty"`
}

// How a caller has answered a menu (MenuAnswered.Got).
const (
	GotKey     = "key"
	GotWrong   = "wrong"     // a key that the menu does not have
	GotNothing = "nothing"   // no key in time
	GotNeither = "otherwise" // in all tries: otherwise holds
)

// MenuAnswered: what a caller has answered, and what the call is now like.
type MenuAnswered struct {
	Call     CallID `json:"call"`
	Menu     string `json:"menu"`
	Got      string `json:"got"`
	Key      string `json:"key,omitempty"`
	Number   bool   `json:"number_asked,omitempty"` // it has asked for a number
	Title    string `json:"title,omitempty"`        // of the choice
	Choice   string `json:"choice,omitempty"`       // call.choice from now on
	Topic    string `json:"topic,omitempty"`        // call.topic
	Language string `json:"language,omitempty"`     // call.language
}

func (MenuKeyed) Kind() string    { return "menu_keyed" }
func (AskMenu) Kind() string      { return "ask_menu" }
func (MenuAnswered) Kind() string { return "menu_answered" }

// Words says the answer as people do.
func (a MenuAnswered) Words() string {
	if a.Number {
		return a.numberWords()
	}
	switch a.Got {
	case GotWrong:
		return "presses " + a.Key + ", which menu " + a.Menu + " does not have"
	case GotNothing:
		return "presses nothing in menu " + a.Menu
	case GotNeither:
		return "has chosen nothing in menu " + a.Menu
	}
	text := "presses " + a.Key + " in menu " + a.Menu
	if a.Title != "" && a.Title != a.Key {
		text += ": " + a.Title
	}
	return text
}

func (a MenuAnswered) numberWords() string {
	switch a.Got {
	case GotCustomer:
		return "keys in a customer's number in menu " + a.Menu
	case GotWrong:
		return "keys in what can't be a customer's number in menu " + a.Menu
	case GotUnknown:
		return "keys in a number in menu " + a.Menu + " that no customer has"
	case GotNoAnswer:
		return "keys in a number in menu " + a.Menu + ", and the customers can't be asked"
	case GotNeither:
		return "is not known by menu " + a.Menu
	}
	return "keys in nothing in menu " + a.Menu
}
