package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/sample"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

const (
	webAddr   = "127.0.0.9:18080"
	adminAddr = "127.0.0.9:19090"
	seed      = 20261122 // of the invented customers
)

// centre is a call centre: a Cordboard server of its own, with customers in
// its store and robots at its agents' desks.
type centre struct {
	*process
	lab   *lab
	dir   string
	desks []*desktest.Desk
	books *sql.DB
	load  []*process // callers who wait, stopped with it
}

// plan is what a centre is like.
type plan struct {
	agents int
	desks  bool          // robots sit there, ready
	answer string        // at_queue or with_agent
	lead   time.Duration // between pop and ring
	phone  func(i int) string
	wrapUp time.Duration
	// phones is how many more agents there are, not signed in, whose telephones
	// register; qualify is how often each is asked for life.
	phones  int
	qualify string
}

func agentID(i int) string { return fmt.Sprintf("agent%04d", i) }

// onePhone is where every agent's phone is, for SIPp.
func onePhone(i int) string { return fmt.Sprintf("sip:%s@%s", agentID(i), phonesAddr) }

// open makes a centre and waits until all are at their desks.
func (l *lab) open(ctx context.Context, p plan) (c *centre, err error) {
	c = &centre{lab: l}
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.dir, err = os.MkdirTemp(l.dir, "centre-"); err != nil {
		return c, err
	}
	if err := c.configure(p); err != nil {
		return c, err
	}
	tokens, err := c.fill(ctx, p)
	if err != nil {
		return c, err
	}
	if c.books, err = sql.Open("sqlite", "file:"+filepath.Join(c.dir, "cordboard.db")+"?mode=ro&_pragma=busy_timeout(5000)"); err != nil {
		return c, err
	}
	binary, err := filepath.Abs(l.cordboard)
	if err != nil {
		return c, err
	}
	// Only a server built for the benchmark knows it.
	if err := os.Setenv("CORDBOARD_BENCH_PPROF", pprofAddr); err != nil {
		return c, err
	}
	if c.process, err = l.start(serverCPU, filepath.Base(c.dir), binary, "serve", "-c", filepath.Join(c.dir, "cordboard.yaml")); err != nil {
		return c, err
	}
	if err := c.ready(ctx); err != nil {
		return c, err
	}
	return c, c.seat(ctx, tokens, p)
}

// configure writes the two files: shipped defaults, but for the rating, which
// a server for so many calls has raised.
func (c *centre) configure(p plan) error {
	server := fmt.Sprintf(`cordboard: server/1
routing: routing.yaml
sip:
  listen: ["udp:%s"]
  max_calls: 8000
  calls_per_second: 10000
  trunks:
    main: {from: [127.0.0.0/8], headers: [pai], region: GB, media: auto}
%smedia: {address: %s, ports: 30000-49999, mutual: [127.0.0.0/8]}
web: {listen: %q}
admin: %q
store: {path: cordboard.db, journal: journal}
`, boardAddr, p.registrar(), boardAddr.Addr(), webAddr, adminAddr)
	var routing strings.Builder
	fmt.Fprintf(&routing, `cordboard: routing/1
name: Bench
zone: Europe/London
languages: [en]
segments: [mass, silver, gold, key]
skills: {care: {title: Care}, billing: {title: Bills}, business: {title: Business}}
defaults:
  answer: %s
  pop: {lead: %dms}
queues:
  care: {need: {all: {care: 1}}}
  billing: {need: {all: {billing: 3}}, steps: [{after: 20s, need: {all: {care: 1}}}]}
  business: {need: {all: {business: 5}}, steps: [{after: 10s, need: {all: {business: 1}}}]}
route:
  queue: care
  routes:
    - {name: key, when: customer.key_account, queue: business, priority: 120}
    - {name: overdue, when: customer.overdue_days > 0, queue: billing}
agents:
`, p.answer, p.lead.Milliseconds())
	for i := range p.agents {
		fmt.Fprintf(&routing, "  %s: {name: Agent %d, phone: %q, skills: {care: 5, billing: 5, business: 5}, languages: {en: 9}}\n", agentID(i), i, p.phone(i))
	}
	for i := range p.phones {
		fmt.Fprintf(&routing, "  %s: {name: Phone %d, skills: {care: 1}}\n", phoneID(i), i)
	}
	err := os.WriteFile(filepath.Join(c.dir, "cordboard.yaml"), []byte(server), 0o600)
	return errors.Join(err, os.WriteFile(filepath.Join(c.dir, "routing.yaml"), []byte(routing.String()), 0o600))
}

// registrar is the server file's part, rated for all telephones at once.
func (p plan) registrar() string {
	if p.phones == 0 {
		return ""
	}
	return fmt.Sprintf("  registrar: {realm: %s, from: [127.0.0.0/8], qualify: %s, per_second: 10000}\n", phonesRealm, p.qualify)
}

// fill puts the customers, the agents and their logins into the store.
func (c *centre) fill(ctx context.Context, p plan) (tokens []string, err error) {
	s, err := store.Open(ctx, store.Options{Path: filepath.Join(c.dir, "cordboard.db"), Tool: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	owners := map[string]int{} // those of one customer alone are called from
	var numbers []string
	var group []customer.Record
	for r := range sample.Stream(seed, time.Now(), c.lab.customers) {
		group = append(group, r)
		for _, n := range r.Numbers {
			owners[n.E164]++
		}
		if len(r.Numbers) > 0 {
			numbers = append(numbers, r.Numbers[0].E164)
		}
		if len(group) == 1000 {
			if err := s.SaveCustomers(ctx, group); err != nil {
				return nil, err
			}
			group = group[:0]
		}
	}
	if err := s.SaveCustomers(ctx, group); err != nil {
		return nil, err
	}
	c.lab.numbers = slices.DeleteFunc(numbers, func(n string) bool { return owners[n] > 1 })
	for i := range p.agents {
		if err := s.SaveUser(ctx, store.User{ID: agentID(i), Role: web.RoleAgent, Name: fmt.Sprintf("Agent %d", i)}); err != nil {
			return nil, err
		}
		// Signed in beforehand: what a password's check costs is not a call's.
		token := rand.Text()
		hash := sha256.Sum256([]byte(token))
		if err := s.SaveSession(ctx, hex.EncodeToString(hash[:]), agentID(i), time.Now().Add(time.Hour)); err != nil {
			return nil, err
		}
		tokens = append(tokens, token)
	}
	for i := range p.phones {
		if err := s.SaveUser(ctx, store.User{ID: phoneID(i), Role: web.RoleAgent, Name: fmt.Sprintf("Phone %d", i), Phone: secretOf(phoneID(i))}); err != nil {
			return nil, err
		}
	}
	return tokens, nil
}

// ready waits until the server says it is.
func (c *centre) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+adminAddr+"/-/ready", nil)
		if err != nil {
			return err
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-c.done:
			return c.failure()
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// seat opens the desks, a few at a time, and waits until all are available.
func (c *centre) seat(ctx context.Context, tokens []string, p plan) error {
	if !p.desks {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	c.desks = make([]*desktest.Desk, len(tokens))
	errs := make([]error, len(tokens))
	slots := make(chan struct{}, 8)
	var wg sync.WaitGroup
	for i, token := range tokens {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			c.desks[i], errs[i] = desktest.Dial(ctx, desktest.Options{
				BaseURL: "http://" + webAddr, AutoReady: true, Alone: true, WrapUp: &desktest.WrapUp{After: p.wrapUp},
				Ticket: func(ctx context.Context) (string, error) { return ticket(ctx, agentID(i), token) },
			})
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return c.free(ctx)
}

// free waits until every agent can take a call. One who was taken off work,
// because a phone or a desk was slow, is put back.
func (c *centre) free(ctx context.Context) error {
	for i, d := range c.desks {
		if d.State().Status.State == "not_ready" {
			if _, err := d.Do(ctx, "state", map[string]any{"state": "available", "reason": ""}); err != nil {
				return fmt.Errorf("%s stays away: %w", agentID(i), err)
			}
		}
		if err := d.Wait(ctx, func(s desktest.State) bool { return s.Status.State == "available" }); err != nil {
			return fmt.Errorf("%s is %s: %w", agentID(i), d.State().Status.State, err)
		}
	}
	return nil
}

// ticket asks for a desk ticket with a login's token.
func ticket(ctx context.Context, user, token string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+webAddr+"/api/v1/desk/ticket", strings.NewReader("{}"))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", "http://"+webAddr)
	req.AddCookie(&http.Cookie{Name: "cordboard." + user, Value: token})
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<16))
	if err != nil {
		return "", err
	}
	var out struct {
		Ticket string `json:"ticket"`
	}
	if err := json.Unmarshal(b, &out); err != nil || out.Ticket == "" {
		return "", fmt.Errorf("ticket: HTTP %d", res.StatusCode)
	}
	return out.Ticket, nil
}

// rows counts, by SQL, the ledger's rows of calls since then that were
// answered, talked to and ended, and of how many agents.
func (c *centre) rows(ctx context.Context, since time.Time) (answered, all int, err error) {
	err = c.books.QueryRowContext(ctx,
		`SELECT count(*) FILTER (WHERE outcome = 'answered' AND talk_at IS NOT NULL AND ended_at IS NOT NULL AND customer <> ''), count(*) FROM calls WHERE arrived_at >= ?`,
		since.UnixMicro()).Scan(&answered, &all)
	return answered, all, err
}

// booked waits until so many calls stand in the ledger as ended, or a moment
// has passed, and returns how many do.
func (c *centre) booked(ctx context.Context, since time.Time, calls int) (answered, all int, err error) {
	deadline := time.Now().Add(5 * time.Second)
	for {
		answered, all, err = c.rows(ctx, since)
		if err != nil || answered >= calls || time.Now().After(deadline) {
			return answered, all, err
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// pops counts the offers since then, those that stood whole on the screen, and
// those whose phone was rung by the server's word before the desk's ack.
func (c *centre) pops(since time.Time) (shown, whole int) {
	for _, d := range c.desks {
		for _, s := range d.Seen() {
			if s.PopAt.Before(since) || s.AckAt.IsZero() {
				continue
			}
			shown++
			if s.Complete && s.Match == "exact" {
				whole++
			}
		}
	}
	return shown, whole
}

func (c *centre) close() {
	for _, p := range c.load {
		p.stop()
	}
	for _, d := range c.desks {
		if d != nil {
			d.Close()
		}
	}
	if c.books != nil {
		_ = c.books.Close()
	}
	if c.process != nil {
		c.stop()
	}
}
