package app

import (
	"context"
	"errors"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/ladder"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip/trace"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// tracer shows calls as they went over the wire (web.Tracer).
type tracer struct {
	messages *trace.Recorder
	store    *store.Store
	log      *zap.Logger
}

// tracePatience is how long a trace waits for the ledger: without it the
// messages are shown alone.
const tracePatience = 3 * time.Second

// Trace implements web.Tracer.
func (t *tracer) Trace(ctx context.Context, call routing.CallID, whole bool, who string) (any, bool, error) {
	out, err := t.call(ctx, call, whole, who)
	if errors.Is(err, why.ErrNoCall) {
		return nil, false, nil
	}
	return out, err == nil, err
}

// call traces one call; whole shows its messages as they are, which is noted.
func (t *tracer) call(ctx context.Context, call routing.CallID, whole bool, who string) (*ladder.Trace, error) {
	ctx, cancel := context.WithTimeout(ctx, tracePatience)
	defer cancel()
	legs, messages := t.messages.Call(int64(call))
	var told *why.Explained
	err := t.store.Flush(ctx) // what is decided a moment ago is on its way to the ledger
	if err == nil {
		told, err = why.Told(ctx, t.store, call)
	}
	if err != nil && len(legs) == 0 {
		return nil, err
	}
	t.noted(whole, who, zap.Int64("call", int64(call)))
	out := ladder.New(legs, messages, decisions(told), whole)
	out.Call = call
	t.describe(out, len(legs) > 0)
	if err != nil {
		out.Note += " The ledger cannot be read, so the decisions are missing: " + err.Error()
	}
	return out, nil
}

// dialog traces one dialog by its Call-ID of SIP: a call that was refused has no
// number.
func (t *tracer) dialog(callID string, whole bool, who string) (*ladder.Trace, error) {
	legs, messages := t.messages.Dialog(callID)
	if len(legs) == 0 {
		return nil, why.ErrNoCall
	}
	t.noted(whole, who, zap.String("call_id", callID))
	out := ladder.New(legs, messages, nil, whole)
	t.describe(out, true)
	if n := legs[0].Call; n > 0 {
		out.Call = routing.CallID(n)
	}
	return out, nil
}

func (t *tracer) noted(whole bool, who string, of zap.Field) {
	if whole {
		t.log.Info("the SIP messages of a call were read whole", of, zap.String("user", who))
	}
}

// describe says how far back messages are kept, and why there are none.
func (t *tracer) describe(out *ladder.Trace, any bool) {
	out.Since = t.messages.Since()
	switch {
	case t.messages == nil:
		out.Note = "No SIP messages: trace.memory is 0 in the server file."
	case !any:
		out.Note = "No SIP messages: those of this call are kept no more, or were another run's."
	}
}

// decisions are the ledger's moments of a call, with the route or step of each.
func decisions(x *why.Explained) (out []ladder.Decision) {
	if x == nil {
		return nil
	}
	for _, m := range x.Moments {
		what := m.What
		if m.Record > 0 && m.Record <= len(x.Records) {
			switch r := &x.Records[m.Record-1]; {
			case r.Kind == routing.Queued && r.Route.Path != "":
				what += ", by route " + r.Route.Path
			case r.Kind == routing.Given && r.Policy != "":
				what += ", by " + r.Policy
			}
		}
		out = append(out, ladder.Decision{At: m.At, What: what})
	}
	return out
}

var _ web.Tracer = (*tracer)(nil)
