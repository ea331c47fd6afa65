package desktest

import (
	"context"
	"time"
)

// draw shows a card that came with a welcome.
func (d *Desk) draw(c Card) {
	if c.Phase == "offered" || c.Phase == "lead" || c.Phase == "may_accept" || c.Phase == "ringing" {
		d.popped(c, time.Now())
		return
	}
	d.patched(c)
}

// popped shows an offer and acks it once it is painted.
func (d *Desk) popped(c Card, at time.Time) {
	d.mu.Lock()
	d.state.Cards[c.Call] = c
	s := d.find(c.Call, c.Attempt)
	if s == nil {
		s = &Seen{Call: c.Call, Attempt: c.Attempt, Agent: c.Agent, PopAt: at, Card: c, Received: c.From != nil}
		d.seen = append(d.seen, s)
		d.pops++
	}
	s.Pops++
	decline := d.opt.DeclineEvery > 0 && s.Pops == 1 && d.pops%d.opt.DeclineEvery == 0
	d.mu.Unlock()
	if d.opt.OnPop != nil {
		d.opt.OnPop(c)
	}
	d.ackSoon(c)
	if decline {
		d.later(d.opt.AckDelay, func(ctx context.Context) {
			_, _ = d.Do(ctx, "decline", map[string]any{"call": c.Call, "attempt": c.Attempt, "reason": "not_my_topic"})
		})
	}
}

func (d *Desk) ackSoon(c Card) {
	switch {
	case d.opt.NoAck:
	case d.opt.AckDelay == 0:
		d.ack(c.Call, c.Attempt)
	default:
		d.later(d.opt.AckDelay, func(context.Context) { d.ack(c.Call, c.Attempt) })
	}
}

// ack says what stands on the screen now.
func (d *Desk) ack(call int64, attempt int) {
	d.mu.Lock()
	c, ok := d.state.Cards[call]
	ws := d.ws
	d.mu.Unlock()
	if !ok || c.Attempt != attempt || ws == nil {
		return
	}
	panels, version := paint(c), int64(0)
	if c.Record != nil {
		version = c.Record.Version
	}
	mode := "painted"
	if d.opt.Hidden {
		mode = "hidden"
	}
	body := map[string]any{"call": call, "attempt": attempt, "mode": mode, "version": version, "panels": panels}
	// Stamped before the write: what the ack sets off comes after it.
	d.mu.Lock()
	s, first := d.find(call, attempt), false
	if s != nil && s.AckAt.IsZero() {
		first = true
		s.AckAt, s.Version, s.Panels, s.Complete, s.Match = time.Now(), version, panels, complete(c), c.Match
	}
	d.mu.Unlock()
	if d.write(ws, map[string]any{"t": "pop_ack", "d": body}) != nil && first {
		d.mu.Lock()
		s.AckAt = time.Time{} // never sent; the resume acks again
		d.mu.Unlock()
	}
	d.tell()
}

func (d *Desk) find(call int64, attempt int) *Seen {
	for i := len(d.seen) - 1; i >= 0; i-- {
		if s := d.seen[i]; s.Call == call && s.Attempt == attempt {
			return s
		}
	}
	return nil
}

// patched shows a changed card; an offer painted anew is acked anew.
func (d *Desk) patched(c Card) {
	d.mu.Lock()
	old, held := d.state.Cards[c.Call]
	if held && old.Attempt > c.Attempt {
		d.mu.Unlock()
		return
	}
	d.state.Cards[c.Call] = c
	d.mu.Unlock()
	if held && offering(c.Phase) {
		d.ackSoon(c)
	}
}

// phase moves a call on and does what the robot does there.
func (d *Desk) phase(p phaseChange, at time.Time) {
	d.mu.Lock()
	c, ok := d.state.Cards[p.Call]
	if !ok || c.Attempt != p.Attempt {
		d.mu.Unlock()
		return
	}
	before := c.Phase
	c.Phase, c.Until = p.Phase, p.Until
	d.state.Cards[p.Call] = c
	s := d.find(p.Call, p.Attempt)
	if s == nil {
		s = &Seen{}
	}
	switch p.Phase {
	case "ringing", "connecting":
		s.RingingAt = at
	case "talking":
		if s.TalkingAt.IsZero() {
			s.TalkingAt = at
		}
	case "wrap_up":
		s.WrapUpAt = at
	case "done":
		s.DoneAt = at
		delete(d.state.Cards, p.Call)
	}
	d.mu.Unlock()
	ref := map[string]any{"call": p.Call, "attempt": p.Attempt}
	switch {
	case p.Phase == "may_accept" && !d.opt.NoAccept:
		d.later(d.opt.AcceptAfter, func(ctx context.Context) { _, _ = d.Do(ctx, "accept", ref) })
	case p.Phase == "talking" && before != "hold":
		d.talk(c)
	case p.Phase == "wrap_up" && d.opt.WrapUp != nil:
		w := *d.opt.WrapUp
		if own, ok := w.BySet[c.Set]; ok {
			w.Disposition = own
		}
		d.later(w.After, func(ctx context.Context) {
			_, _ = d.Do(ctx, "wrap_up", map[string]any{
				"call": p.Call, "attempt": p.Attempt, "disposition": w.Disposition, "note": w.Note,
			})
		})
	}
}

// talk does what the robot does with a caller on the line.
func (d *Desk) talk(c Card) {
	ref := func(more map[string]any) map[string]any {
		m := map[string]any{"call": c.Call, "attempt": c.Attempt}
		for k, v := range more {
			m[k] = v
		}
		return m
	}
	if d.opt.Transfer != nil {
		if t := d.opt.Transfer(c); t != nil {
			d.later(t.After, func(ctx context.Context) {
				if t.Draft != "" {
					_, _ = d.Do(ctx, "note", ref(map[string]any{"text": t.Draft}))
				}
				to := map[string]any{"note": t.Note}
				for key, name := range map[string]string{"topic": t.Topic, "queue": t.Queue, "agent": t.Agent} {
					if name != "" {
						to[key] = name
					}
				}
				_, _ = d.Do(ctx, "transfer", ref(to))
			})
			return
		}
	}
	if d.opt.HangUpAfter > 0 {
		d.later(d.opt.HangUpAfter, func(ctx context.Context) { _, _ = d.Do(ctx, "hangup", ref(nil)) })
	}
}

// asks notes how the question stands that the agent asks somebody.
func (d *Desk) asks(v consultChange) {
	d.show(func(s *State) {
		if c, ok := s.Cards[v.Call]; ok && c.Attempt == v.Attempt {
			c.Consult = v.Consult
			s.Cards[v.Call] = c
			s.AskedWhy = v.Why
		}
	})
}

func (d *Desk) withdrawn(call int64, attempt int, why string, at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.find(call, attempt); s != nil {
		s.WithdrawnAt, s.Withdrawn = at, why
	}
	if c, ok := d.state.Cards[call]; ok && c.Attempt == attempt {
		delete(d.state.Cards, call)
	}
}
