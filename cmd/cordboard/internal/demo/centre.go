package demo

import (
	"bytes"
	"context"
	"crypto/rand"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/sample"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

//go:embed routing.yaml
var routingDocument []byte

const (
	supervisor = "supervisor" // the id of the demo's supervisor
	customers  = 1000
	seed       = 20261121 // of the invented customers and of their calls
)

// phoneTones: each robot phone speaks a tone of its own, in Hz.
const (
	firstTone = 420
	toneStep  = 40
)

// centre is a whole call centre in one process: the real server on a temporary
// store, a phone for each agent, and a trunk. Everything between them is real
// SIP, RTP, HTTP and WebSocket on loopback.
type centre struct {
	folder  folder
	app     *app.App
	policy  *routing.Policy
	roster  []agents.ID
	phones  map[agents.ID]*siptest.Phone
	trunk   *siptest.Trunk
	records map[string]customer.Record // by number, those that only one customer has
	numbers []string                   // keys of records, in a fixed order
	links   map[agents.ID]string       // secrets of the one-click logins
	seen    observer
	talks   talks
	log     *zap.Logger
}

// open builds the centre and starts its server.
func open(ctx context.Context, o Options) (c *centre, err error) {
	c = &centre{phones: map[agents.ID]*siptest.Phone{}, links: map[agents.ID]string{}, log: o.Log}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if err := removeLeftovers(); err != nil {
		o.Log.Warn("what a killed demo has left could not be removed", zap.Error(err))
	}
	if c.folder, err = newFolder(); err != nil {
		return c, err
	}
	policy, findings := configs.ParseRouting("demo/routing.yaml", routingDocument)
	if policy == nil || len(findings) > 0 {
		var text bytes.Buffer
		return c, errors.Join(errors.New("the demo's own routing document has errors"), configs.Print(&text, findings), errors.New(text.String()))
	}
	if err := c.plugIn(ctx, policy); err != nil {
		return c, err
	}
	server, err := c.serverFile(o)
	if err != nil {
		return c, err
	}
	links := map[string]string{}
	for _, id := range append(slices.Clone(c.roster), supervisor) {
		c.links[id] = rand.Text()
		links[c.links[id]] = string(id)
	}
	c.app, err = app.New(ctx, app.Options{Server: server, Policy: c.policy, Log: o.Log, Links: links})
	if err != nil {
		return c, err
	}
	if err := c.fill(ctx); err != nil {
		return c, err
	}
	if o.Calls == 0 { // a counted run counts the ledger
		if err := c.fillPast(ctx, time.Now().Add(-24*time.Hour)); err != nil {
			return c, err
		}
	}
	if err := c.app.Start(); err != nil {
		return c, err
	}
	c.trunk, err = siptest.NewTrunk(context.WithoutCancel(ctx), siptest.TrunkOptions{Target: c.app.SIPAddr().String()})
	return c, err
}

// plugIn starts a robot phone for each agent and writes its contact into a
// copy of the policy.
func (c *centre) plugIn(ctx context.Context, policy *routing.Policy) error {
	p := *policy
	p.Agents = map[agents.ID]agents.Agent{}
	for id := range policy.Agents {
		c.roster = append(c.roster, id)
	}
	slices.Sort(c.roster)
	for i, id := range c.roster {
		// Who is asked to end still answers the server's BYEs: close ends the robots.
		phone, err := siptest.NewPhone(context.WithoutCancel(ctx), siptest.Options{
			Name: string(id),
			Behaviour: siptest.Behaviour{
				Ring: true, AutoAnswer: true, AnswerAfter: 1500 * time.Millisecond, Tone: float64(firstTone + toneStep*i),
			},
			OnCall: func(call *siptest.Call) { go c.rang(ctx, id, call) },
		})
		if err != nil {
			return err
		}
		c.phones[id] = phone
		a := policy.Agents[id]
		a.Phone.URI = phone.URI()
		p.Agents[id] = a
	}
	c.policy = &p
	return nil
}

// serverFile writes the demo's server file and reads it as serve would.
func (c *centre) serverFile(o Options) (*configs.Server, error) {
	sip, err := freeAddress(o.SIP)
	if err != nil {
		return nil, err
	}
	desk, err := freeAddress(o.Web)
	if err != nil {
		return nil, err
	}
	text := fmt.Sprintf(`cordboard: server/1
routing: routing.yaml
sip:
  listen: ["udp:%[1]s", "tcp:%[1]s"]
  max_calls: 2000
  calls_per_second: 200
  trunks:
    demo: {from: [127.0.0.0/8], headers: [pai, rpid], diversion: true, region: GB, media: auto}
media: {address: 127.0.0.1, ports: 20000-29999}
web: {listen: "%[2]s"}
admin: "127.0.0.1:0"
store: {path: demo.db, journal: journal}
`, sip, desk)
	server, findings := configs.ParseServer(filepath.Join(c.folder.path, "cordboard.yaml"), []byte(text))
	if server == nil || len(findings) > 0 {
		return nil, fmt.Errorf("the demo's own server file: %v", findings)
	}
	return server, nil
}

// freeAddress is the address when its port is free for TCP and UDP, else one
// with a free port in its place.
func freeAddress(want string) (string, error) {
	host, _, err := net.SplitHostPort(want)
	if err != nil {
		return "", err
	}
	for _, address := range []string{want, net.JoinHostPort(host, "0")} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			continue
		}
		got := l.Addr().String()
		u, err := net.ListenPacket("udp", got)
		if err == nil {
			err = errors.Join(u.Close(), l.Close())
			return got, err
		}
		if err := l.Close(); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("no free port at %s", host)
}

// fill puts the sample customers, standard answers and users into the store.
func (c *centre) fill(ctx context.Context) error {
	s := c.app.Store()
	records := sample.Customers(seed, time.Now(), customers)
	if err := s.SaveCustomers(ctx, records); err != nil {
		return err
	}
	var all []store.Answer
	for i, a := range sample.Answers() {
		a.Owner, a.Review = c.specialist(a.Topic), time.Now().AddDate(0, i%7*2-3, 0).Format(time.DateOnly)
		all = append(all, store.Answer(a))
	}
	if err := s.SaveAnswers(ctx, all...); err != nil {
		return err
	}
	for _, id := range c.roster {
		u := store.User{ID: string(id), Role: web.RoleAgent, Name: c.policy.Agents[id].Name}
		if err := s.SaveUser(ctx, u); err != nil {
			return err
		}
	}
	c.index(records)
	if err := s.SaveUser(ctx, store.User{ID: supervisor, Role: web.RoleSupervisor, Name: "Supervisor"}); err != nil {
		return err
	}
	return fillRequests(ctx, s)
}

// specialist is the first of a topic's, who owns its standard answers; "" for none.
func (c *centre) specialist(topic string) string {
	t := c.policy.Topics[topic]
	if t == nil || len(t.Specialists) == 0 {
		return ""
	}
	return string(t.Specialists[0])
}

// index keeps the customers whom one number names.
func (c *centre) index(records []customer.Record) {
	c.records = map[string]customer.Record{}
	owners := map[string]int{}
	for _, r := range records {
		for _, n := range r.Numbers {
			owners[n.E164]++
		}
	}
	for _, r := range records {
		if len(r.Numbers) == 0 || owners[r.Numbers[0].E164] != 1 {
			continue
		}
		n := r.Numbers[0].E164
		c.records[n] = r
		c.numbers = append(c.numbers, n)
	}
}

func (c *centre) close() error {
	var errs []error
	if c.app != nil {
		// Robots need no time to finish what they say.
		now, cancel := context.WithCancel(context.Background())
		cancel()
		errs = append(errs, c.app.Stop(now))
	}
	if c.trunk != nil {
		c.trunk.Close()
	}
	for _, p := range c.phones {
		p.Close()
	}
	errs = append(errs, c.folder.remove())
	return errors.Join(errs...)
}
