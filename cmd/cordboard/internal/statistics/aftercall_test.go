package statistics

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cordboard/cordboard/agents"
	"github.com/cordboard/cordboard/configs"
	"github.com/cordboard/cordboard/routing"
	"github.com/cordboard/cordboard/routing/figures"
	"github.com/cordboard/cordboard/routing/rule"
	"github.com/cordboard/cordboard/screenpop/customer"
	"github.com/cordboard/cordboard/store"
)

// labelledCall is a call of the labelled ledger: who calls about what on which day of the
// month, whom he talks to in turn, and how it ends when that is nobody.
type labelledCall struct {
	day      int
	customer string
	topic    string
	with     string // agents in turn; "menu", "mailbox", "away" or "closed" where there is none
}

// labelled fills a ledger. C2 and C3 are one.
func labelled(t *testing.T, calls []labelledCall) *store.Store {
	t.Helper()
	s := openStore(t, filepath.Join(t.TempDir(), "ledger.db"))
	t.Cleanup(func() { _ = s.Close() })
	if err := s.SaveCustomers(t.Context(), []customer.Record{{ID: "C2", Name: "Iris Coleman"}, {ID: "C3", Name: "I. Coleman"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Merge(t.Context(), "C2", "C3", customer.Colleague{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		id, at := s.NextCall(), day(c.day)
		s.Arrived(store.Arrival{Call: id, Trunk: "main", Dialled: "+448081570142", Customer: c.customer, At: at})
		if c.with != "menu" && c.with != "mailbox" {
			s.Do(at, []routing.Action{routing.Enqueued{Call: id, Queue: "a", Topic: c.topic, Since: at, Entered: at}})
		}
		end := routing.EndCall{Call: id, Outcome: routing.Answered, By: routing.ByCaller}
		switch c.with {
		case "away":
			end.Outcome = routing.Abandoned
		case "closed":
			s.Do(at, []routing.Action{routing.Treat{Call: id, Why: "closed", Play: "closed"}})
			end.Outcome, end.By, end.Reason = routing.Treated, routing.ByServer, "closed"
		case "menu", "mailbox":
			s.Do(at, []routing.Action{routing.Treat{Call: id, Why: "menu", Play: "balance", Topic: c.topic}})
			if c.with == "mailbox" {
				s.Do(at, []routing.Action{routing.Treat{Call: id, Why: "menu", Voicemail: "office", Topic: c.topic}})
			}
			end.Outcome, end.By, end.Reason = routing.Treated, routing.ByServer, "menu"
		default:
			for i, who := range strings.Fields(c.with) {
				at = at.Add(time.Minute)
				offer := routing.Offer{Call: id, Attempt: routing.Attempt(i + 1), Agent: agents.ID(who)}
				if i > 0 {
					before := routing.Offer{Call: id, Attempt: routing.Attempt(i), Agent: agents.ID(strings.Fields(c.with)[i-1])}
					s.Do(at, []routing.Action{routing.Transferred{Offer: before, Queue: "a"}})
				}
				s.Do(at, []routing.Action{routing.Connect{Offer: offer, Answered: at}})
			}
		}
		s.Do(at.Add(time.Minute), []routing.Action{end})
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func day(n int) time.Time { return time.Date(2026, 9, n, 9, 0, 0, 0, time.UTC) }

// TestAfterCall: September's calls, counted by hand.
func TestAfterCall(t *testing.T) {
	calls := []labelledCall{
		{1, "C0", "bill", "ann"},          // before the period: makes the next one of C0 a repeat
		{5, "C0", "bill", "ann"},          // no first contact, and solved nothing more
		{8, "C1", "bill", "ann"},          // first and solved: what follows is about something else
		{9, "C1", "line", "bob"},          // first, repeated by a call that nobody took
		{10, "C1", "line", "away"},        // nobody took it
		{10, "C2", "line", "ann bob"},     // first, one hop; repeated by C3, who is C2
		{16, "C3", "line", "bob ann bob"}, // a repeat itself, two hops and back
		{17, "C4", "line", "bob ann bob"}, // first, but it came back
		{18, "C5", "bill", "menu"},        // first and solved without an agent
		{18, "C6", "bill", "menu"},        // heard the answer, called on all the same
		{19, "C6", "bill", "ann"},         // a repeat
		{19, "C7", "bill", "mailbox"},     // a message is no solution
		{19, "C7", "bill", "closed"},      // neither is this
		{19, "", "bill", "ann"},           // withheld
		{20, "C9", "", "ann"},             // without a topic, its queue is what it is about
		{24, "C8", "bill", "ann"},         // not known yet on the 28th
	}
	s := labelled(t, calls)
	p := policy(t, "")
	p.Topics = map[string]*routing.Topic{"bill": {Title: routing.Title{"ru": "Счета"}}}
	p.Agents = map[agents.ID]agents.Agent{"ann": {ID: "ann", Name: "Ann Ames", Team: "north"}, "bob": {ID: "bob", Team: "south"}}
	r, err := BuildAfterCall(t.Context(), s, p, [2]time.Time{day(2), day(28)}, day(28), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]figures.AfterCounts{
		"all ":       {Calls: 15, Answered: 10, Alone: 2, Transferred: 3, Hops: 5, Back: 2, Unknown: 1, Running: 1, Followed: 10, Repeated: 3, AloneSolved: 1, First: 7, Solved: 3},
		"topic a":    {Calls: 1, Answered: 1, Followed: 1, First: 1, Solved: 1},
		"topic bill": {Calls: 9, Answered: 5, Alone: 2, Unknown: 1, Running: 1, Followed: 5, Repeated: 1, AloneSolved: 1, First: 3, Solved: 2},
		"topic line": {Calls: 5, Answered: 4, Transferred: 3, Hops: 5, Back: 2, Followed: 4, Repeated: 2, First: 3},
		"team north": {Calls: 6, Answered: 6, Unknown: 1, Running: 1, Followed: 4, First: 2, Solved: 2},
		"team south": {Calls: 4, Answered: 4, Transferred: 3, Hops: 5, Back: 2, Followed: 4, Repeated: 2, First: 3},
		"agent ann":  {Calls: 6, Answered: 6, Unknown: 1, Running: 1, Followed: 4, First: 2, Solved: 2},
		"agent bob":  {Calls: 4, Answered: 4, Transferred: 3, Hops: 5, Back: 2, Followed: 4, Repeated: 2, First: 3},
	}
	for _, l := range r.Lines {
		key := l.By + " " + l.Name
		if l.AfterCounts != want[key] {
			t.Errorf("%s\n got %+v\nwant %+v", key, l.AfterCounts, want[key])
		}
		if n := l.AfterCounts; l.By == "all" && n.Answered+n.Alone != n.Unknown+n.Running+n.Followed {
			t.Errorf("%s does not add up: %+v", key, n)
		}
		delete(want, key)
	}
	if len(want) > 0 {
		t.Errorf("not there: %v", want)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{ // 3 of 7: Wilson's interval by the textbook
		`"solved_share":{"value":42.9,"low":15.8,"high":75}`, `"hops_mean":0.5,`, `"name":"bill","title":{"ru":"Счета"}`, `"name":"line","title":null`, `"title":{"":"Ann Ames"}`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if _, err = BuildAfterCall(t.Context(), s, p, [2]time.Time{day(2), day(28)}, day(28), 15); !errors.Is(err, ErrTooManyCalls) {
		t.Errorf("sixteen calls where fifteen may be read: %v", err)
	}
}

// TestRepeatAtTheEdge: seven days after the end are seven days, to the microsecond.
func TestRepeatAtTheEdge(t *testing.T) {
	for late, repeated := range map[time.Duration]int{0: 1, time.Microsecond: 0} {
		f := figures.NewAfterCall(day(1), day(2), day(28))
		first := figures.Contact{Customer: "C1", Answered: true, Arrived: day(1).UnixMicro(), Ended: day(1).Add(time.Minute).UnixMicro()}
		again := first
		again.Arrived = first.Ended + (figures.RepeatWithin + late).Microseconds()
		again.Ended = again.Arrived + 1
		f.Contact(first)
		f.Contact(again)
		if n := f.Lines()[0].AfterCounts; n.Repeated != repeated || n.Followed != 1 || n.Solved != 1-repeated {
			t.Errorf("%v late: %+v", late, n)
		}
	}
}

// TestShareOfFew: of nothing there is no share; of few, the interval is wide.
func TestShareOfFew(t *testing.T) {
	if s, ok := figures.ShareOf(0, 0); ok {
		t.Errorf("of nothing: %v", s)
	}
	for _, c := range []struct {
		part, of int
		want     string
	}{{0, 1, "0.0 0.0 79.3"}, {1, 1, "100.0 20.7 100.0"}, {5, 10, "50.0 23.7 76.3"}, {800, 1000, "80.0 77.4 82.4"}} {
		s, _ := figures.ShareOf(c.part, c.of)
		if got := fmt.Sprintf("%.1f %.1f %.1f", 100*s.Value, 100*s.Low, 100*s.High); got != c.want {
			t.Errorf("%d of %d: %s, want %s", c.part, c.of, got, c.want)
		}
	}
}

const menuDocument = `cordboard: routing/1
name: Menus
zone: UTC
skills: {x: {}}
topics: {balance: {queue: a}}
menus:
  main:
    prompt: main
    keys: {"1": {topic: balance, then: {play: balance, hangup: true}}, "2": {topic: balance, then: {play: sorry, voicemail: office}}}
lines: {"+442079460130": {menu: main}}
queues: {a: {need: {all: {x: 1}}}}
route: {queue: a}
agents: {ann: {name: Ann Ames, phone: "sip:ann@192.0.2.1", skills: {x: 5}}}
`

// TestServedByMenu: what the engine makes of callers of a menu is read as what it is.
func TestServedByMenu(t *testing.T) {
	p, findings := configs.ParseRouting("menu.yaml", []byte(menuDocument))
	if p == nil {
		t.Fatal(findings)
	}
	c := &centre{T: t, policy: p, path: filepath.Join(t.TempDir(), "ledger.db"), now: day(1)}
	c.open()
	t.Cleanup(func() { _ = c.store.Close() })
	for who, way := range map[string][]routing.Event{
		"+447700900101": {routing.MenuKeyed{Call: 1, Ask: 1, Key: "1"}, routing.TreatmentPlayed{Call: 1}}, // heard all: solved
		"+447700900102": {routing.MenuKeyed{Call: 2, Ask: 1, Key: "1"}, routing.CallerGone{Call: 2}},      // hung up in it: nobody knows
		"+447700900103": {routing.MenuKeyed{Call: 3, Ask: 1, Key: "2"}, routing.TreatmentPlayed{Call: 3}, routing.MessageLeft{Call: 3, Seconds: 9}},
		"+447700900104": {routing.CallerGone{Call: 4}},
	} {
		id := routing.CallID(who[len(who)-1] - '0')
		c.store.Arrived(store.Arrival{Call: id, Trunk: "main", Number: who, Dialled: "+442079460130", At: c.now})
		c.step(routing.CallArrived{Call: id, Attrs: rule.Call{Kind: "inbound", DNIS: "+442079460130"}})
		for _, event := range way {
			c.step(event)
		}
	}
	if err := c.store.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r, err := BuildAfterCall(t.Context(), c.store, p, [2]time.Time{day(1), day(2)}, day(20), 0)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]figures.AfterCounts{}
	for _, l := range r.Lines {
		got[l.By+" "+l.Name] = l.AfterCounts
	}
	want := map[string]figures.AfterCounts{
		"all ":          {Calls: 4, Alone: 1, Followed: 1, AloneSolved: 1, First: 1, Solved: 1},
		"topic balance": {Calls: 2, Alone: 1, Followed: 1, AloneSolved: 1, First: 1, Solved: 1},
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}
