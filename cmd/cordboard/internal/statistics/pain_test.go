package statistics

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/store"
)

// tale is the events of one call: "kind agent attempt second data".
func tale(t *testing.T, lines ...string) []store.Event {
	t.Helper()
	var out []store.Event
	for i, line := range lines {
		f := strings.SplitN(line, " ", 5)
		e := store.Event{Call: 1, Seq: int64(i + 1), Kind: f[0], Agent: agents.ID(strings.Trim(f[1], "-"))}
		var second float64
		if _, err := fmt.Sscan(f[2]+" "+f[3], &e.Attempt, &second); err != nil {
			t.Fatal(err)
		}
		e.At = time.Unix(0, 0).Add(time.Duration(second * float64(time.Second))).UTC()
		if len(f) > 4 {
			e.Data = json.RawMessage(strings.ReplaceAll(f[4], "'", `"`))
		}
		out = append(out, e)
	}
	return out
}

const (
	inCare   = "enqueued - 0 0 {'queue':'care','topic':'bill','reason':{'trigger':'arrived'}}"
	toAnn    = "offer_call ann 1 1 {'queue':'care','topic':'bill','ack_by':'1970-01-01T00:00:02.5Z'}"
	annTalks = "connect ann 1 9 {}"
	annHands = "transferred ann 1 30 {'queue':'desk'}"
	knows    = "transfer_known ann 1 30 {'known':7}"
	inDesk   = "enqueued - 0 30 {'queue':'desk','reason':{'trigger':'transferred'}}"
	toBob    = "offer_call bob 2 30 {'queue':'desk','ack_by':'1970-01-01T00:00:31.5Z'}"
	bobTalks = "connect bob 2 40 {}"
)

func TestHops(t *testing.T) {
	for name, c := range map[string]struct {
		events []string
		want   []figures.Transfer
	}{
		"not passed on":     {[]string{inCare, toAnn, annTalks}, nil},
		"nobody answered":   {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, toBob}, nil},
		"answered, no ack":  {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, toBob, bobTalks}, []figures.Transfer{{Call: 5, Topic: "desk", Queue: "desk", Agent: "bob", At: 40e6, Known: 7, ReAsked: 7}}},
		"all on the screen": {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, toBob, "transfer_facts bob 2 31 {'known':7,'re_asked':0,'facts':null,'mode':'painted'}", bobTalks}, []figures.Transfer{{Call: 5, Topic: "desk", Queue: "desk", Agent: "bob", At: 40e6, Known: 7}}},
		"a hidden page shows nothing": {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, toBob, "transfer_facts bob 2 31 {'known':7,'facts':null,'mode':'hidden'}", bobTalks},
			[]figures.Transfer{{Call: 5, Topic: "desk", Queue: "desk", Agent: "bob", At: 40e6, Known: 7, ReAsked: 7}}},
		"seen five seconds after the answer": {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, toBob, bobTalks, "transfer_facts bob 2 45 {'known':7,'facts':['name'],'mode':'painted'}"},
			[]figures.Transfer{{Call: 5, Topic: "desk", Queue: "desk", Agent: "bob", At: 40e6, Known: 7, ReAsked: 1}}},
		"seen later": {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, toBob, bobTalks, "transfer_facts bob 2 45.001 {'known':7,'facts':null,'mode':'painted'}"},
			[]figures.Transfer{{Call: 5, Topic: "desk", Queue: "desk", Agent: "bob", At: 40e6, Known: 7, ReAsked: 7}}},
		"one panel after the other": {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, toBob, "transfer_facts bob 2 31 {'known':7,'facts':['name','balance'],'mode':'painted'}", bobTalks, "transfer_facts bob 2 41 {'known':7,'facts':['tickets','name'],'mode':'painted'}"},
			[]figures.Transfer{{Call: 5, Topic: "desk", Queue: "desk", Agent: "bob", At: 40e6, Known: 7, ReAsked: 1}}},
		"back at the sender's":      {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, "enqueued - 0 75 {'queue':'care','reason':{'trigger':'returned'}}", "offer_call ann 2 75 {'queue':'care'}", "connect ann 2 80 {}"}, nil},
		"the sender is asked again": {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, "offer_call ann 2 75 {'queue':'desk'}", "connect ann 2 80 {}"}, nil},
		"the legs are not joined":   {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, toBob, bobTalks, "withdraw bob 2 41 {'why':'join_failed'}"}, nil},
		"nor at first": {[]string{inCare, toAnn, annTalks, annHands, knows, inDesk, toBob, bobTalks, "withdraw bob 2 41 {'why':'join_failed'}", "offer_call cem 3 41 {'queue':'desk'}", "connect cem 3 50 {}"},
			[]figures.Transfer{{Call: 5, Topic: "desk", Queue: "desk", Agent: "cem", At: 50e6, Known: 7, ReAsked: 7}}},
	} {
		t.Run(name, func(t *testing.T) {
			o, err := offersOf(&store.LedgerRow{Call: 5}, tale(t, c.events...))
			if err != nil {
				t.Fatal(err)
			}
			var got []figures.Transfer
			for _, h := range o.transfers {
				got = append(got, h.counted(5))
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestPops(t *testing.T) {
	const painted, hidden = "{'mode':'painted','panels':{}}", "{'mode':'hidden'}"
	for name, c := range map[string]struct {
		events          []string
		ack             figures.Ack
		rang, afterThat bool
	}{
		"painted":                {[]string{"pop_acked ann 1 1.2 " + painted, "ring ann 1 1.2 {}"}, figures.AckPainted, true, true},
		"hidden":                 {[]string{"pop_acked ann 1 1.2 " + hidden, "ring ann 1 1.2 {}"}, figures.AckHidden, true, true},
		"hidden, then looked at": {[]string{"pop_acked ann 1 1.2 " + hidden, "pop_acked ann 1 2 " + painted, "ring ann 1 2 {}"}, figures.AckPainted, true, true},
		"looked at too late":     {[]string{"pop_acked ann 1 1.2 " + hidden, "ring ann 1 1.2 {}", "pop_acked ann 1 3 " + painted}, figures.AckHidden, true, true},
		"in the last instant":    {[]string{"pop_acked ann 1 2.5 " + painted, "ring ann 1 2.5 {}"}, figures.AckPainted, true, true},
		"late":                   {[]string{"ring ann 1 2.5 {}", "pop_acked ann 1 2.6 " + painted}, figures.AckLate, true, false},
		"late, and waited for":   {[]string{"pop_acked ann 1 9 " + painted, "ring ann 1 9 {}"}, figures.AckLate, true, true},
		"none":                   {[]string{"ring ann 1 2.5 {}"}, figures.NoAck, true, false},
		"gave up before":         {[]string{"withdraw ann 1 2 {'why':'abandoned'}"}, figures.NoAck, false, false},
	} {
		o, err := offersOf(&store.LedgerRow{}, tale(t, append([]string{inCare, toAnn}, c.events...)...))
		if err != nil {
			t.Fatal(err)
		}
		want := figures.Pop{Topic: "bill", Queue: "care", Agent: "ann", At: 1e6, Ack: c.ack, Rang: c.rang, AfterAck: c.afterThat}
		if got := o.pops(); len(got) != 1 || got[0] != want {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if _, err := offersOf(&store.LedgerRow{Call: 5}, tale(t, "enqueued - 0 0 {")); err == nil || !strings.Contains(err.Error(), "call 5: event 1 (enqueued)") {
		t.Errorf("broken data: %v", err)
	}
}

// The pain of a day, from the ledger: a question that began a month before is
// known, a call a week after is a repeat.
func TestPainOfADay(t *testing.T) {
	p := policy(t, "")
	p.Sets = map[string][]routing.Disposition{"care": {{ID: "solved", Final: true}, {ID: "called"}}, "other": {{ID: "sold", Final: true}}}
	p.Queues["a"].Dispositions = "care"
	s := openStore(t, filepath.Join(t.TempDir(), "ledger.db"))
	defer func() { _ = s.Close() }()
	day := p.Service.Day(time.Date(2026, 4, 15, 12, 0, 0, 0, time.UTC))
	call := func(at time.Time, number, customer, disposition string) {
		id := s.NextCall()
		s.Arrived(store.Arrival{Call: id, At: at, Number: number})
		if customer != "" {
			s.Identified(id, customer)
		}
		o := routing.Offer{Call: id, Attempt: 1, Agent: "ann"}
		s.Do(at, []routing.Action{routing.Enqueued{Call: id, Queue: "a", Topic: "bill", Since: at, Entered: at}, routing.OfferCall{Offer: o, Queue: "a", Topic: "bill"}, routing.Ring{Offer: o}})
		s.Do(at.Add(5*time.Second), []routing.Action{routing.Connect{Offer: o, Answered: at.Add(5 * time.Second)}})
		s.Do(at.Add(time.Minute), []routing.Action{routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByCaller, Agent: "ann", Attempt: 1}, routing.WrapUpFinished{Offer: o, Disposition: disposition}})
	}
	const dana, luis = "+447700900417", "+447700900555"
	for i := range 5 { // each keeps the question open
		call(day.Add(time.Duration(i*6-30)*24*time.Hour), dana, "LW-1", "called")
	}
	call(day.Add(time.Hour), "+15550100099", "LW-1", "solved")      // another number of hers
	call(day.Add(2*time.Hour), luis, "", "sold")                    // a disposition of another set
	call(day.Add(3*time.Hour), "", "", "solved")                    // withheld
	call(day.Add(169*time.Hour), "+447700900417", "LW-1", "called") // within 168 hours
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := Build(t.Context(), s, p, Query{From: day, To: p.Service.NextDay(day), Pain: true}, day.AddDate(0, 2, 0))
	if err != nil {
		t.Fatal(err)
	}
	all := r.Pain.Lines[0]
	if all.Closed != 2 || all.FirstCall != 1 || all.Lapsed != 0 || all.Contacts != 2 || all.Repeated != 1 || all.RepeatedSame != 1 || r.Pain.Withheld != 1 ||
		all.Pops[figures.NoAck] != (figures.PopCounts{Offers: 3, Rang: 3}) {
		t.Errorf("%+v, %d withheld", all, r.Pain.Withheld)
	}
	var out bytes.Buffer
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	const line = "all    -     2         0        50.0 %  50.0 %      2       0       50.0 %  0.00  0    100.0 %  0          0         0        0       0     3       0.0 %"
	if !strings.Contains(out.String(), line) || !strings.Contains(out.String(), "1 answered calls are left out") {
		t.Errorf("want %q in\n%s", line, out.String())
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, person := range []string{"7700900417", "LW-1"} {
		if strings.Contains(string(b)+out.String(), person) {
			t.Errorf("%s stands in a report", person)
		}
	}
	if !strings.Contains(string(b), `"first_contact_resolution":50,`) || !strings.Contains(string(b), `"none":{"offers":3,"rang":3,"rang_after_ack":0,"rang_after_ack_share":0}`) {
		t.Errorf("%s", b)
	}
}
