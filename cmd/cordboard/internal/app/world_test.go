package app

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

func TestMain(m *testing.M) {
	if _, err := exec.LookPath("sipp"); err != nil {
		fmt.Fprintln(os.Stderr, "The tests of the whole server call it with SIPp. Install it with:  sudo apt-get install --no-install-recommends sip-tester")
		os.Exit(1)
	}
	// The cases wait for clocks more than they work: more of them side by side
	// than there are processors.
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("6"); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(Postgres.Exit))
}

const (
	anna  = agents.ID("anna")
	boris = agents.ID("boris")
	petar = agents.ID("petar")
)

// What each side says, in hertz.
const callerTone, callerMusic = 1000, 1250

var agentTone = map[agents.ID]float64{anna: 440, boris: 560, petar: 700}

// The numbers that testdata/routing.yaml knows.
const (
	toCare     = "+442079460100"
	toAsks     = "+442079460101" // its route asks for the record
	toShort    = "+442079460102" // a phone rings 5 s
	toPatient  = "+442079460103" // no phone rings before its desk has acked
	toTogether = "+442079460104" // answered with the agent: 180 until then
	toEarly    = "+442079460106" // likewise, but with our music in a 183
)

const dana = "+447700900417"

func record() customer.Record {
	return customer.Record{
		ID: "LW-1", Name: "Dana Whitcombe", Language: "en", Country: "GB", Segment: "gold",
		Numbers: []customer.Number{{E164: dana, Label: "mobile"}},
	}
}

// setup is what is special about a case's world.
type setup struct {
	at       []agents.ID // at their desks, ready
	direct   bool        // phones send to each other; else by our relay
	store    Database    // SQLite when ""
	kept     string      // the store's keys of the server file, instead of that
	logs     string      // an error that the server logs in this case
	sources  []customer.SourceOptions
	tones    map[string]float64 // sounds in place of the server's, in hertz; nobody waits for their end
	desk     func(agents.ID, *desktest.Options)
	pops     bool     // a PBX tells of its calls
	watched  []string // extensions whose calls it tells of by SIP
	senders  bool     // outside systems write interactions
	filled   string   // the keys of sources in the server file, from which the record is filled
	openers  string   // the server file's sections of those that open requests, and of how people are told
	now      func() time.Time
	consents string // the contact policy of systems that ask; "" for no such systems
	askers   bool   // and one asks for customers to be called
	// provider stands between the trunk and what it leads to, and asks for a password.
	provider  *provider
	back      bool // the trunk has its calls back
	registers bool // anna's phone registers, and may call
}

// world is a whole server, and phones and desks of its agents.
type world struct {
	*testing.T
	ctx  context.Context
	app  *App
	logs *observer.ObservedLogs
	core zapcore.Core // of them

	restored, tookOver []routing.CallID // places of callbacks
	phones             map[agents.ID]*siptest.Phone
	desks              map[agents.ID]*desktest.Desk
	setup              setup
	// document is the routing document that is live.
	document []byte
	links    map[agents.ID]string
	calls    int // placed so far
	began    time.Time
	legs     []*siptest.Call // of phones, checked for life after each call
	notifier *notifier       // where extensions are watched
}

// patience is what a whole case may take: on a machine that others use too, fifty
// calls one after the other take long.
const patience = 3 * time.Minute

// newWorld starts a server of its own for the case.
func newWorld(t *testing.T, s setup) *world {
	t.Helper()
	labelCase(t.Name())
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	core, logs := observer.New(zap.InfoLevel)
	w := &world{
		T: t, ctx: ctx, logs: logs, core: core, setup: s, began: time.Now(), phones: map[agents.ID]*siptest.Phone{},
		desks: map[agents.ID]*desktest.Desk{}, links: map[agents.ID]string{},
	}
	t.Cleanup(w.report)
	policy := w.policy()
	links := map[string]string{}
	for id := range policy.Agents {
		w.links[id] = "link-of-" + string(id)
		links[w.links[id]] = string(id)
	}
	var err error
	w.app, err = New(ctx, Options{Server: w.server(), Policy: policy, Log: zap.New(core), Links: links, sources: s.sources, now: s.now})
	w.must(err)
	t.Cleanup(w.stop)
	w.must(w.app.Store().SaveCustomers(ctx, []customer.Record{record()}))
	for id := range policy.Agents {
		w.must(w.app.Store().SaveUser(ctx, store.User{ID: string(id), Role: web.RoleAgent, Name: policy.Agents[id].Name}))
	}
	w.must(w.app.Start())
	if s.registers {
		w.registered(anna)
	}
	for _, id := range s.at {
		w.sit(id)
	}
	return w
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// policy reads the routing document with a robot phone's contact for each agent.
func (w *world) policy() *routing.Policy {
	w.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "routing.yaml"))
	w.must(err)
	var contacts []string
	for i, id := range []agents.ID{anna, boris, petar} {
		p, err := siptest.NewPhone(w.ctx, siptest.Options{Name: string(id), Behaviour: picksUp(id)})
		w.must(err)
		w.Cleanup(p.Close)
		w.phones[id] = p
		contacts = append(contacts, fmt.Sprintf("sip:%s@192.0.2.%d", id, i+1), p.URI())
	}
	p, err := siptest.NewPhone(w.ctx, siptest.Options{Name: string(far), Behaviour: siptest.Behaviour{Ring: true, Tone: farTone}})
	w.must(err)
	w.Cleanup(p.Close)
	w.phones[far] = p
	if w.setup.registers {
		contacts[1] = "registered"
		contacts[0] = `"` + contacts[0] + `"`
	}
	w.document = []byte(strings.NewReplacer(contacts...).Replace(string(text)))
	policy, findings := configs.ParseRouting("routing.yaml", w.document)
	if len(findings) > 0 {
		w.Fatal(findings)
	}
	return policy
}

// picksUp is a phone that rings and picks up at once.
func picksUp(id agents.ID) siptest.Behaviour {
	return siptest.Behaviour{Ring: true, Tone: agentTone[id]}
}

// rings is one that rings until the test says what happens.
func rings(id agents.ID) siptest.Behaviour {
	return siptest.Behaviour{Ring: true, AnswerAfter: -1, Tone: agentTone[id]}
}

func (w *world) server() *configs.Server {
	w.Helper()
	mutual := "[]"
	if w.setup.direct {
		mutual = "[127.0.0.0/8]"
	}
	to, login := strings.Replace(w.phones[far].URI(), string(far)+"@", "", 1), ""
	if p := w.setup.provider; p != nil {
		to, login = p.start(w, to), p.login(w)
	}
	if w.setup.back {
		login += ", redirect: true"
	}
	text := fmt.Sprintf(`cordboard: server/1
routing: routing.yaml
sip:
  listen: ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]
  max_calls: 20
%s  trunks:
%s    main: {from: [127.0.0.0/8], headers: [pai], region: GB, media: auto, out: {to: "%s", number: "+442079460100", format: national}%s}
media: {address: 127.0.0.1, ports: 20000-29999, mutual: %s, sounds: "%s"}
web: {listen: "127.0.0.1:0"}
admin: "127.0.0.1:0"
store: %s
%s`, w.registrar(), w.notifies(), to, login, mutual, w.sounds(), w.section(), w.office()+w.senders()+w.askers()+w.setup.openers+w.consents()+w.setup.filled)
	server, findings := configs.ParseServer(filepath.Join(w.TempDir(), "cordboard.yaml"), []byte(text))
	if len(findings) > 0 {
		w.Fatal(findings)
	}
	return server
}

func (w *world) section() string {
	w.Helper()
	if w.setup.kept != "" {
		return w.setup.kept
	}
	return cmp.Or(w.setup.store, "sqlite").Section(w)
}

// sit puts a robot at the agent's desk, ready for calls unless the case says no.
func (w *world) sit(id agents.ID) {
	w.Helper()
	if w.open(id) {
		w.state(id, "available")
	} else {
		w.state(id, "not_ready")
	}
}

// open opens the agent's desk; ready says that it asked for calls.
func (w *world) open(id agents.ID) (ready bool) {
	w.Helper()
	o := desktest.Options{BaseURL: "http://" + w.app.WebAddr().String(), Link: w.links[id], AutoReady: true}
	if w.setup.desk != nil {
		w.setup.desk(id, &o)
	}
	d, err := desktest.Dial(w.ctx, o)
	w.must(err)
	w.Cleanup(d.Close)
	w.desks[id] = d
	return o.AutoReady
}

// stop ends the server as a shutdown does: no call may be left for it to end.
func (w *world) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.app.Stop(ctx); err != nil {
		w.Errorf("stop: %v", err)
	}
	for _, e := range w.logs.FilterLevelExact(zapcore.ErrorLevel).All() {
		if w.setup.logs == "" || !strings.Contains(e.Message, w.setup.logs) {
			w.Errorf("the server logged an error: %s %v", e.Message, e.ContextMap())
		}
	}
}

// report shows the server's log of a failed case.
func (w *world) report() {
	if !w.Failed() {
		return
	}
	for _, e := range w.logs.All() {
		w.Logf("%s %s %s %v", e.Time.Format("05.000000"), e.Level, e.Message, e.ContextMap())
	}
}

// state waits until the agent's own desk shows the state.
func (w *world) state(id agents.ID, state string) desktest.Status {
	w.Helper()
	return w.screen(id, state, func(s desktest.State) bool { return s.Status.State == state }).Status
}

// screen waits until the agent's desk shows what is asked.
func (w *world) screen(id agents.ID, what string, ok func(desktest.State) bool) desktest.State {
	w.Helper()
	var last desktest.State
	if err := w.desks[id].Wait(w.ctx, func(s desktest.State) bool { last = s; return ok(s) }); err != nil {
		w.Fatalf("desk of %s: no %s: %v; it shows %+v", id, what, err, last)
	}
	return last
}

// phase waits until the agent's desk shows a card in the phase.
func (w *world) phase(id agents.ID, phase string) desktest.Card {
	w.Helper()
	var card desktest.Card
	w.screen(id, "card in phase "+phase, func(s desktest.State) bool {
		for _, c := range s.Cards {
			if c.Phase == phase {
				card = c
				return true
			}
		}
		return false
	})
	return card
}

// do sends a desk's request about a card.
func (w *world) do(id agents.ID, what string, c desktest.Card, more map[string]any) {
	w.Helper()
	body := map[string]any{"call": c.Call, "attempt": c.Attempt}
	for k, v := range more {
		body[k] = v
	}
	if _, err := w.desks[id].Do(w.ctx, what, body); err != nil {
		w.Fatalf("%s at the desk of %s: %v", what, id, err)
	}
}

// ready has the agent press Ready.
func (w *world) ready(id agents.ID) {
	w.Helper()
	_, err := w.desks[id].Do(w.ctx, "state", map[string]any{"state": "available", "reason": ""})
	w.must(err)
	w.state(id, "available")
}

// rung waits for the n-th call of the agent's phone, from 1.
func (w *world) rung(id agents.ID, n int) *siptest.Call {
	w.Helper()
	c, err := w.phones[id].WaitCall(w.ctx, n)
	if err != nil {
		w.Fatalf("phone of %s: no call %d: %v", id, n, err)
	}
	return c
}

// heard waits for an event of a phone's call.
func (w *world) heard(c *siptest.Call, k siptest.Kind) siptest.Event {
	w.Helper()
	e, err := c.WaitFor(w.ctx, k)
	w.must(err)
	return e
}

// eventually polls until the condition holds, or the case's time is over.
func (w *world) eventually(what string, holds func() bool) {
	w.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-w.ctx.Done():
			w.Fatalf("never came: %s", what)
		case <-tick.C:
		}
	}
}

// ports gives SIPp its ports: below those that the system gives out by itself, and
// apart from those of the other packages' tests, which run side by side with these,
// so that nobody else's socket comes in between.
var ports atomic.Uint32

const firstPort, portCount, portStep = 2000, 3000, 10

// freePorts is the first of a few neighbouring ports that nobody has: SIPp's, and
// from the third on those of its audio.
func (w *world) freePorts() int {
	w.Helper()
	free := func(port int) bool {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		return err == nil && c.Close() == nil
	}
	for range portCount / portStep {
		n := (int(ports.Add(1)) + os.Getpid()) % (portCount / portStep)
		port := firstPort + n*portStep
		if free(port) && free(port+2) && free(port+3) && free(port+4) && free(port+5) {
			return port
		}
	}
	w.Fatal("no free port")
	return 0
}
