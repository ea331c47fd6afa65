package web_test

import (
	"context"
	"net/http"
	"net/http/cookiejar"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/web"
)

type rim chan routing.Event

func (r rim) Submit(ev routing.Event)     { r <- ev }
func (rim) SaveContact(screenpop.Contact) {}
func (rim) Agent(id agents.ID) (agents.Agent, bool) {
	return agents.Agent{ID: id, Desk: true}, id == "priya" || id == "demo"
}
func (rim) Find(context.Context, string) (customer.Match, error) {
	return customer.Match{Record: &customer.Record{ID: "LW-204", Name: "Dana Whitcombe", Version: 1}}, nil
}

// From the password to the pop, over HTTP and the real socket.
func TestDeskBehindLogin(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	events := make(rim, 64)
	origins, err := web.NewOrigins(nil)
	if err != nil {
		t.Fatal(err)
	}
	hub := screenpop.New(screenpop.Options{
		Engine: events, Finder: events, History: events, Answers: book{}, Directory: events, CheckOrigin: origins,
		Policy: func() *routing.Policy { return &routing.Policy{DefaultLanguage: "en"} }, Log: zaptest.NewLogger(t),
	})
	defer func() {
		if err := hub.Close(ctx); err != nil {
			t.Error(err)
		}
	}()
	s := newSite(t, func(o *web.Options) { o.Desk, o.Origins, o.Desks = hub, origins, hub.Desks })
	if _, err := desktest.Dial(ctx, desktest.Options{BaseURL: s.http.URL, User: "priya", Password: "wrong horse"}); err == nil {
		t.Fatal("a wrong password opens a desk")
	}
	if _, err := desktest.Dial(ctx, desktest.Options{BaseURL: s.http.URL, User: "boss", Password: "correct horse"}); err == nil {
		t.Fatal("a supervisor is given a desk")
	}
	d, err := desktest.Dial(ctx, desktest.Options{BaseURL: s.http.URL, User: "priya", Password: "correct horse"})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	demo, err := desktest.Dial(ctx, desktest.Options{BaseURL: s.http.URL, Link: "open-sesame"})
	if err != nil {
		t.Fatal(err)
	}
	demo.Close()
	now := time.Now()
	o := routing.Offer{Call: 1, Attempt: 1, Agent: "priya"}
	hub.OpenCard(screenpop.NewCall{Call: 1, Lookup: "+447700900417", At: now})
	hub.Do(now, []routing.Action{routing.ResolveCustomer{Call: 1}, routing.OfferCall{Offer: o, Queue: "billing"}})
	for acked := false; !acked; {
		select {
		case ev := <-events:
			a, is := ev.(routing.PopAcked)
			acked = is && a.Offer == o && a.Version == 1
		case <-ctx.Done():
			t.Fatal("no ack of the record came")
		}
	}
	// Another window of the same browser signs out: its desk closes.
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	c := &http.Client{Jar: jar, Transport: s.http.Client().Transport}
	s.login(c, "priya")
	again, err := desktest.Dial(ctx, desktest.Options{BaseURL: s.http.URL, Ticket: func(context.Context) (string, error) {
		_, out, _ := s.send(c, "POST", "/api/v1/desk/ticket", "")
		return out["ticket"].(string), nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if code, err := d.Ended(ctx); err != nil || code != 4409 {
		t.Errorf("older desk closed with %d, %v", code, err)
	}
	if code, _, _ := s.send(c, "DELETE", "/api/v1/session", ""); code != 204 {
		t.Errorf("sign out: %d", code)
	}
	if code, err := again.Ended(ctx); err != nil || code != 4401 {
		t.Errorf("desk of a signed-out user closed with %d, %v", code, err)
	}
}
