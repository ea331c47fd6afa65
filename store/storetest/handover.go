package storetest

import (
	"testing"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// testHandOver: what is a leaver's goes to another, all of it and nothing else; to be
// said first, it changes nothing.
func testHandOver(t *testing.T, f Fixture) {
	s := twoCustomers(t, f)
	ctx := t.Context()
	managed := func(id, agent string) customer.Record {
		return customer.Record{ID: id, Name: "Ida Roe", Numbers: number("+4477009007" + id[2:]), AccountManager: &customer.Colleague{Agent: agent, Name: "Ann"}}
	}
	ok(t, s.SaveCustomers(ctx, []customer.Record{managed("C-21", "ann"), managed("C-22", "ann"), managed("C-23", "ben")}))
	_, err := s.Merge(ctx, "C-23", "C-22", customer.Colleague{Agent: "lena", Name: "Lena"}, T0)
	ok(t, err)
	manager := func(e164 string) string {
		t.Helper()
		r := find(t, s, e164).Record
		return r.AccountManager.Agent + " " + r.AccountManager.Name
	}
	equal(t, "before", manager("+447700900721"), "ann Ann")
	open := func(ref, owner, task, state string) {
		r := wish(ref, owner, "field", 4)
		r.TaskOf, r.State = task, state
		openWish(t, s, store.Person{}, r, store.Notice{ID: "n" + ref, What: "late", Who: owner, Channel: store.ByMail, MadeAt: T0, NextAt: T0})
	}
	open("R-1", "ann", "ben", store.RequestOpen)
	open("R-2", "ann", "", store.RequestWaiting)
	open("R-3", "ben", "ann", store.RequestOpen)
	open("R-4", "ann", "ann", store.RequestClosed)
	for i, who := range []string{"ann", "ben"} {
		call := story{s, s.NextCall()}
		call.arrives(i)
		flush(t, s)
		ok(t, s.SaveMessage(ctx, store.Message{Call: call.call, Mailbox: "office", LeftAt: T0}, []byte("sound")))
		ok(t, s.SetMessageState(ctx, call.call, store.MessageHeard, who))
	}
	answer := store.Answer{ID: "bill", Lang: "en", Title: "Why is my bill higher", Say: "Let us look.", Owner: "ann", Review: "2027-03-31"}
	others := store.Answer{ID: "port", Lang: "en", Title: "Spare port", Say: "I can move it.", Owner: "ben"}
	ok(t, s.SaveAnswers(ctx, answer, others))
	hand := func(h store.Handover) store.HandedOver {
		t.Helper()
		h.From, h.By = "ann", "boss"
		out, err := s.HandOver(ctx, h)
		ok(t, err)
		return out
	}
	to := store.Handover{To: customer.Colleague{Agent: "cas", Name: "Cas Dee"}}
	all := store.HandedOver{Requests: 2, Tasks: 1, Messages: 1, Customers: 2, Answers: 1, Notices: 3}
	dry := to
	dry.Dry = true
	equal(t, "what there is", hand(dry), all)
	equal(t, "what there is still", hand(dry), all)

	team := hand(store.Handover{Team: "night"})
	equal(t, "to a team", team, store.HandedOver{Requests: 2, Messages: 1})
	list, err := s.Requests(ctx, store.RequestFilter{Owner: "kim", Team: "night"})
	ok(t, err)
	equal(t, "the team's", refs(list), "R-1 R-2")
	fresh, err := s.Messages(ctx, store.MessageFilter{State: store.MessageNew})
	ok(t, err)
	if len(fresh) != 1 || fresh[0].By != "" || !fresh[0].At.IsZero() {
		t.Errorf("new again: %s", show(fresh))
	}

	equal(t, "the rest", hand(to), store.HandedOver{Tasks: 1, Customers: 2, Answers: 1, Notices: 3})
	equal(t, "nothing is left", hand(dry), store.HandedOver{})
	equal(t, "hers", manager("+447700900721"), "cas Cas Dee")
	equal(t, "of who is one with another", manager("+447700900723"), "ben Ann")
	answers, err := s.Answers(ctx)
	ok(t, err)
	answer.Owner = "cas"
	equal(t, "standard answers", answers, []store.Answer{answer, others})
	r, err := s.Request(ctx, "R-3")
	ok(t, err)
	equal(t, "the task", r.TaskOf, "cas")
	steps, err := s.RequestSteps(ctx, "R-1")
	ok(t, err)
	if last := steps[len(steps)-1]; len(steps) != 2 || last.Who != "boss" || last.Kind != "given" || last.Word != "night" || last.At.Before(time.Now().Add(-time.Hour)) {
		t.Errorf("in the history: %s", show(steps))
	}
	due, err := s.DueNotices(ctx, T0)
	ok(t, err)
	for _, n := range due {
		if n.Who == "ann" {
			t.Errorf("still to be told: %s", show(n))
		}
	}
}
