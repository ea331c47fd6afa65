package figures

import (
	"math/rand/v2"
	"testing"
	"time"
)

const second = int64(time.Second / time.Microsecond)

// example is the worked example of the field: seventy answered in time, ten who
// gave up in time, twenty late, a hundred in all.
func example() []Visit {
	var out []Visit
	add := func(n int, s State, waited int64) {
		for range n {
			out = append(out, Visit{Queue: "q", Since: 1000 * second, Entered: 1000 * second, Ended: (1000 + waited) * second, State: s})
		}
	}
	add(70, Answered, 20)
	add(10, Abandoned, 20)
	add(12, Answered, 21)
	add(8, Abandoned, 25)
	return out
}

func sum(r *Rules, visits []Visit, now int64) (c Counts) {
	for i := range visits {
		_, one := r.Count(&visits[i], 20*time.Second, now)
		c.Add(one, 1)
	}
	return c
}

func TestFormulas(t *testing.T) {
	short := []Visit{ // and five who hung up at once, six who moved on late
		{Ended: 4 * second, State: Abandoned}, {Ended: 0, State: Abandoned}, {Ended: second, State: Abandoned},
		{Ended: 2 * second, State: Abandoned}, {Ended: 3 * second, State: Abandoned},
	}
	moved := make([]Visit, 6)
	for i := range moved {
		moved[i] = Visit{Ended: 19 * second, State: MovedOn}
	}
	for _, c := range []struct {
		name   string
		rules  Rules
		more   []Visit
		tenths int
		level  int
	}{
		{"the default ignores who gave up in time", Rules{}, nil, 778, 77},
		{"abandons ignored", Rules{Formula: AbandonsIgnored}, nil, 778, 77},
		{"abandons negative", Rules{Formula: AbandonsNegative}, nil, 700, 70},
		{"abandons positive", Rules{Formula: AbandonsPositive}, nil, 800, 80},
		{"answered only", Rules{Formula: AnsweredOnly}, nil, 854, 85}, // 70 of 82
		{"asterisk's second", Rules{Formula: AsteriskSL2}, nil, 800, 80},
		{"short abandons are no calls", Rules{Formula: AbandonsNegative}, short, 700, 70},
		{"nor gave they up in time", Rules{Formula: AbandonsPositive}, short, 800, 80},
		{"they are for asterisk's second", Rules{Formula: AsteriskSL2}, short, 810, 80}, // 85 of 105
		{"who moved on in time is not decided", Rules{Formula: AbandonsNegative}, moved, 700, 70},
		{"switches as they are", Rules{Formula: BySwitches, Switches: Switches{Abandons: true}}, short, 700, 70},
		{"with short abandons", Rules{Formula: BySwitches, Switches: Switches{Abandons: true, Short: true}}, short, 667, 66},        // 70 of 105
		{"without abandons", Rules{Formula: BySwitches}, short, 854, 85},                                                            // 70 of 82
		{"short ones alone", Rules{Formula: BySwitches, Switches: Switches{Short: true}}, short, 805, 80},                           // 70 of 87
		{"with those who moved on", Rules{Formula: BySwitches, Switches: Switches{Abandons: true, FlowOuts: true}}, moved, 660, 66}, // 70 of 106
	} {
		t.Run(c.name, func(t *testing.T) {
			c.rules.Short = 5 * time.Second
			counts := sum(&c.rules, append(example(), c.more...), 0)
			if got, ok := c.rules.Tenths(counts); got != c.tenths || !ok {
				t.Errorf("%s: %d tenths, want %d of %+v", &c.rules, got, c.tenths, counts)
			}
			if got := c.rules.Percent(counts); got != c.level {
				t.Errorf("%s: %d percent, want %d", &c.rules, got, c.level)
			}
		})
	}
	for _, f := range Formulas() {
		r := Rules{Formula: f}
		if _, ok := r.Tenths(Counts{}); ok || r.Percent(Counts{}) != 100 {
			t.Errorf("%s: a percentage of no calls", f)
		}
	}
}

// Where a visit counts, and as what, at the edges.
func TestCount(t *testing.T) {
	const within = 20 * time.Second
	for _, c := range []struct {
		name    string
		visit   Visit
		arrival bool
		now, at int64
		want    Counts
	}{
		{"answered in the last instant", Visit{Entered: 2, Ended: 20 * second, State: Answered}, false, 0, 20 * second,
			Counts{Offered: 1, Answered: 1, InTime: 1, Decided: 1, Wait: 20 * second}},
		{"answered an instant late counts when T was over", Visit{Ended: 20*second + 1, State: Answered}, false, 0, 20 * second,
			Counts{Offered: 1, Answered: 1, Decided: 1, Wait: 20*second + 1}},
		{"by arrival", Visit{Entered: 2, Ended: 30 * second, State: Answered}, true, 0, 2,
			Counts{Offered: 1, Answered: 1, Decided: 1, Wait: 30 * second}},
		{"came too late already", Visit{Entered: 50 * second, Ended: 60 * second, State: Answered}, false, 0, 50 * second,
			Counts{Offered: 1, Answered: 1, Decided: 1, Wait: 60 * second}},
		{"gave up just before it was no short abandon", Visit{Ended: 5*second - 1, State: Abandoned}, false, 0, 5*second - 1,
			Counts{Offered: 1, Abandoned: 1, Short: 1, ShortInTime: 1}},
		{"gave up then", Visit{Ended: 5 * second, State: Abandoned}, false, 0, 5 * second,
			Counts{Offered: 1, Abandoned: 1, GaveUp: 1, Decided: 1}},
		{"gave up late", Visit{Ended: 21 * second, State: Abandoned}, false, 0, 20 * second,
			Counts{Offered: 1, Abandoned: 1, Decided: 1}},
		{"waits", Visit{Entered: 1}, false, 20 * second, 20 * second, Counts{Offered: 1, Waiting: 1}},
		{"waits past T", Visit{Entered: 1}, false, 21 * second, 20 * second, Counts{Offered: 1, Waiting: 1, Decided: 1}},
		{"moved on in time", Visit{Ended: 3, State: MovedOn}, false, 0, 3, Counts{Offered: 1, MovedOn: 1}},
		{"treated late", Visit{Ended: 40 * second, State: Treated}, false, 0, 20 * second, Counts{Offered: 1, Treated: 1, Decided: 1}},
		{"failed", Visit{Ended: 3, State: Failed}, false, 0, 3, Counts{Offered: 1, Failed: 1}},
	} {
		r := Rules{Short: 5 * time.Second, ByArrival: c.arrival}
		at, got := r.Count(&c.visit, within, c.now)
		if at != c.at || got != c.want {
			t.Errorf("%s: at %d %+v, want at %d %+v", c.name, at, got, c.at, c.want)
		}
	}
}

// A queue that is gone counts by its promise to the call, which a call that was
// answered there and comes back does not change.
func TestPromise(t *testing.T) {
	var c Call
	var r Rules
	inTime := func(within time.Duration) int {
		_, n := r.Count(&c.Visits[0], within, 0)
		return n.InTime
	}
	c.Promise(time.Hour) // it is in no queue
	c.Enter("a", 1, 1)
	c.Promise(40 * time.Second)
	c.Answer(30*second, 1)
	c.Enter("a", 50*second, 50*second)
	c.Promise(10 * time.Second)
	if inTime(0) != 1 || inTime(20*time.Second) != 0 {
		t.Errorf("%+v: in time %d by the promise, %d by a document of 20s", c.Visits[0], inTime(0), inTime(20*time.Second))
	}
	c = Call{}
	c.Enter("a", 1, 1)
	c.Promise(time.Minute)
	c.Promise(0) // read again: T of 20s
	c.Answer(30*second, 1)
	if inTime(0) != 0 || inTime(30*time.Second) != 1 {
		t.Errorf("%+v: in time %d by the default", c.Visits[0], inTime(0))
	}
}

// A call is offered once per queue and once in all.
func TestVisits(t *testing.T) {
	for name, c := range map[string]struct {
		play  func(*Call)
		want  []State
		whole State
		since int64
	}{
		"answered":                   {func(c *Call) { c.Enter("a", 1, 1); c.Answer(5, 1); c.End(9, Abandoned) }, []State{Answered}, Answered, 1},
		"moved on and answered":      {func(c *Call) { c.Enter("a", 1, 1); c.Enter("b", 30, 1); c.Answer(40, 1) }, []State{MovedOn, Answered}, Answered, 1},
		"passed on and lost":         {func(c *Call) { c.Enter("a", 1, 1); c.Answer(5, 1); c.Enter("b", 9, 8); c.End(12, Abandoned) }, []State{Answered, Abandoned}, Answered, 1},
		"passed on within the queue": {func(c *Call) { c.Enter("a", 1, 1); c.Answer(5, 1); c.Enter("a", 9, 8); c.End(12, Abandoned) }, []State{Answered}, Answered, 1},
		"comes back to a queue that it left": {func(c *Call) {
			c.Enter("a", 1, 1)
			c.Enter("b", 3, 1)
			c.Answer(5, 1)
			c.Enter("a", 9, 7)
			c.Answer(12, 2)
		},
			[]State{Answered, Answered}, Answered, 1},
		"the legs are not joined":    {func(c *Call) { c.Enter("a", 1, 1); c.Answer(5, 1); c.Unanswer(1); c.End(8, Failed) }, []State{Failed}, Failed, 1},
		"another offer is withdrawn": {func(c *Call) { c.Enter("a", 1, 1); c.Answer(5, 2); c.Unanswer(1) }, []State{Answered}, Answered, 1},
		"closed at entry":            {func(c *Call) { c.Enter("a", 1, 1); c.Leave(1); c.End(8, Treated) }, []State{Treated}, Treated, 1},
		"full, and in another queue": {func(c *Call) { c.Enter("a", 1, 1); c.Leave(1); c.Enter("b", 4, 1) }, []State{MovedOn, Waiting}, Waiting, 1},
		"read again":                 {func(c *Call) { c.Enter("a", 1, 1); c.Enter("a", 4, 1) }, []State{Waiting}, Waiting, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var call Call
			c.play(&call)
			if len(call.Visits) != len(c.want) {
				t.Fatalf("%+v, want %v", call.Visits, c.want)
			}
			for i, v := range call.Visits {
				if v.State != c.want[i] {
					t.Errorf("visit %d is %d, want %d", i, v.State, c.want[i])
				}
			}
			whole, ok := call.Whole()
			if !ok || whole.State != c.whole || whole.Entered != 1 || whole.Since != c.since {
				t.Errorf("whole is %+v", whole)
			}
		})
	}
	closed := Call{}
	closed.Enter("a", 1, 1)
	closed.Leave(1)
	closed.End(8, Treated)
	if closed.Visits[0].Ended != 1 {
		t.Errorf("treated at %d, not when the announcement began", closed.Visits[0].Ended)
	}
	if _, ok := (&Call{}).Whole(); ok {
		t.Error("a call without a queue")
	}
}

// The ring says what counting its minutes one by one says, whatever the order,
// and with another window after a reload.
func TestRing(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 7))
	type entry struct {
		at int64
		n  int
	}
	var ring Ring
	var all []entry
	window, now := 30*time.Minute, int64(1_000_000)*minute
	for i := range 5000 {
		now += rng.Int64N(40 * second)
		if rng.IntN(400) == 0 {
			now += rng.Int64N(90 * minute)
		}
		if rng.IntN(300) == 0 {
			window = []time.Duration{5 * time.Minute, 30 * time.Minute, 4 * time.Hour}[rng.IntN(3)]
			all = nil // what is older than the shorter window is gone
			ring = Ring{}
		}
		e := entry{now - rng.Int64N(45*minute), 1 + rng.IntN(3)}
		ring.Add(window, now, e.at, Counts{Decided: e.n}, 1)
		all = append(all, e)
		if len(all) > 1 && rng.IntN(10) == 0 {
			gone := rng.IntN(len(all))
			ring.Add(window, now, all[gone].at, Counts{Decided: all[gone].n}, -1)
			all = append(all[:gone], all[gone+1:]...)
		}
		ask := now + rng.Int64N(3*minute)
		want := 0
		for _, e := range all {
			if e.at >= Begins(window, ask) {
				want += e.n
			}
		}
		if got := ring.Sum(window, ask).Decided; got != want {
			t.Fatalf("round %d: %d, want %d", i, got, want)
		}
	}
	ring = Ring{}
	ring.Add(30*time.Minute, 100*minute, 80*minute, Counts{Decided: 1}, 1)
	ring.Add(30*time.Minute, 100*minute, 99*minute, Counts{Decided: 2}, 1)
	ring.Add(5*time.Minute, 100*minute, 98*minute, Counts{Decided: 4}, 1)
	if got := ring.Sum(5*time.Minute, 100*minute).Decided; got != 6 {
		t.Errorf("a shorter window holds %d, want 6", got)
	}
	ring.Add(time.Hour, 100*minute, 60*minute, Counts{Decided: 8}, 1)
	if got := ring.Sum(time.Hour, 100*minute).Decided; got != 14 {
		t.Errorf("a longer window holds %d, want 14", got)
	}
}

// A day begins when the document says, also when clocks change.
func TestDay(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Fatal(err)
	}
	r := Rules{Zone: vienna, DayStarts: 6 * 60}
	for _, c := range []struct{ at, day, next string }{
		{"2026-04-15T05:59:59+02:00", "2026-04-14T06:00:00+02:00", "2026-04-15T06:00:00+02:00"},
		{"2026-04-15T06:00:00+02:00", "2026-04-15T06:00:00+02:00", "2026-04-16T06:00:00+02:00"},
		{"2026-03-29T05:00:00+02:00", "2026-03-28T06:00:00+01:00", "2026-03-29T06:00:00+02:00"}, // 23 hours
		{"2026-10-25T03:00:00+01:00", "2026-10-24T06:00:00+02:00", "2026-10-25T06:00:00+01:00"}, // 25 hours
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Day(at).Format(time.RFC3339); got != c.day {
			t.Errorf("%s: day from %s, want %s", c.at, got, c.day)
		}
		if got := r.NextDay(at).Format(time.RFC3339); got != c.next {
			t.Errorf("%s: next day from %s, want %s", c.at, got, c.next)
		}
	}
	if day, err := r.DayOf("2026-04-15"); err != nil || !day.Equal(r.Day(day)) {
		t.Errorf("%v, %v", day, err)
	}
}
