package main

import (
	"context"
	cryptorand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
)

// office is a server with robots all around it.
type office struct {
	settings
	dir     string
	server  *server
	ids     []string
	phones  []*telephone
	contact map[string]string // of each agent's phone
	toDesks *wire
	lossy   *siptest.Lossy // between the callers' trunk and the server
	callers *callers
	turning *reloads
	faults  *faults
	signUps registrations // of the phones that register
	desks   sync.WaitGroup
	leave   context.CancelFunc // sends the desks home
}

// openOffice starts the server and waits until everybody is at work.
func openOffice(ctx context.Context, s settings) (o *office, err error) {
	o = &office{settings: s, contact: map[string]string{}, signUps: registrations{bad: map[string]int{}}}
	if o.dir, err = os.MkdirTemp("", "cordboard-soak-"); err != nil {
		return o, err
	}
	for i := range s.agents {
		o.ids = append(o.ids, fmt.Sprintf("agent%03d", i))
	}
	if o.server, err = newServer(s, o.dir); err != nil {
		return o, err
	}
	secrets := map[string]string{}
	for i, id := range o.ids {
		p := &telephone{name: id, rnd: rand.New(rand.NewPCG(s.seed, 1000+uint64(i))), transport: "udp", plugged: make(chan struct{}, 1)}
		// An address of its own, so that nobody takes its port while it is unplugged.
		p.addr = netip.AddrPortFrom(o.server.site.phone(i), 0).String()
		if i%3 == 1 { // a third register, half of them by TCP
			p.secret, p.transport = cryptorand.Text(), []string{"udp", "tcp"}[i/3%2]
			secrets[id] = p.secret
		}
		if err := p.plugIn(); err != nil {
			return o, err
		}
		o.phones = append(o.phones, p)
		o.contact[id] = p.uri
		if p.secret != "" {
			o.contact[id] = "registered"
		}
	}
	if err := o.server.configure(o.ids, o.contact); err != nil {
		return o, err
	}
	numbers, logins, err := o.server.fill(ctx, o.ids, secrets)
	if err != nil {
		return o, err
	}
	if err := o.server.start(ctx); err != nil {
		return o, err
	}
	if o.toDesks, err = newWire("tcp", o.server.web); err != nil {
		return o, err
	}
	work, leave := context.WithCancel(context.Background())
	o.leave = leave
	for _, p := range o.phones {
		if p.secret != "" {
			o.desks.Go(func() { p.keepRegistered(work, o.server.sip.String(), &o.signUps) })
		}
	}
	for i, id := range o.ids {
		o.desks.Go(func() { o.sit(work, id, logins[id], rand.New(rand.NewPCG(s.seed, 5000+uint64(i)))) })
	}
	if o.lossy, err = siptest.NewLossy(s.seed, o.server.sip); err != nil {
		return o, err
	}
	if o.callers, err = newCallers(o.server, o.lossy, numbers, s.cps); err != nil {
		return o, err
	}
	return o, o.server.until(ctx, time.Minute, "the agents to be available", func(g gauges) bool { return g.available == s.agents })
}

// sit keeps a robot at the agent's desk until the office closes: it comes back
// when it was thrown out, and says Ready when the server has put it aside.
func (o *office) sit(ctx context.Context, id, login string, rnd *rand.Rand) {
	hangUp := time.Duration(0)
	if rnd.IntN(3) == 0 {
		hangUp = time.Second + time.Duration(rnd.IntN(2000))*time.Millisecond
	}
	var mu sync.Mutex // rnd is used by the robot's goroutine too
	for ctx.Err() == nil {
		dial, cancel := context.WithTimeout(ctx, 10*time.Second)
		d, err := desktest.Dial(dial, desktest.Options{
			BaseURL: "http://" + o.toDesks.at(), AutoReady: true, AckDelay: 5 * time.Millisecond, HangUpAfter: hangUp,
			WrapUp: &desktest.WrapUp{Disposition: "solved", Note: "Asked and answered.", After: 100 * time.Millisecond},
			Ticket: func(ctx context.Context) (string, error) { return o.ticket(ctx, id, login) },
			Transfer: func(c desktest.Card) *desktest.Transfer {
				mu.Lock()
				defer mu.Unlock()
				if c.From != nil || rnd.IntN(100) >= 8 {
					return nil
				}
				return &desktest.Transfer{After: 300 * time.Millisecond, Topic: "hard", Draft: "Hard to say.", Note: "Please take this one."}
			},
		})
		cancel()
		if err != nil {
			pause(ctx, time.Second)
			continue
		}
		o.attend(ctx, d)
		d.Close()
	}
}

// attend presses Ready whenever the server has put the agent aside for what
// robots get over at once. It returns when the desk has ended.
func (o *office) attend(ctx context.Context, d *desktest.Desk) {
	aside := func(s desktest.State) bool {
		switch s.Status.Reason {
		case "rona", "refusing", "desk_lost", "phone_busy":
			return s.Connected && s.Status.State == "not_ready"
		}
		return s.Connected && s.Status.State == "signed_out"
	}
	for d.Wait(ctx, aside) == nil {
		ask, cancel := context.WithTimeout(ctx, 5*time.Second)
		_, err := d.Do(ask, "state", map[string]any{"state": "available", "reason": ""})
		cancel()
		if err != nil {
			pause(ctx, 500*time.Millisecond)
			continue
		}
		pause(ctx, 100*time.Millisecond)
	}
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// ticket asks for a desk ticket with a login.
func (o *office) ticket(ctx context.Context, id, login string) (string, error) {
	base := "http://" + o.toDesks.at()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/api/v1/desk/ticket", strings.NewReader("{}"))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Origin", base)
	req.Close = true // the next one may meet a frozen connection
	req.AddCookie(&http.Cookie{Name: "cordboard." + id, Value: login})
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

// foundGone is how long a call may stay whose caller is gone without a word. The
// lossy trunk garbles one message in fifty, a BYE too; the server refuses that, the
// robot is content with any answer, and whoever talks directly is asked for life
// after five minutes (sip's probeEvery).
const foundGone = 6 * time.Minute

// quiet waits, once no more calls are placed, until nothing is going on any
// more, and tells who or what is stuck.
func (o *office) quiet(ctx context.Context) (bad []string) {
	if !o.callers.wait(2 * time.Minute) {
		bad = append(bad, fmt.Sprintf("%d callers are still on the line two minutes after the last call", o.callers.live()))
	}
	err := o.server.until(ctx, foundGone, "no live call, and all agents available", func(g gauges) bool {
		return g.value["cordboard_sip_calls"] == 0 && g.live == 0 && g.available == o.agents
	})
	if err != nil {
		bad = append(bad, "stuck: "+err.Error())
	}
	// A BYE may be on its way still, or be sent again.
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for _, p := range o.phones {
		for p.talking() > 0 && ctx.Err() == nil {
			pause(ctx, 100*time.Millisecond)
		}
		if n := p.talking(); n > 0 {
			bad = append(bad, fmt.Sprintf("the phone of %s is still in %d calls: %s", p.name, n, p.story()))
		}
	}
	return bad
}

func (o *office) close() error {
	var errs []error
	if o.leave != nil {
		o.leave()
		if o.toDesks != nil {
			o.toDesks.close()
		}
		o.desks.Wait()
	}
	if o.callers != nil {
		o.callers.close()
	}
	for _, p := range o.phones {
		p.unplug()
	}
	if o.lossy != nil {
		o.lossy.Close()
	}
	if o.server != nil {
		errs = append(errs, o.server.close())
	}
	if o.dir != "" {
		errs = append(errs, os.RemoveAll(o.dir))
	}
	return errors.Join(errs...)
}
