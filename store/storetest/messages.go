package storetest

import (
	"bytes"
	"testing"
	"time"

	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// testMessages: messages are stored once, listed with who left them, handed from
// new to done, and removed with their sound and their line of the history.
func testMessages(t *testing.T, f Fixture) {
	s := open(t, f)
	ctx := t.Context()
	ok(t, s.SaveCustomers(ctx, []customer.Record{{ID: "C-7", Name: "Dana Hale", Numbers: number("+447700900417")}}))
	known, withheld := story{s, s.NextCall()}, story{s, s.NextCall()}
	known.arrives(0)
	s.Identified(known.call, "C-7")
	s.Arrived(store.Arrival{Call: withheld.call, Trunk: "main", Dialled: "+448081570142", At: T0})
	for _, y := range []story{known, withheld} {
		y.queued(2, "internet")
		y.ends(70, routing.Treated, routing.ByCaller, "late")
	}
	flush(t, s)

	sound := bytes.Repeat([]byte{0, 0xff, 'R'}, 300_000) // 900 kB, of every kind of octet
	messages := []store.Message{
		{Call: known.call, Mailbox: "office", Queue: "internet", Language: "en", LeftAt: T0.Add(time.Minute), Length: 12_340 * time.Millisecond},
		{Call: withheld.call, Mailbox: "night", LeftAt: T0.Add(2 * time.Minute), Length: 3 * time.Second},
	}
	for i, m := range messages {
		ok(t, s.SaveMessage(ctx, m, sound[i:]))
		ok(t, s.SaveMessage(ctx, store.Message{Call: m.Call, Mailbox: "other"}, []byte("other"))) // stays as it is
	}
	messages[0].State, messages[0].Number, messages[0].Customer, messages[0].Name = "new", "+447700900417", "C-7", "Dana Hale"
	messages[1].State = "new"
	list := func(f store.MessageFilter) []store.Message {
		t.Helper()
		got, err := s.Messages(ctx, f)
		ok(t, err)
		return got
	}
	equal(t, "all", list(store.MessageFilter{}), []store.Message{messages[1], messages[0]})
	equal(t, "of a mailbox", list(store.MessageFilter{Mailbox: "office", State: "new"}), messages[:1])
	equal(t, "done", list(store.MessageFilter{State: "done"}), []store.Message{})
	equal(t, "before", list(store.MessageFilter{Under: withheld.call}), messages[:1])
	equal(t, "one", list(store.MessageFilter{Most: 1}), messages[1:])
	wav, err := s.MessageSound(ctx, known.call)
	ok(t, err)
	if !bytes.Equal(wav, sound) {
		t.Error("the sound is not what was stored")
	}

	ok(t, s.SetMessageState(ctx, known.call, store.MessageHeard, "priya"))
	m, err := s.Message(ctx, known.call)
	ok(t, err)
	if m.State != "heard" || m.By != "priya" || m.At.IsZero() {
		t.Errorf("heard: %+v", m)
	}
	ok(t, s.SetMessageState(ctx, known.call, store.MessageNew, "owen"))
	m, err = s.Message(ctx, known.call)
	ok(t, err)
	equal(t, "new again", m, messages[0])

	// In the customer's history it stands as what it is, and nobody has talked.
	history := func() customer.Record {
		t.Helper()
		m, err := s.Lookup(ctx, "+447700900417")
		ok(t, err)
		return *m.Record
	}
	before := history()
	s.SaveLeft(m)
	for range 2 { // before it is written, and after
		r := history()
		if len(r.Interactions) != 1 || r.Interactions[0].Channel != "voicemail" || r.Interactions[0].Agent != nil || r.Interactions[0].Call != int64(known.call) ||
			r.Interactions[0].DurationS != 12 || r.Contacts != before.Contacts+1 || r.Version <= before.Version || r.LastAgent != nil {
			t.Errorf("history: %s", show(r))
		}
		flush(t, s)
	}

	missing(t, "deleted", deleted(t, s, known.call))
	if r := history(); len(r.Interactions) != 0 || r.Contacts != before.Contacts {
		t.Errorf("history after the message was removed: %s", show(r))
	}
	gone, err := s.ExpireMessages(ctx, messages[1].LeftAt)
	ok(t, err)
	equal(t, "expired too early", gone, 0)
	gone, err = s.ExpireMessages(ctx, messages[1].LeftAt.Add(time.Microsecond))
	ok(t, err)
	equal(t, "expired", gone, 1)
	equal(t, "left", list(store.MessageFilter{}), []store.Message{})
	missing(t, "state", s.SetMessageState(ctx, known.call, store.MessageDone, "owen"))
	_, err = s.MessageSound(ctx, withheld.call)
	missing(t, "sound", err)
}

// deleted removes a message, and is what a second time comes to.
func deleted(t *testing.T, s *store.Store, call routing.CallID) error {
	t.Helper()
	ok(t, s.DeleteMessage(t.Context(), call))
	if _, err := s.MessageSound(t.Context(), call); err == nil {
		t.Error("the sound of a message is left")
	}
	return s.DeleteMessage(t.Context(), call)
}
