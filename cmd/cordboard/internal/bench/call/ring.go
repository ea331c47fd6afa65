package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/bench"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
)

// The run that looks at each call's instants: callers, phones and desks are
// all robots of this program, so that one clock times them.
const (
	ringRate   = 100
	ringCalls  = 1500
	ringAgents = 220
)

// instants of the calls, by the caller's number, which no two of them share.
type instants struct {
	mu      sync.Mutex
	invited map[string]time.Time // the caller's INVITE left
	rung    map[string]time.Time // a phone got its INVITE
}

// ring measures the time from a caller's INVITE to the INVITE at the agent's
// phone, at 100 calls a second and without a lead, and whether the record
// stood on the desk, whole, before that.
func (l *lab) ring(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 4*time.Minute)
	defer cancel()
	seen := &instants{invited: map[string]time.Time{}, rung: map[string]time.Time{}}
	phones := make([]*siptest.Phone, ringAgents)
	for i := range phones {
		p, err := siptest.NewPhone(ctx, siptest.Options{
			Name: agentID(i), Addr: phonesAddr.Addr().String() + ":0", Behaviour: siptest.Behaviour{Ring: true}, OnCall: seen.ring,
		})
		if err != nil {
			return err
		}
		defer p.Close()
		phones[i] = p
	}
	c, err := l.open(ctx, plan{agents: ringAgents, desks: true, answer: "at_queue", phone: func(i int) string { return phones[i].URI() }})
	if err != nil {
		return err
	}
	defer c.close()
	trunk, err := siptest.NewTrunk(ctx, siptest.TrunkOptions{Addr: callerAddr.Addr().String() + ":0", Target: boardAddr.String()})
	if err != nil {
		return err
	}
	defer trunk.Close()
	begin := time.Now()
	failed, err := l.place(ctx, trunk, seen)
	if err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d calls failed", failed, ringCalls)
	}
	answered, rows, err := c.booked(ctx, begin, ringCalls)
	if err != nil {
		return err
	}
	if answered != ringCalls || rows != ringCalls {
		return fmt.Errorf("%d rows in the ledger, %d of answered calls, of %d", rows, answered, ringCalls)
	}
	return l.timed(c.desks, seen)
}

// place sends the calls at their rate, each from another customer, and waits
// for their ends.
func (l *lab) place(ctx context.Context, trunk *siptest.Trunk, seen *instants) (failed int, err error) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	pace := time.NewTicker(time.Second / ringRate)
	defer pace.Stop()
	if len(l.numbers) < ringCalls {
		return 0, fmt.Errorf("%d calls from as many customers, and there are %d", ringCalls, len(l.numbers))
	}
	for _, n := range rand.Perm(len(l.numbers))[:ringCalls] {
		select {
		case <-pace.C:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
		number := l.numbers[n]
		call, err := trunk.Call(ctx, siptest.CallOptions{
			From: number, PAI: "<sip:" + number + "@" + callerAddr.Addr().String() + ">", To: dialled,
			Behaviour: siptest.Behaviour{HangupAfter: holdTime + 200*time.Millisecond},
		})
		if err != nil {
			return 0, err
		}
		wg.Go(func() {
			code, err := call.Wait(ctx)
			at, _ := call.At(siptest.InviteSent)
			seen.mu.Lock()
			seen.invited[number] = at
			seen.mu.Unlock()
			if err != nil || code != 0 {
				mu.Lock()
				failed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return failed, ctx.Err()
}

// ring notes the INVITE at a phone.
func (s *instants) ring(call *siptest.Call) {
	at, _ := call.At(siptest.InviteReceived)
	from := call.Invite().Get("From")
	_, from, _ = strings.Cut(from, "sip:")
	number, _, _ := strings.Cut(from, "@")
	s.mu.Lock()
	if _, twice := s.rung[number]; !twice {
		s.rung[number] = at
	}
	s.mu.Unlock()
}

// timed joins the robots' notes and prints the figures. The way of a call has
// three parts: to the desk (look-up, decision, pop), at the desk, which is the
// robot's own, and from its ack to the phone.
func (l *lab) timed(desks []*desktest.Desk, seen *instants) error {
	pops, whole := map[string]desktest.Seen{}, 0
	for _, d := range desks {
		for _, s := range d.Seen() {
			if s.AckAt.IsZero() {
				continue
			}
			pops[s.Card.Caller.Number] = s
			if s.Complete && s.Match == "exact" {
				whole++
			}
		}
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	var toRing, toPop, atDesk, toPhone []float64
	before := 0
	for number, invited := range seen.invited {
		rung, ok := seen.rung[number]
		if !ok {
			return fmt.Errorf("a call rang no phone that is known")
		}
		toRing = append(toRing, millis(invited, rung))
		s, ok := pops[number]
		if !ok {
			continue
		}
		if s.AckAt.Before(rung) {
			before++
		}
		toPop = append(toPop, millis(invited, s.PopAt))
		atDesk = append(atDesk, millis(s.PopAt, s.AckAt))
		toPhone = append(toPhone, millis(s.AckAt, rung))
	}
	n := float64(len(toRing))
	l.report.Line("pop_before_ring_ratio", float64(before)/n, "ratio")
	l.report.Line("record_complete_ratio_100cps", float64(whole)/n, "ratio")
	for _, part := range []struct {
		name   string
		values []float64
	}{{"invite_to_ring", toRing}, {"invite_to_pop", toPop}, {"pop_to_ack", atDesk}, {"ack_to_ring", toPhone}} {
		l.report.Line(part.name+"_ms_p50", bench.Quantile(part.values, 0.5), "ms")
		l.report.Line(part.name+"_ms_p95", bench.Quantile(part.values, 0.95), "ms")
		l.report.Line(part.name+"_ms_p99", bench.Quantile(part.values, 0.99), "ms")
	}
	return nil
}

func millis(from, to time.Time) float64 { return float64(to.Sub(from).Microseconds()) / 1000 }
