package customer

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// crm is a source that answers as it is told, after a while.
type crm struct {
	mu    sync.Mutex
	match Match
	err   error
	takes time.Duration
	asked int
}

func (c *crm) set(m Match, err error, takes time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.match, c.err, c.takes = m, err, takes
}

func (c *crm) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked
}

func (c *crm) Lookup(ctx context.Context, _ string) (Match, error) {
	c.mu.Lock()
	c.asked++
	m, err, takes := c.match, c.err, c.takes
	c.mu.Unlock()
	if takes < 0 {
		panic("out of order")
	}
	select {
	case <-time.After(takes):
		return m, err
	case <-ctx.Done():
		return Match{}, ctx.Err()
	}
}

const dana = "+447700900417"

func one(id string) Match { return Match{Record: &Record{ID: id, Version: 1}} }

var errDown = errors.New("crm is down")

// resolver makes one over sources; it is closed at the end of the test.
func resolver(t *testing.T, opts ResolverOptions, sources ...SourceOptions) *Resolver {
	t.Helper()
	opts.Sources = sources
	r := NewResolver(opts)
	t.Cleanup(r.Close)
	return r
}

func find(t *testing.T, r *Resolver, within time.Duration) (Match, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within)
	defer cancel()
	return r.Find(ctx, dana)
}

// says checks whom the look-up finds: an id, "" for nobody, with "(stale)".
func says(t *testing.T, r *Resolver, within time.Duration, want string) {
	t.Helper()
	m, err := find(t, r, within)
	got := ""
	if m.Record != nil {
		got = m.Record.ID
	}
	if m.Stale {
		got += " (stale)"
	}
	if err != nil || got != want {
		t.Fatalf("found %q, %v; want %q", got, err, want)
	}
}

func TestOrderOfSources(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := &crm{}, &crm{match: one("second")}
		r := resolver(t, ResolverOptions{}, SourceOptions{Name: "a", Source: first}, SourceOptions{Name: "b", Source: second})
		says(t, r, time.Second, "second")
		first.set(one("first"), nil, 0)
		says(t, r, time.Second, "first")
		if second.count() != 1 {
			t.Errorf("the second was asked although the first knew")
		}
		first.set(Match{}, errDown, 0)
		says(t, r, time.Second, "second")
		second.set(Match{}, nil, 0)
		says(t, r, time.Second, "second (stale)") // nobody is no answer while the first is silent
		first.set(Match{}, nil, 0)
		says(t, r, time.Second, "")
		first.set(Match{Candidates: []Record{{ID: "only"}}}, nil, 0)
		says(t, r, time.Second, "only")
		if m, err := r.Find(t.Context(), ""); err != nil || !reflect.DeepEqual(m, Match{}) {
			t.Errorf("a withheld number: %+v, %v", m, err)
		}
	})
}

func TestDeadlineAndStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crm{match: one("v1")}
		r := resolver(t, ResolverOptions{KeepStale: time.Hour}, SourceOptions{Name: "crm", Source: c})
		c.set(one("v1"), nil, time.Minute)
		start := time.Now()
		if _, err := find(t, r, 800*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) || time.Since(start) != 800*time.Millisecond {
			t.Fatalf("first look-up: %v after %v", err, time.Since(start))
		}
		time.Sleep(3 * time.Second) // the source's own time-out
		c.set(one("v1"), nil, 0)
		says(t, r, time.Second, "v1")
		c.set(one("v2"), nil, time.Minute)
		start = time.Now()
		says(t, r, 800*time.Millisecond, "v1 (stale)")
		if took := time.Since(start); took >= 800*time.Millisecond {
			t.Fatalf("the stale record came after %v, too late to be used", took)
		}
		time.Sleep(3 * time.Second)
		c.set(Match{}, errDown, 0)
		says(t, r, time.Second, "v1 (stale)")
		time.Sleep(2 * time.Hour)
		if _, err := find(t, r, time.Second); !errors.Is(err, ErrUnavailable) || !errors.Is(err, errDown) {
			t.Fatalf("older than KeepStale: %v", err)
		}
	})
}

// TestLateAnswerIsKept: the source takes longer than its first caller waits, and
// the next one has the record at once.
func TestLateAnswerIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crm{match: one("v1"), takes: time.Second}
		r := resolver(t, ResolverOptions{}, SourceOptions{Name: "crm", Source: c, Fresh: time.Minute})
		if _, err := find(t, r, 800*time.Millisecond); err == nil {
			t.Fatal("found before the source answered")
		}
		says(t, r, 300*time.Millisecond, "v1")
		says(t, r, time.Millisecond, "v1")
		if c.count() != 1 {
			t.Fatalf("asked %d times", c.count())
		}
	})
}

func TestSingleFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crm{match: one("v1"), takes: 100 * time.Millisecond}
		r := resolver(t, ResolverOptions{}, SourceOptions{Name: "crm", Source: c})
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() { says(t, r, time.Second, "v1") })
		}
		all.Wait()
		if c.count() != 1 {
			t.Fatalf("asked %d times", c.count())
		}
	})
}

func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crm{match: one("v1")}
		r := resolver(t, ResolverOptions{Cache: 16}, SourceOptions{Name: "crm", Source: c, Fresh: time.Minute})
		says(t, r, time.Second, "v1")
		c.set(one("v2"), nil, 0)
		says(t, r, time.Second, "v1")
		r.Forget("v1")
		says(t, r, time.Second, "v2")
		time.Sleep(2 * time.Minute)
		c.set(one("v3"), nil, 0)
		says(t, r, time.Second, "v3")
		asked := c.count()
		for i := range 16 {
			if _, err := r.Find(t.Context(), fmt.Sprintf("+44770090010%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		says(t, r, time.Second, "v3")
		if n := c.count(); n != asked+17 {
			t.Fatalf("asked %d times: the oldest entry did not make room", n-asked)
		}
	})
}

// TestCacheIsBoundInBytes: customers with a long history fill the cache's memory
// before its number, the last one always has a place, and what leaves gives its
// place back.
func TestCacheIsBoundInBytes(t *testing.T) {
	long := func() Match {
		r := &Record{ID: "long"}
		for range 50 {
			r.Interactions = append(r.Interactions, Interaction{Note: strings.Repeat("x", 1000)})
		}
		return Match{Record: r}
	}
	one := weigh(long())
	if one < 50*1000 || one > 100*1000 {
		t.Fatalf("50 notes of 1,000 bytes weigh %d", one)
	}
	c := newCache(1000, 3*one)
	for i := range 10 {
		c.put(&cached{number: strconv.Itoa(i % 5), match: long()})
		if want := min(i+1, 3); c.order.Len() != want || len(c.by) != want {
			t.Fatalf("after %d: %d kept, %d by number; want %d", i+1, c.order.Len(), len(c.by), want)
		}
	}
	if c.get("1") != nil || c.get("2") == nil || c.get("4") == nil {
		t.Error("it is not the latest that are kept")
	}
	c.put(&cached{number: "4", match: Match{}})
	if c.room != one-weigh(Match{}) {
		t.Errorf("room for %d, want %d", c.room, one-weigh(Match{}))
	}
	c = newCache(1000, 1)
	c.put(&cached{number: "a", match: long()})
	if c.get("a") == nil {
		t.Error("the last one has no place")
	}
}

// TestEveryTextWeighs: a source may put any length of text anywhere, and no field
// of a record is overlooked.
func TestEveryTextWeighs(t *testing.T) {
	const size = 10_000
	long := func(v reflect.Value) { v.SetString(strings.Repeat("x", size)) }
	bounded := []string{"Language", "Country", "Currency", "LastBillOn", "PaidOn", "NextBillOn", "WeOweSince"}
	var check func(path string, r *Record, v reflect.Value)
	check = func(path string, r *Record, v reflect.Value) {
		switch v.Kind() {
		case reflect.String:
			before := weigh(Match{Record: r})
			if long(v); weigh(Match{Record: r})-before < size {
				t.Errorf("%s may be long and weighs nothing", path)
			}
			v.SetString("")
		case reflect.Pointer:
			v.Set(reflect.New(v.Type().Elem()))
			check(path, r, v.Elem())
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			check(path+"[]", r, v.Index(0))
		case reflect.Struct:
			for i := range v.NumField() {
				if f := v.Type().Field(i); f.IsExported() && !slices.Contains(bounded, f.Name) {
					check(path+"."+f.Name, r, v.Field(i))
				}
			}
		}
	}
	var r Record
	check("record", &r, reflect.ValueOf(&r).Elem())
	for _, v := range []any{strings.Repeat("x", size), []any{"", strings.Repeat("x", size)}} {
		if n := weigh(Match{Record: &Record{Fields: map[string]any{"tariff": v}}}) - weigh(Match{Record: &Record{}}); n < size {
			t.Errorf("an own field of %d weighs %d", size, n)
		}
	}
	many := &Record{Others: make([]Other, size), Heed: make([]string, size)}
	if n := weigh(Match{Record: many}); n < size*16*3 {
		t.Errorf("%d people beside the customer and as many words weigh %d", size, n)
	}
}

// TestForgetReachesFlights: what was being read when the record changed is not
// given to who asks after the change.
func TestForgetReachesFlights(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crm{match: one("old"), takes: 100 * time.Millisecond}
		r := resolver(t, ResolverOptions{}, SourceOptions{Name: "crm", Source: c, Fresh: time.Minute})
		go func() { _, _ = r.Find(context.Background(), dana) }()
		synctest.Wait()
		c.set(one("new"), nil, 10*time.Millisecond)
		r.Forget("old")
		says(t, r, time.Second, "new")
		time.Sleep(time.Second) // the old look-up ends last
		says(t, r, time.Second, "new")
	})
}

func TestBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crm{err: errDown}
		results := map[string]int{}
		var mu sync.Mutex
		r := resolver(t, ResolverOptions{BreakAfter: 3, BreakFor: time.Second, Observe: func(_, result string, _ time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			results[result]++
		}}, SourceOptions{Name: "crm", Source: c})
		for range 10 {
			if _, err := find(t, r, time.Second); !errors.Is(err, ErrUnavailable) {
				t.Fatalf("got %v", err)
			}
		}
		if c.count() != 3 || results[Failed] != 3 || results[Skipped] != 7 {
			t.Fatalf("asked %d times, %v", c.count(), results)
		}
		time.Sleep(1100 * time.Millisecond)
		for range 5 { // one is let through, and closes it for twice as long
			_, _ = find(t, r, time.Second)
		}
		time.Sleep(1100 * time.Millisecond)
		_, _ = find(t, r, time.Second)
		if c.count() != 4 {
			t.Fatalf("asked %d times", c.count())
		}
		c.set(one("back"), nil, 0)
		time.Sleep(time.Second)
		says(t, r, time.Second, "back")
		c.set(Match{}, errDown, 0)
		says(t, r, time.Second, "back (stale)")
		says(t, r, time.Second, "back (stale)")
		if c.count() != 7 {
			t.Fatalf("asked %d times: one failure opened it again", c.count())
		}
	})
}

func TestSourceThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := resolver(t, ResolverOptions{}, SourceOptions{Name: "crm", Source: &crm{takes: -1}}, SourceOptions{Name: "b", Source: &crm{match: one("b")}})
		says(t, r, time.Second, "b")
	})
}

// However long each source may take, a look-up ends.
func TestWholeLookupEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := &crm{takes: time.Hour}
		r := resolver(t, ResolverOptions{}, SourceOptions{Name: "a", Source: slow, Timeout: wholeFor * 3 / 5}, SourceOptions{Name: "b", Source: slow, Timeout: time.Hour})
		start := time.Now()
		if _, err := find(t, r, time.Hour); !errors.Is(err, ErrUnavailable) || time.Since(start) != wholeFor {
			t.Fatalf("after %v: %v; want an end after %v", time.Since(start), err, wholeFor)
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &crm{match: one("v1"), takes: time.Minute}
		var said []string // of the source: that we close is no fault of its
		r := NewResolver(ResolverOptions{
			Sources: []SourceOptions{{Name: "crm", Source: c, Timeout: time.Hour}},
			Observe: func(_, result string, _ time.Duration) { said = append(said, result) },
		})
		go func() { _, _ = r.Find(context.Background(), dana) }()
		synctest.Wait()
		start := time.Now()
		r.Close()
		if time.Since(start) != 0 {
			t.Fatal("Close waited for the source")
		}
		if len(said) > 0 {
			t.Errorf("the source is said to have %v", said)
		}
		if _, err := find(t, r, time.Second); !errors.Is(err, ErrUnavailable) {
			t.Fatalf("after Close: %v", err)
		}
	})
}

func TestAttributes(t *testing.T) {
	now := time.Date(2026, 11, 19, 14, 0, 0, 0, time.UTC)
	ago := func(h int) time.Time { return now.Add(-time.Duration(h) * time.Hour) }
	risk, yes, no := 130, true, false
	r := &Record{
		ID: "LW-1", Name: "Dana Whitcombe", Language: "en", Country: "GB", Segment: "gold", KeyAccount: true, ChurnRisk: &risk,
		Consent: Consent{Phone: &yes, Mail: &no, Recording: &yes}, AccountManager: &Colleague{Agent: "owen"}, LastAgent: &Colleague{Agent: "priya"},
		Billing:  &Billing{Balance: Money{Minor: -6420, Currency: "GBP"}, OverdueAge: 12},
		Products: []Product{{Kind: "mobile", Status: "active"}, {Kind: "fibre", Status: "fault"}, {Kind: "mobile", Status: "paused"}, {Kind: "tv", Status: "ended"}},
		Tickets:  []Ticket{{Status: "open", Kind: "complaint"}, {Status: "open", Kind: "fault"}, {Status: "closed", Kind: "complaint"}},
		Interactions: []Interaction{
			{At: ago(50), Topic: "fibre_drops"}, {At: ago(49)}, {At: ago(90), Topic: "sim_swap"},
		},
	}
	want := Attributes{
		Known: true, Segment: "gold", KeyAccount: true, Language: "en", Country: "GB", ChurnRisk: 100, Balance: -6420, BalanceCurrency: "GBP",
		OverdueDays: 12, OpenTickets: 2, OpenComplaints: 1, Products: []string{"fibre", "mobile"}, AccountManager: "owen", LastAgent: "priya",
		LastTopic: "fibre_drops", LastContactDays: 2, Confidence: 100, ContractEndDays: Unknown, Consent: []string{"phone", "recording"},
	}
	if got := r.Attributes(now); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if got := (&Record{}).Attributes(now); !reflect.DeepEqual(got, Attributes{Known: true, LastContactDays: Unknown, ContractEndDays: Unknown, Confidence: 100}) {
		t.Errorf("bare record: %+v", got)
	}
	for _, m := range []Match{{}, {Candidates: []Record{*r, *r}}} {
		if got := m.Attributes(now); !reflect.DeepEqual(got, Attributes{LastContactDays: Unknown, ContractEndDays: Unknown}) {
			t.Errorf("somebody was guessed: %+v", got)
		}
	}
	if got := (Match{Record: r}).Attributes(now); !reflect.DeepEqual(got, want) {
		t.Errorf("match: %+v", got)
	}
}

// numbered answers by number: what it finds is held until it is let go.
type numbered struct{ hold map[string]chan struct{} }

func (n numbered) Lookup(_ context.Context, e164 string) (Match, error) {
	if held := n.hold[e164]; held != nil {
		<-held // whatever the context says
	}
	return one(e164), nil
}

// TestWorkers: look-ups that hang hold up nobody else, however many they are;
// few goroutines stay for the next look-ups, and one serves many in a row.
func TestWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		let := make(chan struct{})
		n := numbered{hold: map[string]chan struct{}{}}
		for i := range 10 * maxIdle {
			n.hold[fmt.Sprint("+", i)] = let
		}
		r := resolver(t, ResolverOptions{}, SourceOptions{Name: "crm", Source: n})
		for range 20 {
			says(t, r, time.Second, dana)
			synctest.Wait()
			if got := len(r.idle); got != 1 {
				t.Fatalf("%d workers wait after look-ups one by one", got)
			}
		}
		var all sync.WaitGroup
		for number := range n.hold {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if _, err := r.Find(ctx, number); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a look-up that hangs: %v", err)
				}
			})
		}
		synctest.Wait()
		begin := time.Now()
		says(t, r, time.Second, dana)
		if took := time.Since(begin); took > 0 {
			t.Errorf("a look-up waited %v for those that hang", took)
		}
		all.Wait()
		close(let)
		synctest.Wait()
		if got := len(r.idle); got != maxIdle {
			t.Errorf("%d workers stay, want %d", got, maxIdle)
		}
	})
}

// TestKept: what is kept is told, by number and by weight.
func TestKept(t *testing.T) {
	c := &crm{match: one("a")}
	r := resolver(t, ResolverOptions{}, SourceOptions{Name: "crm", Source: c, Fresh: time.Minute})
	if n, bytes := r.Kept(); n != 0 || bytes != 0 {
		t.Fatalf("%d kept, %d bytes, before anybody has called", n, bytes)
	}
	says(t, r, time.Second, "a")
	if n, bytes := r.Kept(); n != 1 || bytes != weigh(one("a")) {
		t.Errorf("%d kept, %d bytes, want one of %d", n, bytes, weigh(one("a")))
	}
}
