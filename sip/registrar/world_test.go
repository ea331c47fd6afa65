package registrar

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/sip/digest"
	"github.com/cordboard/cordboard/sip/stack"
)

const realm = "desk.example"

var (
	home   = netip.MustParseAddrPort("198.51.100.7:40001")
	office = netip.MustParseAddrPort("192.0.2.20:5060")
)

// world is a registrar with what it needs, under a clock of its own.
type world struct {
	*Registrar
	t *testing.T

	mu      sync.Mutex
	clock   time.Time
	told    []string
	rows    map[string]Binding
	secrets map[string]Secret
	agents  map[agents.ID]agents.Agent
	life    map[string]int // OPTIONS' code by contact; 200 when missing
	asked   chan string
	news    chan struct{} // something was told
	cseq    int
}

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{
		t: t, clock: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), rows: map[string]Binding{}, life: map[string]int{},
		secrets: map[string]Secret{}, agents: map[agents.ID]agents.Agent{}, asked: make(chan string, 1000), news: make(chan struct{}, 1),
	}
	for _, id := range []string{"ann", "bob"} {
		w.secrets[id] = NewSecret(id, realm, id+"'s secret")
		w.agents[agents.ID(id)] = agents.Agent{ID: agents.ID(id), Phone: agents.Phone{Registered: true}}
	}
	w.secrets["mia"] = NewSecret("mia", realm, "mia's secret") // a supervisor
	w.start(change...)
	return w
}

// start makes the registrar, as after a restart.
func (w *world) start(change ...func(*Options)) {
	w.t.Helper()
	o := Options{
		Realm: realm, MaxExpires: 10 * time.Minute, Qualify: 30 * time.Second, Rate: 1000,
		Agents: w, Secrets: w, Bindings: w, Changed: w.changed, clock: w.now,
	}
	for _, f := range change {
		f(&o)
	}
	r, err := New(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.Registrar = r
	w.t.Cleanup(r.Close)
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.clock
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	w.clock = w.clock.Add(d)
	w.mu.Unlock()
}

func (w *world) Agent(id agents.ID) (agents.Agent, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.agents[id]
	return a, ok
}

func (w *world) Secrets(context.Context) (map[string]Secret, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.secrets), nil
}

func (w *world) changed(id agents.ID, up bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, fmt.Sprintf("%s %v", id, up))
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (w *world) SaveBinding(b Binding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rows[string(b.Agent)+" "+b.Key] = b
}

func (w *world) RemoveBinding(id agents.ID, key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.rows, string(id)+" "+key)
}

func (w *world) Bindings(context.Context) ([]Binding, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Binding
	for _, b := range w.rows {
		out = append(out, b)
	}
	return out, nil
}

func (w *world) Ping(_ context.Context, uri, _ string, _ netip.AddrPort) int {
	w.mu.Lock()
	code, ok := w.life[uri]
	w.mu.Unlock()
	if !ok {
		code = 200
	}
	select {
	case w.asked <- uri:
	default:
	}
	return code
}

// says takes what routing has been told since the last time.
func (w *world) says() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := strings.Join(w.told, ", ")
	w.told = nil
	return s
}

// request is a REGISTER of a user from an address.
func (w *world) request(user string, from netip.AddrPort, headers ...string) *stack.Message {
	w.cseq++
	m := &stack.Message{
		Method: "REGISTER", URI: "sip:desk.example", Source: from, Transport: "udp", At: w.now(),
		Headers: []stack.Header{
			{Name: "From", Value: "<sip:" + user + "@desk.example>;tag=1"}, {Name: "To", Value: "<sip:" + user + "@desk.example>"},
			{Name: "Call-ID", Value: "call-" + user}, {Name: "CSeq", Value: fmt.Sprintf("%d REGISTER", w.cseq)},
		},
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		m.Headers = append(m.Headers, stack.Header{Name: name, Value: value})
	}
	return m
}

// challenged takes the parameters of the challenge for the algorithm.
func challenged(t *testing.T, a stack.Answer, alg string) map[string]string {
	t.Helper()
	for _, h := range a.Headers {
		if h.Name != "WWW-Authenticate" {
			continue
		}
		p, ok := digest.Parameters(h.Value)
		if !ok {
			t.Fatalf("challenge %q", h.Value)
		}
		if p["algorithm"] == alg {
			return p
		}
	}
	t.Fatalf("no %s challenge in %+v", alg, a)
	return nil
}

// authorize answers a challenge, as RFC 7616 3.4 has it.
func authorize(p map[string]string, user, password string, nc int, method, uri string) string {
	s := NewSecret(user, p["realm"], password)
	ha1, alg := s.MD5, digest.MD5
	if p["algorithm"] == digest.SHA256 {
		ha1, alg = s.SHA256, digest.SHA256
	}
	count := fmt.Sprintf("%08x", nc)
	response := digest.Sum(digest.New(alg), ha1, p["nonce"], count, "cn", "auth", digest.Sum(digest.New(alg), method, uri))
	return fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s", algorithm=%s, cnonce="cn", qop=auth, nc=%s`,
		user, p["realm"], p["nonce"], uri, response, p["algorithm"], count)
}

// register asks, answers the challenge and gives the second answer.
func (w *world) register(user, password string, from netip.AddrPort, headers ...string) stack.Answer {
	w.t.Helper()
	return w.registerBy(digest.MD5, "udp", user, password, from, headers...)
}

func (w *world) registerBy(alg, transport, user, password string, from netip.AddrPort, headers ...string) stack.Answer {
	w.t.Helper()
	m := w.request(user, from, headers...)
	m.Transport = transport
	first := w.Register(m)
	if first.Code != 401 {
		w.t.Fatalf("no challenge: %+v", first)
	}
	m = w.request(user, from, headers...)
	m.Transport = transport
	m.Headers = append(m.Headers, stack.Header{Name: "Authorization", Value: authorize(challenged(w.t, first, alg), user, password, 1, "REGISTER", m.URI)})
	return w.Register(m)
}

func want(t *testing.T, what string, a stack.Answer, code int) {
	t.Helper()
	if a.Code != code {
		t.Fatalf("%s: %+v, want %d", what, a, code)
	}
}

func contacts(a stack.Answer) string {
	var out []string
	for _, h := range a.Headers {
		if h.Name == "Contact" {
			out = append(out, h.Value)
		}
	}
	return strings.Join(out, ", ")
}
