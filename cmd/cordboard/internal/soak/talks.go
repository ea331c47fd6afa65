package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
)

// talks are all conversations of the ledger, by agent: nobody has two at once,
// and no call has two agents at once.
type talks struct {
	byAgent map[agents.ID][]talk
	bad     []string
}

type talk struct {
	call     routing.CallID
	agent    agents.ID
	from, to time.Time
}

func newTalks() *talks { return &talks{byAgent: map[agents.ID][]talk{}} }

// add takes a call's conversations: from connect to the leg's release or the
// call's end.
func (t *talks) add(row store.LedgerRow, events []store.Event) {
	var now *talk
	end := func(at time.Time) {
		if now != nil {
			now.to = at
			t.byAgent[now.agent] = append(t.byAgent[now.agent], *now)
			now = nil
		}
	}
	for _, e := range events {
		switch e.Kind {
		case (routing.Connect{}).Kind():
			if now != nil {
				t.bad = append(t.bad, fmt.Sprintf("call %d has two agents at once", row.Call))
			}
			end(e.At)
			now = &talk{call: row.Call, agent: e.Agent, from: e.At}
		case (routing.Release{}).Kind(), (routing.Transferred{}).Kind(), (routing.WrapUpStarted{}).Kind():
			if now != nil && e.Agent == now.agent {
				end(e.At)
			}
		case (routing.EndCall{}).Kind():
			end(e.At)
		}
	}
	if !row.EndedAt.IsZero() {
		end(row.EndedAt) // by a restart
	}
	if now != nil {
		t.bad = append(t.bad, fmt.Sprintf("call %d: its talk with %s has no end", row.Call, now.agent))
	}
}

// clashes tells of agents with two conversations at once.
func (t *talks) clashes() []string {
	bad := t.bad
	n := 0
	for agent, all := range t.byAgent {
		n += len(all)
		slices.SortFunc(all, func(a, b talk) int { return a.from.Compare(b.from) })
		for i := 1; i < len(all); i++ {
			if a, b := all[i-1], all[i]; b.from.Before(a.to) {
				bad = append(bad, fmt.Sprintf("%s talks in calls %d and %d at once", agent, a.call, b.call))
			}
		}
	}
	if n == 0 {
		bad = append(bad, "the ledger has no conversation at all")
	}
	if len(bad) > 20 {
		bad = append(bad[:20], fmt.Sprintf("and %d more", len(bad)-20))
	}
	return bad
}
