package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/store/journal"
)

const (
	toMenu    = "+442079460130" // its callers are asked first
	toSilent  = "+442079460131" // likewise, and not for long
	toAccount = "+442079460132" // likewise, for their customer number

	promptTone, wrongTone = 850.0, 620.0
)

var menuTones = map[string]float64{"menu_topics": promptTone, "menu-wrong": wrongTone, "menu_account": promptTone, "menu-number-wrong": wrongTone}

// mila is known by no telephone number.
var mila = customer.Record{ID: "70014711", Name: "Mila Hartwig", Language: "en", Segment: "gold", Products: []customer.Product{{ID: "p1", Kind: "fibre", Name: "Fibre 500", Status: "active"}}}

// inMenu has a caller hear the prompt of a menu.
func (w *world) inMenu() *caller {
	w.Helper()
	c := w.dial(dial{to: toMenu})
	c.sees(1, "up")
	c.hears(promptTone)
	return c
}

// info has the caller press a key by INFO; n counts those of the call.
func (c *caller) info(key string, n int) {
	c.w.Helper()
	_, err := fmt.Fprintf(c.tell, "SUBSCRIBE sip:caller@%[1]s SIP/2.0\r\nVia: SIP/2.0/UDP %[2]s;branch=z9hG4bKinfo%[3]d\r\n"+
		"From: <sip:test@%[2]s>;tag=test\r\nTo: <sip:caller@%[1]s>\r\nCall-ID: 1%[4]s\r\nCSeq: %[3]d SUBSCRIBE\r\nSubject: %[5]s\r\nMax-Forwards: %[3]d\r\nContent-Length: 0\r\n\r\n",
		c.tell.RemoteAddr(), c.tell.LocalAddr(), n+1, c.id, key)
	c.w.must(err)
	c.wait("200 for INFO", func() bool {
		pressed := 0
		for _, l := range c.log {
			if len(l) > 2 && l[1] == "pressed" {
				pressed++
			}
		}
		return pressed >= n
	})
}

// way is how the call came, as the desk shows it.
func way(c desktest.Card) (out []string) {
	for _, s := range c.Path {
		out = append(out, s.Kind+" "+s.Name)
	}
	return out
}

// tells checks that explain says these words of the first call.
func (w *world) tells(rows []store.LedgerRow, words ...string) {
	w.Helper()
	var said []string
	for _, m := range w.explain(rows[0].Call).Moments {
		said = append(said, m.What)
	}
	for _, want := range words {
		if !slices.Contains(said, want) {
			w.Errorf("explain does not say %q: %q", want, said)
		}
	}
}

// choosesInMenu: a wrong key first, then one during the prompt. The agent sees what
// was chosen; the caller's waiting began after it.
func choosesInMenu(w *world) row {
	c := w.inMenu()
	w.must(c.ear.Press("7"))
	c.hears(wrongTone) // asked again: what is pressed from now on counts
	w.must(c.ear.Press("1"))
	card := w.phase(anna, "talking")
	if got := way(card); !slices.Equal(got, []string{"dialled " + toMenu, "menu Bills", "route bills", "queue care"}) {
		w.Errorf("the desk shows %q", got)
	}
	c.hears(agentTone[anna])
	c.hangsUp()
	rows := w.settled(answeredByCaller)
	if rows[0].Rule != "bills" || rows[0].QueuedAt.Sub(rows[0].ArrivedAt) < rows[0].Wait {
		w.Errorf("the ledger says rule %q, waited %v", rows[0].Rule, rows[0].Wait)
	}
	w.tells(rows, "hears menu main", "presses 7, which menu main does not have", "presses 1 in menu main: Bills")
	return answeredByCaller
}

// choosesByInfo: through a second menu and back, pressed ahead. The topic leads.
func choosesByInfo(w *world) row {
	c := w.inMenu()
	for i, key := range []string{"9", "*", "2"} {
		c.info(key, i+1)
	}
	card := w.phase(petar, "talking")
	if got := way(card); !slices.Equal(got, []string{"dialled " + toMenu, "menu 9", "menu *", "menu Fault", "route root", "queue internet"}) || card.Topic != "line_fault" {
		w.Errorf("the desk shows %q, topic %q", got, card.Topic)
	}
	w.do(petar, "transfer", card, map[string]any{"agent": string(anna), "note": "A fault, he says."})
	got := w.phase(anna, "talking")
	if steps := way(got); !slices.Contains(steps, "menu Fault") {
		w.Errorf("passed on, the desk shows %q", steps)
	}
	c.hears(agentTone[anna])
	c.hangsUp()
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: anna, offers: 2, transfers: 1}
}

// choosesNothing: two prompts, and silence after each. He is routed all the same.
func choosesNothing(w *world) row {
	c := w.dial(dial{to: toSilent})
	w.phase(anna, "talking")
	c.hears(agentTone[anna])
	c.hangsUp()
	rows := w.settled(answeredByCaller)
	if rows[0].QueuedAt.Sub(rows[0].ArrivedAt) < 2*time.Second || rows[0].Wait > rows[0].TalkAt.Sub(rows[0].QueuedAt)+time.Millisecond {
		w.Errorf("queued after %v, waited %v", rows[0].QueuedAt.Sub(rows[0].ArrivedAt), rows[0].Wait)
	}
	w.tells(rows, "presses nothing in menu silent", "has chosen nothing in menu silent")
	return answeredByCaller
}

// hangsUpInMenu: he has not waited, and no queue knows of him.
func hangsUpInMenu(w *world) row {
	w.inMenu().hangsUp()
	want := abandoned(0)
	want.reason = "menu"
	if r := w.settled(want)[0]; r.Wait != 0 || r.Queue != "" {
		w.Errorf("the ledger says queue %q, waited %v", r.Queue, r.Wait)
	}
	return want
}

// menuHangsUp: the action of a key in the second menu.
func menuHangsUp(w *world) row {
	c := w.inMenu()
	w.must(c.ear.Press("95"))
	c.over()
	return row{outcome: routing.Treated, by: routing.ByServer, reason: "menu"}
}

// entersNumber: nobody's number first, then a customer's, by other telephones too.
// The record is on the specialist's desk before the ring, and the number itself goes
// no further than that.
func entersNumber(w *world) row {
	w.must(w.app.Store().SaveCustomers(w.ctx, []customer.Record{mila}))
	c := w.dial(dial{to: toAccount, pai: "sip:" + dana + "@carrier.example"})
	c.hears(promptTone)
	w.must(c.ear.Press("70019999"))
	c.hears(wrongTone)
	w.must(c.ear.Press("5*700"))
	w.must(c.ear.Press("14711#"))
	card := w.phase(petar, "talking")
	w.isMila(card)
	if got := w.popped(petar); got.Record == nil || got.Record.ID != mila.ID {
		w.Errorf("popped with %+v", got.Record)
	}
	if i := card.Entered; i == nil || i.Instead == nil || i.Instead.Name != record().Name {
		w.Errorf("keyed in: %+v", i)
	}
	if got := way(card); !slices.Equal(got, []string{"dialled " + toAccount, "menu Customer number", "route gold", "queue internet"}) {
		w.Errorf("the desk shows %q", got)
	}
	c.hangsUp()
	want := row{outcome: routing.Answered, by: routing.ByCaller, agent: petar, offers: 1}
	rows := w.settled(want)
	if rows[0].Customer != mila.ID {
		w.Errorf("the ledger says customer %q", rows[0].Customer)
	}
	w.tells(rows, "keys in a number in menu account that no customer has", "keys in a customer's number in menu account")
	w.keepsToItself("70019999", mila.ID)
	return want
}

// isMila checks that a desk has her whole record, as one that was keyed in.
func (w *world) isMila(card desktest.Card) {
	w.Helper()
	if r := card.Record; card.Match != "exact" || r == nil || r.Name != mila.Name || len(r.Products) != 1 || card.Entered == nil || !card.Entered.Found || card.Entered.Number != mila.ID {
		w.Errorf("the desk shows %s, %+v, keyed in %+v", card.Match, card.Record, card.Entered)
	}
}

// popped is the card as it came to the agent's desk first.
func (w *world) popped(id agents.ID) desktest.Card {
	w.Helper()
	seen := w.desks[id].Seen()
	if len(seen) == 0 {
		w.Fatal("no pop")
	}
	return seen[0].Card
}

// keepsToItself checks that no digits of a number are in the journal and the log.
func (w *world) keepsToItself(numbers ...string) {
	w.Helper()
	read := 0
	w.must(journal.Read(w.app.Server().Store.Journal, func(_ time.Time, ev routing.Event) error {
		if k, ok := ev.(routing.NumberKeyed); ok && k.Got == routing.GotUnknown {
			read++
		}
		b, err := json.Marshal(ev)
		for _, n := range numbers {
			if bytes.Contains(b, []byte(n)) {
				w.Errorf("%s is in the journal: %s", n, b)
			}
		}
		return err
	}))
	if read != 1 {
		w.Errorf("the journal has %d numbers of nobody", read)
	}
	for _, l := range w.logs.All() {
		for _, n := range numbers {
			if strings.Contains(fmt.Sprint(l.Message, l.ContextMap()), n) {
				w.Errorf("%s is in the log: %s", n, l.Message)
			}
		}
	}
}

// entersByInfo: nobody's number, and then one that is too short to be one.
func entersByInfo(w *world) row {
	c := w.dial(dial{to: toAccount, pai: "sip:+447700900733@carrier.example"})
	c.hears(promptTone)
	for i, key := range strings.Split("7777#1#", "") { // a BYE has CSeq 10
		c.info(key, i+1)
		if key == "#" && i < 6 {
			c.hears(wrongTone)
		}
	}
	card := w.phase(anna, "talking")
	if card.Record != nil || card.Match != "none" || card.Entered == nil || card.Entered.Found || card.Topic != "stranger" {
		w.Errorf("the desk shows %+v, %s, keyed in %+v, topic %q", card.Record, card.Match, card.Entered, card.Topic)
	}
	c.hangsUp()
	return answeredByCaller
}
