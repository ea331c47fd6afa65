package tracking

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/tracking/smtptest"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/store"
	"github.com/cordboard/cordboard/web"
)

const document = `
cordboard: routing/1
name: Requests
zone: Europe/London
teams: [field]
calendars: {office: {week: {mon-fri: "08:00-18:00"}}}
requests:
  repair: {title: Repair, within: 8h, calendar: office, warn: 2h, owner: petar, late: [{who: lena}, {after: 4h, who: boss}]}
  errand: {title: Errand, within: 2h, team: field, late: [{who: ghost}]}
queues: {care: {late: {after: 10m, then: {hangup: true}}}}
route: {queue: care}
agents: {petar: {name: Petar}, lena: {name: Lena, team: field}, kim: {name: Kim, team: field}}
`

// centre is a store with its people, a clock, and nobody at a desk.
type centre struct {
	*testing.T
	store  *store.Store
	policy *routing.Policy
	at     time.Time
	logs   *observer.ObservedLogs
	log    *zap.Logger
	seated map[agents.ID]bool
}

func (c *centre) InHand(agents.ID) []screenpop.InHand { return nil }
func (c *centre) AtWork(id agents.ID) bool            { return c.seated[id] }

var monday = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func newCentre(t *testing.T) *centre {
	t.Helper()
	p, findings := configs.ParseRouting("routing.yaml", []byte(document))
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	s, err := store.Open(t.Context(), store.Options{Path: filepath.Join(t.TempDir(), "cordboard.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	core, logs := observer.New(zapcore.InfoLevel)
	c := &centre{T: t, store: s, policy: p, at: monday, logs: logs, log: zap.New(core), seated: map[agents.ID]bool{}}
	for _, id := range []string{"petar", "lena", "kim", "boss"} {
		c.ok(s.SaveUser(t.Context(), store.User{ID: id, Role: "agent", Name: id, PasswordHash: "x"}))
	}
	c.ok(s.SaveReach(t.Context(), "petar", store.Reach{Mail: "petar@example.com", Mobile: "+447700900001"}))
	c.ok(s.SaveReach(t.Context(), "lena", store.Reach{Mail: "lena@example.com"}))
	c.ok(s.SaveReach(t.Context(), "boss", store.Reach{Mail: "nobody@example.com"}))
	return c
}

func (c *centre) ok(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

// tracks are the requests, told of by the channels of a notify section.
func (c *centre) tracks(notify string) *Requests {
	c.Helper()
	text := "cordboard: server/1\nrouting: routing.yaml\nsip: {listen: [\"udp:127.0.0.1:5060\"]}\n"
	if notify != "" {
		text += "notify: {desk: \"https://desk.example.com\", " + notify + "}\n"
	}
	server, findings := configs.ParseServer(filepath.Join(c.TempDir(), "cordboard.yaml"), []byte(text))
	if len(findings) > 0 {
		c.Fatal(findings)
	}
	now := func() time.Time { return c.at }
	channels, err := Channels(server.Notify, now)
	c.ok(err)
	return New(Options{
		Store: c.store, Policy: func() *routing.Policy { return c.policy }, Desks: c, Channels: channels,
		Registry: prometheus.NewRegistry(), Log: c.log, Now: now,
	})
}

// passes lets time go on, and does what is due by then.
func (c *centre) passes(q *Requests, d time.Duration) {
	c.Helper()
	c.at = c.at.Add(d)
	c.ok(q.escalateAll(c.Context()))
	c.ok(q.sendAll(c.Context()))
}

var boss = web.RequestViewer{User: "boss", All: true}

func (c *centre) open(q *Requests, kind string) web.Request {
	c.Helper()
	r, _, err := q.Open(c.Context(), web.RequestOpening{By: boss, Kind: kind, Title: "Fibre of Dana Whitcombe", Detail: "12 High Street"})
	c.ok(err)
	return r
}

func (c *centre) kinds(q *Requests, ref string) string {
	c.Helper()
	r, err := q.Whole(c.Context(), boss, ref)
	c.ok(err)
	var out []string
	for _, s := range r.Steps {
		out = append(out, strings.TrimSpace(s.Kind+" "+s.Word))
	}
	return strings.Join(out, ", ")
}

// TestMail: an absent specialist, and whose task a late request becomes, have a mail
// by a real server, over TLS and with a password; one who is refused there is noted.
// It says which request and nothing of whom.
func TestMail(t *testing.T) {
	t.Parallel()
	c, server := newCentre(t), smtptest.Start(t)
	q := c.tracks("mail: " + server.Section())
	r := c.open(q, "repair")
	c.passes(q, 0)
	c.passes(q, 6*time.Hour)              // 15:00: two hours of work are left
	c.passes(q, 2*time.Hour)              // 17:00: it is late
	c.passes(q, 18*time.Hour+time.Minute) // one hour of Monday's, three of Tuesday's
	type told struct{ to, subject, id, body string }
	var got []told
	for _, m := range server.Messages() {
		body, err := io.ReadAll(m.Body)
		c.ok(err)
		got = append(got, told{m.Header.Get("To"), m.Header.Get("Subject"), m.Header.Get("Message-ID"), string(body)})
		for _, word := range []string{"Dana", "High Street", "Fibre"} {
			if strings.Contains(fmt.Sprint(m.Header, string(body)), word) {
				t.Errorf("the mail says %s: %s", word, body)
			}
		}
	}
	slices.SortFunc(got, func(a, b told) int { return strings.Compare(a.body, b.body) })
	want := []told{
		{"<petar@example.com>", r.Ref + ": Repair", "", "is due soon: 2026-11-23 17:00 GMT"}, {"<petar@example.com>", r.Ref + ": Repair", "", "is yours. It is due 2026-11-23 17:00 GMT"},
		{"<lena@example.com>", r.Ref + ": Repair", "", "It is your task now."},
	}
	if len(got) != len(want) {
		t.Fatalf("told: %+v", got)
	}
	ids := map[string]bool{}
	for i, g := range got {
		ids[g.id] = true
		if g.to != want[i].to || g.subject != want[i].subject || !strings.Contains(g.body, want[i].body) || !strings.Contains(g.body, "https://desk.example.com") || !strings.HasSuffix(g.id, "@example.com>") {
			t.Errorf("told %+v, want %+v", g, want[i])
		}
	}
	if len(ids) != len(want) {
		t.Errorf("ids: %v", ids)
	}
	// The boss's address is refused there: tried again and again, given up, and seen.
	for range mostTries {
		c.passes(q, lastRetry)
	}
	if got := c.kinds(q, r.Ref); got != "opened, due_soon, escalated lena, escalated boss, untold boss" {
		t.Errorf("what was done: %s", got)
	}
	whole, err := q.Whole(t.Context(), boss, r.Ref)
	if err != nil || !whole.Untold || whole.TaskOf != "boss" {
		t.Errorf("%+v, %v", whole, err)
	}
	for _, e := range c.logs.All() {
		if line := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(line, "example.com") || strings.Contains(line, smtptest.Password) {
			t.Errorf("logged: %s", line)
		}
	}
}

// TestMailServerAway: what cannot be sent waits, longer each time, over a restart too,
// and is sent once when the server is there again.
func TestMailServerAway(t *testing.T) {
	t.Parallel()
	c, server := newCentre(t), smtptest.Start(t)
	section := "mail: " + server.Section()
	q := c.tracks(section)
	server.Stop()
	c.open(q, "repair")
	tries := func() (n int) {
		for _, e := range c.logs.FilterMessageSnippet("is sent again").All() {
			n = max(n, int(e.ContextMap()["tries"].(int64)))
		}
		return n
	}
	for i, wait := range []time.Duration{0, firstRetry - time.Second, time.Second, 2*firstRetry - time.Second, time.Second} {
		c.passes(q, wait)
		if want := []int{1, 1, 2, 2, 3}[i]; tries() != want {
			t.Fatalf("after %d waits it was tried %d times, want %d", i+1, tries(), want)
		}
	}
	server.Restart()
	again := c.tracks(section)
	c.passes(again, time.Hour)
	c.passes(again, time.Hour)
	if got := server.Messages(); len(got) != 1 {
		t.Errorf("%d mails", len(got))
	}
}

// TestChannelsApart: however many wait for one channel that is away, those of another
// are sent.
func TestChannelsApart(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	var told, refused int
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/sms" {
			refused++
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		told++
	}))
	t.Cleanup(hook.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	c.ok(os.WriteFile(secret, []byte("a-secret-of-the-webhook\n"), 0o600))
	q := c.tracks(fmt.Sprintf(`webhook: {url: "%[1]s/hook", secret_file: %[2]q}, sms: {url: "%[1]s/sms", token_file: %[2]q, body: '{"to":"{to}","text":"{text}"}'}`, hook.URL, secret))
	const many = 75
	for range many {
		c.open(q, "repair")
	}
	c.passes(q, 0)
	if told != many || refused != 1 {
		t.Errorf("%d of %d were told by one channel, and the other was asked %d times", told, many, refused)
	}
}

// TestMailUntrusted: no password is shown to a server that is not who it should be.
func TestMailUntrusted(t *testing.T) {
	t.Parallel()
	c, server, other := newCentre(t), smtptest.Start(t), smtptest.Start(t)
	q := c.tracks("mail: " + strings.Replace(server.Section(), ":"+server.Port, ":"+other.Port, 1))
	c.open(q, "repair")
	c.passes(q, 0)
	if n := len(other.Messages()); n != 0 || len(c.logs.FilterMessageSnippet("is sent again").All()) != 1 {
		t.Errorf("%d mails, %v", n, c.logs.All())
	}
}

// TestHooks: a webhook is signed, a gateway of short messages has its own form; neither
// is told of whom.
func TestHooks(t *testing.T) {
	t.Parallel()
	c := newCentre(t)
	var mu sync.Mutex
	got := map[string][]string{}
	status := http.StatusAccepted
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path] = append(got[r.URL.Path], r.Header.Get("Cordboard-Signature")+r.Header.Get("Authorization")+" "+string(body))
		w.WriteHeader(status)
	}))
	t.Cleanup(hook.Close)
	secret, token := filepath.Join(t.TempDir(), "secret"), filepath.Join(t.TempDir(), "token")
	c.ok(os.WriteFile(secret, []byte("a-secret-of-the-webhook\n"), 0o600))
	c.ok(os.WriteFile(token, []byte("a-token-of-the-gateway\n"), 0o600))
	q := c.tracks(fmt.Sprintf(`webhook: {url: "%[1]s/hook", secret_file: %[2]q}, sms: {url: "%[1]s/sms", token_file: %[3]q, body: '{"to":"{to}","text":"{text}","ref":"{id}"}'}`, hook.URL, secret, token))
	r := c.open(q, "repair")
	c.passes(q, 0)
	if len(got["/hook"]) != 1 || len(got["/sms"]) != 1 {
		t.Fatalf("told: %v", got)
	}
	sign, body, _ := strings.Cut(got["/hook"][0], " ")
	at, mac, _ := strings.Cut(strings.TrimPrefix(sign, "t="), ",v1=")
	if at != fmt.Sprint(monday.Unix()) || mac != signature("a-secret-of-the-webhook", at, []byte(body)) {
		t.Errorf("the signature is %s", sign)
	}
	var told hookWire
	c.ok(json.Unmarshal([]byte(body), &told))
	if told.User != "petar" || told.What != "assigned" || told.Ref != r.Ref || told.Type != "repair" || !told.DueAt.Equal(r.DueAt) || told.ID == "" {
		t.Errorf("told %+v", told)
	}
	var sent struct{ To, Text, Ref string }
	bearer, body, _ := strings.Cut(strings.TrimPrefix(got["/sms"][0], "Bearer "), " ")
	c.ok(json.Unmarshal([]byte(body), &sent))
	if bearer != "a-token-of-the-gateway" || sent.To != "+447700900001" || !strings.Contains(sent.Text, r.Ref+" (Repair) is yours") || sent.Ref == "" {
		t.Errorf("sent %+v by %s", sent, bearer)
	}
	if strings.Contains(fmt.Sprint(got), "Dana") {
		t.Errorf("told of whom: %v", got)
	}
	// Whoever refuses is asked again with the same id.
	status = http.StatusBadGateway
	c.open(q, "repair")
	c.passes(q, 0)
	c.passes(q, firstRetry)
	mu.Lock()
	defer mu.Unlock()
	if all := got["/sms"]; len(all) != 3 || all[1] != all[2] || all[0] == all[1] {
		t.Errorf("sent again: %v", all)
	}
}

// TestTeam: a team's is told to nobody who is at work for it, and a task whose person
// is no user stands there as not told.
func TestTeam(t *testing.T) {
	t.Parallel()
	c, server := newCentre(t), smtptest.Start(t)
	q := c.tracks("mail: " + server.Section())
	c.seated["petar"] = true
	c.open(q, "repair") // he sees it on his desk
	errand := c.open(q, "errand")
	c.passes(q, 2*time.Hour)
	if got := server.Messages(); len(got) != 0 {
		t.Errorf("%d mails", len(got))
	}
	if got := c.kinds(q, errand.Ref); got != "opened, escalated ghost, untold ghost" {
		t.Errorf("what was done: %s", got)
	}
	taken, err := q.Do(t.Context(), web.RequestViewer{User: "kim"}, errand.Ref, web.RequestDeed{Do: "take"})
	if err != nil || taken.Owner != "kim" {
		t.Errorf("taken: %+v, %v", taken, err)
	}
	if _, err := q.Do(t.Context(), web.RequestViewer{User: "petar"}, errand.Ref, web.RequestDeed{Do: "take"}); err == nil {
		t.Error("a request of another team was taken")
	}
	// Without a word on how people are told nobody is missed.
	silent := c.tracks("")
	late := c.open(silent, "errand")
	c.passes(silent, 3*time.Hour)
	if got := c.kinds(silent, late.Ref); got != "opened, escalated ghost" {
		t.Errorf("what was done: %s", got)
	}
}
