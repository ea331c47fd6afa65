package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/web"
)

const (
	siteToken  = "a-token-of-the-web-site"
	shopsToken = "a-token-of-the-shops-app"
)

// askers is the section of the system that asks for customers to be called.
func (w *world) askers() string {
	w.Helper()
	if !w.setup.askers {
		return ""
	}
	site, shops := filepath.Join(w.TempDir(), "site"), filepath.Join(w.TempDir(), "shops")
	w.must(os.WriteFile(site, []byte(siteToken+"\n"), 0o600))
	w.must(os.WriteFile(shops, []byte(shopsToken+"\n"), 0o600))
	return `callbacks: {site: {token_file: "` + site + `", region: GB}, shops: {token_file: "` + shops + `"}}` + "\n"
}

// asksFor has the web site ask for a customer to be called: the status, and the call
// or what was wrong.
func (w *world) asksFor(token, body string) string {
	w.Helper()
	status, text := w.byToken(http.MethodPost, "callbacks", token, body)
	if status == http.StatusCreated {
		w.calls++
	}
	return w.answered(status, text)
}

// takesBack has it withdraw one, likewise.
func (w *world) takesBack(token, call string) string {
	w.Helper()
	return w.answered(w.byToken(http.MethodDelete, "callbacks/"+call, token, ""))
}

func (w *world) answered(status int, text []byte) string {
	w.Helper()
	var is struct {
		Code, Detail string
		Call         routing.CallID
	}
	if len(text) > 0 {
		w.must(json.Unmarshal(text, &is))
	}
	switch {
	case is.Code != "":
		return fmt.Sprint(status, " ", is.Code, ": ", is.Detail)
	case is.Call != 0:
		return fmt.Sprint(status, " call ", is.Call)
	}
	return fmt.Sprint(status)
}

// calledWhoAsked: the place is as that of who took a callback on the line: the agent
// has the record first, then the customer's phone rings; asked twice it is one call.
func calledWhoAsked(w *world) row {
	w.farRings()
	if got := w.asksFor(siteToken, `{"number":"07700 900417","queue":"back"}`); got != "201 call 1" {
		w.Fatalf("HTTP %s", got)
	}
	if got := w.asksFor(siteToken, `{"number":"+447700900417","queue":"back","language":""}`); !strings.HasPrefix(got, "409 promised: call 1 ") {
		w.Errorf("asked again: HTTP %s", got)
	}
	w.places(1)
	w.takesCalls(anna)
	w.talksToCustomer(anna, w.customerRings(anna, 1, "07700900417"))
	if r := w.settled(answeredByCaller)[0]; r.Number != dana || r.Customer != record().ID || r.Queue != "back" {
		w.Errorf("the ledger says number %q, customer %q, queue %q", r.Number, r.Customer, r.Queue)
	}
	return answeredByCaller
}

// calledAtTheHour: a restart keeps the hour that was asked for, and nobody is called
// before it, however free the agents are.
func calledAtTheHour(w *world) row {
	w.farRings()
	at := time.Now().Add(4 * time.Second).Truncate(time.Microsecond)
	if got := w.asksFor(siteToken, `{"number":"`+dana+`","queue":"back","not_before":"`+at.UTC().Format(time.RFC3339Nano)+`"}`); got != "201 call 1" {
		w.Fatalf("HTTP %s", got)
	}
	w.restored = append(w.restored, 1)
	w.restart()
	w.places(1)
	w.takesCalls(anna)
	leg := w.customerRings(anna, 1, "07700900417")
	if rang, _ := leg.At(siptest.InviteReceived); rang.Before(at) {
		w.Errorf("called %v before the hour", at.Sub(rang))
	}
	w.talksToCustomer(anna, leg)
	return answeredByCaller
}

// withdrawnAgain: what is not needed any more is taken back, by who has asked and by
// nobody else, over a restart too; then it can be asked for again.
func withdrawnAgain(w *world) row {
	w.farRings()
	at := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	if got := w.asksFor(siteToken, `{"number":"`+dana+`","queue":"back","not_before":"`+at+`"}`); got != "201 call 1" {
		w.Fatalf("HTTP %s", got)
	}
	w.restored = append(w.restored, 1)
	w.restart()
	w.places(1)
	for _, c := range []struct{ call, token, want string }{
		{"1", shopsToken, "404 not_found"}, {"1", "nobody's", "401 bad_token"}, {"2", siteToken, "404 not_found"}, {"x", siteToken, "404 not_found"},
		{"1", siteToken, "204"}, {"1", siteToken, "404 not_found"},
	} {
		if got := w.takesBack(c.token, c.call); !strings.HasPrefix(got, c.want) {
			w.Errorf("%s: HTTP %s, want %s", c.call, got, c.want)
		}
	}
	if r := w.settled(row{outcome: routing.Expired, by: routing.ByServer, reason: "withdrawn"})[0]; r.Reason != "withdrawn" || r.Trunk != "callbacks/site" {
		w.Errorf("the ledger says %q, by %q", r.Reason, r.Trunk)
	}
	if got := w.asksFor(siteToken, `{"number":"`+dana+`","queue":"back"}`); got != "201 call 2" {
		w.Errorf("asked again: HTTP %s", got)
	}
	w.takesCalls(anna)
	w.talksToCustomer(anna, w.customerRings(anna, 1, "07700900417"))
	return row{outcome: routing.Expired, by: routing.ByServer, reason: "withdrawn"}
}

// What cannot be promised is refused with the reason, and is in no ledger.
func TestCallbackRequestRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna}, askers: true})
	w.must(w.app.Store().SaveCustomers(w.ctx, []customer.Record{{ID: "LW-9", Name: "Rowan Pike", Numbers: []customer.Number{{E164: "+447700900455"}}, DoNotCall: true}}))
	for _, c := range []struct{ token, body, want string }{
		{"nobody's", `{}`, "401 bad_token"},
		{siteToken, `{"number":"07700 900417","queue":"back","more":1}`, "400 bad_request"},
		{siteToken, `{"queue":"back"}`, "422 bad_callback: number: is missing"},
		{siteToken, `{"number":"x","queue":"back"}`, "422 bad_callback: number: is none"},
		{siteToken, `{"number":"07700 900417"}`, "422 bad_callback: one of queue and topic"},
		{siteToken, `{"number":"07700 900417","queue":"back","topic":"x"}`, "422 bad_callback: one of queue and topic"},
		{siteToken, `{"number":"07700 900417","queue":"nowhere"}`, "422 bad_callback: queue: is none"},
		{siteToken, `{"number":"07700 900417","topic":"nothing"}`, "422 bad_callback: topic: is none"},
		{siteToken, `{"number":"07700 900417","queue":"internet"}`, "422 bad_callback: the queue has no callback"},
		{siteToken, `{"number":"07700 900417","queue":"back","language":"xx"}`, "422 bad_callback: language: is none"},
		{siteToken, `{"number":"07700 900417","queue":"back","not_before":"tomorrow"}`, "422 bad_callback: not_before: want an instant"},
		{siteToken, `{"number":"07700 900417","queue":"back","not_before":"2999-01-01T00:00:00Z"}`, "422 bad_callback: not_before: at most 31 days"},
		{siteToken, `{"number":"09098790000","queue":"back"}`, "422 not_callable"},
		{siteToken, `{"number":"+442079460100","queue":"back"}`, "422 not_callable"},
		{siteToken, `{"number":"+35924810000","queue":"back"}`, "422 not_callable"},
		{siteToken, `{"number":"07700 900455","queue":"back"}`, "422 do_not_call"},
	} {
		if got := w.asksFor(c.token, c.body); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: HTTP %s, want %s", c.body, got, c.want)
		}
	}
	w.must(w.app.Store().Flush(w.ctx))
	if open, err := w.app.Store().OpenCalls(w.ctx); err != nil || len(open) > 0 {
		t.Errorf("in the ledger: %+v, %v", open, err)
	}
	for _, e := range w.logs.All() {
		if line := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(line, siteToken) || strings.Contains(line, "900417") {
			t.Errorf("logged: %s", line)
		}
	}
}

// Each of those who wait hears what becomes of a call, and who has gone takes nobody's
// answer along.
func TestRequestAnswers(t *testing.T) {
	var a requestAnswers
	first, gone, second := a.await(1), a.await(1), a.await(1)
	a.forget(1, gone)
	a.say(1, reasonWithdrawn)
	for i, said := range []chan string{first, second} {
		select {
		case why := <-said:
			if why != reasonWithdrawn {
				t.Errorf("%d heard %q", i, why)
			}
		default:
			t.Errorf("%d heard nothing", i)
		}
	}
	if len(gone) > 0 || len(a.by) > 0 {
		t.Errorf("%d for who has gone, %d calls left", len(gone), len(a.by))
	}
}

// A withdrawal that crosses the customer's answer has taken nothing back.
func TestWithdrawCrossesAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna}, askers: true})
	w.farRings()
	if got := w.asksFor(siteToken, `{"number":"`+dana+`","queue":"back"}`); got != "201 call 1" {
		w.Fatalf("HTTP %s", got)
	}
	w.places(1)
	w.takesCalls(anna)
	leg := w.customerRings(anna, 1, "07700900417")
	w.must(leg.Answer())
	w.phase(anna, "talking")
	w.app.rim.callers.promised(1, true) // as the withdrawal saw it
	said := make(chan error, 1)
	go func() { said <- newRequests(w.app, nil).Withdraw(w.ctx, "site", 1) }()
	w.eventually("the withdrawal waits", func() bool {
		a := &w.app.rim.answers
		a.mu.Lock()
		defer a.mu.Unlock()
		return len(a.by) > 0
	})
	leg.Hangup()
	var refused *web.CallbackRefused
	if err := <-said; !errors.As(err, &refused) || refused.Code != "not_found" {
		t.Errorf("it came to %v", err)
	}
}
