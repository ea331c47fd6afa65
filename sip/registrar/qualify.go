package registrar

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"go.uber.org/zap"
)

const (
	lookEvery = 250 * time.Millisecond
	pingTime  = 4 * time.Second
	maxPings  = 64 // OPTIONS out at once
	maxMisses = 2  // in a row: the phone is gone
)

// nextPing is when a phone that has just been heard is asked next. They come
// in storms, so each waits a while of its own.
func (r *Registrar) nextPing(now time.Time) time.Time {
	return now.Add(r.o.Qualify*3/4 + rand.N(r.o.Qualify/2+1))
}

// watch looks after the bindings until Close: those that run out, and those
// whose phone is to be asked.
func (r *Registrar) watch() {
	every := time.NewTicker(lookEvery)
	defer every.Stop()
	slots := make(chan struct{}, maxPings)
	for {
		for _, b := range r.look(cap(slots) - len(slots)) {
			slots <- struct{}{}
			r.work.Go(func() {
				defer func() { <-slots }()
				r.qualify(b)
			})
		}
		select {
		case <-r.ctx.Done():
			return
		case <-every.C:
		}
	}
}

// look removes what has run out and gives at most n phones to ask.
func (r *Registrar) look(n int) []*binding {
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	var out, later []*binding
	for b := r.next(now); b != nil; b = r.next(now) {
		switch {
		case b.asked || !slices.Contains(r.at[b.Agent], b):
		case !b.Expires.After(now):
			r.drop(b.Agent, b)
			r.tell(b.Agent)
		case len(out) == n:
			later = append(later, b)
		default:
			b.asked = true
			out = append(out, b)
		}
	}
	for _, b := range later {
		r.await(b)
	}
	return out
}

// qualify asks one phone.
func (r *Registrar) qualify(b *binding) {
	ctx, cancel := context.WithTimeout(r.ctx, pingTime)
	defer cancel()
	code := r.ping.Ping(ctx, b.Contact, b.Transport, b.Source)
	if r.ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b.asked = false
	if !slices.Contains(r.at[b.Agent], b) {
		return // it registered anew, or has gone
	}
	now := r.now()
	if there(code) {
		b.misses, b.state, b.due = 0, up, r.nextPing(now)
	} else {
		b.misses++
		b.due = now.Add(lookEvery) // once more, soon
		if b.misses >= maxMisses || b.flow() && code == 503 {
			if b.state == up {
				r.log.Info("a phone does not answer", zap.String("agent", string(b.Agent)), zap.Int("code", code))
			}
			b.state, b.due = down, now.Add(min(r.o.Qualify, downEvery))
		}
	}
	r.await(b)
	r.tell(b.Agent)
}

// downEvery is how often a phone that is silent is asked.
const downEvery = 10 * time.Second

// there reports whether an answer to OPTIONS shows a phone that can be called:
// any but "not now" (480) and a failure. Many phones do not know OPTIONS and
// say so, which is an answer.
func there(code int) bool {
	return code != 408 && code != 480 && (code < 500 || code == 501)
}
