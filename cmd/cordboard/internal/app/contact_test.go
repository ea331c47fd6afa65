package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

const (
	crmToken     = "a-token-of-the-crm-system"
	diallerToken = "a-token-of-the-dialler"
)

// consents is the section of outside systems that ask whether customers may be
// contacted.
func (w *world) consents() string {
	w.Helper()
	if w.setup.consents == "" {
		return ""
	}
	crm, dialler := filepath.Join(w.TempDir(), "crm"), filepath.Join(w.TempDir(), "dialler")
	w.must(os.WriteFile(crm, []byte(crmToken+"\n"), 0o600))
	w.must(os.WriteFile(dialler, []byte(diallerToken+"\n"), 0o600))
	return `consents: {crm: {token_file: "` + crm + `", region: GB}, dialler: {token_file: "` + dialler + `"}}
contact: ` + w.setup.consents + "\n"
}

// contact asks or says something of a customer: the status, and the answer in short.
func (w *world) contact(method, path, token, text string) string {
	w.Helper()
	status, answer := w.byToken(method, path, token, text)
	var is struct {
		Code, Detail, Result, Reason string
		Decision                     int64
		Allowed                      bool
		Rules                        string
	}
	w.must(json.Unmarshal(answer, &is))
	switch {
	case is.Code != "":
		return fmt.Sprint(status, " ", is.Code, ": ", is.Detail)
	case is.Result != "":
		return fmt.Sprint(status, " ", is.Result)
	case is.Decision == 0 || len(is.Rules) != 12 || is.Allowed != (is.Reason == "allowed"):
		w.Errorf("%s: %s", text, answer)
	}
	return fmt.Sprint(status, " ", is.Reason)
}

// evidenceOfDana is what nobody may find once she is erased.
const evidenceOfDana = "signed at the fair in Leeds"

// TestContactPolicy: an outside system asks before it contacts, and hears yes or the
// one reason; what customers say counts from then on. All of it is exported and erased
// with the customer, and nobody's name or number is logged.
func TestContactPolicy(t *testing.T) {
	for _, db := range Databases {
		t.Run(db.Case("contact policy"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, setup{at: []agents.ID{anna}, store: db, consents: `{offer: {most: ["2 in 1d"]}, survey: {consent: unasked, hours: {mon: closed}}}`})
			w.must(w.app.Store().SaveCustomers(w.ctx, []customer.Record{
				{ID: "LW-7", Name: "Ivy Lane", Numbers: []customer.Number{{E164: "+441632960507"}}},
				{ID: "LW-8", Name: "Kit Lane", Numbers: []customer.Number{{E164: "+441632960507"}}, DoNotCall: true},
			}))
			w.must(w.app.Store().ImportDoNotCall(w.ctx, "tps", []int64{441632960999, 447700900417}, func(int) {}))
			offer := `{"number":"07700 900417","purpose":"offer","channel":"call"`
			said := func(state, at string) string {
				return `{"customer":"LW-1","purpose":"offer","channel":"call","state":"` + state + `","at":"` + at + `","evidence":"` + evidenceOfDana + `"}`
			}
			for i, c := range []struct{ method, path, body, want string }{
				{http.MethodPost, "contact-decisions", offer + `}`, "200 no_consent"},
				{http.MethodPut, "consents/crm/1", said("given", "2024-05-01T10:00:00Z"), "201 created"},
				{http.MethodPut, "consents/crm/1", said("given", "2024-05-01T10:00:00Z"), "200 same"},
				{http.MethodPut, "consents/crm/1", said("refused", "2024-05-01T10:00:00Z"), "409 changed"},
				{http.MethodPut, "consents/dialler/1", said("given", "2024-05-01T10:00:00Z"), "403 forbidden"},
				{http.MethodPost, "contact-decisions", offer + `,"id":"a-1"}`, "200 allowed"}, // on a list: her word is more
				{http.MethodPost, "contact-decisions", offer + `,"id":"a-1"}`, "200 allowed"}, // the same one
				{http.MethodPost, "contact-decisions", `{"customer":"LW-1","purpose":"survey","channel":"call","id":"a-1"}`, "409 changed"},
				{http.MethodPost, "contact-decisions", offer + `}`, "200 allowed"},
				{http.MethodPost, "contact-decisions", offer + `}`, "200 too_often"},
				{http.MethodPut, "consents/crm/2", said("withdrawn", "2024-06-01T10:00:00Z"), "201 created"},
				{http.MethodPost, "contact-decisions", offer + `}`, "200 refused"},
				{http.MethodPost, "contact-decisions", `{"customer":"LW-1","purpose":"survey","channel":"call"}`, "200 listed"},
				{http.MethodPost, "contact-decisions", `{"customer":"LW-1","purpose":"survey","channel":"sms"}`, "200 quiet_hours"},
				{http.MethodPost, "contact-decisions", `{"number":"01632 960507","purpose":"service","channel":"call"}`, "200 do_not_call"},
				{http.MethodPost, "contact-decisions", `{"customer":"LW-7","number":"01632 960507","purpose":"service","channel":"call"}`, "200 allowed"},
				{http.MethodPost, "contact-decisions", `{"customer":"LW-1","number":"01632 960507","purpose":"service","channel":"call"}`, "200 do_not_call"},
				{http.MethodPost, "contact-decisions", `{"number":"01632 960998","purpose":"service","channel":"call"}`, "200 allowed"},
				{http.MethodPost, "contact-decisions", `{"customer":"nobody","purpose":"service","channel":"call"}`, "404 no_customer"},
				{http.MethodPut, "consents/crm/3", strings.Replace(said("given", "2024-05-01T10:00:00Z"), `"customer":"LW-1"`, `"number":"01632 960507"`, 1), "409 several"},
			} {
				if got := w.contact(c.method, c.path, crmToken, c.body); !strings.HasPrefix(got, c.want) {
					t.Errorf("%d %s: HTTP %s, want %s", i, c.body, got, c.want)
				}
			}
			if db == "sqlite" && len(w.found([]string{evidenceOfDana})) == 0 {
				t.Fatal("this test looks in the wrong place")
			}
			var file personFile
			text, err := AskToExport(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, "me")
			w.must(err)
			w.must(json.Unmarshal(text, &file))
			if len(file.Consents) != 2 || file.Consents[1].Evidence != evidenceOfDana || len(file.Decided) != 8 || file.Decided[0].Reason != "no_consent" {
				t.Errorf("exported: %+v %+v", file.Consents, file.Decided)
			}
			_, err = AskToErase(w.ctx, w.app.Server(), store.Person{Customer: "LW-1"}, "me")
			w.must(err)
			if left := w.found([]string{evidenceOfDana, "LW-1", dana[1:]}); len(left) > 0 {
				t.Errorf("left of her: %v", left)
			}
			if got := w.contact(http.MethodPost, "contact-decisions", crmToken, strings.Replace(offer, "offer", "survey", 1)+`}`); got != "200 suppressed" {
				t.Errorf("who has objected and was erased: HTTP %s", got)
			}
			for _, e := range w.logs.All() {
				for _, word := range []string{evidenceOfDana, crmToken, "LW-1", "900417", "960507"} {
					if line := fmt.Sprint(e.Message, e.ContextMap()); strings.Contains(line, word) {
						t.Errorf("logged: %s", line)
					}
				}
			}
		})
	}
}

// TestContactRefused: what cannot be taken is refused with the field's name.
func TestContactRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{consents: `{zone: Europe/London}`})
	ahead := time.Now().Add(32 * 24 * time.Hour).UTC().Format(time.RFC3339)
	whole := map[string]string{"customer": "LW-1", "purpose": "offer", "channel": "call"}
	word := map[string]string{"customer": "LW-1", "purpose": "offer", "channel": "call", "state": "given", "at": "2024-05-01T10:00:00Z"}
	for _, c := range []struct {
		path   string
		of     map[string]string
		change string
		want   string
	}{
		{"contact-decisions", whole, `{"more":1}`, "400 bad_request"},
		{"contact-decisions", whole, `{"customer":""}`, "422 bad_contact: customer, number: want one"},
		{"contact-decisions", whole, `{"number":"x"}`, "422 bad_contact: number: is none"},
		{"contact-decisions", whole, `{"purpose":"any"}`, "422 bad_contact: purpose: want one of service, callback, offer, survey"},
		{"contact-decisions", whole, `{"channel":"fax"}`, "422 bad_contact: channel: want one of"},
		{"contact-decisions", whole, `{"at":"tomorrow"}`, "422 bad_contact: at: want an instant"},
		{"contact-decisions", whole, `{"at":"` + ahead + `"}`, "422 bad_contact: at: want now, or within 31 days"},
		{"contact-decisions", whole, `{"at":"2024-05-01T10:00:00Z"}`, "422 bad_contact: at: want now"},
		{"contact-decisions", whole, `{"id":"` + strings.Repeat("x", 65) + `"}`, "422 bad_contact: id: at most 64 bytes"},
		{"consents/crm/1", word, `{"number":"07700 900417"}`, "422 bad_contact: customer, number: want one"},
		{"consents/crm/1", word, `{"state":"maybe"}`, "422 bad_contact: state: want one of given, refused, withdrawn"},
		{"consents/crm/1", word, `{"at":""}`, "422 bad_contact: at: is missing"},
		{"consents/crm/1", word, `{"at":"` + ahead + `"}`, "422 bad_contact: at: lies ahead"},
		{"consents/crm/1", word, `{"expires":"2024-05-01T10:00:00Z"}`, "422 bad_contact: expires: belongs"},
		{"consents/crm/1", word, `{"state":"refused","expires":"2024-06-01T10:00:00Z"}`, "422 bad_contact: expires: belongs"},
		{"consents/crm/1", word, `{"evidence":"a\u0000b"}`, "422 bad_contact: evidence: a control character"},
	} {
		body := map[string]any{}
		for k, v := range c.of {
			body[k] = v
		}
		w.must(json.Unmarshal([]byte(c.change), &body))
		text, err := json.Marshal(body)
		w.must(err)
		method := http.MethodPost
		if strings.HasPrefix(c.path, "consents") {
			method = http.MethodPut
		}
		if got := w.contact(method, c.path, crmToken, string(text)); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s: HTTP %s, want %s", c.path, text, got, c.want)
		}
		if got := w.contact(method, c.path, "nobody's", string(text)); !strings.HasPrefix(got, "401 bad_token") {
			t.Errorf("%s: HTTP %s", c.path, got)
		}
	}
}

// TestCallbackPolicy: a callback that is asked for keeps to lists, hours and bounds
// where these are configured, and each decision is kept.
func TestCallbackPolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna}, askers: true, consents: `{callback: {lists: true, hours: {mon-sun: "12:00-13:00"}, most: ["1 in 30d"]}, zone: Europe/London}`})
	w.must(w.app.Store().ImportDoNotCall(w.ctx, "tps", []int64{447700900455}, func(int) {}))
	now := time.Now().UTC()
	at := func(hour int) string { // of some day ahead, by London's clock or an hour before
		return time.Date(now.Year(), now.Month(), now.Day()+2, hour, 30, 0, 0, time.UTC).Format(time.RFC3339)
	}
	london, err := time.LoadLocation("Europe/London")
	w.must(err)
	_, offset := now.AddDate(0, 0, 2).In(london).Zone()
	noon, night := at(12-offset/3600), at(3)
	for _, c := range []struct{ body, want string }{
		{`{"number":"07700 900455","queue":"back","not_before":"` + noon + `"}`, "422 do_not_call: listed"},
		{`{"number":"07700 900417","queue":"back","not_before":"` + night + `"}`, "422 quiet_hours: from " + noon[:11] + noon[11:13] + ":00:00Z"},
		{`{"number":"07700 900417","queue":"back","not_before":"` + noon + `"}`, "201 call 1"},
	} {
		if got := w.asksFor(siteToken, c.body); got != c.want {
			t.Errorf("%s: HTTP %s, want %s", c.body, got, c.want)
		}
	}
	if got := w.takesBack(siteToken, "1"); got != "204" {
		t.Errorf("HTTP %s", got)
	}
	if got := w.asksFor(siteToken, `{"number":"07700 900417","queue":"back","not_before":"`+noon+`"}`); !strings.HasPrefix(got, "422 too_often: from ") {
		t.Errorf("once more: HTTP %s", got)
	}
	kept, err := w.app.Store().Export(w.ctx, store.Person{Customer: "LW-1"})
	w.must(err)
	var reasons []string
	for _, d := range kept.Decisions {
		reasons = append(reasons, d.Source+" "+d.Reason)
	}
	if got := strings.Join(reasons, ", "); got != "callbacks/site quiet_hours, callbacks/site allowed, callbacks/site too_often" {
		t.Errorf("decisions: %s", got)
	}
}

// TestConsentHeard: what a customer says on the line counts at once; the agent who has
// the call sees and writes it, and nobody else.
func TestConsentHeard(t *testing.T) {
	t.Parallel()
	w := newWorld(t, setup{at: []agents.ID{anna}, consents: `{offer: {consent: unasked}}`})
	type words struct {
		Consents []struct{ Purpose, Channel, State, By, Evidence string }
	}
	const heard = `{"call":1,"purpose":"any","channel":"call","state":"withdrawn","evidence":"never again"}`
	agent, other := w.browse(w.links[anna]), w.browse(w.links[petar])
	offer := `{"number":"` + dana + `","purpose":"offer","channel":"call"}`
	if got := w.contact(http.MethodPost, "contact-decisions", crmToken, offer); got != "200 allowed" {
		t.Errorf("before: HTTP %s", got)
	}
	agent.ask(http.MethodPost, "/api/v1/desk/consents", heard, http.StatusConflict) // no call yet
	c := w.dial(dial{to: toAsks})
	w.phase(anna, "talking")
	var got words
	agent.json(http.MethodGet, "/api/v1/desk/consents?call=1", "", http.StatusOK, &got)
	if got.Consents == nil || len(got.Consents) != 0 {
		t.Errorf("nothing was said: %+v", got)
	}
	other.ask(http.MethodGet, "/api/v1/desk/consents?call=1", "", http.StatusConflict)
	other.ask(http.MethodPost, "/api/v1/desk/consents", heard, http.StatusConflict)
	agent.ask(http.MethodPost, "/api/v1/desk/consents", strings.Replace(heard, "withdrawn", "perhaps", 1), http.StatusUnprocessableEntity)
	agent.ask(http.MethodGet, "/api/v1/desk/consents", "", http.StatusBadRequest)
	agent.json(http.MethodPost, "/api/v1/desk/consents", heard, http.StatusCreated, &got)
	if len(got.Consents) != 1 || got.Consents[0].State != "withdrawn" || got.Consents[0].By == "" || got.Consents[0].Evidence != "never again" {
		t.Errorf("heard: %+v", got)
	}
	if got := w.contact(http.MethodPost, "contact-decisions", crmToken, offer); got != "200 do_not_call" {
		t.Errorf("after: HTTP %s", got)
	}
	c.hangsUp()
	w.settled(answeredByCaller)
}
