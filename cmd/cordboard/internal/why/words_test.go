package why

import (
	"encoding/json"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// What kept a call from an agent or a number is said in words, not as its code.
func TestWords(t *testing.T) {
	for _, c := range []struct {
		event store.Event
		want  string
	}{
		{ofAction(t, routing.TurnedAway{Call: 1, Queue: "night", Why: "closed"}), "does not wait in queue night, which is closed"},
		{ofAction(t, routing.TurnedAway{Call: 1, Queue: "night", Why: "full"}), "does not wait in queue night, which is full"},
		{ofAction(t, routing.Treat{Call: 1, Why: "nobody", Play: "sorry"}), "treatment nobody: play sorry"},
		{ofAction(t, routing.Treat{Call: 1, Why: "late", Voicemail: "office"}), "treatment late: voicemail office"},
		{ofAction(t, routing.Treat{Call: 1, Why: "closed"}), "treatment closed"},
		{noted(routing.PhoneFailed{}.Kind(), "franz", `{"unconfirmed":true}`), "the mobile of franz was picked up, and key 1 not pressed"},
		{noted(routing.PhoneFailed{}.Kind(), "ann", `{"code":486}`), "the phone of ann fails with 486"},
		{noted(routing.PhoneFailed{}.Kind(), "ann", `{"code":401}`), "the phone of ann fails with 401: a password is asked for, and ours is not taken"},
		{noted(routing.NumberAnswered{}.Kind(), "", ""), "the number has answered"},
		{noted(routing.NumberFailed{}.Kind(), "", `{"code":603}`), "the number fails with 603"},
		{noted(routing.NumberGone{}.Kind(), "", ""), "the number has hung up"},
	} {
		var d about
		if len(c.event.Data) > 0 {
			if err := json.Unmarshal(c.event.Data, &d); err != nil {
				t.Fatalf("%s: %v", c.want, err)
			}
		}
		if got := words(c.event, &d); got != c.want {
			t.Errorf("%s: %q, want %q", c.event.Kind, got, c.want)
		}
	}
}

func ofAction(t *testing.T, a routing.Action) store.Event {
	t.Helper()
	text, err := routing.AppendAction(nil, a)
	if err != nil {
		t.Fatal(err)
	}
	return store.Event{Kind: a.Kind(), Data: text}
}

func noted(kind string, agent agents.ID, data string) store.Event {
	return store.Event{Kind: kind, Agent: agent, Data: json.RawMessage(data)}
}
