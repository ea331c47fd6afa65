package app

import (
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/store"
)

const (
	toMenu   = "+442079460130" // its callers are asked first
	toSilent = "+442079460131" // likewise, and not for long

	promptTone, wrongTone = 850.0, 620.0
)

var menuTones = map[string]float64{"menu_topics": promptTone, "menu-wrong": wrongTone}

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
		return slices.ContainsFunc(c.log, func(l []string) bool { return len(l) > 2 && l[1] == "pressed" && l[2] == key })
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
