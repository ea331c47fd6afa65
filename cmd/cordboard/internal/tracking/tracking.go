// Package tracking tracks what customers ask for to its closure: whose a request is,
// by when it is to be done, whose task it becomes when it is not, and who is told of
// it. The routing document says so for each type; requests and what is to be told lie
// in the store, so that a restart loses neither. The composition root is its caller.
package tracking

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/sip/identity"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// Desks know what agents have in hand (screenpop.Hub).
type Desks interface {
	InHand(agents.ID) []screenpop.InHand
	AtWork(agents.ID) bool
}

// Options are what Requests work with; all must be set but Channels.
type Options struct {
	Store    *store.Store
	Policy   func() *routing.Policy
	Desks    Desks
	Senders  []configs.Sender // outside systems that open requests
	Channels []Channel
	Registry *prometheus.Registry
	Log      *zap.Logger
	Now      func() time.Time
}

// Requests are those there are. It is web's Requests.
type Requests struct {
	opt      Options
	log      *zap.Logger
	regions  map[string]string // by outside system
	channels map[string]Channel
	counted  *prometheus.CounterVec
	wake     chan struct{} // to look for what is due
	told     chan struct{} // and for what is to be told
	stop     context.CancelFunc
	done     chan struct{}
}

// New begins to track nothing before Start.
func New(opt Options) *Requests {
	out := &Requests{opt: opt, log: opt.Log.Named("requests"), regions: map[string]string{}, channels: map[string]Channel{}, wake: make(chan struct{}, 1), told: make(chan struct{}, 1)}
	out.counted = prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "cordboard_notices_total", Help: "Notices about requests, by channel and what came of each attempt: sent, failed (it is sent again), dead (given up).",
	}, []string{"channel", "result"})
	opt.Registry.MustRegister(out.counted)
	for _, p := range opt.Senders {
		out.regions[p.Name] = p.Region
	}
	for _, c := range opt.Channels {
		out.channels[c.Name()] = c
	}
	return out
}

// now is an instant as the store keeps it.
func (q *Requests) now() time.Time { return q.opt.Now().UTC().Truncate(time.Microsecond) }

// Kinds implements web.Requests.
func (q *Requests) Kinds() []web.RequestKind {
	out := []web.RequestKind{}
	for name, t := range q.opt.Policy().Requests {
		out = append(out, web.RequestKind{Kind: name, Title: t.Title})
	}
	slices.SortFunc(out, func(a, b web.RequestKind) int {
		if a.Kind < b.Kind {
			return -1
		}
		return 1
	})
	return out
}

// Open implements web.Requests.
func (q *Requests) Open(ctx context.Context, o web.RequestOpening) (web.Request, bool, error) {
	p := q.opt.Policy()
	t := p.Requests[o.Kind]
	if t == nil {
		return web.Request{}, false, refused("bad_fields", "type: the routing document has no such type of request")
	}
	who, err := q.whose(&o)
	if err != nil {
		return web.Request{}, false, err
	}
	now := q.now()
	r := store.Request{
		Ref: newRef(), Kind: o.Kind, Title: o.Title, Detail: o.Detail, Source: o.Source, SourceID: o.ID, OpenedBy: o.By.User, Call: o.Call,
		OpenedAt: now, State: store.RequestOpen, Owner: string(t.Owner), Team: t.Team,
	}
	begin(p, t, &r, now, t.Within)
	tell := q.assigned(ctx, &r, o.By.User, now)
	first := store.RequestStep{At: now, Who: o.By.User, Kind: "opened"}
	if o.By.User == "" {
		first.Word = o.Source
	}
	got, opened, err := q.opt.Store.OpenRequest(ctx, who, r, first, tell)
	if err != nil {
		return web.Request{}, false, q.problem(err)
	}
	if opened {
		q.log.Info("a request was opened", zap.String("request", got.Ref), zap.String("type", got.Kind), zap.String("source", o.Source), zap.String("user", o.By.User))
		q.look()
	}
	return q.view(&got, now), opened, nil
}

// whose says who asks. An agent speaks for callers in hand alone.
func (q *Requests) whose(o *web.RequestOpening) (store.Person, error) {
	if o.By.User == "" {
		if o.Number == "" {
			return store.Person{Customer: o.Customer}, nil
		}
		n, err := identity.ParseNumber(o.Number, q.regions[o.Source], nil)
		if err != nil {
			return store.Person{}, refused("bad_fields", "number: is none; a national one is read where requests.%s.region is set", o.Source)
		}
		return store.Person{Number: n.E164()}, nil
	}
	for _, in := range q.opt.Desks.InHand(agents.ID(o.By.User)) {
		if in.Call != o.Call && (o.Call != 0 || in.Customer != o.Customer) {
			continue
		}
		if in.Customer != "" {
			return store.Person{Customer: in.Customer}, nil
		}
		return store.Person{Number: in.Number}, nil
	}
	switch {
	case o.Call != 0:
		return store.Person{}, refused("not_now", "call: is not in your hand")
	case o.Customer != "" && !o.By.All:
		return store.Person{}, refused("not_now", "customer: no call of this customer is in your hand")
	}
	return store.Person{Customer: o.Customer}, nil
}

// List implements web.Requests.
func (q *Requests) List(ctx context.Context, who web.RequestViewer, ask web.RequestQuery) ([]web.Request, error) {
	now := q.now()
	var list []store.Request
	var err error
	if ask.Customer != "" {
		if !who.All && !q.inHand(who.User, ask.Customer) {
			return nil, refused("not_found", "")
		}
		list, err = q.opt.Store.RequestsOf(ctx, ask.Customer, 0)
	} else {
		f := store.RequestFilter{}
		if ask.Mine || !who.All {
			f.Owner, f.Team = who.User, q.teamOf(who.User)
		}
		if ask.Task {
			f.TaskOf = who.User
		}
		if ask.Late {
			f.LateAt = now
		}
		list, err = q.opt.Store.Requests(ctx, f)
	}
	if err != nil {
		return nil, q.problem(err)
	}
	out := make([]web.Request, len(list))
	for i := range list {
		out[i] = q.view(&list[i], now)
	}
	return out, nil
}

// Whole implements web.Requests.
func (q *Requests) Whole(ctx context.Context, who web.RequestViewer, text string) (web.Request, error) {
	ref, ok := readRef(text)
	if !ok {
		return web.Request{}, refused("not_found", "")
	}
	r, err := q.opt.Store.Request(ctx, ref)
	if err != nil {
		return web.Request{}, q.problem(err)
	}
	if !q.may(ctx, who, &r) {
		return web.Request{}, refused("not_found", "")
	}
	steps, err := q.opt.Store.RequestSteps(ctx, ref)
	if err != nil {
		return web.Request{}, q.problem(err)
	}
	out := q.view(&r, q.now())
	for _, s := range steps {
		out.Steps = append(out.Steps, web.RequestStep{At: s.At, Who: s.Who, Kind: s.Kind, Word: s.Word, Shown: s.Shown})
	}
	return out, nil
}

// Public implements web.Requests: nothing of it says who asked, or who works on it.
func (q *Requests) Public(ctx context.Context, text, language string) (out web.PublicRequest, err error) {
	ref, ok := readRef(text)
	if !ok {
		return out, refused("not_found", "")
	}
	r, err := q.opt.Store.Request(ctx, ref)
	if err != nil {
		return out, q.problem(err)
	}
	steps, err := q.opt.Store.RequestSteps(ctx, ref)
	if err != nil {
		return out, q.problem(err)
	}
	out = web.PublicRequest{
		Ref: r.Ref, Kind: r.Kind, Title: q.titled(r.Kind, language), State: r.State, Outcome: r.Outcome, OpenedAt: r.OpenedAt, ClosedAt: r.ClosedAt,
	}
	if r.State == store.RequestOpen {
		out.DueAt = r.DueAt
	}
	for _, s := range steps {
		if s.Shown {
			out.Word, out.WordAt = s.Word, s.At
		}
	}
	return out, nil
}

// titled is a type's title in a language, or in that of the document.
func (q *Requests) titled(kind, language string) string {
	p := q.opt.Policy()
	t := p.Requests[kind]
	if t == nil {
		return kind
	}
	for _, code := range []string{language, "", p.DefaultLanguage} {
		if text := t.Title[code]; text != "" {
			return text
		}
	}
	return kind
}

// may says whether somebody may see a request and do something about it: a
// supervisor; who it is of, or his team; whose task it is; who has the customer in
// hand.
func (q *Requests) may(ctx context.Context, who web.RequestViewer, r *store.Request) bool {
	switch {
	case who.All, r.Owner == who.User, r.TaskOf == who.User, r.Team != "" && r.Team == q.teamOf(who.User):
		return true
	case r.Customer == "" && r.Number == "":
		return false
	}
	for _, in := range q.opt.Desks.InHand(agents.ID(who.User)) {
		switch {
		case r.Customer == "" && in.Number == r.Number, r.Customer != "" && in.Customer == r.Customer:
			return true
		case in.Customer == "":
			continue
		}
		his, err := q.opt.Store.RequestsOf(ctx, in.Customer, 0)
		if err == nil && slices.ContainsFunc(his, func(h store.Request) bool { return h.Ref == r.Ref }) {
			return true
		}
	}
	return false
}

func (q *Requests) inHand(user, customer string) bool {
	return slices.ContainsFunc(q.opt.Desks.InHand(agents.ID(user)), func(in screenpop.InHand) bool { return in.Customer == customer })
}

// teamOf is an agent's team by the live document, "" for none.
func (q *Requests) teamOf(user string) string { return q.opt.Policy().Agents[agents.ID(user)].Team }

func (q *Requests) view(r *store.Request, now time.Time) web.Request {
	out := web.Request{
		Ref: r.Ref, Kind: r.Kind, Title: r.Title, Detail: r.Detail, Customer: r.Customer, Name: r.Name, Number: r.Number, Source: r.Source,
		OpenedBy: r.OpenedBy, Call: r.Call, OpenedAt: r.OpenedAt, State: r.State, Outcome: r.Outcome, ClosedAt: r.ClosedAt, Owner: r.Owner, Team: r.Team,
		DueAt: r.DueAt, TaskOf: r.TaskOf, TaskAt: r.TaskAt, Untold: r.Dead,
	}
	switch r.State {
	case store.RequestOpen:
		out.Late = r.DueAt.Before(now)
	case store.RequestWaiting:
		out.Late = r.Left == 0
	}
	if t := q.opt.Policy().Requests[r.Kind]; t != nil {
		out.KindTitle = t.Title
	}
	return out
}

func refused(code, format string, args ...any) error {
	return &web.RequestRefused{Code: code, Why: fmt.Sprintf(format, args...)}
}

// problem is an error of the store in web's words.
func (q *Requests) problem(err error) error {
	var several *store.SeveralError
	var told *web.RequestRefused
	switch {
	case errors.As(err, &told):
		return told
	case errors.As(err, &several):
		return refused("several", "%s", several.Error())
	case errors.Is(err, store.ErrNotFound):
		return refused("not_found", "")
	}
	q.log.Warn("the database did not take or give a request", zap.Error(err))
	return refused("unavailable", "the database did not take it: try again")
}
