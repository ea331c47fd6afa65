package registrar

import (
	"context"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/stack"
)

// Binding is one telephone of an agent: where it registered from and until
// when.
type Binding struct {
	Agent     agents.ID
	Key       string // of its Contact; one agent has it once
	Contact   string // URI
	Instance  string // +sip.instance, "" for none
	CallID    string
	CSeq      uint32
	Q         int // thousandths
	Source    netip.AddrPort
	Transport string // udp, tcp, tls
	At        time.Time
	Expires   time.Time
}

// life is what is known of a phone's presence.
type life int

const (
	unasked life = iota // read from the store: it must answer first
	up
	down
)

type binding struct {
	Binding
	state  life
	misses int       // unanswered in a row
	asked  bool      // an OPTIONS is out
	due    time.Time // of the next
	nonce  string    // that it registered with, and how often that was used
	nc     uint32
	stored time.Time // Expires as the store has it
}

// number is the phone's own of the flow, "" for none.
func (b *binding) number() string {
	after, numbered := strings.CutPrefix(b.Key, flows)
	if !numbered {
		return ""
	}
	n, _, _ := strings.Cut(after, ";")
	return n
}

// flow reports whether the phone is called over the connection it made.
func (b *binding) flow() bool { return b.Transport != "udp" }

const (
	maxBindings = 5 // phones of one agent; the oldest makes room
	maxContacts = 10
)

// bind does RFC 3261 10.3 steps 6 to 8 for an agent who is authenticated.
func (r *Registrar) bind(agent agents.ID, c credentials, req *stack.Message, now time.Time) (stack.Answer, string) {
	_, cseqText, _ := cutCSeq(req.Get("CSeq"))
	cseq, err := strconv.ParseUint(cseqText, 10, 31)
	if err != nil {
		return answer(400), "refused"
	}
	asked := req.Values("Contact")
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(asked) == 0:
		return r.listed(agent, now), "read"
	case slices.Contains(asked, "*"):
		if len(asked) > 1 || seconds(req.Get("Expires")) != 0 {
			return answer(400), "refused"
		}
		return r.clear(agent, req.Get("Call-ID"), uint32(cseq), now)
	case len(asked) > maxContacts:
		return answer(400), "refused"
	}
	changes, a := r.read(agent, asked, req, uint32(cseq), now)
	if a.Code != 0 {
		return a, "refused"
	}
	result := "removed"
	for _, b := range changes {
		if b.Expires.IsZero() {
			if i := r.index(agent, b); i >= 0 {
				r.drop(agent, r.at[agent][i])
			}
			continue
		}
		result = "registered"
		b.nonce, b.nc = c.nonce, c.nc
		r.put(agent, b, now)
	}
	if result == "registered" && r.awaited[agent] {
		delete(r.awaited, agent)
		delete(r.up, agent) // so that it is said again
	}
	r.tell(agent)
	a = r.listed(agent, now)
	if slices.ContainsFunc(changes, func(b *binding) bool { return b.number() != "" }) {
		a.Headers = append(a.Headers, r.outbound()...)
	}
	return a, result
}

// outbound tells a phone that its flows are known as such. It keeps them alive
// itself from then on, and so finds out that one is dead when we would, at the
// latest (RFC 5626 4.4, 5.4).
func (r *Registrar) outbound() []stack.Header {
	return []stack.Header{
		{Name: "Require", Value: "outbound"},
		{Name: "Flow-Timer", Value: strconv.Itoa(int(math.Ceil(r.o.Qualify.Seconds())))},
	}
}

func cutCSeq(v string) (method, number string, ok bool) {
	for i := range len(v) {
		if v[i] == ' ' || v[i] == '\t' {
			return v[i+1:], v[:i], true
		}
	}
	return "", v, false
}

// read checks every Contact before any is taken: all of them or none. A
// binding without an end is to be removed.
func (r *Registrar) read(agent agents.ID, asked []string, req *stack.Message, cseq uint32, now time.Time) ([]*binding, stack.Answer) {
	var out []*binding
	byFlow := asksOutbound(req)
	general := int64(-1)
	if v := req.Get("Expires"); v != "" {
		general = seconds(v)
	}
	for _, v := range asked {
		c, err := parseContact(v)
		if err != nil {
			return nil, answer(400)
		}
		for _, n := range []int64{general, int64(r.o.MaxExpires / time.Second)} {
			if c.expires < 0 {
				c.expires = n
			}
		}
		if c.expires > 0 && c.expires < int64(minExpires/time.Second) {
			return nil, answer(423, stack.Header{Name: "Min-Expires", Value: strconv.Itoa(int(minExpires / time.Second))})
		}
		b := &binding{state: up, Binding: Binding{
			Agent: agent, Key: keyOf(c, byFlow), Contact: c.uri, Instance: c.instance, CallID: req.Get("Call-ID"), CSeq: cseq,
			Q: c.q, Source: req.Source, Transport: req.Transport, At: now,
		}}
		if c.expires > 0 {
			b.Expires = now.Add(min(time.Duration(c.expires)*time.Second, r.o.MaxExpires))
		}
		if i := r.index(agent, b); i >= 0 {
			if old := r.at[agent][i]; old.CallID == b.CallID && old.CSeq >= b.CSeq {
				return nil, answer(500) // an older request that came late
			}
		}
		out = append(out, b)
	}
	return out, stack.Answer{}
}

// index finds the binding that one replaces: of the same Contact or flow, or of
// the same instance, which has moved.
func (r *Registrar) index(agent agents.ID, b *binding) int {
	return slices.IndexFunc(r.at[agent], func(x *binding) bool {
		return x.Key == b.Key || b.Instance != "" && x.Instance == b.Instance && b.number() == "" && x.number() == ""
	})
}

// clear removes all of an agent's bindings, if none of them is newer.
func (r *Registrar) clear(agent agents.ID, callID string, cseq uint32, now time.Time) (stack.Answer, string) {
	for _, b := range r.at[agent] {
		if b.CallID == callID && b.CSeq >= cseq {
			return answer(500), "refused"
		}
	}
	for _, b := range slices.Clone(r.at[agent]) {
		r.drop(agent, b)
	}
	r.tell(agent)
	return r.listed(agent, now), "removed"
}

// put takes a binding in, in place of the one it replaces. r.mu is held.
func (r *Registrar) put(agent agents.ID, b *binding, now time.Time) {
	b.due = r.nextPing(now)
	for _, x := range r.at[agent] {
		if x.nonce == b.nonce {
			b.nc = max(b.nc, x.nc) // of a request that was answered beside this one
		}
	}
	if i := r.index(agent, b); i >= 0 {
		old := r.at[agent][i]
		if b.refreshes(old) {
			b.stored = old.stored
		}
		if old.Key != b.Key && r.o.Bindings != nil {
			r.o.Bindings.RemoveBinding(agent, old.Key)
		}
		r.unheard(old)
		r.at[agent][i] = b
	} else {
		if list := r.at[agent]; len(list) >= maxBindings {
			r.drop(agent, slices.MinFunc(list, func(x, y *binding) int { return x.At.Compare(y.At) }))
		}
		r.at[agent] = append(r.at[agent], b)
		r.log.Debug("a phone registered", zap.String("agent", string(agent)), zap.String("transport", b.Transport))
	}
	r.heard[b.Source.Addr()]++
	r.await(b)
	if r.o.Bindings != nil && b.stored.IsZero() {
		r.o.Bindings.SaveBinding(b.Binding)
		b.stored = b.Expires
	}
}

// refreshes reports whether the store needs no word of a binding: it says what the
// old one said but for its time, and what the store has lasts for half of that yet, and
// no longer. After a restart the phone is forgotten a little before it would have been.
func (b *binding) refreshes(old *binding) bool {
	same := old.Binding
	same.At, same.Expires, same.CSeq = b.At, b.Expires, b.CSeq
	return same == b.Binding && old.stored.Sub(b.At) >= b.Expires.Sub(b.At)/2 && !old.stored.After(b.Expires)
}

// drop removes a binding. r.mu is held.
func (r *Registrar) drop(agent agents.ID, b *binding) {
	r.at[agent] = slices.DeleteFunc(r.at[agent], func(x *binding) bool { return x == b })
	if len(r.at[agent]) == 0 {
		delete(r.at, agent)
	}
	r.unheard(b)
	if r.o.Bindings != nil {
		r.o.Bindings.RemoveBinding(agent, b.Key)
	}
}

func (r *Registrar) unheard(b *binding) {
	a := b.Source.Addr()
	if r.heard[a]--; r.heard[a] <= 0 {
		delete(r.heard, a)
	}
}

// tell says whether an agent's phone can be called, when it is news; that of
// one who is not to register here cannot. r.mu is held, so that what is said is
// said in order.
func (r *Registrar) tell(agent agents.ID) {
	is := slices.ContainsFunc(r.at[agent], func(b *binding) bool { return b.state == up }) && r.listens(agent)
	was, told := r.up[agent]
	if is == was && (told || !is) {
		return
	}
	if is {
		r.up[agent] = true
	} else {
		delete(r.up, agent)
	}
	r.log.Info("an agent's phone", zap.String("agent", string(agent)), zap.Bool("reachable", is))
	r.o.Changed(agent, is)
}

// listed is the 200 with every binding of the agent. r.mu is held.
func (r *Registrar) listed(agent agents.ID, now time.Time) stack.Answer {
	a := stack.Answer{Code: 200, Headers: []stack.Header{{Name: "Date", Value: now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")}}}
	for _, b := range r.at[agent] {
		left := int(math.Ceil(b.Expires.Sub(now).Seconds()))
		if left <= 0 {
			continue
		}
		v := fmt.Sprintf("<%s>;expires=%d;q=%.3g", b.Contact, left, float64(b.Q)/1000)
		if b.Instance != "" {
			v += `;+sip.instance="` + b.Instance + `"`
		}
		if n := b.number(); n != "" {
			v += ";" + flows + n
		}
		a.Headers = append(a.Headers, stack.Header{Name: "Contact", Value: v})
	}
	return a
}

// Find gives the phone to call: one that is there before one that is silent,
// then the one that asks to be preferred, then the one that registered last.
// The URI is "" when there is none.
func (r *Registrar) Find(agent agents.ID) (uri, transport string, next netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var best *binding
	if !r.listens(agent) {
		return "", "", netip.AddrPort{}
	}
	for _, b := range r.at[agent] {
		if b.Expires.Before(r.now()) {
			continue
		}
		if best == nil || better(b, best) {
			best = b
		}
	}
	if best == nil {
		return "", "", netip.AddrPort{}
	}
	return best.Contact, best.Transport, best.Source
}

func better(a, b *binding) bool {
	if (a.state == up) != (b.state == up) {
		return a.state == up
	}
	if a.Q != b.Q {
		return a.Q > b.Q
	}
	return a.At.After(b.At)
}

// restore reads what an earlier process left. A connection did not outlive it;
// a phone behind a datagram must answer before it counts.
func (r *Registrar) restore(ctx context.Context) error {
	if r.o.Bindings == nil {
		return nil
	}
	list, err := r.o.Bindings.Bindings(ctx)
	if err != nil {
		return fmt.Errorf("registrar: read the registrations: %w", err)
	}
	now := r.now()
	for _, old := range list {
		b := &binding{Binding: old, stored: old.Expires}
		if b.flow() || !b.Expires.After(now) {
			r.o.Bindings.RemoveBinding(b.Agent, b.Key)
			continue
		}
		r.at[b.Agent] = append(r.at[b.Agent], b)
		r.heard[b.Source.Addr()]++
		r.await(b)
	}
	return nil
}
