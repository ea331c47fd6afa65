package statistics

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/store"
)

// CustomerLedger is a Ledger that knows which customers are one.
type CustomerLedger interface {
	Ledger
	// MergedInto gives for each customer who is shown in another's record whose that is.
	MergedInto(ctx context.Context) (map[string]string, error)
}

// AfterCall is what became of a period's calls after them, by docs/after-the-call.md.
type AfterCall struct {
	From, To, Now time.Time
	Lines         []figures.AfterLine // all first

	policy *routing.Policy // whose topics and agents they are
}

// BuildAfterCall folds the calls of a period, and those of the seven days before
// and after it. It reads maxCalls at most, 0 for no bound.
func BuildAfterCall(ctx context.Context, from CustomerLedger, p *routing.Policy, period [2]time.Time, now time.Time, maxCalls int) (*AfterCall, error) {
	out := &AfterCall{From: period[0], To: period[1], Now: now, policy: p}
	whole, err := from.MergedInto(ctx)
	if err != nil {
		return nil, err
	}
	fold := figures.NewAfterCall(out.From, out.To, now)
	until := out.To.Add(figures.RepeatWithin)
	if until.After(now) {
		until = now.Add(time.Microsecond)
	}
	calls := 0
	err = from.FoldCalls(ctx, out.From.Add(-figures.RepeatWithin), until, wantsEvents, func(row store.LedgerRow, events []store.Event) error {
		if calls++; maxCalls > 0 && calls > maxCalls {
			return ErrTooManyCalls
		}
		if !ofCaller(&row) {
			return nil
		}
		c, err := afterCallOf(p, &row, events)
		if err != nil {
			return err
		}
		if w := whole[row.Customer]; w != "" {
			c.Customer = w
		}
		fold.Contact(c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	out.Lines = fold.Lines()
	return out, nil
}

// ofCaller leaves out agents' questions, and callbacks that the customer's next
// call has taken the place of: that call is the contact.
func ofCaller(row *store.LedgerRow) bool {
	return row.Outcome != routing.Consulted && row.Outcome != routing.TakenOver && (row.Trunk != "" || row.Dialled != "")
}

// wantsEvents: only of these does the row not tell enough.
func wantsEvents(row *store.LedgerRow) bool { return row.Transfers > 0 || endedInMenu(row) }

// endedInMenu: by what a menu leads to, heard or spoken to its end.
func endedInMenu(row *store.LedgerRow) bool {
	return row.Outcome == routing.Treated && row.EndedBy == routing.ByServer && row.Reason == "menu"
}

func afterCallOf(p *routing.Policy, row *store.LedgerRow, events []store.Event) (figures.Contact, error) {
	c := contactOf(p, row, 0)
	c.Team = p.Agents[agents.ID(c.Agent)].Team
	if !c.Answered {
		c.Agent, c.Team = "", ""
	}
	var err error
	if row.Transfers > 0 {
		c.Hops, c.Back, err = wayOf(events)
	}
	if err == nil && endedInMenu(row) {
		c.Alone, c.Topic, err = heardOnly(events)
	}
	if err != nil {
		return c, fmt.Errorf("call %d: %w", row.Call, err)
	}
	return c, nil
}

// wayOf counts how often a caller came to another agent, and tells whether to
// one who had talked to him before.
func wayOf(events []store.Event) (hops int, back bool, err error) {
	legs, err := store.Legs(events)
	if err != nil {
		return 0, false, err
	}
	last, had := agents.ID(""), map[agents.ID]bool{}
	for _, leg := range legs {
		if leg.Agent == "" || leg.Agent == last {
			continue
		}
		if last != "" {
			hops++
		}
		back = back || had[leg.Agent]
		last, had[leg.Agent] = leg.Agent, true
	}
	return hops, back, nil
}

// heardOnly: what a menu sent the call to last was an announcement, neither a
// mailbox nor a telephone number, and about what. No queue was told the topic.
func heardOnly(events []store.Event) (heard bool, topic string, err error) {
	for i := range events {
		if events[i].Kind != (routing.Treat{}).Kind() {
			continue
		}
		var to struct{ Play, Number, Voicemail, Topic string }
		if err := json.Unmarshal(events[i].Data, &to); err != nil {
			return false, "", fmt.Errorf("event %d: %w", events[i].Seq, err)
		}
		heard, topic = to.Play != "" && cmp.Or(to.Number, to.Voicemail) == "", to.Topic
	}
	return heard, topic, nil
}
