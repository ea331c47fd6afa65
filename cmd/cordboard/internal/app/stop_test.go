package app_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/cordboard/cordboard/cmd/cordboard/internal/app"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/sip/siptest"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

// small is a server with one agent, whose phone answers at once.
type small struct {
	ctx  context.Context
	file *configs.Server
	app  *app.App
	desk *desktest.Desk
}

func server(t *testing.T, dir, web, kept string) *configs.Server {
	t.Helper()
	s, findings := configs.ParseServer(filepath.Join(dir, "cordboard.yaml"), []byte(`cordboard: server/1
routing: routing.yaml
sip:
  listen: ["udp:127.0.0.1:0"]
  max_calls: 100
  trunks:
    main: {from: [127.0.0.0/8], headers: [pai], region: GB, media: auto}
media: {address: 127.0.0.1, ports: 36000-36999}
web: `+web+`
admin: "127.0.0.1:0"
store: `+kept+`
`))
	if s == nil {
		t.Fatal(findings)
	}
	return s
}

func policy(t *testing.T, phone string) *routing.Policy {
	t.Helper()
	p, findings := configs.ParseRouting("routing.yaml", fmt.Appendf(nil, `cordboard: routing/1
name: Small
zone: Europe/London
languages: [en]
skills: {care: {}}
defaults:
  pop: {deadline: 3s}
  wrap_up: {time: 10m, disposition: optional}
  late: {after: 5m, then: {hangup: true}}
queues:
  care: {need: {all: {care: 3}}}
route: {queue: care}
agents:
  anna: {name: Anna Berg, phone: "%s", skills: {care: 5}}
`, phone))
	if p == nil || len(findings) > 0 {
		t.Fatal(findings)
	}
	return p
}

func openSmall(t *testing.T, on app.Database) *small {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	phone, err := siptest.NewPhone(ctx, siptest.Options{Name: "anna", Behaviour: siptest.Behaviour{Ring: true}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(phone.Close)
	s := &small{ctx: ctx}
	s.file = server(t, t.TempDir(), `{listen: "127.0.0.1:0"}`, on.Section(t))
	s.app, err = app.New(ctx, app.Options{
		Server: s.file, Policy: policy(t, phone.URI()), Log: zap.NewNop(), Links: map[string]string{"link": "anna"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.app.Stop(ctx) })
	if err := s.app.Store().SaveUser(ctx, store.User{ID: "anna", Role: web.RoleAgent, Name: "Anna Berg"}); err != nil {
		t.Fatal(err)
	}
	if err := s.app.Store().SaveCustomers(ctx, []customer.Record{{ID: "LW-1", Name: "Dana Whitcombe", Numbers: []customer.Number{{E164: "+447700900417"}}}}); err != nil {
		t.Fatal(err)
	}
	if err := s.app.Start(); err != nil {
		t.Fatal(err)
	}
	s.desk, err = desktest.Dial(ctx, desktest.Options{BaseURL: "http://" + s.app.WebAddr().String(), Link: "link", AutoReady: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.desk.Close)
	return s
}

// A server that is stopped in the middle of a talk, with no time left to wait
// for its end, ends the call, closes its row, keeps what the agent has written
// so far, and says nothing of a failure.
func TestStopDuringATalk(t *testing.T) {
	for _, on := range app.Databases {
		t.Run(string(on), func(t *testing.T) { stopDuringATalk(t, on) })
	}
}

func stopDuringATalk(t *testing.T, on app.Database) {
	s := openSmall(t, on)
	trunk, err := siptest.NewTrunk(s.ctx, siptest.TrunkOptions{Target: s.app.SIPAddr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(trunk.Close)
	call, err := trunk.Call(s.ctx, siptest.CallOptions{From: "+442079460199", PAI: "<sip:+447700900417@trunk.example.com>", To: "+442079460100"})
	if err != nil {
		t.Fatal(err)
	}
	var card desktest.Card
	if err := s.desk.Wait(s.ctx, func(st desktest.State) bool {
		for _, c := range st.Cards {
			card = c
		}
		return card.Phase == "talking"
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.desk.Do(s.ctx, "note", map[string]any{"call": card.Call, "attempt": card.Attempt, "text": "Wants a date."}); err != nil {
		t.Fatal(err)
	}
	now, cancel := context.WithCancel(s.ctx)
	cancel()
	if err := s.app.Stop(now); err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := call.Wait(s.ctx); err != nil {
		t.Errorf("the caller's call does not end: %v", err)
	}
	kept, err := app.StoreOptions(s.file.Store)
	if err != nil {
		t.Fatal(err)
	}
	kept.Tool = true
	db, err := store.Open(s.ctx, kept)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	row, err := db.LedgerRow(s.ctx, routing.CallID(card.Call))
	if err != nil || row.Outcome != routing.Answered || row.Reason != "shutdown" || !row.Note {
		t.Errorf("ledger: %+v, %v", row, err)
	}
	m, err := db.Lookup(s.ctx, "+447700900417")
	if err != nil || m.Record == nil || len(m.Record.Interactions) != 1 || m.Record.Interactions[0].Note != "Wants a date." {
		t.Errorf("history: %+v, %v", m.Record, err)
	}
}

// A server that cannot show its desktop does not start.
func TestNoCertificate(t *testing.T) {
	dir := t.TempDir()
	_, err := app.New(t.Context(), app.Options{
		Server: server(t, dir, `{listen: "127.0.0.1:0", tls: {certificate: none.pem, key: none.key}}`, app.Databases[0].Section(t)),
		Policy: policy(t, "sip:anna@127.0.0.1:5099"), Log: zap.NewNop(),
	})
	if err == nil || !strings.Contains(err.Error(), "web.tls") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
