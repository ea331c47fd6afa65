package web_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/web"
)

// tapes are messages in memory, the newest first.
type tapes []web.Message

func (t tapes) Messages(_ context.Context, mailbox, state string, under routing.CallID, most int) ([]web.Message, error) {
	var out []web.Message
	for _, m := range t {
		if (mailbox == "" || m.Mailbox == mailbox) && (state == "" || m.State == state) && (under == 0 || m.Call < under) && len(out) < most {
			out = append(out, m)
		}
	}
	return out, nil
}

func (t tapes) at(call routing.CallID) int {
	return slices.IndexFunc(t, func(m web.Message) bool { return m.Call == call })
}

func (t tapes) Message(_ context.Context, call routing.CallID) (web.Message, bool, error) {
	i := t.at(call)
	if i < 0 {
		return web.Message{}, false, nil
	}
	return t[i], true, nil
}

func (t tapes) Sound(_ context.Context, call routing.CallID) ([]byte, bool, error) {
	return []byte("RIFF0123456789"), t.at(call) >= 0, nil
}

func (t tapes) SetMessage(_ context.Context, call routing.CallID, state, by string) (bool, error) {
	i := t.at(call)
	if i >= 0 {
		t[i].State, t[i].By = state, by
	}
	return i >= 0, nil
}

func (t tapes) DeleteMessage(_ context.Context, call routing.CallID) (bool, error) {
	return t.at(call) >= 0, nil
}

// Serves: priya has the queue billing.
func (t tapes) Serves(agent agents.ID, m *web.Message) bool {
	return agent == "priya" && m.Queue == "billing"
}

// left are so many messages: of the newest half none is of billing.
func left(n int) (t tapes) {
	for call := n; call > 0; call-- {
		m := web.Message{Call: routing.CallID(call), Mailbox: "office", Queue: "sales", State: "new", LeftAt: time.Now()}
		if call <= n/2 {
			m.Queue = "billing"
		}
		t = append(t, m)
	}
	return t
}

// TestMessagesBehindOthers: an agent's messages are listed however many of other
// queues are newer, page by page and each once.
func TestMessagesBehindOthers(t *testing.T) {
	s := newSite(t, func(o *web.Options) { o.Messages = left(1000) })
	priya, boss := s.browser(), s.browser()
	s.login(priya, "priya")
	s.login(boss, "boss")
	calls := func(c *http.Client, query string) (out []int) {
		t.Helper()
		code, got, _ := s.send(c, "GET", "/api/v1/messages"+query, "")
		if code != 200 {
			t.Fatalf("%s: %d %v", query, code, got)
		}
		for _, m := range got["messages"].([]any) {
			out = append(out, int(m.(map[string]any)["call"].(float64)))
		}
		return out
	}
	is := func(what string, got []int, first, last int) {
		t.Helper()
		var want []int
		for call := first; call >= last; call-- {
			want = append(want, call)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d messages %v, want %d to %d", what, len(got), got, first, last)
		}
	}
	is("the newest", calls(priya, ""), 500, 301)
	is("the next", calls(priya, "?under=301&state=new"), 300, 101)
	is("the last", calls(priya, "?under=101&mailbox=office"), 100, 1)
	is("none", calls(priya, "?under=1"), 0, 1)
	is("done", calls(priya, "?state=done"), 0, 1)
	is("all", calls(boss, ""), 1000, 801)
	is("the rest", calls(boss, "?under=51"), 50, 1)
}

// TestMessagesAreTheirs: nobody sees, hears or changes others' messages, no other
// page changes any, and no cache keeps the sound.
func TestMessagesAreTheirs(t *testing.T) {
	all := left(4) // 1 and 2 are priya's
	s := newSite(t, func(o *web.Options) { o.Messages = all })
	priya, boss := s.browser(), s.browser()
	s.login(priya, "priya")
	s.login(boss, "boss")
	const done = `{"state":"done"}`
	for _, c := range []struct {
		who          *http.Client
		method, path string
		body         string
		header       []string
		want         int
	}{
		{s.browser(), "GET", "", "", nil, 401},
		{s.browser(), "GET", "/1/sound", "", nil, 401},
		{priya, "GET", "/1", "", nil, 200},
		{priya, "GET", "/3", "", nil, 404},
		{priya, "GET", "/3/sound", "", nil, 404},
		{priya, "PUT", "/3/state", done, nil, 404},
		{priya, "DELETE", "/1", "", nil, 403},
		{priya, "DELETE", "/3", "", nil, 403},
		{boss, "GET", "/3/sound", "", nil, 200},
		{boss, "DELETE", "/3", "", nil, 204},
		{boss, "DELETE", "/9", "", nil, 404},
		{boss, "DELETE", "/3", "", []string{"Origin", "https://evil.example"}, 403},
		{priya, "PUT", "/1/state", done, []string{"Origin", "https://evil.example"}, 403},
		{priya, "PUT", "/1/state", done, []string{"Origin", ""}, 403},
		{priya, "PUT", "/1/state", `{"state":"lost"}`, nil, 400},
		{priya, "PUT", "/1/state", `{"state":"done","by":"boss"}`, nil, 400},
		{priya, "POST", "/1", "", nil, 405},
		{priya, "GET", "/0/sound", "", nil, 404},
		{priya, "GET", "/-1", "", nil, 404},
		{priya, "GET", "/1%2f..%2f3/sound", "", nil, 404},
		{priya, "GET", "/..%2fme/sound", "", nil, 404},
		{priya, "GET", "/99999999999999999999", "", nil, 404},
		{priya, "GET", "?under=-1", "", nil, 400},
		{priya, "GET", "?state=gone", "", nil, 400},
		{priya, "GET", "/1/sound", "", []string{"Range", "bytes=4-7"}, 206},
		{priya, "GET", "/1/sound", "", []string{"Range", "bytes=99-"}, 416},
	} {
		code, out, h := s.send(c.who, c.method, "/api/v1/messages"+c.path, c.body, c.header...)
		if code != c.want {
			t.Errorf("%s %s %v: %d, want %d: %v", c.method, c.path, c.header, code, c.want, out)
		}
		if code != 416 && h.Get("Cache-Control") != "no-store" { // which has nothing to keep
			t.Errorf("%s %s: Cache-Control %q", c.method, c.path, h.Get("Cache-Control"))
		}
		if code == 206 && fmt.Sprint(out["_text"]) != "0123" {
			t.Errorf("a part: %v", out["_text"])
		}
	}
	if m := all[all.at(1)]; m.State != "new" {
		t.Errorf("message 1 is %s", m.State)
	}
}
