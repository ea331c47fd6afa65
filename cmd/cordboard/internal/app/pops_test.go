package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/cmd/cordboard/internal/why"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/screenpop/desktest"
	"github.com/cordboard/cordboard/web"
)

const officeToken = "a-token-of-no-other-office"

// office is the section of a PBX that tells of its calls.
func (w *world) office() string {
	w.Helper()
	if !w.setup.pops {
		return ""
	}
	file := filepath.Join(w.TempDir(), "token")
	w.must(os.WriteFile(file, []byte(officeToken+"\n"), 0o600))
	watched := ""
	if w.notifier != nil {
		watched = ", trunk: office, header: X-Agent, extensions: [" + strings.Join(w.setup.watched, ", ") + "]"
	}
	return `pops: {office: {token_file: "` + file + `", region: GB, wrap_up: 1h` + watched + "}}\n"
}

// tellsOf has the office's PBX tell of a call.
func (w *world) tellsOf(event, call string, more ...string) web.PBXAnswer {
	w.Helper()
	form := url.Values{"event": {event}, "callId": {call}, "direction": {"in"}, "from": {"07700 900417"}, "to": {"020 7946 0100"}}
	for i := 0; i < len(more); i += 2 {
		if more[i] == "user[]" {
			form.Add(more[i], more[i+1])
		} else {
			form.Set(more[i], more[i+1])
		}
	}
	status, text := w.posts("/api/v1/cti", officeToken, "application/x-www-form-urlencoded", form.Encode())
	var a web.PBXAnswer
	if err := json.Unmarshal(text, &a); err != nil || status != http.StatusOK {
		w.Fatalf("%s: HTTP %d %s", event, status, text)
	}
	return a
}

// posts sends what a PBX would: without an Origin, and without a cookie.
func (w *world) posts(path, token, kind, body string) (status int, text []byte) {
	w.Helper()
	r, err := http.NewRequestWithContext(w.ctx, http.MethodPost, "http://"+w.app.WebAddr().String()+path, strings.NewReader(body))
	w.must(err)
	r.Header.Set("Content-Type", kind)
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(r)
	w.must(err)
	defer func() { _ = res.Body.Close() }()
	text, err = io.ReadAll(res.Body)
	w.must(err)
	return res.StatusCode, text
}

func (w *world) reason(id agents.ID, state, reason string) {
	w.Helper()
	w.screen(id, state+" "+reason, func(s desktest.State) bool { return s.Status.State == state && s.Status.Reason == reason })
}

func (w *world) empty(id agents.ID) {
	w.Helper()
	w.screen(id, "empty desk", func(s desktest.State) bool { return len(s.Cards) == 0 })
}

// A call that the PBX has given to an agent: the whole record stands on her desk
// before the PBX has its answer, queue calls go to somebody else until the note is
// written, and the ledger has the call as one that no queue had.
func TestPopOnly(t *testing.T) {
	for _, kind := range Databases {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna, boris}, pops: true, store: kind})
			told := w.tellsOf("newCall", "a1", "user[]", "Anna Berg")
			if told.Call == 0 || !slices.Equal(told.Agents, []agents.ID{anna}) || len(told.Ignored) > 0 {
				t.Fatalf("told: %+v", told)
			}
			seen := w.desks[anna].Seen()
			if len(seen) != 1 || seen[0].AckAt.IsZero() || !seen[0].Complete || seen[0].Card.Record == nil || seen[0].Card.Record.Name != record().Name {
				t.Errorf("when the PBX had its answer the desk had %+v", seen)
			}
			card := w.phase(anna, "ringing")
			if !card.PBX || card.Match != "exact" || card.Caller.Number != dana || card.Dialled != toCare || card.Queue != "" {
				t.Errorf("card: %+v", card)
			}
			w.reason(anna, "not_ready", "pbx_call")
			if again := w.tellsOf("newCall", "a1", "user[]", "Anna Berg"); again.Call != told.Call || again.Ignored[0].Why != "repeated" {
				t.Errorf("told again: %+v", again)
			}
			w.refused(anna, "decline", card, map[string]any{"reason": "not_now"})
			w.tellsOf("answer", "a1", "answeringNumber", "anna")
			card = w.phase(anna, "talking")
			w.refused(anna, "hold", card, map[string]any{"on": true})
			w.refused(anna, "transfer", card, map[string]any{"agent": "boris", "note": ""})

			c := w.dial(dial{to: toCare, pai: "sip:+447700900499@trunk.example"}) // anna is the fitter, and not free
			w.phase(boris, "talking")
			w.neverRang(anna)
			c.hangsUp()

			w.do(anna, "note", card, map[string]any{"text": "moves house"})
			w.tellsOf("hangup", "a1", "cause", "normalClearing")
			w.reason(anna, "not_ready", "pbx_call")
			w.do(anna, "wrap_up", w.phase(anna, "wrap_up"), map[string]any{"disposition": "", "note": "moves house in May"})
			w.empty(anna)
			w.state(anna, "available")
			w.popsBooked(told.Call)
		})
	}
}

// popsBooked looks at what the stores have of the call.
func (w *world) popsBooked(id routing.CallID) {
	w.Helper()
	w.must(w.app.Store().Flush(w.ctx))
	r, err := w.app.Store().LedgerRow(w.ctx, id)
	w.must(err)
	if r.Trunk != "pbx:office" || r.Queue != "" || r.Outcome != routing.Answered || r.Agent != anna || r.Customer != "LW-1" || r.Number != dana || r.Offers != 1 || r.TalkAt.IsZero() || r.EndedAt.IsZero() {
		w.Errorf("ledger: %+v", r)
	}
	events, err := w.app.Store().Events(w.ctx, id)
	w.must(err)
	var kinds []string
	for _, e := range events {
		if strings.Contains(string(e.Data), "900417") || strings.Contains(string(e.Data), record().Name) {
			w.Errorf("%s names a person: %s", e.Kind, e.Data)
		}
		kinds = append(kinds, e.Kind)
	}
	before := func(a, b string) {
		if i, j := slices.Index(kinds, a), slices.Index(kinds, b); i < 0 || j < 0 || i > j {
			w.Errorf("%s is not before %s: %q", a, b, kinds)
		}
	}
	for i, all := 1, []string{"arrived", "offer_call", "pop_sent", "pop_acked", "ring", "connect", "wrap_up_started", "end_call", "wrap_up_finished"}; i < len(all); i++ {
		before(all[i-1], all[i])
	}
	m, err := w.app.Store().Lookup(w.ctx, dana)
	w.must(err)
	if m.Record == nil || len(m.Record.Interactions) == 0 || m.Record.Interactions[0].Note != "moves house in May" {
		w.Errorf("the contact is not in the record: %+v", m.Record)
	}
	day, err := w.app.report(w.ctx, web.ReportQuery{})
	w.must(err)
	var report struct {
		Lines []struct {
			Queue   string `json:"queue"`
			Offered int    `json:"offered"`
		} `json:"lines"`
	}
	w.must(json.Unmarshal(day, &report))
	for _, l := range report.Lines {
		if l.Offered > 1 { // the call of the queue, not that of the PBX
			w.Errorf("figures: %+v", l)
		}
	}
	x, err := w.sources().Call(w.ctx, id)
	w.must(err)
	if len(x.Records) != 0 || x.Again != why.NotPossible || !strings.Contains(x.Reason, "a PBX chose") || len(x.Moments) == 0 {
		w.Errorf("explained: %+v", x)
	}
	w.countedLive()
	for _, e := range w.logs.All() {
		for k, v := range e.ContextMap() {
			if s, is := v.(string); is && (strings.Contains(s, "900417") || strings.Contains(s, officeToken)) {
				w.Errorf("the log names a number or a token: %s %s", e.Message, k)
			}
		}
	}
}

// Several phones ring: each desk has the record, and loses it to whoever answers.
// Passed on at the PBX, the next agent sees what the first wrote.
func TestPopOnlyGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna, boris}, pops: true})
	told := w.tellsOf("newCall", "g1", "user[]", "boris", "user[]", "sip:anna@pbx.example", "user[]", "nobody")
	if !slices.Equal(told.Agents, []agents.ID{boris, anna}) || len(told.Ignored) != 1 || told.Ignored[0] != (web.PBXIgnored{User: "nobody", Why: "unknown_agent"}) {
		t.Fatalf("told: %+v", told)
	}
	w.phase(anna, "ringing")
	w.phase(boris, "ringing")
	if a := w.tellsOf("answer", "g1"); len(a.Ignored) != 1 || a.Ignored[0].Why != "answerer_not_named" {
		t.Errorf("two ring, and one of them answered: %+v", a)
	}
	w.tellsOf("answer", "g1", "user", "boris")
	first := w.phase(boris, "talking")
	w.withdrawn(anna, "answered_elsewhere")
	w.state(anna, "available")
	w.do(boris, "note", first, map[string]any{"text": "has the modem reset"})
	w.tellsOf("answer", "g1", "user", "boris") // repeated
	w.tellsOf("newCall", "g1", "user", "boris", "user[]", "anna")
	w.empty(anna)

	w.tellsOf("answer", "g1", "answeringNumber", "anna")
	card := w.phase(anna, "talking")
	if card.From == nil || card.From.Agent != "boris" || len(card.Notes) != 1 || card.Notes[0].Text != "has the modem reset" {
		t.Errorf("passed on: %+v", card)
	}
	w.phase(boris, "wrap_up")
	w.tellsOf("answer", "g1", "user", "boris") // and back to him, who is still writing
	if card := w.phase(boris, "talking"); card.From == nil || card.From.Agent != "anna" || card.Note != "has the modem reset" {
		t.Errorf("passed back: %+v", card)
	}
	w.tellsOf("answer", "g1", "user", "anna")
	card = w.phase(anna, "talking")
	w.do(boris, "wrap_up", w.phase(boris, "wrap_up"), map[string]any{"disposition": "", "note": ""})
	w.state(boris, "available")
	// The PBX's hangup is lost: the agent says that the call is over, and asks for a break.
	w.do(anna, "hangup", card, nil)
	w.phase(anna, "wrap_up")
	_, err := w.desks[anna].Do(w.ctx, "state", map[string]any{"state": "not_ready", "reason": "lunch"})
	w.must(err)
	w.reason(anna, "not_ready", "lunch")
	w.do(anna, "wrap_up", card, map[string]any{"disposition": "", "note": ""})
	w.empty(anna)
	for _, event := range []string{"answer", "hangup", "newCall"} { // late ones
		if a := w.tellsOf(event, "g1", "user", "boris"); a.Call != 0 || a.Ignored[0].Why != "call_over" {
			t.Errorf("%s after the end: %+v", event, a)
		}
	}
	w.reason(anna, "not_ready", "lunch") // her own wish counts
	w.must(w.app.Store().Flush(w.ctx))
	r, err := w.app.Store().LedgerRow(w.ctx, told.Call)
	w.must(err)
	if r.Outcome != routing.Answered || r.EndedBy != routing.ByAgent || r.Agent != anna || r.Transfers != 3 || r.Offers != 5 {
		t.Errorf("ledger: %+v", r)
	}
}

// Events come in any order, of callers nobody knows, for agents there are not; a
// stranger tells nothing.
func TestPopOnlyOdd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna}, pops: true})
	w.tellsOf("hangup", "o1") // before its newCall
	if a := w.tellsOf("newCall", "o1", "user", "anna"); a.Ignored[0].Why != "call_over" {
		t.Errorf("a call that was over: %+v", a)
	}
	if a := w.tellsOf("newCall", "o2", "user", "anna", "direction", "out"); a.Ignored[0].Why != "outbound" {
		t.Errorf("outbound: %+v", a)
	}
	if a := w.tellsOf("newCall", "o2", "user", "petra"); a.Call != 0 || a.Ignored[0].Why != "unknown_agent" {
		t.Errorf("nobody's: %+v", a)
	}
	w.empty(anna)
	w.state(anna, "available")

	w.tellsOf("answer", "o3", "user", "anna", "from", "anonymous") // its newCall is on the way
	if card := w.phase(anna, "talking"); card.Match != "none" || card.Caller.Number != "" || card.Record != nil {
		t.Errorf("withheld: %+v", card)
	}
	w.tellsOf("newCall", "o3", "user", "anna", "from", "anonymous")
	w.tellsOf("hangup", "o3")
	w.do(anna, "wrap_up", w.phase(anna, "wrap_up"), map[string]any{"disposition": "", "note": ""})

	told := w.tellsOf("newCall", "o4", "to", "anna", "from", "+447700900499") // no user: whom was called
	if card := w.phase(anna, "ringing"); card.Match != "none" || card.Caller.Number != "+447700900499" {
		t.Errorf("a stranger: %+v", card)
	}
	w.tellsOf("answer", "o4", "answeringNumber", "reception") // no agent's telephone has it
	w.empty(anna)
	w.state(anna, "available")
	w.must(w.app.Store().Flush(w.ctx))
	r, err := w.app.Store().LedgerRow(w.ctx, told.Call)
	w.must(err)
	if r.Outcome != routing.Treated || r.Reason != "answered_elsewhere" || r.Agent != "" {
		t.Errorf("ledger: %+v", r)
	}
	w.popsRefused()
}

func (w *world) popsRefused() {
	w.Helper()
	const form, ok = "application/x-www-form-urlencoded", "event=newCall&callId=x&user[]=anna"
	for _, c := range []struct {
		path, token, kind, body string
		status                  int
	}{
		{"/api/v1/cti", "", form, ok, 401},
		{"/api/v1/cti", officeToken + "x", form, ok, 401},
		{"/api/v1/cti/" + officeToken[1:], "", form, ok, 401},
		{"/api/v1/cti", officeToken, form, "event=ringing&callId=x", 422},
		{"/api/v1/cti", officeToken, form, "event=newCall", 422},
		{"/api/v1/cti", officeToken, form, "event=newCall&callId=x&direction=up", 422},
		{"/api/v1/cti", officeToken, form, "event=newCall&callId=x%00", 422},
		{"/api/v1/cti", officeToken, "application/json", "{", 400},
		{"/api/v1/cti", officeToken, "text/xml", "<x/>", 422},
		{"/api/v1/cti", officeToken, form, "event=" + strings.Repeat("x", 20_000), 413},
		{"/api/v1/cti/" + officeToken, "", "application/json", `{"event":"hangup","callId":17,"user":["anna"],"queue":"x"}`, 200},
	} {
		if status, text := w.posts(c.path, c.token, c.kind, c.body); status != c.status {
			w.Errorf("%s %s: HTTP %d %s", c.kind, c.body[:min(len(c.body), 40)], status, text)
		}
	}
	w.empty(anna)
	var last int
	for range 40 { // a stranger who guesses is held up
		last, _ = w.posts("/api/v1/cti", "guess", form, ok)
	}
	if last != http.StatusTooManyRequests {
		w.Errorf("after 40 guesses: HTTP %d", last)
	}
	w.tellsOf("hangup", "o9") // and the PBX is not, though it has the same address
}

// Without a PBX in the server file there is nothing to tell of calls to.
func TestPopOnlyAbsent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{})
	if status, _ := w.posts("/api/v1/cti", officeToken, "application/json", `{}`); status != http.StatusNotFound {
		t.Errorf("HTTP %d", status)
	}
}
