package app

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/sip"
	"github.com/cordboard/cordboard/sip/registrar"
	"github.com/cordboard/cordboard/sip/stack"
	"github.com/cordboard/cordboard/store"
)

// phones finds the agents' telephones: static contacts in the live routing
// document, the others at the registrar. It tells the registrar who waits for a
// phone, and routing which phone has come or gone.
type phones struct {
	rim       *rim
	registrar *registrar.Registrar // nil when nothing registers here
}

// buildPhones makes the registrar, if the server file has one.
func (a *App) buildPhones(ctx context.Context, registry *prometheus.Registry) error {
	a.phones = &phones{rim: a.rim}
	s := a.opt.Server.SIP.Registrar
	if s == nil {
		return nil
	}
	r, err := registrar.New(ctx, registrar.Options{
		Realm: s.Realm, From: s.From, MaxExpires: s.Expires, Qualify: s.Qualify, Rate: s.Rate,
		Agents: a.rim, Secrets: phoneSecrets{a.store}, Bindings: phoneBindings{a.store, a.log},
		Changed: func(agent agents.ID, up bool) { a.rim.driver.Submit(routing.PhoneChanged{Agent: agent, Up: up}) },
		Log:     a.log,
	})
	if err != nil {
		return err
	}
	a.phones.registrar = r
	registry.MustRegister(phoneCollector{r})
	return nil
}

// forStack is the registrar as the stack wants it: no registrar is nil.
func (p *phones) forStack() stack.Phones {
	if p.registrar == nil {
		return nil
	}
	return p.registrar
}

// forCalls is the registrar as call control wants it.
func (p *phones) forCalls() sip.Callers {
	if p.registrar == nil {
		return nil
	}
	return p.registrar
}

func (p *phones) start(s *stack.Stack) {
	if p.registrar != nil {
		p.registrar.Start(s)
	}
}

func (p *phones) stop() error {
	if p.registrar != nil {
		p.registrar.Close()
	}
	return nil
}

func (p *phones) reload() {
	if p.registrar != nil {
		p.registrar.Reload()
	}
}

// Phone implements sip.Phones.
func (p *phones) Phone(id agents.ID) (agents.Phone, bool) {
	a, ok := p.rim.Agent(id)
	phone := a.Phone
	if phone.Registered && p.registrar != nil {
		phone.URI, phone.Transport, phone.Next = p.registrar.Find(id)
	}
	if phone.Number != "" {
		phone.Language = spoken(a.Skills, p.rim.policy.Load().DefaultLanguage)
	}
	return phone, ok
}

// spoken is the language that an agent is best at: of equal ones the document's
// own, else the first by its code.
func spoken(skills agents.Skills, usual string) string {
	best, level := usual, skills.Level(agents.LanguagePrefix+agents.Skill(usual))
	for _, s := range skills {
		if code, ok := strings.CutPrefix(string(s.Skill), agents.LanguagePrefix); ok && s.Level > level {
			best, level = code, s.Level
		}
	}
	return best
}

// Do implements live.Port: who is away for the phone alone is back as soon as
// it registers anew.
func (p *phones) Do(_ time.Time, actions []routing.Action) {
	if p.registrar == nil {
		return
	}
	for _, action := range actions {
		if a, ok := action.(routing.AgentChanged); ok {
			p.registrar.Awaits(a.Agent, a.State == agents.NotReady && a.Reason == agents.ReasonUnreachable)
		}
	}
}

// phoneSecrets and phoneBindings give the registrar the store in its own words.
type (
	phoneSecrets  struct{ store *store.Store }
	phoneBindings struct {
		store *store.Store
		log   *zap.Logger
	}
)

// Secrets implements registrar.Secrets.
func (s phoneSecrets) Secrets(ctx context.Context) (map[string]registrar.Secret, error) {
	all, err := s.store.PhoneSecrets(ctx)
	out := make(map[string]registrar.Secret, len(all))
	for user, secret := range all {
		out[user] = registrar.Secret(secret)
	}
	return out, err
}

// SaveBinding implements registrar.Bindings.
func (s phoneBindings) SaveBinding(b registrar.Binding) {
	s.store.SaveBinding(store.PhoneBinding{
		Agent: b.Agent, Key: b.Key, Contact: b.Contact, Instance: b.Instance, CallID: b.CallID, CSeq: b.CSeq, Q: b.Q,
		Source: b.Source.String(), Transport: b.Transport, At: b.At, Expires: b.Expires,
	})
}

// RemoveBinding implements registrar.Bindings.
func (s phoneBindings) RemoveBinding(agent agents.ID, key string) { s.store.RemoveBinding(agent, key) }

// Bindings implements registrar.Bindings.
func (s phoneBindings) Bindings(ctx context.Context) ([]registrar.Binding, error) {
	all, err := s.store.Bindings(ctx)
	var out []registrar.Binding
	for _, b := range all {
		source, bad := netip.ParseAddrPort(b.Source)
		if bad != nil {
			s.log.Warn("a registration was forgotten: its source cannot be read", zap.String("agent", string(b.Agent)), zap.Error(bad))
			s.store.RemoveBinding(b.Agent, b.Key)
			continue
		}
		out = append(out, registrar.Binding{
			Agent: b.Agent, Key: b.Key, Contact: b.Contact, Instance: b.Instance, CallID: b.CallID, CSeq: b.CSeq, Q: b.Q,
			Source: source, Transport: b.Transport, At: b.At, Expires: b.Expires,
		})
	}
	return out, err
}

// phoneCollector gives the registrar's figures when they are asked for.
type phoneCollector struct{ r *registrar.Registrar }

var (
	descRegistered = prometheus.NewDesc("cordboard_phones_registered", "Agents whose telephone is registered.", nil, nil)
	descReachable  = prometheus.NewDesc("cordboard_phones_reachable", "Agents whose registered telephone can be called.", nil, nil)
	descRegisters  = prometheus.NewDesc("cordboard_registers_total", "REGISTER requests by what became of them.", []string{"result"}, nil)
)

func (c phoneCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- descRegistered
	ch <- descReachable
	ch <- descRegisters
}

func (c phoneCollector) Collect(ch chan<- prometheus.Metric) {
	s := c.r.Stats()
	ch <- prometheus.MustNewConstMetric(descRegistered, prometheus.GaugeValue, float64(s.Registered))
	ch <- prometheus.MustNewConstMetric(descReachable, prometheus.GaugeValue, float64(s.Reachable))
	for result, n := range s.Requests {
		ch <- prometheus.MustNewConstMetric(descRegisters, prometheus.CounterValue, float64(n), result)
	}
}
