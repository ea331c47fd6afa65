package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/sip/siptest"
)

// refers has a phone pass its call on; the response must be the one wanted.
func (w *world) refers(leg *siptest.Call, to string, want int) {
	w.Helper()
	if code, err := leg.Refer(w.ctx, to); err != nil || code != want {
		w.Errorf("REFER to %s: %d, %v, want %d", to, code, err, want)
	}
}

// notified is what a phone hears of a REFER that was taken.
func (w *world) notified(leg *siptest.Call) {
	w.Helper()
	for i, want := range []int{100, 200} {
		if e, err := leg.WaitForNth(w.ctx, siptest.Notified, i+1); err != nil || e.Code != want {
			w.Errorf("NOTIFY %d: %d, %v, want %d", i+1, e.Code, err, want)
		}
	}
	w.heard(leg, siptest.ByeReceived)
}

// counted waits until so many REFERs have come to the result.
func (w *world) counted(result string, n int) {
	w.Helper()
	w.eventually(result, func() bool {
		return strings.Contains(w.get("/metrics"), fmt.Sprintf("cordboard_phone_transfers_total{result=%q} %d\n", result, n))
	})
}

// From hold, as most phones do it: what anna knew and wrote is on boris's screen.
func phonePassesOn(w *world) row {
	c, card, leg := w.talking()
	w.do(anna, "note", card, map[string]any{"text": "Router restarted."})
	w.must(leg.Hold(w.ctx))
	w.phase(anna, "hold")
	c.hearsMusic()
	w.refers(leg, "<sip:boris@desk.example>", 202)
	w.notified(leg)
	w.state(anna, "available")
	got := w.has(c, card.Call, boris).card
	if got.From == nil || got.From.Agent != string(anna) || got.Record == nil || got.Record.ID != record().ID {
		w.Errorf("boris has the call from %+v, with record %+v", got.From, got.Record)
	}
	if len(got.Notes) != 1 || got.Notes[0].Text != "Router restarted." {
		w.Errorf("boris sees the notes %+v", got.Notes)
	}
	if len(got.Path) <= len(card.Path) {
		w.Errorf("the way was %+v, and is %+v", card.Path, got.Path)
	}
	rang, _ := w.rung(boris, 1).At(siptest.InviteReceived)
	if seen := w.desks[boris].Seen()[0]; seen.AckAt.IsZero() || !rang.After(seen.AckAt) {
		w.Errorf("the phone was called at %v, the desk had painted at %v", rang, seen.AckAt)
	}
	w.counted("passed_on", 1)
	c.hangsUp()
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: boris, offers: 2, transfers: 1}
}

func phonePassesOut(w *world) row {
	w.farRings()
	c, _, leg := w.talking()
	w.refers(leg, "<sip:02079460911@desk.example;user=phone>", 202)
	w.notified(leg)
	to := w.rung(far, 1)
	w.state(anna, "available")
	c.hearsMusic()
	w.must(to.Answer())
	c.hears(farTone)
	c.hangsUp()
	w.heard(to, siptest.ByeReceived)
	return passedOut
}

// Its card says where the call was, as the telephone dialled it.
func phonePassesOutBusy(w *world) row {
	w.phones[far].Set(siptest.Behaviour{Reject: 486})
	c, card, leg := w.talking()
	w.refers(leg, "<sip:"+strings.ReplaceAll(toFar, " ", "")+"@desk.example>", 202)
	w.notified(leg)
	w.backFromNumber(c, card, "number_busy")
	c.hangsUp()
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: anna, offers: 2, transfers: 1}
}

// What a stolen phone would dial is not called, and the agent has the caller still.
func phoneMayNot(w *world) row {
	c, _, leg := w.talking()
	refused := []string{
		"09098790000", "07012345678", "+35924912345", "+442079460100", "+442079460132", // as at the desk
	}
	for _, n := range refused {
		w.refers(leg, "<sip:"+n+"@desk.example>", 603)
	}
	w.refers(leg, "<tel:+44-909-879-0000>", 603)
	unknown := []string{"sip:999", "sip:0", "sip:nobody", "sip:+8821612345678", "sip:%2B44%00", "sips:anna"} // anna has it already
	for _, n := range unknown {
		code, err := leg.Refer(w.ctx, "<"+n+"@desk.example>")
		if err != nil || code != 404 && code != 400 {
			w.Errorf("REFER to %s: %d, %v", n, code, err)
		}
	}
	w.refers(leg, "<sip:boris@desk.example>", 480) // who is not there
	w.counted("number_not_allowed", len(refused)+1)
	w.hears(leg.Audio(), callerTone)
	c.hears(agentTone[anna])
	if n := len(w.phones[far].Calls()); n != 0 {
		w.Errorf("%d calls have left the house", n)
	}
	for _, e := range w.logs.FilterMessage("REFER refused").All() {
		if text := fmt.Sprint(e.ContextMap()); strings.Contains(text, "879") || strings.Contains(text, "+44") {
			w.Errorf("the log has a number: %s", text)
		}
	}
	c.hangsUp()
	return answeredByCaller
}

// The phone passes the caller on to whom its agent is asking: that is the hand-over.
func phoneHandsOver(w *world) (row, row) {
	a := w.conferring()
	w.refers(a.leg, "<sip:boris@desk.example>", 480) // to nobody else meanwhile
	w.refers(a.asked, "<sip:boris@desk.example>", 603)
	w.refers(a.leg, "<sip:petar@desk.example>", 202)
	w.notified(a.leg)
	a.c.hears(agentTone[petar])
	w.hears(a.asked.Audio(), callerTone)
	w.state(anna, "available")
	if got := w.has(a.c, a.card.Call, petar).card; got.From == nil || got.From.Agent != string(anna) || got.From.Note != whatIsAsked || got.Record == nil {
		w.Errorf("petar has %+v from %+v", got, got.From)
	}
	a.c.hangsUp()
	w.heard(a.asked, siptest.ByeReceived)
	return row{outcome: routing.Answered, by: routing.ByCaller, agent: petar, offers: 1, transfers: 1}, consulted(routing.ByAgent, "handed_over", petar)
}

func TestNamed(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("testdata", "routing.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	doc := strings.NewReplacer("sip:anna@", "sip:201@", "sip:boris@", "sip:202@", "sip:petar@", "sip:202@").Replace(string(text))
	policy, findings := configs.ParseRouting("routing.yaml", []byte(doc))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	r := &rim{log: zap.NewNop(), hub: screenpop.New(screenpop.Options{Log: zap.NewNop()})}
	t.Cleanup(func() { _ = r.hub.Close(context.Background()) })
	r.policy.Store(policy)
	r.callers.put(7, &known{})
	o := routing.Offer{Call: 7, Attempt: 1, Agent: anna}
	for user, want := range map[string]struct {
		to   routing.TransferRequested
		code string
	}{
		"boris":            {to: routing.TransferRequested{ToAgent: boris}},
		"201":              {to: routing.TransferRequested{ToAgent: anna}},
		"care":             {to: routing.TransferRequested{Queue: "care"}},
		"line_fault":       {to: routing.TransferRequested{Topic: "line_fault"}},
		"+442079460911":    {to: routing.TransferRequested{Outside: routing.Outside{Country: "GB"}}},
		"02079460911":      {to: routing.TransferRequested{Outside: routing.Outside{Country: "GB"}}},
		"202":              {code: "unknown_target"}, // two phones are called so
		"Boris":            {code: "unknown_target"},
		"":                 {code: "unknown_target"},
		"1":                {code: "unknown_target"},
		"*21*09098790000#": {code: "unknown_target"},
		"09098790000":      {code: "number_not_allowed"},
		"0035924912345":    {to: routing.TransferRequested{Outside: routing.Outside{Country: "BG"}}}, // which routing refuses
	} {
		got, code := r.Named(o, user)
		want.to.Offer, got.Outside.Ref = o, 0
		if got != want.to || code != want.code {
			t.Errorf("%q: %+v %q, want %+v %q", user, got, code, want.to, want.code)
		}
	}
	if _, code := r.Named(routing.Offer{Call: 8, Attempt: 1, Agent: agents.ID("anna")}, "02079460911"); code != "stale" {
		t.Errorf("a number for a call that is over: %q", code)
	}
}
