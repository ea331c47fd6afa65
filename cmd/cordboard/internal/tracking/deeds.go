package tracking

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// deed is what somebody does about a request, within the change of it.
type deed struct {
	*Requests
	ctx  context.Context
	who  web.RequestViewer
	now  time.Time
	r    *store.Request
	tell []store.Notice
	web.RequestDeed
}

// Do implements web.Requests.
func (q *Requests) Do(ctx context.Context, who web.RequestViewer, text string, what web.RequestDeed) (web.Request, error) {
	ref, ok := readRef(text)
	if !ok {
		return web.Request{}, refused("not_found", "")
	}
	_, err := q.opt.Store.ChangeRequest(ctx, ref, func(r *store.Request) ([]store.RequestStep, []store.Notice, error) {
		if !q.may(ctx, who, r) {
			return nil, nil, refused("not_found", "")
		}
		d := deed{Requests: q, ctx: ctx, who: who, now: q.now(), r: r, RequestDeed: what}
		steps, err := d.do()
		return steps, d.tell, err
	})
	if err != nil {
		return web.Request{}, q.problem(err)
	}
	q.log.Info("something was done about a request", zap.String("request", ref), zap.String("do", what.Do), zap.String("user", who.User))
	q.look()
	return q.Whole(ctx, web.RequestViewer{User: who.User, All: true}, ref) // also when it is another's now
}

func (d *deed) do() ([]store.RequestStep, error) {
	r := d.r
	if r.State == store.RequestClosed && d.RequestDeed.Do != "word" {
		return nil, refused("not_now", "it is closed")
	}
	switch d.RequestDeed.Do {
	case "take":
		return d.take()
	case "give":
		return d.give()
	case "wait":
		if r.State == store.RequestWaiting {
			return nil, refused("not_now", "it waits for the customer already")
		}
		d.wait()
		return d.step("waiting"), nil
	case "resume":
		if r.State != store.RequestWaiting {
			return nil, refused("not_now", "it does not wait for the customer")
		}
		d.resume()
		return d.step("resumed"), nil
	case "settle":
		if r.TaskOf == "" || r.TaskOf != d.who.User && !d.who.All {
			return nil, refused("not_now", "it is no task of yours")
		}
		r.TaskOf, r.TaskAt = "", time.Time{}
		return d.step("settled"), nil
	case "close":
		r.State, r.Outcome, r.ClosedAt, r.Left = store.RequestClosed, d.Outcome, d.now, 0
		r.NextAt, r.TaskOf, r.TaskAt = time.Time{}, "", time.Time{}
		return append(d.step(""), store.RequestStep{At: d.now, Who: d.who.User, Kind: "closed", Word: d.Outcome}), nil
	}
	return d.step(""), nil
}

// step notes what was done, and what was said with it; "" is a word alone.
func (d *deed) step(kind string) (out []store.RequestStep) {
	if kind != "" {
		out = append(out, store.RequestStep{At: d.now, Who: d.who.User, Kind: kind})
	}
	if d.Word != "" {
		out = append(out, store.RequestStep{At: d.now, Who: d.who.User, Kind: "word", Word: d.Word, Shown: d.Shown})
	}
	return out
}

func (d *deed) take() ([]store.RequestStep, error) {
	if _, agent := d.opt.Policy().Agents[agents.ID(d.who.User)]; !agent {
		return nil, refused("not_now", "you are no agent: give it to one")
	}
	if d.r.Owner == d.who.User {
		return nil, refused("not_now", "it is yours already")
	}
	d.r.Owner = d.who.User
	return d.step("taken"), nil
}

func (d *deed) give() ([]store.RequestStep, error) {
	p, r := d.opt.Policy(), d.r
	if d.To != "" {
		if _, agent := p.Agents[agents.ID(d.To)]; !agent {
			return nil, refused("bad_fields", "to: there is no such agent")
		}
		r.Owner = d.To
	} else {
		if !hasTeam(p, d.Team) {
			return nil, refused("bad_fields", "team: there is no such team")
		}
		r.Owner, r.Team = "", d.Team
	}
	d.tell = d.assigned(d.ctx, r, d.who.User, d.now)
	out := d.step("given")
	out[0].Word = d.To + d.Team
	return out, nil
}

func hasTeam(p *routing.Policy, team string) bool {
	for _, t := range p.Teams {
		if t == team {
			return true
		}
	}
	return false
}
