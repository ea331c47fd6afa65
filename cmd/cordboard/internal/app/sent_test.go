package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/store"
)

const (
	shopToken = "a-token-of-the-web-shop"
	postToken = "a-token-of-the-mail-desk"
)

// senders is the section of outside systems that write interactions.
func (w *world) senders() string {
	w.Helper()
	if !w.setup.senders {
		return ""
	}
	shop, post := filepath.Join(w.TempDir(), "shop"), filepath.Join(w.TempDir(), "post")
	w.must(os.WriteFile(shop, []byte(shopToken+"\n"), 0o600))
	w.must(os.WriteFile(post, []byte(postToken+"\n"), 0o600))
	return `interactions: {shop: {token_file: "` + shop + `", region: GB}, post: {token_file: "` + post + `"}}` + "\n"
}

// puts sends what an outside system would.
func (w *world) puts(path, token, body string) (status int, code string) {
	w.Helper()
	status, text := w.byToken(http.MethodPut, "interactions/"+path, token, body)
	var is struct {
		Code, Detail, Result string
		Revision             int
	}
	w.must(json.Unmarshal(text, &is))
	if is.Result != "" {
		return status, fmt.Sprint(is.Result, " ", is.Revision)
	}
	return status, is.Code + ": " + is.Detail
}

// byToken is a request of an outside system: without an Origin, and without a cookie.
func (w *world) byToken(method, path, token, body string) (status int, text []byte) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.ctx, method, "http://"+w.app.WebAddr().String()+"/api/v1/"+path, strings.NewReader(body))
	w.must(err)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	r.Close = true // a connection kept open would be taken for something left behind
	res, err := http.DefaultClient.Do(r)
	w.must(err)
	defer func() { _ = res.Body.Close() }()
	text, err = io.ReadAll(res.Body)
	w.must(err)
	return res.StatusCode, text
}

// wroteOfDana are the words of what is sent of her.
const wroteOfDana = "Moves to Leeds in May"

// TestSent: what outside systems write of a customer whom an agent talks with is on
// that desk at once, and in the next pop; it is erased with her, and in no log.
func TestSent(t *testing.T) {
	for _, db := range Databases {
		t.Run(db.Case("sent"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna}, store: db, senders: true})
			c := w.dial(dial{to: toAsks})
			w.phase(anna, "talking")
			letter := func(who, title, more string) string {
				return fmt.Sprintf(`{%s,"at":"2024-05-01T10:00:00Z","channel":"mail","title":%q%s}`, who, title, more)
			}
			for _, step := range []struct{ path, token, body, want string }{
				{"post/7", postToken, letter(`"customer":"LW-1"`, wroteOfDana, ``), "201 created 1"},
				{"post/7", postToken, letter(`"number":"`+dana+`"`, wroteOfDana, ``), "200 same 1"},
				{"shop/7", shopToken, letter(`"number":"07700 900417"`, "Basket left", `,"links":[{"title":"basket","url":"https://shop.example.com/b/7"}]`), "201 created 1"},
				{"post/7", postToken, letter(`"customer":"LW-1"`, wroteOfDana+" or June", ``), "200 replaced 2"},
			} {
				if status, is := w.puts(step.path, step.token, step.body); fmt.Sprint(status, " ", is) != step.want {
					t.Errorf("%s: HTTP %d %s, want %s", step.path, status, is, step.want)
				}
			}
			has := func(title, source string) func(customer.Interaction) bool {
				return func(i customer.Interaction) bool { return i.Title == title && i.Source == source }
			}
			whole := func(list []customer.Interaction) bool {
				return slices.ContainsFunc(list, has(wroteOfDana+" or June", "post")) && slices.ContainsFunc(list, has("Basket left", "shop"))
			}
			w.screen(anna, "the letters", func(s desktest.State) bool {
				for _, c := range s.Cards {
					if c.Record != nil && whole(c.Record.Interactions) {
						return true
					}
				}
				return false
			})
			c.hangsUp()
			w.settled(answeredByCaller)
			m, err := w.app.finder.Find(w.ctx, dana)
			if err != nil || m.Record == nil || !whole(m.Record.Interactions) {
				t.Errorf("the next call has %+v, %v", m.Record, err)
			}
			if db == "sqlite" && len(w.found([]string{wroteOfDana})) == 0 {
				t.Fatal("this test looks in the wrong place")
			}
			_, err = AskToErase(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, "me")
			w.must(err)
			if left := w.found([]string{wroteOfDana, "Basket left"}); len(left) > 0 {
				t.Errorf("left of her: %v", left)
			}
			if status, is := w.puts("post/8", postToken, letter(`"customer":"LW-1"`, wroteOfDana, ``)); status != http.StatusNotFound {
				t.Errorf("of somebody who was erased: HTTP %d %s", status, is)
			}
			for _, e := range w.logs.All() {
				if line := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(line, wroteOfDana) || strings.Contains(line, shopToken) || strings.Contains(line, "LW-1") {
					t.Errorf("logged: %s", line)
				}
			}
		})
	}
}

// TestSentRefused: what cannot be taken is refused with the field's name, and who
// may not write writes nothing.
func TestSentRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{senders: true})
	whole := func(change string) string {
		fields := map[string]any{"customer": "LW-1", "at": "2024-05-01T10:00:00Z", "channel": "mail", "title": "Hello"}
		w.must(json.Unmarshal([]byte(change), &fields))
		for name, v := range fields {
			if v == nil {
				delete(fields, name)
			}
		}
		text, err := json.Marshal(fields)
		w.must(err)
		return string(text)
	}
	link := func(url string) string {
		return whole(`{"links":[{"url":"https://a.example/x"},{"url":"` + url + `"}]}`)
	}
	for _, c := range []struct{ path, token, body, want string }{
		{"post/1", "", whole(`{}`), "401 bad_token: "},
		{"post/1", shopToken + "x", whole(`{}`), "401 bad_token: "},
		{"post/1", shopToken, whole(`{}`), "403 forbidden: the token is that of another source than the address names"},
		{"post/1", postToken, `{"customer":"LW-1",`, "400 bad_request: the body ends in the middle"},
		{"post/1", postToken, `{"customer":7}`, "400 bad_request: customer: a number does not fit here"},
		{"post/1", postToken, whole(`{"colour":"red"}`), "400 bad_request: colour: there is no such field"},
		{"post/1", postToken, whole(`{"at":"yesterday"}`), "422 bad_interaction: at: want an instant of RFC 3339"},
		{"post/1", postToken, "{\"customer\":\"\xff\"}", "400 bad_request: byte 14 is not UTF-8"},
		{"post/1", postToken, whole(`{"title":"` + strings.Repeat("x", 20_000) + `"}`), "413 too_large"},
		{"post/1", postToken, whole(`{"number":"+447700900417"}`), "422 bad_interaction: customer, number: want one of them"},
		{"post/1", postToken, whole(`{"customer":null}`), "422 bad_interaction: customer, number: want one of them"},
		{"post/1", postToken, whole(`{"at":null}`), "422 bad_interaction: at: is missing"},
		{"post/1", postToken, whole(`{"at":"` + time.Now().Add(time.Hour).Format(time.RFC3339) + `"}`), "422 bad_interaction: at: lies ahead"},
		{"post/1", postToken, whole(`{"at":"0001-01-01T00:00:00Z"}`), "422 bad_interaction: at: the year"},
		{"post/1", postToken, whole(`{"channel":"pigeon"}`), "422 bad_interaction: channel: want one of call, web"},
		{"post/1", postToken, whole(`{"title":" "}`), "422 bad_interaction: title: is missing"},
		{"post/1", postToken, whole(`{"title":"a\u0007b"}`), "422 bad_interaction: title: a control character"},
		{"post/1", postToken, whole(`{"title":"a\u202eb"}`), "422 bad_interaction: title: a control character, or one that turns"},
		{"post/1", postToken, whole(`{"detail":"` + strings.Repeat("x", 2001) + `"}`), "422 bad_interaction: detail: at most 2000 bytes"},
		{"post/1", postToken, whole(`{"duration_s":-1}`), "422 bad_interaction: duration_s: want 0 to"},
		{"post/" + strings.Repeat("1", 65), postToken, whole(`{}`), "422 bad_interaction: id in the address: at most 64 bytes"},
		{"post/1", postToken, link("http://a.example/x"), "422 bad_interaction: links[1].url: want https://HOST/..."},
		{"post/1", postToken, link("javascript:alert(1)"), "422 bad_interaction: links[1].url: want https://HOST/..."},
		{"post/1", postToken, link("https:///x"), "422 bad_interaction: links[1].url: want https://HOST/..."},
		{"post/1", postToken, link("https://ann:pw@a.example/x"), "422 bad_interaction: links[1].url: a user's name or password"},
		{"post/1", postToken, link("https://a.example/x?X-Amz-Signature=7"), "422 bad_interaction: links[1].url: a token, key or signature"},
		{"post/1", postToken, link("https://a.example/x?access_token=7"), "422 bad_interaction: links[1].url: a token, key or signature"},
		{"post/1", postToken, link("https://a.example/\u0444"), "422 bad_interaction: links[1].url: at most"},
		{"post/1", postToken, whole(`{"customer":"nobody"}`), "404 no_customer"},
		{"post/1", postToken, whole(`{"customer":null,"number":"+447700900999"}`), "404 no_customer"},
		{"post/1", postToken, whole(`{"customer":null,"number":"07700 900417"}`), "422 bad_interaction: number: is none; a national one is read where interactions.post.region is set"},
	} {
		if status, is := w.puts(c.path, c.token, c.body); !strings.HasPrefix(fmt.Sprint(status, " ", is), c.want) {
			t.Errorf("%.80s: HTTP %d %s, want %s", c.body, status, is, c.want)
		}
	}
	m, err := w.app.finder.Find(w.ctx, dana)
	if err != nil || m.Record == nil || slices.ContainsFunc(m.Record.Interactions, func(i customer.Interaction) bool { return i.Source != "" }) {
		t.Errorf("something was written: %+v, %v", m.Record, err)
	}
	var last int
	for range 40 { // a stranger who guesses is held up
		last, _ = w.puts("post/1", "guess", whole(`{}`))
	}
	if last != http.StatusTooManyRequests {
		t.Errorf("after 40 guesses: HTTP %d", last)
	}
	if status, is := w.puts("post/1", postToken, whole(`{}`)); status != http.StatusCreated { // and the system is not
		t.Errorf("HTTP %d %s", status, is)
	}
}

// Without such a system in the server file nobody may write.
func TestSentAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	if status, is := w.puts("post/1", postToken, `{}`); status != http.StatusNotFound {
		t.Errorf("HTTP %d %s", status, is)
	}
}
