package store

import (
	"context"
	"fmt"
	"time"

	"github.com/cordboard/cordboard/screenpop/customer"
)

// Handover says what of an agent goes to whom.
type Handover struct {
	From string
	To   customer.Colleague // this agent, or
	Team string
	By   string // who says so, as requests' histories name him
	Dry  bool   // count, and change nothing
}

// HandedOver counts what there was of the agent.
type HandedOver struct {
	Requests  int `json:"requests"`  // open ones
	Tasks     int `json:"tasks"`     // late ones that were his to see to; a team takes none
	Messages  int `json:"messages"`  // heard and not done with; to a team they are new again
	Customers int `json:"customers"` // whose account manager he was; a team is none
	Answers   int `json:"answers"`   // standard answers that were his; a team owns none
	Notices   int `json:"notices"`   // not sent to him yet; to a team they stay
}

const (
	qRequestsOwned = `SELECT ref FROM requests WHERE owner = $1 AND state <> 'closed' ORDER BY ref`
	qTasksOf       = `SELECT ref FROM requests WHERE task_of = $1 AND state <> 'closed' ORDER BY ref`
	qGiveRequest   = `UPDATE requests SET owner = $2 WHERE ref = $1`
	qGiveToTeam    = `UPDATE requests SET owner = '', team = $2 WHERE ref = $1`
	qGiveTask      = `UPDATE requests SET task_of = $2 WHERE ref = $1`
	qCountMessages = `SELECT COUNT(*) FROM messages WHERE state = 'heard' AND changed_by = $1`
	qGiveMessages  = `UPDATE messages SET changed_by = $2 WHERE state = 'heard' AND changed_by = $1`
	qRenewMessages = `UPDATE messages SET state = 'new', changed_by = '', changed_at = NULL WHERE state = 'heard' AND changed_by = $1`
	qCountManaged  = `SELECT COUNT(*) FROM customers WHERE manager = $1`
	qRaiseWholesOf = `UPDATE customers SET version = version + 1, doc_version = NULL, changed_at = $2
		WHERE id IN (SELECT m.whole FROM customer_merges m JOIN customers c ON c.id = m.other WHERE c.manager = $1)`
	qGiveCustomers   = `UPDATE customers SET manager = $2, manager_name = $3, version = version + 1, doc_version = NULL, changed_at = $4 WHERE manager = $1`
	qCountAnswersOf  = `SELECT COUNT(*) FROM answers WHERE owner = $1`
	qGiveAnswers     = `UPDATE answers SET owner = $2 WHERE owner = $1`
	qCountNoticesFor = `SELECT COUNT(*) FROM notices WHERE state = 'waiting' AND who = $1`
	qGiveNotices     = `UPDATE notices SET who = $2 WHERE state = 'waiting' AND who = $1`
)

// HandOver gives what is an agent's to another, or to a team, all of it or nothing.
func (s *Store) HandOver(ctx context.Context, h Handover) (out HandedOver, err error) {
	err = s.write.inTx(ctx, func(t *tx) error {
		out = HandedOver{}
		now := time.Now()
		if err := h.requests(t, now, &out); err != nil {
			return err
		}
		give := []given{{&out.Messages, qCountMessages, qGiveMessages, []any{h.To.Agent}}}
		if h.Team == "" {
			give = append(give, given{&out.Notices, qCountNoticesFor, qGiveNotices, []any{h.To.Agent}},
				given{&out.Answers, qCountAnswersOf, qGiveAnswers, []any{h.To.Agent}},
				given{&out.Customers, qCountManaged, qGiveCustomers, []any{h.To.Agent, h.To.Name, now.UnixMicro()}})
			if !h.Dry {
				if err := t.put(qRaiseWholesOf, h.From, now.UnixMicro()); err != nil {
					return err
				}
			}
		} else {
			give[0] = given{&out.Messages, qCountMessages, qRenewMessages, nil}
		}
		for _, g := range give {
			if err := g.run(t, &h); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return HandedOver{}, fmt.Errorf("store: hand over: %w", err)
	}
	return out, nil
}

// given is one kind of thing: how many there are, and the statement that gives them.
type given struct {
	n           *int
	count, give string
	to          []any
}

func (g *given) run(t *tx, h *Handover) error {
	if h.Dry {
		return t.row(g.count, []any{h.From}, g.n)
	}
	n, err := t.exec(g.give, append([]any{h.From}, g.to...)...)
	*g.n = int(n)
	return err
}

// requests gives those that are the agent's, and the tasks, and notes it in each.
func (h *Handover) requests(t *tx, now time.Time, out *HandedOver) error {
	owned, err := textsOf(t.ctx, t, qRequestsOwned, h.From)
	if err != nil {
		return err
	}
	var tasks []string
	if h.Team == "" {
		if tasks, err = textsOf(t.ctx, t, qTasksOf, h.From); err != nil {
			return err
		}
	}
	out.Requests, out.Tasks = len(owned), len(tasks)
	if h.Dry {
		return nil
	}
	query, to := qGiveRequest, h.To.Agent
	if h.Team != "" {
		query, to = qGiveToTeam, h.Team
	}
	for _, g := range []struct {
		refs              []string
		query, kind, whom string
	}{{owned, query, "given", to}, {tasks, qGiveTask, "escalated", to}} {
		for _, ref := range g.refs {
			if _, err := t.exec(g.query, ref, g.whom); err != nil { // holds the row
				return err
			}
			if err := addSteps(t, ref, []RequestStep{{At: now, Who: h.By, Kind: g.kind, Word: g.whom}}, nil); err != nil {
				return err
			}
		}
	}
	return nil
}
